"""What functions ask the layer's libraries for, as JSON: run by the runtime's Python on one set of libraries.

`python layer_exercise.py FOLDER…` puts the folders in front of the path and prints the answers. A library of
which too much was pruned gives other answers than the whole one, or none.
"""

import json
import sys
import threading
from collections.abc import Callable, Mapping
from datetime import date
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

DAY = date(2026, 3, 9)


def modules() -> Any:
    """Every module of the package."""
    import importlib
    import pkgutil

    import exstream_notify

    names = [found.name for found in pkgutil.walk_packages(exstream_notify.__path__, "exstream_notify.")]
    return [importlib.import_module(name).__name__ for name in sorted(names)]


def formats() -> Any:
    """Dates, periods and money in every locale, and countries and zones by their names."""
    from babel.localedata import locale_identifiers

    from exstream_notify.adapters.countries import country_code
    from exstream_notify.adapters.rendering import formats as f
    from exstream_notify.adapters.zones import time_zone

    def of(locale: str) -> list[Any]:
        return [
            *(f.format_day("2026-03-09", locale, style) for style in ("long", "medium")),
            *(f.format_period(text, locale) for text in ("2026-03", "2026-Q1", "2026-01-05/2026-02-03")),
            *(f.format_money(Decimal("1234567.5"), code, locale) for code in ("USD", "JPY", "KWD", "")),
            f.format_money(Decimal("12.5"), "EUR", locale, code_only=True),
            f.format_count(1234567, locale),
            f.text_direction(locale),
        ]

    names = ["Vereinigte Staaten", "Espagne", "Reino Unido", "Germany", "840", "usa"]
    places = [f.locale_for("de", "AT", None, ""), f.locale_for("en", "", "en-GB", "US")]
    found = {locale: of(locale) for locale in locale_identifiers()}
    return [found, list(map(country_code, names)), time_zone("Central Standard Time"), places]


def addresses() -> Any:
    """Telephone numbers of every country, with their zones, and an e-mail address in another script."""
    import phonenumbers
    from email_validator import validate_email
    from phonenumbers import timezone

    found = {}
    for region in sorted(phonenumbers.SUPPORTED_REGIONS):
        number = phonenumbers.example_number_for_type(region, phonenumbers.PhoneNumberType.MOBILE)
        if number is not None:
            written = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
            kind = phonenumbers.number_type(number)
            found[region] = [written, kind, sorted(timezone.time_zones_for_number(number))]
    mail = validate_email("Ann@bücher.example", check_deliverability=False)
    return [found, mail.normalized, mail.ascii_domain]


def holiday_calendars() -> Any:
    """The holidays of every country."""
    import holidays

    from exstream_notify.adapters.expectation_rules import is_day_off
    from exstream_notify.domain.due_days import Holidays

    countries = sorted(holidays.list_supported_countries())
    found = {code: [str(day) for day in holidays.country_holidays(code, years=2026)] for code in countries}
    return [found, is_day_off(Holidays("DE"), DAY)]


def encryption() -> Any:
    """Sealing and opening."""
    from exstream_notify.adapters.encryption import Sealer

    sealer = Sealer(lambda: ("1", {"1": bytes(32)}), lambda: bytes(12))
    sealed = sealer.seal("salt", "ref", b"words")
    return [sealed, sealer.open("salt", "ref", sealed).decode()]


_LISTED = b"<ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>"
_PUBLISHED = b"<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>"


class _Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    seen: list[list[str]] = []  # noqa: RUF012 - one server

    def do_any(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.seen.append([self.command, self.path, self.headers.get("X-Amz-Target", "")])
        form = "urlencoded" in self.headers.get("Content-Type", "")
        answers = {"list-type" in self.path: _LISTED, form: _PUBLISHED}
        body = answers.get(True, b"{}")
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_PUT = do_POST = do_HEAD = do_any

    def log_message(self, *arguments: object) -> None:
        """Nothing."""


CALLS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "dynamodb": ("get_item", {"TableName": "t", "Key": {"pk": {"S": "k"}}}),
    "events": ("put_events", {"Entries": []}),
    "pinpoint-sms-voice-v2": (
        "send_text_message",
        {"DestinationPhoneNumber": "+12025550142", "OriginationIdentity": "pool", "MessageBody": "words"},
    ),
    "s3": ("list_objects_v2", {"Bucket": "b"}),
    "secretsmanager": ("get_secret_value", {"SecretId": "s"}),
    "sesv2": ("send_email", {"Content": {"Simple": {"Subject": {"Data": "s"}, "Body": {}}}}),
    "sns": ("publish", {"TopicArn": "arn:aws:sns:us-east-1:123456789012:t", "Message": "m"}),
    "sqs": ("send_message", {"QueueUrl": "http://127.0.0.1/q", "MessageBody": "m"}),
    "stepfunctions": ("start_execution", {"stateMachineArn": "arn", "input": "{}"}),
}


def services() -> Any:
    """One call of each service, made as the functions make it, to a server on this machine."""
    import os

    import httpx

    from exstream_notify.adapters.bootstrap import Bootstrap
    from exstream_notify.adapters.settings import Settings

    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    keys = {
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLE",
        "AWS_SECRET_ACCESS_KEY": "example",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    os.environ.update(keys)
    app = Bootstrap(Settings.from_environment({}))
    os.environ["AWS_ENDPOINT_URL"] = url
    for service, (operation, parameters) in CALLS.items():
        getattr(app.client(service), operation)(**parameters)
    list(app.client("s3").get_paginator("list_objects_v2").paginate(Bucket="b"))
    with httpx.Client(trust_env=False) as client:
        answer = client.post(f"{url}/jobs", json={})
    server.shutdown()
    return [_Answers.seen, answer.status_code, "boto3" in sys.modules]


def wordings() -> Any:
    """Templates in their sandbox, and YAML by libyaml."""
    import yaml
    from jinja2.sandbox import SandboxedEnvironment

    return [SandboxedEnvironment().from_string("{{ a }}").render(a=1), hasattr(yaml, "CSafeLoader")]


PARTS: tuple[Callable[[], Any], ...] = (
    *(modules, formats, addresses, holiday_calendars, encryption, wordings, services),
)


def main() -> None:
    """Print what the libraries in the folders answer."""
    sys.path[:0] = sys.argv[1:]
    print(json.dumps({part.__name__: part() for part in PARTS}, default=str))


if __name__ == "__main__":
    main()
