"""What is read beside an index becomes one report a code, the severe ones as they are met."""

import pytest

from exstream_notify.adapters.rules import YamlRules
from exstream_notify.domain.customer_ranges import from_text, size
from exstream_notify.domain.exceptions import ExceptionRaised
from exstream_notify.domain.incidents import added_up
from exstream_notify.use_cases.alert_exceptions import alert_exceptions
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
