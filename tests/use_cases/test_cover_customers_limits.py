"""What a later run makes good at its limits: time and size, repeats of repeats, numbers that are not there."""

from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from exstream_notify.domain.incidents import IncidentStatus
from exstream_notify.use_cases.cover_customers import Covering, cover_customers
from tests.fakes import a_document
from tests.use_cases.test_cover_customers import (
    an_error,
    broken,
    customers,
    dropped,
    missed,
    of,
    raised,
    world,
)
from tests.use_cases.world import World

OPEN, RESOLVED = IncidentStatus.OPEN, IncidentStatus.RESOLVED


def repaired_before(rerun_of: str = "") -> World:
    """run-2 composed 7 and 8 again before the error of run-1 was told, so nothing is noted yet."""
    here = world()
    dropped(here, "run-1", *customers(*range(1, 11)))
    dropped(here, "run-2", *customers(7, 8, document=100), rerun_of=rerun_of)
    raised(here, an_error())
    for key in [key for key in here.due.waits if key.startswith("cover:")]:
        here.due.forget([key], here.clock.now() + timedelta(days=9))
    return here


def cover(here: World, seconds: float = 900.0, tried: int = 0, run: str = "run-2") -> list[str]:
    ports = here._ports
    covering = Covering(ports["runs"], ports["staging"], ports["records"], here.alerting(), lambda: seconds)
    return cover_customers("retail", run, covering, tried)


def later(here: World) -> dict[str, timedelta]:
    """What is looked at later, and after how long."""
    now = here.clock.now().replace(microsecond=0)
    return {
        key.removeprefix("cover:retail/"): datetime.fromisoformat(at) - now
        for key, at in here.due.waits.items()
        if key.startswith("cover:")
    }


@pytest.mark.parametrize(("seconds", "done"), [(59.5, False), (60.0, True)])
def test_a_run_is_begun_with_a_minute_left_and_looked_at_again_at_once_otherwise(
    seconds: float, done: bool
) -> None:
    here = repaired_before()
    assert cover(here, seconds) == []
    assert of(here, "run-1").late == (() if done else ((7, 8),))
    assert later(here) == ({} if done else {"run-2/0": timedelta(0)})


TRIES = [timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1), timedelta(hours=6)]


@pytest.mark.parametrize("tried", range(5))
def test_a_run_that_cannot_be_compared_is_named_and_tried_four_times_more(tried: int) -> None:
    here = repaired_before()
    broken(here, "run-1", PermissionError("AccessDenied"))
    assert cover(here, tried=tried) == ["retail/run-1: PermissionError"]
    assert later(here) == ({f"run-2/{tried + 1}": TRIES[tried]} if tried < 4 else {})


@pytest.mark.parametrize("tried", range(5))
def test_a_run_that_names_another_without_an_incident_looks_for_one_four_times_more(tried: int) -> None:
    here = world()
    dropped(here, "run-2", *customers(7, 8), rerun_of="retail/run-1")
    here.due.forget(list(here.due.waits), here.clock.now() + timedelta(days=9))
    assert cover(here, tried=tried) == []
    assert later(here) == ({f"run-2/{tried + 1}": TRIES[tried]} if tried < 4 else {})


@pytest.mark.parametrize("run", ["run-1", "run-2"])
@pytest.mark.parametrize(("records", "proven"), [(200_000, True), (200_001, False)])
def test_of_a_run_of_more_than_two_hundred_thousand_records_nothing_is_proven(
    run: str, records: int, proven: bool
) -> None:
    here = repaired_before()
    stored = here.run(run)
    here.runs._runs[stored.name] = replace(stored, composed=records, expected=records)
    cover(here)
    assert of(here, "run-1").late == (() if proven else ((7, 8),))


def test_a_run_covers_no_incident_of_its_own_and_none_of_an_unknown_run() -> None:
    here = repaired_before()
    assert cover(here, run="run-1") == []
    assert cover(here, run="run-9") == []
    assert of(here, "run-1").late == ((7, 8),)


# --- the whole run again ---------------------------------------------------------------------------


def stopped(here: World, at: str = "3") -> None:
    """The engine stopped, and what was the last customer nobody knows."""
    raised(here, an_error(code="EX001111S", severity="severe", customers=at, count=1))


@pytest.mark.parametrize(
    ("rows", "stated"),
    [
        (["email: missing"], {}),
        ([], {"customers_expected": 9, "customers_processed": 5}),
    ],
)
def test_a_run_that_is_not_complete_itself_is_not_the_whole_run_again(
    rows: list[str], stated: dict[str, Any]
) -> None:
    here = world()
    stopped(here)
    documents = customers(1, 2, 3, 4, 5, document=200)
    dropped(here, "run-1c", *documents, *rows, rerun_of="run-1", **stated)
    assert of(here, "run-1", "it").status == OPEN
    dropped(here, "run-1d", *customers(1, 2, 3, 4, 5, document=300), rerun_of="run-1")
    assert of(here, "run-1", "it").status == RESOLVED


@pytest.mark.parametrize(
    ("number", "again", "whole"), [(3, 3, True), (3, 4, True), (3, 2, False), (1, 1, True)]
)
def test_without_numbers_as_many_documents_as_were_expected_are_the_whole_run(
    number: int, again: int, whole: bool
) -> None:
    here = world()
    dropped(here, "run-1", *(a_document(n) for n in range(1, number + 1)))
    stopped(here, "")
    documents = [a_document(n, document_id=f"again-{n}") for n in range(1, again + 1)]
    dropped(here, "run-1b", *documents, rerun_of="run-1")
    assert of(here, "run-1", "it").status == (RESOLVED if whole else OPEN)


# --- missing customers -----------------------------------------------------------------------------


def short(here: World, *documents: Any) -> None:
    """run-1 composed eight of twelve customers."""
    rows = documents or customers(*range(1, 9))
    dropped(here, "run-1", *rows, customers_expected=12, customers_processed=8)


def test_documents_without_numbers_make_up_for_as_many_as_were_missing() -> None:
    here = world()
    short(here)
    documents = [a_document(n, document_id=f"again-{n}") for n in range(9, 13)]
    dropped(here, "run-1b", *documents, rerun_of="run-1")
    incident = of(here, "run-1")
    assert (incident.status, incident.head.remade_by) == (RESOLVED, "run-1b")


def test_fewer_than_were_missing_without_numbers_make_up_for_nobody() -> None:
    here = world()
    short(here)
    documents = [a_document(n, document_id=f"again-{n}") for n in range(9, 12)]
    dropped(here, "run-1b", *documents, rerun_of="run-1")
    incident = of(here, "run-1")
    assert (incident.status, incident.head.remade_by, incident.head.covered_by) == (OPEN, "", ())


def test_where_the_first_run_had_no_numbers_those_of_the_next_say_nothing_of_it() -> None:
    here = world()
    short(here, *(a_document(n) for n in range(1, 9)))
    dropped(here, "run-1b", *customers(9, 10, document=100), rerun_of="run-1")
    incident = of(here, "run-1")
    assert (incident.status, incident.head.covered_by) == (OPEN, ())


def test_as_many_documents_of_others_do_not_remake_a_run_whose_late_customers_are_named() -> None:
    here = world()
    short(here)
    raised(here, an_error())
    dropped(here, "run-1b", *customers(9, 10, 11, 12, document=100), rerun_of="run-1")
    incident = of(here, "run-1")
    assert (incident.status, incident.late, incident.head.remade_by) == (OPEN, ((7, 8),), "")


def test_a_complete_run_of_others_remakes_nothing() -> None:
    here = world()
    missed(here)
    dropped(here, "run-1b", *customers(9, document=100), rerun_of="run-1")
    incident = of(here, "run-1")
    assert (incident.late, incident.head.remade_by) == (((7, 8),), "")


def test_runs_make_up_together_for_what_is_missing_beside_another_teams_incident() -> None:
    here = world()
    short(here)
    stopped(here, "9")
    dropped(here, "run-1b", *customers(9, 10, document=100), rerun_of="run-1")
    assert (of(here, "run-1").status, of(here, "run-1", "it").late) == (OPEN, ((11, 12),))
    dropped(here, "run-1c", *customers(11, 12, document=200), rerun_of="run-1")
    assert (of(here, "run-1").status, of(here, "run-1", "it").status) == (RESOLVED, RESOLVED)


# --- repeats of repeats ----------------------------------------------------------------------------


def repeats(here: World, *names: str) -> None:
    """Runs of which each names the one before it; they compose one other customer each."""
    for number, (before, name) in enumerate(pairwise(names), 30):
        dropped(here, name, *customers(number, document=1000 + number), rerun_of=before)


def test_a_repeat_of_a_repeat_makes_the_first_runs_numbers_good() -> None:
    here = world()
    dropped(here, "run-1", *customers(*range(1, 7)))
    raised(here, an_error())
    repeats(here, "run-1", "run-1a", "run-1b", "run-1c")
    assert of(here, "run-1").late == ((7, 8),)
    dropped(here, "run-1d", *customers(7, 8, document=500), rerun_of="run-1c")
    assert of(here, "run-1").status == RESOLVED


@pytest.mark.parametrize("between", [(), ("run-0b",)])
def test_two_repeats_of_one_run_number_customers_alike(between: tuple[str, ...]) -> None:
    here = world()
    dropped(here, "run-0", *customers(*range(1, 7)))
    repeats(here, "run-0", *between, "run-1")
    raised(here, an_error())
    dropped(here, "run-2", *customers(7, 8, document=500), rerun_of="run-0")
    assert of(here, "run-1").status == RESOLVED


def test_repeats_of_two_runs_do_not() -> None:
    here = world()
    dropped(here, "run-0", *customers(*range(1, 7)))
    dropped(here, "run-a", *customers(*range(1, 7), document=100))
    repeats(here, "run-0", "run-1")
    raised(here, an_error())
    dropped(here, "run-2", *customers(7, 8, document=500), rerun_of="run-a")
    assert of(here, "run-1").late == ((7, 8),)
