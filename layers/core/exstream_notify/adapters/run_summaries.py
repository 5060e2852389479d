"""Run summaries: figures in any order and language, as sentences, tables, JSON or XML."""

import csv
import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

from ..domain.composer_messages import RunSummary
from ..domain.exceptions import Unusable
from .alert_rules import MessageRules
from .message_text import lines_of

MARKUP_CHARS = 4 * 1024 * 1024
"""A summary in JSON or XML is read as a whole, up to so many characters."""

_NEAR = 160
"""Characters before and behind a name that are looked at."""

_COLUMNS = 200

_NUMBER = re.compile(
    r"(?<![0-9A-Za-z_])(?<![0-9][-:/.,])[-+]?"
    r"(?:0x[0-9a-f]{1,8}|[1-9][0-9]{0,2}([.,'’ ])[0-9]{3}(?:\1[0-9]{3})*|[0-9]{1,15})"
    r"(?:\.0{1,2})?(?![0-9A-Za-z_%])(?![.,:/-][0-9])"
)
_THIN_SPACES = re.compile("(?<=[0-9])[\u00a0\u2007\u2009\u202f](?=[0-9])")
_NAMED = re.compile(
    r"[\"']?(?: [^\W\d]+){0,4}[\"')]? *(?:[:=|>\t]|->|\.{2,}| {2,})[\s:=|>.\"'(\[<-]*"
    r"|[\"']?[,;][\"']?| ?[(\[<]"
)
"""Between a name and the number behind it: some words more, and what sets the two apart."""

_NAMED_IN_MARKUP = re.compile(
    r"(?:(?!</|/>)[^,;}\d]){0,80}[:=>](?:(?!</|/>)[^,;}\d]){0,80}"
    r"|\",\s?\"value\":\s?\"?|</[\w:]*name> ?<[\w:]*value>"
)
_BEFORE = re.compile(r" +(?:[^\W\d]+ +){0,2}")
_APART = re.compile(r"\s*(?:\b(?:is|was|of|ist|war|est|es|era)\b)?\s*")
_WORD = re.compile(r"[\"')]?\s*(?:[:=|>]|->|\.{2,})[\s:=|>.\"'(\[]*([^\W\d_]\w*)")
_NONE = re.compile(r"\b(?:no|zero|without|keine|ohne|aucune?|sans|ningun|sin|nessun|geen|nenhum)\s+$")
_LIMIT = re.compile(r"\b(?:limit|allowed|max|maximum|maximal|threshold|erlaubt|previous|vorher)\b")
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)
_RUN = re.compile(
    r"\b(?:run|job|engine|batch|step|process|processing|composition|program|lauf|verarbeitung|programm|traitement"
    r"|execution|proceso|ejecucion|elaborazione|verwerking|abend)\b"
)
"""What ended, in a line that says so in words alone."""

_UNSURE = re.compile(
    r"\b(?:0|no|not|none|zero|never|without|if|when|kein\w*|nicht|ohne|wenn|falls|aucune?|non|pas|sans|si|sin"
    r"|ningun\w*|senza|niet|geen|zonder|nao|sem)\b"
)
_WORDS = re.compile(r"[^\W\d_]+(?!\.\w)")
_BUT = re.compile(r"[^;,|<>\"\d]*?\b(?:with|mit|avec|con|met|com|but|aber|mais|pero|ma)\b([^;,|<>\"\d]*)")
_COLUMN_ENDS = re.compile(r"\s{2,}|[|;\t,]")
_LIKE_AN_EXIT = re.compile(
    r"\b\w*(?:code|kode|codigo|codice|status|statut|estado)\b[^\d:=;,|]{0,30}[:=]\s*-?\d{1,3}(?![\w.,:/-])"
)
"""A label that may name an exit status, where none that is known does."""

_RULE = re.compile(r"[\s|+:=_-]*")


@dataclass(frozen=True, slots=True)
class _Token:
    """A name (its key) or a number of a line, and where it stands."""

    begin: int
    end: int
    key: str = ""
    number: int = 0


class RunSummaries:
    """Reads run summaries by the site's names for their figures."""

    def __init__(self, rules: MessageRules) -> None:
        keys = {plain(name): key for key, names in rules.summary_keys.items() for name in names}
        names = sorted(keys, key=len, reverse=True)
        alternatives = "|".join(r"[ _-]*".join(map(re.escape, name.split())) for name in names)
        self._keys = {_squeezed(name): key for name, key in keys.items()}
        self._names = re.compile(rf"(?=(?<![^\W\d_])({alternatives})(?![^\W\d_]))")
        self._failed = frozenset(map(plain, rules.summary_failed))
        self._succeeded = frozenset(map(plain, rules.summary_succeeded))

    def read(self, pieces: Iterable[str], name: str) -> RunSummary | None:
        """What a summary says, None for an empty one. `Unusable` where it has text and nothing is found."""
        pieces = iter(pieces)
        head = next((piece for piece in pieces if piece.strip()), "")
        if not head:
            return None
        found: dict[str, set[int]] = {}
        words: set[str] = set()
        if head.lstrip("\ufeff \t\r\n")[:1] in "{[<":
            text = head
            for piece in pieces:
                text += piece
                if len(text) > MARKUP_CHARS:
                    raise Unusable(
                        "messages_unreadable", name, f"a summary of more than {MARKUP_CHARS} characters"
                    )
            self._read_line(" ".join(plain(_COMMENT.sub(" ", text)).split()), found, words, markup=True)
        else:
            self._read_lines((line for _, line in lines_of(chain((head,), pieces), dots=True)), found, words)
        ends = {"exit_status", "status"} & found.keys() or {"failed", "succeeded"} & words
        if not (found or ends):
            reason = (
                "no figure of a run summary is known in it; name them in summary_keys of rules/messages.yaml"
            )
            raise Unusable("messages_unreadable", name, reason)
        worst = {key: max(numbers, key=abs) for key, numbers in found.items()}
        return RunSummary(
            worst.get("exit_status", worst.get("status")),
            worst.get("errors"),
            worst.get("customers"),
            failed="failed" in words,
            unclear="unclear" in words and not ends,
        )

    def _read_lines(self, lines: Iterable[str], found: dict[str, set[int]], words: set[str]) -> None:
        header = ""
        for line in map(plain, lines):
            if not line.strip() or _RULE.fullmatch(line):
                continue
            is_named = self._names.search(line) is not None
            if header and not is_named and any(map(str.isdigit, line)):
                for key, number in self._of_row(header, line):
                    found.setdefault(key, set()).add(number)
                continue
            before = sum(map(len, found.values())), len(words)
            self._read_line(line, found, words)
            told = (sum(map(len, found.values())), len(words)) != before
            if not told:
                self._read_words(line, words)
            header = line if is_named and not told else ""

    def _read_line(
        self, line: str, found: dict[str, set[int]], words: set[str], *, markup: bool = False
    ) -> None:
        tokens = self._tokens(line)
        taken: set[int] = set()
        for at, name in enumerate(tokens):
            if not name.key:
                continue
            number = self._number_of(line, tokens, at, taken, markup=markup)
            if number is not None:
                found.setdefault(name.key, set()).add(number)
            elif word := _WORD.match(line, name.end):
                self._add_word(name.key, word, found, words)
            elif name.key in ("exit_status", "status") and at + 1 < len(tokens) and not tokens[at + 1].key:
                words.add("unclear")
            elif name.key == "errors" and _NONE.search(line, max(name.begin - _NEAR, 0), name.begin):
                found.setdefault("errors", set()).add(0)

    def _number_of(
        self, line: str, tokens: Sequence[_Token], at: int, taken: set[int], *, markup: bool
    ) -> int | None:
        """The number that belongs to a name: behind it where something sets them apart, else before it."""
        name = tokens[at]
        after = tokens[at + 1] if at + 1 < len(tokens) and not tokens[at + 1].key else None
        before = tokens[at - 1] if at and not tokens[at - 1].key and at - 1 not in taken else None
        gap = line[name.end : after.begin] if after else ""
        begin = max(tokens[at - 1].end if at else 0, name.begin - _NEAR)
        if len(gap) > _NEAR or _LIMIT.search(line[begin : name.begin]) or _LIMIT.search(gap):
            return None
        named = (_NAMED_IN_MARKUP if markup else _NAMED).fullmatch(gap) if after else None
        if after and named:
            taken.add(at + 1)
            return after.number
        apart = after and _APART.fullmatch(gap)
        if after and apart and (name.key == "exit_status" or _alternate(line, tokens, at)):
            taken.add(at + 1)
            return after.number
        if before and _BEFORE.fullmatch(line[before.end : name.begin]):
            taken.add(at - 1)
            return before.number
        return None

    def _add_word(self, key: str, said: re.Match[str], found: dict[str, set[int]], words: set[str]) -> None:
        """What a status says in words; an exit status in a word that is not known is none of a success."""
        word = said[1]
        if key in ("errors", "customers"):
            if word in ("none", "no", "nil", "keine", "aucune", "ninguno", "nessuno", "geen"):
                found.setdefault(key, set()).add(0)
        elif word in self._failed or (key == "exit_status" and word not in self._succeeded):
            words.add("failed")
        elif word in self._succeeded:
            fails = self._fails_but(_BUT.match(said.string, said.end()))
            words.add("failed" if fails else "succeeded")
        else:
            words.add("unclear")

    def _fails_but(self, found: re.Match[str] | None) -> bool:
        """Whether a success is none after all: "completed with errors"."""
        if found is None or _UNSURE.search(found[1]):
            return False
        return not self._failed.isdisjoint(_WORDS.findall(found[1]))

    def _read_words(self, line: str, words: set[str]) -> None:
        """What a line without a figure says of how the run ended; names of a table's columns say nothing."""
        if _RUN.search(line) and not (_UNSURE.search(line) or _COLUMN_ENDS.search(line.strip())):
            said = set(_WORDS.findall(line))
            if said & self._failed - self._keys.keys():
                words.add("failed")
            elif said & self._succeeded:
                words.add("failed" if self._fails_but(_BUT.search(line)) else "succeeded")
        if _LIKE_AN_EXIT.search(line):
            words.add("unclear")

    def _tokens(self, line: str) -> list[_Token]:
        """The names and numbers of a line in order."""
        names: list[_Token] = []
        for found in self._names.finditer(line):
            name = _Token(found.start(1), found.end(1), key=self._keys[_squeezed(found[1])])
            if not names or name.begin >= names[-1].end:
                names.append(name)
            elif name.end > names[-1].end:  # "avec le code", and "code de retour"
                names[-1] = _Token(names[-1].begin, name.end, key=name.key)
        numbers = [_Token(m.start(), m.end(), number=_value(m[0])) for m in _NUMBER.finditer(line)]
        return sorted((*names, *numbers), key=lambda token: token.begin)

    def _of_row(self, header: str, row: str) -> Iterator[tuple[str, int]]:
        """The figures of a row under its header: by its columns, else by what stands beneath each name."""
        for cells in _splits(header, row):
            found = [
                (name.key, _value(value.strip()))
                for title, value in zip(*cells, strict=True)
                if _NUMBER.fullmatch(value.strip()) and not _LIMIT.search(title)
                for name in [t for t in self._tokens(title) if t.key][-1:]
            ]
            if found:
                yield from found
                return
        numbers = [
            _Token(m.start(), m.end(), number=_value(m[0]))
            for m in re.finditer(r"\S+", row)
            if _NUMBER.fullmatch(m[0])
        ]
        for name in self._tokens(header):
            if name.key and 0 < len(numbers) <= _COLUMNS:
                near = min(numbers, key=lambda n: min(abs(n.begin - name.begin), abs(n.end - name.end)))
                yield name.key, near.number


def _alternate(line: str, tokens: Sequence[_Token], at: int) -> bool:
    """Whether a line begins with a name, and its names and numbers follow each other: `Errors 4, Pages 7`.
    A title may stand before them, and a number that is no figure's: `Job 4711 customers 100 errors 0`."""
    after = tokens[at + 2] if at + 2 < len(tokens) else None
    behind = line[tokens[at + 1].end : after.begin if after else len(line)]
    ends = not behind.strip(" ,;|/.") if after is None or after.key else False
    first = next((number for number, token in enumerate(tokens) if token.key), 0)
    in_turn = all(bool(token.key) == (number % 2 == 0) for number, token in enumerate(tokens[first:]))
    if first:
        return ends and first == 1 and in_turn and len(tokens) % 2 == 1
    title = line[: tokens[0].begin].strip()
    return ends and (not title or (in_turn and title.endswith((":", "-", "|"))))


def plain(text: str) -> str:
    """Small letters without accents; words that capitals join are apart."""
    text = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", _THIN_SPACES.sub("'", text).replace("\0", " "))
    apart = unicodedata.normalize("NFKD", text.lower().replace("ß", "ss"))
    return "".join(c for c in apart if not unicodedata.combining(c)).replace("_", " ")


def _squeezed(name: str) -> str:
    return re.sub(r"[ _-]", "", name)


def _value(text: str) -> int:
    text = re.sub(r"(?<=[0-9])\.0{1,2}$", "", text)
    return int(text, 16) if "x" in text else int(re.sub(r"[.,'’ ]", "", text))


def _splits(header: str, row: str) -> Iterator[tuple[list[str], list[str]]]:
    """Header and row in the same number of cells, by whatever separates them."""
    for delimiter in "|;\t,":
        if delimiter in header:
            both = [
                next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])
                for line in (header, row)
            ]
            if len(both[0]) == len(both[1]):
                yield both[0], both[1]
    for blanks in (r"\s{2,}", r"\s+"):
        titles, values = re.split(blanks, header.strip()), re.split(blanks, row.strip())
        if len(titles) == len(values):
            yield titles, values
