"""An HTTP API on the engine whose one function answers with the event it got."""

from __future__ import annotations

import io
import json
import zipfile
from typing import TYPE_CHECKING

from local.identity_provider.running import API_AUDIENCE
from local.stack import Stack, engine_client

if TYPE_CHECKING:
    from local.engine_process import Engine
    from local.identity_provider.running import IdentityProvider

SOURCE = """
import json

def handler(event, context):
    return {
        "statusCode": 200,
        "headers": {"Content-Type": "application/json"},
        "cookies": ["first=1; Path=/", "second=2; Path=/"],
        "body": json.dumps(event) if event["rawPath"] != "/public/nothing" else None,
    }
"""
PUBLIC_ROUTE = "GET /public/{what}"
PRIVATE_ROUTE = "POST /private"


def deploy_echo(engine: Engine, identity_provider: IdentityProvider) -> Stack:
    """A public route, and one for those whom the identity provider knows as admins."""
    api = engine_client("apigatewayv2", engine.endpoint_url)
    api_id = api.create_api(Name="echo", ProtocolType="HTTP")["ApiId"]
    integration = api.create_integration(
        ApiId=api_id,
        IntegrationType="AWS_PROXY",
        IntegrationUri=_function(engine),
        PayloadFormatVersion="2.0",
    )
    authorizer = api.create_authorizer(
        ApiId=api_id,
        Name="oidc",
        AuthorizerType="JWT",
        IdentitySource=["$request.header.Authorization"],
        JwtConfiguration={"Issuer": identity_provider.issuer, "Audience": [API_AUDIENCE]},
    )
    target = f"integrations/{integration['IntegrationId']}"
    api.create_route(ApiId=api_id, RouteKey=PUBLIC_ROUTE, Target=target)
    api.create_route(
        ApiId=api_id,
        RouteKey=PRIVATE_ROUTE,
        Target=target,
        AuthorizationType="JWT",
        AuthorizerId=authorizer["AuthorizerId"],
    )
    api.create_stage(ApiId=api_id, StageName="$default", AutoDeploy=True)
    return Stack(endpoint_url=engine.endpoint_url, outputs={}, resources={"Api": api_id})


def _function(engine: Engine) -> str:
    code = io.BytesIO()
    with zipfile.ZipFile(code, "w") as archive:
        archive.writestr("app.py", SOURCE)
    answer = engine_client("lambda", engine.endpoint_url).create_function(
        FunctionName="echo",
        Runtime="python3.13",
        Handler="app.handler",
        Role=_role(engine),
        Code={"ZipFile": code.getvalue()},
    )
    arn: str = answer["FunctionArn"]
    return arn


def _role(engine: Engine) -> str:
    statement = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    answer = engine_client("iam", engine.endpoint_url).create_role(
        RoleName="echo",
        AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
    arn: str = answer["Role"]["Arn"]
    return arn
