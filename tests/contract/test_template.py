"""`template.yaml` keeps its promises to the code, to the design and to itself."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import fields

import pytest
from tocsin.config import Config

from tests.contract.template import (
    PARAMETERS,
    RESOURCES,
    ROOT,
    TEMPLATE,
    TEXT,
    Json,
    environment,
    functions,
    properties,
    resources,
    value,
)

STATEFUL = (
    "AWS::Cognito::UserPool",
    "AWS::DynamoDB::Table",
    "AWS::KMS::Key",
    "AWS::Logs::LogGroup",
    "AWS::S3::Bucket",
    "AWS::SecretsManager::Secret",
    "AWS::SQS::Queue",
)
FUNCTIONS = functions()
OF_LIBRARIES = ("POWERTOOLS_", "PYDANTIC_", "PYTHON")
POLLERS = [
    (name, event["Properties"])
    for name, function in FUNCTIONS.items()
    for event in function.get("Events", {}).values()
    if event["Type"] == "SQS"
]
POLLED = [poller["Queue"]["Fn::GetAtt"][0] for _, poller in POLLERS]
QUEUES_WITH_WORK = ("NotificationQueue", "BulkQueue")
FOURTEEN_DAYS = 14 * 24 * 60 * 60
ROW = {
    "ProjectionType": "INCLUDE",
    "NonKeyAttributes": ["state", "recipient", "mail_account_id", "attempt", "updated_at", "type"],
}
HELD = {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["state", "attempt", "message_id", "held"]}
KEYS_ONLY = {"ProjectionType": "KEYS_ONLY"}


# --- Functions ---


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_handler_is_found_under_its_name_in_the_template(name: str) -> None:
    module, _, handler = FUNCTIONS[name]["Handler"].rpartition(".")
    variables = dict.fromkeys(environment(FUNCTIONS[name]), "1") | {"AWS_DEFAULT_REGION": "eu-west-1"}

    # In a process of its own: what a function keeps while warm shall not reach another test.
    subprocess.run(  # noqa: S603  (our own interpreter and our own template)
        [sys.executable, "-c", f"from {module} import {handler}; assert callable({handler})"],
        check=True,
        cwd=ROOT,
        env=variables,
    )


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_artifact_keeps_the_folder_that_the_handler_names(name: str) -> None:
    folder = FUNCTIONS[name]["CodeUri"].rstrip("/")

    assert FUNCTIONS[name]["Handler"] == f"{folder.replace('/', '.')}.app.lambda_handler"
    assert RESOURCES[name]["Metadata"]["BuildProperties"] == {"ParentPackageMode": "auto"}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_environment_is_the_configuration_and_nothing_else(name: str) -> None:
    variables = {variable for variable in environment(FUNCTIONS[name]) if not variable.startswith(OF_LIBRARIES)}

    assert variables == {field.name.upper() for field in fields(Config)}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_told_its_own_timeout(name: str) -> None:
    told, timeout = environment(FUNCTIONS[name])["FUNCTION_TIMEOUT_SECONDS"], FUNCTIONS[name]["Timeout"]

    assert told in (timeout, str(timeout))  # a variable's value is text, unless it is a reference


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_logs_json_to_a_group_that_forgets(name: str) -> None:
    logging = FUNCTIONS[name]["LoggingConfig"]

    assert logging["LogFormat"] == "JSON"
    assert properties(logging["LogGroup"]["Ref"])["RetentionInDays"] <= value(PARAMETERS["RetentionDays"]["Default"])


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_traced_and_has_both_layers(name: str) -> None:
    assert FUNCTIONS[name]["Runtime"] == "python3.13"
    assert FUNCTIONS[name]["Tracing"] == "Active"
    assert FUNCTIONS[name]["Layers"] == [{"Ref": "DependenciesLayer"}, {"Ref": "TocsinLayer"}]


def test_one_parameter_decides_for_which_machine_everything_is_built() -> None:
    architecture = {"Ref": "Architecture"}

    assert value(architecture) == "arm64"
    assert all(function["Architectures"] == [architecture] for function in FUNCTIONS.values())
    for layer in resources("AWS::Serverless::LayerVersion").values():
        assert layer["Properties"]["CompatibleArchitectures"] == [architecture]
        assert layer["Metadata"] == {"BuildMethod": "python3.13", "BuildArchitecture": architecture}


# --- Queues ---


@pytest.mark.parametrize(("function", "poller"), POLLERS, ids=POLLED)
def test_a_message_stays_hidden_for_six_timeouts_and_the_batching_window(function: str, poller: Json) -> None:
    visibility = value(properties(poller["Queue"]["Fn::GetAtt"][0])["VisibilityTimeout"])
    timeout, window = value(FUNCTIONS[function]["Timeout"]), poller.get("MaximumBatchingWindowInSeconds", 0)

    assert isinstance(visibility, int)
    assert isinstance(timeout, int)
    assert visibility >= 6 * timeout + window


@pytest.mark.parametrize(("function", "poller"), POLLERS, ids=POLLED)
def test_a_batch_fails_record_by_record_and_never_floods_the_account(function: str, poller: Json) -> None:
    assert function == "DeliverFunction"
    assert poller["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert 2 <= int(str(value(poller["ScalingConfig"]["MaximumConcurrency"]))) <= 1000
    # SQS takes more than ten only with a window, which would hold up a page to an engineer.
    assert poller["BatchSize"] <= 10
    assert "MaximumBatchingWindowInSeconds" not in poller


def test_both_queues_are_polled() -> None:
    assert sorted(POLLED) == sorted(QUEUES_WITH_WORK)


@pytest.mark.parametrize("queue", QUEUES_WITH_WORK)
def test_poison_goes_to_the_dead_letter_queue_after_ten_receives(queue: str) -> None:
    assert properties(queue)["RedrivePolicy"] == {
        "deadLetterTargetArn": {"Fn::GetAtt": ["DeadLetterQueue", "Arn"]},
        "maxReceiveCount": 10,
    }


@pytest.mark.parametrize("queue", resources("AWS::SQS::Queue"))
def test_a_queue_takes_the_largest_event_keeps_it_for_14_days_and_encrypts_it(queue: str) -> None:
    assert properties(queue)["MaximumMessageSize"] == 1_048_576
    assert properties(queue)["MessageRetentionPeriod"] == FOURTEEN_DAYS
    assert properties(queue)["KmsMasterKeyId"] == {"Fn::GetAtt": ["Key", "Arn"]}


def test_the_journal_outlives_every_redelivery() -> None:
    assert PARAMETERS["RetentionDays"]["MinValue"] * 24 * 60 * 60 > FOURTEEN_DAYS


# --- Stores ---


@pytest.mark.parametrize("name", resources(*STATEFUL))
def test_what_is_stored_outlives_the_stack(name: str) -> None:
    assert RESOURCES[name]["DeletionPolicy"] == "Retain"
    assert RESOURCES[name]["UpdateReplacePolicy"] == "Retain"


@pytest.mark.parametrize("table", resources("AWS::DynamoDB::Table"))
def test_a_table_is_on_demand_encrypted_recoverable_and_forgets(table: str) -> None:
    own = properties(table)

    assert own["BillingMode"] == "PAY_PER_REQUEST"
    assert own["TimeToLiveSpecification"] == {"AttributeName": "ttl", "Enabled": True}
    assert own["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert own["SSESpecification"] == {
        "SSEEnabled": True,
        "SSEType": "KMS",
        "KMSMasterKeyId": {"Fn::GetAtt": ["Key", "Arn"]},
    }


@pytest.mark.parametrize(
    ("table", "keys", "indexes"),
    [
        ("SettingsTable", "project_id:S sk:S", {"due": ("due_shard:N refresh_at:S", KEYS_ONLY)}),
        (
            "DeliveriesTable",
            "pk:S sk:S",
            {
                "due": ("due_shard:N retry_at:S", KEYS_ONLY),
                "parked": ("parked_account:S created_at:S", KEYS_ONLY),
                "held": ("held_for:S held_at:S", HELD),
                "by_hour": ("project_hour:S created_at:S", ROW),
                "by_recipient": ("project_recipient:S created_at:S", ROW),
                "by_correlation": ("project_correlation:S created_at:S", ROW),
            },
        ),
        ("SuppressionsTable", "project_id:S address:S", {}),
        ("EphemeralTable", "pk:S", {}),
    ],
    ids=lambda said: said if isinstance(said, str) and said.endswith("Table") else "",
)
def test_a_table_has_the_keys_and_indexes_of_the_design(table: str, keys: str, indexes: Json) -> None:
    own = properties(table)
    types = {attribute["AttributeName"]: attribute["AttributeType"] for attribute in own["AttributeDefinitions"]}

    def shown(schema: list[Json]) -> str:
        assert [key["KeyType"] for key in schema] == ["HASH", "RANGE"][: len(schema)]
        return " ".join(f"{key['AttributeName']}:{types[key['AttributeName']]}" for key in schema)

    assert shown(own["KeySchema"]) == keys
    assert {
        index["IndexName"]: (shown(index["KeySchema"]), index["Projection"])
        for index in own.get("GlobalSecondaryIndexes", [])
    } == indexes


def test_payloads_are_private_versioned_encrypted_and_gone_after_30_days() -> None:
    bucket = properties("PayloadBucket")
    rules = bucket["LifecycleConfiguration"]["Rules"]
    default = bucket["BucketEncryption"]["ServerSideEncryptionConfiguration"][0]["ServerSideEncryptionByDefault"]

    assert set(bucket["PublicAccessBlockConfiguration"].values()) == {True}
    assert bucket["VersioningConfiguration"] == {"Status": "Enabled"}
    assert default == {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": {"Fn::GetAtt": ["Key", "Arn"]}}
    assert rules[0]["ExpirationInDays"] == rules[0]["NoncurrentVersionExpiration"]["NoncurrentDays"] == 30


# --- Schedules ---


def test_grants_deliveries_and_failures_are_looked_after_by_schedules() -> None:
    function = FUNCTIONS["RefreshFunction"]
    schedules = {name: event["Properties"] for name, event in function["Events"].items() if event["Type"] == "Schedule"}

    assert {name: (one["Schedule"], json.loads(one.get("Input", "{}"))) for name, one in schedules.items()} == {
        "Every5Minutes": ("rate(5 minutes)", {}),
        "EveryMinute": ("rate(1 minute)", {"task": "sweep"}),
        "EveryHour": ("rate(1 hour)", {"task": "summarise"}),
    }
    assert function["EventInvokeConfig"] == {"MaximumRetryAttempts": 0}
    assert PARAMETERS["RefreshTimeout"]["MaxValue"] <= 5 * 60
    assert PARAMETERS["SecretWritesPerSecond"]["Default"] == 40


# --- Alarms, outputs, the file itself ---


def test_operators_hear_of_dead_letters_failing_functions_waiting_queues_and_admins_who_cannot_be_told() -> None:
    watched = {
        (alarm["Properties"]["MetricName"], *_referenced(alarm["Properties"]["Dimensions"][0]["Value"]))
        for alarm in resources("AWS::CloudWatch::Alarm").values()
    }

    assert watched == {
        ("ApproximateNumberOfMessagesVisible", "DeadLetterQueue"),
        *(("ApproximateAgeOfOldestMessage", queue) for queue in QUEUES_WITH_WORK),
        *(("Errors", function) for function in FUNCTIONS),
        ("WithoutLastResort", "deliver"),
        ("RequestsFailed", "authorize"),
    }


def _referenced(said: str | Json) -> list[str]:
    if isinstance(said, str):
        return [said]
    return [said["Ref"]] if "Ref" in said else said["Fn::GetAtt"][:1]


def test_the_outputs_are_those_of_the_design_as_far_as_built() -> None:
    always = {
        "NotificationQueueUrl",
        "NotificationQueueArn",
        "DeadLetterQueueUrl",
        "PayloadBucketName",
        "EventBusName",
        "PublisherPolicyArn",
    }
    of_the_api = {"ApiUrl", "OAuthRedirectUri"}

    assert set(TEMPLATE["Outputs"]) == always | of_the_api


def test_no_parameter_takes_a_secret() -> None:
    assert not [name for name, parameter in PARAMETERS.items() if "NoEcho" in parameter]
    words = ("secret", "password", "token")
    assert {name for name in PARAMETERS if any(word in name.lower() for word in words)} == {"SecretWritesPerSecond"}


def test_there_are_no_nested_stacks_and_no_http_api_events() -> None:
    assert not resources("AWS::CloudFormation::Stack", "AWS::Serverless::Application", "AWS::Serverless::HttpApi")
    events = [event for function in FUNCTIONS.values() for event in function.get("Events", {}).values()]
    assert not [event for event in events if event["Type"] in {"Api", "HttpApi"}]


def test_every_lint_suppression_says_why() -> None:
    suppressions = re.findall(r"^ *- [A-Z]{1,2}\d{4}\b(.*)", TEXT, re.MULTILINE)

    assert len(suppressions) >= TEXT.count("ignore_checks:")
    assert all(reason.startswith(" # ") for reason in suppressions)
