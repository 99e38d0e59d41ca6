"""The naive handler that ours is measured beside: one mail after the other, and everything anew for each.

For every record it reads the account's settings and its secret with boto3, compiles its templates, builds an
`EmailMessage`, makes an SSL context and opens a connection. It keeps its AWS clients, but no journal.
"""

from __future__ import annotations

import json
import os
import smtplib
import ssl
from email.message import EmailMessage
from typing import Any

import boto3
from jinja2 import Template

dynamodb = boto3.client("dynamodb")
secrets_manager = boto3.client("secretsmanager")


def lambda_handler(event: dict[str, Any], _: object) -> None:
    """Send the mail that each record asks for."""
    for record in event["Records"]:
        order = json.loads(record["body"])
        account, password = _account(order["project_id"], order["account_id"])
        _send(_message(order, account), account["relay"], account["auth"]["username"], password)


def _account(project_id: str, account_id: str) -> tuple[dict[str, Any], str]:
    key = {"project_id": {"S": project_id}, "sk": {"S": f"mail-account#{account_id}"}}
    item = dynamodb.get_item(TableName=os.environ["SETTINGS_TABLE"], Key=key)["Item"]
    name = f"{os.environ['SECRET_PREFIX']}/{project_id}/{account_id}"
    secret = json.loads(secrets_manager.get_secret_value(SecretId=name)["SecretString"])
    return json.loads(item["document"]["S"]), secret["password"]


def _message(order: dict[str, Any], account: dict[str, Any]) -> EmailMessage:
    letter, values = order["letter"], order["values"]
    message = EmailMessage()
    message["From"] = f"{account['senders'][0]['name']} <{account['senders'][0]['email']}>"
    message["To"] = order["to"]
    message["Subject"] = letter["subject"]
    message.set_content(Template(letter["text"]).render(values))
    message.add_alternative(Template(letter["html"], autoescape=True).render(values), subtype="html")
    return message


def _send(message: EmailMessage, relay: dict[str, Any], username: str, password: str) -> None:
    context = ssl.create_default_context(cadata=relay["ca_certificate"])
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # the tests' authority names no key identifiers
    with smtplib.SMTP(relay["host"], relay["port"], timeout=relay["timeout_seconds"]) as smtp:
        smtp.starttls(context=context)
        smtp.login(username, password)
        smtp.send_message(message)
