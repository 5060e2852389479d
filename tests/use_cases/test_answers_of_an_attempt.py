"""What several tries, several workers and several deliveries say of one attempt, together."""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream_notify.adapters.providers.choice import ThreeTries
from exstream_notify.domain.messages import (
    Accepted,
    Answer,
    GiveUp,
    SentRequest,
    TryAgain,
    Unconfirmed,
    combined,
)
from exstream_notify.domain.notices import Attempt, Event, Notice, Status
from exstream_notify.use_cases.attempt_answers import is_remembered, is_withdrawable
from exstream_notify.use_cases.send_notices import InProgress
from tests.fakes import LostAnswer, a_document, a_notice, a_rule
from tests.fakes.providers import Behaviour
from tests.use_cases.world import World

LATER, NO, LOST = TryAgain("throttled"), GiveUp("no_such_address", "recipient"), LostAnswer()
DOUBT = Unconfirmed("read_timeout")


# --- the tries of one hand-over ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answers", "together"),
    [
        ((Accepted("1"),), Accepted("1")),
        ((LATER, NO), NO),
        ((LATER, LATER, LATER), LATER),
        ((DOUBT, LATER, LATER), DOUBT),
        ((LATER, DOUBT, NO), DOUBT),
        ((DOUBT, NO), DOUBT),
        ((DOUBT, Unconfirmed("reset")), DOUBT),
        ((DOUBT, LATER, Accepted("2")), Accepted("2")),
    ],
)
def test_a_doubt_stays_unless_a_later_try_is_accepted(answers: Sequence[Answer], together: Answer) -> None:
    assert combined(answers) == together


@given(st.lists(st.sampled_from([LATER, NO, DOUBT, Accepted("1")]), min_size=1, max_size=5))
def test_nothing_in_doubt_is_called_unsent(answers: list[Answer]) -> None:
    if DOUBT in answers:
        assert isinstance(combined(answers), Accepted | Unconfirmed)


@pytest.mark.parametrize(
    ("number", "lease", "status", "why", "may"),
    [
        (2, 9.0, Status.SENDING, "", True),
        (2, 9.0, Status.UNCONFIRMED, "answer_lost", True),
        (2, 9.0, Status.UNCONFIRMED, "read_timeout", False),  # its own answer, and not the lack of one
        (2, 9.0, Status.DELIVERED, "answer_lost", False),
        (2, 9.0, Status.FAILED, "answer_lost", False),
        (2, 8.0, Status.SENDING, "", False),
        (1, 9.0, Status.SENDING, "", True),
        (1, 9.0, Status.UNCONFIRMED, "answer_lost", False),  # another followed
        (3, 9.0, Status.SENDING, "", False),
    ],
)
def test_only_a_claim_of_which_nobody_knows_anything_is_withdrawn(
    number: int, lease: float, status: Status, why: str, may: bool
) -> None:
    attempts = tuple(
        Attempt(n, "email", "mail", "h", "j", status, 9.0, why=why) if n == number
        else Attempt(n, "email", "mail", "h", "j", Status.FAILED, 7.0)
        for n in (1, 2)
    )  # fmt: skip
    assert is_withdrawable(a_notice(attempts=attempts), number, lease) is may


def tried(world: World, name: str, *script: Behaviour) -> None:
    """Have a provider tried three times each, with these answers first."""
    inner = world.providers[name]
    inner.script(*script)
    world.providers[name] = ThreeTries(inner, lambda seconds: None)  # type: ignore[assignment]


@pytest.mark.parametrize("channel", ["email", "sms"])
@pytest.mark.parametrize("bulk", [False, True])
@pytest.mark.parametrize("script", [(LOST, LATER, LATER), (LATER, LOST, NO), (LOST, NO), (LOST, LOST, LATER)])
def test_a_message_that_was_taken_is_not_sent_again(
    channel: str, bulk: bool, script: Sequence[Behaviour]
) -> None:
    world = World(bulk=bulk, deduplicates=True)
    inner = world.mail if channel == "email" else world.text
    tried(world, "mail" if channel == "email" else "text", *script)
    world.drop(
        "run-1", *(a_document(n, **({} if channel == "email" else {"email": None})) for n in (1, 2, 3))
    )
    world.come_to_rest()

    assert max(Counter(d.notice_id for d in inner.delivered).values()) == 1
    assert sum(world.outcomes("run-1").values()) == 3
    for delivered in inner.delivered:
        notice = world.ledger.notices[delivered.notice_id]
        assert notice.status in (Status.SENT, Status.UNCONFIRMED)


# --- the workers of one claim -----------------------------------------------------------------------


def slow_worker(
    world: World, answer: Answer, other: Callable[[Callable[[], None]], None], seconds: float = 120
) -> None:
    """A worker whose first hand-over takes longer than its lease, and ends with `answer`; meanwhile the same
    job is delivered to another."""
    while not world.queues["email"].ready():
        world.step()
    message = world.queues["email"].ready()[0]
    body, post, first = message.json(), world.mail._post, [True]

    def again() -> None:
        world.breakers.clear()  # another worker, with memories of its own
        with suppress(InProgress):
            world._send(body, lambda: 60.0)

    def slow(request: SentRequest) -> Answer:
        if not first[0]:
            return post(request)
        first[0] = False
        world.clock.advance(seconds=seconds)
        other(again)
        return answer

    world.mail._post = slow  # type: ignore[method-assign]
    world.deliver("email", message)


@pytest.mark.parametrize("bulk", [False, True])
@pytest.mark.parametrize("number", [1, 3])
def test_a_late_deferral_does_not_withdraw_what_was_submitted_again(bulk: bool, number: int) -> None:
    world = World(bulk=bulk, deduplicates=True)
    world.drop("run-1", *(a_document(n) for n in range(1, number + 1)))
    slow_worker(world, LATER, lambda again: again())
    world.come_to_rest()

    assert Counter(d.notice_id for d in world.outbox) == dict.fromkeys(world.ledger.notices, 1)
    assert world.outcomes("run-1") == {"notified": number}
    world.check()


def test_a_deferral_waits_for_whoever_submitted_it_again() -> None:
    """The other worker dies before it records: its message, which is this one's too, must come back."""
    world = World(deduplicates=True)
    world.drop("run-1", a_document(1))

    def dies(again: Callable[[], None]) -> None:
        put, posted = world.ledger.put, len(world.mail.posted)

        def dying(notices: Sequence[Notice]) -> dict[str, Notice]:
            if len(world.mail.posted) > posted:
                raise ConnectionError
            return put(notices)

        world.ledger.put = dying  # type: ignore[method-assign]
        with pytest.raises(ConnectionError):
            again()
        world.ledger.put = put  # type: ignore[method-assign]

    slow_worker(world, LATER, dies)
    assert world.queues["email"].messages, "nobody else would come back to it"
    world.come_to_rest()
    assert len(world.outbox) == 1
    assert world.outcomes("run-1") == {"notified": 1}


def test_a_slow_worker_that_was_put_off_is_not_left_in_doubt() -> None:
    """Its message was taken for abandoned; it alone ever handed it over, and the provider refused for now."""
    world = World(a_rule(channels=("email",)))
    world.drop("run-1", a_document(1), a_document(2), a_document(3))
    slow_worker(world, LATER, lambda again: again())
    world.come_to_rest()

    assert world.told() == ["c0001@example.com", "c0002@example.com", "c0003@example.com"]
    assert world.outcomes("run-1").get("unconfirmed", 0) <= 2, "those that it had not come to"
    assert world.notice("D0001").status == Status.SENT


def test_a_slow_workers_refusal_counts() -> None:
    world = World()
    world.drop("run-1", a_document(1))
    slow_worker(world, NO, lambda again: again())
    world.come_to_rest()

    assert world.told("sms") == ["+12025550101"]
    assert world.outcomes("run-1") == {"notified": 1}


@pytest.mark.parametrize("bulk", [False, True])
@pytest.mark.parametrize(("hours", "sent"), [(48, 1), (72, 2)])
def test_what_the_provider_forgot_is_not_handed_over_again(bulk: bool, hours: int, sent: int) -> None:
    """It de-duplicates for three days at least; then the same message would be a new one."""
    world, rehearsal = (World(a_rule(deadline_hours=500), bulk=bulk, deduplicates=True) for _ in range(2))
    for one in (rehearsal, world):
        one.drop("run-1", a_document(1), a_document(2))
    rehearsal.come_to_rest()
    world.wire.kill_at(rehearsal.wire.log.index("provider.send") + 1, "after")
    while not world.kills:
        world.step()
    before = len(world.outbox)
    world.clock.advance(hours=hours)
    if sent == 2:
        world.mail._jobs.clear()
    world.come_to_rest()

    told = Counter(d.ref for d in world.outbox)
    assert before
    assert max(told.values()) == 1
    assert ("unconfirmed" in world.outcomes("run-1")) == (sent == 2)


@pytest.mark.parametrize(("hours", "knows"), [(0, True), (65, True), (66, False), (None, False)])
def test_a_provider_that_de_duplicates_knows_a_message_for_a_time(hours: int | None, knows: bool) -> None:
    attempt = Attempt(1, "email", "mail", "h", "j", Status.SENDING)
    now = datetime(2026, 11, 20, 15, tzinfo=UTC)
    at = (now - timedelta(hours=hours or 0)).isoformat()
    events = () if hours is None else (Event(at, "claimed", "1 email", ""),)
    assert is_remembered(a_notice(attempts=(attempt,), events=events), attempt, now) is knows
