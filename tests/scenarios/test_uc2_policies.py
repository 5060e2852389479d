"""uc2: a policy, contract or account-opening document is issued."""

from exstream_notify.domain.messages import TryAgain
from tests.fakes import a_document
from tests.scenarios.shipped import shipped


def test_customer_and_each_team_are_told_and_the_proof_is_kept() -> None:
    world = shipped()
    world.drop("run-1", a_document(1, document_type="policy-document"))
    world.come_to_rest()
    assert world.outcomes("run-1") == {"notified": 1}
    assert world.told() == ["c0001@example.com", "compliance@example.com", "underwriting@example.com"]
    for audience in ("customer", "team:underwriting", "team:compliance"):
        assert world.notice("D0001", audience).attempts[0].evidence
    world.check()


def test_a_team_gets_one_digest_of_a_run() -> None:
    world = shipped()
    world.drop("run-1", *(a_document(n, document_type="account-opening") for n in range(1, 31)))
    world.come_to_rest()
    assert world.outcomes("run-1") == {"notified": 30}
    assert world.told().count("onboarding@example.com") == 1


def test_an_outage_puts_the_teams_copies_off_too() -> None:
    world = shipped()
    world.mail.always(TryAgain("unavailable"))
    world.drop("run-1", a_document(1, document_type="policy-document"))
    world.drain()
    assert world.outcomes("run-1") == {"deferred": 1}
    world.mail.always(None)
    world.come_to_rest()
    assert world.outcomes("run-1") == {"notified": 1}
    assert world.told() == ["c0001@example.com", "compliance@example.com", "underwriting@example.com"]


def test_nobody_reachable_means_paper() -> None:
    world = shipped()
    world.drop("run-1", a_document(1, document_type="policy-document", email=None, mobile=None))
    world.come_to_rest()
    assert world.outcomes("run-1") == {"paper": 1}
    assert world.reasons("run-1", "paper") == {"no_channel": 1}


def test_an_unknown_team_is_an_exception_not_a_loss() -> None:
    world = shipped()
    world.drop("run-1", a_document(1, document_type="policy-document", internal_teams=("astrology",)))
    world.come_to_rest()
    assert "team_unknown" in {e.code for e in world.exceptions.raised}
    assert "c0001@example.com" in world.told()
