"""A worker killed at every call of what happens after a send: nothing that a write implies is lost with it.

Each story is told once undisturbed, then with a kill before and after every call of its last part. What drives
it comes again as on AWS: a message after its visibility time-out, a schedule at its next time, a customer who
presses the button again, or nobody at all, where only the due index is left. In the end everything is as it
is without a kill: whom it told, what the run says, and what every incident counts.
"""

from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Literal

import pytest

from exstream_notify.domain.messages import GiveUp
from exstream_notify.domain.receipts import Kind
from tests.fakes import Killed, LostAnswer, a_document, a_rule
from tests.use_cases.world import DOMAIN, World

When = Literal["before", "after"]
RULES = (
    a_rule(on_no_receipt="other_channel"),
    a_rule(
        name="policy",
        wording="policy",
        message_class="regulated",
        paper_on_failure=True,
        on_no_receipt="paper",
    ),
    a_rule(name="alerted", on_no_receipt="alert"),
    a_rule(name="single", channels=("email",)),
    a_rule(name="short", channels=("email",), deadline_hours=1),
    a_rule(name="copied", teams=("audit",), team_copy="each"),
)
TEAMS = {"audit": "audit@example.com"}
NO = GiveUp("no_such_address", "recipient")


@dataclass(frozen=True)
class Story:
    """How it begins, and what of it is killed; `again`: whether its driver comes again by itself."""

    begins: Callable[[World], None]
    goes_on: Callable[[World], None]
    again: bool = True
    bulk: bool = False
    rate: float = 1000.0


def sent(*rows: Any) -> Callable[[World], None]:
    def begins(world: World) -> None:
        world.drop("run-1", *rows)
        world.drain()

    return begins


def mixed(*kinds: str) -> tuple[Any, ...]:
    return tuple(
        a_document(n, document_type=kind, customer_in_run=n, case_id=f"K-{n}")
        for n, kind in enumerate(kinds, 1)
    )


FOUR = ("statement", "policy", "alerted", "single")


def silent(world: World) -> None:
    """No receipt comes: the quarter-hourly look."""
    sent(*mixed(*FOUR, "statement"))(world)
    world.clock.advance(hours=73)


def polls(world: World) -> None:
    world.poll()


def in_doubt(world: World) -> None:
    """Taken, and the answer lost, of each."""
    world.mail.script(*[LostAnswer()] * 4)
    sent(*mixed(*FOUR))(world)


def each_reported(kind: Kind, **more: Any) -> Callable[[World], None]:
    def reports(world: World) -> None:
        for delivered in list(world.outbox):
            if delivered.channel == "email":
                world.report(world.receipt(delivered, kind, **more))
        world.drain()

    return reports


def early(world: World) -> None:
    """A receipt came before its notice was known; the hourly look matches it."""
    sent(*mixed("statement", "single"))(world)
    for delivered in world.outbox:
        receipt = world.receipt(delivered, Kind.HARD_BOUNCE)
        world.early.keep([replace(receipt, hashes=(f"hash of email:{delivered.to}",))], world.clock.now())


def opens(world: World) -> None:
    world.portal = "https://portal.example.com/{document_id}"
    for notice in sorted(world.ledger.notices):
        world.open(notice)


def answers(world: World) -> None:
    for n in (1, 2):
        world.respond("responded", case_id=f"K-{n}")


def refused(world: World) -> None:
    """Queued messages to addresses that the provider refuses."""
    for n in range(1, 6):
        world.mail.refuse(f"c{n:04d}@example.com", NO)
    world.drop("run-1", *mixed(*FOUR, "single"))
    while not world.queues["email"].ready():
        world.step()


def too_late(world: World) -> None:
    """What is off stays off until its deadline."""
    world.off.add("email")
    sent(*mixed("short", "statement", "short", "short", "short"))(world)
    world.clock.advance(hours=1, minutes=30)


def releases(world: World) -> None:
    world.release()
    world.drain()


def drains(world: World) -> None:
    world.drain()


def nothing(world: World) -> None:
    """It begins with the drop."""


def unreachable(world: World) -> None:
    """Nobody can be told of some of it, and one address cannot be written to."""
    rows = mixed("statement", "policy", "single", "statement", "copied")
    nobody = [replace(row, email=None, mobile=None) for row in rows[:3]]
    world.drop("run-1", *nobody, replace(rows[3], email="no address", mobile=None), rows[4])
    world.drain()


def told_otherwise(world: World) -> None:
    """Another run has notified of the same documents, with other amounts."""
    rows = [
        replace(row, amount_due="10.00", currency="USD") for row in mixed("statement", "statement", "single")
    ]
    world.drop("run-0", *rows)
    world.drain()


def repeats(world: World) -> None:
    rows = [
        replace(row, amount_due="12.00", currency="USD") for row in mixed("statement", "statement", "single")
    ]
    world.drop("run-1", *rows)
    world.drain()


def refused_in_parts(world: World) -> None:
    """More than a worker has time for, all of it refused for its content."""
    rows = mixed(*["single"] * 8)
    for row in rows:
        world.mail.refuse(str(row.email), GiveUp("content_refused", "content"))
    world.drop("run-1", *rows)
    while not world.queues["email"].ready():
        world.step()


def lost(world: World) -> None:
    world.mail.script(*[LostAnswer()] * 3)
    world.drop("run-1", *mixed(*FOUR))
    while not world.queues["email"].ready():
        world.step()


def not_approved(world: World) -> None:
    world.approved_only = True
    world.drop("run-1", *mixed(*FOUR))
    while not world.queues["email"].ready():
        world.step()


def drains_and_approves(world: World) -> None:
    world.drain()
    world.approved_only = False


STORIES = {
    "nobody to tell": Story(nothing, unreachable),
    "duplicates that differ": Story(told_otherwise, repeats),
    "refused in parts": Story(refused_in_parts, drains, rate=0.2),
    "lost answers": Story(lost, drains),
    "lost answers in bulk": Story(lost, drains, bulk=True),
    "words that nobody approved": Story(not_approved, drains_and_approves),
    "no receipt": Story(silent, polls),
    "doubts resolved": Story(in_doubt, each_reported(Kind.DELIVERED)),
    "doubts bounced": Story(in_doubt, each_reported(Kind.HARD_BOUNCE)),
    "bounces": Story(sent(*mixed(*FOUR, "copied")), each_reported(Kind.HARD_BOUNCE)),
    "soft bounces": Story(sent(*mixed(*FOUR)), each_reported(Kind.SOFT_BOUNCE)),
    "complaints": Story(sent(*mixed(*FOUR)), each_reported(Kind.COMPLAINT)),
    "refused content": Story(sent(*mixed(*FOUR)), each_reported(Kind.CONTENT_REFUSED)),
    "early receipts": Story(early, polls),
    "links opened": Story(in_doubt, opens),
    "links opened, not again": Story(in_doubt, opens, again=False),
    "responses": Story(in_doubt, answers),
    "deadlines": Story(too_late, releases),
    "refusals": Story(refused, drains),
    "refusals in bulk": Story(refused, drains, bulk=True),
}


def told(story: Story, kill: tuple[int, When] | None = None) -> tuple[World, int]:
    """A story to its end; the number of calls of its last part."""
    world = World(*RULES, teams=TEAMS, bulk=story.bulk, rate=story.rate)
    story.begins(world)
    base = world.wire.number
    if kill is not None:
        world.wire.kill_at(base + kill[0], kill[1])
    died = False
    try:
        story.goes_on(world)
    except Killed:
        died = True
        world._bury_worker()
    calls = world.wire.number - base
    if died and story.again:
        world.clock.advance(minutes=15)
        with suppress(Killed):
            story.goes_on(world)
    world.come_to_rest(limit=200)
    return world, calls


def counted(world: World) -> Counter[str]:
    """What incidents count, of the codes that notices' events name."""
    counts: Counter[str] = Counter()
    for report in world.incidents.rows.values():
        counts[report.exception.code] += report.exception.count
    return Counter({code: counts[code] for code in expected_counts(world)})


def expected_counts(world: World) -> Counter[str]:
    """How often the ledger says that something happened which is reported."""
    events = (event for notice in world.ledger.notices.values() for event in notice.events)
    return Counter(event.report.partition(" ")[0] for event in events if event.report)


def said_of_run(world: World) -> Counter[str]:
    """What the run says of the records whose notices are its own."""
    said = Counter(world.outcomes("run-1"))
    del said["duplicate"]
    return said


def held_of_run(world: World) -> Counter[str]:
    """The same by the ledger."""
    notices = (n for n in world.ledger.notices.values() if n.origin.run == f"{DOMAIN}/run-1")
    return Counter(str(n.outcome) for n in notices if (n.audience, n.purpose) == ("customer", "notice"))


def comes_to(world: World) -> dict[str, object]:
    """All that is to be the same."""
    counts: Counter[str] = Counter()
    customers: dict[str, set[int]] = {}
    for report in world.incidents.rows.values():
        counts[report.exception.code] += report.exception.count
        customers.setdefault(report.exception.code, set()).update(report.exception.customers_in_run)
    return {
        "told": world.told(),
        "outcomes": world.outcomes("run-1"),
        "incidents": dict(counts),
        "customers": customers,
        "paper": sorted(n.document_id for n in world.ledger.notices.values() if n.status == "paper"),
        "due": world.due.next_due(),
        "evidence": {row["notice_id"] for rows in world.receipt_evidence.objects.values() for row in rows},
    }


@pytest.mark.parametrize("name", STORIES)
def test_whatever_call_kills_it_everything_follows(name: str) -> None:
    story = STORIES[name]
    whole, calls = told(story)
    whole.check()
    assert counted(whole) == expected_counts(whole)
    assert said_of_run(whole) == held_of_run(whole)
    expected = comes_to(whole)
    assert calls > 1
    wrong = []
    for number in range(1, calls + 1):
        for when in ("before", "after"):
            world, _ = told(story, (number, when))
            if not world.kills:
                continue
            world.check()
            assert counted(world) == expected_counts(world), world.wire.killed_at
            assert said_of_run(world) == held_of_run(world), world.wire.killed_at
            found = comes_to(world)
            if found != expected and not (_sent_in_doubt(world) and _is_worse_by_doubt(found, expected)):
                differs = {k: (v, expected[k]) for k, v in found.items() if v != expected[k]}
                wrong.append((world.wire.killed_at, differs))
    for row in wrong:
        print(row)
    assert not wrong, f"{len(wrong)} of {2 * calls} kills: {wrong[0]}"


def _sent_in_doubt(world: World) -> bool:
    """Killed between the claim and the record: what became of the message is not known, and that is said."""
    return (
        any(n.in_doubt for n in world.ledger.notices.values())
        and "send_unconfirmed" in world.exceptions.codes
    )


def _is_worse_by_doubt(found: dict[str, Any], expected: dict[str, Any]) -> bool:
    """Nothing is missing but what a doubt holds back: each record has an end, and nobody was told twice."""
    same = sum(found["outcomes"].values()) == sum(expected["outcomes"].values())
    return (
        same and "unconfirmed" in found["outcomes"] and max(Counter(found["told"]).values(), default=0) <= 1
    )


def test_a_failure_is_followed_though_its_message_is_gone() -> None:
    """A dead-letter queue that nobody redrives: the due index alone is left."""

    def dies(world: World) -> None:
        refused(world)
        (*_, message) = world.queues["email"].ready()
        try:
            assert not world.deliver("email", message)
        finally:
            world.queues["email"].messages.clear()

    world, rehearsal = World(*RULES, teams=TEAMS), World(*RULES, teams=TEAMS)
    refused(rehearsal)
    rehearsal.drain()
    posted = rehearsal.wire.log.index("provider.send")
    record = rehearsal.wire.log.index("ledger.put", posted)
    world.wire.kill_at(record + 1, "after")
    dies(world)
    assert world.kills == 1
    world.come_to_rest()
    lost = [n for n in world.ledger.notices.values() if any(e.what == "failed" for e in n.events)]
    assert lost
    for notice in lost:
        assert notice.status in ("sent", "paper") or notice.document_type == "single", notice.document_id
        assert not notice.due_at
