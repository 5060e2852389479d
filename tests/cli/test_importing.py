"""`exnotify import`: every row checked before one is written, the rest of a broken import by doing it again."""

import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from exnotify.errors import CommandError
from exnotify.importing import (
    BATCH,
    PreferenceFile,
    Report,
    Site,
    apply_file,
    check_file,
    findings_as_csv,
)
from exstream_notify.adapters.addresses import Addresses
from exstream_notify.domain.contacts import Consent, Contact
from exstream_notify.domain.erasure import erased
from exstream_notify.domain.preferences import Wishes, with_wishes, without
from exstream_notify.domain.quiet_hours import Window
from tests.fakes import FakeClock, FakeContacts, FakeSuppressions
from tests.fakes.examples import a_contact, an_address
from tests.fakes.exceptions import FakeExceptionBus

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
BUS = FakeExceptionBus()
SITE = Site(frozenset({"statements", "bills"}), Window(), Addresses(), FakeSuppressions(), BUS)
WHO = "import abc by ann"


@pytest.fixture
def contacts() -> FakeContacts:
    return FakeContacts()


_OPEN: list[PreferenceFile] = []


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """Files that a test opened are closed after it."""
    yield
    while _OPEN:
        _OPEN.pop().close()


def a_file(folder: Path, *lines: str, encoding: str = "utf-8", end: str = "\r\n") -> PreferenceFile:
    path = folder / "preferences.csv"
    path.write_bytes(end.join((*lines, "")).encode(encoding))
    _OPEN.append(PreferenceFile(path))
    return _OPEN[-1]


def checked(file: PreferenceFile, contacts: Any) -> Report:
    return check_file(file, "retail", contacts, SITE, NOW, WHO)


def applied(file: PreferenceFile, contacts: Any) -> Report:
    report = checked(file, contacts)
    assert report.refused == []
    return apply_file(file, "retail", contacts, SITE, FakeClock(NOW.isoformat()), WHO)


def of(contacts: FakeContacts, key: str = "C0001") -> Contact:
    return contacts.stored["retail", key]


FIELDS: Sequence[tuple[str, str, str, Any]] = [
    ("language", "FR_ca", "language", "fr-CA"),
    ("time_zone", "Europe/Vienna", "time_zone", "Europe/Vienna"),
    ("country", "at", "country", "AT"),
    ("country", "Deutschland", "country", "DE"),
    ("postcode", "1010", "postcode", "1010"),
    ("paper_required", "Yes", "paper_required", True),
    ("channel_order", '"sms,email"', "channel_order", ("sms", "email")),
    ("channel_order", "sms;email", "channel_order", ("sms", "email")),
    ("opt_outs", "sms", "opt_outs", {"*": ("sms",)}),
    ("opt_outs", '"statements/sms,statements/email"', "opt_outs", {"statements": ("email", "sms")}),
]


@pytest.mark.parametrize(("column", "cell", "name", "value"), FIELDS)
def test_a_cell_is_read_into_its_field_and_the_history(
    tmp_path: Path, contacts: FakeContacts, column: str, cell: str, name: str, value: Any
) -> None:
    contacts.put([a_contact(time_zone=None)])
    report = applied(a_file(tmp_path, f"customer_key,{column}", f"C0001,{cell}"), contacts)

    assert (report.changed, report.kept) == (1, [])
    after = of(contacts)
    assert getattr(after, name) == value
    assert after.version == 2
    (entry,) = after.history
    assert (entry["who"], entry["field"], entry["from"], entry["at"]) == (
        WHO, name, "no" if name == "paper_required" else "", "2026-11-20T15:00:00+00:00",
    )  # fmt: skip


def an_erased(contacts: FakeContacts) -> Contact:
    """C0001, erased two hours ago."""
    mark = erased(a_contact(), "ann", "asked", NOW - timedelta(hours=2))
    contacts.stored["retail", "C0001"] = mark
    return mark


@pytest.mark.parametrize("consent_at", ["", "2026-11-20T12:59:59Z", "2019-01-01"])
def test_an_erased_customer_is_passed_over_and_reported(
    tmp_path: Path, contacts: FakeContacts, consent_at: str
) -> None:
    mark = an_erased(contacts)
    heading = "customer_key,email,consent,consent_at"
    report = applied(
        a_file(tmp_path, heading, f"C0001,a@example.com,given,{consent_at}", "C2,,yes,"), contacts
    )
    assert ([one.row for one in report.erased], report.added, report.changed) == ([1], 1, 0)
    assert of(contacts) == mark
    # The same once a later record made the contact anew: the file may be from before.
    contacts.stored["retail", "C0001"] = replace(mark, salt="f" * 32)
    assert len(applied(a_file(tmp_path, "customer_key,email", "C0001,a@example.com"), contacts).erased) == 1


def test_a_consent_later_than_the_erasure_makes_the_contact_anew(
    tmp_path: Path, contacts: FakeContacts
) -> None:
    mark = an_erased(contacts)
    SITE.suppressions.stop_topics("email", "kept@example.com", ["bills"], "erasure by ann", NOW)  # type: ignore[attr-defined]
    row = "C0001,kept@example.com,given,2026-11-20T13:00:01Z"
    assert applied(a_file(tmp_path, "customer_key,email,consent,consent_at", row), contacts).erased == []
    anew = of(contacts)
    assert anew.email is not None
    assert (anew.erased_at, bool(anew.salt), anew.version) == (mark.erased_at, True, mark.version + 1)
    assert anew.opt_outs == {"bills": ("email",)}


def test_a_customer_whom_no_record_has_named_becomes_known(tmp_path: Path, contacts: FakeContacts) -> None:
    file = a_file(
        tmp_path,
        "customer_key;email;mobile;quiet_from;quiet_to",
        "C9;A@Example.com;(202) 555-0142;10:00;17:30",
    )
    report = applied(file, contacts)

    assert (report.added, report.changed) == (1, 0)
    after = of(contacts, "C9")
    assert after.salt
    assert after.salt != "unsaved"
    assert (after.version, after.created_at) == (1, "2026-11-20T15:00:00+00:00")
    assert after.email is not None
    assert after.mobile is not None
    assert (after.email.value, after.mobile.value) == ("a@example.com", "+12025550142")
    assert after.quiet_hours == ("10:00", "17:30")


REFUSED = [
    ("customer_key,language", "C1,klingonese", "language", "not a language tag"),
    ("customer_key,time_zone", "C1,Mars/Base", "time_zone", "not a zone"),
    ("customer_key,country", "C1,Ruritania", "country", "ISO 3166"),
    ("customer_key,postcode", "C1," + "1" * 21, "postcode", "longer than 20"),
    ("customer_key,paper_required", "C1,maybe", "paper_required", "neither yes nor no"),
    ("customer_key,paper_required", "C1,-", "paper_required", "cannot take this back"),
    ("customer_key,channel_order", "C1,fax", "channel_order", "no channel"),
    ("customer_key,opt_outs", "C1,statments/sms", "opt_outs", "no topic of the rules; there is bills, st"),
    ("customer_key,opt_outs", "C1,-", "opt_outs", "cannot take this back"),
    ("customer_key,opt_outs", 'C1,","', "opt_outs", "names no channel"),
    ("customer_key,email", "C1,nobody", "email", "no message can go there"),
    ("customer_key,mobile", "C1,+18005550199", "mobile", "no message can go there"),
    ("customer_key,quiet_from", "C1,10:00", "quiet_from", "go together"),
    ("customer_key,quiet_from,quiet_to", "C1,03:00,17:00", "quiet_from", "outside the hours"),
    ("customer_key,quiet_from,quiet_to", "C1,late,17:00", "quiet_from", "no time of day"),
    ("customer_key,consent", "C1,perhaps", "consent", "neither yes nor no"),
    ("customer_key,consent_version", "C1,2", "consent", "need consent itself"),
    ("customer_key,consent,consent_at", "C1,yes,2027-01-01", "consent", "in the future"),
    ("customer_key,consent,consent_at", "C1,yes,11/20/2026", "consent_at", "ISO 8601"),
    ("customer_key,language", ",es", "customer_key", "no key"),
    ("customer_key,language", "C" * 129 + ",es", "customer_key", "no key"),
    ("customer_key,language", "C1,es,extra", "", "3 fields where the heading has 2"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("heading", "line", "column", "reason"), REFUSED, ids=[row[1][:24] for row in REFUSED]
)
def test_one_wrong_row_stops_all_and_is_told_without_its_value(
    tmp_path: Path, contacts: FakeContacts, heading: str, line: str, column: str, reason: str
) -> None:
    right = ",".join(["C0", *[""] * heading.count(",")])
    report = checked(a_file(tmp_path, heading, right, line), contacts)

    (found,) = report.refused
    assert (found.row, found.field) == (2, column)
    assert reason in found.reason
    assert not {"klingonese", "Mars/Base", "fax", "statments", "nobody", "perhaps"} & {*found.reason.split()}
    assert contacts.stored == {}


def test_a_customer_named_twice_is_refused_wherever_the_second_one_stands(
    tmp_path: Path, contacts: FakeContacts
) -> None:
    keys = [f"K{n}" for n in range(BATCH + 5)]
    report = checked(a_file(tmp_path, "customer_key,language", *(f"{k},es" for k in [*keys, "K3"])), contacts)

    assert [(f.row, f.reason) for f in report.refused] == [(BATCH + 6, "the same customer as row 4")]


@pytest.mark.parametrize(
    ("lines", "reason"),
    [
        (["language", "es"], "no column customer_key"),
        (["customer_key,shoe_size", "C1,44"], "no such column: 'shoe_size'"),
        (["customer_key,email,E-mail", "C1,,"], "no such column: 'e_mail'"),
        (["customer_key,email,Email", "C1,,"], "stands twice: email"),
        (['customer_key,email', 'C1,"open'], "line 2: a quoted field that opens there"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_says_why(
    tmp_path: Path, contacts: FakeContacts, lines: list[str], reason: str
) -> None:
    with pytest.raises(CommandError, match=reason):
        checked(a_file(tmp_path, *lines), contacts)


@pytest.mark.parametrize("encoding", ["utf-16", "latin-1"])
def test_a_file_that_is_not_utf_8_is_refused(tmp_path: Path, contacts: FakeContacts, encoding: str) -> None:
    with pytest.raises(CommandError):
        checked(a_file(tmp_path, "customer_key,consent_source", "C1,Büro", encoding=encoding), contacts)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_files_as_sites_have_them(
    tmp_path: Path, contacts: FakeContacts, delimiter: str, encoding: str, end: str
) -> None:
    heading = delimiter.join(("Customer Key", "consent", "Consent-Source"))
    row = delimiter.join(("C1", "yes", '"Büro\u2028am ""Markt"""'))
    applied(a_file(tmp_path, heading, row, "", encoding=encoding, end=end), contacts)

    consent = of(contacts, "C1").consent
    assert consent is not None
    assert (consent.given, consent.source) == (True, 'Büro am "Markt"')


def test_doing_it_again_changes_nothing(tmp_path: Path, contacts: FakeContacts) -> None:
    contacts.put([a_contact(1)])
    lines = ("customer_key,email,language,opt_outs,consent", "C0001,x@example.com,es,sms,no", "C0002,,,,yes")
    first = applied(a_file(tmp_path, *lines), contacts)
    stood = dict(contacts.stored)
    again = applied(a_file(tmp_path, *lines), contacts)

    assert (first.added, first.changed, first.unchanged) == (1, 1, 0)
    assert (again.added, again.changed, again.unchanged) == (0, 0, 2)
    assert contacts.stored == stood


class Failing(FakeContacts):
    """Breaks off after so many writes."""

    def __init__(self, writes: int) -> None:
        super().__init__()
        self.writes = writes

    def put(self, contacts: Sequence[Contact]) -> list[str]:
        self.writes -= 1
        if self.writes < 0:
            raise ConnectionError
        return super().put(contacts)


def test_an_import_that_broke_off_is_finished_by_the_same_command(tmp_path: Path) -> None:
    contacts = Failing(2)
    file = a_file(tmp_path, "customer_key,language", *(f"K{n},es" for n in range(3 * BATCH)))
    with pytest.raises(ConnectionError):
        applied(file, contacts)
    assert len(contacts.stored) == 2 * BATCH
    contacts.writes = 99
    report = applied(file, contacts)

    assert (report.unchanged, report.added) == (2 * BATCH, BATCH)
    assert {c.version for c in contacts.stored.values()} == {1}


class Meddling(FakeContacts):
    """Somebody stops all texts just before the first write."""

    def put(self, contacts: Sequence[Contact]) -> list[str]:
        if len(self.stored) == 1 and of(self).version == 1 and contacts[0].version == 2:
            super().put([without(of(self), ["*"], ["sms"], NOW, "page")])
        return super().put(contacts)


def test_what_somebody_writes_in_between_stays_and_the_row_is_laid_on_top(tmp_path: Path) -> None:
    contacts = Meddling()
    contacts.put([a_contact(1)])
    applied(a_file(tmp_path, "customer_key,opt_outs", "C0001,statements/email"), contacts)

    assert of(contacts).opt_outs == {"*": ("sms",), "statements": ("email",)}
    assert [entry["who"] for entry in of(contacts).history] == ["page", WHO]


def test_a_file_that_changed_after_the_check_is_not_applied(tmp_path: Path, contacts: FakeContacts) -> None:
    file = a_file(tmp_path, "customer_key,language", "C1,es")
    checked(file, contacts)
    with (tmp_path / "preferences.csv").open("a") as more:
        more.write("C2,fr\n")
    with pytest.raises(CommandError, match="changed while it was checked"):
        apply_file(file, "retail", contacts, SITE, FakeClock(NOW.isoformat()), WHO)
    assert contacts.stored == {}


def test_what_was_set_here_is_newer_than_the_file(tmp_path: Path, contacts: FakeContacts) -> None:
    wishes = Wishes({}, ("sms", "email"), "fr", None)
    customer = with_wishes(a_contact(1), wishes, NOW, "preference page")
    contacts.stored["retail", "C0001"] = customer
    lines = ("customer_key,language,channel_order,postcode", 'C0001,de,"email,sms",10001')
    report = applied(a_file(tmp_path, *lines), contacts)

    after = of(contacts)
    assert (after.language, after.channel_order, after.postcode) == ("fr", ("sms", "email"), "10001")
    assert [(f.row, f.field) for f in report.kept] == [(1, "language"), (1, "channel_order")]


def test_a_stale_export_takes_back_nothing_that_was_said_since(
    tmp_path: Path, contacts: FakeContacts
) -> None:
    from exstream_notify.adapters.rules import YamlRules
    from exstream_notify.domain.export import as_delimited
    from exstream_notify.use_cases.export_preferences import layout_of

    layout = layout_of(YamlRules(), ",")
    then = without(a_contact(1, language="en"), ["statements"], ("sms",), NOW, "one-click")
    then = replace(then, channel_order=("sms",))
    row = as_delimited(layout.row(then, ()).values())
    since = with_wishes(then, Wishes({"statements": ("email", "sms")}, (), "", None), NOW, "preference page")
    contacts.stored["retail", "C0001"] = since = replace(since, language="de")
    stale = a_file(tmp_path, as_delimited(layout.columns), row)
    report = apply_file(stale, "retail", contacts, SITE, FakeClock("2026-11-20T18:00:00+00:00"), WHO)

    after = of(contacts)
    assert (after.opt_outs, after.channel_order, after.language) == (None, (), "de")
    assert "opt_outs" in [finding.field for finding in report.kept]

    foreign = a_file(tmp_path, "customer_key,opt_outs", "C0001,statements/sms")
    apply_file(foreign, "retail", contacts, SITE, FakeClock("2026-11-21T15:00:00+00:00"), WHO)
    assert of(contacts).opt_outs == {"statements": ("sms",)}, "another file's opt-out is news"


def test_a_later_import_may_change_what_an_earlier_one_set_and_take_it_back(
    tmp_path: Path, contacts: FakeContacts
) -> None:
    applied(a_file(tmp_path, "customer_key,language,channel_order", "C1,es,sms"), contacts)
    report = applied(a_file(tmp_path, "customer_key,language,channel_order", "C1,fr,-"), contacts)

    assert report.kept == []
    assert (of(contacts, "C1").language, of(contacts, "C1").channel_order) == ("fr", ())


def test_an_address_that_failed_here_is_not_made_good_by_a_file(
    tmp_path: Path, contacts: FakeContacts
) -> None:
    contacts.put([a_contact(1, email=an_address("gone@example.com", status="invalid", why="bounced"))])
    report = applied(a_file(tmp_path, "customer_key,email", "C0001,Gone@example.com"), contacts)

    assert of(contacts).version == 1
    assert [(f.field, f.reason) for f in report.kept] == [("email", "known here as invalid, and stays so")]


CONSENTS = [
    # what stands, what the file says, what stands then
    (None, "yes,1,2020-05-01", (True, "1", "2020-05-01T00:00:00+00:00")),
    (None, "no,,", (False, "", "2026-11-20T15:00:00+00:00")),
    (
        (False, "1", "2026-01-01T00:00:00+00:00"),
        "yes,1,2020-05-01",
        (False, "1", "2026-01-01T00:00:00+00:00"),
    ),
    ((False, "1", "2026-01-01T00:00:00+00:00"), "yes,1,", (False, "1", "2026-01-01T00:00:00+00:00")),
    ((False, "1", "2026-01-01T00:00:00+00:00"), "yes,2,2026-05-01", (True, "2", "2026-05-01T00:00:00+00:00")),
    ((True, "1", "2026-01-01T00:00:00+00:00"), "no,,", (False, "", "2026-11-20T15:00:00+00:00")),
    ((True, "1", "2026-01-01T00:00:00+00:00"), "no,,2025-01-01", (True, "1", "2026-01-01T00:00:00+00:00")),
]


@pytest.mark.parametrize(("stands", "cells", "then"), CONSENTS)
def test_the_newer_consent_holds_and_a_withdrawal_is_believed(
    tmp_path: Path, contacts: FakeContacts, stands: Any, cells: str, then: Any
) -> None:
    consent = Consent(stands[0], "electronic delivery", stands[1], stands[2], "page") if stands else None
    contacts.put([a_contact(1, consent=consent)])
    heading = "customer_key,consent,consent_version,consent_at"
    report = applied(a_file(tmp_path, heading, f"C0001,{cells}"), contacts)

    after = of(contacts).consent
    assert after is not None
    assert (after.given, after.version, after.at) == then
    withdrawn = bool(stands) and not stands[0] and not then[0]
    assert [f.field for f in report.kept] == (["consent"] if withdrawn else [])


def test_an_exported_file_can_be_read_again_and_changes_nothing(
    tmp_path: Path, contacts: FakeContacts
) -> None:
    from exstream_notify.adapters.rules import YamlRules
    from exstream_notify.domain.export import as_delimited
    from exstream_notify.use_cases.export_preferences import layout_of

    layout = layout_of(YamlRules(), ",")
    consent = Consent(True, "electronic delivery", "2", "2026-01-01T00:00:00+00:00", "page")
    contact = a_contact(
        1, consent=consent, opt_outs={"*": ("sms",)}, quiet_hours=("10:00", "17:00"), language="es",
        channel_order=("sms", "email"),
    )  # fmt: skip
    contacts.put([contact])
    row = as_delimited(layout.row(contact, ()).values())
    file = a_file(tmp_path, as_delimited(layout.columns), row)
    report = applied(file, contacts)

    assert "customer_queues" in file.ignored
    assert of(contacts) == contact
    assert report.refused == []


def test_the_report_is_a_table_with_row_field_and_reason(tmp_path: Path, contacts: FakeContacts) -> None:
    report = checked(a_file(tmp_path, "customer_key,language", "C1,es", "C2,klingonese"), contacts)
    out = io.StringIO()
    findings_as_csv([("refused", one) for one in report.refused], out)

    assert out.getvalue() == "what,row,field,reason\r\nrefused,2,language,not a language tag (BCP 47)\r\n"


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        (['C1,given,"phone call,', "C2,given,web/email", 'C3,given,shop 12",statements/email'], 2),
        (["C1,given,web,", 'C2,given,"web', 'shop",'], 3),
        (['C1,given,"web,', "C2,given,web,"], 2),
        (['C1,given,"web,', 'C2,given,"shop" 12,'], 2),
        (["C1,given,web,", 'C2,given,"web\rshop",'], 3),
    ],
)
def test_a_quote_that_swallows_lines_refuses_the_whole_file(
    tmp_path: Path, contacts: FakeContacts, rows: list[str], line: int
) -> None:
    file = a_file(tmp_path, "customer_key,consent,consent_source,opt_outs", *rows)
    with pytest.raises(CommandError, match=f"line {line}: a quoted field that opens there"):
        checked(file, contacts)
    with pytest.raises(CommandError, match="nothing was imported"):
        apply_file(file, "retail", contacts, SITE, FakeClock(NOW.isoformat()), WHO)
    assert not contacts.stored


def test_a_heading_over_two_lines_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="line 1: a quoted field"):
        a_file(tmp_path, 'customer_key,"language', '"', "C1,en")


@pytest.mark.parametrize("end", ["\x1a", "\r\n\x1a\r\n"])
def test_an_end_of_file_mark_is_no_row(tmp_path: Path, contacts: FakeContacts, end: str) -> None:
    path = tmp_path / "preferences.csv"
    path.write_bytes(f"customer_key,language\r\nC1,en{end}".encode())
    _OPEN.append(PreferenceFile(path))
    assert (checked(_OPEN[-1], contacts).rows, checked(_OPEN[-1], contacts).refused) == (1, [])
