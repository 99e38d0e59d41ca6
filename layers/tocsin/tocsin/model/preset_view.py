"""A preset as the API shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tocsin.model.preset import AVAILABLE_TRANSPORTS

if TYPE_CHECKING:
    from tocsin.model.preset import Preset

_FIELDS = (
    "transport",
    "relay.host",
    "relay.port",
    "relay.security",
    "auth.type",
    "auth.username",
    "senders",
    "limits",
)
_OF_AUTH = {"identity_provider", "grants", "tenant_id", "username", "username_is", "password_is"}
_AS_IT_IS = {"id", "aliases", "name", "placeholders", "limits", "notes", "guides", "unverified"}


def view(preset: Preset) -> dict[str, Any]:
    """The preset as JSON has it: what an admin may choose, and which fields are locked to those choices."""
    fields = preset.model_dump(mode="json", include=_AS_IT_IS)
    return fields | {
        "verified": not preset.unverified,
        "transports": [{"name": name, "available": name in AVAILABLE_TRANSPORTS} for name in preset.transports],
        "relay": _relay(preset),
        "auth": {"types": list(preset.auth_types)} | preset.model_dump(mode="json", include=_OF_AUTH),
        "locked": [field for field in _FIELDS if field in preset.locked],
        "free": [field for field in _FIELDS if field not in preset.locked],
    }


def _relay(preset: Preset) -> dict[str, Any]:
    return {
        "host": preset.host,
        "port": preset.port,
        "security": preset.security.value,
        "other_hosts": list(preset.other_hosts),
        "other_ports": [{"port": port, "security": security.value} for port, security in preset.ports[1:]],
    }
