"""The adapter takes out only what it is allowed to, and says what."""

from __future__ import annotations

import pytest

from local.deploy.batch_actions import with_batch_actions
from local.deploy.localise import UnknownToEngine, localised
from local.deploy.numbers import with_numbers

pytestmark = pytest.mark.local


@pytest.mark.parametrize(
    ("resource", "named"),
    [
        ({"Type": "AWS::Budgets::Budget"}, r"Thing \(AWS::Budgets::Budget\)"),
        ({"Type": "AWS::SQS::Queue", "Properties": {"FifoQueue": True}}, r"Thing\.FifoQueue \(AWS::SQS::Queue\)"),
        ({"Type": "AWS::SQS::Queue", "UpdatePolicy": {}}, r"Thing\.UpdatePolicy \(AWS::SQS::Queue\)"),
    ],
    ids=["type", "property", "attribute"],
)
def test_what_nobody_decided_about_stops_the_deployment(resource: dict[str, object], named: str) -> None:
    with pytest.raises(UnknownToEngine, match=named):
        localised({"Resources": {"Thing": resource}})


def test_what_is_listed_is_taken_out_with_its_reason() -> None:
    template = {
        "Resources": {
            "Alarm": {"Type": "AWS::CloudWatch::Alarm"},
            "Table": {"Type": "AWS::DynamoDB::Table", "Properties": {"KeySchema": [], "SSESpecification": {}}},
        }
    }

    local, drops = localised(template)

    assert local["Resources"] == {"Table": {"Type": "AWS::DynamoDB::Table", "Properties": {"KeySchema": []}}}
    assert [drop.what for drop in drops] == ["Alarm", "Table.SSESpecification"]
    assert all(drop.reason for drop in drops)
    assert "Alarm" in template["Resources"]


@pytest.mark.parametrize(("parameters", "number"), [({}, 20), ({"Concurrency": "3"}, 3)], ids=["default", "given"])
def test_a_number_parameter_reaches_the_poller_as_a_number(parameters: dict[str, str], number: int) -> None:
    mapping = {"Properties": {"ScalingConfig": {"MaximumConcurrency": {"Ref": "Concurrency"}}}}
    template = {"Parameters": {"Concurrency": {"Default": 20}}, "Resources": {"Mapping": mapping}}

    numbered = with_numbers(template, parameters)

    assert numbered["Resources"]["Mapping"]["Properties"]["ScalingConfig"]["MaximumConcurrency"] == number


@pytest.mark.parametrize(
    ("statement", "actions"),
    [
        ({"Effect": "Allow", "Action": "sqs:SendMessage"}, ["sqs:SendMessage", "sqs:SendMessageBatch"]),
        ({"Effect": "Allow", "Action": ["sqs:DeleteMessage"]}, ["sqs:DeleteMessage"]),
        ({"Effect": "Deny", "Action": "sqs:SendMessage"}, "sqs:SendMessage"),
    ],
    ids=["send", "other", "deny"],
)
def test_who_may_send_a_message_may_send_a_batch(statement: dict[str, object], actions: object) -> None:
    policy = {"PolicyDocument": {"Statement": [statement]}}
    template = {"Resources": {"Role": {"Type": "AWS::IAM::Role", "Properties": {"Policies": [policy]}}}}

    [allowed] = with_batch_actions(template)["Resources"]["Role"]["Properties"]["Policies"][0]["PolicyDocument"][
        "Statement"
    ]

    assert allowed["Action"] == actions
    assert "sqs:SendMessageBatch" not in str(template)
