"""Exim, with STARTTLS."""

from __future__ import annotations

import os
import pwd
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from local.ports import usable_port
from tests.faults.real_servers.server import (
    HOST,
    PASSWORD,
    SIZE_LIMIT,
    USERNAME,
    RealServer,
    found,
    lacking,
    listens,
    own_folder,
    running,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

PROGRAM = "exim4"
UNPACKED = Path(__file__).parents[3] / ".tools" / "exim" / "usr" / "sbin"
"""Where it is unpacked beside Postfix: their packages exclude one another."""
USER = "Debian-exim"
_CONFIGURATION = r"""
exim_path = {folder}/exim
spool_directory = {folder}/spool
log_file_path = {folder}/%s.log
pid_file_path = {folder}/pid
primary_hostname = relay.example.org
keep_environment =
local_interfaces = {host}
daemon_smtp_ports = {port}
deliver_drop_privilege
message_size_limit = {size_limit}
message_logs = false
smtp_accept_queue_per_connection = 0
host_lookup =
tls_advertise_hosts = *
tls_certificate = {folder}/certificate.pem
tls_privatekey = {folder}/key.pem
auth_advertise_hosts = ${{if eq{{$tls_in_cipher}}{{}}{{}}{{*}}}}
acl_smtp_mail = acl_mail
acl_smtp_rcpt = acl_rcpt
acl_smtp_predata = acl_data
acl_smtp_data = acl_content

begin acl
{acls}

begin routers
sink:
  driver = manualroute
  transport = sink
  route_list = * {host}
  self = send

begin transports
sink:
  driver = smtp
  port = {sink}
  allow_localhost
  hosts_avoid_tls = *

begin authenticators
plain:
  driver = plaintext
  public_name = PLAIN
  server_condition = ${{if and{{{{eq{{$auth2}}{{{username}}}}}{{eq{{$auth3}}{{{password}}}}}}}}}
  server_set_id = $auth2
"""
_ACL = r"""
acl_{step}:
  defer set acl_m_code = ${{if match{{{address}}}{{\N^(?:from|to)\.{step}-(4\d\d)\.\N}}{{$1}}}}
        condition = ${{if def:acl_m_code}}
        message = $acl_m_code refused at {step}
  deny  set acl_m_code = ${{if match{{{address}}}{{\N^(?:from|to)\.{step}-(5\d\d)\.\N}}{{$1}}}}
        condition = ${{if def:acl_m_code}}
        message = $acl_m_code refused at {step}
  accept authenticated = *
"""
_ADDRESSES = {
    "mail": "$sender_address",
    "rcpt": "$local_part@$domain",
    "data": "$sender_address",
    "content": "$sender_address",
}


def lacking_exim() -> str | None:
    """What this machine lacks for it to run; None: nothing."""
    return lacking(exim4=found(PROGRAM, also_in=UNPACKED), user=_user_id())


@contextmanager
def running_exim(sink_port: int) -> Iterator[RealServer]:
    """Run it until the block ends; what it accepts goes to the sink."""
    program = found(PROGRAM, also_in=UNPACKED)
    assert program is not None
    port = usable_port()
    with own_folder() as folder:
        shutil.copy(program, folder / "exim")  # it starts itself again, as a user who may not reach the original
        configuration = folder / "exim.conf"
        configuration.write_text(_configured(folder, port=port, sink=sink_port))
        os.chown(folder, _user_id() or 0, -1)  # for the logs
        with running(
            [str(folder / "exim"), "-bdf", "-C", str(configuration)], is_ready=lambda: listens(port), folder=folder
        ):
            yield RealServer(port=port, security="starttls", is_idle=lambda: _is_idle(folder / "spool" / "input"))


def _configured(folder: Path, *, port: int, sink: int) -> str:
    acls = "".join(_ACL.format(step=step, address=address) for step, address in _ADDRESSES.items())
    return _CONFIGURATION.format(
        folder=folder,
        host=HOST,
        port=port,
        sink=sink,
        size_limit=SIZE_LIMIT,
        acls=acls,
        username=USERNAME,
        password=PASSWORD,
    )


def _is_idle(spool: Path) -> bool:
    return not any(files for _, _, files in os.walk(spool))


def _user_id() -> int | None:
    try:
        return pwd.getpwnam(USER).pw_uid
    except KeyError:
        return None
