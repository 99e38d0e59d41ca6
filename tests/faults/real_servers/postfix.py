"""Postfix, with STARTTLS; Dovecot checks its passwords."""

from __future__ import annotations

import os
import subprocess
from contextlib import contextmanager
from typing import TYPE_CHECKING

from local.ports import usable_port
from tests.faults.real_servers.dovecot import running_auth
from tests.faults.real_servers.server import HOST, SIZE_LIMIT, RealServer, found, lacking, listens, own_folder, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_MAIN = """\
compatibility_level = 3.6
queue_directory = {folder}/queue
data_directory = {folder}/data
maillog_file = {folder}/mail.log
maillog_file_prefixes = {folder}
myhostname = relay.example.org
inet_interfaces = {host}
inet_protocols = ipv4
mynetworks =
mydestination =
alias_maps =
alias_database =
local_recipient_maps =
local_header_rewrite_clients =
disable_dns_lookups = yes
smtp_host_lookup = native
relayhost = [{host}]:{sink}
message_size_limit = {size_limit}
in_flow_delay = 0s
smtpd_error_sleep_time = 0s
smtpd_peername_lookup = no
smtpd_tls_security_level = encrypt
smtpd_tls_cert_file = {folder}/certificate.pem
smtpd_tls_key_file = {folder}/key.pem
smtpd_sasl_auth_enable = yes
smtpd_sasl_type = dovecot
smtpd_sasl_path = {auth_socket}
smtpd_relay_restrictions = permit_sasl_authenticated, reject
smtpd_delay_reject = no
smtpd_sender_restrictions = check_sender_access regexp:{folder}/refused_mail
smtpd_recipient_restrictions = check_recipient_access regexp:{folder}/refused_rcpt
smtpd_data_restrictions = check_sender_access regexp:{folder}/refused_data
smtpd_end_of_data_restrictions = check_sender_access regexp:{folder}/refused_content
header_checks = regexp:{folder}/refused_header
"""
_MASTER = """\
{host}:{port} inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
error unix - - n - - error
retry unix - - n - - error
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
"""
_TABLES = {
    "mail": r"/^from\.mail-([45][0-9]+)\./ $1 refused at MAIL",
    "rcpt": r"/^to\.rcpt-([45][0-9]+)\./ $1 refused at RCPT",
    "data": r"/^from\.data-([45][0-9]+)\./ $1 refused at DATA",
    "content": r"/^from\.content-(4[0-9]+)\./ $1 refused behind the content",
    "header": r"/^From: from\.content-5[0-9]+\./ REJECT refused for what it contains",
}
_QUEUES = ("incoming", "active", "deferred", "maildrop", "hold")


def lacking_postfix() -> str | None:
    """What this machine lacks for it to run; None: nothing."""
    return lacking(postfix=found("postfix"), dovecot=found("dovecot"))


@contextmanager
def running_postfix(sink_port: int) -> Iterator[RealServer]:
    """Run it until the block ends; what it accepts goes to the sink."""
    port = usable_port()
    with own_folder() as folder, running_auth(folder / "auth") as auth_socket:
        _configure(folder, port=port, sink=sink_port, auth_socket=str(auth_socket))
        # Not `postfix start-fg`, whose child it would be, in a process group that we cannot end.
        command = [f"{_said('postconf', folder, '-h', 'daemon_directory')}/master", "-c", str(folder), "-d"]
        with running(command, is_ready=lambda: listens(port), folder=folder):
            yield RealServer(port=port, security="starttls", is_idle=lambda: _is_idle(folder / "queue"))


def _configure(folder: Path, *, port: int, sink: int, auth_socket: str) -> None:
    settings = {
        "folder": folder,
        "host": HOST,
        "port": port,
        "sink": sink,
        "size_limit": SIZE_LIMIT,
        "auth_socket": auth_socket,
    }
    (folder / "main.cf").write_text(_MAIN.format(**settings))
    (folder / "master.cf").write_text(_MASTER.format(**settings))
    for name, table in _TABLES.items():
        (folder / f"refused_{name}").write_text(table + "\n")
    (folder / "queue").mkdir()
    _said("postfix", folder, "check")  # makes all other folders, and complains of those that it made


def _said(program: str, folder: Path, *arguments: str) -> str:
    """What one of Postfix's commands writes to standard output."""
    path = found(program)
    assert path is not None
    command = [path, "-c", str(folder), *arguments]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)  # noqa: S603  (a program of the package)
    return done.stdout.strip()


def _is_idle(queue: Path) -> bool:
    return not any(files for name in _QUEUES for _, _, files in os.walk(queue / name))
