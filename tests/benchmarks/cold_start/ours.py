"""`deliver` in a cold start: its handler, all that an invocation makes before its first record, and its AWS clients."""

from types import SimpleNamespace

import functions.deliver.app  # first of all that is ours, as in Lambda

from tocsin import wiring  # isort: skip

CONTEXT = SimpleNamespace(
    function_name="deliver",
    memory_limit_in_mb=512,
    invoked_function_arn="arn:aws:lambda:eu-west-1:000000000000:function:deliver",
    aws_request_id="00000000-0000-4000-8000-000000000000",
    get_remaining_time_in_millis=lambda: 60_000,
)

functions.deliver.app.lambda_handler({"Records": []}, CONTEXT)
for service in ("dynamodb", "secretsmanager", "events"):  # `aws_calls` checks that a first event calls no other
    wiring.client(service)
