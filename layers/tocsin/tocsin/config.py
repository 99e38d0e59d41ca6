"""What the deployment tells a function, read once from the environment by `wiring`."""

from __future__ import annotations

import os
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Self

from tocsin.errors import MisconfiguredError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The environment of a function: each field is the variable of the same name in upper case.

    All functions are told the same; what each may do with it, its role says. `secret_prefix` is `tocsin/<stage>`;
    `link_keys_secret` names the secret whose versions sign our own links;
    `allowed_private_hosts` is a comma-separated list of `host:port`; `public_base_url` is where our own URLs begin,
    without a slash at its end; `oidc_projects_claim` names the claim that holds an admin's permissions.
    """

    settings_table: str
    deliveries_table: str
    suppressions_table: str
    ephemeral_table: str
    payload_bucket: str
    notification_queue_arn: str
    bulk_queue_arn: str
    bulk_queue_url: str
    notification_queue_url: str
    dead_letter_queue_url: str
    event_bus_name: str
    secret_prefix: str
    secret_key_arn: str
    link_keys_secret: str
    secret_writes_per_second: str
    allowed_private_hosts: str
    public_base_url: str
    oidc_projects_claim: str
    retention_days: str
    function_timeout_seconds: str

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read every field.

        Raises:
            MisconfiguredError: a variable is missing; the message names all that are.
        """
        names = {field.name: field.name.upper() for field in fields(cls)}
        missing = [variable for variable in names.values() if variable not in environment]
        if missing:
            raise MisconfiguredError(f"environment variables are missing: {', '.join(missing)}")
        return cls(**{name: environment[variable] for name, variable in names.items()})
