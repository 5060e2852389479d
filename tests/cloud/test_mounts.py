"""Simulators and pages served beside AWS, on one address."""

import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from exnotify.cloud import EmbeddedCloud, target_is

StartResponse = Callable[..., Any]


def test_applications_are_mounted_beside_aws(miniature: Path) -> None:
    def page(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        yield b"a stream "
        yield environ["PATH_INFO"].encode()

    def sender(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        may = environ["exnotify.allowed"](
            "dynamodb:GetItem", "arn:aws:dynamodb:us-east-1:123456789012:table/exnotify-Table"
        )
        may_not = environ["exnotify.allowed"]("sms-voice:SendTextMessage")
        body = json.dumps({"MessageId": f"{may} {may_not}"}).encode()
        start_response(
            "200 OK", [("Content-Type", "application/x-amz-json-1.0"), ("Content-Length", str(len(body)))]
        )
        return [body]

    def faulty(environ: dict[str, Any], start_response: StartResponse) -> Iterable[bytes]:
        raise (
            ConnectionAbortedError("hangs up")
            if environ["PATH_INFO"] == "/faulty/line"
            else LookupError("a bug")
        )

    cloud = EmbeddedCloud(miniature, parameters={"Greeting": "{url}/hello"})
    cloud.mount("/inbox", page)
    cloud.mount("/faulty", faulty)
    cloud.mount(target_is("PinpointSMSVoiceV2."), sender)
    with cloud:
        with urllib.request.urlopen(f"{cloud.url}/inbox/1") as answer:  # noqa: S310 - our own address
            assert answer.read() == b"a stream /inbox/1"
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"{cloud.url}/inboxes")  # noqa: S310 - our own address
        caught.value.close()
        with pytest.raises((http.client.RemoteDisconnected, ConnectionError)):
            urllib.request.urlopen(f"{cloud.url}/faulty/line")  # noqa: S310 - our own address
        with pytest.raises(urllib.error.HTTPError, match="500") as caught:
            urllib.request.urlopen(f"{cloud.url}/faulty/code")  # noqa: S310 - our own address
        caught.value.close()
        order = {
            "do": "return",
            "expression": "__import__('boto3').client('pinpoint-sms-voice-v2')"
            ".send_text_message(DestinationPhoneNumber='+12025550123', MessageBody='m')['MessageId']",
        }
        assert cloud.invoke("TakeOrdersFunction", order).value == "True False"
        environment = cloud.invoke("TakeOrdersFunction", {"do": "tell"}).value["environment"]
        assert environment["GREETING"] == f"{cloud.url}/hello, exnotify"
        stop = urllib.request.Request(f"{cloud.url}/_exnotify/stop", method="POST")  # noqa: S310 - our own address
        with urllib.request.urlopen(stop) as answer:  # noqa: S310 - our own address
            assert (answer.status, json.load(answer)) == (202, {"stopping": True})
        assert cloud.wait(1)
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(cloud.url)  # noqa: S310 - our own address
