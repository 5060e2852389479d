"""Read what the composer says of a run beside its index: message files, exception rows, run summary."""

from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta

from ..domain.composer_messages import Group, Grouped, RunSummary
from ..domain.customer_ranges import texts
from ..domain.exceptions import ExceptionRaised, Severity, Unusable
from ..domain.incidents import SO_FAR, AlertRule
from ..ports import AlertRules, Clock, DropFolder, DueIndex, ExceptionBus, MessageFiles, Rules, RunBook
from .late_files import resembles_index

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
    if kind == "started" or folder.head(name) is None:
        return None

    def tell(code: str, severity: Severity, text: str, **more: object) -> None:
        raised = ExceptionRaised(
            code,
            severity,
            domain,
            run_id,
            text,
            **{"part": name, "names": (name,), **more},  # type: ignore[arg-type]
        )
        exceptions.raise_exceptions([raised])

    if kind == "summary":
        with folder.open(name) as stream:
            summary = files.summary(stream, name)
        exceptions.raise_exceptions(_of_summary(summary, domain, run_id, rules.domain(domain).exit_statuses))
        return None

    grouped = Grouped(_severities(alerts, domain, run_id))
    try:
        with folder.open(name) as stream:
            for fresh in files.read(stream, name, kind, grouped):
                if fresh.severity == "severe":
                    exceptions.raise_exceptions(
                        list(_reports(fresh, domain, run_id, name, alerts, so_far=True))
                    )
    except Unusable as unusable:
        tell(unusable.code, "error", str(unusable), part=f"{name} whole")
    found = sorted(grouped.groups.values(), key=lambda g: (g.severity != "severe", g.code, g.queue))
    for group in found:
        exceptions.raise_exceptions(list(_reports(group, domain, run_id, name, alerts)))
    odd = (
        ("quotes", "rows with a quote that is not closed", grouped.open_quotes, grouped.first_open_quote),
        (
            "columns",
            "rows in which two columns of one field differ",
            grouped.disputed,
            grouped.first_disputed,
        ),
    )
    for part, what, count, first in odd:
        if count:
            text = f"{name}: {count} {what}, the first is line {first}"
            tell("messages_unmatched", "warning", text, part=f"{name} {part}", count=count)
    if grouped.unmatched:
        what = "lines" if kind == "messages" else "rows"
        tell(
            "messages_unmatched",
            "warning",
            f"{name}: {grouped.unmatched} {what} that are no message, the first is {grouped.first_unmatched}",
            part=f"{name} unmatched",
            count=grouped.unmatched,
        )
    return grouped


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
    lists = [""] if so_far else list(texts(group.customers.ranges(), CUSTOMER_CHARS)) or [""]
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
            names=(name, group.queue, group.code),
        )


def _of_summary(
    summary: RunSummary | None, domain: str, run_id: str, fine: Iterable[int]
) -> list[ExceptionRaised]:
    """What a run summary tells; the same parts as the seal's own figures, so that they do not add up."""
    raised = []
    if summary and summary.exit_status is not None and summary.exit_status not in fine:
        text = f"the run ended with exit status {summary.exit_status}"
        raised.append(ExceptionRaised("exit_status", "error", domain, run_id, text))
    if summary and summary.errors:
        text = f"the run reports {summary.errors} errors"
        raised.append(
            ExceptionRaised("composition_errors", "warning", domain, run_id, text, count=summary.errors)
        )
    return raised
