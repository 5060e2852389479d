"""Our own export, read again: nothing changes, whatever its contacts have and however its lists are written."""

import csv
import io
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exnotify.importing import PreferenceFile, Report, Site, apply_file, check_file
from exstream_notify.adapters.addresses import Addresses
from exstream_notify.domain.contacts import Consent, Contact
from exstream_notify.domain.export import Layout, as_delimited, parts_of
from exstream_notify.domain.hearing import acts, heard
from exstream_notify.domain.preferences import topics_of
from exstream_notify.domain.quiet_hours import Window
from tests.fakes import (
    FakeClock,
    FakeContacts,
    FakeExceptionBus,
    FakeSuppressions,
    a_contact,
    a_rule,
    an_address,
)

RULES = (a_rule(), a_rule(name="bill", topic="bills", message_class="regulated"))
TOPICS = frozenset(topic.name for topic in topics_of(RULES))
AT = "2026-11-20T15:00:00+00:00"

odd = st.sampled_from(
    ["", "-", "NULL", "1", "v 2;x", 'said "yes", twice', "page|2", "a\tb", "a\x1fb\nc", "x" * 300, "Büro"]
)
channels = st.lists(st.sampled_from(["email", "sms"]), unique=True).map(tuple)
some = st.lists(st.sampled_from(["email", "sms"]), unique=True, min_size=1).map(
    lambda found: tuple(sorted(found))
)


@st.composite
def contacts_of(draw: Any) -> list[Contact]:
    found = []
    for number in range(draw(st.integers(0, 4))):
        consent = draw(
            st.none()
            | st.builds(
                Consent,
                st.booleans(),
                st.just("electronic delivery"),
                odd,
                st.sampled_from(["", AT, "2026-11-20T15:00:00Z", "2027-11-20", "once"]),
                odd,
            )
        )
        fields: dict[str, Any] = {
            "customer_key": f"{draw(st.sampled_from(['C', 'K 1', 'Kündin-', 'a,b', 'x;y|']))}{number}",
            "recipient": draw(st.sampled_from(["", "spouse", 'Ann, "A." Example'])),
            "email": draw(
                st.sampled_from(
                    [None, an_address("c@example.com"), an_address("c@example.com", status="invalid")]
                )
            ),
            "language": draw(st.sampled_from([None, "en", "fr-CA", "EN", "english"])),
            "time_zone": draw(st.sampled_from([None, "Europe/Vienna", "UTC", "Mars/Base"])),
            "country": draw(st.sampled_from([None, "AT", "at", "NA", "Ruritania"])),
            "channel_order": draw(channels),
            "opt_outs": draw(
                st.none()
                | st.dictionaries(
                    st.sampled_from(["*", "statements", "bills", "gone, long", "no/more"]), some, min_size=1
                )
            ),
            "quiet_hours": draw(st.sampled_from([None, ("09:00", "18:00"), ("03:00", "05:00")])),
            "paper_required": draw(st.booleans()),
            "set_by_customer": draw(st.sampled_from([(), ("language",), ("email", "mobile")])),
            "consent": consent,
        }
        found.append(a_contact(number, **fields))
    return found


def exported(
    contacts: Sequence[Contact], separator: str, folder: str, delimiter: str = ","
) -> PreferenceFile:
    """The export's delimited file, or the same as another program saves it."""
    layout = Layout(RULES, {}, "paper", separator)
    rows = [layout.row(contact, ()) for contact in contacts] or [layout.nobody()]
    assert all(len(parts_of(layout.line("retail", row))) == 4 for row in rows), "it can be sorted"
    lines = [as_delimited(layout.columns), *(as_delimited(row.values()) for row in rows)]
    saved = io.StringIO()
    csv.writer(saved, delimiter=delimiter).writerows(csv.reader(lines))
    text = "".join(f"{line}\r\n" for line in lines) if delimiter == "," else saved.getvalue()
    path = Path(folder) / "preferences.csv"
    path.write_bytes(text.encode())
    return PreferenceFile(path)


def imported(file: PreferenceFile, contacts: FakeContacts, separator: str) -> Report:
    site = Site(TOPICS, Window(), Addresses(), FakeSuppressions(), FakeExceptionBus(), separator)
    clock = FakeClock(AT)
    report = check_file(file, "retail", contacts, site, clock.now(), "import abc by ann")
    assert report.refused == []
    return apply_file(file, "retail", contacts, site, clock, "import abc by ann")


@settings(max_examples=200, deadline=None)
@given(
    found=contacts_of(),
    separator=st.sampled_from([",", ";", "|", "\t", " ", ", ", "/", "+"]),
    delimiter=st.sampled_from([",", ";", "\t", "|"]),
)
def test_an_export_that_is_read_again_changes_nothing(
    found: list[Contact], separator: str, delimiter: str
) -> None:
    contacts = FakeContacts()
    for one in found:
        contacts.stored["retail", one.contact_key] = one
    stood = dict(contacts.stored)
    with TemporaryDirectory() as folder:
        file = exported(list(stood.values()), separator, folder, delimiter)
        report = imported(file, contacts, separator)
        file.close()

    assert (report.added, report.changed, report.kept) == (0, 0, [])
    assert report.rows == report.unchanged == len(stood)
    assert contacts.stored == stood


@pytest.mark.parametrize("separator", [",", ";", "|", "\t", " ", ", ", "/", "+"])
def test_an_export_restores_what_is_gone_whatever_separates_its_lists(separator: str) -> None:
    wishes: dict[str, Any] = {
        "channel_order": ("sms", "email"),
        "opt_outs": {"bills": ("sms",), "statements": ("email", "sms")},
        "language": "fr-CA",
        "quiet_hours": ("09:00", "18:00"),
    }
    contacts = FakeContacts()
    contacts.put([a_contact(1, version=1)])
    with TemporaryDirectory() as folder:
        file = exported([a_contact(1, **wishes)], separator, folder)
        imported(file, contacts, separator)
        file.close()
    after = contacts.stored["retail", "C0001"]
    assert {name: getattr(after, name) for name in wishes} == wishes


def test_an_export_of_an_earlier_day_leaves_no_trace_of_what_was_said_since(tmp_path: Path) -> None:
    """The customer, and an operator who took the language back for the records."""
    then = {"opt_outs": {"bills": ("sms",)}, "language": "fr", "set_by_customer": ("language",),
            "paper_required": True, "channel_order": ("sms",)}  # fmt: skip
    contacts, now = FakeContacts(), FakeClock(AT).now()
    contact = a_contact(1, **then)
    file = exported([contact], ",", str(tmp_path))
    contact = heard(contact, acts("customer", "preference page", now).opts("in", ["bills"], ["sms"]), now)
    told = acts("operator", "ann", now)
    words = [told.says("language", ""), told.says("paper_required", "no"), told.says("channel_order", "")]
    contact = heard(contact, words, now)
    contacts.stored["retail", "C0001"] = contact
    report = imported(file, contacts, ",")
    file.close()
    assert (report.changed, report.unchanged) == (0, 1)
    assert {one.field for one in report.kept} == {"opt_outs", "language", "paper_required", "channel_order"}
    assert contacts.stored["retail", "C0001"] == contact
    assert (contact.opt_outs, contact.language, contact.paper_required) == (None, None, False)


def test_another_system_s_file_that_is_read_again_is_no_later_than_the_first_time(tmp_path: Path) -> None:
    path, contacts, now = tmp_path / "old.csv", FakeContacts(), FakeClock(AT).now()
    path.write_text("customer_key,opt_outs\nC0001,bills/sms\n")
    contacts.put([a_contact(1)])

    def read(text: str = "") -> Report:
        path.write_text(text or path.read_text())
        file = PreferenceFile(path)
        report = imported(file, contacts, ",")
        file.close()
        return report

    assert read().changed == 1
    later = now + timedelta(hours=1)
    back = acts("customer", "preference page", later).opts("in", ["bills"], ["sms"])
    contacts.put([heard(contacts.stored["retail", "C0001"], back, later)])
    report = read()
    assert (report.changed, [one.field for one in report.kept]) == (0, ["opt_outs"])
    assert contacts.stored["retail", "C0001"].opt_outs is None


def test_a_topic_that_is_gone_stays_left_where_more_was_left_since(tmp_path: Path) -> None:
    contacts = FakeContacts()
    contacts.put([a_contact(1, opt_outs={"gone": ("email",), "bills": ("sms",)})])
    file = exported([a_contact(1, opt_outs={"gone": ("email",)})], ",", str(tmp_path))
    report = imported(file, contacts, ",")
    file.close()
    assert (report.changed, report.unchanged) == (0, 1)


def test_a_newer_consent_in_an_export_that_was_edited_counts_as_a_whole(tmp_path: Path) -> None:
    contacts = FakeContacts()
    before = Consent(True, "electronic delivery", "1", "2026-01-01T00:00:00+00:00", "branch")
    contacts.put([a_contact(1, consent=before)])
    newer = Consent(True, "electronic delivery", "2", "2026-11-01T00:00:00+00:00", "branch")
    file = exported([a_contact(1, consent=newer)], ",", str(tmp_path))
    imported(file, contacts, ",")
    file.close()
    after = contacts.stored["retail", "C0001"].consent
    assert after is not None
    assert (after.given, after.version, after.at) == (True, "2", newer.at)


def test_a_topic_that_is_gone_and_was_never_left_is_refused_as_before(tmp_path: Path) -> None:
    contacts = FakeContacts()
    contacts.put([a_contact(1)])
    file = exported([a_contact(1, opt_outs={"gone": ("email",)})], ",", str(tmp_path))
    site = Site(TOPICS, Window(), Addresses(), FakeSuppressions(), FakeExceptionBus())
    report = check_file(file, "retail", contacts, site, FakeClock(AT).now(), "import abc by ann")
    file.close()
    assert [(one.field, "no topic" in one.reason) for one in report.refused] == [("opt_outs", True)]


def test_a_file_of_changes_brings_nobody_back(tmp_path: Path) -> None:
    contacts = FakeContacts()
    contacts.put([a_contact(1)])
    layout = Layout(RULES, {}, "paper", ",")
    rows = [
        ("changed", layout.row(a_contact(1), ())),
        ("removed", layout.row(a_contact(2, opt_outs={"bills": ("sms",)}), ())),
        ("removed", {**layout.nobody(), "customer_key": "C0003"}),
    ]
    lines = [as_delimited(("change", *layout.columns))]
    lines += [as_delimited((change, *row.values())) for change, row in rows]
    path = tmp_path / "changes.csv"
    path.write_text("".join(f"{line}\r\n" for line in lines), "utf-8")
    file = PreferenceFile(path)
    report = imported(file, contacts, ",")
    file.close()
    assert (report.rows, report.unchanged) == (1, 1)
    assert list(contacts.stored) == [("retail", "C0001")]
