"""The remedies: what relays, identity providers and the network answer, and what to do about it."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

from tocsin.model.condition import Circumstances, Condition, Service, StatusRange
from tocsin.model.remedy import FailureClass, Row, decide, match_order
from tocsin.model.reply import Phase

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tocsin.model.remedy import Verdict
    from tocsin.model.reply import Reply


class Remedies:
    """The verdict on every failure. The table is read at the first one: a healthy start never pays for it."""

    def verdict(
        self,
        reply: Reply,
        *,
        auth_type: str,
        port: int | None = None,
        host: str | None = None,
        grant: str | None = None,
        service: Service = Service.SMTP,
        token_is_fresh: bool = True,
    ) -> Verdict:
        """What `reply` means for an account that logs in by `auth_type`; `Circumstances` explains the rest."""
        circumstances = Circumstances(
            service=service, auth_type=auth_type, grant=grant, port=port, host=host, token_is_fresh=token_is_fresh
        )
        return decide(reply, _rows(), circumstances)

    def text(self, remedy_id: str) -> str | None:
        """What the row with this id says; None where there is none, or no longer."""
        return next((row.remedy for row in _rows() if row.id == remedy_id), None)


@cache
def _rows() -> tuple[Row, ...]:
    table = document()
    return match_order(_rows_of(table["rows"]), _rows_of(table["defaults"]))


def document() -> dict[str, Any]:
    """The file as it stands."""
    import tomllib  # noqa: PLC0415  tens of milliseconds that only a failure needs
    from importlib.resources import files  # noqa: PLC0415  as above

    return tomllib.loads(files("tocsin.data").joinpath("remedies.toml").read_text("utf-8"))


def _rows_of(entries: list[dict[str, Any]]) -> Iterator[Row]:
    """One row for each way in which an entry's failure shows itself."""
    for entry in entries:
        for when in entry["when"]:
            yield _row(entry, _condition(when))


def _row(entry: Mapping[str, Any], condition: Condition) -> Row:
    return Row(
        id=entry["id"],
        service=Service(entry["service"]) if "service" in entry else None,
        condition=condition,
        failure_class=FailureClass(entry["class"]),
        remedy=entry["remedy"],
        wait_seconds=entry.get("wait_seconds"),
        refresh_first=entry.get("refresh_first", False),
    )


def _condition(when: Mapping[str, Any]) -> Condition:
    return Condition(
        phases=frozenset(Phase(phase) for phase in when.get("phases", ())),
        codes=frozenset(when.get("codes", ())),
        enhanced=tuple(StatusRange.parse(status) for status in when.get("enhanced", ())),
        pattern=when.get("pattern"),
        auth=frozenset(when.get("auth", ())),
        grants=frozenset(when.get("grants", ())),
        ports=frozenset(when.get("ports", ())),
        hosts=frozenset(when.get("hosts", ())),
        challenge=frozenset(when["challenge"]) if "challenge" in when else None,
    )
