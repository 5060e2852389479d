"""uc5: what cannot be digested becomes incidents, and their teams are told what to do."""

from datetime import timedelta

from tests.fakes import a_document
from tests.scenarios.shipped import shipped


def test_a_rejected_record_is_an_incident_and_the_rest_goes_on() -> None:
    world = shipped()
    world.drop("run-1", a_document(1), "customer_key: missing", a_document(2))
    world.come_to_rest()
    assert world.outcomes("run-1") == {"notified": 2, "rejected": 1}
    assert {e.code for e in world.exceptions.raised} == {"records_rejected"}
    assert set(world.incidents.teams.values()) == {"operations"}
    (alert,) = world.channels.alerts("operations")
    assert "1 of 3 records rejected" in alert.text()


def test_counts_that_disagree_send_nothing_until_a_seal_agrees() -> None:
    world = shipped()
    world.drop("run-1", a_document(1), a_document(2), documents=3)
    world.come_to_rest()
    assert world.run("run-1").state == "refused"
    assert not world.outbox
    world.drop("run-1", a_document(1), a_document(2))
    world.come_to_rest()
    assert world.outcomes("run-1") == {"notified": 2}


def test_other_content_under_a_used_run_id_is_refused() -> None:
    world = shipped()
    world.drop("run-1", a_document(1))
    world.come_to_rest()
    world.drop("run-1", a_document(2))
    world.come_to_rest()
    assert world.told() == ["c0001@example.com"]
    assert "run_id_reused" in {e.code for e in world.exceptions.raised}


def test_customers_whom_the_composer_left_out_are_told_with_the_run_s_other_failures() -> None:
    world = shipped()
    world.drop("run-1", a_document(1), customers_expected=3, customers_processed=1)
    world.come_to_rest()
    assert world.outcomes("run-1") == {"notified": 1}
    first = world.channels.alerts("operations")[0]
    assert "2 of 3 customers were not composed" in first.text()
    assert first.severity == "error"


def test_an_alert_says_how_many_are_late_though_the_engine_names_fewer() -> None:
    world = shipped()
    world.drop("run-1", a_document(1), customers_expected=5, customers_processed=1)
    world.read_file("engine.dat", b"EX004120E (3) empty\nEX004120E (4) empty\n")
    world.drain()
    world.wait_until(world.clock.now() + timedelta(minutes=3))
    text = world.channels.alerts("operations")[-1].text()
    assert "documents of 4 customers late" in text
    assert "-CUSTOMERLIST=3-4" in text
    assert "also 2 missing customers that nothing here names by number" in text


def test_a_run_that_is_refused_is_told_at_once_and_goes_up_if_nobody_answers() -> None:
    world = shipped()
    world.drop("run-1", a_document(1), documents=2)
    world.drain()
    (first,) = world.channels.alerts("operations")
    assert first.severity == "severe"
    world.come_to_rest()
    assert [team for channel, team, _ in world.channels.told] == ["operations", "it", "management"]
    assert world.channels.lost
