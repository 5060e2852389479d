"""Real faults, each worth exactly one page: how it is caused, within which time somebody must know, and its cure.

`FAULTS` is the table; a new fault is one more row. No alarm is named: whichever pages, it is one page, in time, and
it clears after the cure.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from exstream_notify.domain.messages import GiveUp, TryAgain
from exstream_notify.domain.runs import Control
from exstream_notify.use_cases.control_run import ControlPorts, control_run

from .nights import NIGHTLY, Month, Nightly
from .site import RunQueue

Cure = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault.

    It begins `at` hours after 01:00 UTC, lasts `lasts` minutes, and pages within `promise` minutes. `clears` minutes
    after its cure nothing is in alarm that pages. `before` is done the day before; `days` is how long it is watched.
    """

    name: str
    cause: Callable[[Month], Cure]
    promise: float
    lasts: float = 120
    at: float = 1.05
    clears: float = 150
    pages: int = 1
    days: int = 1
    before: Callable[[Month], None] = lambda month: None


def nothing() -> None:
    """There is nothing to repair: it has happened."""


def _app(one: Nightly, name: str, records: int = 60) -> Nightly:
    """A run of its own beside the night's."""
    return replace(one, app=name, records=records, business_days=False)


def _today(month: Month) -> datetime:
    return month.stack.clock.now()


# ---- functions ----


def crashing(name: str) -> Callable[[Month], Cure]:
    """Every call of a function ends without an answer; afterwards what failed is moved back."""

    def cause(month: Month) -> Cure:
        month.stack.troubles.crashing.add(name)

        def cure() -> None:
            month.stack.troubles.crashing.discard(name)
            month.stack.redrive(name)

        return cure

    return cause


def denied(name: str, port: str) -> Callable[[Month], Cure]:
    """A function's role may not use something: it answers, and each of its messages fails."""

    def cause(month: Month) -> Cure:
        month.stack.app.denied[name] = {port}

        def cure() -> None:
            del month.stack.app.denied[name]
            month.stack.redrive(name)

        return cure

    return cause


def hanging(name: str) -> Callable[[Month], Cure]:
    """Every call runs into its time-out."""

    def cause(month: Month) -> Cure:
        month.stack.troubles.slow[name] = 1000.0

        def cure() -> None:
            del month.stack.troubles.slow[name]
            month.stack.redrive(name)

        return cure

    return cause


def throttled(name: str) -> Callable[[Month], Cure]:
    """A function gets no concurrency."""

    def cause(month: Month) -> Cure:
        month.stack.troubles.throttled.add(name)
        return lambda: month.stack.troubles.throttled.discard(name)

    return cause


def stopped(name: str) -> Callable[[Month], Cure]:
    """A schedule does not fire, or a queue is not read, and nothing fails."""

    def cause(month: Month) -> Cure:
        month.stack.troubles.stopped.add(name)
        return lambda: month.stack.troubles.stopped.discard(name)

    return cause


def _errors_for_visitors(month: Month) -> Cure:
    month.stack.troubles.crashing.add("OpenDocumentFunction")
    for number in range(120):
        month.stack.later(number * 20.0, lambda number=number: month._visit(number))  # type: ignore[misc]
    return lambda: month.stack.troubles.crashing.discard("OpenDocumentFunction")


# ---- providers, runs ----


def _provider_down(month: Month) -> Cure:
    month.mail.always(TryAgain("HTTP 503"))
    return lambda: month.mail.always(None)


def _many_without_channel(month: Month) -> Cure:
    month.drop(_app(NIGHTLY[5], "NOADDRESS"), _today(month).date(), without=0.4)
    return nothing


def _without(app: str) -> Callable[[Month], None]:
    """An application does not run this night by itself."""

    def before(month: Month) -> None:
        month.missing.add(app)

    return before


def _comes_late(month: Month) -> Cure:
    def cure() -> None:
        month.missing.discard("APP10")
        month.drop(NIGHTLY[10], _today(month).date())

    return cure


def _never_sealed(month: Month) -> Cure:
    run_id = "UNSEALED-1"
    folder = month.stack.app.folder("retail", run_id)
    folder.write_index([month.document("UNSEALED", number, run_id) for number in range(1, 40)])
    month.landed("retail", run_id, "billing.index.jsonl")
    month.landed("retail", run_id, "billing.index.jsonl", "MessageFileQueue")

    def cure() -> None:
        folder.write_seal("retail", run_id, app="UNSEALED")
        month.landed("retail", run_id, "_COMPLETE.json")

    return cure


def _checksum(month: Month) -> Cure:
    run_id = "SPOILED-1"
    folder = month.stack.app.folder("retail", run_id)
    documents = [month.document("SPOILED", number, run_id) for number in range(1, 40)]
    folder.write_index(documents)
    folder.write_seal("retail", run_id, app="SPOILED")
    folder.write_index([replace(documents[0], language="de"), *documents[1:]])
    month.landed("retail", run_id, "_COMPLETE.json")

    def cure() -> None:
        folder.write_seal("retail", run_id, app="SPOILED")
        month.landed("retail", run_id, "_COMPLETE.json")

    return cure


def _held(month: Month) -> Cure:
    one = NIGHTLY[11]
    today = _today(month).date()
    run_id = month.drop(one, today, factor=4.0)
    app = month.stack.app

    def cure() -> None:
        month.missing.discard(one.app)
        run = app.ports["runs"].get(one.domain, run_id)
        queue = RunQueue(month.stack.queues["RunQueue"])
        ports = ControlPorts(app.ports["runs"], queue, app.ports["due"], app.clock)
        control_run(run, Control.GO, "on call", "it is right", ports)

    return cure


def _unbalanced(month: Month) -> Cure:
    """What half of a run's sends came to is lost."""
    one = _app(NIGHTLY[5], "LOSTWORD")
    run_id = month.drop(one, _today(month).date())
    runs = month.stack.app.ports["runs"]
    name = f"{one.domain}/{run_id}"
    whole: dict[str, Any] = {}

    def lose() -> None:
        whole.update(runs._jobs[name])
        runs._jobs[name] = {job: rows[: len(rows) // 2] for job, rows in whole.items()}

    month.stack.later(300.0, lose)
    return lambda: runs._jobs[name].update(whole)


# ---- alerts ----


def _dead_channels(month: Month, team: str) -> Cure:
    app = month.stack.app
    app.topics_of_teams.dead.add(team)
    app.alerts.refuse(f"{team}@example.com", GiveUp("HTTP 410"))

    def cure() -> None:
        app.topics_of_teams.dead.discard(team)
        app.alerts.refuse(f"{team}@example.com", None)

    return cure


def _engine_stop(month: Month) -> Cure:
    cure = _dead_channels(month, "it")
    one = _app(NIGHTLY[5], "ENGINE")
    run_id = month.drop(one, _today(month).date())
    month.file(one.domain, run_id, "engine.dat", b"11/20/2026 04:05:59 EX002608S Licence has run out\n")
    return cure


def _undelivered(month: Month) -> Cure:
    cure = _dead_channels(month, "operations")
    month.stack.queues["DocumentQueue"].put('{"detail-type": "Document Composed", "detail": "no object"}')
    return cure


# ---- queues and other services ----


def _poison(month: Month) -> Cure:
    month.stack.queues["DecideQueue"].put('{"this is": "no slice"}')
    return month.stack.queues["DecideDeadLetters"].purge


def _second_poison(month: Month) -> Cure:
    cure = _poison(month)
    month.stack.later(2 * 86_400.0, lambda: month.stack.queues["EmailDeadLetters"].put("{}"))
    month.stack.later(2.5 * 86_400.0, lambda: month.stack.queues["EmailDeadLetters"].purge())
    return cure


def _by_sms_only(month: Month) -> Cure:
    cure = stopped("SmsQueue")(month)
    run_id = "SMSONLY-1"
    documents = [month.document("SMSONLY", 5 * n + 1, run_id, email=None) for n in range(1, 20)]
    month.seal("retail", run_id, documents, app="SMSONLY")
    return cure


def _reported(namespace: str, metric: str, dimension: str) -> Callable[[Month], Cure]:
    """Another service counts failures, one a minute for a quarter of an hour."""

    def cause(month: Month) -> Cure:
        for number in range(15):
            month.stack.later(60.0 * number, lambda: month.stack.measure(namespace, metric, dimension))
        return nothing

    return cause


def _bouncing(month: Month) -> Cure:
    before = month.mail.fate
    month.mail.fate = lambda one: "bounced" if month.chance.random() < 0.12 else "delivered"

    def cure() -> None:
        month.mail.fate = before

    return cure


FAULTS: tuple[Fault, ...] = (
    Fault("the provider is down for two hours", _provider_down, 30),
    Fault("40 % of a run have no channel", _many_without_channel, 30),
    Fault("a run is missing", _comes_late, 15, at=10.5, lasts=60, before=_without("APP10")),
    Fault("a run is never sealed", _never_sealed, 255, lasts=360),
    Fault("a checksum does not match", _checksum, 15),
    Fault("a run is held by its volume", _held, 15, before=_without("APP11")),
    Fault("a run does not add up", _unbalanced, 320, lasts=400),
    Fault("the engine stops, and its team cannot be told", _engine_stop, 15, clears=240),
    Fault("an alert reaches nobody", _undelivered, 30, clears=240),
    Fault("dead letters of customers", _poison, 45),
    Fault("more dead letters two days later", _second_poison, 45, lasts=3600, days=3, pages=2),
    Fault("nobody reads the e-mail queue", stopped("EmailQueue"), 45),
    Fault("nobody reads the SMS queue", _by_sms_only, 260, lasts=300, at=15.0, days=2),
    Fault("nobody reads the decide queue", stopped("DecideQueue"), 45),
    Fault("staging crashes", crashing("StageRunFunction"), 75, clears=240),
    Fault("deciding crashes", crashing("DecideNoticesFunction"), 45),
    Fault("deciding is denied the ledger", denied("DecideNoticesFunction", "ledger"), 45),
    Fault("deciding hangs", hanging("DecideNoticesFunction"), 45),
    Fault("deciding is throttled", throttled("DecideNoticesFunction"), 45),
    Fault("sending crashes", crashing("SendNoticesFunction"), 45),
    Fault("recording receipts crashes", crashing("RecordReceiptFunction"), 45),
    Fault("reading messages crashes", crashing("ReadMessagesFunction"), 60, lasts=200, clears=240),
    Fault("alerting crashes", crashing("AlertExceptionFunction"), 45),
    Fault("the sweep crashes", crashing("ReleaseDueFunction"), 20),
    Fault("the sweep does not run", stopped("ReleaseDueFunction"), 20),
    Fault("starting journeys crashes", crashing("StartJourneysFunction"), 20),
    Fault("watching runs crashes", crashing("WatchRunsFunction"), 30),
    Fault("watching runs does not run", stopped("WatchRunsFunction"), 30),
    Fault("reporting dead letters crashes", crashing("ReportDeadLettersFunction"), 30),
    Fault("polling receipts crashes", crashing("PollReceiptsFunction"), 75),
    Fault("the export crashes", crashing("ExportPreferencesFunction"), 90, at=1.5, clears=1400, days=2),
    Fault("links answer with errors", _errors_for_visitors, 20, lasts=30),
    Fault("journeys fail", _reported("AWS/States", "ExecutionsFailed", "StateMachineArn"), 20),
    Fault("a rule does not reach its queue", _reported("AWS/Events", "FailedInvocations", "RuleName"), 20),
    Fault("too many mails bounce", _bouncing, 480, lasts=480, at=0.0, clears=1500, days=3),
)


@dataclass(frozen=True, slots=True)
class Seen:
    """What came of a fault: pages by minutes after it began with the alarms behind, and what stayed on."""

    fault: str
    pages: tuple[tuple[float, str, tuple[str, ...]], ...]
    stayed: tuple[str, ...]
    problem: str


def play(month: Month, number: int, fault: Fault) -> Seen:
    """Cause one fault in a night of its own and watch it; `number` is the day. It takes `fault.days` days."""
    stack = month.stack
    midday = (stack.clock.seconds // 86_400) * 86_400 + 43_200
    night = midday + 13 * 3600.0
    began, stayed = night + fault.at * 3600.0, []
    before = len(stack.pages)

    def begin() -> None:
        cure = fault.cause(month)
        stack.later(60 * fault.lasts, cure)

    fault.before(month)
    stack.at(began, begin)
    stack.at(began + 60 * (fault.lasts + fault.clears), lambda: stayed.extend(stack.board.pager.on()))
    for day in range(fault.days):
        month.play_day(number + day, mishap=False)
    if stayed:
        stack.throw_dead_letters_away()  # so that the next fault is seen for itself
    pages = tuple((round((p.at - began) / 60), p.alarm, p.behind) for p in stack.pages[before:])
    return Seen(fault.name, pages, tuple(stayed), _problem(fault, [p[0] for p in pages], stayed))


def _problem(fault: Fault, minutes: list[float], stayed: list[str]) -> str:
    if not minutes:
        return "no page"
    if minutes[0] < 0:
        return "paged before it began"
    if minutes[0] > fault.promise:
        return f"paged {minutes[0] - fault.promise:.0f} minutes late"
    if len(minutes) != fault.pages:
        return f"{len(minutes)} pages in place of {fault.pages}"
    return f"not off {fault.clears:.0f} minutes after the cure" if stayed else ""


def utc(seconds: float) -> str:
    """A time for people."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%m-%d %H:%M")
