"""What the portal hears of preferences that changed elsewhere: names of changes, and the whole detail."""

from dataclasses import replace
from typing import Any

import pytest

from exstream_notify.domain.contacts import Consent, Contact
from exstream_notify.domain.portal_news import (
    LOST,
    changed_between,
    detail_of,
    is_portals,
    named_in,
    said_since,
    spoken_by,
)
from exstream_notify.domain.statements import Source, Statement
from tests.fakes.examples import a_contact, an_address

AT = "2026-11-20T15:00:00+00:00"


@pytest.mark.parametrize(
    ("who", "by"),
    [
        ("preference page", "page"),
        ("one-click", "one_click"),
        ("sms reply 7", "sms_reply"),
        ("import 0123 by ann", "import"),
        ("receipt 7", "receipt"),
        ("ann", "operator"),
        ("", "operator"),
    ],
)
def test_who_changed_it_is_never_a_persons_name(who: str, by: str) -> None:
    assert spoken_by(who) == by
    assert not is_portals(who)
    assert is_portals("portal 17")


def email(status: Any = "ok", value: str = "c0001@example.com") -> dict[str, Any]:
    return {"email": an_address(value, status=status)}


@pytest.mark.parametrize(
    ("before", "after", "names"),
    [
        ({}, {}, ()),
        ({"opt_outs": {"a": ("sms",)}}, {"opt_outs": {"a": ("sms",)}}, ()),
        (
            {"opt_outs": {"z": ("sms",), "a": ("sms",)}},
            {"opt_outs": {"b": ("email",), "a": ("email", "sms")}},
            ("opt_outs/a", "opt_outs/b", "opt_outs/z"),
        ),
        (
            {},
            {
                "paper_required": True,
                "language": "de",
                "quiet_hours": ("09:00", "18:00"),
                "channel_order": ("sms",),
            },
            ("language", "channel_order", "quiet_hours", "paper_required"),
        ),
        ({}, {"consent": Consent(True, "all", "1", AT, "x")}, ("consent",)),
        ({}, {"postcode": "1010", "version": 9}, ()),
        ({}, email(value="new@example.com"), ("email",)),
        ({}, {"email": None}, ("email",)),
        ({"mobile": None}, {}, ("mobile",)),
        ({}, email("invalid"), ("email_status",)),
        (email("complained"), email("ok"), ("email_status",)),
        (email("invalid"), email("opted_out"), ("email_status",)),
        ({}, email("soft"), ()),  # it may be used still
        (email("soft"), email("ok"), ()),
        ({"email": None}, email("invalid"), ("email", "email_status")),
        (email("invalid"), {"email": None}, ("email",)),
    ],
)
def test_what_changed_between_two_states(
    before: dict[str, Any], after: dict[str, Any], names: tuple[str, ...]
) -> None:
    assert LOST == ("invalid", "complained", "opted_out")
    assert changed_between(a_contact(**before), a_contact(**after)) == names


def said(what: str, source: Source = "operator", by: str = "ann", recorded: str = AT) -> Statement:
    return Statement(what, "out", AT, source, by, recorded)


def test_what_statements_may_have_changed() -> None:
    stops = (said("opt_outs/a/sms", "reply"), said("opt_outs/b/sms", "customer"), said("language", "reply"))
    contact = a_contact(statements=stops)
    assert named_in(contact, [said("opt_outs/a/sms"), said("opt_outs/a/email")]) == ("opt_outs/a",)
    assert named_in(contact, [said("opt_outs/*/sms")]) == ("opt_outs/*", "mobile_status")
    assert named_in(contact, [said("opt_outs/*/email")]) == ("opt_outs/*", "email_status")
    assert named_in(contact, [said("started/sms")]) == ("opt_outs/a",)
    assert named_in(contact, [said("email"), said("language")]) == (
        "email",
        "email_status",
        "language",
        "language_status",
    )


def test_what_others_than_the_portal_said_since() -> None:
    rows = (
        said("language", by="portal 3"),
        said("consent"),
        said("paper_required", recorded="2026-11-20T14:59:59+00:00"),
        said("quiet_hours", recorded="2026-11-20T15:00:01+00:00"),
    )
    assert said_since(a_contact(statements=rows), AT) == (rows[1], rows[3])


FULL: Contact = a_contact(
    recipient="R1",
    opt_outs={"a": ("email", "sms")},
    language="de",
    channel_order=("sms", "email"),
    quiet_hours=("09:00", "18:00"),
    paper_required=True,
    consent=Consent(True, "all", "2026-01", AT, "x"),
    email=an_address("c0001@example.com", status="invalid"),
)
HEAD = {"domain": "retail", "customer_key": "C0001"}
TAIL = {"at": AT, "by": "operator"}


@pytest.mark.parametrize(
    ("names", "detail"),
    [
        ((), {}),
        (("opt_outs/a", "opt_outs/b"), {"opt_outs": {"a": ["email", "sms"], "b": []}}),
        (
            ("language", "channel_order", "quiet_hours", "paper_required"),
            {
                "language": "de",
                "channel_order": ["sms", "email"],
                "quiet_hours": ["09:00", "18:00"],
                "paper_required": True,
            },
        ),
        (("consent",), {"consent": {"given": True, "version": "2026-01"}}),
        (("email",), {"email": "c0001@example.com"}),
        (("email_status",), {"email_status": "invalid"}),
        (("mobile_status",), {"mobile_status": "ok"}),
    ],
)
def test_the_detail_has_what_changed_and_nothing_else(names: tuple[str, ...], detail: dict[str, Any]) -> None:
    assert detail_of(FULL, names, "ann", AT) == {**HEAD, "recipient": "R1", **detail, **TAIL}


def test_what_is_gone_is_told_as_empty() -> None:
    gone = replace(a_contact(), email=None)
    names = ("opt_outs/a", "language", "channel_order", "quiet_hours", "consent", "email", "email_status")
    assert detail_of(gone, names, "sms reply 7", AT) == {
        **HEAD,
        "opt_outs": {"a": []},
        "language": None,
        "channel_order": [],
        "quiet_hours": None,
        "email": "",
        "at": AT,
        "by": "sms_reply",
    }
    soft = a_contact(**email("soft"))
    assert detail_of(soft, ("email_status",), "ann", AT)["email_status"] == "ok"
