"""What OpenText Notifications takes, checked as strictly as its public API description allows."""

import re
from base64 import b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .store import Channel

_NUMBER = re.compile(r"(?:\+|00)?([1-9][0-9]{6,14})")
_EMAIL = re.compile(r"[!-?A-~]{1,64}@(?:[0-9A-Za-z-]{1,63}\.)+[0-9A-Za-z-]{2,63}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")
_MARK = re.compile(r"\(i([0-9]{1,4})\)")
MESSAGE_ID_MAX = 80
DESTINATIONS_MAX = 1000
"""Not public; made up."""

_OPTIONS = {"message_id", "billing_code", "customer_reference"}
_EMAIL_OPTIONS = {
    "subject", "from_display_name", "forward_reply", "charset", "pull_password", "html_open_tracking",
    "expiration_days", "display_to", "display_cc",
}  # fmt: skip


class Invalid(ValueError):
    """The request breaks the description; the text names the field, never its content."""


@dataclass(frozen=True, slots=True)
class Destination:
    """One destination: `given` as in the request, `to` with a number in E.164."""

    ref: str
    given: str
    to: str
    inserts: Mapping[int, str]

    def filled(self, text: str) -> str:
        """The text with this destination's inserts in it, once: an insert's own marks stay as they are."""
        return _MARK.sub(lambda mark: self.inserts.get(int(mark[1]), mark[0]), text)


@dataclass(frozen=True, slots=True)
class Submission:
    """A job as asked for."""

    channel: Channel
    destinations: tuple[Destination, ...]
    message_id: str
    billing_code: str
    customer_reference: str
    subject: str
    from_display_name: str
    text: str
    html: str


def check(channel: Channel, document: object) -> Submission:
    """The submission; Invalid with the field that is wrong."""
    body = _object(document, "body")
    names = {"options", "reports", "destinations"} | ({"sms_text"} if channel == "sms" else {"body"})
    _only(body, names, "body")
    options = _object(body.get("options", {}), "options")
    _only(options, _OPTIONS | ({"email_options"} if channel == "email" else set()), "options")
    for name in sorted(_OPTIONS):
        _line(options.get(name, ""), f"options.{name}")
    if len(options.get("message_id", "")) > MESSAGE_ID_MAX:
        raise Invalid(f"options.message_id: longer than {MESSAGE_ID_MAX} characters")
    _object(body.get("reports", {}), "reports")
    email = _email_options(options.get("email_options", {})) if channel == "email" else {}
    text, html = _parts(body.get("body")) if channel == "email" else (_sms_text(body.get("sms_text")), "")
    return Submission(
        channel,
        _destinations(channel, body.get("destinations")),
        options.get("message_id", ""),
        options.get("billing_code", ""),
        options.get("customer_reference", ""),
        email.get("subject", ""),
        email.get("from_display_name", ""),
        text,
        html,
    )


def _destinations(channel: Channel, rows: object) -> tuple[Destination, ...]:
    if not isinstance(rows, list) or not 1 <= len(rows) <= DESTINATIONS_MAX:
        raise Invalid(f"destinations: a list of 1 to {DESTINATIONS_MAX}")
    found = tuple(_destination(channel, row, f"destinations[{number}]") for number, row in enumerate(rows))
    refs = [destination.ref for destination in found if destination.ref]
    if len(set(refs)) != len(refs):
        raise Invalid("destinations: a ref occurs twice")
    return found


def _destination(channel: Channel, document: object, where: str) -> Destination:
    row = _object(document, where)
    names = {"ref", channel, "inserts"} | ({"display_to", "display_cc"} if channel == "email" else set())
    _only(row, names, where)
    for name in sorted(names - {channel, "inserts"}):
        _line(row.get(name, ""), f"{where}.{name}")
    given = row.get(channel)
    pattern = _EMAIL if channel == "email" else _NUMBER
    match = pattern.fullmatch(given) if isinstance(given, str) else None
    if match is None:
        raise Invalid(f"{where}.{channel}: no address")
    inserts: dict[int, str] = {}
    rows = row.get("inserts", [])
    if not isinstance(rows, list):
        raise Invalid(f"{where}.inserts: a list")
    for number, entry in enumerate(rows):
        insert = _object(entry, f"{where}.inserts[{number}]")
        _only(insert, {"id", "value"}, f"{where}.inserts[{number}]")
        key, value = insert.get("id"), insert.get("value")
        if isinstance(key, bool) or not isinstance(key, int) or key < 1 or key in inserts:
            raise Invalid(f"{where}.inserts[{number}].id: a number from 1, once each")
        if not isinstance(value, str):
            raise Invalid(f"{where}.inserts[{number}].value: a text")
        inserts[key] = value
    to = match[0] if channel == "email" else f"+{match[1]}"
    return Destination(row.get("ref", ""), match[0], to, inserts)


def _email_options(document: object) -> Mapping[str, Any]:
    options = _object(document, "options.email_options")
    _only(options, _EMAIL_OPTIONS, "options.email_options")
    for name in sorted(_EMAIL_OPTIONS - {"expiration_days"}):
        _line(options.get(name, ""), f"options.email_options.{name}")
    if not options.get("subject", "").strip():
        raise Invalid("options.email_options.subject: missing")
    if options.get("html_open_tracking", "none") not in ("top", "bottom", "none"):
        raise Invalid("options.email_options.html_open_tracking: top, bottom or none")
    days = options.get("expiration_days", 1)
    if isinstance(days, bool) or not isinstance(days, int) or not 1 <= days <= 365:
        raise Invalid("options.email_options.expiration_days: a number of days")
    return options


def _parts(rows: object) -> tuple[str, str]:
    if not isinstance(rows, list) or not rows:
        raise Invalid("body: a list of parts")
    found: dict[str, str] = {}
    for number, document in enumerate(rows):
        where = f"body[{number}]"
        part = _object(document, where)
        _only(part, {"name", "type", "charset", "data"}, where)
        kind = part.get("type")
        if kind not in ("text", "html") or kind in found:
            raise Invalid(f"{where}.type: text or html, once each")
        _line(part.get("name", ""), f"{where}.name")
        try:
            raw = b64decode(part["data"], validate=True)
            found[kind] = raw.decode(part.get("charset", "ISO-8859-1"))
        except (KeyError, TypeError, ValueError, LookupError):
            raise Invalid(f"{where}.data: base64 of text in its charset") from None
    return found.get("text", ""), found.get("html", "")


def _sms_text(text: object) -> str:
    if not isinstance(text, str) or not text.strip():
        raise Invalid("sms_text: missing")
    return text


def _object(value: object, where: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise Invalid(f"{where}: an object")
    return value


def _only(row: Mapping[str, Any], names: set[str], where: str) -> None:
    unknown = sorted(set(row) - names)
    if unknown:
        raise Invalid(f"{where}: unknown field {unknown[0][:40]!r}")


def _line(value: object, where: str) -> None:
    if not isinstance(value, str) or _CONTROL.search(value):
        raise Invalid(f"{where}: one line of text")
