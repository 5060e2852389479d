"""Lines of channels: each until one takes the alert, and what is kept of it."""

from typing import Any

import pytest

from exstream_notify.domain.alert_words import make_alert
from exstream_notify.domain.channels import team_mark
from exstream_notify.domain.incident_states import acknowledged
from exstream_notify.domain.incidents import What, added_up
from exstream_notify.domain.pager import page_key, paged
from exstream_notify.ports import ChannelAnswer
from exstream_notify.use_cases.tell_team import TOOK, Reached, tell_team, told_pages
from tests.domain.test_incidents import HEAD, NOW, RULE, report

TEAM = "operations"
PAGE = page_key(TEAM, "0a1b2c3d")


def told(chains: tuple[tuple[str, ...], ...], **answers: ChannelAnswer) -> tuple[Reached, list[str]]:
    """What became of an alert where these channels answer so, and the channels that were asked."""
    asked: list[str] = []

    class Channels:
        """`AlertChannels` of these answers."""

        def tell(self, channel: str, team: str, alert: Any) -> ChannelAnswer:
            """See `AlertChannels.tell`."""
            assert team == TEAM
            asked.append(channel)
            return answers[channel]

    alert = make_alert(added_up(HEAD, [report()]), What.OPENED, RULE, TEAM, "")
    channels: Any = Channels()
    return tell_team(alert, chains, channels), asked


SENT, DEAD, ABSENT = ChannelAnswer("sent"), ChannelAnswer("dead", "HTTP 404"), ChannelAnswer("absent")


@pytest.mark.parametrize(
    ("chains", "said", "asked"),
    [
        ((("slack", "email"),), "slack sent", ["slack"]),
        ((("sms", "email"),), "sms dead (HTTP 404), email sent", ["sms", "email"]),
        ((("teams", "email"),), "email sent", ["teams", "email"]),
        (
            (("sms", "email"), ("email",), ("slack",)),
            "sms dead (HTTP 404), email sent, slack sent",
            ["sms", "email", "slack"],
        ),
        (
            (("sms", "email"), ("sms", "slack")),
            "sms dead (HTTP 404), email sent, slack sent",
            ["sms", "email", "slack"],
        ),
    ],
)
def test_each_line_goes_on_until_a_channel_takes_it_and_each_is_asked_once(
    chains: tuple[tuple[str, ...], ...], said: str, asked: list[str]
) -> None:
    reached, called = told(chains, slack=SENT, email=SENT, sms=DEAD, teams=ABSENT)
    assert (reached.said, reached.why, reached.sent) == (said, said, True)
    assert called == asked
    took = [channel for channel in asked if f"{channel} sent" in said]
    assert reached.took == tuple(f"1 {channel} {team_mark(TEAM)}" for channel in took)
    assert reached.pages == ()


def test_where_no_channel_takes_it_the_words_say_why() -> None:
    reached, _ = told((("sms", "teams"),), sms=DEAD, teams=ABSENT)
    assert reached == Reached("sms dead (HTTP 404)", sent=False, why="sms dead (HTTP 404)")
    for chains in ((("teams",),), ()):
        assert told(chains, teams=ABSENT)[0] == Reached("", sent=False, why="no channel is set up")


@pytest.mark.parametrize(("what", "said"), [(What.OPENED, "trigger"), (What.RESOLVED, "resolve")])
def test_a_page_and_the_latest_channels_are_kept_with_the_incident(what: What, said: str) -> None:
    reached, _ = told((("pagerduty",),), pagerduty=ChannelAnswer("sent", page=PAGE))
    assert reached.pages == (PAGE,)
    head = reached.kept(HEAD, what)
    assert [(entry["page"], entry["said"]) for entry in head.pages] == [(PAGE, said)]
    for _ in range(TOOK + 3):
        head = reached.kept(head, what)
    assert len(head.took) == TOOK == 40


@pytest.mark.parametrize(
    ("outcome", "again", "said"),
    [
        ("sent", False, "PagerDuty of operations: acknowledge"),
        ("absent", False, "PagerDuty of operations could not be told: acknowledge"),
        ("failed", True, ""),
        ("waits", True, ""),
    ],
)
def test_a_page_is_told_again_only_where_its_service_did_not_answer(
    outcome: Any, again: bool, said: str
) -> None:
    asked: list[tuple[str, ...]] = []

    class Channels:
        """`AlertChannels` with a pager."""

        def tell_page(self, page: str, action: str, incident_id: str) -> ChannelAnswer:
            """See `AlertChannels.tell_page`."""
            asked.append((page, action, incident_id))
            return ChannelAnswer(outcome)

    channels: Any = Channels()
    head = acknowledged(paged(HEAD, PAGE, "trigger"), NOW, "ann")
    noted_all, later = told_pages(head, channels, NOW)
    assert asked == [(PAGE, "acknowledge", HEAD.incident_id)]
    assert later is again
    after = noted_all(head)
    assert [entry["what"] for entry in after.history[len(head.history) :]] == ([said] if said else [])
    assert [entry["said"] for entry in after.pages] == ["trigger" if again else "acknowledge"]
    assert told_pages(after, channels, NOW)[1] is again
