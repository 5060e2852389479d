"""Repeats of repeats, and what an ordinary run proves of a run's errors."""

from datetime import timedelta

from exstream_notify.domain.incidents import IncidentStatus
from tests.use_cases.test_cover_customers import an_error, customers, dropped, missed, of, raised, world


def test_a_repeat_of_a_repeat_is_one_of_the_first_run_and_of_its_other_repeats() -> None:
    for name in ("run-1b", "run-1", "retail/run-1b"):
        here = world()
        dropped(here, "run-1", *customers(*range(1, 7)))
        raised(here, an_error())
        dropped(here, "run-1b", *customers(7, document=100), rerun_of="run-1")
        raised(here, an_error(run_id="run-1b", customers="8", count=1))
        dropped(here, "run-1c", *customers(8, document=200), rerun_of=name)
        assert of(here, "run-1").status == IncidentStatus.RESOLVED, name
        assert of(here, "run-1b").status == IncidentStatus.RESOLVED, name


def test_another_repeat_makes_good_no_customers_but_its_own() -> None:
    here = world()
    dropped(here, "run-1", *customers(*range(1, 7)))
    raised(here, an_error(customers="7-9", count=3))
    dropped(here, "run-1b", *customers(7, document=100), rerun_of="run-1")
    raised(here, an_error(run_id="run-1b", customers="8", count=1))
    raised(here, an_error(run_id="run-1b", code="job_failed", customers="", count=1))
    dropped(here, "run-1c", *customers(9, document=200), rerun_of="run-1")
    assert of(here, "run-1b").late == ((8, 8),)
    dropped(here, "run-1d", *customers(8, document=300), rerun_of="run-1")
    assert of(here, "run-1").status == IncidentStatus.RESOLVED
    assert of(here, "run-1b").status == IncidentStatus.OPEN, "its job failed: it has to be named"
    dropped(here, "run-1e", *customers(8, document=400), rerun_of="run-1b")
    assert of(here, "run-1b").status == IncidentStatus.RESOLVED


def test_runs_that_repeat_one_another_end_no_event() -> None:
    here = world()
    dropped(here, "run-1", *customers(1, 2), rerun_of="run-1b")
    raised(here, an_error())
    dropped(here, "run-1b", *customers(7, 8, document=100), rerun_of="run-1")
    assert of(here, "run-1").status == IncidentStatus.RESOLVED
    assert not here.queues["exceptions"].dead


def test_a_run_may_be_named_as_an_alert_shows_it_and_an_application_in_any_case() -> None:
    here = world()
    dropped(here, "müller-1", *customers(*range(1, 7)), app="Billing")
    raised(here, an_error(run_id="müller-1"))
    shown = here.rules.vocabulary.shown("müller-1")
    assert shown != "müller-1"
    dropped(here, "run-1b", *customers(7, document=100), rerun_of=f"retail/{shown}", app="BILLING")
    assert of(here, "müller-1").late == ((8, 8),)


def test_an_ordinary_run_ends_no_error_that_names_no_customer() -> None:
    here = world()
    missed(here)
    raised(here, an_error(code="EX003333E", customers="", count=3))
    raised(here, an_error(code="exit_status", part="run.summary.txt", customers="", count=1))
    dropped(here, "run-2", *customers(7, 8, document=100))
    assert of(here, "run-1").late == ()
    assert of(here, "run-1").status == IncidentStatus.OPEN
    dropped(here, "run-1b", *customers(7, 8, document=200), rerun_of="run-1")
    assert of(here, "run-1").status == IncidentStatus.RESOLVED


def test_a_stop_at_nobody_knows_whom_is_over_with_the_run_that_makes_up_for_what_the_seal_says_is_missing() -> (
    None
):
    here = world()
    raised(here, an_error(code="EX001111S", severity="severe", customers="", count=1))
    dropped(here, "run-1", *customers(*range(1, 7)), customers_expected=9, customers_processed=6)
    dropped(here, "run-1b", *customers(7, 8, document=100), rerun_of="run-1")
    assert of(here, "run-1", "it").status == IncidentStatus.OPEN
    dropped(here, "run-1c", *customers(7, 8, 9, document=200), rerun_of="run-1")
    incident = of(here, "run-1", "it")
    assert incident.status == IncidentStatus.RESOLVED
    assert "run run-1c composed all that was missing" in [entry["what"] for entry in incident.head.history]


def test_a_stop_at_nobody_knows_whom_stays_while_the_seal_says_nothing_of_what_is_missing() -> None:
    here = world()
    raised(here, an_error(code="EX001111S", severity="severe", customers="", count=1))
    dropped(here, "run-1", *customers(*range(1, 7)))
    dropped(here, "run-1b", *customers(3, document=100), rerun_of="run-1")
    assert of(here, "run-1", "it").status == IncidentStatus.OPEN


def test_figures_do_not_add_to_what_they_count() -> None:
    here = world()
    figures = {"composition_errors": 2, "exit_status": 1}
    raised(here, an_error(), *(an_error(code=c, customers="", count=n) for c, n in figures.items()))
    here.wait_until(here.clock.now() + timedelta(minutes=5))
    alert = here.channels.alerts()[-1]
    assert alert.title == "[ERROR] composition (3 codes) × 2 in retail/run-1: a further cause"
    assert dict(alert.facts)["Count"] == "2"
    raised(here, an_error(code="customers_missing", customers="", count=54))
    here.wait_until(here.clock.now() + timedelta(hours=2))
    assert "(4 codes) × 54" in here.channels.alerts()[-1].title


def test_an_exit_status_is_over_with_the_errors_that_it_counts() -> None:
    here = world()
    missed(here)
    raised(here, an_error(code="exit_status", part="run.summary.txt", customers="", count=1))
    dropped(here, "run-2", *customers(7, 8, document=100))
    assert of(here, "run-1").status == IncidentStatus.RESOLVED
