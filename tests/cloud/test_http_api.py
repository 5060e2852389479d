"""The HTTP API: routes, the event that a function gets, what becomes of its answer, throttling."""

import base64
from typing import Any

import httpx
import pytest

from .conftest import Hands


@pytest.fixture
def api(hands: Hands) -> Any:
    """A client at the API's own address."""
    with httpx.Client(base_url=hands.cloud.api_url, trust_env=False) as client:
        yield client


def test_a_function_gets_the_request_in_payload_format_two(api: httpx.Client) -> None:
    answer = api.get("/greet/Ann%20B?x=1&x=2&empty=", headers={"Cookie": "c=3; d=4", "X-Own": "v"})

    assert answer.status_code == 201
    assert answer.headers["x-told"] == "yes"
    assert answer.headers.get_list("set-cookie") == ["a=1", "b=2"]
    event = answer.json()
    assert event["version"] == "2.0"
    assert event["routeKey"] == event["requestContext"]["routeKey"] == "GET /greet/{name}"
    assert event["rawPath"] == "/greet/Ann B"
    assert event["pathParameters"] == {"name": "Ann B"}
    assert event["rawQueryString"] == "x=1&x=2&empty="
    assert event["queryStringParameters"] == {"x": "1,2", "empty": ""}
    assert event["cookies"] == ["c=3", "d=4"]
    assert event["headers"]["x-own"] == "v"
    assert "cookie" not in event["headers"]
    assert event["requestContext"]["http"]["sourceIp"] == "127.0.0.1"
    assert "body" not in event


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("application/json; charset=utf-8", True),
        ("text/plain", True),
        ("application/x-www-form-urlencoded", False),
        ("application/octet-stream", False),
    ],
)
def test_only_text_arrives_as_text(api: httpx.Client, kind: str, text: bool) -> None:
    event = api.post("/any/where", content=b'{"a": "1"}', headers={"Content-Type": kind}).json()

    assert event["routeKey"] == "POST /{rest+}"
    assert event["pathParameters"] == {"rest": "any/where"}
    assert event["isBase64Encoded"] is not text
    assert event["body"] == ('{"a": "1"}' if text else base64.b64encode(b'{"a": "1"}').decode())


def test_the_most_specific_route_answers(api: httpx.Client) -> None:
    assert api.get("/greet/me").json()["routeKey"] == "GET /greet/me"
    assert api.get("/greet/you").json()["routeKey"] == "GET /greet/{name}"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("DELETE", "/greet/me", 404),
        ("HEAD", "/greet/me", 404),
        ("GET", "/greet/broken", 500),
    ],
)
def test_what_goes_wrong_says_no_more_than_it_must(
    api: httpx.Client, method: str, path: str, status: int
) -> None:
    answer = api.request(method, path)

    assert answer.status_code == status
    assert "told to" not in answer.text


def test_an_answer_may_be_plain_or_bytes(api: httpx.Client) -> None:
    assert api.get("/greet/plain").json() == {"no": "status"}
    assert api.get("/greet/bytes").content == b"\x00\xff"


def test_a_route_is_throttled_by_its_own_settings(api: httpx.Client) -> None:
    assert [api.get("/slow/one").status_code for _ in range(4)] == [201, 201, 429, 429]
    assert api.get("/greet/me").status_code == 201


def test_the_address_of_aws_serves_no_route(hands: Hands) -> None:
    assert httpx.get(f"{hands.cloud.url}/greet/me", trust_env=False).status_code == 403
