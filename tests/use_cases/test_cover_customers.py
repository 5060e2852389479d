"""Incidents that a later run makes good: only where it proves it, and never at the cost of others."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, Literal

import pytest

from exstream_notify.adapters.rules import YamlRules
from exstream_notify.domain.exceptions import ExceptionRaised
from exstream_notify.domain.incidents import Incident, IncidentStatus
from exstream_notify.domain.runs import Control
from exstream_notify.domain.work import SlicePointer
from exstream_notify.ports import RecordsGone
from tests.fakes import a_document
from tests.use_cases.world import World

ALERTING = ("incidents.", "due.", "records.", "exceptions.", "staging.", "runs.")
WHEN: tuple[Literal["before", "after"], ...] = ("before", "after")


def world() -> World:
    """A world on the rules that ship."""
    return World(site_rules=YamlRules())


def an_error(**changes: Any) -> ExceptionRaised:
    """An engine's error of customers 7 and 8 of run-1."""
    given = {
        "code": "EX004120E",
        "severity": "error",
        "domain": "retail",
        "run_id": "run-1",
        "text": "EX004120E in a.dat",
        "part": "a.dat",
        "count": 2,
        "customers": "7-8",
    }
    return ExceptionRaised(**{**given, **changes})


def raised(here: World, *exceptions: ExceptionRaised) -> None:
    """They are told on the bus, and dealt with."""
    here.exceptions.raise_exceptions(exceptions)
    here.drain()


def of(here: World, run: str, team: str = "operations") -> Incident:
    """The one incident of a run and team."""
    (found,) = [i for i in here.incidents.all() if (i.run_id, i.team) == (run, team)]
    return found


def customers(*numbers: int, key: int = 0, document: int = 0) -> list[Any]:
    """A document of each customer; `key` is added to the number in its key, `document` in its id."""
    return [
        replace(
            a_document(n + document),
            customer_key=f"C{n + key:04d}",
            customer_in_run=n,
            document_id=f"D{document}-{n}",
        )
        for n in numbers
    ]


def dropped(here: World, run_id: str, *documents: Any, **stated: Any) -> None:
    """A run comes, a minute after the one before."""
    here.clock.advance(seconds=60)
    here.drop(run_id, *documents, **stated)
    here.drain()


def missed(here: World) -> None:
    """run-1 came with its ten customers staged, and the engine reported 7 and 8."""
    dropped(here, "run-1", *customers(*range(1, 11)))
    raised(here, an_error())


def test_the_same_customers_by_key_are_made_good_by_an_ordinary_run() -> None:
    here = world()
    missed(here)
    dropped(here, "run-2", *customers(1, key=6, document=100), *customers(2, key=98, document=100))
    assert of(here, "run-1").late == ((8, 8),)
    assert of(here, "run-1").status == IncidentStatus.OPEN

    dropped(here, "run-3", *customers(1, key=7, document=200))
    incident = of(here, "run-1")
    assert incident.status == IncidentStatus.RESOLVED
    assert incident.head.covered_by == (("run-2", "7"), ("run-3", "8"))
    assert "C0007" not in str(incident)
    resolved = next(e for e in incident.head.history if e["what"] == "resolved")
    assert resolved["why"] == "run run-2, run-3 composed all of its customers again"


@pytest.mark.parametrize(
    ("documents", "stated"),
    [
        (customers(7, 8, key=50, document=100), {}),  # the numbers alone
        (customers(7, 8, document=100), {"app": "OTHER"}),  # another application
        (customers(7, 8, key=50, document=100), {"rerun_of": "claims/run-1"}),  # another domain's run
        (customers(7, 8, key=50, document=100), {"rerun_of": "run-9"}),
        (customers(7, 8, document=100), {"app": "OTHER", "rerun_of": "run-9"}),
        (customers(7, 8, key=50, document=100), {"rerun_of": "run-1"}),  # numbered anew: they are others
    ],
)
def test_nothing_less_is_proof(documents: list[Any], stated: dict[str, Any]) -> None:
    here = world()
    missed(here)
    dropped(here, "run-2", *documents, **stated)
    assert of(here, "run-1").late == ((7, 8),)
    assert not of(here, "run-1").head.history[-1]["what"].startswith("run ")


@pytest.mark.parametrize("name", ["run-1", "retail/run-1"])
def test_a_run_that_names_the_other_makes_its_numbers_good(name: str) -> None:
    here = world()
    dropped(here, "run-1", *customers(*range(1, 7)))
    raised(here, an_error())
    dropped(here, "run-1b", *customers(7, document=100), rerun_of=name)
    assert of(here, "run-1").late == ((8, 8),)
    dropped(here, "run-1c", *customers(8, document=100), rerun_of=name)
    assert of(here, "run-1").status == IncidentStatus.RESOLVED


@pytest.mark.parametrize("name", ["claims/run-1", "run-11", "retail/run-11", ""])
def test_a_run_that_names_another_makes_no_numbers_good(name: str) -> None:
    here = world()
    dropped(here, "run-1", *customers(*range(1, 7)))
    raised(here, an_error())
    dropped(here, "run-1b", *customers(7, 8, document=100), rerun_of=name)
    assert of(here, "run-1").late == ((7, 8),)


def test_a_run_that_names_another_application_s_does_not_count() -> None:
    here = world()
    dropped(here, "run-1", *customers(1), app="BILLING")
    raised(here, an_error())
    dropped(here, "run-1b", *customers(7, 8, document=100), rerun_of="run-1", app="CARDS")
    assert of(here, "run-1").late == ((7, 8),)
    dropped(here, "run-1c", *customers(7, 8, document=200), rerun_of="run-1")
    assert of(here, "run-1").status == IncidentStatus.RESOLVED


def test_a_rejected_customer_is_not_made_good() -> None:
    here = world()
    raised(here, an_error())
    dropped(here, "run-1b", *customers(7, document=100), "email: missing", rerun_of="run-1")
    assert of(here, "run-1").late == ((8, 8),)


def test_a_run_that_is_held_counts_when_it_is_released_and_never_when_it_is_cancelled() -> None:
    for last, status in ((Control.GO, IncidentStatus.RESOLVED), (Control.CANCEL, IncidentStatus.OPEN)):
        here = world()
        raised(here, an_error())
        for number in range(4):
            here.runs.add_volume("retail", "", f"before-{number}", 1000)
        dropped(here, "run-1b", *customers(7, 8, document=100), rerun_of="run-1")
        assert here.run("run-1b").control == Control.HOLD
        assert of(here, "run-1").status == IncidentStatus.OPEN
        here.control("run-1b", last)
        here.drain()
        assert of(here, "run-1").status == status


def test_an_older_run_s_event_that_comes_late_counts_for_nothing() -> None:
    here = world()
    dropped(here, "run-0", *customers(7, 8, document=100))
    missed(here)
    here.exceptions.run_dispatched("retail", "run-0")
    here.drain()
    assert of(here, "run-1").late == ((7, 8),)


def test_what_another_team_has_of_the_same_cause_is_over_with_the_same_run() -> None:
    here = world()
    dropped(here, "run-1", *customers(*range(1, 13)), customers_expected=100, customers_processed=12)
    raised(
        here,
        an_error(code="EX001111S", severity="severe", customers="13", count=1),
        an_error(code="exit_status", part="run.summary.txt", customers="", count=1),
    )
    assert of(here, "run-1", "it").late == ((13, 100),)
    operations = of(here, "run-1")
    assert operations.codes == ("customers_missing", "exit_status")
    alert = here.channels.alerts("it")[0]
    assert alert.rerun == ("-CUSTOMERLIST=13-100",)

    dropped(here, "run-1b", *customers(*range(13, 50), document=100), rerun_of="run-1")
    assert of(here, "run-1", "it").late == ((50, 100),)
    assert of(here, "run-1").status == IncidentStatus.OPEN
    dropped(here, "run-1c", *customers(*range(13, 101), document=200), rerun_of="run-1")
    assert {i.status for i in here.incidents.all() if i.run_id == "run-1"} == {IncidentStatus.RESOLVED}
    assert of(here, "run-1").head.remade_by == "run-1c"


def test_what_is_told_after_the_run_that_repairs_it_is_made_good_all_the_same() -> None:
    here = world()
    dropped(here, "run-1", *customers(*range(1, 11)))
    dropped(here, "run-1b", *customers(7, 8, document=100), rerun_of="run-1")
    raised(here, an_error())
    assert of(here, "run-1").status == IncidentStatus.OPEN
    here.wait_until(here.clock.now() + timedelta(minutes=6))
    assert of(here, "run-1").status == IncidentStatus.RESOLVED


def test_runs_that_make_up_for_missing_customers_together_end_the_incident() -> None:
    here = world()
    dropped(here, "run-1", *customers(*range(1, 9)), customers_expected=12, customers_processed=8)
    dropped(here, "run-1b", *customers(9, 10, document=100), rerun_of="run-1")
    dropped(here, "run-1c", *customers(9, 10, document=200), rerun_of="run-1")
    dropped(here, "run-1d", *customers(7, 8, document=300), rerun_of="run-1")
    dropped(here, "run-2", *customers(11, 12, document=400))
    dropped(here, "run-1e", *customers(1, 2, key=7, document=500), rerun_of="run-1")
    assert of(here, "run-1").status == IncidentStatus.OPEN
    dropped(here, "run-1f", *customers(11, 12, document=600), rerun_of="run-1")
    assert of(here, "run-1").status == IncidentStatus.RESOLVED


def test_a_stop_whose_end_is_not_known_gets_its_switch_with_the_seal() -> None:
    here = world()
    raised(here, an_error(code="EX001111S", severity="severe", customers="13", count=1))
    alert = here.channels.alerts("it")[0]
    assert alert.rerun == ()
    assert "customer 13 and all after it" in alert.text()

    dropped(here, "run-1b", *customers(13, 14, document=100), rerun_of="run-1")
    assert of(here, "run-1", "it").status == IncidentStatus.OPEN
    dropped(here, "run-1", *customers(*range(1, 13)), customers_expected=16, customers_processed=12)
    assert of(here, "run-1", "it").late == ((15, 16),)


def test_the_whole_run_again_makes_good_a_stop_whose_end_nobody_knows() -> None:
    here = world()
    raised(here, an_error(code="EX001111S", severity="severe", customers="3", count=1))
    dropped(here, "run-1b", *customers(3, 4, document=100), rerun_of="run-1")
    assert of(here, "run-1", "it").status == IncidentStatus.OPEN
    dropped(here, "run-1c", *customers(1, 2, 3, 4, 5, document=200), rerun_of="run-1")
    assert of(here, "run-1", "it").status == IncidentStatus.RESOLVED


def test_a_customer_who_was_reached_by_nobody_is_not_made_good_by_composing_again() -> None:
    here = world()
    raised(here, an_error(code="unreached", customers="7"))
    dropped(here, "run-1b", *customers(7, document=100), rerun_of="run-1")
    assert of(here, "run-1", "compliance").status == IncidentStatus.OPEN


def test_a_refused_run_is_not_made_good_by_one_of_its_customers() -> None:
    here = world()
    dropped(here, "run-1", *customers(1, 2, 3), documents=9)
    raised(here, an_error(customers="3", count=1))
    assert of(here, "run-1").codes == ("EX004120E", "document_count_mismatch")
    dropped(here, "run-1b", *customers(3, document=100), rerun_of="run-1")
    assert of(here, "run-1").late == ()
    assert of(here, "run-1").status == IncidentStatus.OPEN


class Broken:
    """`Records` that fail for one run's parts as a role without permission does, then not any more."""

    def __init__(self, inner: Any, run_id: str, failure: Exception) -> None:
        self._inner = inner
        self._run_id = run_id
        self.failure: Exception | None = failure

    def read(self, pointer: SlicePointer) -> Any:
        """See `Records.read`."""
        if self.failure is not None and pointer.run_id == self._run_id:
            raise self.failure
        return self._inner.read(pointer)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def broken(here: World, run_id: str, failure: Exception) -> Broken:
    """From now on this run's parts cannot be read."""
    records = Broken(here._ports["records"], run_id, failure)
    here._ports["records"] = records
    return records


def test_a_run_that_cannot_be_read_ends_no_event_and_stops_no_other_incident() -> None:
    here = world()
    missed(here)
    dropped(here, "other-1", *customers(*range(1, 11), key=500, document=300))
    raised(here, an_error(run_id="other-1"))
    records = broken(here, "run-1", PermissionError("AccessDenied"))
    others = customers(507, 508, document=100)
    dropped(here, "run-2", *customers(7, 8, document=100), *others)

    assert not here.queues["exceptions"].dead
    assert of(here, "other-1").status == IncidentStatus.RESOLVED
    assert of(here, "run-1").status == IncidentStatus.OPEN

    records.failure = None
    here.wait_until(here.clock.now() + timedelta(minutes=6))
    assert of(here, "run-1").status == IncidentStatus.RESOLVED


@pytest.mark.parametrize("failure", [PermissionError("AccessDenied"), RecordsGone("parts/…")])
def test_without_the_other_run_s_parts_nothing_is_proven_and_every_later_run_is_taken(
    failure: Exception,
) -> None:
    here = world()
    missed(here)
    broken(here, "run-1", failure)
    for number in range(2, 6):
        dropped(here, f"run-{number}", *customers(7, 8, document=100 * number))
    here.wait_until(here.clock.now() + timedelta(hours=12))
    assert not here.queues["exceptions"].dead
    assert of(here, "run-1").late == ((7, 8),)


def test_a_worker_that_dies_at_any_call_resolves_it_all_the_same() -> None:
    def begin() -> World:
        here = world()
        dropped(here, "run-1", *customers(7, 8))
        raised(here, an_error())
        here.come_to_rest()
        here.clock.advance(seconds=60)
        return here

    again = customers(7, 8, document=100)
    rehearsal = begin()
    begun = rehearsal.wire.number
    rehearsal.drop("run-1b", *again)
    rehearsal.come_to_rest()
    told = [n for n, call in enumerate(rehearsal.wire.log, 1) if n > begun and call.startswith(ALERTING)]
    for number in told:
        for when in WHEN:
            here = begin()
            here.wire.kill_at(number, when)
            here.drop("run-1b", *again)
            here.come_to_rest()
            assert here.kills == 1
            assert of(here, "run-1").status == IncidentStatus.RESOLVED, here.wire.killed_at
            assert not here.queues["exceptions"].dead
