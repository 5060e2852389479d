"""What of a foreign text or name may be shown outside of the run's own files.

Nothing tells a name from another word for certain, so a list of what is personal always misses some of it.
This module knows what is harmless instead: the words of a vocabulary, and words that the messages of a code
have in common. Everything else becomes `…`. Whoever needs the whole text has it in the run's folder.
"""

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import lru_cache
from itertools import pairwise

SAMPLE_CHARS = 160
LOOKED_AT = 400
SAMPLES = 3
MASK = "…"
WITHHELD = "‹text withheld›"

COMMON_TO = 10
"""Customers whose messages must share a word before the word counts as the message's own.

The messages must also differ in ten ways in what else is not known. A household or a joint account has a few
customers with one surname, not ten in the messages of one code. Nine of ten messages must have the word, so
that neither a frequent surname nor a town is taken for a part of the message.
"""

SHARE = 0.9

_WITHIN = 5
"""Letters from which on a part of a word says that the word is sensitive."""

KEPT = 64
"""Messages of a code that samples and common words are taken from, spread over the whole file."""

_CODE = re.compile(r"EX\d{6}[SEWI]")
_QUOTED = re.compile(
    r"(?<=>)[^<>]+(?=<)|“[^”]*”|„[^“”]*[“”]|«[^»]*»|‹[^›]*›|\[[^\]]*\]|(?<!\w)'[^']*'(?!\w)|(?<!\w)‘[^’]*’(?!\w)"
)
_LETTERS = re.compile(r"[^\W\d_]+")
_CAMEL = re.compile(r"[^\W\d_]+?(?:(?<=[a-zß-öø-ÿ])(?=[A-ZÀ-ÖØ-Þ])|$)")
_JOINED = re.compile(r"[^\W\d_]{2,}(?:[_-][^\W\d_]{2,})+")
_VALUE = re.compile(r"[^\W\d_]\W?=\W?[^\W\d_]")
"""`name=value`: the value may be a word that is known ("surname=table")."""

_ELIDED = frozenset({"l", "d", "n", "s", "c", "j", "m", "t", "qu"})
_ENDINGS = frozenset({"s", "t"})
_APOSTROPHES = frozenset("'’")
_PLAIN_MARKS = frozenset(".,;:!?()-–—/|&+=*#%><…")

_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_MOMENT = re.compile(
    r"20[2-9]\d(?:-[01]\d(?:-[0-3]\d)?|[01]\d[0-3]\d)"
    r"(?:[T_.-]?[0-2]\d(?:[:.-]?[0-5]\d(?:[:.-]?[0-5]\d)?)?Z?)?"
)
"""From 2020 on: who was born since has no policy or account of their own."""

_NUMBERED = re.compile(r"[A-Za-z]\d{1,5}")
_PART = re.compile(rf"(?<![^\W_]){_NUMBERED.pattern}(?![^\W_])|[^\W\d_]+|\d+|[\W_]+")
_MASKS = re.compile(rf"{MASK}(?:[\W_]*{MASK})+")
_NAME_CHARS = 80
_FEW_DIGITS = 5
"""Digits that a name may have beside a date; longer ones may be an account's or a policy's number."""


def folded(word: str) -> str:
    """A word as it is compared: without regard to case and to Unicode form."""
    return unicodedata.normalize("NFC", word).casefold()


def handle(name: str) -> str:
    """Eight hexadecimal digits by which a masked name is found again. An identity, not a secret."""
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def handle_in(name: str) -> str:
    """The handle that a name as shown ends with; empty for a name that was not masked."""
    found = re.fullmatch(r".*#([0-9a-f]{8})", name)
    return found[1] if found else ""


@dataclass(frozen=True, slots=True)
class Sampled:
    """A message's text, with its customer's number in the run where it has one."""

    text: str
    customer: int | None = None


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What is harmless. Words are folded.

    `links` are articles and prepositions, which are parts of names too: they are masked beside a mask.
    `names` are globs of names that are harmless as a whole, `own` the names that the site's rules name,
    and words that are harmless in names, but not in texts. A word with a capital letter behind one of
    `persons` is a name, although it is known: "customer Title". A word that has one of `never` in it is
    nobody's own, but an illness, a belief or a state of life: however many messages share it, it is masked.
    `small` are words that are harmless in small letters only: with a capital they are a usual name ("Han").
    """

    words: frozenset[str] = frozenset()
    links: frozenset[str] = frozenset()
    names: tuple[str, ...] = ()
    own: frozenset[str] = frozenset()
    persons: frozenset[str] = frozenset()
    never: frozenset[str] = frozenset()
    small: frozenset[str] = frozenset()

    def masked(self, text: str, common: frozenset[str] = frozenset()) -> str:
        """The text with `…` for everything that is not harmless; `common` words are harmless in it, too.

        Time is linear, since no more than the first `LOOKED_AT` characters are read.
        """
        shown: list[str] = []
        links: list[str] = []
        chunks = _chunks(text)
        loud = text.upper() == text
        ended = False
        for number, chunk in enumerate(chunks):
            kind = self._kind(chunk, common, first=not number, loud=loud)
            if number and chunk[:1].isupper() and self._is_named(chunks[number - 1], chunk):
                kind = "mask"
            after_mask = bool(shown) and shown[-1] == MASK
            if kind == "link":
                links.append(chunk)
                continue
            if after_mask and kind == "word" and not ended and chunk.istitle():
                kind = "mask"  # "Smith Page": a name may be made of words that are known
            if kind == "mask":
                ended = chunk[-1] in ".;:!?" and len(chunk) > 4  # "Dr." ends nothing
                if not after_mask:
                    shown.append(MASK)
            else:
                # Links beside a mask may be parts of the name that it hides.
                shown += [*([] if after_mask else links), chunk]
            links = []
        if not (shown and shown[-1] == MASK):
            shown += links
        line = _MASKS.sub(MASK, " ".join(shown))
        return line if len(line) <= SAMPLE_CHARS else line[: SAMPLE_CHARS - 1] + MASK

    def samples(self, messages: Sequence[Sampled], customers: int) -> tuple[str, ...]:
        """Up to three masked texts of messages of one code, `customers` being how many they are about.

        A single message is withheld, and so are all of one customer: nothing tells what of them is theirs.
        """
        texts = list(dict.fromkeys(" ".join(m.text.split()) for m in messages if m.text.strip()))
        if not texts:
            return ()
        alone = len(texts) < 2 if not customers else customers < 2
        if len(messages) < 2 or alone:
            return (WITHHELD,)
        common = self.common(messages)
        found = dict.fromkeys(self.masked(text, common) for text in texts)
        told = [sample for sample in found if _LETTERS.search(sample)]
        return tuple(told[:SAMPLES]) or (WITHHELD,)

    def common(self, messages: Iterable[Sampled]) -> frozenset[str]:
        """Unknown words that are the messages' own, because nearly all have them and differ in the rest.

        Only small letters count, as a name or a place is seldom written so throughout; not where values are,
        nor for what follows the word for a person ("insured mark").
        """
        unknown: dict[tuple[int, frozenset[str]], None] = {}
        named: set[str] = set()
        for message in messages:
            if message.customer is not None:
                chunks = _chunks(message.text)
                words = frozenset(c for c in chunks if self._kind(c, frozenset()) == "mask")
                unknown[message.customer, words] = None
                named |= {c for before, c in pairwise(chunks) if folded(before) in self.persons}
        customers: dict[str, set[int]] = {}
        for customer, words in unknown:
            for word in words:
                if len(word) > 2 and word.isalpha() and word.islower() and word not in named:
                    customers.setdefault(word, set()).add(customer)
        everybody = {customer for customer, _ in unknown}
        needed = max(COMMON_TO, SHARE * len(everybody))
        likely = frozenset(word for word, those in customers.items() if len(those) >= needed)
        others = {words - likely for _, words in unknown if words - likely}
        if any(word.islower() and word.isalpha() and len(word) > 2 for words in others for word in words):
            return frozenset()  # values are in small letters, too: case tells nothing
        told = frozenset(word for word in map(folded, likely) if not self._is_sensitive(word))
        return told if len(others) >= COMMON_TO else frozenset()

    def _is_sensitive(self, word: str) -> bool:
        """Short ones of `never` stand in harmless words, too ("hiv" in "archive"): they count as a whole."""
        return any(word == part or (len(part) >= _WITHIN and part in word) for part in self.never)

    def _is_named(self, before: str, chunk: str) -> bool:
        """Whether a word with a capital letter names the person that the word before it announces."""
        plain = chunk.strip(".,;:!?()*")
        if not plain.istitle() or folded(before.rstrip(":=")) not in self.persons:
            return False
        return folded(before.rstrip(":=") + plain) not in self.words

    def shown(self, name: str) -> str:
        """A name that somebody else chose (run, file, path, queue, code), as people outside may see it.

        A harmless name stays. Of another one its harmless words remain, with a handle that the commands take
        in its place.
        """
        if self._is_harmless(name):
            return name
        parts = self._parts(name)
        kept = "".join(MASK if p.isdigit() or not self._fits(p, known) else p for p, known in parts)
        return f"{_MASKS.sub(MASK, kept)[:_NAME_CHARS]}#{handle(name)}"

    def _is_harmless(self, name: str) -> bool:
        if _CODE.fullmatch(name) or any(fnmatchcase(name, glob) for glob in self.names):
            return True
        parts = self._parts(name)
        digits = sum(c.isdigit() for part, known in parts if not known for c in part)
        unfit = [part for part, known in parts if not self._fits(part, known)]
        # One letter by itself (`a.dat`, `r-1`) is nobody's name; two may be initials.
        lone = not unfit or (
            len(unfit) == 1 and len(unfit[0]) == 1 and unfit[0].isascii() and unfit[0].isalpha()
        )
        return lone and digits <= _FEW_DIGITS and len(name) <= _NAME_CHARS

    def _parts(self, name: str) -> list[tuple[str, bool]]:
        """A name's words, numbers and what stands between them; `True` for what is known as a whole."""
        parts: list[tuple[str, bool]] = []
        at = 0
        for whole in _wholes(self.own).finditer(name):
            parts += [(part, False) for part in _PART.findall(name[at : whole.start()])]
            parts.append((whole[0], True))
            at = whole.end()
        return parts + [(part, False) for part in _PART.findall(name[at:])]

    def _fits(self, part: str, known: bool) -> bool:
        """Whether a part of a name may be shown."""
        if known or part.isdigit() or _NUMBERED.fullmatch(part):
            return True
        if part[0].isalpha():
            return folded(part) not in self.small and self._knows(part)
        return all(c in " ._-=/:#" for c in part)

    def _knows(self, letters: str) -> bool:
        if folded(letters) in self.words:
            return not self._is_a_name(letters)
        return all(folded(word) in self.words and not self._is_a_name(word) for word in _camel(letters))

    def _kind(self, chunk: str, common: frozenset[str], *, first: bool = False, loud: bool = False) -> str:
        """`word` may be shown, `link` only apart from a mask; all else is `mask`."""
        if _CODE.fullmatch(chunk.strip(".,;:()")):
            return "word"
        letters = _LETTERS.findall(chunk)
        if "@" in chunk or _VALUE.search(chunk):
            return "mask"
        if any(c.isdigit() for c in chunk) or any(unicodedata.category(c) in ("So", "Mn") for c in chunk):
            return "mask"
        if not letters:
            return "word" if all(c in _PLAIN_MARKS for c in chunk) and MASK not in chunk else "mask"
        plain = chunk.strip(".,;:!?()*")
        if plain.isalpha() and folded(plain) in self.links:
            # "Le" and "An" are surnames; "The" at the beginning is not.
            strange = plain.istitle() and (len(plain) == 2 or not (first or loud))
            return "mask" if strange or (len(plain) == 1 and plain != chunk) else "link"
        elided, _, rest = plain.replace("’", "'").rpartition("'")
        if folded(elided) in _ELIDED and rest in self.links:
            return "link"  # "d'une", and "d'el" of a name
        return "word" if self._is_word(plain, letters) or folded(chunk) in common else "mask"

    def _is_a_name(self, word: str) -> bool:
        return word[0].isupper() and folded(word) in self.small

    def _is_word(self, chunk: str, letters: Sequence[str]) -> bool:
        """Whether all words of a chunk are harmless; "l'" and "'s" are, beside one that is."""
        if len(letters) > 1 and _JOINED.fullmatch(chunk) and folded("".join(letters)) in self.words:
            return True  # "First-Name", where neither word alone is known
        at = known = 0
        for word in letters:
            at = chunk.index(word, at)
            before, after = chunk[max(at - 1, 0) : at], chunk[at + len(word) : at + len(word) + 1]
            at += len(word)
            if self._knows(word):
                known += 1
            elif not (after in _APOSTROPHES and folded(word) in _ELIDED) and not (
                before in _APOSTROPHES and (word in _ENDINGS or word in self.links)
            ):
                return False
        return known > 0


def _camel(letters: str) -> list[str]:
    """`letters` itself, or the words of `CamelCase`."""
    return _CAMEL.findall(letters)


def _chunks(text: str) -> list[str]:
    """The text's words with their marks, `…` for what it quotes; a word that the limit cuts is left out."""
    plain = " ".join("".join(c if c.isprintable() else " " for c in text[: LOOKED_AT + 1]).split(" "))
    # A quoted value may have quotes in it, and its end may be missing: all from the first one to the last.
    first, last = plain.find('"'), plain.rfind('"')
    if first >= 0:
        plain = f"{plain[:first]} {MASK} {'' if plain.count(chr(34)) % 2 else plain[last + 1 :]}"
    chunks = _QUOTED.sub(f" {MASK} ", plain).split()
    return chunks[:-1] if len(text) > LOOKED_AT else chunks


@lru_cache(maxsize=4)
def _wholes(own: frozenset[str]) -> re.Pattern[str]:
    """Dates, moments, UUIDs and the names that the rules name, where no further letter belongs to them."""
    names = sorted(filter(None, own), key=len, reverse=True)
    moments = rf"(?<![^\W_])(?:{_UUID.pattern}|{_MOMENT.pattern})(?![^\W_])"
    words = rf"(?<![^\W\d_])(?:{'|'.join(map(re.escape, names))})(?![^\W\d_])" if names else r"(?!)"
    return re.compile(f"{moments}|{words}", re.IGNORECASE)


def spread(kept: list[Sampled], step: int) -> int:
    """Halve what is kept once it is full, so that it goes on to stand for the whole file; the next step."""
    if len(kept) <= KEPT:
        return step
    del kept[1::2]
    return step * 2
