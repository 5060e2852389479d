"""How bounce mails are read, on any folder of mails, judged by labels if there are some.

    PYTHONPATH=layers/core .venv/bin/python bench/bounces.py FOLDER [--labels FILE [--overrule FILE]] [--json]

FOLDER holds mails as files (maildir, `.eml`, mbox). FILE is a CSV with a header: `file` (name, with or
without its extension, or the end of its path), then `expected`: a group of `domain/verdicts.py` (address,
temporary, network, content, policy, ours, unclear), auto_reply, challenge, complaint, delivered, person,
other, or only hard, not hard, mixed. Several that are right are joined by `|`. Two more columns are known:
`address`, the failed recipients, and `reason`, the class in sisimai's words, for the table alone.

What a person reads differently from a label stands in a file of the same form with a column `why`; every
label that it overrules is listed.

Without labels every mail counts as a bounce for the recognition; addresses are compared with the fields in
which the mail itself names its failed recipients. Mails are read as `record_receipt` reads them. Each bounce
is read twice more, with a reference of ours in the head of the message that it returns, and in the address
that it went to (return path): how many of them come back.
Exit code 1 if labels are given and a target (`TARGETS`) is missed.
"""

import argparse
import csv
import json
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from exstream_notify.adapters.receipts.mails import MailReading, Phrases, read_mail
from exstream_notify.adapters.rules import YamlRules
from exstream_notify.domain.receipts import Kind
from exstream_notify.domain.references import HEADER, made, return_address

FOUND: Final[Mapping[Kind | None, str]] = {
    Kind.HARD_BOUNCE: "address",
    Kind.SOFT_BOUNCE: "temporary",
    Kind.DELAYED: "delayed",
    Kind.GAVE_UP: "network",
    Kind.CONTENT_REFUSED: "content",
    Kind.POLICY_REFUSED: "policy",
    Kind.OUR_FAULT: "ours",
    Kind.NOT_DELIVERED: "unclear",
    Kind.UNDETERMINED: "unclear",
    Kind.DELIVERED: "delivered",
    Kind.SENT: "delivered",
    Kind.OPENED: "delivered",
    Kind.AUTO_REPLY: "auto_reply",
    Kind.CHALLENGE: "auto_reply",
    Kind.COMPLAINT: "complaint",
    Kind.NOT_SPAM: "complaint",
    Kind.AUTH_REPORT: "complaint",
    None: "unread",
}
"""The group that a kind of receipt stands for; any other kind is shown by its own name."""

NO_BOUNCE: Final = frozenset(
    {"delivered", "auto_reply", "challenge", "complaint", "person", "other", "unread"}
)
HARD: Final = frozenset({"hard", "address"})

REASONS: Final[Mapping[str, str]] = {
    "userunknown": "address",
    "hostunknown": "address",
    "hasmoved": "address",
    "notaccept": "address",
    "mailboxfull": "temporary",
    "systemerror": "temporary",
    "systemfull": "temporary",
    "speeding": "temporary",
    "toomanyconn": "temporary",
    "suspend": "temporary",
    "expired": "network",
    "networkerror": "network",
    "failedstarttls": "network",
    "mesgtoobig": "content",
    "exceedlimit": "content",
    "contenterror": "content",
    "spamdetected": "content",
    "virusdetected": "content",
    "notcompliantrfc": "content",
    "authfailure": "policy",
    "badreputation": "policy",
    "blocked": "policy",
    "filtered": "policy",
    "norelaying": "policy",
    "policyviolation": "policy",
    "rejected": "policy",
    "requireptr": "policy",
    "securityerror": "policy",
    "syntaxerror": "ours",
    "mailererror": "unclear",
    "onhold": "unclear",
    "undefined": "unclear",
    "feedback": "complaint",
    "vacation": "auto_reply",
    "delivered": "delivered",
}
"""Reasons as sisimai names them, by the nearest of our groups: for the table alone, not for the verdict."""

EITHER: Final = frozenset({"filtered", "suspend"})
EITHER_WORDS: Final = re.compile(
    rb"unknown (?:user|account|recipient|local)|(?:user|recipient|account|address) (?:is )?unknown|no such|"
    rb"not exist|disabled|deactivated|inactive|recipient\s*not\s*found|mailbox not found|doesn't have a|"
    rb"invalid (?:address|recipient|user|mailbox)",
    re.IGNORECASE,
)
"""Reasons that may be read either way where the mail says that the mailbox is unknown or disabled."""

TARGETS: Final[Mapping[str, float]] = {
    "recognised": 0.99,
    "hard_or_not": 0.95,
    "hard_found": 0.95,
    "wrong_permanent": 0.005,
}
"""Least shares, and of wrong permanent verdicts the largest."""

REFERENCE: Final = made("5eed" * 8, 1, 1, b"the key of the measure")

_MBOX: Final = re.compile(rb"(?:\A|\n\r?\n)From \S[^\n]* \d\d:\d\d[^\n]*\n")
_NAMED: Final = re.compile(
    rb"^(?:final-recipient|original-recipient|x-actual-recipient|x-failed-recipients|original-rcpt-to)"
    rb":[ \t]*(?:[a-z0-9-]+[ \t]*;)?[ \t]*([^\r\n]+(?:\r?\n[ \t]+[^\r\n]*@[^\r\n]+){0,20})",
    re.IGNORECASE | re.MULTILINE,
)
_EDGES: Final = "<>()[]{},;: \t'\""


@dataclass(frozen=True, slots=True)
class Label:
    """What is right for a mail: any of its verdicts (hard, not hard, mixed, groups); its groups."""

    verdicts: frozenset[str]
    groups: frozenset[str]
    reasons: frozenset[str] = frozenset()
    why: str = ""
    addresses: frozenset[str] = frozenset()

    @property
    def group(self) -> str:
        """As the table names it."""
        return "|".join(sorted(self.groups))

    @property
    def is_bounce(self) -> bool | None:
        """Whether it has to be recognised as one, or must not be; None if both are right."""
        none = self.groups & NO_BOUNCE
        return None if none and none != self.groups else not none

    @property
    def is_hard(self) -> bool | None:
        """Whether the address has to be found wrong, or must not be; None if both are right."""
        hard = self.verdicts & HARD
        return None if hard and hard != self.verdicts else bool(hard)


@dataclass
class Count:
    """Right ones of all that were judged, and the names of the others."""

    right: int = 0
    all: int = 0
    wrong: list[str] = field(default_factory=list)

    def add(self, right: bool, name: str) -> None:
        """Count one."""
        self.all += 1
        self.right += right
        if not right:
            self.wrong.append(name)

    @property
    def share(self) -> float:
        """Of all; 1 if there were none."""
        return self.right / self.all if self.all else 1.0


@dataclass
class Figures:
    """What was measured."""

    mails: int = 0
    found: Counter[str] = field(default_factory=Counter)
    recognised: Count = field(default_factory=Count)
    others: Count = field(default_factory=Count)
    addresses: Count = field(default_factory=Count)
    hard_or_not: Count = field(default_factory=Count)
    hard_found: Count = field(default_factory=Count)
    in_header: Count = field(default_factory=Count)
    in_return_path: Count = field(default_factory=Count)
    table: Counter[tuple[str, str]] = field(default_factory=Counter)
    permanent: int = 0
    either: list[str] = field(default_factory=list)
    wrong_permanent: list[str] = field(default_factory=list)
    slowest: float = 0.0

    @property
    def wrong_share(self) -> float:
        """Wrong permanent verdicts, of all permanent ones."""
        return len(self.wrong_permanent) / self.permanent if self.permanent else 0.0

    @property
    def reaches(self) -> bool:
        """Whether every target is reached."""
        counts = (name for name in TARGETS if name != "wrong_permanent")
        least = all(getattr(self, name).share >= TARGETS[name] for name in counts)
        return least and self.wrong_share <= TARGETS["wrong_permanent"] and not self.others.wrong


def mails(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every mail below a folder (or the one in a file) by its path; those of an mbox with a number."""
    files = [folder] if folder.is_file() else sorted(p for p in folder.rglob("*") if p.is_file())
    for path in files:
        data = path.read_bytes()
        name = path.name if folder.is_file() else str(path.relative_to(folder))
        starts = [match.end() for match in _MBOX.finditer(data)]
        if len(starts) < 2 or path.suffix.lower() == ".eml":
            if data.strip():
                yield name, data
            continue
        ends = [*[match.start() for match in _MBOX.finditer(data)][1:], len(data)]
        for number, (start, end) in enumerate(zip(starts, ends, strict=True), start=1):
            yield f"{name}#{number}", data[start:end]


def labels_of(file: Path) -> dict[str, Label]:
    """The labels by the last part of the file's name, without its extension."""
    with file.open(encoding="utf-8-sig", newline="") as rows:
        return {_stem(next(iter(row.values()))): _label(row) for row in csv.DictReader(rows)}


def _label(row: Mapping[str, str]) -> Label:
    expected = (row.get("expected") or row.get("group") or list(row.values())[1] or "").strip().lower()
    verdicts = frozenset(expected.split("|"))
    reasons = frozenset(r for r in (row.get("reason") or "").strip().lower().split("|") if r)
    groups = frozenset(REASONS.get(r, r) for r in reasons) or verdicts
    named = frozenset(_folded(a) for a in re.split(r"[|\s]+", row.get("address") or "") if a)
    return Label(verdicts, groups, reasons, row.get("why") or "", named)


def _stem(name: str) -> str:
    return re.sub(r"\.(?:eml|txt|msg|mail)$", "", name.strip().rpartition("/")[2], flags=re.IGNORECASE)


def _folded(address: str) -> str:
    return address.strip(_EDGES).lower()


def named_in(data: bytes) -> frozenset[str]:
    """The failed recipients that a mail's own report fields name."""
    rows = [row.decode("utf-8", "replace") for row in _NAMED.findall(data)]
    found = (_folded(part) for row in rows for part in re.split(r"[,\s]+", row))
    return frozenset(a for a in found if 0 < a.find("@") < len(a) - 1)


def planted(data: bytes) -> tuple[bytes, bytes]:
    """The mail with a reference of ours in the message that it returns, and in the address that it went to.

    Empty where it returns no subject that can be read as it is, or where it has no such address.
    """
    head, blank, body = re.sub(rb"\r\n?", b"\n", data).partition(b"\n\n")
    subject = next(iter(re.findall(rb"^(?:[> \t]*)subject:", body, re.IGNORECASE | re.MULTILINE)[-1:]), b"")
    before, found, behind = body.rpartition(b"\n" + subject) if subject else (body, b"", b"")
    mark = subject[: subject.lower().find(b"subject")] if subject else b""
    line = b"\n" + mark + f"{HEADER}: {REFERENCE}".encode()
    returned = head + blank + before + line + found + behind if found else b""
    to = b"To: " + return_address("bounces@example.com", REFERENCE).encode()
    path, changed = re.subn(rb"^to:.*(?:\n[ \t].*)*", to, head, count=1, flags=re.IGNORECASE | re.MULTILINE)
    return returned, path + blank + body if changed else b""


def measure(folder: Path, labels: Mapping[str, Label] | None = None) -> Figures:
    """Read every mail and count."""
    phrases, verdicts, figures = Phrases(), YamlRules().verdicts, Figures()
    for name, data in mails(folder):
        label = labels.get(_stem(name)) if labels is not None else None
        if labels is not None and label is None:
            continue
        started = time.process_time()
        reading = read_mail(data, phrases, verdicts)
        figures.slowest = max(figures.slowest, time.process_time() - started)
        groups = sorted({FOUND.get(told.kind, str(told.kind)) for told in reading.told}) or ["unread"]
        found = "|".join(groups)
        figures.mails += 1
        figures.found[_coarse(groups)] += 1
        _recognised(figures, name, found, groups, label)
        if label is None or label.is_bounce:
            for count, mail in zip((figures.in_header, figures.in_return_path), planted(data), strict=True):
                if mail:
                    count.add(REFERENCE in read_mail(mail, phrases, verdicts).references, name)
        _addressed(figures, name, data, reading, label)
        if label is not None:
            figures.table[label.group, found] += 1
            _judged(figures, name, data, reading, label)
    return figures


def _coarse(groups: list[str]) -> str:
    bounce = [g for g in groups if g not in NO_BOUNCE]
    return "bounce" if bounce else groups[0]


def _recognised(figures: Figures, name: str, found: str, groups: list[str], label: Label | None) -> None:
    is_bounce = _coarse(groups) == "bounce"
    wanted = True if label is None else label.is_bounce
    if wanted:
        figures.recognised.add(is_bounce, f"{name}: {found}")
    elif wanted is not None and label is not None:
        figures.others.add(not is_bounce, f"{name}: {label.group} taken for {found}")


def _addressed(figures: Figures, name: str, data: bytes, reading: MailReading, label: Label | None) -> None:
    """Count whether the reading names an address, and only addresses that failed."""
    wanted = label.addresses if label is not None and label.addresses else named_in(data)
    if not wanted or not reading.is_bounce:
        return
    told = {_folded(row.address) for row in reading.told}
    differ = f"{name}: {len(told - wanted)} of {len(told)} differ"
    figures.addresses.add(bool(told) and told <= wanted, differ)


def _judged(figures: Figures, name: str, data: bytes, reading: MailReading, label: Label) -> None:
    groups = {FOUND.get(told.kind, str(told.kind)) for told in reading.told} or {"unread"}
    hard = "address" in groups
    figures.permanent += hard
    row = f"{name}: {label.group} found {'|'.join(sorted(groups))}"
    said = data + " ".join(told.reason for told in reading.told).encode("utf-8", "replace")
    if label.is_hard is None or (hard and label.reasons & EITHER and EITHER_WORDS.search(said)):
        figures.either.append(row)
    elif "mixed" in label.verdicts:
        figures.hard_or_not.add(hard and len(groups) > 1, row)
    else:
        figures.hard_or_not.add(hard is label.is_hard, row)
        if label.is_hard:
            figures.hard_found.add(hard, row)
        elif hard:
            told = next(one for one in reading.told if one.kind is Kind.HARD_BOUNCE)
            figures.wrong_permanent.append(f"{row} ({told.code or '-'}) {told.reason}")


def shown(figures: Figures, labelled: bool) -> Iterator[str]:
    """The figures, line by line."""
    found = ", ".join(f"{k} {n}" for k, n in figures.found.most_common())
    yield f"mails            {figures.mails}: {found}"
    rows = {
        "recognised": figures.recognised,
        "addresses agree": figures.addresses,
        "ref. in header": figures.in_header,
        "ref. in path": figures.in_return_path,
    }
    if labelled:
        rows |= {
            "others left": figures.others,
            "hard / not hard": figures.hard_or_not,
            "hard ones found": figures.hard_found,
        }
    for name, count in rows.items():
        yield f"{name:16} {count.right} of {count.all} ({count.share:.1%})"
    if labelled:
        wrong = len(figures.wrong_permanent)
        yield f"wrong permanent  {wrong} of {figures.permanent} ({figures.wrong_share:.1%})"
        yield f"either way       {len(figures.either)} (both right, or the mailbox filtered or disabled)"
        yield from _table(figures.table)
    yield f"slowest mail     {figures.slowest:.3f} s of CPU"
    for row in figures.wrong_permanent:
        yield f"wrong permanent: {row}"
    for name, count in rows.items():
        for row in count.wrong:
            yield f"{name}: {row}"


def _table(table: Mapping[tuple[str, str], int]) -> Iterator[str]:
    columns = sorted({found for _, found in table})
    rows = sorted({expected for expected, _ in table})
    left = max(len(name) for name in [*rows, "expected \\ found"])
    yield "expected \\ found".ljust(left) + "".join(f"  {name}" for name in columns)
    for row in rows:
        cells = (f"  {table.get((row, name), 0) or '.':>{len(name)}}" for name in columns)
        yield row.ljust(left) + "".join(cells)


def as_json(figures: Figures) -> dict[str, Any]:
    """The figures with stable names."""
    counts = (
        "recognised", "others", "addresses", "hard_or_not", "hard_found", "in_header", "in_return_path",
    )  # fmt: skip
    named = {name: getattr(figures, name) for name in counts}
    return {
        "mails": figures.mails,
        "found": dict(figures.found),
        **{name: {"right": c.right, "all": c.all, "wrong": c.wrong} for name, c in named.items()},
        "permanent": figures.permanent,
        "either": figures.either,
        "wrong_permanent": figures.wrong_permanent,
        "table": [{"expected": e, "found": f, "mails": n} for (e, f), n in sorted(figures.table.items())],
        "slowest_seconds": round(figures.slowest, 3),
    }


def main() -> int:
    """Measure and show; 0 unless labels say that a target is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--labels", type=Path, metavar="FILE")
    parser.add_argument("--overrule", type=Path, metavar="FILE")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    if not given.folder.exists():
        parser.error(f"{given.folder} is not there")
    labels = labels_of(given.labels) if given.labels else None
    overruled = labels_of(given.overrule) if given.overrule else {}
    figures = measure(given.folder, None if labels is None else labels | overruled)
    if given.json:
        print(json.dumps(as_json(figures), indent=1))
    else:
        print("\n".join(shown(figures, labelled=bool(given.labels))))
        for name, label in sorted(overruled.items()):
            print(f"overruled: {name}: {label.group}: {label.why}")
    return 0 if not given.labels or figures.reaches else 1


if __name__ == "__main__":
    sys.exit(main())
