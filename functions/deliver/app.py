"""SQS -> deliver: each record of a batch is one notification, or one stored chunk of one."""

from __future__ import annotations

import gc

gc.disable()  # what is loaded now is kept for good: searching it for garbage would take a tenth of a cold start

import time
import traceback
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from tocsin import wiring
from tocsin.actions.delivery_run import Outcome, TimeLeft
from tocsin.errors import TooLate, TransientError

from functions.deliver.side_by_side import Worked, work_side_by_side

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext
    from tocsin.actions.receive import Receive

gc.freeze()
gc.enable()

logger = Logger(service="deliver")
metrics = Metrics(namespace="Tocsin", service="deliver")

type Record = dict[str, Any]

_ANSWER_SECONDS = 2.0
"""What is kept of the function's time: a second at most for closing sessions, and one for the answer."""

_MANY_RECEIVES = 5
_SENT_AGAIN_AFTER_SECONDS = 60


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Deliver the records of one batch side by side, and name those that SQS must give out again."""
    receive = wiring.receive(_not_told, _no_way_out)  # made once, before there are threads
    time_left = TimeLeft(
        seconds=lambda: context.get_remaining_time_in_millis() / 1000,
        monotonic=time.monotonic,
        function_timeout=float(wiring.config().function_timeout_seconds),
    )
    done = work_side_by_side(
        event["Records"],
        lambda record: _deliver(record, receive, time_left),
        seconds=time_left.seconds() - _ANSWER_SECONDS,
    )
    metrics.add_metric("RecordsReceived", MetricUnit.Count, len(done))
    for worked in done:
        _report(worked)
    wiring.sessions().close()
    return {"batchItemFailures": [{"itemIdentifier": w.record["messageId"]} for w in done if w.outcome is None]}


@wiring.busy_services_are_transient()
def _deliver(record: Record, receive: Receive, time_left: TimeLeft) -> Outcome:
    """Deliver what one record holds; a record that was not begun is given back at once."""
    receives = int(record["attributes"]["ApproximateReceiveCount"])
    try:
        return _received(record, receive, time_left, seen_before=receives > 1)
    except TransientError as error:
        if receives >= _MANY_RECEIVES:
            return _send_again(record, error)
        if isinstance(error, TooLate):
            wiring.give_back(record["eventSourceARN"], record["receiptHandle"])
        raise


@wiring.busy_services_are_transient()
def _received(record: Record, receive: Receive, time_left: TimeLeft, *, seen_before: bool) -> Outcome:
    if record["eventSourceARN"] == wiring.config().bulk_queue_arn:
        return receive.chunk(record["body"], time_left=time_left)
    return receive.notification(record["body"], seen_before=seen_before, time_left=time_left)


def _send_again(record: Record, error: TransientError) -> Outcome:
    """Put the message on its queue anew: waiting must not use up the receives that are there for crashes."""
    group = record["attributes"].get("MessageGroupId")
    wiring.send_again(record["eventSourceARN"], record["body"], group=group, after_seconds=_SENT_AGAIN_AFTER_SECONDS)
    return Outcome(sent_again=type(error).__name__)


def _report(worked: Worked[Record, Outcome]) -> None:
    sqs_message_id = worked.record["messageId"]
    match worked:
        case Worked(outcome=Outcome(rejected=str(reason))):
            logger.warning("notification_rejected", sqs_message_id=sqs_message_id, reason=reason)
            metrics.add_metric("NotificationsRejected", MetricUnit.Count, 1)
        case Worked(outcome=Outcome(sent_again=str(error))):
            logger.warning("record_sent_again", sqs_message_id=sqs_message_id, error=error)
        case Worked(outcome=Outcome() as outcome):
            states = {state.value: count for state, count in outcome.states.items()}
            extra = {"sqs_message_id": sqs_message_id, "states": states, "chunks": outcome.chunks, **outcome.ids}
            logger.info("chunk_delivered", extra=extra)
            if outcome.without_last_resort:
                logger.error("system_route_without_last_resort", extra=outcome.ids)
                metrics.add_metric("WithoutLastResort", MetricUnit.Count, 1)
            if (broken := outcome.broken_template) is not None:
                logger.warning("custom_template_failed", part=broken.part, line=broken.line, extra=outcome.ids)
                metrics.add_metric("CustomTemplateFailed", MetricUnit.Count, 1)
            for state, count in states.items():
                metrics.add_metric(f"Deliveries{state.title()}", MetricUnit.Count, count)
        case Worked(error=None):
            logger.warning("record_out_of_time", sqs_message_id=sqs_message_id)
        case Worked(error=TransientError() as error):
            logger.warning("record_given_back", sqs_message_id=sqs_message_id, error=type(error).__name__)
        case Worked(error=BaseException() as error):
            logger.error(
                "record_failed", sqs_message_id=sqs_message_id, error=type(error).__name__, where=_where(error)
            )
            metrics.add_metric("RecordsFailed", MetricUnit.Count, 1)


def _where(error: BaseException) -> list[str]:
    """The places the error passed; its text may hold what no log may."""
    frames = traceback.extract_tb(error.__traceback__)
    return [f"{frame.filename.rpartition('/')[2]}:{frame.lineno} {frame.name}" for frame in frames[-8:]]


def _not_told(error: str, count: int) -> None:
    logger.warning("not_told", error=error, count=count)


def _no_way_out(project_id: str) -> None:
    """There is no key to sign links with, and only an operator can help."""
    logger.error("link_keys_unavailable", project_id=project_id)
