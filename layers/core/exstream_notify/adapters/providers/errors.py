"""What providers refuse before anything is sent, and how a table of their answers is read."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from ...domain.messages import Answer, GiveUp, TryAgain, Unconfirmed

AFTER_REPAIR = 600.0
"""Seconds to wait where somebody has to mend the account, its limits or its credentials first."""


class MessageRefused(ValueError):
    """A message that cannot become a request; certainly not sent. `answer` says whose fault it is.

    The text holds no address and no content.
    """

    def __init__(self, reason: str, whose: Literal["recipient", "content", "us"] = "us") -> None:
        super().__init__(reason)
        self.answer = GiveUp(reason, whose)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a provider's table: on `code`, where `detail` occurs in what came with it, `answer`.

    `code` is an error code of the service, the name of an exception class, or `http_<status>`;
    `http_4xx` and its like stand for the statuses that have no row, `Exception` for exceptions that
    have none. `why` is the ground for it.
    """

    code: str
    answer: Answer
    why: str
    detail: str = ""


def read_table(table: Sequence[Row], codes: Iterable[str], detail: str = "") -> Answer:
    """The answer of the first row that fits, codes in order of precedence, rows from the top.

    A row for a whole class of conditions names the code at hand in its reason. Nothing that fits is
    doubt, never "not sent".
    """
    codes = tuple(codes)
    for code in codes:
        for row in table:
            if row.code == code and row.detail.lower() in detail.lower():
                if code.endswith("xx") or code == "Exception":
                    return _named(row.answer, codes[0])
                return row.answer
    return _named(Unconfirmed("unknown_answer"), codes[0] if codes else "")


def status_codes(status: int) -> tuple[str, str]:
    """The codes to look a bare HTTP status up by."""
    return f"http_{status}", f"http_{status // 100}xx"


def exception_codes(error: BaseException) -> tuple[str, ...]:
    """The codes to look an exception up by: its class and the classes above it."""
    return tuple(c.__name__ for c in type(error).__mro__ if c not in (object, BaseException))


def safe_code(code: object) -> str:
    """A code that came over the wire, without anything that could carry personal data."""
    return re.sub(r"[^A-Za-z0-9_.-]", "", str(code))[:64] or "none"


def later(answer: Answer, retry_after: float | None) -> Answer:
    """The answer with the provider's own wish when to come back, where it means to try again."""
    if isinstance(answer, TryAgain) and retry_after is not None:
        return replace(answer, retry_after=retry_after)
    return answer


def _named(answer: Answer, code: str) -> Answer:
    if isinstance(answer, (TryAgain, GiveUp, Unconfirmed)):
        return replace(answer, reason=f"{answer.reason} {safe_code(code)}".strip())
    return answer
