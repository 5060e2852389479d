"""uc5: what cannot be digested becomes incidents; alerting is a later capability."""

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
