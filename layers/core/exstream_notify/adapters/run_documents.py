"""The files of a run's folder: which of them a customer may open, and whether a record's own is there."""

import unicodedata
from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import unquote

from ..domain.documents import FileFault
from .index.reading import form_of

if TYPE_CHECKING:
    from .alert_rules import MessageRules

_DECODING_ROUNDS = 5
_BUCKETS = 4096
_32 = (1 << 32) - 1
_SHARED = (1 << 64) - 1
"""The mark of a file that records of different customers name."""


class Folder(Protocol):
    """What is asked of a run's folder."""

    def files_below(self) -> Iterator[tuple[str, int]]:
        """Every file below it with its size in bytes."""


class OwnFiles:
    """Whether a path names one of a run's own files, which no customer may open.

    Those are the seal, native manifests and indexes, whatever folder they are in; the files that
    rules/messages.yaml names, reports included, in the run's folder itself; and anything in whose path
    a name begins with `_`. Letter case, back slashes, percent-encoding and compatibility forms of
    characters make no difference: a path is refused if any reader could take it for such a file.
    """

    def __init__(self, messages: Callable[[], "MessageRules"]) -> None:
        self._messages = messages

    def __call__(self, path: str) -> bool:
        """Whether it does; `path` is relative to the run's folder."""
        if path.isascii() and "%" not in path and "\\" not in path:
            return self._names_one(path)
        seen = path
        for _ in range(_DECODING_ROUNDS):
            if self._names_one(unicodedata.normalize("NFKC", seen.replace("\\", "/"))):
                return True
            decoded = unquote(seen)
            if decoded == seen:
                return False
            seen = decoded
        return True

    def _names_one(self, path: str) -> bool:
        if path[:1] == "_" or "/_" in path:
            return True
        folder, _, name = path.lower().rpartition("/")
        # The seal begins with `_`. Nearly no document's name has either of these two in it.
        if ("_stddelivery" in name or ".index." in name or name[:1] == " ") and _is_index(name.strip()):
            return True
        if folder and folder.strip("./ "):
            return False
        return self._messages().names_one(name.strip())


class _Hashes:
    """A set of 64-bit hashes that takes eight bytes for each: buckets, sorted when first looked into.

    Each member can have a mark, another eight bytes, once all members are there.
    """

    def __init__(self) -> None:
        self._buckets = [array("Q") for _ in range(_BUCKETS)]
        self._sorted = bytearray(_BUCKETS)
        self._marks: list[array[int] | None] = [None] * _BUCKETS

    def add(self, number: int) -> None:
        """Add one."""
        at = number % _BUCKETS
        self._buckets[at].append(number)
        self._sorted[at] = 0

    def __contains__(self, number: int) -> bool:
        return self._place(number) is not None

    def mark(self, number: int) -> "tuple[array[int], int] | None":
        """Where a member's mark is, to be read and written: an array and an index. A mark is 0 at first."""
        place = self._place(number)
        if place is None:
            return None
        at, found = place
        marks = self._marks[at]
        if marks is None:
            marks = self._marks[at] = array("Q", bytes(8 * len(self._buckets[at])))
        return marks, found

    def _place(self, number: int) -> tuple[int, int] | None:
        at = number % _BUCKETS
        bucket = self._buckets[at]
        if not self._sorted[at]:
            bucket = self._buckets[at] = array("Q", sorted(bucket))
            self._sorted[at] = 1
        found = bisect_left(bucket, number)
        return (at, found) if found < len(bucket) and bucket[found] == number else None


class Listing:
    """One listing of a run's folder, as hashes: 32 bytes a file, so that ten million fit into a function.

    Two different names share a 64-bit hash with a probability of about one in a million among ten
    million files; such a collision takes a file that is missing for one that is there.
    """

    def __init__(self, files: Iterable[tuple[str, int]]) -> None:
        self._there, self._empty, self._forms, self._folded = (_Hashes() for _ in range(4))
        for name, size in files:
            (self._there if size else self._empty).add(_hash(name))
            if name.isascii():
                if (folded := name.lower()) != name:
                    self._folded.add(_hash(folded))
            else:
                if (composed := unicodedata.normalize("NFC", name)) != name:
                    self._forms.add(_hash(composed))
                if (folded := _folded(name)) != name:
                    self._folded.add(_hash(folded))

    def fault(self, path: str) -> FileFault | None:
        """What is wrong with the file of that name; None if it is there with something in it."""
        number = _hash(path)
        if number in self._there:
            return None
        if number in self._empty:
            return FileFault.EMPTY
        composed = unicodedata.normalize("NFC", path)
        if self._has(composed) or _hash(composed) in self._forms:
            return FileFault.OTHER_FORM
        folded = _folded(path)
        if self._has(folded) or _hash(folded) in self._folded:
            return FileFault.OTHER_CASE
        return FileFault.MISSING

    def is_shared(self, path: str, customer_key: str, account_number: str) -> bool | None:
        """Whether records of different customers named this file, this record included; None: see `fault`.

        Those of one account may share it. Customer and account are kept as 32 bits each, so two different
        customers are taken for one with a probability of one in four thousand million.
        """
        place = self._there.mark(_hash(path))
        if place is None:
            return None
        marks, at = place
        before, account = marks[at], hash(account_number) & _32 if account_number else 0
        owner = (hash(customer_key) & _32) << 32 | account
        if not before:
            marks[at] = owner
        elif before == _SHARED or (before >> 32 != owner >> 32 and not (account and before & _32 == account)):
            marks[at] = _SHARED
            return True
        return False

    def _has(self, name: str) -> bool:
        number = _hash(name)
        return number in self._there or number in self._empty


class DocumentCheck:
    """Whether each record's file can be opened by its customer; for one run.

    `opening` are the document types whose links open files, `shared` those of which many customers get
    the same file. The folder is listed once, when the first record needs it; a run whose links lead elsewhere
    is never listed. `again` tells that a record was accepted whose file another customer's record named
    later: a further pass with the same check refuses both.
    """

    def __init__(
        self,
        folder: Folder | None,
        opening: frozenset[str],
        own: Callable[[str], bool],
        shared: frozenset[str] = frozenset(),
    ) -> None:
        self.again = False
        self._folder = folder
        self._opening = opening
        self._shared = shared
        self._own = own
        self._listing: Listing | None = None

    def __call__(self, record: Mapping[str, Any]) -> FileFault | None:
        """What is wrong with the record's file, if it names one."""
        path = record.get("output_uri")
        if not path:
            return None
        if self._own(path):
            return FileFault.OWN
        if self._folder is None or record["document_type"] not in self._opening:
            return None
        if self._listing is None:
            self._listing = Listing(self._folder.files_below())
        if record["document_type"] in self._shared or record.get("test_flag"):
            return self._listing.fault(path)
        shared = self._listing.is_shared(path, record["customer_key"], record.get("account_number") or "")
        if shared is None:
            return self._listing.fault(path)
        self.again = self.again or shared
        return FileFault.SHARED if shared else None


def _is_index(name: str) -> bool:
    return name[:1] == "_" or form_of(name) is not None


def _hash(name: str) -> int:
    """64 bits; Python's own hash, which differs by process, is the fastest that there is."""
    return hash(name) & 0xFFFF_FFFF_FFFF_FFFF


def _folded(name: str) -> str:
    """A name without regard to letter case and Unicode form."""
    if name.isascii():
        return name.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
