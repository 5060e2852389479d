"""Exception rows, and rows of deliveries that did not succeed."""

import csv
import re
from collections.abc import Iterator, Mapping

from ..domain.composer_messages import CODE, SEVERITY, ComposerMessage, Group, Grouped
from ..domain.exceptions import Severity, Unusable, worst
from .alert_rules import MessageRules

OTHER_DELIVERY = "delivery_failed"
"""The code of a delivery whose status is none of the rules': it is not known to have succeeded."""


class ExceptionRows:
    """Reads tables of exceptions, or of deliveries, by the site's rules."""

    def __init__(self, rules: MessageRules) -> None:
        self._rules = rules

    def read(
        self, lines: Iterator[tuple[int, str]], name: str, kind: str, grouped: Grouped
    ) -> Iterator[Group]:
        """Exception rows: the code is the row's rule, or its queue where it names none. Rows of deliveries:
        those that did not succeed, by their status and method."""
        at, head = next(lines, (0, ""))
        if not head.strip():
            return
        delimiter = "|" if name.lower().removesuffix(".gz").endswith(".psv") else _delimiter(head)
        names = next(csv.reader([head], delimiter=delimiter), [])
        columns = self._columns(names)
        if kind == "deliveries" and "status" not in columns:
            raise Unusable("messages_unreadable", f"{name}, line {at}", "no column names a status")
        if kind == "exceptions" and not {"rule", "queue"} & set(columns):
            raise Unusable("messages_unreadable", f"{name}, line {at}", "no column names a rule or a queue")
        for number, line in lines:
            if number == at:
                continue  # beyond what is looked at of a long line
            at = number
            row = _cells(line, delimiter)
            if row is None:
                # A quote that is not closed may swallow what follows: each line is a row by itself.
                grouped.is_open(number)
                row = line.split(delimiter)
            if not any(cell.strip() for cell in row):
                continue
            cells, differ = self._values(row, columns)
            if differ:
                grouped.is_disputed(number)
            message, queue = self._message(kind, cells)
            if message is None:
                if kind == "exceptions" or not self._succeeded(cells):
                    grouped.is_unmatched(number)
                else:
                    grouped.passed += 1
                continue
            fresh = grouped.add(message, queue)
            if fresh is not None:
                yield fresh

    def _columns(self, names: list[str]) -> dict[str, list[int]]:
        """Where each field's columns are, the most trusted first."""
        found: dict[str, list[int]] = {}
        for field, aliases in self._rules.columns.items():
            ranks = {_squeezed(alias): rank for rank, alias in reversed(list(enumerate(aliases)))}
            own = [(ranks[_squeezed(name)], at) for at, name in enumerate(names) if _squeezed(name) in ranks]
            if own:
                found[field] = [at for _, at in sorted(own)]
        return found

    def _values(self, row: list[str], columns: Mapping[str, list[int]]) -> tuple[dict[str, str], bool]:
        """The row's values by field, and whether two columns of a field differ: its customer is then none."""
        cells: dict[str, str] = {}
        differ = False
        for field, places in columns.items():
            said = [text for at in places if at < len(row) and (text := row[at].strip())]
            cells[field] = said[0] if said else ""
            if field != "text" and len(set(said)) > 1:
                differ = True
                if field == "customer":
                    cells[field] = ""
        return cells, differ

    def _message(self, kind: str, cells: Mapping[str, str]) -> tuple[ComposerMessage | None, str]:
        """The exception that a row is, with its queue; None for a row that is none."""
        number = cells.get("customer", "")
        customer = int(number) if number.isascii() and number.isdigit() and len(number) < 10 else None
        if kind == "deliveries":
            status = cells.get("status", "")
            if not status or self._succeeded(cells):
                return None, ""
            code = self._rules.delivery_codes.get(status.lower(), OTHER_DELIVERY)
            said = f"{cells.get('method', '')} {cells.get('text', '')}".strip()
            return ComposerMessage(code, said, customer=customer), ""
        code, queue = _code(cells.get("rule", "")), _code(cells.get("queue", ""))
        if not (code or queue):
            return None, ""
        severity = self._severity(cells.get("severity", ""))
        if CODE.fullmatch(code):
            letter = SEVERITY[code[-1]]
            severity = worst((severity, letter)) if severity else None  # as in XML: the worse counts
        else:
            severity = severity or "error"
        return ComposerMessage(
            code or queue, cells.get("text", ""), customer=customer, severity=severity
        ), queue

    def _severity(self, text: str) -> Severity | None:
        """What a severity's words say, the first that is known: `FATAL ERROR`."""
        words = (self._rules.severities.get(word) for word in re.findall(r"[^\W\d_]+", text.lower()))
        return next((severity for severity in words if severity), None)

    def _succeeded(self, cells: Mapping[str, str]) -> bool:
        return cells.get("status", "").lower() in self._rules.delivered


def _cells(line: str, delimiter: str) -> list[str] | None:
    """A line as a row; None where a quoted cell is not closed. Misplaced quotes are characters."""
    if '"' not in line:
        return line.split(delimiter)
    try:
        return next(csv.reader((line,), delimiter=delimiter, strict=True), [])
    except csv.Error as error:
        return None if "unexpected end of data" in str(error) else line.split(delimiter)


def _code(text: str) -> str:
    """A rule's or a queue's name: what might be something else is cut down to what a name may have."""
    return "".join(c for c in text[:60] if c.isalnum() or c in "_-.") if re.search(r"[A-Za-z]", text) else ""


def _delimiter(head: str) -> str:
    return max("|,;\t", key=head.count)


def _squeezed(name: str) -> str:
    return re.sub(r"[\s_.-]+", "", name).lower()
