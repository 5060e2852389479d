"""What holds whatever happens: never twice, never backwards, always balanced, nothing lost.

Hypothesis makes up runs that share documents and customers, and a history: in which order messages
come and which twice, when contacts change, providers fail, answers get lost, workers die or meet in
the middle of a call, operators hold and cancel. Then all queues run dry, and the books are checked.
"""

from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from exstream_notify.domain.contacts import Consent
from exstream_notify.domain.documents import Document, DocumentRule
from exstream_notify.domain.messages import GiveUp, TryAgain, Unconfirmed
from exstream_notify.domain.notices import Outcome
from exstream_notify.domain.runs import Control, RunState
from exstream_notify.use_cases.control_run import RunEnded
from tests.fakes import Behaviour, LostAnswer, a_document, a_rule, an_address
from tests.use_cases.world import DOMAIN, Disorder, World

RULES: tuple[DocumentRule, ...] = (
    a_rule(),
    a_rule(name="both", topic="both", wording="both", both_channels=True),
    a_rule(
        name="policy",
        message_class="regulated",
        topic="contracts",
        wording="policy",
        teams=("underwriting", "unheard-of"),
        team_copy="each",
        paper_on_failure=True,
    ),
    a_rule(name="opening", topic="contracts", wording="opening", teams=("onboarding",), team_copy="digest"),
    a_rule(name="text-first", topic="overdue", wording="overdue", channels=("sms", "email"), urgent=True),
)
TEAMS = {"underwriting": "underwriting@example.com", "onboarding": "onboarding@example.com"}


@dataclass
class Step:
    """One thing that happens; `what` is a method of `History`."""

    what: str
    args: dict[str, Any] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"{self.what}({', '.join(f'{k}={v!r}' for k, v in self.args.items())})"


RUN_IDS = ("r1", "r2", "r3")
CUSTOMERS = 4


@st.composite
def documents(draw: st.DrawFn) -> list[Document]:
    """A handful of documents of a few customers; the later may supersede earlier ones."""
    found: list[Document] = []
    for number in range(1, draw(st.integers(2, 6)) + 1):
        changes: dict[str, Any] = {
            "document_id": f"D{number:04d}",
            "document_type": draw(st.sampled_from([rule.name for rule in RULES])),
            "delivery_channel": draw(st.sampled_from([None, None, "email", "sms", "paper"])),
            "test_flag": draw(st.sampled_from([False] * 9 + [True])),
        }
        if draw(st.sampled_from([False, False, False, True])):
            changes[draw(st.sampled_from(["email", "mobile"]))] = None
        if found and draw(st.sampled_from([False, False, False, True])):
            changes["supersedes"] = draw(st.sampled_from(found)).document_id
        found.append(a_document(draw(st.integers(1, CUSTOMERS)), **changes))
    # Superseding is between documents of one customer.
    keys = {d.document_id: d.customer_key for d in found}
    return [
        d if not d.supersedes or keys[d.supersedes] == d.customer_key else replace(d, supersedes=None)
        for d in found
    ]


def steps(*, doubts: bool) -> st.SearchStrategy[Step]:
    """Things that may happen; with `doubts` also those after which nobody knows what was sent."""
    customers = st.integers(1, CUSTOMERS)
    runs = st.sampled_from(RUN_IDS)
    kinds = [
        st.builds(lambda run: Step("drop", {"run": run}), runs),
        st.builds(lambda run: Step("drop", {"run": run}), runs),
        st.builds(lambda count: Step("deliver", {"count": count}), st.integers(1, 12)),
        st.builds(lambda count: Step("deliver", {"count": count}), st.integers(1, 12)),
        st.builds(lambda hours: Step("wait", {"hours": hours}), st.sampled_from([0.1, 0.5, 2, 9, 24])),
        st.builds(
            lambda number, change: Step("contact", {"number": number, "change": change}),
            customers,
            st.sampled_from(sorted(CHANGES)),
        ),
        st.builds(
            lambda run, control: Step("control", {"run": run, "control": control}),
            runs,
            st.sampled_from(list(Control)),
        ),
        st.builds(
            lambda channel, answers: Step("answers", {"provider": channel, "answers": answers}),
            st.sampled_from(["mail", "text"]),
            st.lists(
                st.sampled_from(["try again", "give up", "refused"] + ["lost", "no answer"] * doubts),
                min_size=1,
                max_size=6,
            ),
        ),
        st.builds(
            lambda providers, answer: Step("spell", {"providers": providers, "answer": answer}),
            st.sampled_from([["mail"], ["text"], ["mail", "text"]]),
            st.sampled_from(["try again", "give up", "refused", None] + ["no answer"] * doubts),
        ),
        st.builds(lambda call: Step("meet", {"call": call}), st.integers(1, 30)),
    ]
    if doubts:
        kinds.append(
            st.builds(
                lambda call, when: Step("kill", {"call": call, "when": when}),
                st.integers(1, 40),
                st.sampled_from(["before", "after"]),
            )
        )
    return st.one_of(kinds)


WITHDRAWN = Consent(False, "all", "1", "2026-11-20T00:00:00+00:00", "customer")
CHANGES: dict[str, dict[str, Any]] = {
    "sms first": {"channel_order": ("sms", "email")},
    "email first": {"channel_order": ("email", "sms")},
    "opted out of sms": {"opt_outs": {"*": ("sms",)}},
    "opted out of all": {"opt_outs": {"*": ("email", "sms")}},
    "opted in": {"opt_outs": {}},
    "paper": {"paper_required": True},
    "no paper": {"paper_required": False},
    "consent withdrawn": {"consent": WITHDRAWN},
    "new address": {"email": an_address("new@example.com"), "set_by_customer": ("email",)},
    "mail bounces": {"email": an_address("bounced@example.com", status="invalid")},
    "far away": {"time_zone": "Pacific/Auckland", "set_by_customer": ("time_zone",)},
}
ANSWERS: dict[str, Behaviour] = {
    "try again": TryAgain("throttled"),
    "give up": GiveUp("bad_request", "content"),
    "refused": GiveUp("address", "recipient"),
    "lost": LostAnswer(),
    "no answer": Unconfirmed("connection_reset"),
}


class History:
    """Plays steps on a world, then lets everything come to its end."""

    def __init__(self, world: World, runs: dict[str, list[Document]]) -> None:
        self.world = world
        self.runs = runs
        self.dropped: set[str] = set()

    def play(self, history: list[Step]) -> None:
        """All steps in turn."""
        for step in history:
            getattr(self, step.what)(**step.args)

    def finish(self) -> None:
        """Providers work again, holds are released, all waiting is over."""
        world = self.world
        for provider in world.providers.values():
            provider.always(None)
        # What a hold keeps back is looked at again each day, for ever: so released before the end.
        for _ in range(2):
            world.wait_until(world.clock.now() + timedelta(hours=30))
            for run in sorted(self.dropped):
                if world.runs.get(DOMAIN, run) and world.run(run).control == Control.HOLD:
                    world.control(run, Control.GO)
        world.come_to_rest()

    def drop(self, run: str) -> None:
        """Dropped for the first time, or the same seal again."""
        if run in self.dropped:
            self.world.landed(run, "seal")
        else:
            self.dropped.add(run)
            self.world.drop(run, *self.runs[run])

    def deliver(self, count: int) -> None:
        """Some messages are dealt with."""
        for _ in range(count):
            self.world.step()

    def wait(self, hours: float) -> None:
        """Time goes by; the sweep runs once."""
        self.world.clock.advance(hours=hours)
        self.world.release()

    def contact(self, number: int, change: str) -> None:
        """A contact changes, if it is known already."""
        if (DOMAIN, f"C{number:04d}") in self.world.contacts.stored:
            self.world.change_contact(number, **CHANGES[change])

    def control(self, run: str, control: Control) -> None:
        """An operator steps in, if there is a run."""
        if self.world.runs.get(DOMAIN, run) is not None:
            try:
                self.world.control(run, control)
            except RunEnded:
                assert self.world.run(run).control == Control.CANCEL

    def answers(self, provider: str, answers: list[str]) -> None:
        """What the provider will say next."""
        self.world.providers[provider].script(*(ANSWERS[answer] for answer in answers))

    def spell(self, providers: list[str], answer: str | None) -> None:
        """Providers answer nothing else for a while."""
        for name in providers:
            self.world.providers[name].always(ANSWERS[answer] if answer else None)

    def kill(self, call: int, when: Any) -> None:
        """A worker dies soon."""
        self.world.wire.kill_at(self.world.wire.number + call, when)

    def meet(self, call: int) -> None:
        """Another worker deals with some message while one is in the middle of its own."""
        self.world.wire.interrupt_at(self.world.wire.number + call, self.world.step)


@st.composite
def histories(draw: st.DrawFn, *, doubts: bool) -> tuple[dict[str, list[Document]], list[Step], int]:
    """Runs over the same documents, what happens, and a seed for the disorder."""
    pool = draw(documents())
    runs = {run: draw(st.lists(st.sampled_from(pool), min_size=1, max_size=6)) for run in RUN_IDS}
    history = draw(st.lists(steps(doubts=doubts), min_size=3, max_size=25))
    return runs, [Step("drop", {"run": "r1"}), *history], draw(st.integers(0, 2**16))


def balanced(world: World, runs: dict[str, list[Document]], dropped: set[str]) -> None:
    """Every run adds up, record by record, and nothing is in flight."""
    for run in sorted(dropped):
        if world.run(run).state != RunState.DISPATCHED:
            # Cancelled before its first record was handed on.
            assert world.run(run).control == Control.CANCEL
            continue
        counts = world.outcomes(run)
        assert sum(counts.values()) == len(runs[run])
        assert Outcome.DEFERRED not in counts


def one_notice_each(world: World) -> None:
    """One notice per customer, document, type, purpose and audience."""
    test = {d.document_id for rows in world.records.slices.values() for _, d in rows if d.test_flag}
    notices = Counter(
        (n.customer_key, n.document_id, n.document_type, n.purpose, n.audience)
        for n in world.ledger.notices.values()
        if n.document_id not in test
    )
    assert not [key for key, count in notices.items() if count > 1]


@settings(max_examples=100)
@given(histories(doubts=False))
def test_never_twice_never_backwards_always_balanced(
    story: tuple[dict[str, list[Document]], list[Step], int],
) -> None:
    runs, steps_taken, seed = story
    world = World(*RULES, teams=TEAMS, slice_records=2, disorder=Disorder(seed))
    history = History(world, runs)
    history.play(steps_taken)
    history.finish()

    world.check()
    balanced(world, runs, history.dropped)
    one_notice_each(world)
    both = {n.notice_id for n in world.ledger.notices.values() if n.document_type == "both"}
    for notice_id, count in Counter(d.notice_id for d in world.outbox).items():
        assert count <= (2 if notice_id in both else 1), f"{notice_id} was told {count} times"
    channels = Counter((d.notice_id, d.channel) for d in world.outbox)
    assert max(channels.values(), default=0) <= 1


@settings(max_examples=100)
@given(histories(doubts=True), st.booleans(), st.booleans())
def test_killed_workers_and_lost_answers_leave_no_attempt_sent_twice_and_none_unknown(
    story: tuple[dict[str, list[Document]], list[Step], int], bulk: bool, deduplicates: bool
) -> None:
    runs, steps_taken, seed = story
    world = World(
        *RULES, teams=TEAMS, slice_records=2, disorder=Disorder(seed), bulk=bulk, deduplicates=deduplicates
    )
    history = History(world, runs)
    history.play(steps_taken)
    history.finish()

    world.check()
    balanced(world, runs, history.dropped)
    one_notice_each(world)
    # With `alert` nothing follows a doubt, so no channel ever tells twice, and a second channel
    # tells only where both are wanted.
    channels = Counter((d.notice_id, d.channel) for d in world.outbox)
    assert max(channels.values(), default=0) <= 1


def test_a_story_takes_many_paths() -> None:
    """The strategies above reach what they are for: otherwise the properties say little."""
    seen: Counter[str] = Counter()

    @settings(max_examples=120, database=None)
    @given(histories(doubts=True))
    def look(story: tuple[dict[str, list[Document]], list[Step], int]) -> None:
        runs, steps_taken, seed = story
        world = World(*RULES, teams=TEAMS, slice_records=2, disorder=Disorder(seed))
        history = History(world, runs)
        history.play(steps_taken)
        history.finish()
        for run in history.dropped:
            if world.run(run).state == RunState.DISPATCHED:
                seen.update(world.reconciled(run).outcomes)
        seen["kills"] += world.kills
        seen["attempts"] += sum(len(n.attempts) > 1 for n in world.ledger.notices.values())

    look()
    reached = {name for name, count in seen.items() if count}
    wanted = {"notified", "suppressed", "paper", "duplicate", "failed", "unconfirmed", "kills", "attempts"}
    assert reached >= wanted
