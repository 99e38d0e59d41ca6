"""Dovecot: its submission service, with implicit TLS; and its authentication service alone, for Postfix."""

from __future__ import annotations

import subprocess
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

_SERVICES = Path("/usr/lib/dovecot")
_PASSWORDS = """\
ssl_cert = <{certificates}/certificate.pem
ssl_key = <{certificates}/key.pem
mail_location = maildir:{folder}/home
passdb {{
  driver = static
  args = user={username} password={password}
}}
userdb {{
  driver = static
  args = uid=65534 gid=65534 home={folder}/home
}}
"""
_PASSWORDS_SINCE_2_4 = """\
dovecot_config_version = 2.4.0
dovecot_storage_version = 2.4.0
ssl_server_cert_file = {certificates}/certificate.pem
ssl_server_key_file = {certificates}/key.pem
mail_driver = maildir
mail_path = {folder}/home
passdb static {{
  password = {password}
}}
userdb static {{
  fields {{
    uid = 65534
    gid = 65534
    home = {folder}/home
  }}
}}
"""
_COMMON = """\
base_dir = {folder}/run
state_dir = {folder}/state
log_path = {folder}/mail.log
hostname = relay.example.org
auth_mechanisms = plain
"""
_SUBMISSION = """\
protocols = submission
listen = {host}
ssl = required
submission_relay_host = {host}
submission_relay_port = {sink}
submission_max_mail_size = {size_limit}
service submission-login {{
  inet_listener submission {{
    port = 0
  }}
  inet_listener submissions {{
    port = {port}
    ssl = yes
  }}
}}
"""
_AUTH = """\
protocols =
service auth {{
  unix_listener {folder}/client {{
    mode = 0666
  }}
}}
"""


def lacking_dovecot() -> str | None:
    """What this machine lacks for it to run; None: nothing."""
    return lacking(dovecot=found("dovecot"), submission=found("submission", also_in=_SERVICES))


@contextmanager
def running_dovecot(sink_port: int) -> Iterator[RealServer]:
    """Run its submission service until the block ends, in front of the sink."""
    port = usable_port()
    with own_folder() as folder:
        settings = {"host": HOST, "port": port, "sink": sink_port, "size_limit": SIZE_LIMIT}
        command = _configured(folder, _SUBMISSION, certificates=folder, **settings)
        with running(command, is_ready=lambda: listens(port), folder=folder):
            yield RealServer(port=port, security="tls", is_idle=lambda: True, is_proxy=True)


@contextmanager
def running_auth(folder: Path) -> Iterator[Path]:
    """Run the authentication service; it is asked at this socket."""
    folder.mkdir()
    socket = folder / "client"
    with running(_configured(folder, _AUTH, certificates=folder.parent), is_ready=socket.exists, folder=folder):
        yield socket


def _configured(folder: Path, own: str, **settings: object) -> list[str]:
    """The command for it, with these settings written where it reads them."""
    program = found("dovecot")
    assert program is not None
    passwords = _PASSWORDS if _version(program) < (2, 4) else _PASSWORDS_SINCE_2_4
    settings |= {"folder": folder, "username": USERNAME, "password": PASSWORD}
    configuration = folder / "dovecot.conf"
    configuration.write_text((passwords + _COMMON + own).format(**settings))
    return [program, "-F", "-c", str(configuration)]


def _version(program: str) -> tuple[int, ...]:
    said = subprocess.run([program, "--version"], check=True, stdout=subprocess.PIPE, text=True).stdout  # noqa: S603  (the package's)
    return tuple(int(number) for number in said.split(".")[:2])
