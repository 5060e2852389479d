"""Read what the composer says of a run beside its index: message files, exception rows, run summary."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import timedelta

from ..domain.composer_messages import Group, Grouped, RunSummary
from ..domain.customer_ranges import texts
from ..domain.exceptions import ExceptionRaised, Severity, Unusable, mark
from ..domain.incidents import SO_FAR, AlertRule
from ..domain.twins import content_of, stem_of
from ..ports import AlertRules, Clock, DropFolder, DueIndex, ExceptionBus, MessageFiles, Rules, RunBook
from .late_files import resembles_index
from .settle_reports import FileReports

_UNCLEAR = (
    "how the run ended is not understood; name it in summary_keys, summary_failed or summary_succeeded of "
    "rules/messages.yaml"
)

CUSTOMER_CHARS = 60_000
"""How long one report's list of customers grows before a further report takes the rest."""


def read_messages(
    domain: str,
    run_id: str,
    name: str,
    *,
    folder: DropFolder,
    files: MessageFiles,
    rules: Rules,
    alerts: AlertRules,
    runs: RunBook,
    due: DueIndex,
    exceptions: ExceptionBus,
    clock: Clock,
) -> Grouped | None:
    """Read one file of a run's folder and raise what it says, a report per code; what was counted.

    Whether the run is sealed, refused or never ends is no matter. A severe message is told when it is
    met, long before the file's end; the report of all that were counted takes its place. The same file
    again replaces its reports. None for a file that is none of these.
    """
    kind = files.kind(name) or ("started" if resembles_index(name) else None)
    if kind is None:
        return None
    if runs.get(domain, run_id) is None:
        # The run has started: its seal, or whatever else makes it a run, is to follow in time.
        limit = timedelta(minutes=rules.domain(domain).seal_within_minutes)
        due.wait("unsealed", f"{domain}/{run_id}", clock.now() + limit, keep=True)
    file = folder.head(name)
    if kind == "started" or file is None:
        return None
    # Taken before it is read: of two readings, the one of the newer file counts.
    reports = FileReports(exceptions, domain, run_id, name, file.modified)

    if kind == "summary":
        _read_summary(name, folder, files, rules.domain(domain).exit_statuses, reports)
        return None
    grouped = Grouped(_severities(alerts, domain, run_id))
    is_readable = True
    try:
        with folder.open(name) as stream:
            for fresh in files.read(stream, name, kind, grouped):
                if fresh.severity == "severe":
                    reports.raise_exceptions(list(_reports(fresh, domain, run_id, name, alerts, so_far=True)))
    except Unusable as unusable:
        is_readable = False
        reports.unusable(unusable)
    for group in sorted(grouped.groups.values(), key=lambda g: (g.severity != "severe", g.code, g.queue)):
        reports.raise_exceptions(list(_reports(group, domain, run_id, name, alerts)))
    if is_readable or grouped.messages:
        reports.raise_exceptions(list(_odd_lines(grouped, domain, run_id, name, kind)))
    if is_readable:
        reports.at_end()
    return grouped


def _read_summary(
    name: str, folder: DropFolder, files: MessageFiles, fine: Iterable[int], reports: FileReports
) -> None:
    try:
        with folder.open(name) as stream:
            summary = files.summary(stream, name)
        said = _of_summary(summary, reports.domain, reports.run_id, fine)
        reports.raise_exceptions([replace(e, part=name, names=(name,)) for e in said])
        if summary is not None and summary.unclear:
            reports.unusable(Unusable("messages_unreadable", name, _UNCLEAR))
        reports.at_end()
    except Unusable as unusable:
        reports.unusable(unusable)


def _odd_lines(grouped: Grouped, domain: str, run_id: str, name: str, kind: str) -> Iterator[ExceptionRaised]:
    """What is to be told of lines and rows that are not as they should be."""
    what = "rows" if kind in ("exceptions", "deliveries") else "lines"
    odd = (
        ("quotes", "rows with a quote that is not closed", grouped.open_quotes, grouped.first_open_quote),
        (
            "columns",
            "rows in which two columns of one field differ",
            grouped.disputed,
            grouped.first_disputed,
        ),
        ("unmatched", f"{what} that are no message", grouped.unmatched, grouped.first_unmatched),
    )
    for part, words, count, first in odd:
        if count:
            yield ExceptionRaised(
                "messages_unmatched",
                "warning",
                domain,
                run_id,
                f"{name}: {count} {words}, the first is line {first}",
                part=f"{name} {part}",
                count=count,
                # Of files with the same messages in other forms, the one with most such lines counts.
                content=f"{mark(stem_of(name))}//{part}",
                names=(name,),
            )


def _severities(alerts: AlertRules, domain: str, run_id: str) -> Callable[[str, Severity], Severity | None]:
    """A code's severity by the site's rules; None where it is only informed of."""

    def severity_of(code: str, said: Severity) -> Severity | None:
        rule: AlertRule = alerts.route(ExceptionRaised(code, said, domain, run_id, ""))
        return None if rule.severity == "info" else rule.severity

    return severity_of


def _reports(
    group: Group, domain: str, run_id: str, name: str, alerts: AlertRules, *, so_far: bool = False
) -> Iterator[ExceptionRaised]:
    """A code's reports: the count in the first, and in as many as it takes the customers."""
    place = f"{group.queue} {name}".strip()
    lists = list(texts(group.customers.ranges(), CUSTOMER_CHARS)) or [""]
    what = f"{group.queue}: {group.code}" if group.queue else f"{group.code} in {name}"
    at = f", from {group.first} to {group.last} by its own clock" if group.first and not so_far else ""
    for number, customers in enumerate(lists):
        yield ExceptionRaised(
            group.code,
            group.severity,
            domain,
            run_id,
            what + at,
            part=f"{place}{SO_FAR}" if so_far else place if not number else f"{place} {number + 1}",
            count=0 if number else group.count,
            samples=alerts.vocabulary.samples(group.sampled, group.customers.count),
            customers=customers,
            queue=group.queue,
            content="" if number else content_of(group, name),
            names=(name, group.queue, group.code),
        )


def _of_summary(
    summary: RunSummary | None, domain: str, run_id: str, fine: Iterable[int]
) -> list[ExceptionRaised]:
    """What a run summary tells; the seal may tell the same, and an incident counts one of them."""
    raised = []
    status = summary.exit_status if summary else None
    if summary and ((status is not None and status not in fine) or (status is None and summary.failed)):
        said = f"exit status {status}" if status is not None else "a status that is none of success"
        raised.append(ExceptionRaised("exit_status", "error", domain, run_id, f"the run ended with {said}"))
    if summary and summary.errors:
        errors = abs(summary.errors)  # "Errors -5" has a dash
        text = f"the run reports {errors} errors"
        raised.append(ExceptionRaised("composition_errors", "warning", domain, run_id, text, count=errors))
    return raised
