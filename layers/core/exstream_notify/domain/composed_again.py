"""What composing again cures: the customers, the engine's switch, and what proves that a later run did it."""

import re
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field

from .customer_ranges import (
    HIGHEST,
    SWITCH_CHARS,
    Ranges,
    from_numbers,
    from_text,
    merged,
    size,
    switches,
    texts,
    without,
)
from .exceptions import ExceptionRaised

_STOP = re.compile(r"EX\d{6}S")
_STOP_EVENT = "composition_failed"
_SHOWN_CHARS = 200
"""How long a list of customers in words grows."""

FIGURES = frozenset({"exit_status", "composition_errors", "customers_missing"})
"""Codes that count what others name."""


def is_stop(exception: ExceptionRaised) -> bool:
    """Whether the engine stopped: a severe message, unless the site's rules say that it is not severe."""
    stops = _STOP.fullmatch(exception.code) or exception.code == _STOP_EVENT
    return bool(stops) and exception.severity == "severe"


def to_compose(curable: Iterable[tuple[ExceptionRaised, Ranges]], end: int) -> Ranges:
    """The customers to compose again, of exceptions that composing again cures.

    A stop leaves out the customer that it names and all after it, up to `end`, the run's last customer
    (0: unknown, then up to HIGHEST). An engine that stopped again in the same file went on in between; one of
    another file may be another engine, so the first of the files' last stops counts. A stop that names nobody
    may have left out everybody.
    """
    named: list[Ranges] = []
    stops: dict[str, int] = {}
    for exception, customers in curable:
        named.append(customers)
        if is_stop(exception) and exception.count:
            file = exception.content.partition("/")[0] or exception.part
            stops[file] = max(stops.get(file, 0), customers[-1][1] if customers else 0)
    if stops:
        at = min(filter(None, stops.values()), default=1)
        last = max(end, *stops.values()) if end and any(stops.values()) else HIGHEST
        named.append(((at, last),))
    return merged(*named)


def is_open_ended(customers: Ranges) -> bool:
    """Whether the last customer is not known."""
    return bool(customers) and customers[-1][1] == HIGHEST


def offered(late: Ranges, chars: int = SWITCH_CHARS) -> list[str]:
    """The switches that compose these customers again; none if they would leave some out."""
    return [] if is_open_ended(late) else switches(late, chars)


def in_words(late: Ranges, more: int = 0) -> str:
    """What to compose again that no switch says; empty where one says it all.

    `more` customers are missing that nothing names.
    """
    if not is_open_ended(late):
        if not more:
            return ""
        also = "also " if late else ""
        return f"{also}{more:,} missing customer{'s' if more > 1 else ''} that nothing here names by number"
    if late[0][0] == 1:
        return "the whole run: the engine did not say at which customer it stopped"
    return f"{_open_ended(late)}: the run's last customer is not known"


def in_full(customers: str, chars: int = 100) -> str:
    """Whom a later run composed, as `Head.covered_by` has it, in words and not much longer than `chars`."""
    if customers == f"1-{HIGHEST}":
        return "all that was missing"
    shown = customers.removesuffix(f"-{HIGHEST}")
    if len(shown) > chars:
        return f"customers {shown[:chars].rpartition(',')[0]}, …"
    return f"customers {shown}" + (" and all after it" if shown != customers else "")


def late_in_words(late: Ranges, more: int = 0) -> str:
    """Whose documents are late; empty for nobody. `more` customers are missing that nothing names."""
    if not late and not more:
        return ""
    if not is_open_ended(late):
        many = size(late) + more
        return f"documents of {many:,} customer{'s' if many > 1 else ''} late"
    if late[0][0] == 1:
        return "documents of any customer of the run may be late"
    return f"documents of {_open_ended(late)} late"


def _open_ended(late: Ranges) -> str:
    first = late[-1][0]
    if len(late) == 1:
        return f"customer {first} and all after it"
    # Whole stretches: half a number is another customer's.
    shown = next(texts(late[:-1], _SHOWN_CHARS))
    more = size(late[:-1]) - size(from_text(shown))
    before = f", {more:,} more before {first}, {first}" if more else f",{first}"
    return f"customers {shown}{before} and all after it"


@dataclass(slots=True)
class Customers:
    """A run's customers as staged: keys by sequence number. The keys are personal: they stay in memory."""

    by_number: dict[int, set[str]] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)

    def add(self, number: int | None, key: str) -> None:
        """One record's customer; a number that cannot be one counts as none."""
        self.keys.add(key)
        if number is not None and 0 < number < HIGHEST:
            self.by_number.setdefault(number, set()).add(key)

    @property
    def numbers(self) -> Ranges:
        """The sequence numbers."""
        return from_numbers(self.by_number)

    @property
    def is_from_the_first(self) -> bool:
        """Whether the numbers leave none out from 1 on."""
        numbers = self.numbers
        return len(numbers) == 1 and numbers[0][0] == 1


def composed_again(
    late: Ranges, missed: Mapping[int, Set[str]], by: Customers, *, named: bool, whole: bool
) -> Ranges:
    """Which of the customers `late` a later run composed.

    `missed` are the keys of the first run's records by number, of these and of the later run's numbers, as
    far as it staged them. The same keys are proof. Numbers are proof only for a run that says which run it
    repeats (`named`), and only while no number stands for another customer there. `whole`: it has all the
    customers of the first run.
    """
    known = {n: keys for n, keys in missed.items() if keys}
    proven = from_numbers(n for n, keys in known.items() if keys <= by.keys)
    if not named:
        return _within(late, proven)
    if _is_numbered_anew(known, by):
        return _within(late, proven)
    everybody: Ranges = ((1, HIGHEST),) if whole else by.numbers
    unproven = from_numbers(n for n, keys in known.items() if not keys <= by.keys)
    return _within(late, merged(proven, without(everybody, unproven)))


def _is_numbered_anew(known: Mapping[int, Set[str]], by: Customers) -> bool:
    """Whether a number stands for another customer than in the first run, or a customer has another one."""
    return any(
        (n in by.by_number or keys & by.keys) and not keys & by.by_number.get(n, set())
        for n, keys in known.items()
    )


def _within(late: Ranges, found: Ranges) -> Ranges:
    return without(late, without(late, found))
