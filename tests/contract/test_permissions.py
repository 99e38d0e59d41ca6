"""Who may do what: no more than is needed, and nothing left out that the local engine would not miss."""

from __future__ import annotations

import pytest

from tests.contract.template import PARAMETERS, RESOURCES, TEMPLATE, Json, functions, listed, resources, statements

POLICIES = [
    pytest.param(policy["PolicyDocument"], id=f"{name}-{policy['PolicyName']}")
    for name, role in resources("AWS::IAM::Role").items()
    for policy in role["Properties"].get("Policies", [])
] + [
    pytest.param(resource["Properties"]["PolicyDocument"], id=name)
    for name, resource in resources(
        "AWS::IAM::ManagedPolicy", "AWS::IAM::Policy", "AWS::SQS::QueuePolicy", "AWS::S3::BucketPolicy"
    ).items()
]
KEY_POLICY = RESOURCES["Key"]["Properties"]["KeyPolicy"]
QUEUE_POLICY = RESOURCES["NotificationQueuePolicy"]["Properties"]["PolicyDocument"]

SECRETS = "arn:${AWS::Partition}:secretsmanager:${AWS::Region}:${AWS::AccountId}:secret:tocsin/${Stage}/*/*"
LINK_KEYS = SECRETS.replace("/*/*", "/link-keys-??????")  # Secrets Manager ends each ARN with six signs of its own


def _grants(policy: Json) -> dict[str, set[str]]:
    """What each resource may be asked to do; a resource goes by its logical id, or by its text."""
    grants: dict[str, set[str]] = {}
    for statement in statements(policy):
        for resource in listed(statement["Resource"]):
            grants.setdefault(_shown(resource), set()).update(listed(statement["Action"]))
    return grants


def _shown(resource: object) -> str:
    match resource:
        case {"Fn::GetAtt": [logical_id, "Arn"]}:
            return str(logical_id)
        case {"Fn::Sub": text}:
            return str(text)
    return str(resource)


@pytest.mark.parametrize("policy", POLICIES)
def test_no_policy_names_every_resource(policy: Json) -> None:
    assert not [statement for statement in statements(policy) if "*" in listed(statement["Resource"])]


@pytest.mark.parametrize("policy", POLICIES)
def test_only_a_refusal_names_every_action_of_a_service(policy: Json) -> None:
    allowed = [statement for statement in statements(policy) if statement["Effect"] == "Allow"]

    assert not [action for statement in allowed for action in listed(statement["Action"]) if "*" in action]


@pytest.mark.parametrize("function", functions())
def test_a_function_has_a_role_of_its_own(function: str) -> None:
    roles = [_shown(one["Role"]) for one in functions().values()]

    assert _shown(functions()[function]["Role"]) == function.removesuffix("Function") + "Role"
    assert len(set(roles)) == len(roles)


def _of_role(name: str) -> dict[str, set[str]]:
    return _grants(RESOURCES[name]["Properties"]["Policies"][0]["PolicyDocument"])


def test_deliver_may_do_what_it_does_and_no_more() -> None:
    poll = {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ChangeMessageVisibility"}

    assert _of_role("DeliverRole") == {
        "DeliverLogGroup": {"logs:CreateLogStream", "logs:PutLogEvents"},
        "NotificationQueue": poll | {"sqs:SendMessage"},  # admins are told of a grant that is lost
        "BulkQueue": poll | {"sqs:SendMessage"},
        "DeadLetterQueue": {"sqs:SendMessage"},
        "SettingsTable": {"dynamodb:Query", "dynamodb:GetItem", "dynamodb:BatchGetItem", "dynamodb:UpdateItem"},
        "EphemeralTable": {
            "dynamodb:BatchGetItem",
            "dynamodb:PutItem",
            "dynamodb:DeleteItem",
            "dynamodb:ConditionCheckItem",  # nobody logs in by a breaker that is not as it was read
        },
        "DeliveriesTable": {
            "dynamodb:Query",
            "dynamodb:PutItem",
            "dynamodb:BatchWriteItem",  # stores the chunks of a large event; never a state
            "dynamodb:UpdateItem",
            "dynamodb:ConditionCheckItem",
        },
        "${DeliveriesTable.Arn}/index/held": {"dynamodb:Query"},
        "SuppressionsTable": {"dynamodb:BatchGetItem"},
        "${PayloadBucket.Arn}/*": {"s3:GetObject", "s3:GetObjectVersion", "s3:PutObject"},
        "PayloadBucket": {"s3:ListBucket"},
        SECRETS: {"secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"},
        LINK_KEYS: {"secretsmanager:GetSecretValue"},
        "EventBus": {"events:PutEvents"},
        "Key": {"kms:Decrypt", "kms:GenerateDataKey"},
    }


def test_refresh_renews_grants_lets_deliveries_go_and_no_more() -> None:
    assert _of_role("RefreshRole") == {
        "RefreshLogGroup": {"logs:CreateLogStream", "logs:PutLogEvents"},
        "${SettingsTable.Arn}/index/due": {"dynamodb:Query"},
        "${DeliveriesTable.Arn}/index/due": {"dynamodb:Query"},
        "${DeliveriesTable.Arn}/index/parked": {"dynamodb:Query"},
        "${DeliveriesTable.Arn}/index/by_hour": {"dynamodb:Query"},
        "DeliveriesTable": {"dynamodb:BatchGetItem", "dynamodb:UpdateItem"},
        "SettingsTable": {"dynamodb:Query", "dynamodb:GetItem", "dynamodb:UpdateItem"},
        "EphemeralTable": {"dynamodb:PutItem", "dynamodb:DeleteItem"},
        SECRETS: {
            "secretsmanager:GetSecretValue",
            "secretsmanager:PutSecretValue",
            "secretsmanager:DeleteSecret",  # of an account that was deleted while Secrets Manager was busy
        },
        "EventBus": {"events:PutEvents"},
        "NotificationQueue": {"sqs:SendMessage"},
        "BulkQueue": {"sqs:SendMessage"},
        "Key": {"kms:Decrypt", "kms:GenerateDataKey"},
    }


def test_settings_keeps_settings_and_secrets_and_no_more() -> None:
    assert _of_role("SettingsRole") == {
        "SettingsLogGroup": {"logs:CreateLogStream", "logs:PutLogEvents"},
        "SettingsTable": {
            "dynamodb:GetItem",
            "dynamodb:BatchGetItem",
            "dynamodb:Query",
            "dynamodb:PutItem",
            "dynamodb:UpdateItem",  # marks what is parked for an account that it changes or deletes
            "dynamodb:DeleteItem",
            "dynamodb:ConditionCheckItem",  # no route names an account that is deleted meanwhile
        },
        "EphemeralTable": {"dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"},
        SECRETS: {
            "secretsmanager:CreateSecret",
            "secretsmanager:GetSecretValue",  # of which a new version keeps what is not given anew
            "secretsmanager:PutSecretValue",
            "secretsmanager:DeleteSecret",
            "secretsmanager:TagResource",
        },
        **{
            f"${{DeliveriesTable.Arn}}/index/{index}": {"dynamodb:Query"}
            for index in ("by_hour", "by_recipient", "by_correlation", "parked")
        },
        "DeliveriesTable": {
            "dynamodb:Query",
            "dynamodb:BatchGetItem",
            "dynamodb:UpdateItem",  # lets go what waits for an admin
        },
        "BulkQueue": {"sqs:SendMessage"},
        "NotificationQueue": {"sqs:SendMessage"},  # tells admins of a grant that a verification finds lost
        "EventBus": {"events:PutEvents"},
        "SuppressionsTable": {"dynamodb:Query", "dynamodb:PutItem", "dynamodb:DeleteItem"},
        "Key": {"kms:Decrypt", "kms:GenerateDataKey"},
    }


def test_authorize_connects_accounts_and_changes_no_settings() -> None:
    assert _of_role("AuthorizeRole") == {
        "AuthorizeLogGroup": {"logs:CreateLogStream", "logs:PutLogEvents"},
        "EphemeralTable": {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"},
        "SettingsTable": {"dynamodb:GetItem", "dynamodb:UpdateItem"},
        SECRETS: {"secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"},
        LINK_KEYS: {"secretsmanager:GetSecretValue"},
        "SuppressionsTable": {"dynamodb:PutItem", "dynamodb:DeleteItem"},
        "DeliveriesTable": {"dynamodb:UpdateItem"},  # counts opens and clicks
        "EventBus": {"events:PutEvents"},
        "Key": {"kms:Decrypt", "kms:GenerateDataKey"},
    }


def test_no_function_may_scan_a_table() -> None:
    roles = [name for name in RESOURCES if name.endswith("Role")]

    assert not [name for name in roles for actions in _of_role(name).values() if "dynamodb:Scan" in actions]


def test_a_publisher_may_send_encrypt_and_store_and_no_more() -> None:
    assert _grants(RESOURCES["PublisherPolicy"]["Properties"]["PolicyDocument"]) == {
        "NotificationQueue": {"sqs:SendMessage", "sqs:GetQueueUrl"},
        "Key": {"kms:GenerateDataKey", "kms:Decrypt"},
        "${PayloadBucket.Arn}/*": {"s3:PutObject"},
    }


@pytest.mark.parametrize(
    ("policy", "action"),
    [(QUEUE_POLICY, "sqs:SendMessage"), (KEY_POLICY, "kms:GenerateDataKey"), (KEY_POLICY, "kms:Decrypt")],
    ids=["queue-send", "key-generate", "key-decrypt"],
)
@pytest.mark.parametrize(
    ("condition", "parameter", "principal"),
    [
        ("HasPublisherSources", "PublisherSourceArns", {"Service": ["events.amazonaws.com", "sns.amazonaws.com"]}),
        ("HasPublisherPrincipals", "PublisherPrincipals", {"AWS": {"Ref": "PublisherPrincipals"}}),
    ],
    ids=["sources", "principals"],
)
def test_publishers_are_let_in_by_parameter_and_nobody_when_it_is_empty(
    policy: Json, action: str, condition: str, parameter: str, principal: Json
) -> None:
    [statement] = [one["Fn::If"][1] for one in policy["Statement"] if one.get("Fn::If", [None])[0] == condition]

    assert action in listed(statement["Action"])
    assert statement["Principal"] == principal
    assert PARAMETERS[parameter] | {"Description": ""} == {
        "Type": "CommaDelimitedList",
        "Default": "",
        "Description": "",
    }
    assert TEMPLATE["Conditions"][condition] == {
        "Fn::Not": [{"Fn::Equals": [{"Fn::Join": ["", {"Ref": parameter}]}, ""]}]
    }


@pytest.mark.parametrize("policy", [QUEUE_POLICY, KEY_POLICY], ids=["queue", "key"])
def test_a_service_is_let_in_only_for_the_sources_named(policy: Json) -> None:
    services = [one for one in statements(policy) if "Service" in listed(one["Principal"])[0]]

    assert services
    assert all(one["Condition"] == {"ArnLike": {"aws:SourceArn": {"Ref": "PublisherSourceArns"}}} for one in services)


def test_the_key_turns_itself_over_and_leaves_the_rest_to_iam() -> None:
    [own, *_] = KEY_POLICY["Statement"]

    assert RESOURCES["Key"]["Properties"]["EnableKeyRotation"] is True
    assert own["Principal"] == {"AWS": {"Fn::Sub": "arn:${AWS::Partition}:iam::${AWS::AccountId}:root"}}


@pytest.mark.parametrize("name", ["NotificationQueuePolicy", "PayloadBucketPolicy"])
def test_clear_text_is_refused(name: str) -> None:
    [refusal] = [one for one in statements(RESOURCES[name]["Properties"]["PolicyDocument"]) if one["Effect"] == "Deny"]

    assert refusal["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert refusal["Principal"] == "*"
