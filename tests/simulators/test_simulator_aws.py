"""The SES and SMS simulators take what the services' models allow, signed and permitted, and nothing else."""

import copy
import json
from typing import Any

import pytest
from werkzeug.test import Client

from exnotify.simulators import Simulators
from exnotify.simulators.aws_wire import problems

EMAIL: dict[str, Any] = {
    "FromEmailAddress": '"Example, Co" <notices@example.com>',
    "Destination": {"ToAddresses": ["Ann <ann@example.com>"], "BccAddresses": ["audit@example.com"]},
    "Content": {
        "Simple": {
            "Subject": {"Data": "Grüße", "Charset": "UTF-8"},
            "Body": {"Text": {"Data": "Hello", "Charset": "UTF-8"}},
            "Headers": [{"Name": "List-Unsubscribe", "Value": "<https://example.com>"}],
        }
    },
    "EmailTags": [{"Name": "notice_id", "Value": "n1"}, {"Name": "attempt", "Value": "1"}],
    "ConfigurationSetName": "notices",
}
SMS: dict[str, Any] = {
    "DestinationPhoneNumber": "+12025550142",
    "OriginationIdentity": "+12025550199",
    "MessageBody": "Hello",
    "MessageType": "TRANSACTIONAL",
    "TimeToLive": 3600,
    "Context": {"notice_id": "n2", "attempt": "3"},
    "ConfigurationSetName": "notices",
}
MISSING = object()


def changed(document: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """The document with the value at a path (`a.0.b`) replaced, or left out."""
    document = copy.deepcopy(document)
    inner: Any = document
    *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    for step in steps:
        inner = inner[step]
    if value is MISSING:
        del inner[last]
    else:
        inner[last] = value
    return document


def test_the_return_path_is_kept(post: Any, simulators: Simulators) -> None:
    path = f"{'b' * 17}+{'n' * 46}@example.com"
    assert post("ses", {**EMAIL, "FeedbackForwardingEmailAddress": path}).status_code == 200
    assert {dict(m.details)["return_path"] for m in simulators.store} == {path}


def test_an_email_is_kept_for_each_recipient(post: Any, simulators: Simulators) -> None:
    answer = post("ses", EMAIL)
    assert answer.status_code == 200
    assert [(m.to, m.sender_name, m.sender, m.ref, m.headers) for m in simulators.store] == [
        (to, "Example, Co", "notices@example.com", "n1:1", (("List-Unsubscribe", "<https://example.com>"),))
        for to in ("ann@example.com", "audit@example.com")
    ]
    assert {m.message_id for m in simulators.store} == {answer.json["MessageId"]}


@pytest.mark.parametrize(
    ("path", "value", "code"),
    [
        ("Surprise", 1, "BadRequestException"),
        ("Content", MISSING, "BadRequestException"),
        ("Content.Simple.Subject", MISSING, "BadRequestException"),
        ("Content.Simple.Subject.Data", 7, "BadRequestException"),
        ("Content.Simple.Subject.Data", "a\r\nBcc: x@example.com", "BadRequestException"),
        ("Content.Simple.Subject.Charset", "ascii", "BadRequestException"),
        ("Content.Simple.Subject.Charset", "klingon", "BadRequestException"),
        ("Content.Simple.Body", {}, "BadRequestException"),
        ("Content.Simple.Headers.0.Name", "Bcc", "BadRequestException"),
        ("Content.Simple.Headers.0.Name", "a b", "BadRequestException"),
        ("Content.Simple.Headers.0.Value", "x\ny", "BadRequestException"),
        ("Content.Simple.Headers.0.Value", "", "BadRequestException"),
        ("Content.Simple.Headers", [{"Name": "X-A", "Value": "b"}] * 16, "BadRequestException"),
        ("Content", {"Raw": {"Data": "eA=="}}, "BadRequestException"),
        ("Destination", {}, "BadRequestException"),
        ("Destination.ToAddresses", ["a@example.com"] * 50, "BadRequestException"),
        ("Destination.ToAddresses", ["ann"], "BadRequestException"),
        ("Destination.ToAddresses", ["a@example.com, b@example.com"], "BadRequestException"),
        ("Destination.ToAddresses", ["änn@example.com"], "BadRequestException"),
        ("FromEmailAddress", MISSING, "BadRequestException"),
        ("FromEmailAddress", "Jürgen <notices@example.com>", "BadRequestException"),
        ("FromEmailAddress", "=?UTF-8?B?QQ1C?= <notices@example.com>", "BadRequestException"),
        ("FromEmailAddress", "=?nope?B?QQ==?= <notices@example.com>", "BadRequestException"),
        ("FeedbackForwardingEmailAddress", "bounces", "BadRequestException"),
        ("FeedbackForwardingEmailAddress", "Bounces <bounces@example.com>", "BadRequestException"),
        ("FeedbackForwardingEmailAddress", f"{'b' * 65}@example.com", "BadRequestException"),
        ("EmailTags.0.Value", "a:b", "BadRequestException"),
        ("EmailTags.0.Value", "", "BadRequestException"),
        ("EmailTags.0.Name", "ä", "BadRequestException"),
        ("ConfigurationSetName", "others", "NotFoundException"),
    ],
)
def test_an_email_that_the_service_would_refuse(
    path: str, value: Any, code: str, post: Any, simulators: Simulators
) -> None:
    simulators.ses.configuration_sets = {"notices"}
    answer = post("ses", changed(EMAIL, path, value))
    assert (answer.status_code, answer.headers["x-amzn-ErrorType"]) == (404 if "Found" in code else 400, code)
    assert answer.json["message"]
    assert len(simulators.store) == 0


def test_a_text_is_kept(post: Any, simulators: Simulators) -> None:
    answer = post("sms", SMS)
    assert answer.status_code == 200
    assert [(m.to, m.sender, m.text, m.ref, m.message_id) for m in simulators.store] == [
        ("+12025550142", "+12025550199", "Hello", "n2:3", answer.json["MessageId"])
    ]


def test_a_dry_run_sends_nothing(post: Any, simulators: Simulators) -> None:
    assert post("sms", {**SMS, "DryRun": True}).json["MessageId"]
    assert len(simulators.store) == 0


@pytest.mark.parametrize(
    ("path", "value", "code", "field"),
    [
        ("Surprise", 1, "ValidationException", "request"),
        ("DestinationPhoneNumber", MISSING, "ValidationException", "DestinationPhoneNumber"),
        ("DestinationPhoneNumber", "call me", "ValidationException", "DestinationPhoneNumber"),
        ("DestinationPhoneNumber", "2025550142", "ValidationException", "DestinationPhoneNumber"),
        ("MessageBody", MISSING, "ValidationException", "MessageBody"),
        ("MessageBody", " \n", "ValidationException", "MessageBody"),
        ("MessageBody", "x" * 1601, "ValidationException", "MessageBody"),
        ("MessageType", "URGENT", "ValidationException", "MessageType"),
        ("TimeToLive", 259_201, "ValidationException", "TimeToLive"),
        ("TimeToLive", 4, "ValidationException", "TimeToLive"),
        ("TimeToLive", True, "ValidationException", "TimeToLive"),
        ("TimeToLive", "60", "ValidationException", "TimeToLive"),
        ("OriginationIdentity", "Example Co", "ValidationException", "OriginationIdentity"),
        ("Context", {str(n): "x" for n in range(6)}, "ValidationException", "Context"),
        ("Context", {"a b": "x"}, "ValidationException", "Context"),
        ("Context", {"a": " x"}, "ValidationException", "Context"),
        ("Context", {"a": 1}, "ValidationException", "Context"),
        ("ConfigurationSetName", "others", "ResourceNotFoundException", None),
    ],
)
def test_a_text_that_the_service_would_refuse(
    path: str, value: Any, code: str, field: str | None, post: Any, simulators: Simulators
) -> None:
    simulators.sms.configuration_sets = {"notices"}
    answer = post("sms", changed(SMS, path, value))
    assert (answer.status_code, answer.json["__type"]) == (400, code)
    if field:
        assert field in [row["Name"] for row in answer.json["Fields"]]
    assert len(simulators.store) == 0


@pytest.mark.parametrize("provider", ["ses", "sms"])
@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe{}", b"[]", b"7", b'{"a": 1, "a": 2}'])
def test_what_is_no_json_object_is_refused(provider: str, body: bytes, post: Any) -> None:
    assert post(provider, body).status_code == 400


@pytest.mark.parametrize("provider", ["ses", "sms"])
@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        ("", "MissingAuthenticationTokenException"),
        ("Basic YTpi", "IncompleteSignatureException"),
        ("AWS4-HMAC-SHA256 Credential=A/20261120/us-east-1/s3/aws4_request", "IncompleteSignatureException"),
        (
            "AWS4-HMAC-SHA256 Credential=A/20261120/us-east-1/s3/aws4_request, "
            f"SignedHeaders=host, Signature={'0' * 64}",
            "InvalidSignatureException",
        ),
    ],
)
def test_without_a_signature_for_the_service_nothing_goes(
    provider: str, authorization: str, code: str, post: Any, simulators: Simulators
) -> None:
    answer = post(provider, EMAIL if provider == "ses" else SMS, Authorization=authorization)
    assert answer.status_code in (400, 403)
    assert code in (answer.headers.get("x-amzn-ErrorType"), answer.json.get("__type"))
    assert len(simulators.store) == 0


def test_who_may_not_is_refused_by_resource(simulators: Simulators) -> None:
    """The embedded cloud's server tells what the signer's role allows."""
    asked: list[tuple[str, str]] = []

    def allowed(action: str, resource: str) -> bool:
        asked.append((action, resource))
        return "configuration-set" not in resource

    client = Client(simulators)
    for service, document, path, target in (
        ("ses", EMAIL, "/v2/email/outbound-emails", None),
        ("sms-voice", SMS, "/", "PinpointSMSVoiceV2.SendTextMessage"),
    ):
        headers = {
            "Authorization": (
                f"AWS4-HMAC-SHA256 Credential=A/20261120/us-east-1/{service}/aws4_request, "
                f"SignedHeaders=host, Signature={'0' * 64}"
            ),
            "Content-Type": "application/x-amz-json-1.0",
        } | ({"X-Amz-Target": target} if target else {})
        answer = client.post(
            path, data=json.dumps(document), headers=headers, environ_overrides={"exnotify.allowed": allowed}
        )
        assert "AccessDeniedException" in str(answer.headers) + answer.text
    prefix = "arn:aws:{}:us-east-1:123456789012"
    assert asked == [
        ("ses:SendEmail", prefix.format("ses") + ":identity/example.com"),
        ("ses:SendEmail", prefix.format("ses") + ":configuration-set/notices"),
        ("sms-voice:SendTextMessage", prefix.format("sms-voice") + ":phone-number/12025550199"),
        ("sms-voice:SendTextMessage", prefix.format("sms-voice") + ":configuration-set/notices"),
    ]
    assert len(simulators.store) == 0


def test_other_operations_are_unknown(post: Any) -> None:
    answer = post("sms", {}, X_Amz_Target="PinpointSMSVoiceV2.DeletePool")
    assert answer.json["__type"] == "UnknownOperationException"


def test_each_provider_is_found_by_its_own_requests(simulators: Simulators) -> None:
    environs = {
        "opentext": {"PATH_INFO": "/mra/v1/outbound/sms"},
        "ses": {"PATH_INFO": "/v2/email/outbound-emails"},
        "sms": {"PATH_INFO": "/", "HTTP_X_AMZ_TARGET": "PinpointSMSVoiceV2.SendTextMessage"},
    }
    for name, environ in environs.items():
        assert [p.name for p in simulators.providers if p.matches(environ)] == [name]
    for environ in ({"PATH_INFO": "/"}, {"PATH_INFO": "/v2/email/identities"}, {"PATH_INFO": "/bucket/mra/"}):
        assert [p.name for p in simulators.providers if p.matches(environ)] == []


def test_the_model_is_walked_to_its_leaves() -> None:
    assert problems("sesv2", "SendEmail", EMAIL) == []
    deep = changed(EMAIL, "Content.Simple.Body.Text", {"Charset": "UTF-8"})
    assert problems("sesv2", "SendEmail", deep) == [("Content.Simple.Body.Text.Data", "is missing")]


@pytest.mark.parametrize("provider", ["opentext", "ses", "sms"])
def test_a_body_that_is_too_large_is_refused(provider: str, simulators: Simulators, post: Any) -> None:
    answer = post(provider, b" " * 20_000_001)
    assert answer.status_code == 413
