"""A scripted identity provider over real sockets, which does as it is told at each step.

with IdentityProvider(script={"token": [Say(503, headers={"Retry-After": "7"})]}) as provider:
    ...  # ask for tokens at provider.token_url
assert provider.requests("token")
"""

from tests.identity_provider.actions import Close, Drip, Flood, Hang, Say
from tests.identity_provider.detour import Detour
from tests.identity_provider.keys import application_certificate, service_account
from tests.identity_provider.provider import CLIENT_ID, CLIENT_SECRET, USER, IdentityProvider

__all__ = [
    "CLIENT_ID",
    "CLIENT_SECRET",
    "USER",
    "Close",
    "Detour",
    "Drip",
    "Flood",
    "Hang",
    "IdentityProvider",
    "Say",
    "application_certificate",
    "service_account",
]
