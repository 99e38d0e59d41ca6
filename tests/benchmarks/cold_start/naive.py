"""The naive sample: what a function imports and makes that mails by the book, in a cold start."""

import json  # noqa: F401  (to be imported is all that is asked of it, as below)
import smtplib  # noqa: F401
from email.mime.multipart import MIMEMultipart  # noqa: F401
from email.mime.text import MIMEText  # noqa: F401

import boto3
import jinja2  # noqa: F401

dynamodb = boto3.client("dynamodb")
secrets_manager = boto3.client("secretsmanager")
