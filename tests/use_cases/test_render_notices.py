"""What cannot be rendered fails alone: its neighbours go out, and the incident says which words are at fault."""

from collections.abc import Callable
from typing import Any

import pytest

from exstream_notify.domain.messages import Content
from exstream_notify.domain.notices import Outcome, Status
from exstream_notify.ports import BulkRendering
from tests.fakes import FakeWording, a_document, a_rule
from tests.use_cases.world import World

SECRET = "Mrs Example, +12025550101"


class Unwritten(Exception):
    """As the project's own error of wording: its text names file and key, never a value."""

    impersonal = True


class BrokenWording(FakeWording):
    """Fails for documents, channels, languages and wordings that a test names."""

    def __init__(self) -> None:
        super().__init__()
        self.fails: Callable[[str, str, str], Exception | None] = lambda wording, channel, document: None
        self.no_version: set[str] = set()
        self.no_approvals = False
        self.no_bulk = False

    def render(self, wording: str, channel: Any, document: Any, **more: Any) -> Content:
        if error := self.fails(wording, channel, document.document_id):
            raise error
        return super().render(wording, channel, document, **more)

    def render_digest(self, team: str, run_id: str, counts: Any) -> Content:
        if error := self.fails("team-digest", "email", team):
            raise error
        return super().render_digest(team, run_id, counts)

    def render_bulk(
        self, wording: str, channel: Any, documents: Any, *rest: Any, **more: Any
    ) -> BulkRendering:
        for document in documents:
            if error := self.fails(wording, channel, document.document_id):
                raise error
        if self.no_bulk:
            raise ZeroDivisionError(SECRET)
        return super().render_bulk(wording, channel, documents, *rest, **more)

    def version(self, wording: str, channel: Any, language: str) -> str:
        if wording in self.no_version:
            raise Unwritten(f"{language}.yaml: types.{wording}: there are no such words")
        return super().version(wording, channel, language)

    def approval(self, wording: str, channel: Any, language: str) -> Any:
        if self.no_approvals:
            raise Unwritten("approvals.yaml: entry 1: who is empty")
        return super().approval(wording, channel, language)


def world(*rules: Any, fails: Any = None, **more: Any) -> tuple[World, BrokenWording]:
    here = World(*(rules or (a_rule(),)), **more)
    here.wording = wording = BrokenWording()
    if fails:
        wording.fails = fails
    return here, wording


def of(*documents: str, channel: str | None = None, error: Any = None) -> Any:
    def fails(wording: str, on: str, document: str) -> Exception | None:
        if document in documents and channel in (None, on):
            return error or KeyError(SECRET)
        return None

    return fails


def raised(here: World, code: str = "not_rendered") -> list[Any]:
    return [e for e in here.exceptions.raised if e.code == code]


@pytest.mark.parametrize("bulk", [False, True])
@pytest.mark.parametrize("broken", [("D0002",), ("D0001", "D0005"), tuple(f"D{n:04d}" for n in range(1, 6))])
def test_one_record_fails_and_its_neighbours_go_out(bulk: bool, broken: tuple[str, ...]) -> None:
    here, _ = world(a_rule(channels=("email",)), fails=of(*broken), bulk=bulk)
    here.drop("run-1", *(a_document(n) for n in range(1, 6)))
    here.come_to_rest()

    there = {k: n for k, n in (("notified", 5 - len(broken)), ("failed", len(broken))) if n}
    assert here.outcomes("run-1") == there
    assert here.reasons("run-1", "failed") == {"not_rendered": len(broken)}
    assert len(here.outbox) == 5 - len(broken)
    for name in broken:
        notice = here.notice(name)
        (attempt,) = notice.attempts
        assert (attempt.status, attempt.lease, attempt.ref, attempt.evidence) == (Status.FAILED, 0.0, "", "")
        assert "claimed" not in [event.what for event in notice.events]
    here.check()


def test_the_incident_names_file_type_channel_language_and_place_and_nothing_of_the_record() -> None:
    here, _ = world(a_rule(channels=("email",)), fails=of("D0002", "D0003"))
    here.drop("run-1", *(a_document(n, language="fr") for n in (1, 2, 3)))
    here.come_to_rest()

    (told,) = raised(here)
    assert told.count == 2
    assert told.document_type == "statement"
    for part in (
        "wording/fr.yaml",
        "type statement",
        "by email",
        "in fr",
        "KeyError at test_render_notices.py:",
    ):
        assert part in told.text
    assert SECRET not in repr(here.exceptions.raised)
    assert "C000" not in told.text


def test_words_that_nobody_wrote_are_named_as_the_error_says() -> None:
    here, wording = world(a_rule(), a_rule(name="tax-form", wording="tax-form"))
    wording.no_version = {"tax-form"}
    here.drop("run-1", a_document(1, document_type="tax-form", customer_in_run=9), a_document(2))
    here.come_to_rest()

    assert here.outcomes("run-1") == {"notified": 1, "failed": 1}
    assert [m.to for m in here.outbox] == ["c0002@example.com"]
    by_channel = sorted(e.text for e in raised(here))
    assert [("by email" in text, "by sms" in text) for text in by_channel] == [(True, False), (False, True)]
    assert by_channel[0].startswith(
        "wording/en.yaml: type tax-form: 'tax-form' by email in en cannot be rendered"
    )
    assert by_channel[0].endswith(": types.tax-form: there are no such words")
    (unreached,) = raised(here, "unreached")
    assert unreached.customers_in_run == (9,)


@pytest.mark.parametrize(
    ("rule", "outcomes", "told"),
    [
        ({}, {"notified": 1}, ["+12025550101"]),
        ({"channels": ("email",), "paper_on_failure": True}, {"paper": 1}, []),
        ({"channels": ("email",)}, {"failed": 1}, []),
        ({"both_channels": True}, {"notified": 1}, ["+12025550101"]),
    ],
)
def test_another_channel_or_paper_follows_as_after_any_failure(
    rule: dict[str, Any], outcomes: dict[str, int], told: list[str]
) -> None:
    here, _ = world(a_rule(**rule), fails=of("D0001", channel="email"))
    here.drop("run-1", a_document(1))
    here.come_to_rest()

    assert here.outcomes("run-1") == outcomes
    assert here.told() == told
    here.check()


def test_a_second_channel_without_words_leaves_what_was_sent_as_it_is() -> None:
    here, _ = world(a_rule(both_channels=True), fails=of("D0001", channel="sms"))
    here.drop("run-1", a_document(1))
    here.come_to_rest()

    assert here.outcomes("run-1") == {"notified": 1}
    assert here.notice("D0001").outcome == Outcome.NOTIFIED
    assert [a.status for a in here.notice("D0001").attempts] == [Status.SENT, Status.FAILED]
    assert "by sms" in raised(here)[0].text
    here.check()


def test_a_bulk_content_that_fails_as_a_whole_is_sent_one_by_one() -> None:
    here, wording = world(bulk=True)
    wording.no_bulk = True
    here.drop("run-1", *(a_document(n) for n in range(1, 4)))
    here.come_to_rest()

    assert here.outcomes("run-1") == {"notified": 3}
    assert not raised(here)


def test_the_rest_of_a_group_is_still_one_bulk_job() -> None:
    here, _ = world(a_rule(channels=("email",)), fails=of("D0002"), bulk=True)
    here.drop("run-1", *(a_document(n) for n in range(1, 5)))
    here.come_to_rest()

    assert len(here.outbox) == 3
    assert len({d.ref.partition(":")[0] for d in here.outbox}) == 3
    assert here.wire.calls["jobs.put"] == 1
    assert here.wire.calls["provider.send"] == 1


def test_a_team_copy_and_a_digest_that_cannot_be_rendered_leave_customers_and_other_teams_alone() -> None:
    each = a_rule(teams=("compliance",), team_copy="each")
    digest = a_rule(name="policy", wording="policy", teams=("audit", "claims"), team_copy="digest")
    teams = {"compliance": "c@example.com", "audit": "a@example.com", "claims": "l@example.com"}

    def fails(wording: str, channel: str, document: str) -> Exception | None:
        lost = (wording, document) in (("team-copy", "D0001"), ("team-digest", "audit"))
        return ValueError(SECRET) if lost else None

    here, _ = world(each, digest, fails=fails, teams=teams)
    here.drop("run-1", a_document(1), a_document(2), a_document(3, document_type="policy"))
    here.come_to_rest()

    assert here.outcomes("run-1") == {"notified": 3}
    assert sorted(here.told()) == sorted(
        [*(f"c{n:04d}@example.com" for n in (1, 2, 3)), "c@example.com", "l@example.com"]
    )
    texts = sorted(e.text for e in raised(here))
    assert ["to team audit" in texts[1], "to team compliance" in texts[0]] == [True, True]


def test_approvals_that_cannot_be_read_approve_nothing_and_stop_nothing() -> None:
    here, wording = world()
    wording.no_approvals = True
    here.drop("run-1", a_document(1))
    here.come_to_rest()
    assert here.outcomes("run-1") == {"notified": 1}

    here, wording = world()
    wording.no_approvals = here.approved_only = True
    here.drop("run-1", a_document(1))
    here.drain()
    assert here.outcomes("run-1") == {"deferred": 1}


def test_a_repeat_after_the_words_were_corrected_keeps_what_was_recorded() -> None:
    """The worker dies after the failure was written; meanwhile the site deploys the words."""
    rehearsal, _ = world(a_rule(channels=("email",)), fails=of("D0001"))
    rehearsal.drop("run-1", a_document(1), a_document(2))
    rehearsal.come_to_rest()
    at = rehearsal.wire.log.index("ledger.put", rehearsal.wire.log.index("runs.put_slice")) + 1

    here, wording = world(a_rule(channels=("email",)), fails=of("D0001"))
    here.drop("run-1", a_document(1), a_document(2))
    here.wire.kill_at(at, "after")
    while not here.kills:
        assert here.step()
    wording.fails = lambda *about: None
    here.come_to_rest()

    assert here.outcomes("run-1") == {"notified": 1, "failed": 1}
    assert here.told() == ["c0002@example.com"]
    here.check()


@pytest.mark.parametrize("bulk", [False, True])
def test_whatever_call_kills_the_worker_what_failed_is_never_sent_and_the_rest_is_sent_once(
    bulk: bool,
) -> None:
    def story() -> World:
        here, _ = world(a_rule(channels=("email",)), fails=of("D0002"), bulk=bulk)
        here.drop("run-1", *(a_document(n) for n in (1, 2, 3)))
        return here

    calls = story()
    calls.come_to_rest()
    for number in range(1, calls.wire.number + 1):
        for when in ("before", "after"):
            here = story()
            here.wire.kill_at(number, when)  # type: ignore[arg-type]
            here.come_to_rest()
            here.check()
            found = here.outcomes("run-1")
            assert found.pop("failed") == 1, here.wire.killed_at
            assert set(found) <= {"notified", "unconfirmed"}, here.wire.killed_at
            assert sum(found.values()) == 2
            assert "c0002@example.com" not in here.told()
            assert raised(here), here.wire.killed_at
