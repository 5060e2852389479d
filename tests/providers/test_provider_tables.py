"""The tables of answers, row by row: what the provider says, over a real socket, and what it comes to."""

import json
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from botocore import exceptions as aws_errors

from exstream_notify.adapters.providers import opentext_answers, ses_answers, sms_answers
from exstream_notify.adapters.providers.aws import _detail
from exstream_notify.adapters.providers.errors import AFTER_REPAIR, Row, exception_codes, read_table
from exstream_notify.domain.messages import GiveUp, TryAgain, Unconfirmed

TABLES = {
    "opentext": opentext_answers.TABLE,
    "ses": ses_answers.TABLE,
    "sms": sms_answers.TABLE,
}
MEMBERS = {"http_3xx": 303, "http_4xx": 418, "http_5xx": 599}
"""One status for each row that stands for a class of them."""


def rows(provider: str, starts: str) -> list[Any]:
    """Rows whose code starts so, each named in the test's report."""
    found = [row for row in TABLES[provider] if row.code.startswith(starts)]
    return [pytest.param(row, id=f"{row.code} {row.detail}".strip().replace(" ", "_")) for row in found]


def status_of(row: Row) -> int:
    return MEMBERS.get(row.code) or int(row.code.removeprefix("http_"))


def expected(row: Row) -> Any:
    if row.code in MEMBERS:
        return type(row.answer)(f"{row.answer.reason} http_{MEMBERS[row.code]}")
    return row.answer


@pytest.mark.parametrize("provider", TABLES)
def test_no_row_hides_another(provider: str) -> None:
    table = TABLES[provider]
    keys = [(row.code, row.detail) for row in table]
    # A provider's rows come first, so one of its own may replace a common one: the same code, no detail.
    for number, row in enumerate(table):
        hidden_by = next(
            (r for r in table[:number] if r.code == row.code and r.detail.lower() in row.detail.lower()), None
        )
        assert hidden_by is None, f"{keys[number]} is hidden by {hidden_by}"


@pytest.mark.parametrize("provider", TABLES)
def test_every_row_says_why(provider: str) -> None:
    assert [row.code for row in TABLES[provider] if not row.why.strip()] == []


@pytest.mark.parametrize("row", rows("opentext", "http_"))
def test_opentext_status(row: Row, canned: Any, opentext: Any, mail: Any, send: Any) -> None:
    app, url = canned
    app.status, app.body = status_of(row), b'{"error": "ann@example.com is bad"}'
    if row.detail == "retry-after":
        app.headers = [("Retry-After", "7")]
    answer = send(opentext(url), mail())
    want = expected(row)
    if row.detail == "retry-after":
        want = TryAgain(want.reason, 7.0)
    assert answer == want
    assert app.asked == (2 if row.code == "http_401" else 1)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("120", 120.0),
        ("999999999999999999", 3600.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("Thu, 01 Jan 2099 00:00:00 GMT", 3600.0),
        ("-3", None),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after_is_believed_within_reason(
    header: str, seconds: float | None, canned: Any, opentext: Any, mail: Any, send: Any
) -> None:
    app, url = canned
    app.status, app.headers = 429, [("Retry-After", header)]
    assert send(opentext(url), mail()) == TryAgain("throttled", seconds)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b"null",
        b'{"job_id": ""}',
        b'{"job_id": 7}',
        b'{"id": "x"}',
        b'{"job_id": "  "}',
        b"\xff\xfe",
        b'{"job_id":' + b"[" * 5000,
    ],
)
@pytest.mark.parametrize("status", [200, 201, 202])
def test_success_without_a_job_id_is_doubt(
    status: int, body: bytes, canned: Any, opentext: Any, mail: Any, send: Any
) -> None:
    app, url = canned
    app.status, app.body = status, body
    assert send(opentext(url), mail()) == Unconfirmed("answer_unreadable")


HTTPX = {
    "ConnectError": httpx.ConnectError,
    "ConnectTimeout": httpx.ConnectTimeout,
    "PoolTimeout": httpx.PoolTimeout,
    "ProxyError": httpx.ProxyError,
    "UnsupportedProtocol": httpx.UnsupportedProtocol,
    "LocalProtocolError": httpx.LocalProtocolError,
    "WriteTimeout": httpx.WriteTimeout,
    "WriteError": httpx.WriteError,
    "ReadTimeout": httpx.ReadTimeout,
    "ReadError": httpx.ReadError,
    "RemoteProtocolError": httpx.RemoteProtocolError,
    "DecodingError": httpx.DecodingError,
    "TransportError": httpx.CloseError,
}


def test_every_error_of_httpx_has_a_row_of_its_own_or_of_its_class() -> None:
    named = {row.code for row in opentext_answers.TABLE if row.code[0].isupper()} - {"Exception"}
    assert named == set(HTTPX)
    for name, error in HTTPX.items():
        row = next(row for row in opentext_answers.TABLE if row.code == name)
        assert read_table(opentext_answers.TABLE, exception_codes(error("at ann@example.com"))) == row.answer


def aws_reply(row: Row, provider: str) -> tuple[int, list[tuple[str, str]], bytes]:
    """The service's answer that a row is for, in the service's own protocol."""
    if row.code.startswith("http_"):
        return status_of(row), [("Content-Type", "text/html")], b"<html>no code here</html>"
    status = 500 if row.code.startswith("Internal") else 503 if "Unavailable" in row.code else 400
    if provider == "ses":
        body = json.dumps({"message": f"{row.detail} for ann@example.com"})
        return status, [("Content-Type", "application/json"), ("x-amzn-ErrorType", row.code)], body.encode()
    fields = [{"Name": row.detail, "Message": "is wrong"}] if row.detail[1:2].islower() else []
    document = {"__type": row.code, "Message": "+12025550142", "Reason": row.detail, "Fields": fields}
    return status, [("Content-Type", "application/x-amz-json-1.0")], json.dumps(document).encode()


def service_rows(provider: str) -> list[Any]:
    """Rows that the service, or what stands before it, answers with."""
    ends = ("Error", "client_unavailable", "answer_without_id")
    own = [
        row
        for row in TABLES[provider]
        if (not row.code.endswith(ends) and row.code != "Exception")
        or row.code in ("InternalServerError", "InternalServiceError")
    ]
    return [pytest.param(row, id=f"{row.code} {row.detail}".strip().replace(" ", "_")) for row in own]


@pytest.mark.parametrize("row", service_rows("ses"))
def test_ses_answer(row: Row, canned: Any, ses: Any, mail: Any, send: Any) -> None:
    app, url = canned
    app.status, app.headers, app.body = aws_reply(row, "ses")
    assert send(ses(url), mail()) == expected(row)
    assert app.asked == 1, "the SDK must not try again by itself"


@pytest.mark.parametrize("row", service_rows("sms"))
def test_sms_answer(row: Row, canned: Any, sms: Any, text: Any, send: Any) -> None:
    app, url = canned
    app.status, app.headers, app.body = aws_reply(row, "sms")
    assert send(sms(url), text()) == expected(row)
    assert app.asked == 1, "the SDK must not try again by itself"


BOTOCORE: dict[str, Callable[[], Exception]] = {
    "EndpointConnectionError": lambda: aws_errors.EndpointConnectionError(endpoint_url="u"),
    "ConnectTimeoutError": lambda: aws_errors.ConnectTimeoutError(endpoint_url="u"),
    "ProxyConnectionError": lambda: aws_errors.ProxyConnectionError(proxy_url="u"),
    "SSLError CERTIFICATE_VERIFY_FAILED": lambda: aws_errors.SSLError(
        endpoint_url="u", error="[SSL: CERTIFICATE_VERIFY_FAILED]"
    ),
    "SSLError": lambda: aws_errors.SSLError(endpoint_url="u", error="bad record mac"),
    "NoCredentialsError": aws_errors.NoCredentialsError,
    "PartialCredentialsError": lambda: aws_errors.PartialCredentialsError(provider="p", cred_var="v"),
    "CredentialRetrievalError": lambda: aws_errors.CredentialRetrievalError(provider="p", error_msg="e"),
    "TokenRetrievalError": lambda: aws_errors.TokenRetrievalError(provider="p", error_msg="e"),
    "NoAuthTokenError": aws_errors.NoAuthTokenError,
    "NoRegionError": aws_errors.NoRegionError,
    "ParamValidationError": lambda: aws_errors.ParamValidationError(report="r"),
    "UnknownServiceError": lambda: aws_errors.UnknownServiceError(service_name="s", known_service_names="k"),
    "InvalidEndpointDiscoveryConfigurationError": (
        lambda: aws_errors.InvalidEndpointDiscoveryConfigurationError(config_value="c")
    ),
    "ReadTimeoutError": lambda: aws_errors.ReadTimeoutError(endpoint_url="u"),
    "ConnectionClosedError": lambda: aws_errors.ConnectionClosedError(endpoint_url="u"),
    "HTTPClientError": lambda: aws_errors.HTTPClientError(error="e"),
    "Exception": lambda: UnicodeDecodeError("utf-8", b"", 0, 1, "a slip of the SDK's parser"),
}


class _Broken:
    """A client whose only call raises."""

    meta = SimpleNamespace(config=SimpleNamespace(retries={"total_max_attempts": 1}))

    def __init__(self, error: Exception) -> None:
        self.error = error

    def send_email(self, **_: Any) -> None:
        raise self.error


@pytest.mark.parametrize("name", BOTOCORE)
def test_every_error_of_the_sdk(name: str, mail: Any, send: Any) -> None:
    from exstream_notify.adapters.providers.ses import Ses, SesSettings

    code, _, detail = name.partition(" ")
    row = next(row for row in ses_answers.TABLE if (row.code, row.detail) == (code, detail))
    provider = Ses(SesSettings("notices@example.com"), lambda: _Broken(BOTOCORE[name]()))
    answer = row.answer if code != "Exception" else Unconfirmed("unknown_error UnicodeDecodeError")
    assert send(provider, mail()) == answer


def test_the_table_of_the_sdk_has_no_row_without_a_test() -> None:
    tested = {name.partition(" ")[0] for name in BOTOCORE} | {
        "ResponseParserError", "client_unavailable", "answer_without_id",
        "InternalServerError", "InternalServiceError",
    }  # fmt: skip
    untested = {r.code for r in ses_answers.TABLE if r.code.endswith("Error") or r.code[0].islower()} - tested
    assert {code for code in untested if not code.startswith("http_")} == set()


@pytest.mark.parametrize("body", [b"", b"{}", b'{"MessageId": ""}', b'{"MessageId": "  "}'])
def test_success_of_aws_without_an_id_is_doubt(
    body: bytes, canned: Any, ses: Any, sms: Any, mail: Any, text: Any, send: Any
) -> None:
    app, url = canned
    app.body = body
    assert send(ses(url), mail()) == Unconfirmed("answer_unreadable")
    assert send(sms(url), text()) == Unconfirmed("answer_unreadable")


@pytest.mark.parametrize("body", [b'{"MessageId": "0', b"<html>", b"\xff", b"[]", b"7"])
def test_success_of_aws_that_cannot_be_read_is_doubt(
    body: bytes, canned: Any, ses: Any, sms: Any, mail: Any, text: Any, send: Any
) -> None:
    app, url = canned
    app.body = body
    assert isinstance(send(ses(url), mail()), Unconfirmed)
    assert isinstance(send(sms(url), text()), Unconfirmed)


@pytest.mark.parametrize("provider", TABLES)
def test_an_unknown_condition_is_doubt_and_named(provider: str) -> None:
    answer = read_table(TABLES[provider], ["Something<new>", "http_999"])
    assert answer == Unconfirmed("unknown_answer Somethingnew")


@pytest.mark.parametrize("provider", ["ses", "sms"])
@pytest.mark.parametrize(
    ("status", "answer"),
    [
        (400, GiveUp("request_refused BrandNewException")),
        (429, TryAgain("throttled")),
        (503, Unconfirmed("service_down")),
        (599, Unconfirmed("service_error BrandNewException")),
    ],
)
def test_a_code_that_nobody_knew_goes_by_its_status(
    provider: str, status: int, answer: Any, canned: Any, request: Any, mail: Any, text: Any, send: Any
) -> None:
    app, url = canned
    app.status, app.body = status, b'{"__type": "BrandNewException", "message": "ann@example.com"}'
    app.headers = [("x-amzn-ErrorType", "BrandNewException"), ("Content-Type", "application/json")]
    message = mail() if provider == "ses" else text()
    assert send(request.getfixturevalue(provider)(url), message) == answer


def test_reasons_never_hold_what_the_service_wrote(canned: Any, ses: Any, mail: Any, send: Any) -> None:
    app, url = canned
    app.status, app.body = 400, b'{"message": "ann@example.com is blacklisted"}'
    app.headers = [("x-amzn-ErrorType", "ann@example.com/Illegal"), ("Content-Type", "application/json")]
    answer = send(ses(url), mail())
    assert "@" not in answer.reason
    assert "blacklisted" not in answer.reason


def test_trouble_of_the_account_defers_instead_of_failing() -> None:
    """A run must not fail, message by message, for what somebody can mend meanwhile."""
    for table in TABLES.values():
        for row in table:
            if row.answer.reason in (
                "credentials_refused",
                "account_refused",
                "access_denied",
                "set_up_missing",
            ):
                assert row.answer == TryAgain(row.answer.reason, AFTER_REPAIR), row


def test_an_answer_of_aws_is_told_from_others_by_its_reason_its_fields_and_its_words() -> None:
    response = {
        "Error": {"Code": "ValidationException", "Message": "no such number"},
        "Reason": "FIELD_VALIDATION_FAILED",
        "Fields": [{"Name": "DestinationPhoneNumber"}, "of another form", {"Name": "Body"}],
    }
    error = aws_errors.ClientError(response, "SendTextMessage")  # type: ignore[arg-type]
    assert _detail(error) == "FIELD_VALIDATION_FAILED DestinationPhoneNumber Body no such number"
    assert _detail(aws_errors.ClientError({}, "SendTextMessage")).split() == []
