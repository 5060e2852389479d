"""`exnotify contact --set`, field by field."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from exnotify.commands.contact import contact_row
from exnotify.contact_changes import FIELDS, ChangeRefusedError, apply_changes, parse_change
from exstream_notify.adapters.addresses import Addresses
from exstream_notify.domain.contacts import Contact, merge
from exstream_notify.domain.preferences import consented, without
from tests.fakes.examples import a_contact, a_document, an_address

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)


def changed(contact: Contact, *settings: str, why: str = "") -> Contact:
    changes = [parse_change(text) for text in settings]
    return apply_changes(contact, changes, check=Addresses().check, now=NOW, who="ann", why=why)


CHANGES: Sequence[tuple[str, str, Any]] = [
    ("language=es", "language", "es"),
    ("language=FR_ca", "language", "fr-CA"),
    ("time_zone=Europe/Vienna", "time_zone", "Europe/Vienna"),
    ("country=de", "country", "DE"),
    ("country=UK", "country", "GB"),
    ("postcode=1010", "postcode", "1010"),
    ("paper_required=yes", "paper_required", True),
    ("paper-required=1", "paper_required", True),
    ("legal_hold=case 17", "legal_hold", "case 17"),
    ("channel_order=sms, email", "channel_order", ("sms", "email")),
    ("opt_out=sms", "opt_outs", {"*": ("sms",)}),
    ("opt_out=statements/sms", "opt_outs", {"statements": ("sms",)}),
    ("opt_out=sms,email", "opt_outs", {"*": ("email", "sms")}),
    ("opt_outs=bills/email,sms", "opt_outs", {"bills": ("email",), "*": ("sms",)}),
]


@pytest.mark.parametrize(("setting", "name", "value"), CHANGES, ids=[row[0] for row in CHANGES])
def test_a_field_is_set_one_version_on(setting: str, name: str, value: Any) -> None:
    before = a_contact(time_zone=None)
    after = changed(before, setting)
    assert getattr(after, name) == value
    assert (after.version, after.changed_at) == (before.version + 1, "2026-11-20T15:00:00+00:00")


@pytest.mark.parametrize(("setting", "name", "value"), CHANGES, ids=[row[0] for row in CHANGES])
def test_every_change_is_in_the_history_with_who_when_from_to(setting: str, name: str, value: Any) -> None:
    after = changed(a_contact(time_zone=None), setting, why="asked by phone")
    (entry,) = after.history
    assert entry["to"]
    assert {**entry, "to": "", "from": ""} == {
        "at": "2026-11-20T15:00:00+00:00",
        "who": "ann",
        "field": name,
        "from": "",
        "to": "",
        "why": "asked by phone",
    }


def test_an_address_is_checked_and_made_canonical() -> None:
    after = changed(a_contact(), "email=New.Address@Example.com", "mobile=(202) 555-0142")
    assert after.email is not None
    assert after.mobile is not None
    assert (after.email.value, after.email.status, after.email.source) == (
        "new.address@example.com", "ok", "operator ann",
    )  # fmt: skip
    assert after.mobile.value == "+12025550142"
    assert [(e["field"], e["from"], e["to"]) for e in after.history] == [
        ("email", "c0001@example.com", "new.address@example.com"),
        ("mobile", "+12025550101", "+12025550142"),
    ]


def test_an_address_that_was_invalid_says_so_in_the_history() -> None:
    broken = a_contact(email=an_address("a@example.com", status="invalid"))
    assert changed(broken, "email=a@example.com").history[0]["from"] == "a@example.com (invalid)"


def test_what_was_set_wins_over_a_later_drop_until_it_is_taken_back() -> None:
    drop = a_document(email="other@example.com", language="de", country="AT")
    checked = {"email": an_address("other@example.com")}

    def dropped(contact: Contact) -> Contact:
        return merge(contact, drop, checked, NOW + timedelta(days=1), contact.salt)  # type: ignore[arg-type]

    contact = changed(a_contact(), "email=mine@example.com", "language=es")
    assert contact.set_by_customer == ("email", "language")
    kept = dropped(contact)
    assert kept.email is not None
    assert (kept.email.value, kept.language, kept.country) == ("mine@example.com", "es", "AT")

    given_back = changed(kept, "email=", "language=")
    assert (given_back.email, given_back.language, given_back.set_by_customer) == (None, None, ())
    again = dropped(given_back)
    assert again.email is not None
    assert (again.email.value, again.language) == ("other@example.com", "de")


def test_opt_outs_add_up_and_opting_in_takes_them_back() -> None:
    contact = changed(a_contact(), "opt_out=statements/sms", "opt_out=email", "opt_out=statements/email")
    assert contact.opt_outs == {"statements": ("email", "sms"), "*": ("email",)}
    assert contact.opted_out("sms", "statements")
    assert not contact.opted_out("sms", "bills")
    contact = changed(contact, "opt_in=statements/sms", "opt_in=email")
    assert contact.opt_outs == {"statements": ("email",)}
    contact = changed(contact, "opt_outs=")
    assert contact.opt_outs is None
    assert contact.history[-1]["from"] == "statements/email"


def test_consent_can_be_withdrawn_and_given() -> None:
    contact = changed(a_contact(), "consent=no")
    assert contact.consent is not None
    assert (contact.consent.given, contact.consent.at, contact.consent.source) == (
        False, "2026-11-20T15:00:00+00:00", "operator ann",
    )  # fmt: skip
    assert changed(contact, "consent=yes").history[-1]["from"] == "withdrawn electronic delivery"
    assert changed(contact, "consent=").consent is None


def test_what_says_so_already_changes_nothing() -> None:
    contact = changed(a_contact(), "language=es")
    again = changed(contact, "language=es", "paper_required=no", "opt_in=sms")
    assert (again.history, again.opt_outs, again.changed_at) == (
        contact.history, contact.opt_outs, contact.changed_at,
    )  # fmt: skip
    assert again.version == contact.version + 1, "that it was said is remembered"
    assert changed(again, "language=es", "paper_required=no", "opt_in=sms") is again


@pytest.mark.parametrize("setting", ["opt_in=statements/sms", "opt_outs=", "opt_outs=statements/email"])
def test_a_customer_s_own_opt_out_is_not_lifted_by_an_operator(setting: str) -> None:
    contact = without(a_contact(), ["statements"], ("sms",), NOW, "one-click")
    with pytest.raises(ChangeRefusedError, match=r"opted out of statements on sms \(one-click 2026-11-20"):
        changed(contact, setting)


def test_a_customer_who_withdrew_consent_is_not_made_to_give_it() -> None:
    contact = consented(a_contact(), False, "", NOW, "preference page")
    with pytest.raises(ChangeRefusedError, match="withdrew consent"):
        changed(contact, "consent=yes")


REFUSED = [
    ("language", "not FIELD=VALUE"),
    ("salt=x", "not FIELD=VALUE with one of email, mobile"),
    ("=x", "not FIELD=VALUE"),
    ("email=nobody", "cannot be used"),
    ("mobile=12", "cannot be used"),
    ("mobile=+18005550199", "cannot be used"),
    ("language=klingonese", "not a language tag"),
    ("time_zone=Mars/Base", "not a zone of the tz database"),
    ("country=Ruritania", "ISO 3166"),
    ("paper_required=maybe", "yes or no"),
    ("paper_required=", "yes or no"),
    ("channel_order=fax", "no channel"),
    ("opt_out=statements", "no channel"),
    ("opt_out=", "needs a channel"),
    ("consent=perhaps", "yes or no"),
    ("postcode=" + "1" * 21, "longer than 20"),
]


@pytest.mark.parametrize(("setting", "reason"), REFUSED, ids=[row[0][:30] for row in REFUSED])
def test_what_cannot_be_set_is_refused_with_what_can(setting: str, reason: str) -> None:
    with pytest.raises(ChangeRefusedError, match=reason):
        changed(a_contact(), setting)


def test_one_topic_cannot_be_opted_in_while_all_are_out() -> None:
    with pytest.raises(ChangeRefusedError, match="take that back first, opt_in=sms"):
        changed(changed(a_contact(), "opt_out=sms"), "opt_in=statements/sms")


def test_every_field_is_one_of_the_contact_s_and_the_salt_is_never_shown() -> None:
    assert set(FIELDS) - {"opt_out", "opt_in"} <= set(Contact.__dataclass_fields__)
    row = contact_row(a_contact(opt_outs={"*": ("sms",)}))
    assert "salt" not in row
    assert a_contact().salt not in str(row)
    assert row["opt_outs"] == {"*": ["sms"]}
    assert row["email"]["status"] == "ok"
