"""What an account without OAuth2 never pays for."""

from __future__ import annotations

import subprocess
import sys

_SCRIPT = """
import sys
import tocsin.adapters.identity_providers, tocsin.data.identity_providers
from tocsin.adapters.egress import Egress
from tocsin.data.remedies import Remedies
tocsin.adapters.identity_providers.IdentityProviders(Egress(), Remedies())
print(*sorted({name.partition(".")[0] for name in sys.modules} & set(sys.argv[1:])))
"""
_HEAVY = ("msal", "google", "requests", "urllib3", "cryptography", "jwt", "tomllib")


def test_the_adapter_stands_ready_without_loading_what_only_oauth2_needs() -> None:
    done = subprocess.run(  # noqa: S603  our own interpreter
        [sys.executable, "-c", _SCRIPT, *_HEAVY], capture_output=True, text=True, check=True
    )

    assert done.stdout == "\n"
