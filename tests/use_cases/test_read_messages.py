"""What is read beside an index becomes one report a code, the severe ones as they are met."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from exstream_notify.adapters.message_files import MessageFiles
from exstream_notify.adapters.rules import YamlRules
from exstream_notify.domain.composer_messages import Group, Grouped
from exstream_notify.domain.customer_ranges import from_text, size
from exstream_notify.domain.exceptions import ExceptionRaised, mark
from exstream_notify.domain.incidents import added_up
from exstream_notify.domain.runs import Run, RunState
from exstream_notify.use_cases.alert_exceptions import alert_exceptions
from exstream_notify.use_cases.read_messages import _odd_lines, _reports, read_messages
from tests.use_cases.world import World

RULES = YamlRules()


def test_fifty_thousand_equal_warnings_are_one_report_and_one_alert() -> None:
    world = World(site_rules=RULES)
    lines = "".join(f"EX003004W ({n}) Color space mismatch\n" for n in range(1, 50_001))
    (raised,) = world.read_file("a.dat", lines.encode())
    assert (raised.count, raised.customers, raised.severity) == (50_000, "1-50000", "warning")

    world.read_file("a.dat", lines.encode())
    world.drain()
    (alert,) = world.channels.alerts("operations")
    assert "50,000" in alert.title


def test_a_severe_message_is_raised_before_the_files_end_and_counted_in_the_end() -> None:
    world = World(site_rules=RULES)
    raised = world.read_file("a.dat", b"EX000001S (1) stop\nEX000002E (2) x\nEX000001S (3) stop\n")
    assert [(e.code, e.count, e.part) for e in raised] == [
        ("EX000001S", 1, "a.dat so far"),
        ("EX000001S", 2, "a.dat"),
        ("EX000002E", 1, "a.dat"),
    ]


@pytest.mark.parametrize("turned", [False, True])
def test_the_count_stands_whichever_of_the_two_reports_arrives_last(turned: bool) -> None:
    world = World(site_rules=RULES)
    early, whole = world.read_file("a.dat", b"EX000001S (1) stop\nEX000001S (3) stop\n")
    arriving = [whole, early, early] if turned else [early, whole, whole]
    (incident,) = {found for one in arriving for found in alert_exceptions([one], world.alerting())}

    head = world.incidents.head(incident)
    assert head is not None
    found = added_up(head, world.incidents.reports(incident))
    assert (found.count, found.customers) == (2, ((1, 1), (3, 3)))


def test_a_long_list_of_customers_goes_on_in_further_reports_and_counts_once() -> None:
    world = World(site_rules=RULES)
    lines = "".join(f"EX000002E ({n}) x\n" for n in range(1, 60_000, 2))
    raised = world.read_file("a.dat", lines.encode())

    assert len(raised) > 1
    assert sum(e.count for e in raised) == 30_000
    assert sum(size(from_text(e.customers)) for e in raised) == 30_000
    assert len({e.part for e in raised}) == len(raised)


def test_a_dash_before_a_figure_is_no_sign() -> None:
    (found,) = World().read_file("run.summary.txt", b"Errors: -5\n")
    assert (found.code, found.count) == ("composition_errors", 5)


def test_a_summary_and_a_seal_that_say_the_same_do_not_add_up() -> None:
    world = World(site_rules=RULES)
    seal = ExceptionRaised("composition_errors", "warning", "retail", "run-1", "4 errors", count=4)
    world.exceptions.raise_exceptions([seal])
    raised = world.read_file("run.summary.txt", b"BILLING customers=3 errors=4 exit=12\n")
    assert [(e.code, e.count) for e in raised] == [("exit_status", 1), ("composition_errors", 4)]

    world.drain()
    (incident,) = world.incidents.all()
    assert incident.count == 5


def test_a_summary_whose_end_is_not_understood_is_reported_beside_its_figures() -> None:
    world = World(site_rules=RULES)
    raised = world.read_file("run.summary.txt", b"Customers: 3\nErrors: 4\nStatus: incomplete\n")
    assert [(e.code, e.count) for e in raised] == [("composition_errors", 4), ("messages_unreadable", 1)]
    assert "incomplete" not in raised[1].text


def test_a_first_file_has_the_run_watched_until_its_seal() -> None:
    world = World(site_rules=RULES)
    assert world.read_file("billing.index.jsonl", b"{}\n") == []
    first = world.due.next_due()
    world.clock.advance(seconds=3600)
    world.read_file("a.dat", b"EX000001I started\n")

    assert world.due.next_due() == first


def test_lines_that_are_no_message_and_files_that_cannot_be_read_are_told() -> None:
    world = World(site_rules=RULES)
    _, raised = world.read_file("a.dat", b"EX000001W x\nhello\nworld\n")
    assert (raised.code, raised.count) == ("messages_unmatched", 2)
    for name, data in (
        ("b.dat.gz", b"no gzip"),
        ("c.dat", b"hello\nworld\n"),
        ("ExstreamMessages.xml", b"<a><b/></a>"),
        ("run.summary.txt", b"nothing of use"),
        ("exceptions.csv", b"a,b\n1,2\n"),
    ):
        (raised,) = world.read_file(name, data)
        assert (raised.code, raised.severity, raised.part) == (
            "messages_unreadable",
            "error",
            f"{name} whole",
        )


@pytest.mark.parametrize(
    ("name", "data", "codes"),
    [
        ("messages.csv", b"time,code,severity\n01:00,EX004120E,error\n01:01,EX002608W,warning\n", 2),
        ("ExstreamMessages_04.csv", b'"EX004120E","(7)"\n', 0),
        ("MESSAGES.PSV", b"code|severity\nEX004120E|error\n", 1),
        ("summary_04.csv", b"customers,errors,exit_status\n40,2,8\n", 2),
        ("run.summary.csv", b"department,total\na,4\n", 0),
    ],
)
def test_a_table_of_messages_or_figures_is_read_or_reported(name: str, data: bytes, codes: int) -> None:
    raised = World().read_file(name, data)
    if codes:
        assert len({r.code for r in raised}) == codes
        assert "messages_unreadable" not in {r.code for r in raised}
    else:
        assert {r.code for r in raised} == {"messages_unreadable"}


def whole(raised: list[ExceptionRaised]) -> list[ExceptionRaised]:
    """What was raised, without which reading of which file says so."""
    return [replace(one, source="", said_at="") for one in raised]


def report(code: str, severity: Any, text: str, part: str, **more: Any) -> ExceptionRaised:
    return ExceptionRaised(code, severity, "retail", "run-1", text, part=part, **more)


def test_lines_and_rows_that_are_no_message_are_reported_with_their_number_and_the_first_of_them() -> None:
    found = World(site_rules=RULES)
    lines = whole(found.read_file("a.dat", b"EX000001W x\nhello\nworld\n"))
    rows = whole(
        found.read_file("messages.csv", b'code,severity,text\nEX004120E,error,"x\nEX004121E,error,y\n')
    )
    assert (lines[-1], rows[-1]) == (
        report(
            "messages_unmatched", "warning", "a.dat: 2 lines that are no message, the first is line 2",
            "a.dat unmatched", count=2, content=f"{mark('a')}//unmatched", names=("a.dat",),
        ),
        report(
            "messages_unmatched", "warning",
            "messages.csv: 1 rows with a quote that is not closed, the first is line 2",
            "messages.csv quotes", content=f"{mark('messages')}//quotes", names=("messages.csv",),
        ),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("grouped", "kind", "said"),
    [
        (
            {"unmatched": 3, "first_unmatched": 7},
            "exceptions",
            "3 rows that are no message, the first is line 7",
        ),
        (
            {"unmatched": 3, "first_unmatched": 7},
            "deliveries",
            "3 rows that are no message, the first is line 7",
        ),
        (
            {"unmatched": 3, "first_unmatched": 7},
            "messages",
            "3 lines that are no message, the first is line 7",
        ),
        (
            {"disputed": 2, "first_disputed": 5},
            "exceptions",
            "2 rows in which two columns of one field differ, the first is line 5",
        ),
    ],
)
def test_what_is_odd_of_a_file_is_said_in_its_own_words(
    grouped: dict[str, int], kind: str, said: str
) -> None:
    found = Grouped(lambda code, severity: severity)
    for name, value in grouped.items():
        setattr(found, name, value)
    (raised,) = _odd_lines(found, "retail", "run-1", "x.csv", kind)
    assert raised.text == f"x.csv: {said}"
    assert raised.part == f"x.csv {'columns' if 'disputed' in grouped else 'unmatched'}"
    assert raised.count == next(iter(grouped.values()))


@pytest.mark.parametrize(
    ("data", "reports"),
    [
        (
            b"customers=3 errors=2 exit=12\n",
            [("exit_status", "error", "the run ended with exit status 12", 1),
             ("composition_errors", "warning", "the run reports 2 errors", 2)],
        ),
        (
            b"errors -5\nstatus: failed\n",
            [("exit_status", "error", "the run ended with a status that is none of success", 1),
             ("composition_errors", "warning", "the run reports 5 errors", 5)],
        ),
        (b"customers=3 errors=0 exit=0\n", []),
    ],
)  # fmt: skip
def test_a_summary_is_reported_in_words_under_its_name(data: bytes, reports: list[Any]) -> None:
    raised = whole(World(site_rules=RULES).read_file("run.summary.txt", data))
    named: dict[str, Any] = {"part": "run.summary.txt", "names": ("run.summary.txt",)}
    assert raised == [
        report(code, severity, text, count=count, **named) for code, severity, text, count in reports
    ]


def test_a_queues_rows_are_reported_under_the_queue_and_an_unfinished_count_under_its_own_part() -> None:
    found = World(site_rules=RULES)
    rows = whole(found.read_file("exceptions.csv", b"queue,customer,code,severity\nMail,7,EX004120E,error\n"))
    assert [(e.text, e.part, e.queue, e.count, e.names) for e in rows] == [
        ("Mail: EX004120E", "Mail exceptions.csv", "Mail", 1, ("exceptions.csv", "Mail", "EX004120E"))
    ]
    early, last = found.read_file("a.dat", b"EX000001S (1) stop\nEX000001S (3) stop\n")
    assert (early.text, early.part) == ("EX000001S in a.dat", "a.dat so far")
    assert (last.part, last.names) == ("a.dat", ("a.dat", "", "EX000001S"))
    group = Group("EX000002E", "error", count=2, first="01:00", last="01:05")
    (said,) = _reports(group, "retail", "run-1", "a.dat", RULES)
    assert (said.text, said.count) == ("EX000002E in a.dat, from 01:00 to 01:05 by its own clock", 2)
    (early,) = _reports(group, "retail", "run-1", "a.dat", RULES, so_far=True)
    assert early.text == "EX000002E in a.dat"


@pytest.mark.parametrize(("known", "watched"), [(False, True), (True, False)])
def test_only_a_run_that_nobody_knows_yet_is_watched_for_its_seal(known: bool, watched: bool) -> None:
    world = World(site_rules=RULES)
    waits: list[Any] = []
    world.due.wait = lambda *what, **how: waits.append((*what, how))  # type: ignore[method-assign]
    if known:
        world.runs.put(Run("retail", "run-1", RunState.WAITING, version=1))
    world.read_file("a.dat", b"EX000001I started\n")
    until = world.clock.now() + timedelta(minutes=RULES.domain("retail").seal_within_minutes)
    assert waits == ([("unsealed", "retail/run-1", until, {"keep": True})] if watched else [])


def test_reading_returns_what_was_counted_and_nothing_for_another_file() -> None:
    world = World(site_rules=RULES)
    ports: Any = {name: getattr(world, name) for name in ("runs", "due", "exceptions", "clock", "rules")}
    folder, files = world.folder("run-1"), MessageFiles(RULES.messages)
    folder.files.update(
        {"a.dat": b"EX000001W x\n", "run.summary.txt": b"errors=0 exit=0\n", "x.pdf": b"%PDF"}
    )

    def read(name: str) -> Any:
        return read_messages("retail", "run-1", name, folder=folder, files=files, alerts=RULES, **ports)

    assert read("a.dat").messages == 1
    assert [read(name) for name in ("run.summary.txt", "x.pdf", "gone.dat", "x.index.jsonl")] == [None] * 4
