"""An existing preference file, checked as a whole and then laid over the contacts; no output.

Every row is checked before anything is written. Writing goes contact by contact under the contact's
version, and a row that already stands changes nothing: what was interrupted is finished by doing it again.
"""

import csv
import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import IO

from exstream_notify.adapters.countries import known_country
from exstream_notify.adapters.index.source import without_end_mark
from exstream_notify.adapters.zones import time_zone
from exstream_notify.domain.contacts import FIELD_OF, Address, Consent, Contact
from exstream_notify.domain.documents import Channel
from exstream_notify.domain.hearing import (
    CHANNELS,
    FIELDS,
    Voice,
    acts,
    heard,
    one_write,
    said_of,
    text_of,
)
from exstream_notify.domain.identity import contact_key
from exstream_notify.domain.preferences import consent_text, own_window, recorded
from exstream_notify.domain.quiet_hours import Window, local_time
from exstream_notify.domain.receipts import moment
from exstream_notify.domain.statements import OPT_OUTS, OUT, Said, Statement, cell, opted_out, second
from exstream_notify.domain.values import (
    ValueRefused,
    instant,
    language_tag,
    refuse_rounded,
    truth,
)
from exstream_notify.ports import AddressChecker, Clock, ContactBook, ExceptionBus, SuppressionList
from exstream_notify.use_cases.erase_contact import with_kept_opt_outs
from exstream_notify.use_cases.tell_portal import tell_portal

from .errors import CommandError
from .exported_rows import CLEAR, cell_text, news

BATCH = 100
"""Contacts that are read, and then written, at once."""

WHO = "import "
"""What the history's `who` begins with; a later import may change what an earlier one set."""

_TRIES = 5

_OPEN_QUOTE = (
    "line {}: a quoted field that opens there runs over the end of its line, so rows may be joined; "
    "nothing was imported: close the quote, or double it where it is meant as a character"
)


class RowRefusedError(ValueError):
    """A value that cannot be used; the text says why, without the value."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What is to be said of a row (1 is the first below the heading); never with the value itself."""

    row: int
    field: str
    reason: str


@dataclass(slots=True)
class Report:
    """What checking or applying came to. `refused` stops everything, `kept` are values that do not count,
    `erased` are rows of erased customers, which are passed over."""

    rows: int = 0
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    ignored: tuple[str, ...] = ()
    refused: list[Finding] = field(default_factory=list)
    kept: list[Finding] = field(default_factory=list)
    erased: list[Finding] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Site:
    """What a file is checked against: topics, legal hours, addresses, what was stopped, what separates values
    in our export; on `bus` others hear of changes."""

    topics: frozenset[str]
    hours: Window
    addresses: AddressChecker
    suppressions: SuppressionList
    bus: ExceptionBus
    separator: str = ","


@dataclass(frozen=True, slots=True)
class Row:
    """A row's values by field, those that say something; `exported` if it is of a file that we wrote."""

    number: int
    customer_key: str
    values: Mapping[str, str]
    recipient: str = ""
    exported: bool = False

    @property
    def contact_key(self) -> str:
        """The contact that the row is about: the one without a recipient, unless it names one."""
        return contact_key(self.customer_key, self.recipient)


# --- one reader a field -------------------------------------------------------------------------------


def _language(text: str, _: Site) -> str:
    return language_tag(text)


def _time_zone(text: str, _: Site) -> str:
    return time_zone(text)


def _country(text: str, _: Site) -> str:
    return known_country(text)


def _postcode(text: str, _: Site) -> str:
    if len(text) > 20:
        raise RowRefusedError("longer than 20 characters")
    return text


def _yes(text: str, _: Site) -> bool:
    return truth(text)


def _order(text: str, site: Site) -> tuple[Channel, ...]:
    return tuple(dict.fromkeys(map(_channel, _listed(text, site.separator))))


def _opt_outs(text: str, site: Site) -> Mapping[str, tuple[Channel, ...]]:
    outs: dict[str, tuple[Channel, ...]] = {}
    for one in _listed(text, site.separator):
        topic, _, name = one.rpartition("/")
        topic = topic.strip() or "*"
        if topic != "*" and topic not in site.topics:
            # A misspelt topic would lose an opt-out without a word.
            raise RowRefusedError(f"no topic of the rules; there is {', '.join(sorted(site.topics))}")
        outs[topic] = (*outs.get(topic, ()), _channel(name))
    return outs


def _time(text: str, _: Site) -> str:
    try:
        return local_time(text).isoformat("minutes")
    except ValueError:
        raise RowRefusedError("no time of day, such as 09:00") from None


def _consent(text: str, _: Site) -> bool:
    words = {"given": True, "withdrawn": False}
    return words[text.lower()] if text.lower() in words else truth(text)


def _instant(text: str, _: Site) -> str:
    return datetime.fromisoformat(instant(text)).isoformat(timespec="seconds")


def _text(text: str, _: Site) -> str:
    if len(text) > 200:
        raise RowRefusedError("longer than 200 characters")
    return text


def _channel(name: str) -> Channel:
    found: Channel | None = next((c for c in CHANNELS if c == name.strip().lower()), None)
    if found is None:
        raise RowRefusedError("no channel: email or sms, for one topic statements/sms")
    return found


def _listed(text: str, separator: str) -> list[str]:
    """The parts of a list, separated behind each channel: as our export does it, or as sites write lists."""
    own = f"{re.escape(separator.strip())}|" if separator.strip() else ""
    parts = re.split(rf"(?i:(?<=email)|(?<=sms))\s*(?:{own}[,;|\s])\s*", text)
    found = [stripped for part in parts if (stripped := part.strip(" ,;|"))]
    if not found:
        raise RowRefusedError("names no channel")
    return found


COLUMNS: Mapping[str, Callable[[str, Site], object]] = {
    "email": _text,  # checked with the row's country, below
    "mobile": _text,
    "language": _language,
    "time_zone": _time_zone,
    "country": _country,
    "postcode": _postcode,
    "paper_required": _yes,
    "channel_order": _order,
    "opt_outs": _opt_outs,
    "quiet_from": _time,
    "quiet_to": _time,
    "consent": _consent,
    "consent_version": _text,
    "consent_at": _instant,
    "consent_source": _text,
}
"""The columns of a file beside those of `_KEYS`, and how each is read."""

_KEYS = ("customer_key", "recipient")
"""The columns that say whom a row is about."""

DERIVED = ("change", "known", "email_status", "mobile_status", "consent_scope", "customer_queues")
"""Columns of our own export (those that begin with `channel_` too) that say nothing of a wish."""

_CLEARED = frozenset(
    {"language", "time_zone", "country", "postcode", "channel_order", "quiet_from", "quiet_to"}
)


# --- reading ------------------------------------------------------------------------------------------


def columns_of(heading: Sequence[str]) -> tuple[list[str], tuple[str, ...]]:
    """The file's columns ("" for one that is passed over), and those passed over. CommandError."""
    names = [name.strip().lower().replace(" ", "_").replace("-", "_") for name in heading]
    ignored = tuple(n for n in names if n in DERIVED or (n.startswith("channel_") and n not in COLUMNS))
    unknown = [n for n in names if n not in COLUMNS and n not in ignored and n not in _KEYS]
    if unknown:
        raise CommandError(
            f"no such column: {', '.join(map(repr, unknown))}; there is {', '.join((*_KEYS, *COLUMNS))}"
        )
    twice = {n for n in names if names.count(n) > 1}
    if twice:
        raise CommandError(f"a column stands twice: {', '.join(sorted(twice))}")
    if "customer_key" not in names:
        raise CommandError("the first line has no column customer_key")
    return ["" if n in ignored else n for n in names], ignored


class PreferenceFile:
    """A delimited file: UTF-8, a heading, comma, semicolon, tab or bar between fields (RFC 4180 quotes).

    It is held open, so that what is applied is the very file that was checked.
    """

    def __init__(self, path: Path) -> None:
        self._raw = path.open("rb", buffering=0)
        try:
            self.sha256 = self._digest()
            self._raw.seek(0)
            first = self._raw.read(4096).split(b"\n")[0].decode("utf-8-sig", "replace")
            self._delimiter = max(",;\t|", key=first.count)
            heading = next(self._lines(), (0, []))[1]
            self.columns, self.ignored = columns_of(heading)
            self.exported = {"known", "customer_queues"} <= set(self.ignored)
            self._names = [name.strip().lower() for name in heading]
        except BaseException as error:
            self.close()
            if isinstance(error, UnicodeDecodeError):
                raise CommandError(f"{path.name} is not UTF-8") from None
            raise

    def close(self) -> None:
        """Let the file go."""
        self._raw.close()

    def unchanged(self) -> bool:
        """Whether it still holds what it held when it was opened."""
        return self._digest() == self.sha256

    def rows(self) -> Iterator[tuple[int, list[str]]]:
        """Each row below the heading with its number. CommandError.

        Empty lines are passed over, and rows of an export that say that somebody is gone.
        """
        lines = self._lines()
        next(lines, None)
        for number, (_, cells) in enumerate(lines, 1):
            if any(cell.strip() for cell in cells) and not self._is_gone(cells):
                yield number, cells

    def _is_gone(self, cells: Sequence[str]) -> bool:
        if not self.exported or len(cells) != len(self._names):
            return False
        row = dict(zip(self._names, cells, strict=True))
        return row["known"] == "no" or row.get("change") == "removed"

    def _lines(self) -> Iterator[tuple[int, list[str]]]:
        """Rows with the number of their line. CommandError: a quoted field may have swallowed rows."""
        self._raw.seek(0)
        text = open(self._raw.fileno(), encoding="utf-8-sig", newline="", closefd=False)  # noqa: SIM115
        rows = csv.reader(without_end_mark(text), delimiter=self._delimiter, strict=True)
        line = 1
        try:
            for row in rows:
                if rows.line_num > line or any("\r" in cell for cell in row):
                    raise CommandError(_OPEN_QUOTE.format(line))
                yield line, row
                line = rows.line_num + 1
        except csv.Error as error:
            if rows.line_num > line or "unexpected end of data" in str(error):
                raise CommandError(_OPEN_QUOTE.format(line)) from None
            raise CommandError(f"line {line} cannot be read: {error}") from None
        except UnicodeDecodeError:
            raise CommandError(f"line {rows.line_num + 1} or a later one is not UTF-8") from None

    def _digest(self) -> str:
        self._raw.seek(0)
        return hashlib.file_digest(self._raw, "sha256").hexdigest()


def _row(number: int, cells: Sequence[str], file: "PreferenceFile") -> Row | Finding:
    columns = file.columns
    if len(cells) != len(columns):
        return Finding(number, "", f"{len(cells)} fields where the heading has {len(columns)}")
    values = {}
    for name, given in zip(columns, cells, strict=True):
        try:
            if text := cell_text(name, given):
                values[name] = text
        except ValueRefused as refused:
            return Finding(number, name, str(refused))
    key = values.pop("customer_key", "")
    try:
        refuse_rounded(key)
    except ValueRefused as refused:
        return Finding(number, "customer_key", str(refused))
    if key == CLEAR or not 0 < len(key) <= 128:
        return Finding(number, "customer_key", "no key: 1 to 128 characters")
    recipient = values.pop("recipient", "")
    if len(recipient) > 128:
        return Finding(number, "recipient", "longer than 128 characters")
    return Row(number, key, values, recipient, file.exported)


# --- what a row makes of a contact --------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Laid:
    """A contact as a row leaves it, with what was refused and what was kept."""

    contact: Contact
    refused: tuple[Finding, ...]
    kept: tuple[Finding, ...]


def lay(row: Row, before: Contact, site: Site, now: datetime, who: str) -> Laid:
    """A row laid over a contact; the same contact where it says so already.

    What the customer, a portal or an operator set here is newer than any file and stays. An opt-out is
    added and never taken back; consent that was withdrawn here is not given again by an older paper. Our own
    export is older than all that was said here.
    """
    refused: list[Finding] = []
    kept: list[Finding] = []
    read: dict[str, object] = {}
    # Topics that rules do not name any more stay what the customer left.
    site = replace(site, topics=site.topics | set(before.opt_outs or ()))
    for name, text in (news(row.values, before, site.separator) if row.exported else row.values).items():
        try:
            if text == CLEAR:
                if name not in _CLEARED:
                    raise RowRefusedError(f"{CLEAR!r} cannot take this back")
                read[name] = () if name == "channel_order" else None
            else:
                read[name] = COLUMNS[name](text, site)
        except (RowRefusedError, ValueRefused) as error:
            refused.append(Finding(row.number, name, str(error)))
    fields: dict[str, object] = {
        name: read[name]
        for name in ("language", "time_zone", "country", "postcode", "paper_required", "channel_order")
        if name in read
    }
    country = fields.get("country") or before.country
    for channel, name in FIELD_OF.items():
        if name in read:
            address = _address(channel, str(read[name]), before, str(country) if country else None, site, who)
            if address == before.address(channel):
                if not address.usable:
                    kept.append(Finding(row.number, name, f"known here as {address.status}, and stays so"))
            elif address.usable:
                fields[name] = address
            else:
                refused.append(Finding(row.number, name, "no message can go there"))
    try:
        hours = _SILENT if any(one.field in _HOURS for one in refused) else _hours(read, site)
        if hours is not _SILENT:
            fields["quiet_hours"] = hours
    except RowRefusedError as error:
        refused.append(Finding(row.number, "quiet_from", str(error)))
    wishes = {name: fields.pop(name) for name in FIELDS if name in fields}
    # What records brought and our own export repeats is no news of the customer.
    mirrored = row.exported and before.version > 0
    if mirrored and before.language and "language" not in before.set_by_customer:
        wishes.pop("language", None)
    theirs = [name for name in fields if _set_here(before, name) and getattr(before, name) != fields[name]]
    facts = {} if mirrored else {name: value for name, value in fields.items() if name not in theirs}
    try:
        said = _said(row, read, wishes, before, now, who)
    except RowRefusedError as error:
        refused.append(Finding(row.number, "consent", str(error)))
    if refused:
        return Laid(before, tuple(refused), tuple(kept))
    after = one_write(before, heard(recorded(before, now, who, **facts), said, now))
    theirs += [name for name in wishes if getattr(after, name) != wishes[name]]
    theirs += ["opt_outs"] if any(opted_out(said_of(after), what) is None for what in _outs(read)) else []
    theirs += ["consent"] if "consent" in read and _overruled(after.consent, bool(read["consent"])) else []
    kept += [Finding(row.number, name, "set here since, and kept") for name in theirs]
    if not before.version and after is before:
        after = replace(before, version=1)
    return Laid(after, (), tuple(kept))


def _outs(read: Mapping[str, object]) -> list[str]:
    outs = read.get("opt_outs")
    return [cell(t, c) for t, channels in outs.items() for c in channels] if isinstance(outs, Mapping) else []


def _overruled(stands: Consent | None, given: bool) -> bool:
    return stands is not None and given and not stands.given


def _said(
    row: Row,
    read: Mapping[str, object],
    wishes: Mapping[str, object],
    before: Contact,
    now: datetime,
    who: str,
) -> list[Statement]:
    """What the row says that is not so yet, or not known to be so for a reason of its own.

    Our own export tells what stood here at a time that nobody knows: it is older than whatever was said. A
    file that is read again says what it said the first time: what was said since stands.
    """
    voice = Voice("import", who, "", now) if row.exported else acts("import", who, now, before)
    known = said_of(before)
    found = [
        voice.says(name, text_of(name, value))
        for name, value in wishes.items()
        if value != getattr(before, name)
        or (name == "language" and name not in before.set_by_customer and value)
    ]
    found += [voice.says(what, OUT) for what in _outs(read) if opted_out(known, what) is None]
    found += _consent_said(read, before.consent, voice)
    if row.exported:
        return [
            one for one in found if all(one.what != what or one.at > k.at for (what, _), k in known.items())
        ]
    return [one for one in found if not one.what.startswith(OPT_OUTS) or not _same_file(one, known)]


def _same_file(one: Statement, known: Said) -> bool:
    before = known.get((one.what, "import"))
    return before is not None and before.by.partition(" by ")[0] == one.by.partition(" by ")[0]


def _address(
    channel: Channel, text: str, before: Contact, country: str | None, site: Site, who: str
) -> Address:
    checked = site.addresses.check(channel, text, country)
    known = before.address(channel)
    if known is not None and checked.usable and known.value == checked.value:
        return known
    return replace(checked, source=who)


_HOURS = ("quiet_from", "quiet_to")
_SILENT = ("", "")


def _hours(read: Mapping[str, object], site: Site) -> tuple[str, str] | None:
    """The row's own hours; None takes them back, `_SILENT` says nothing of them."""
    first, last = (read.get(name, "") for name in _HOURS)
    if not (first or last):
        return None if first is None or last is None else _SILENT
    if not (first and last):
        raise RowRefusedError("quiet_from and quiet_to go together")
    try:
        return own_window(str(first), str(last), site.hours)
    except ValueError as error:
        raise RowRefusedError(str(error)) from None


def _set_here(contact: Contact, name: str) -> bool:
    """Whether somebody set the field here, by any way but an import."""
    last = next((entry for entry in reversed(contact.history) if entry["field"] == name), None)
    if last is None:
        return name in contact.set_by_customer
    return not last["who"].startswith(WHO)


def _consent_said(read: Mapping[str, object], before: Consent | None, voice: Voice) -> list[Statement]:
    """The consent that a row brings, none where what stands stays (15 USC 7001(c): version, time, source).

    A paper without a time is older than what stands; a withdrawal without one is believed: that is the safer
    reading.
    """
    if "consent" not in read:
        if any(name.startswith("consent_") for name in read):
            raise RowRefusedError("consent_version, consent_at and consent_source need consent itself")
        return []
    at = str(read.get("consent_at", ""))
    if at and datetime.fromisoformat(at) > voice.now:
        raise RowRefusedError("consent_at lies in the future")
    given, version = bool(read["consent"]), str(read.get("consent_version", ""))
    if before is not None and before.given == given and version in ("", before.version):
        return []
    if before is None or not given:
        at = at or second(voice.now)
    note = str(read.get("consent_source", ""))
    return [replace(voice, at=at, note=note).says("consent", consent_text(given, version))]


# --- the whole file -----------------------------------------------------------------------------------


def check_file(
    file: PreferenceFile, domain: str, contacts: ContactBook, site: Site, now: datetime, who: str
) -> Report:
    """Check every row against the contacts as they are, and say what applying would do. Writes nothing."""
    report = Report(ignored=file.ignored)
    seen: dict[bytes, int] = {}
    for group in _groups(file.rows()):
        rows: list[Row] = []
        for number, cells in group:
            report.rows += 1
            row = _row(number, cells, file)
            if isinstance(row, Finding):
                report.refused.append(row)
                continue
            # A digest instead of the key, for files of millions.
            digest = hashlib.blake2b(row.contact_key.encode(), digest_size=12).digest()
            if digest in seen:
                report.refused.append(
                    Finding(number, "customer_key", f"the same customer as row {seen[digest]}")
                )
                continue
            seen[digest] = number
            rows.append(row)
        known = contacts.get(domain, [row.contact_key for row in rows])
        for row in rows:
            before = _before(known.get(row.contact_key), domain, row, "unsaved", now)
            if before is None:
                report.erased.append(_passed_over(row))
                continue
            laid = lay(row, before, site, now, who)
            report.refused += laid.refused
            report.kept += laid.kept
            if not laid.refused:
                _count(report, before, laid.contact)
    return report


def apply_file(
    file: PreferenceFile,
    domain: str,
    contacts: ContactBook,
    site: Site,
    clock: Clock,
    who: str,
    told: Callable[[int], None] = lambda rows: None,
) -> Report:
    """Write what `check_file` accepted; `told` hears how many rows are done.

    CommandError where the file changed since, or a contact never stood still; what is written by then
    stands, and doing it again finishes the rest.
    """
    if not file.unchanged():
        raise CommandError("the file changed while it was checked: nothing was written")
    report = Report(ignored=file.ignored)
    for group in _groups(file.rows()):
        rows = [row for number, cells in group if isinstance(row := _row(number, cells, file), Row)]
        report.rows += len(rows)
        _apply(rows, domain, contacts, site, clock, who, report)
        told(report.rows)
    return report


def _apply(
    rows: Iterable[Row],
    domain: str,
    contacts: ContactBook,
    site: Site,
    clock: Clock,
    who: str,
    report: Report,
) -> None:
    left = {row.contact_key: row for row in rows}
    for _ in range(_TRIES):
        now = clock.now()
        known = contacts.get(domain, left)
        changed: dict[str, tuple[Contact, Contact]] = {}
        for key, row in left.items():
            before = _before(known.get(key), domain, row, clock.random_id(), now)
            if before is None:
                report.erased.append(_passed_over(row))
                continue
            laid = lay(row, before, site, now, who)
            if laid.refused:
                first = laid.refused[0]
                raise CommandError(
                    f"row {first.row}, {first.field}: {first.reason}, since the contact changed meanwhile; "
                    f"rows before it are written: check the file again"
                )
            report.kept += laid.kept
            if laid.contact is before:
                _count(report, before, before)
            else:
                changed[key] = (before, laid.contact)
        # Told first: an import that broke off is finished by the same command, and tells it again.
        tell_portal(changed.values(), who, site.bus, second(now))
        # Somebody else wrote in between: their change stays, the row is laid on top of it.
        after_all = {key: after for key, (_, after) in changed.items()}
        kept = with_kept_opt_outs(after_all, known, site.suppressions, now)
        failed = set(contacts.put(list(kept.values()))) if kept else set()
        for key, (before, after) in changed.items():
            if key not in failed:
                _count(report, before, after)
        left = {key: left[key] for key in failed}
        if not left:
            return
    raise CommandError(f"{len(left)} contacts kept changing: run the import again, it goes on where it was")


def _groups(rows: Iterable[tuple[int, list[str]]]) -> Iterator[list[tuple[int, list[str]]]]:
    left = iter(rows)
    while group := list(islice(left, BATCH)):
        yield group


def _before(known: Contact | None, domain: str, row: Row, salt: str, now: datetime) -> Contact | None:
    """The contact that a row is laid over, a new one where there is none. None: the customer was erased, and
    no consent in the row is newer than that."""
    if known is not None and known.erased_at and not _is_newer(row, known.erased_at):
        return None
    if known is not None and not known.is_erased:
        return known
    at = now.isoformat(timespec="seconds")
    fresh = known or Contact(domain, row.customer_key, salt, recipient=row.recipient)
    return replace(fresh, salt=salt, created_at=at, changed_at=at)


def _is_newer(row: Row, erased_at: str) -> bool:
    """Whether the row's consent was given after the erasure."""
    try:
        given_at = moment(instant(row.values.get("consent_at", "")))
    except ValueRefused:
        return False
    return given_at is not None and given_at > datetime.fromisoformat(erased_at)


def _passed_over(row: Row) -> Finding:
    return Finding(row.number, "customer_key", "the customer was erased, and no consent_at is later")


def _count(report: Report, before: Contact, after: Contact) -> None:
    if after is before:
        report.unchanged += 1
    elif before.version:
        report.changed += 1
    else:
        report.added += 1


def findings_as_csv(findings: Iterable[tuple[str, Finding]], out: IO[str]) -> None:
    """The report as a file: what became of it, row, field, reason."""
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow(("what", "row", "field", "reason"))
    writer.writerows((what, one.row, one.field, one.reason) for what, one in findings)
