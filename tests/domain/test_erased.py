"""What remains of an erased customer's records and notices, and in which texts the customer is named."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from exstream_notify.domain.contacts import AddressChange, Told
from exstream_notify.domain.erased import (
    ERASED,
    KEPT_FIELDS,
    Person,
    blanked,
    person_of,
    redacted,
    reduced_reject,
    with_words,
)
from exstream_notify.domain.notices import (
    REDACTED,
    Attempt,
    Correction,
    Status,
    chain_holds,
    happened,
    head,
)
from exstream_notify.domain.passes import handle_of
from exstream_notify.domain.payments import NO_PAYMENTS, Fact, with_facts
from tests.fakes import a_contact, a_notice, an_address

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
ANNA = Person(
    "retail", "C0001", words=("anna@example.com", "12025550101"), before="2026-11-20T15:00:00+00:00"
)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("bounced: ANNA@EXAMPLE.COM unknown", True),
        ("to +12025550101", True),
        ("customer C0001 called", True),
        ("C0001", True),
        ("(C0001)", True),
        ("C00011", False),
        ("C0001-B", False),
        ("XC0001", False),
        ("A.C0001", False),
        ("A-C0001", False),
        ("c0001", False),
        ("nobody", False),
    ],
)
def test_a_text_names_a_customer_by_an_address_or_the_whole_key(text: str, named: bool) -> None:
    assert ANNA.named_in(text) is named


@pytest.mark.parametrize(("key", "named"), [("12", False), ("1234", False), ("12345", True), ("A12", True)])
def test_a_short_number_names_nobody(key: str, named: bool) -> None:
    assert Person("retail", key).named_in(f"of customer {key}") is named


def test_a_record_is_its_holders_own() -> None:
    holder = Person("retail", "C0001", "joint")
    assert ANNA.owns({"customer_key": "C0001"})
    assert ANNA.owns({"customer_key": "C0001", "recipient": None})
    assert not ANNA.owns({"customer_key": "C0001", "recipient": "joint"})
    assert holder.owns({"customer_key": "C0001", "recipient": "joint"})
    assert not holder.owns({"customer_key": "C0001"})
    assert not ANNA.owns({"customer_key": "C0002"})
    assert ANNA.contact_key != holder.contact_key


@pytest.mark.parametrize(
    ("at", "existed"),
    [
        ("2026-11-20T14:59:59Z", True),
        ("2026-11-20T15:00:00.900+00:00", True),
        ("2026-11-20T15:00:01Z", False),
        ("", True),
    ],
)
def test_what_was_made_after_the_erasure_is_not_touched(at: str, existed: bool) -> None:
    assert ANNA.existed(at) is existed
    assert replace(ANNA, before="").existed(at)


def test_files_that_may_name_the_customer_have_one_of_the_hints() -> None:
    person = Person("retail", 'A&B<"1">', words=("Anna@example.com",))
    assert person.hints() == (
        'a&b<"1">',
        'a&amp;b&lt;"1"&gt;',
        'a&b<\\"1\\">',
        'a&b<""1"">',
        "anna@example.com",
    )
    assert Person("retail", "C1").hints() == ("c1",)


def test_whom_to_look_for_is_every_address_that_the_contact_ever_had() -> None:
    contact = a_contact(
        email=an_address("now@example.com", given="Now@Example.com"),
        mobile=an_address("+12025550101"),
        history=(
            {"field": "email", "from": "old@example.com", "to": "now@example.com"},
            {"field": "language", "from": "english", "to": "french"},
            {"field": "mobile", "from": "+12025550199", "to": ""},
        ),
    )
    person = person_of(contact, "2026-11-20")
    assert (person.domain, person.customer_key, person.before) == ("retail", "C0001", "2026-11-20")
    assert person.handle == handle_of(contact.salt)
    assert set(person.words) == {
        *("now@example.com", "Now@Example.com", "12025550101", "old@example.com", "12025550199"),
    }
    assert person_of(replace(contact, salt="")).handle == ""


def test_words_are_added_once_and_none_that_is_too_short_to_name_anybody() -> None:
    person = with_words(ANNA, ["+12025550101", " new@example.com ", "", "1234", "12345"])
    assert person.words == ("anna@example.com", "12025550101", "new@example.com", "12345")


def test_a_staged_line_keeps_its_place_its_identity_and_its_length() -> None:
    record = {name: f"value of {name}" for name in KEPT_FIELDS} | {
        "email": "anna@example.com",
        "amount_due": "1",
    }
    line = json.dumps(record).encode()
    after = blanked(line)
    assert len(after) == len(line)
    assert json.loads(after) == {name: f"value of {name}" for name in KEPT_FIELDS}
    assert b"anna" not in after
    with pytest.raises(ValueError, match="does not become shorter"):
        blanked(b'{"pos":1e2}')


def test_which_fields_of_a_record_stay() -> None:
    assert set(KEPT_FIELDS) == {
        *("pos", "customer_key", "recipient", "document_id", "document_type", "edition", "content_sha256"),
        *("produced_at", "customer_in_run", "internal_teams", "supersedes", "test_flag", "disputed"),
        "undated",
    }


def test_a_rejected_record_keeps_where_and_why() -> None:
    row = {"pos": 7, "reason": "no customer_key", "raw": "Anna;anna@example.com"}
    assert reduced_reject(row) == {"pos": 7, "reason": "no customer_key", "raw": ERASED}


def test_a_notice_keeps_keys_hashes_and_times_and_its_chain_holds() -> None:
    attempt = Attempt(1, "email", "ses", "hash", "job", Status.BOUNCED, why="no anna@example.com here")
    other = Attempt(2, "sms", "sms", "hash", "job", Status.SENT, why="")
    notice = replace(
        a_notice(version=4, case_id="CASE-1", why="anna@example.com refused", link_revoked="Anna asked"),
        attempts=(attempt, other),
    )
    for what, detail in (
        ("claimed", "1 email ses"),
        ("receipt hard_bounce", "1 ses 5.1.1 <anna@example.com>"),
        ("opened", "from my sister's house"),
        ("responded", ""),
        ("sent", "2"),
    ):
        notice = happened(notice, NOW, what, detail)
    before = head(notice)
    after = redacted(notice, ANNA)
    assert (after.version, after.case_id, after.why, after.link_revoked) == (
        notice.version + 1,
        "",
        ERASED,
        ERASED,
    )
    assert [a.why for a in after.attempts] == [ERASED, ""]
    assert [event.detail.startswith(REDACTED) for event in after.events] == [False, True, True, False, False]
    assert "anna" not in repr(after)
    assert chain_holds(after)
    assert head(after) == before
    assert redacted(after, ANNA) is after


def test_a_notice_that_says_nothing_of_anybody_stays_the_same() -> None:
    notice = happened(a_notice(version=4, why="provider_down"), NOW, "deferred", "provider_down")
    assert redacted(notice, ANNA) is notice


def test_what_changes_of_addresses_knew_is_looked_for_too() -> None:
    told = Told("changed", "email", "told@example.com", "t", "sent", "n1")
    change = AddressChange(
        "c",
        "email",
        an_address("asked@example.com", given="Asked@x.example"),
        "",
        "",
        "",
        "page",
        told=(told,),
    )
    contact = a_contact(email=None, mobile=None, changing=(change,), recipient="R1")
    person = person_of(contact)
    assert person.words == ("asked@example.com", "Asked@x.example", "told@example.com")
    assert (person.recipient, person.contact_key, person.before) == ("R1", "C0001\x1fR1", "")


@pytest.mark.parametrize(
    "what",
    [
        *("opened", "responded", "paid", "acknowledged", "link revoked", "link unlocked", "journey stopped"),
        *("journey resumed", "paid in part", "paid again", "payment reversed", "payment moved"),
    ],
)
def test_somebodys_words_and_amounts_go(what: str) -> None:
    notice = happened(a_notice(), NOW, what, "words")
    assert redacted(notice, ANNA).events[0].detail == REDACTED + head(notice)


def test_payments_and_due_dates_go_and_the_rest_stays() -> None:
    notice = a_notice(
        version=4,
        payments=with_facts(NO_PAYMENTS, [Fact("payment", "p", "", "5", "USD")]),
        corrections=(Correction(a_notice().origin, "2026-12-01", nothing_due=True),),
        why="provider_down",
    )
    assert redacted(notice, ANNA) == replace(
        notice,
        version=5,
        payments=NO_PAYMENTS,
        corrections=(Correction(a_notice().origin, "", nothing_due=True),),
    )


def test_a_line_of_the_same_length_is_long_enough() -> None:
    assert blanked(b'{"pos":1}') == b'{"pos":1}'
    assert ANNA.existed("2026-11-20T15:00:00.900Z")
    assert not ANNA.existed("2026-11-20T15:00:01.000Z")
