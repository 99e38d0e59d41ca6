"""The HTTP API of `template.yaml`: its routes, who may call them and how often, and what is logged of it."""

from __future__ import annotations

import json
import re

import pytest

from functions.authorize.app import app as authorize
from functions.settings.app import app as settings
from functions.settings.routing import routes_of
from tests.contract.template import (
    PARAMETERS,
    RESOURCES,
    TEMPLATE,
    Json,
    environment,
    functions,
    properties,
    resources,
    value,
)

ROUTE = "AWS::ApiGatewayV2::Route"
REDIRECT_ROUTES = {
    f"{method} {path}" for method in ("GET", "HEAD") for path in ("/authorize/{ticket}", "/oauth/callback")
}
TRACKING_ROUTES = {f"{method} {path}" for method in ("GET", "HEAD") for path in ("/t/{token}", "/l/{token}")}
UNSUBSCRIBE_ROUTES = {f"{method} /unsubscribe/{{token}}" for method in ("GET", "HEAD", "POST")}
PUBLIC_ROUTES = REDIRECT_ROUTES | UNSUBSCRIBE_ROUTES | {"GET /openapi.json"}
ROUTES_TO_RELAYS = {
    "POST /projects/{project_id}/mail-accounts",  # these three with validate=true
    "PUT /projects/{project_id}/mail-accounts/{mail_account_id}",
    "PATCH /projects/{project_id}/mail-accounts/{mail_account_id}",
    "POST /projects/{project_id}/verification",
    "POST /projects/{project_id}/mail-accounts/{mail_account_id}/verification",
    "POST /projects/{project_id}/mail-accounts/{mail_account_id}/test-message",
}
COGNITO = ("AWS::Cognito::UserPool", "AWS::Cognito::UserPoolClient", "AWS::Cognito::UserPoolGroup")
FUNCTIONS = functions()


def _routes() -> dict[str, Json]:
    return {route["Properties"]["RouteKey"]: route["Properties"] for route in resources(ROUTE).values()}


@pytest.mark.parametrize("name", resources(ROUTE))
def test_a_route_is_public_by_design_or_behind_the_authorizer(name: str) -> None:
    route = properties(name)

    if route["RouteKey"] in PUBLIC_ROUTES | TRACKING_ROUTES:
        assert (route["AuthorizationType"], "AuthorizerId" in route) == ("NONE", False)
    else:
        assert (route["AuthorizationType"], route["AuthorizerId"]) == ("JWT", {"Ref": "ApiAuthorizer"})


@pytest.mark.parametrize("name", resources(ROUTE))
def test_a_route_leads_to_the_function_that_serves_it(name: str) -> None:
    route = properties(name)
    readers = REDIRECT_ROUTES | TRACKING_ROUTES | UNSUBSCRIBE_ROUTES
    function = "AuthorizeFunction" if route["RouteKey"] in readers else "SettingsFunction"

    integration = route["Target"]["Fn::Sub"].removeprefix("integrations/${").removesuffix("}")
    assert properties(integration)["IntegrationUri"] == {"Fn::GetAtt": [function, "Arn"]}
    assert properties(integration)["PayloadFormatVersion"] == "2.0"


def test_every_route_of_the_code_is_in_the_template_and_the_other_way_round() -> None:
    in_code = {f"{route.method} {route.openapi_path}" for app in (authorize, settings) for route in routes_of(app)}

    assert set(_routes()) - {"$default"} == in_code
    assert "$default" in _routes()  # so that what is no route is answered as a problem


@pytest.mark.parametrize("function", ["AuthorizeFunction", "SettingsFunction"])
def test_only_our_api_may_call_a_function_of_the_api_and_it_waits_for_the_answer(function: str) -> None:
    [permission] = [
        one["Properties"]
        for one in resources("AWS::Lambda::Permission").values()
        if one["Properties"]["FunctionName"] == {"Ref": function}
    ]
    timeout = value(FUNCTIONS[function]["Timeout"])

    assert permission["Principal"] == "apigateway.amazonaws.com"
    assert permission["SourceArn"]["Fn::Sub"].endswith(":${Api}/*")
    assert isinstance(timeout, int)
    assert timeout < properties("AuthorizeIntegration")["TimeoutInMillis"] / 1000 <= 30


def test_public_routes_and_those_that_ask_relays_are_throttled_more_tightly_than_the_others() -> None:
    stage = properties("ApiStage")
    usual = stage["DefaultRouteSettings"]

    assert set(stage["RouteSettings"]) == PUBLIC_ROUTES | ROUTES_TO_RELAYS | TRACKING_ROUTES
    for own in (stage["RouteSettings"][route] for route in PUBLIC_ROUTES | ROUTES_TO_RELAYS):
        assert own["ThrottlingRateLimit"] < usual["ThrottlingRateLimit"]
        assert own["ThrottlingBurstLimit"] < usual["ThrottlingBurstLimit"]
    named = {RESOURCES[route]["Properties"]["RouteKey"] for route in RESOURCES["ApiStage"]["DependsOn"]}
    assert (
        named == PUBLIC_ROUTES | ROUTES_TO_RELAYS | TRACKING_ROUTES
    )  # the stage may only speak of routes that are there


@pytest.mark.parametrize("route", sorted(TRACKING_ROUTES))
def test_a_whole_list_of_subscribers_may_open_its_mail_at_once(route: str) -> None:
    stage = properties("ApiStage")

    assert stage["RouteSettings"][route]["ThrottlingRateLimit"] > stage["DefaultRouteSettings"]["ThrottlingRateLimit"]


def test_the_access_log_holds_no_path_and_so_no_ticket() -> None:
    log = properties("ApiStage")["AccessLogSettings"]

    assert "$context.routeKey" in log["Format"]
    assert not [word for word in ("$context.path", "$context.domainName", "queryString") if word in log["Format"]]
    assert log["DestinationArn"] == {"Fn::GetAtt": ["ApiLogGroup", "Arn"]}


def test_no_page_of_another_origin_may_use_the_api() -> None:
    assert "CorsConfiguration" not in properties("Api")


def test_tokens_are_of_the_issuer_named_or_of_our_own_pool() -> None:
    token = properties("ApiAuthorizer")["JwtConfiguration"]
    pool = "https://cognito-idp.${AWS::Region}.${AWS::URLSuffix}/${UserPool}"

    assert token["Issuer"] == {"Fn::If": ["HasOwnUserPool", {"Fn::Sub": pool}, {"Ref": "OidcIssuer"}]}
    assert token["Audience"] == [{"Fn::If": ["HasOwnUserPool", {"Ref": "UserPoolClient"}, {"Ref": "OidcAudience"}]}]
    assert TEMPLATE["Conditions"]["HasOwnUserPool"] == {"Fn::Equals": [{"Ref": "OidcIssuer"}, ""]}
    assert {one["Condition"] for one in resources(*COGNITO).values()} == {"HasOwnUserPool"}


def test_nobody_signs_himself_up() -> None:
    assert properties("UserPool")["AdminCreateUserConfig"] == {"AllowAdminCreateUserOnly": True}


@pytest.mark.parametrize(
    ("parameter", "accepted", "refused"),
    [
        (
            "OidcIssuer",
            ["", "https://login.example/acme", "http://localhost:8080/oidc", "http://127.0.0.1:9"],
            ["http://login.example", "login.example", "http://localhost.evil.example"],
        ),
        (
            "PublicBaseUrl",
            ["", "https://tocsin.example", "http://localhost:8080"],
            ["http://tocsin.example", "https://tocsin.example/", "https://a@tocsin.example", "http://localhost.evil"],
        ),
    ],
    ids=["issuer", "base"],
)
def test_clear_text_is_for_this_machine_only(parameter: str, accepted: list[str], refused: list[str]) -> None:
    pattern = re.compile(PARAMETERS[parameter]["AllowedPattern"])

    assert [url for url in accepted if not pattern.fullmatch(url)] == []
    assert [url for url in refused if pattern.fullmatch(url)] == []


def test_our_own_addresses_begin_alike_everywhere() -> None:
    base = {"Fn::If": ["HasPublicBaseUrl", {"Ref": "PublicBaseUrl"}, {"Fn::GetAtt": ["Api", "ApiEndpoint"]}]}

    assert {json.dumps(environment(function)["PUBLIC_BASE_URL"]) for function in FUNCTIONS.values()} == {
        json.dumps(base)
    }
    assert TEMPLATE["Outputs"]["ApiUrl"]["Value"] == base
    assert TEMPLATE["Outputs"]["OAuthRedirectUri"]["Value"] == {
        "Fn::Sub": ["${BaseUrl}/oauth/callback", {"BaseUrl": base}]
    }
