"""Deliver one mail by password with the real handler, and tell which of the modules named as arguments that loaded.

For a fresh process: `python -m tests.functional.password_delivery msal requests`. moto itself needs `requests`, and
these tests need parts of Tocsin, so both are forgotten before the function is loaded as in a cold start.
"""

from __future__ import annotations

import json
import os
import sys

from moto import mock_aws

from tests.functional.conftest import Context
from tests.functional.deliver.stack import LOGIN, Acme, Stack
from tests.relay import Relay

_AWS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_DEFAULT_REGION": "us-east-1",
    "POWERTOOLS_METRICS_NAMESPACE": "Tocsin",
}


def main(watched: list[str]) -> None:
    """Deliver, and write one line of JSON behind what the function logs."""
    os.environ.update(_AWS)
    with mock_aws(), Relay(**LOGIN) as relay:
        stack = Stack()
        os.environ.update(stack.environment | {"ALLOWED_PRIVATE_HOSTS": f"127.0.0.1:{relay.port}"})
        acme = Acme()
        acme.save(relay)
        for name in _loaded([*watched, "tocsin"]):
            del sys.modules[name]
        _deliver(stack, acme)
        loaded = _loaded(watched)
    print(json.dumps({"mails": len(relay.mails), "loaded": loaded}))  # noqa: T201  (the answer)


def _deliver(stack: Stack, acme: Acme) -> None:
    from functions.deliver.app import lambda_handler  # noqa: PLC0415  (what it loads is what is asked)

    record = {
        "messageId": "message-0",
        "receiptHandle": "handle-0",
        "body": json.dumps(acme.event("ana@example.org")),
        "attributes": {"ApproximateReceiveCount": "1"},
        "eventSourceARN": stack.arn("NotificationQueue"),
    }
    lambda_handler({"Records": [record]}, Context())


def _loaded(watched: list[str]) -> list[str]:
    return [name for name in sorted(sys.modules) if any(f"{name}.".startswith(f"{one}.") for one in watched)]


if __name__ == "__main__":
    main(sys.argv[1:])
