"""Deliveries over HTTP: what became of which mail, why it did not arrive, and sending it again."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body, Query
from tocsin import wiring_deliveries
from tocsin.model.delivery import State
from tocsin.model.delivery_search import Position, Search, is_place
from tocsin.model.delivery_view import DeliveryPage, DeliveryView
from tocsin.model.moments import WrittenTime
from tocsin.model.redrive_request import RedriveRequest, RedriveView
from tocsin.model.written import AsJson

from functions.settings.answers import answer
from functions.settings.cursors import cursor_for, position_at
from functions.settings.idempotency import once
from functions.settings.parameters import Cursor, Limit
from functions.settings.requests import caller_of

logger = Logger(service="settings", child=True)
routes = Router()

_TAGS = ["deliveries"]
_ALL = "/projects/<project_id>/deliveries"

States = Annotated[tuple[State, ...], Query(max_length=len(State), description="One of these states; none: any.")]
Recipient = Annotated[str | None, Query(min_length=1, max_length=1000, description="The address it went to.")]
Correlation = Annotated[
    str | None, Query(min_length=1, max_length=1500, description="What it is about, such as `incident/1042`.")
]
MailAccount = Annotated[
    str | None,
    Query(pattern=r"^(?:[0-9A-HJKMNP-TV-Z]{26}|none)$", description="The mail account; `none`: it had none."),
]
Type = Annotated[
    str | None,
    Query(pattern=r"^[a-z_]{1,64}(?:\.[a-z_]{1,64})?$", description="The event type, or what stands before its dot."),
]
Since = Annotated[WrittenTime | None, Query(alias="from", description="It was first tried then, or later.")]
Until = Annotated[WrittenTime | None, Query(alias="to", description="It was first tried before.")]


@routes.get(
    _ALL,
    summary="List deliveries, newest first",
    description="A page may hold less than `limit`, or nothing: the list goes on as long as there is a `cursor`.",
    tags=_TAGS,
)
def list_deliveries(  # noqa: PLR0913  (the filters that there are)
    project_id: str,
    *,
    state: States = (),
    recipient: Recipient = None,
    correlation: Correlation = None,
    mail_account_id: MailAccount = None,
    type: Type = None,  # noqa: A002  (the field's name)
    since: Since = None,
    until: Until = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Response[DeliveryPage]:
    """Show a page of the deliveries that are looked for."""
    times = [moment and moment.isoformat() for moment in (since, until)]
    which = ["deliveries", project_id, sorted(state), recipient, correlation, mail_account_id, type, *times]
    search = Search.within(
        wiring_deliveries.retention(),
        wiring_deliveries.now(),
        since=since,
        until=until,
        states=frozenset(state),
        recipient=recipient,
        correlation=correlation,
        mail_account_id=mail_account_id,
        type=type,
    )
    items, behind = wiring_deliveries.read_deliveries().page(
        caller_of(routes), project_id, search, behind=_behind(project_id, cursor, which), size=limit
    )
    return answer(DeliveryPage(items=tuple(items), cursor=_cursor(behind, which)))


@routes.get(f"{_ALL}/<delivery_id>", summary="Read one delivery's whole story", tags=_TAGS)
def read_delivery(project_id: str, delivery_id: str) -> Response[DeliveryView]:
    """Show one delivery."""
    return answer(wiring_deliveries.read_deliveries().read(caller_of(routes), project_id, delivery_id))


@routes.post(
    f"{_ALL}/redrive",
    summary="Send deliveries again",
    description="At most 500 at a time: as long as there is a `cursor`, the same request with it goes on.",
    tags=_TAGS,
    middlewares=[once],
)
def redrive(project_id: str, wanted: Annotated[RedriveRequest, AsJson(), Body()]) -> Response[RedriveView]:
    """Let deliveries go that wait for an admin, or were given up."""
    caller, action = caller_of(routes), wiring_deliveries.redrive_deliveries()
    states = frozenset(State(state) for state in wanted.states)
    which = ["redrive", project_id, wanted.model_dump(mode="json", exclude={"cursor", "states"}), sorted(states)]
    if wanted.delivery_ids is not None:
        done = action.named(caller, project_id, wanted.delivery_ids, states)
    else:
        behind = _behind(project_id, wanted.cursor, which)
        done = action.found(caller, project_id, _search(wanted, states), behind=behind)
    logger.info("deliveries_redriven", project_id=project_id, redriven=done.redriven, admin=caller.id)
    return answer(RedriveView(redriven=done.redriven, looked_at=done.looked_at, cursor=_cursor(done.behind, which)))


def _search(wanted: RedriveRequest, states: frozenset[State]) -> Search:
    return Search.within(
        wiring_deliveries.retention(),
        wiring_deliveries.now(),
        since=wanted.since,
        until=wanted.until,
        states=states,
        recipient=wanted.recipient,
        correlation=wanted.correlation,
        mail_account_id=wanted.mail_account_id,
        type=wanted.type,
    )


def _behind(project_id: str, cursor: str | None, which: object) -> Position | None:
    place = position_at(cursor, of=which, parts={"place": is_place})
    return Position.of(project_id, place["place"]) if place is not None else None


def _cursor(behind: Position | None, which: object) -> str | None:
    return cursor_for({"place": behind.text}, of=which) if behind is not None else None
