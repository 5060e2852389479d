"""What changed between the decision and the sending sends a notice back to the decision, each of a job by itself."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest

from exstream_notify.domain.messages import GiveUp
from exstream_notify.domain.notices import Status
from exstream_notify.use_cases.send_notices import send_notices
from tests.fakes import a_document, a_rule
from tests.use_cases.test_do_not_dun import hold
from tests.use_cases.world import World


def queued(*rules: Any, number: int = 3, bulk: bool = False, **changes: Any) -> World:
    """So many customers' e-mails in one job that waits."""
    world = World(*(rules or (a_rule(),)), bulk=bulk)
    world.drop("run-1", *(a_document(n, **changes) for n in range(1, number + 1)))
    while not world.queues["email"].ready():
        world.step()
    return world


CHANGES: dict[str, tuple[Callable[[World], object], str]] = {
    "wants paper": (lambda w: w.change_contact(2, paper_required=True), "paper"),
    "opted out": (lambda w: w.change_contact(2, opt_outs={"*": ("email", "sms")}), "suppressed"),
    "is held": (lambda w: hold(w, 2), "suppressed"),
    "was erased": (lambda w: w.erase(2), "suppressed"),
    "answered": (lambda w: w.respond("responded", customer_key="C0002", document_id="D0002"), "suppressed"),
    "paid": (
        lambda w: w.respond(
            "paid", customer_key="C0002", document_id="D0002", amount="10.00", currency="USD", payment_id="p"
        ),
        "suppressed",
    ),
}


@pytest.mark.parametrize("bulk", [False, True])
@pytest.mark.parametrize("what", CHANGES)
def test_one_of_a_job_whose_customer_changed_meanwhile_is_decided_anew_and_the_others_are_sent(
    what: str, bulk: bool
) -> None:
    change, outcome = CHANGES[what]
    rule = a_rule(asks_for_payment=True, paper_on_failure=outcome == "paper")
    world = queued(rule, bulk=bulk, amount_due="10.00", currency="USD")
    change(world)
    world.come_to_rest()
    assert world.told() == ["c0001@example.com", "c0003@example.com"]
    assert world.outcomes("run-1") == {"notified": 2, outcome: 1}
    assert [world.notice(f"D000{n}").status for n in (1, 3)] == [Status.SENT] * 2
    world.check()


@pytest.mark.parametrize(("settles", "told"), [(True, 2), (False, 3)])
def test_a_payment_in_part_while_a_notice_is_queued_ends_it_where_any_payment_settles(
    settles: bool, told: int
) -> None:
    world = queued(
        a_rule(asks_for_payment=True, any_payment_settles=settles), amount_due="10.00", currency="USD"
    )
    world.respond(
        "paid", customer_key="C0002", document_id="D0002", amount="4.00", currency="USD", payment_id="p"
    )
    world.come_to_rest()
    assert len(world.told()) == told


def test_no_channel_is_off_unless_somebody_says_so() -> None:
    default = inspect.signature(send_notices).parameters["switched_off"].default
    assert default("retail", "email") is False


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_second_channel_that_a_dead_worker_claimed_is_handed_over_again_where_that_is_safe(
    when: Any,
) -> None:
    """The provider takes a message once, however often it is handed over."""
    world = World(a_rule(), deduplicates=True)
    world.mail.refuse("c0001@example.com", GiveUp("no_such_address", "recipient"))
    world.drop("run-1", a_document(1), a_document(2))
    while not world.queues["sms"].ready():
        world.step()
    world.wire.kill_on("provider.send", when)
    world.come_to_rest()
    assert world.kills == 1
    assert world.told("sms") == ["+12025550101"]
    assert world.outcomes("run-1") == {"notified": 2}
    assert [a.status for a in world.notice("D0001").attempts] == [Status.FAILED, Status.SENT]
    assert "resubmitted" in [event.what for event in world.notice("D0001").events]
    world.check()
