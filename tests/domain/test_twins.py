"""The same messages in several files of a run count once; other messages add up."""

import gzip
import itertools
from dataclasses import replace
from typing import Any

import pytest

from exstream_notify.adapters.rules import YamlRules
from exstream_notify.domain.composer_messages import Group
from exstream_notify.domain.customer_ranges import to_text
from exstream_notify.domain.exceptions import ExceptionRaised, mark
from exstream_notify.domain.incidents import Head, Incident, Report, added_up
from exstream_notify.domain.twins import clock_of, content_of, stem_of, told_once
from tests.use_cases.world import World

RULES = YamlRules()
DAT = b"".join(b"EX004120E (%d) Required field is empty\n    continued\n" % n for n in range(1, 21))
XML = (
    b"<r>"
    + b"".join(
        b'<m number="004120" severity="E" customer="%d">Required field is empty\n continued</m>' % n
        for n in range(1, 21)
    )
    + b"</r>"
)

JSON = b"[%s]" % b",".join(
    b'{"number": "004120", "severity": "E", "customer": %d, "text": "Required field is empty"}' % n
    for n in range(1, 21)
)


def reports(files: list[tuple[str, bytes]], run_id: str = "run-1") -> list[ExceptionRaised]:
    """What files raise that land one after the other; the last report of a code and part stands."""
    world = World(site_rules=RULES)
    for name, data in files:
        world.read_file(name, data, run_id)
    return list({(e.code, e.part): e for e in world.exceptions.raised}.values())


def incident(raised: list[ExceptionRaised]) -> Incident:
    at = "2026-11-30T02:00:00+00:00"
    return added_up(Head("i", "retail", "run-1", "operations", "f"), [Report(e, at, at) for e in raised])


def told(files: list[tuple[str, bytes]]) -> tuple[int, str]:
    """Count and customers of the engine's codes in all files."""
    found = incident([e for e in reports(files) if e.code.startswith("EX")])
    return found.count, to_text(found.customers)


TWINS = [
    ("ExstreamMessages.dat", DAT),
    ("ExstreamMessages.dat.gz", gzip.compress(DAT.decode().encode("utf-16"))),
    ("ExstreamMessages.gz", gzip.compress(DAT)),
    ("ExstreamMessages.xml", XML),
    ("nightly-messages.xml", XML),
    ("logs/ExstreamMessages.json", JSON),
    ("EXSTREAMMESSAGES.DAT", DAT),
]


@pytest.mark.parametrize("files", list(itertools.permutations(TWINS, 3)))
def test_the_same_messages_in_several_forms_count_once(files: tuple[tuple[str, bytes], ...]) -> None:
    assert told(list(files)) == (20, "1-20")
    assert told([*files, *files]) == (20, "1-20")


@pytest.mark.parametrize("turned", [False, True])
def test_a_twin_that_was_read_half_written_gives_way_to_the_whole_one(turned: bool) -> None:
    files = [("ExstreamMessages.dat", DAT[: len(DAT) // 2 + 3]), ("ExstreamMessages.xml", XML)]
    assert told(files[::-1] if turned else files) == (20, "1-20")


@pytest.mark.parametrize(
    ("first", "second", "count"),
    [
        (b"EX004120E (1) empty\n", b"EX004120E (2) empty\n", 2),
        (b"EX004120E (1) name empty\n", b"EX004120E (1) address empty\n", 2),
        (b"EX004120E (1) a\nEX004120E (2) b\n", b"EX004120E (2) b\nEX004120E (3) c\n", 4),
        (b"11/30/2026 02:00:01 EX000123E stop\n", b"11/30/2026 02:07:09 EX000123E stop\n", 2),
        (b"11/30/2026 02:00:01 EX000123E stop\n", b"2026-11-30T01:00:01Z EX000123E stop\n", 1),
        (b"11/30/2026 02:00:01 EX000123E stop\n", b"EX000123E stop\n", 1),
    ],
)
@pytest.mark.parametrize("names", [("a.dat", "b.dat"), ("a.dat", "a.messages")])
def test_content_decides_not_the_name(
    names: tuple[str, str], first: bytes, second: bytes, count: int
) -> None:
    assert told([(names[0], first), (names[1], second)])[0] == count


def test_two_files_of_one_beginning_and_other_names_are_no_twins_if_one_goes_on() -> None:
    assert told([("a.dat", DAT), ("b.dat", DAT[: len(DAT) // 2 + 3])])[0] > 20


def test_lines_that_are_no_message_count_once_in_twins() -> None:
    data = b"EX000001W x\nhello\nworld\n"
    raised = reports([("a.dat", data), ("a.dat.gz", gzip.compress(data))])
    assert incident([e for e in raised if e.code == "messages_unmatched"]).count == 2


def test_twins_of_two_runs_in_one_incident_of_a_day_add_up() -> None:
    raised = [*reports(TWINS[:1], "run-1"), *reports(TWINS[2:3], "run-2")]
    assert incident(raised).count == 40


def test_a_severe_message_that_is_told_early_counts_once_with_its_twin() -> None:
    data = b"EX000123S (13) stop\nEX000123S (14) stop\n"
    raised = reports(
        [("messages.dat", data), ("messages.xml", b'<r><m code="EX000123S" customer="13">stop</m></r>')]
    )
    early = [e for e in raised if e.part in ("messages.dat so far", "messages.xml so far")]
    assert len(early) == 2
    assert incident(early).count == 1
    assert incident(raised).count == 2


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("ExstreamMessages.DAT.gz", "exstreammessages"),
        ("a.b.xml", "a.b"),
        ("x", "x"),
        ("a.exceptions.csv", "a.exceptions"),
    ],
)
def test_the_stem_of_a_name(name: str, stem: str) -> None:
    assert stem_of(name) == stem


@pytest.mark.parametrize(
    ("at", "clock"),
    [
        ("2026-11-20 04:01:17", "0117"),  # the last two figures: hours depend on the zone
        ("04:01", "0401"),
        ("x 4:01", ""),
        ("12:34:56:78", "5678"),
        ("no time", ""),
        ("", ""),
    ],
)
def test_minutes_and_seconds_of_a_time(at: str, clock: str) -> None:
    assert clock_of(at) == clock


def content(heads: str, clock: str = "", stem: str = "aa") -> str:
    return f"{stem}/{clock}/{heads}"


def one(part: str, said: str, count: int = 1, **more: Any) -> Report:
    raised = ExceptionRaised(
        "EX1", "error", "retail", "run-1", "t", part=part, count=count, content=said, **more
    )
    return Report(raised, "t", "t")


@pytest.mark.parametrize(
    ("other", "left"),
    [
        (one("b", content("h1,h2"), 2), ["the first"]),
        (one("b", content("h1"), 1), ["a"]),  # half written
        (one("b", content("h2"), 1), ["a", "b"]),
        (one("b", content("h1", "0202"), 1), ["a", "b"]),  # at another time
        (one("b", content("h1", ""), 1), ["a"]),
        (one("b", content("h1,h2", stem="bb"), 2), ["the first"]),
        (one("b", content("h1", stem="bb"), 1), ["a", "b"]),
        (one("b", content("h1,h2", stem="bb"), 2, customers="7"), ["a", "b"]),
        (one("b", content("h1,h2"), 2, queue="Q"), ["a", "b"]),
        (one("b", "", 2), ["a", "b"]),
        (one("b", content("h1,h2"), 0), ["a", "b"]),
        (one("b", content("h1,h2,h3"), 3), ["b"]),
    ],
)
def test_which_reports_count_the_same_messages(other: Report, left: list[str]) -> None:
    first = one("a", content("h1,h2", "0101"), 2)
    for rows in ([first, other], [other, first]):
        stays = [rows[0].exception.part] if left == ["the first"] else left
        assert sorted(r.exception.part for r in told_once(rows)) == stays
    another_run = replace(other, exception=replace(other.exception, run_id="run-2"))
    assert len(told_once([first, another_run])) == 2
    another_code = replace(other, exception=replace(other.exception, code="EX2"))
    assert len(told_once([first, another_code])) == 2


def test_what_a_report_counts_is_named_by_stem_time_and_first_marks() -> None:
    group = Group("EX1", "error", first="2026-11-20 04:01:17", heads=["h1", "h2"])
    assert content_of(group, "Messages.dat.gz") == f"{mark('messages')}/{clock_of(group.first)}/h1,h2"
