"""Which records of a run give one customer and recipient different addresses, found in one pass.

Each staged record leaves a row of 32 bytes: hashes of its contact key and addresses, codes of its name,
and its position. Rows are spread over partitions by contact key and looked at partition by partition.
They stay in memory up to a limit, then go to temporary files; where those are full, the partitions that
have no room wait for a further pass over the index. So memory does not grow with the run.

Hashes are the process's own (`hash`), which are fast and say nothing afterwards. Two contact keys share
one by chance once in some 300,000 runs of ten million records. Addresses are compared in a plain form
that agrees with `AddressChecker` on what sites write. Where it errs, taking two addresses for one is the
lesser harm: each notice goes to its own record's address all the same, and only the contact keeps the
last one. Taking one address for two would reject a customer whose name is written in two ways.
"""

import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from tempfile import TemporaryFile
from typing import IO, Any

from ...domain.holders import NAME_WORDS, PAIRS_NAMED, Conflicts, Name, alike, code_of, words_of
from ...domain.identity import contact_key

PARTITIONS = 256
GROUPS = 8
"""Temporary files; each holds the rows of so many partitions alike."""

BUFFER_BYTES = 8_000_000
SPOOL_BYTES = 384_000_000
"""Limits of the rows in memory and in temporary files. Lambda's /tmp has 512 MB."""

PENDING = 100
"""Records whose rows are made at once."""

WHO_LIMIT = 64
"""Different people and addresses under one key that are compared with one another."""

DISPUTED, MIXED = 1, 2
"""What is said of a record: another has another address; and another name too."""

_ROW = struct.Struct(f"<QII{2 * NAME_WORDS}s{2 * NAME_WORDS}sI")
_PACK = _ROW.pack
_WORDS_OF_ROW = _ROW.size // 8
_CODES = struct.Struct(f"<{NAME_WORDS}H")
_64, _32 = (1 << 64) - 1, (1 << 32) - 1
_GROUP_BITS = PARTITIONS // GROUPS
_NO_NAME = bytes(2 * NAME_WORDS)


class _Memo(dict[Any, Any]):
    """What was worked out for a text, for the texts that repeat within a run."""

    _ENTRIES = 16_384

    def __init__(self, work_out: Callable[[Any], Any]) -> None:
        self._work_out = work_out

    def __missing__(self, text: Any) -> Any:
        if len(self) >= self._ENTRIES:
            self.clear()
        found = self[text] = self._work_out(text)
        return found


def _digest(word: str) -> int:
    return hash(word) & _64


def _packed_name(name: str) -> bytes:
    codes = [code_of(word, _digest) for word in words_of(name)]
    return _CODES.pack(*codes, *[0] * (NAME_WORDS - len(codes)))


def _name(first: bytes, last: bytes) -> Name:
    return tuple(filter(None, _CODES.unpack(first))), tuple(filter(None, _CODES.unpack(last)))


def plain_email(raw: str) -> str:
    """An e-mail address for comparison: lower case, its domain in ASCII; empty for what is none."""
    if "@" not in raw:
        return ""
    text = raw.strip().lower()
    if text.isascii():
        return text
    local, _, domain = text.rpartition("@")
    try:
        return f"{local}@{domain.encode('idna').decode()}"
    except UnicodeError:
        return text


def plain_number(raw: str, country: str | None, region: str) -> str:
    """A telephone number for comparison: country code and digits; empty for what has none.

    A number without a country's code gets that of its record's country, else of the site's region.
    """
    text = raw.strip()
    if text[:1] == "+":
        return text[1:] if text[1:].isdigit() else _digits(text.replace("(0)", ""))
    digits = _digits(text)
    if not digits:
        return ""
    code = _calling_code[(country or region).upper()]
    if digits.startswith("00"):
        return digits[2:]
    if code == "1" and digits.startswith("011"):
        return digits[3:]
    digits = digits.lstrip("0")
    written_out = code and digits.startswith(code) and len(digits) - len(code) >= 9
    return digits if written_out else code + digits


def _digits(text: str) -> str:
    return "".join(c for c in text if c in "0123456789")


def _code_of_region(region: str) -> str:
    # Loaded where a site writes numbers without a country's code: most runs need none of it.
    import phonenumbers

    return str(phonenumbers.country_code_for_region(region) or "")


_calling_code = _Memo(_code_of_region)


@dataclass(slots=True)
class Findings:
    """What is said of the run's records, a byte each by position, and a summary of it."""

    conflicts: Conflicts = field(default_factory=Conflicts)
    _verdicts: bytearray = field(default_factory=bytearray)

    def __bool__(self) -> bool:
        """Whether there is any conflict."""
        return bool(self.conflicts.disputed or self.conflicts.mixed)

    def of(self, position: int) -> int:
        """0, DISPUTED or MIXED."""
        return self._verdicts[position] if position < len(self._verdicts) else 0

    def note(self, position: int, verdict: int) -> None:
        """Say this of a record, once."""
        if position >= len(self._verdicts):
            self._verdicts += bytes(max(position + 1, 2 * len(self._verdicts)) - len(self._verdicts))
        self._verdicts[position] = verdict
        found = self.conflicts
        self.conflicts = (
            replace(found, mixed=found.mixed + 1)
            if verdict == MIXED
            else replace(found, disputed=found.disputed + 1)
        )

    def add(self, other: "Findings") -> None:
        """Take over what another pass found of other records."""
        for position, verdict in enumerate(other._verdicts):
            if verdict:
                self.note(position, verdict)
        for pair in other.conflicts.disputed_pairs:
            self.name_pair(pair, DISPUTED)
        for pair in other.conflicts.mixed_pairs:
            self.name_pair(pair, MIXED)

    def name_pair(self, pair: tuple[int, int], verdict: int) -> None:
        """Name two records of a conflict; the first pairs of the run are kept."""
        found = self.conflicts
        if verdict == MIXED:
            self.conflicts = replace(found, mixed_pairs=_first(found.mixed_pairs, pair))
        else:
            self.conflicts = replace(found, disputed_pairs=_first(found.disputed_pairs, pair))


def _first(pairs: tuple[tuple[int, int], ...], pair: tuple[int, int]) -> tuple[tuple[int, int], ...]:
    return tuple(sorted({*pairs, pair})[:PAIRS_NAMED])


@dataclass(frozen=True, slots=True)
class _Who:
    """Addresses and name of a record, as its row has them."""

    email: int
    mobile: int
    first: bytes
    last: bytes

    def elsewhere(self, other: "_Who") -> bool:
        """Whether both have an address of one channel, and not the same."""
        return bool(
            (self.email and other.email and self.email != other.email)
            or (self.mobile and other.mobile and self.mobile != other.mobile)
        )

    @property
    def named(self) -> bool:
        return self.first != _NO_NAME or self.last != _NO_NAME


class Holders:
    """Takes the records of a pass (`add`), and says what `findings` there are among them.

    `region` is that of numbers without a country code. `first_group` is where the partitions begin that
    this pass looks at, `end_group` where they turned out to end: GROUPS unless the rows had no room.
    """

    def __init__(
        self,
        region: str = "US",
        first_group: int = 0,
        *,
        buffer_bytes: int = BUFFER_BYTES,
        spool_bytes: int = SPOOL_BYTES,
    ) -> None:
        self.first_group, self.end_group = first_group, GROUPS
        self._region = region
        self._buffer_bytes, self._spool_bytes = buffer_bytes, spool_bytes
        self._blocks: list[bytearray | None] = [
            bytearray() if partition >= first_group * _GROUP_BITS else None for partition in range(PARTITIONS)
        ]
        self._rows_at_once = self._spool_at = max(1, buffer_bytes // _ROW.size)
        self._files: dict[int, IO[bytes]] = {}
        self._extents: list[list[tuple[int, int]]] = [[] for _ in range(PARTITIONS)]
        self._spooled = [0] * GROUPS
        self._pending: list[tuple[Mapping[str, Any], int]] = []
        self._names = _Memo(_packed_name)
        self._names[""] = _NO_NAME

    def add(self, record: Mapping[str, Any], position: int) -> None:
        """Take a normalised record; a test document, which tells nobody, is passed over."""
        self._pending.append((record, position))
        if len(self._pending) >= PENDING:
            self._take()

    def _take(self) -> None:
        """Make rows of the records taken so far: many at once, which is half as much work for each."""
        blocks, names, pack, region, digest = self._blocks, self._names, _PACK, self._region, hash
        position = 0
        for record, position in self._pending:
            get = record.get
            if get("test_flag"):
                continue
            key = record["customer_key"]
            if "recipient" in record:
                key = contact_key(key, record["recipient"])
            number = digest(key) & _64
            block = blocks[number & 255]
            if block is None:
                continue
            # The usual forms of an address take no call of their own. An empty text has the hash 0.
            email = get("email", "")
            if email:
                plain = email.isascii() and "@" in email
                email = digest(email.lower() if plain else plain_email(email)) & _32
            mobile = get("mobile", "")
            if mobile:
                digits = mobile[1:]
                plain = mobile[0] == "+" and digits.isdigit()
                mobile = digest(digits if plain else plain_number(mobile, get("country"), region)) & _32
            first, last = names[get("first_name", "")], names[get("last_name", "")]
            block += pack(number, email or 0, mobile or 0, first, last, position)
        self._pending.clear()
        if position >= self._spool_at:
            self._spool(position)

    def findings(self) -> Findings:
        """Look at all rows, and forget them."""
        self._take()
        found = Findings()
        for partition, block in enumerate(self._blocks):
            if block is not None and (block or self._extents[partition]):
                self._look(partition, found)
                self._blocks[partition] = None
        self.close()
        return found

    def close(self) -> None:
        """Remove the temporary files."""
        for file in self._files.values():
            file.close()
        self._files.clear()

    def _spool(self, position: int) -> None:
        """Move the rows in memory to their group's file; without room, leave later groups to another pass."""
        self._spool_at = position + self._rows_at_once
        while (
            sum(self._spooled[self.first_group : self.end_group]) + self._buffer_bytes > self._spool_bytes
            and self.end_group - self.first_group > 1
        ):
            self._leave((self.first_group + self.end_group + 1) // 2)
        for partition, block in enumerate(self._blocks):
            if not block:
                continue
            group = partition // _GROUP_BITS
            if group not in self._files:
                self._files[group] = TemporaryFile(prefix="exnotify-holders-")  # noqa: SIM115 - see close
            self._files[group].write(block)
            self._extents[partition].append((self._spooled[group], len(block)))
            self._spooled[group] += len(block)
            block.clear()

    def _leave(self, group: int) -> None:
        for partition in range(group * _GROUP_BITS, self.end_group * _GROUP_BITS):
            self._blocks[partition] = None
        for left in range(group, self.end_group):
            self._spooled[left] = 0
            if (file := self._files.pop(left, None)) is not None:
                file.close()
        self.end_group = group

    def _blocks_of(self, partition: int) -> Iterator[bytes]:
        for start, length in self._extents[partition]:
            file = self._files[partition // _GROUP_BITS]
            file.seek(start)
            yield file.read(length)
        if block := self._blocks[partition]:
            yield bytes(block)

    def _look(self, partition: int, found: Findings) -> None:
        keys: set[int] = set()
        count = 0
        for block in self._blocks_of(partition):
            numbers = memoryview(block).cast("Q")[::_WORDS_OF_ROW].tolist()
            keys.update(numbers)
            count += len(numbers)
        if len(keys) == count:
            return
        del keys
        contested = self._contested(partition)
        if not contested:
            return
        whos: dict[int, dict[_Who, int]] = {key: {} for key in contested}
        for key, who, position in self._rows_of(partition, contested):
            known = whos[key]
            if len(known) <= WHO_LIMIT:
                known.setdefault(who, position)
        verdicts = {key: _judged(known, found) for key, known in whos.items()}
        for key, who, position in self._rows_of(partition, contested):
            known_verdicts, beyond = verdicts[key]
            verdict = known_verdicts.get(who, beyond if who.named else DISPUTED)
            found.note(position, verdict)

    def _contested(self, partition: int) -> set[int]:
        """The keys with more than one address of a channel."""
        first: dict[int, tuple[int, int]] = {}
        contested: set[int] = set()
        for block in self._blocks_of(partition):
            for key, email, mobile, _, _, _ in _ROW.iter_unpack(block):
                known = first.get(key)
                if known is None:
                    first[key] = (email, mobile)
                elif known != (email, mobile):
                    known_email, known_mobile = known
                    if (email and known_email and email != known_email) or (
                        mobile and known_mobile and mobile != known_mobile
                    ):
                        contested.add(key)
                    first[key] = (known_email or email, known_mobile or mobile)
        return contested

    def _rows_of(self, partition: int, keys: set[int]) -> Iterator[tuple[int, _Who, int]]:
        for block in self._blocks_of(partition):
            for key, email, mobile, first, last, position in _ROW.iter_unpack(block):
                if key in keys:
                    yield key, _Who(email, mobile, first, last), position


def _judged(whos: Mapping[_Who, int], found: Findings) -> tuple[dict[_Who, int], int]:
    """What is said of each who under one key, and of those that are beyond the limit and have a name."""
    known = list(whos.items())
    names = [_name(who.first, who.last) for who, _ in known]
    verdicts = dict.fromkeys(whos, DISPUTED)
    pairs: dict[int, tuple[int, int]] = {}
    for at, (who, position) in enumerate(known):
        for earlier in range(at):
            other, before = known[earlier]
            if not who.elsewhere(other):
                continue
            verdict = DISPUTED if alike(names[at], names[earlier]) else MIXED
            if verdict == MIXED:
                verdicts[who] = verdicts[other] = MIXED
            pair = (min(before, position), max(before, position))
            pairs[verdict] = min(pairs.get(verdict, pair), pair)
    for verdict, pair in pairs.items():
        found.name_pair(pair, verdict)
    beyond = len(known) > WHO_LIMIT and MIXED in verdicts.values()
    return verdicts, MIXED if beyond else DISPUTED
