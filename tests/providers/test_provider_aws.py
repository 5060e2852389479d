"""SES and SMS: what a call holds, that the service's own model takes it, and that it is made once."""

import json
from collections.abc import Callable
from dataclasses import replace
from email import message_from_bytes, policy
from types import SimpleNamespace
from typing import Any

import boto3
import botocore.session
import pytest
from botocore.config import Config
from botocore.validate import ParamValidator

from exnotify.simulators import Simulators
from exnotify.simulators.aws_wire import problems
from exstream_notify.adapters.providers.aws import TriesTooOften, send_config
from exstream_notify.adapters.providers.errors import MessageRefused
from exstream_notify.adapters.providers.ses import Ses, SesSettings
from exstream_notify.adapters.providers.sms import MESSAGE_TYPES, Sms, SmsSettings
from exstream_notify.adapters.secrets import References
from exstream_notify.domain.messages import (
    Accepted,
    BulkJob,
    Content,
    GiveUp,
    SentRequest,
    TryAgain,
    Unconfirmed,
)
from exstream_notify.domain.references import made, verified


def unused() -> Any:
    raise AssertionError("no client is needed for a request")


KEYS = ("1", {"1": b"the key of the references"})


def reference_for(ref: str) -> str:
    """As a function makes it, the key secret at hand."""
    secret: Any = SimpleNamespace(keys=lambda: KEYS)
    return References(secret).make(ref)


def make_ses(**settings: Any) -> Ses:
    given = {"from_display_name": "Example Company", "configuration_set": "notices"} | settings
    return Ses(SesSettings("notices@example.com", **given), unused, reference_for)


def make_sms(**settings: Any) -> Sms:
    given = {"configuration_set": "notices"} | settings
    return Sms(SmsSettings("+12025550199", **given), unused)


def report(service: str, operation: str, parameters: Any) -> str:
    """What the SDK's own check, and the limits in the service's model, say against the parameters."""
    model = botocore.session.Session().get_service_model(service).operation_model(operation)
    found: str = ParamValidator().validate(parameters, model.input_shape).generate_report()
    return found + str(problems(service, operation, parameters) or "")


def test_an_email_with_all_that_it_can_have(mail: Any) -> None:
    headers = (
        ("List-Unsubscribe", "<https://documents.example.com/u/abc>"),
        ("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"),
    )
    request = make_ses(reply_to="support@example.com").request(
        mail(headers=headers, message_class="marketing")
    )
    parameters = json.loads(request.body)
    assert report("sesv2", "SendEmail", parameters) == ""
    assert request.url == "sesv2:SendEmail"
    assert parameters == {
        "FromEmailAddress": "Example Company <notices@example.com>",
        "Destination": {"ToAddresses": ["ann@example.com"]},
        "Content": {
            "Simple": {
                "Subject": {"Data": "Your statement", "Charset": "UTF-8"},
                "Body": {
                    "Text": {"Data": "Your statement is ready.", "Charset": "UTF-8"},
                    "Html": {"Data": "<p>Your statement is ready.</p>", "Charset": "UTF-8"},
                },
                "Headers": [
                    *({"Name": name, "Value": value} for name, value in headers),
                    {"Name": "X-Notice-Id", "Value": made(f"{1:032x}", 1, 1, KEYS[1]["1"])},
                ],
            }
        },
        "EmailTags": [
            {"Name": "notice_id", "Value": f"{1:032x}"},
            {"Name": "attempt", "Value": "1"},
        ],
        "ReplyToAddresses": ["support@example.com"],
        "ConfigurationSetName": "notices",
    }


def test_what_ses_forwards_comes_back_under_the_reference(mail: Any) -> None:
    request = make_ses(bounce_address="bounces@example.com").request(mail())
    parameters = json.loads(request.body)
    assert report("sesv2", "SendEmail", parameters) == ""
    (header,) = parameters["Content"]["Simple"]["Headers"]
    assert parameters["FeedbackForwardingEmailAddress"] == f"bounces+{header['Value']}@example.com"
    assert verified(header["Value"], {1: KEYS[1]["1"]}) == (f"{1:032x}", 1)
    assert "FeedbackForwardingEmailAddress" not in json.loads(make_ses().request(mail()).body)


def test_an_alert_is_no_attempt_of_a_notice_and_has_no_reference(mail: Any) -> None:
    alert = replace(mail(), ref="incident-0f:2")
    parameters = json.loads(make_ses(bounce_address="bounces@example.com").request(alert).body)
    assert report("sesv2", "SendEmail", parameters) == ""
    assert not {"FeedbackForwardingEmailAddress", "Headers"} & {*parameters, *parameters["Content"]["Simple"]}


@pytest.mark.parametrize("address", ["no address", "an-address-too-long-by-far@example.com", "@example.com"])
def test_a_bounce_address_without_room_for_a_reference_is_refused(address: str) -> None:
    with pytest.raises((ValueError, MessageRefused)):
        make_ses(bounce_address=address)


@pytest.mark.parametrize("message_class", MESSAGE_TYPES)
def test_a_text_with_all_that_it_can_have(message_class: Any, text: Any) -> None:
    request = make_sms().request(text(message_class=message_class))
    parameters = json.loads(request.body)
    assert report("pinpoint-sms-voice-v2", "SendTextMessage", parameters) == ""
    assert request.url == "pinpoint-sms-voice-v2:SendTextMessage"
    assert parameters == {
        "DestinationPhoneNumber": "+12025550142",
        "OriginationIdentity": "+12025550199",
        "MessageBody": "Your statement is ready.",
        "MessageType": "PROMOTIONAL" if message_class == "marketing" else "TRANSACTIONAL",
        "TimeToLive": 14_400,
        "Context": {"notice_id": f"{1:032x}", "attempt": "1"},
        "ConfigurationSetName": "notices",
    }


@pytest.mark.parametrize("name", ["ses", "sms"])
def test_the_stored_bytes_are_the_bytes_on_the_wire(name: str, canned: Any, request: Any) -> None:
    app, url = canned
    app.body = b'{"MessageId": "m-1"}'
    provider = request.getfixturevalue(name)(url)
    words = Content('Señor O\'Brien "x", 5 € 👋 مرحبا', "Grüße 👋", "<p>é</p>")
    message = request.getfixturevalue("mail" if name == "ses" else "text")(content=words)
    asked = provider.request(message)
    assert list(provider.send([asked])) == [Accepted("m-1")]
    assert app.bodies == [asked.body]


def test_words_arrive_as_they_were_written(
    ses: Any, sms: Any, url: str, simulators: Simulators, mail: Any, text: Any, send: Any
) -> None:
    words = Content("Señor O'Brien, 5 € 👋\nمرحبا", "Grüße «Ann» 👋", "<p>Zürich &amp; más</p>")
    assert isinstance(send(ses(url), mail(content=words)), Accepted)
    assert isinstance(send(sms(url), text(content=words)), Accepted)
    email, sms_message = simulators.store
    assert (email.text, email.subject, email.html) == (words.text, words.subject, words.html)
    assert sms_message.text == words.text
    source = message_from_bytes(email.source.encode(), policy=policy.default)
    assert source["Subject"] == words.subject
    assert email.ref == sms_message.ref == f"{1:032x}:1"


@pytest.mark.parametrize(
    ("provider", "settings"),
    [
        (SesSettings, {"from_address": "notices"}),
        (
            SesSettings,
            {"from_address": "notices@example.com", "from_display_name": "A\r\nBcc: x@example.com"},
        ),
        (SesSettings, {"from_address": "notices@example.com", "reply_to": "x\n@example.com"}),
        (SmsSettings, {"origination": ""}),
        (SmsSettings, {"origination": "Example Co"}),
        (SmsSettings, {"origination": "EXAMPLE", "time_to_live": 4}),
        (SmsSettings, {"origination": "EXAMPLE", "time_to_live": 259_201}),
    ],
)
def test_settings_that_every_call_would_fail_on_are_refused_at_once(
    provider: Callable[..., Any], settings: dict[str, Any]
) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        provider(**settings)


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({"subject": "two\r\nBcc: x@example.com"}, GiveUp("subject_has_control_characters", "content")),
        ({"subject": ""}, GiveUp("subject_empty", "content")),
        ({"content": Content("", "Subject")}, GiveUp("text_empty", "content")),
        ({"content": Content("x" * 5_000_000, "Subject")}, GiveUp("content_too_large", "content")),
        (
            {"headers": (("X-A", "b\r\nBcc: x@example.com"),)},
            GiveUp("header_has_other_characters", "content"),
        ),
        ({"headers": (("X-A", "é"),)}, GiveUp("header_has_other_characters", "content")),
        ({"headers": (("X-A", ""),)}, GiveUp("header_has_other_characters", "content")),
        ({"headers": (("X-A", "x" * 996),)}, GiveUp("header_has_other_characters", "content")),
        ({"headers": (("X A", "b"),)}, GiveUp("header_not_allowed", "content")),
        ({"headers": (("X:A", "b"),)}, GiveUp("header_not_allowed", "content")),
        ({"headers": (("BCC", "x@example.com"),)}, GiveUp("header_not_allowed", "content")),
        ({"headers": (("X-A", "b"),) * 16}, GiveUp("too_many_headers", "content")),
        ({"to": "ann@example"}, GiveUp("address_invalid", "recipient")),
        ({"to": "a..b@example.com"}, GiveUp("address_invalid", "recipient")),
        ({"to": "ann@-.com"}, GiveUp("address_invalid", "recipient")),
        ({"to": "ann@\u0301.example.com"}, GiveUp("address_domain_invalid", "recipient")),
        ({"to": "ann@example.com,bob@example.com"}, GiveUp("address_invalid", "recipient")),
    ],
)
def test_an_email_that_cannot_go_is_refused_before_it_is_sent(
    changes: dict[str, Any], answer: GiveUp, mail: Any
) -> None:
    with pytest.raises(MessageRefused) as refused:
        make_ses().request(mail(**changes))
    assert refused.value.answer == answer


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({"to": "2025550142"}, GiveUp("number_invalid", "recipient")),
        ({"content": Content("\n ")}, GiveUp("text_empty", "content")),
        ({"content": Content("x" * 1601)}, GiveUp("content_too_large", "content")),
        ({"headers": (("X-A", "b"),)}, GiveUp("headers_not_supported")),
    ],
)
def test_a_text_that_cannot_go_is_refused_before_it_is_sent(
    changes: dict[str, Any], answer: GiveUp, text: Any
) -> None:
    with pytest.raises(MessageRefused) as refused:
        make_sms().request(text(**changes))
    assert refused.value.answer == answer


def test_each_channel_has_its_provider(mail: Any, text: Any) -> None:
    bulk = BulkJob("b", "email", "transactional", Content("x", "y"), ())
    for provider, wrong in ((make_ses(), text()), (make_sms(), mail())):
        assert provider.supports_bulk is False
        with pytest.raises(MessageRefused, match="channel_not_supported"):
            provider.request(wrong)
        with pytest.raises(MessageRefused, match="bulk_not_supported"):
            provider.request_bulk(bulk)


def test_the_sdk_tries_once_whatever_the_environment_says(
    monkeypatch: pytest.MonkeyPatch,
    url: str,
    simulators: Simulators,
    request: Any,
    mail: Any,
    text: Any,
    send: Any,
) -> None:
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "5")
    monkeypatch.setenv("AWS_RETRY_MODE", "adaptive")
    ses, sms = request.getfixturevalue("ses"), request.getfixturevalue("sms")
    for provider, message in ((ses(url), mail("break@example.com")), (sms(url), text("+13025550105"))):
        assert isinstance(send(provider, message), Unconfirmed)
    assert len(simulators.store) == 2


def test_a_client_that_would_try_again_is_not_used(mail: Any) -> None:
    def client() -> Any:
        return boto3.client(
            "sesv2",
            region_name="us-east-1",
            aws_access_key_id="a",
            aws_secret_access_key="b",
            config=Config(),
        )

    provider = Ses(SesSettings("notices@example.com"), client)
    with pytest.raises(TriesTooOften):
        next(provider.send([provider.request(mail())]))


def test_a_client_that_cannot_be_made_defers(mail: Any, send: Any) -> None:
    def client() -> Any:
        raise LookupError("no role")

    assert send(Ses(SesSettings("notices@example.com"), client), mail()) == TryAgain(
        "credentials_unavailable", 600.0
    )


def test_without_credentials_nothing_is_sent(
    monkeypatch: pytest.MonkeyPatch, url: str, simulators: Simulators, mail: Any, send: Any
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/nonexistent")
    monkeypatch.setenv("AWS_CONFIG_FILE", "/nonexistent")

    def client() -> Any:
        session = botocore.session.Session()
        return session.create_client("sesv2", region_name="us-east-1", endpoint_url=url, config=send_config())

    provider = Ses(SesSettings("notices@example.com"), client)
    assert send(provider, mail()) == TryAgain("credentials_unavailable", 600.0)
    assert len(simulators.store) == 0


def test_a_request_of_another_provider_is_not_sent(
    ses: Any, sms: Any, url: str, simulators: Simulators, mail: Any, text: Any
) -> None:
    for provider, other in ((ses(url), sms(url).request(text())), (sms(url), ses(url).request(mail()))):
        assert list(provider.send([other])) == [GiveUp("address_of_service_wrong")]
    forged = SentRequest("https://email.example.com", ses(url).request(mail()).body)
    assert list(ses(url).send([forged])) == [GiveUp("address_of_service_wrong")]
    assert len(simulators.store) == 0


def test_calls_are_made_one_by_one_as_answers_are_taken(
    ses: Any, url: str, simulators: Simulators, mail: Any
) -> None:
    provider = ses(url)
    answers = provider.send([provider.request(mail(number=n)) for n in range(3)])
    assert len(simulators.store) == 0
    next(answers)
    assert len(simulators.store) == 1


def test_nothing_personal_is_shown(mail: Any) -> None:
    shown = repr(make_ses()) + repr(make_sms())
    assert shown == "Ses(configuration_set='notices')Sms(configuration_set='notices')"
