"""How sites write the values of a drop record, and the one form in which we keep each of them.

One function a kind of value. Each returns the canonical text, or raises `ValueRefused` with a
reason that never repeats the value: reasons are counted and logged, values are personal.
"""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Literal
from urllib.parse import unquote

DateOrder = Literal["iso", "mdy", "dmy"]
"""How a site writes dates apart from ISO 8601: not at all, `12/31/2026` or `31/12/2026`."""


class ValueRefused(ValueError):
    """A value that has no safe reading; the text says why, without the value."""


# --- text ---------------------------------------------------------------------------------------

# C0, DEL and C1 controls, lone surrogates, and the characters that reorder the text around them
# (Unicode UAX #9 embeddings, overrides and isolates): none belongs in a message to a customer.
_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
_BREAKS = re.compile("[\t\n\r\x0b\x0c\x85\u2028\u2029]+ *")


def clean_text(value: str) -> str:
    """Line breaks and tabs become one space each, the ends are trimmed.

    Raises `ValueRefused` on any other control character.
    """
    text = _BREAKS.sub(" ", value).strip()
    if _FORBIDDEN.search(text):
        raise ValueRefused("holds a control character")
    return text


_SEPARATORS = re.compile(r"[\s_-]+")


def type_key(name: str) -> str:
    """Name of a type, queue, team or status for comparison: `Utility_Bill` is `utility-bill`."""
    return _SEPARATORS.sub("-", name.strip()).strip("-").lower()


# --- amounts ------------------------------------------------------------------------------------

_AMOUNT = re.compile(r"(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{2,4})?")
_DIGITS = re.compile(r"([0-9]{1,15})(?:\.([0-9]{1,4}))?")
_SIGNED = re.compile(r"([+-]?)(\.?[0-9].*)", re.DOTALL)
# What can be read in one way only. Two marks, or one mark twice, show which of them groups digits;
# a comma before one or two last digits cannot group. "1,234" can be either, so it is not here.
_GROUPED: tuple[tuple[re.Pattern[str], str, str], ...] = (
    (re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+\.[0-9]{1,4}"), ",", "."),
    (re.compile(r"[0-9]{1,3}(?:\.[0-9]{3})+,[0-9]{1,4}"), ".", ","),
    (re.compile(r"[0-9]{1,3}(?:,[0-9]{3}){2,}"), ",", "."),
    (re.compile(r"[0-9]{1,3}(?:\.[0-9]{3}){2,}"), ".", ","),
    (re.compile(r"[0-9]{1,2}(?:,[0-9]{2})+,[0-9]{3}(?:\.[0-9]{1,4})?"), ",", "."),
    (re.compile(r"[0-9]+,[0-9]{1,2}"), "", ","),
    (
        re.compile(r"[0-9]{1,3}(?:[ '\u2019\u00a0\u202f][0-9]{3})+(?:\.[0-9]{1,2})?"),
        " '\u2019\u00a0\u202f",
        ".",
    ),
    (re.compile(r"[0-9]{1,3}(?:[ '\u2019\u00a0\u202f][0-9]{3})+,[0-9]{1,2}"), " '\u2019\u00a0\u202f", ","),
)
_UNDECIDED = re.compile(r"[0-9]{1,3},[0-9]{3}")


def plain_amount(value: str) -> str:
    """An amount as a plain decimal: `1204.50`, `-3.00`, `1200`.

    Plain decimals pass as they are (leading zeros, a plus sign and a single decimal place are made
    canonical); grouped ones only where they can be read in one way: `1,234.50`, `1.234,50`,
    `1 234,50`, `12,5`. At most 15 digits before and 4 after the point.
    """
    if _AMOUNT.fullmatch(value):
        return value
    signed = _SIGNED.fullmatch(value)
    if signed is None:
        raise ValueRefused("not a plain amount")
    sign, text = signed.groups()
    if text.startswith("."):
        text = "0" + text
    for pattern, grouping, point in _GROUPED:
        if pattern.fullmatch(text):
            for mark in grouping:
                text = text.replace(mark, "")
            text = text.replace(point, ".")
            break
    digits = _DIGITS.fullmatch(text)
    if digits is None:
        if _UNDECIDED.fullmatch(text):
            raise ValueRefused("the comma may mark thousands or decimals")
        raise ValueRefused("not a plain amount")
    whole, fraction = digits.groups()
    text = whole.lstrip("0") or "0"
    if fraction:
        text += "." + fraction.ljust(2, "0")
    return "-" + text if sign == "-" and text.strip("0.") else text


# --- time ---------------------------------------------------------------------------------------

_YEARS = range(1900, 2200)
_ISO_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{8}")
_SITE_DATE = re.compile(r"([0-9]{1,2})([/.-])([0-9]{1,2})\2([0-9]{4})")
_CLOCK = re.compile(r"[T ][0-9]{2}(?:[:0-9.,]*)(?:Z|[+-][0-9]{2}:?(?:[0-9]{2})?)?")


def _date(text: str, order: DateOrder) -> date:
    try:
        if _ISO_DATE.fullmatch(text):
            found = date.fromisoformat(text)
        elif parts := _SITE_DATE.fullmatch(text):
            if order == "iso":
                raise ValueRefused("not an ISO 8601 date (a site that writes others needs the dates setting)")
            first, _, second, year = parts.groups()
            month, day = (first, second) if order == "mdy" else (second, first)
            found = date(int(year), int(month), int(day))
        else:
            raise ValueRefused("not an ISO 8601 date" if order == "iso" else "not a date")
    except ValueRefused:
        raise
    except ValueError:
        raise ValueRefused("no such day in the calendar") from None
    if found.year not in _YEARS:
        raise ValueRefused("outside the years 1900 to 2199")
    return found


def _split_clock(value: str) -> tuple[str, str]:
    """Date part and clock part; the clock is empty, or starts with `T` or a space."""
    cut = min((at for at in (value.find("T"), value.find(" ")) if at > 0), default=len(value))
    day, clock = value[:cut], value[cut:]
    if clock and not _CLOCK.fullmatch(clock):
        raise ValueRefused("not an ISO 8601 time")
    return day, clock


def calendar_date(value: str, order: DateOrder = "iso") -> str:
    """A day as `YYYY-MM-DD`. ISO 8601, extended or basic, a time after it is dropped.

    `order` lets a site write `12/31/2026` or `31.12.2026` as well; without it such a date is
    refused, since a customer must not read a wrong one.
    """
    day, _ = _split_clock(value)
    return _date(day, order).isoformat()


def instant(value: str, order: DateOrder = "iso") -> str:
    """A moment as `YYYY-MM-DDTHH:MM:SSZ`, in UTC; a time without an offset counts as UTC."""
    day, clock = _split_clock(value)
    start = _date(day, order).isoformat()
    try:
        moment = datetime.fromisoformat(start + "T" + clock[1:] if clock else start)
    except ValueError:
        raise ValueRefused("not an ISO 8601 time") from None
    if moment.tzinfo is not None:
        moment = moment.astimezone(UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


# --- codes --------------------------------------------------------------------------------------

_LANGUAGE = re.compile(r"([A-Za-z]{2,3})(?:[-_]([A-Za-z]{4}))?(?:[-_]([A-Za-z]{2}|[0-9]{3}))?")
# ISO 639-2 codes and names that sites write for languages that have a two-letter code.
_LANGUAGE_NAMES: Mapping[str, str] = {
    "eng": "en", "english": "en",
    "spa": "es", "esp": "es", "spanish": "es", "español": "es", "espanol": "es", "castellano": "es",
    "fra": "fr", "fre": "fr", "french": "fr", "français": "fr", "francais": "fr",
    "deu": "de", "ger": "de", "german": "de", "deutsch": "de",
    "ita": "it", "italian": "it", "italiano": "it",
    "por": "pt", "portuguese": "pt", "português": "pt",
    "nld": "nl", "dut": "nl", "dutch": "nl", "nederlands": "nl",
}  # fmt: skip


def language_tag(value: str) -> str:
    """A BCP 47 tag in its usual case: `en`, `en-GB`, `zh-Hant-TW`; a few full names are known."""
    if name := _LANGUAGE_NAMES.get(value.lower()):
        return name
    found = _LANGUAGE.fullmatch(value)
    if found is None:
        raise ValueRefused("not a language tag (BCP 47)")
    language, script, region = found.groups()
    tag = _LANGUAGE_NAMES.get(language.lower(), language.lower())
    if script:
        tag += "-" + script.title()
    if region:
        tag += "-" + region.upper()
    return tag


_TRUE = frozenset({"y", "yes", "true", "t", "1", "on", "x"})
_FALSE = frozenset({"n", "no", "false", "f", "0", "off"})


def truth(value: str) -> bool:
    """Yes or no, as sites write it."""
    word = value.lower()
    if word in _TRUE:
        return True
    if word in _FALSE:
        return False
    raise ValueRefused("neither yes nor no")


MAX_TEAMS = 20
MAX_TEAM_LENGTH = 64


def team_names(value: str) -> list[str]:
    """Internal teams, separated by `;` or `,`, or as a JSON list: `Credit Risk` is `credit-risk`."""
    names: Iterable[object] = re.split("[;,]", value)
    if value.startswith("["):
        try:
            names = json.loads(value)
        except (ValueError, RecursionError):
            raise ValueRefused("neither names separated by ; nor a JSON list") from None
    teams: dict[str, None] = {}
    for name in names:
        if not isinstance(name, str):
            raise ValueRefused("a team that is no text")
        if len(name) > MAX_TEAM_LENGTH:
            raise ValueRefused(f"a team's name is longer than {MAX_TEAM_LENGTH} characters")
        if key := type_key(clean_text(name)):
            teams[key] = None
    if len(teams) > MAX_TEAMS:
        raise ValueRefused(f"more than {MAX_TEAMS} teams")
    return list(teams)


# --- the document's file ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Where a run lies: `prefix` is the key of its folder, `drop/<domain>/<run_id>/`."""

    bucket: str
    prefix: str


_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_DECODING_ROUNDS = 5


def path_in_run(value: str, folder: RunFolder | None = None) -> str:
    """A document's path relative to its run's folder.

    Back slashes become slashes, `./` and double slashes go; `s3://` is read if it names the run's
    own folder. Refused is whatever leaves the folder: an absolute path, a drive, another scheme or
    bucket, a `..` even when percent-encoded, once or repeatedly (CWE-22).
    """
    # Nearly every path is in its final form; that is told without a regular expression.
    if not (
        "%" in value
        or "\\" in value
        or ":" in value
        or "/." in value
        or "//" in value
        or value[:1] in "/."
        or value.endswith("/")
    ):
        return value
    text = value
    if folder is not None and text.startswith(own := f"s3://{folder.bucket}/{folder.prefix}"):
        text = text.removeprefix(own)
    text = "/".join(part for part in text.replace("\\", "/").split("/") if part != ".")
    text = re.sub(r"(?<=.)/{2,}", "/", text)
    # The file is kept under its literal name; decoding only shows what a careless reader would see.
    seen = text
    for _ in range(_DECODING_ROUNDS):
        _refuse_leaving(seen)
        decoded = unquote(seen).replace("\\", "/")
        if decoded == seen:
            return text
        seen = decoded
    raise ValueRefused("percent-encoded too many times")


def _refuse_leaving(path: str) -> None:
    if path.startswith("/") or _SCHEME.match(path) or ".." in path.split("/"):
        raise ValueRefused("leaves the run's folder")
    if not path or path.endswith("/"):
        raise ValueRefused("names no file")
    if _FORBIDDEN.search(path):
        raise ValueRefused("holds a control character")


def queue_of(path: str) -> str | None:
    """The queue whose folder a file lies in: `output/<queue>/<file>` (Exstream's own layout)."""
    parts = path.split("/")
    return parts[1] if len(parts) >= 3 and parts[0].lower() == "output" else None


# --- identity -----------------------------------------------------------------------------------

# What a document says, without how and when it is delivered: a new address or a later run must not
# make another document of it.
_CONTENT = (
    "customer_key", "document_type", "queue_name", "reference_no", "account_number", "amount_due", "currency",
    "due_date", "statement_period", "stage", "case_id", "case_type", "respond_by", "supersedes",
)  # fmt: skip


IDENTITY_FIELDS = ("document_id", "output_uri", "archive_ref", "content_sha256")
"""The fields that can identify a document, the best first."""


def stem(path: str) -> str:
    """A file's name without folders and its last extension."""
    name = path.rsplit("/", 1)[-1]
    base, dot, _ = name.rpartition(".")
    return base if dot and base else name


def own_identity(record: Mapping[str, object]) -> str | None:
    """A document's identity as its record gives it.

    `document_id`, else the stem of `output_uri`, else `archive_ref`, else `content_sha256`.
    """
    if document_id := record.get("document_id"):
        return str(document_id)
    if output_uri := record.get("output_uri"):
        return stem(str(output_uri))
    found = record.get("archive_ref") or record.get("content_sha256")
    return str(found) if found else None


def file_edition(record: Mapping[str, object]) -> str:
    """What tells documents apart whose identity is only the name of a file; empty for any other document.

    A file name says little: next month's file often has the same one. So the statement period belongs to
    the identity as well, else the content's hash, else the day (UTC) on which the document was produced.
    An `archive_ref` is an identity of its own unless it is a path or a file name.
    """
    if record.get("document_id"):
        return ""
    if not record.get("output_uri"):
        archived = str(record.get("archive_ref") or "")
        if not ("/" in archived or "\\" in archived or _FILE_NAME.search(archived)):
            return ""
    if period := record.get("statement_period"):
        return f"period:{type_key(str(period))}"
    if content := record.get("content_sha256"):
        return content_edition(str(content))
    produced = str(record.get("produced_at") or "")
    return f"day:{produced[:10]}" if produced else ""


_FILE_NAME = re.compile(r"\.[A-Za-z][A-Za-z0-9]{1,4}$")


def content_edition(content_sha256: str) -> str:
    """The edition of a document that its content's hash tells from others of the same id."""
    return f"content:{content_sha256.lower()}"


def content_identity(record: Mapping[str, object]) -> str:
    """Identity of a record that names its document in no way: a hash of what the document says."""
    rows = [[name, record[name]] for name in _CONTENT if name in record]
    digest = hashlib.sha256(json.dumps(rows, ensure_ascii=False).encode()).hexdigest()
    return "record-" + digest[:32]
