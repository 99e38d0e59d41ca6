"""A scripted SMTP relay over real sockets, which does as it is told at each step.

with Relay(script={"rcpt ana@example.org": Say("550 5.1.1 no such user")}) as relay:
    ...  # submit to relay.host, relay.port
assert relay.mails == []
"""

from tests.relay.actions import Action, Close, Flood, Hang, Say, Script, Trickle
from tests.relay.authority import Authority, Certificate, authority
from tests.relay.record import ReceivedMail
from tests.relay.relay import Relay

__all__ = [
    "Action",
    "Authority",
    "Certificate",
    "Close",
    "Flood",
    "Hang",
    "ReceivedMail",
    "Relay",
    "Say",
    "Script",
    "Trickle",
    "authority",
]
