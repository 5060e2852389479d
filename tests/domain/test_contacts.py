"""How a drop's record bears on what is known of a customer."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from exstream_notify.domain.contacts import (
    MAX_HISTORY,
    Address,
    Consent,
    Contact,
    addresses_to_check,
    as_present,
    merge,
    with_entries,
)
from exstream_notify.domain.documents import Channel
from exstream_notify.domain.holders import keyed_digest, name_of, packed
from tests.fakes import FakeAddresses, a_contact, a_document, an_address

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
AT = "2026-11-20T15:00:00+00:00"
OLD, NEW = "c0001@example.com", "new@example.com"


def fresh(value: str, **changes: str) -> dict[Channel, Address]:
    """A newly checked e-mail address."""
    return {"email": an_address(value, **changes)}


def test_a_customer_never_seen_is_created_from_the_record() -> None:
    document = a_document(language="es", country="US", postcode="20001")
    contact = merge(None, document, fresh(OLD), NOW, "salt")

    assert contact.version == 1
    assert (contact.salt, contact.created_at, contact.changed_at) == ("salt", AT, AT)
    assert contact.email == an_address(OLD)
    assert (contact.language, contact.country, contact.postcode) == ("es", "US", "20001")
    assert contact.time_zone == "America/New_York"
    assert contact.consent is None, "consent is the composer's to know, until the customer says otherwise"


def test_a_record_that_says_nothing_new_changes_nothing() -> None:
    contact = a_contact()

    assert merge(contact, a_document(), {}, NOW, "other") is contact


def test_only_addresses_that_are_new_need_checking() -> None:
    contact = a_contact()

    assert addresses_to_check(None, a_document()) == {"email": OLD, "sms": "+12025550101"}
    assert addresses_to_check(contact, a_document()) == {}
    assert addresses_to_check(contact, a_document(email=NEW)) == {"email": NEW}
    assert addresses_to_check(contact, a_document(email=None, mobile="")) == {}


def test_the_same_address_written_otherwise_is_no_change() -> None:
    contact = a_contact()

    assert merge(contact, a_document(), fresh(OLD, given="C0001@Example.COM"), NOW, "") is contact


@pytest.mark.parametrize(
    ("known", "found", "stands"),
    [
        # a different address replaces the drop's earlier one, and clears what was wrong with it
        ("ok", "ok", NEW),
        ("soft", "ok", NEW),
        ("invalid", "ok", NEW),
        ("complained", "ok", NEW),
        # one that cannot be used never replaces one that can
        ("ok", "invalid", OLD),
        ("soft", "invalid", OLD),
        ("invalid", "invalid", NEW),
    ],
)
def test_a_different_address_in_a_later_drop(known: str, found: str, stands: str) -> None:
    contact = a_contact(email=an_address(OLD, status=known))
    after = merge(contact, a_document(email=NEW), fresh(NEW, status=found), NOW, "")

    assert after.email is not None
    assert after.email.value == stands
    if stands == NEW:
        assert (after.email.status, after.version, after.changed_at) == (found, 2, AT)
    else:
        assert after is contact


def test_the_same_address_stays_invalid() -> None:
    contact = a_contact(email=an_address(OLD, status="invalid", why="bounced"))

    assert merge(contact, a_document(), fresh(OLD), NOW, "") is contact


@pytest.mark.parametrize("status", ["ok", "invalid", "opted_out"])
def test_what_the_customer_set_wins(status: str) -> None:
    contact = a_contact(
        email=an_address("mine@example.com", status=status),
        language="fr",
        time_zone="Europe/Paris",
        set_by_customer=("email", "language", "time_zone"),
    )
    document = a_document(email=NEW, language="en", country="US")
    after = merge(contact, document, fresh(NEW), NOW, "")

    assert after.email == an_address("mine@example.com", status=status)
    assert (after.language, after.time_zone, after.country) == ("fr", "Europe/Paris", "US")


def test_a_record_without_a_field_leaves_it() -> None:
    contact = a_contact(language="fr", postcode="20001")
    document = a_document(language=None, postcode=None, time_zone=None, email=None, mobile=None)

    assert merge(contact, document, {}, NOW, "") is contact


def test_a_merge_never_touches_wishes_or_consent() -> None:
    contact = a_contact(
        opt_outs={"*": ("sms",)},
        channel_order=("sms",),
        paper_required=True,
        consent=Consent(False, "all", "1", AT, "portal"),
        salt="kept",
    )
    after = merge(contact, a_document(email=NEW, language="de"), fresh(NEW), NOW, "other")

    assert replace(after, email=contact.email, language=None, version=1, changed_at="") == contact


@pytest.mark.parametrize(
    ("status", "usable"),
    [("ok", True), ("soft", True), ("invalid", False), ("opted_out", False), ("complained", False)],
)
def test_an_address_is_usable_by_its_status(status: str, usable: bool) -> None:
    assert an_address(OLD, status=status).usable is usable


# --- whole contacts ---------------------------------------------------------------------------------

MOMENT = NOW.replace(microsecond=250_000)


def test_a_contact_made_by_a_record_is_compared_as_a_whole() -> None:
    document = a_document(language="es", country="US", postcode="20001", recipient="R1", first_name="Ana")
    checked: dict[Channel, Address] = {"sms": an_address("+12025550101"), "email": an_address(OLD)}
    made = merge(None, document, checked, MOMENT, "salt")
    named = packed(name_of("Ana", "", keyed_digest("salt")))
    assert made == Contact(
        "retail",
        "C0001",
        "salt",
        1,
        email=an_address(OLD, holder=named),
        mobile=an_address("+12025550101", holder=named),
        language="es",
        time_zone="America/New_York",
        country="US",
        postcode="20001",
        created_at=AT,
        changed_at=AT,
        recipient="R1",
    )


def test_an_erased_contact_is_made_anew_and_keeps_that_it_was_erased() -> None:
    mark = Contact("retail", "C0001", "", 7, erased_at="2026-11-01", erased_by="ann", erased_why="asked")
    assert mark.is_erased
    made = merge(mark, a_document(time_zone=None), {}, MOMENT, "salt")
    assert made == replace(mark, salt="salt", version=8, created_at=AT, changed_at=AT)
    assert not made.is_erased
    assert not a_contact(salt="").is_erased
    disputed = merge(mark, a_document(disputed=True), fresh(OLD), MOMENT, "salt")
    assert disputed == replace(mark, salt="salt", version=8, created_at=AT, changed_at=AT)


def test_a_record_changes_what_it_says_and_when() -> None:
    contact = a_contact(language="en", country="US", postcode="1", created_at="before")
    after = merge(contact, a_document(language="de", country="AT", postcode="2"), {}, MOMENT, "other")
    assert after == replace(contact, language="de", country="AT", postcode="2", version=2, changed_at=AT)


def test_an_address_set_by_the_customer_leaves_the_others_to_the_record() -> None:
    """The first of the checked addresses is passed over, not the rest."""
    contact = a_contact(set_by_customer=("email",))
    checked = {**fresh(NEW), "sms": an_address("+12025550999")}
    after = merge(contact, a_document(), checked, NOW, "")
    assert (after.email, after.mobile and after.mobile.value) == (contact.email, "+12025550999")
    same = {**fresh(OLD), "sms": an_address("+12025550999")}
    assert merge(a_contact(), a_document(), same, NOW, "").mobile != a_contact().mobile
    worse = {**fresh(NEW, status="invalid"), "sms": an_address("+12025550999")}
    assert merge(a_contact(), a_document(), worse, NOW, "").mobile != a_contact().mobile


HASH = "1." + "ab" * 16


@pytest.mark.parametrize(
    ("known", "record", "kept"),
    [
        ("", {"verify_last4": HASH}, f"last4 {HASH}"),
        ("", {"verify_last4": f"{HASH}.account"}, f"last4 {HASH}"),
        ("", {"verify_birth_date": HASH, "verify_last4": HASH}, f"birth_date {HASH}"),
        (f"birth_date {HASH}", {"verify_last4": HASH}, f"birth_date {HASH}"),  # the weaker one
        (f"last4 {HASH}", {"verify_birth_date": HASH}, f"birth_date {HASH}"),
        (f"last4 {HASH}", {"verify_last4": HASH.replace("ab", "cd")}, f"last4 {HASH.replace('ab', 'cd')}"),
        (f"birth_date {HASH}", {"verify_birth_date": "1985-03-31"}, f"birth_date {HASH}"),  # not concealed
        ("", {}, ""),
    ],
)
def test_what_can_be_asked_of_a_customer(known: str, record: dict[str, str], kept: str) -> None:
    assert merge(a_contact(second_step=known), a_document(**record), {}, NOW, "").second_step == kept


def test_a_history_is_kept_within_bounds_and_says_how_many_are_gone() -> None:
    def row(number: int) -> dict[str, str]:
        return {"at": f"t{number}", "who": "w", "field": "f", "from": "", "to": str(number)}

    full = a_contact(history=tuple(map(row, range(MAX_HISTORY))))
    assert MAX_HISTORY == 300
    assert with_entries(a_contact(history=full.history[:-1]), row(299)) == full.history
    gone = {"at": "t1", "who": "exnotify", "field": "older changes", "from": "2", "to": ""}
    once = with_entries(full, row(300))
    assert once == (gone, *map(row, range(2, 301)))
    twice = with_entries(replace(full, history=once), row(301), row(302))
    assert twice == ({**gone, "at": "t3", "from": "4"}, *map(row, range(4, 303)))


# --- whose address, and where the customer is -------------------------------------------------------

CHECK = FakeAddresses().check


def test_a_later_message_goes_where_the_customer_is_by_now() -> None:
    document = a_document(email="own@example.com", time_zone="Europe/Vienna", country="AT")
    known = a_contact(email=an_address(NEW), time_zone="America/Chicago", country=None)
    found = as_present(known, document, CHECK)
    assert (found.email, found.time_zone, found.country) == (an_address(NEW), "America/Chicago", "AT")
    unusable = replace(known, email=an_address(NEW, status="invalid"))
    assert as_present(unusable, document, CHECK).email == CHECK("email", "own@example.com", "AT")
    disputed = as_present(known, replace(document, disputed=True), CHECK)
    assert disputed.email == CHECK("email", "own@example.com", "AT")
    bens = replace(known, email=an_address(NEW, holder=packed(name_of("Ben", "", keyed_digest(known.salt)))))
    anas = as_present(bens, replace(document, first_name="Ana"), CHECK)
    assert anas.email == CHECK("email", "own@example.com", "AT")
    assert as_present(replace(known, email=None), document, CHECK).email == CHECK(
        "email", "own@example.com", "AT"
    )


def test_a_number_without_a_plus_is_looked_at_again() -> None:
    known = a_contact(mobile=Address("+12025550101", "2025550101"))
    assert addresses_to_check(known, a_document(mobile="2025550101")) == {"sms": "2025550101"}
    mail = a_contact(email=Address(OLD, "C0001@Example.com"))
    assert addresses_to_check(mail, a_document(email="C0001@Example.com")) == {}
    assert addresses_to_check(mail, a_document()) == {"email": OLD}


def test_a_customer_opts_out_of_a_topic_or_of_all() -> None:
    contact = a_contact(opt_outs={"bills": ("email",), "*": ("sms",)})
    found = {(t, c): contact.opted_out(c, t) for t in ("bills", "cases") for c in ("email", "sms")}  # type: ignore[arg-type]
    assert found == {
        ("bills", "email"): True,
        ("bills", "sms"): True,
        ("cases", "email"): False,
        ("cases", "sms"): True,
    }
    assert (contact.address("email"), contact.address("sms")) == (contact.email, contact.mobile)
