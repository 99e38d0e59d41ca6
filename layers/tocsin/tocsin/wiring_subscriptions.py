"""Where leaving a status page's list meets adapters; apart from `wiring`, as `wiring_api`."""

from __future__ import annotations

from functools import cache

from tocsin.actions.unsubscribe import Unsubscribe
from tocsin.adapters.unsubscriptions import Unsubscriptions
from tocsin.wiring import busy_services_are_transient, client, config, link_keys, now

__all__ = ["busy_services_are_transient", "unsubscribe"]


@cache
def unsubscribe() -> Unsubscribe:
    """The actions behind the links to unsubscribe."""
    return Unsubscribe(
        keys=link_keys(),
        unsubscriptions=Unsubscriptions(client("dynamodb"), config().suppressions_table),
        clock=now,
    )
