"""The world outside, asked by the product's own adapters: what they conclude never denies what is true."""

import json
from collections.abc import Mapping

import pytest

from exstream_notify.domain.messages import (
    Accepted,
    BulkJob,
    BulkMember,
    Content,
    GiveUp,
    TryAgain,
    Unconfirmed,
)
from simulation.outside import KINDS, Settings
from simulation.outside.conduct import ADDRESS_REFUSED, CONDUCTS, Conduct
from tests.simulation.outside_world import START, World, message, wired  # noqa: F401 - a fixture

PROVIDERS: Mapping[str, str] = {"opentext": "http", "ses": "ses", "sms": "sms"}
MET = [
    pytest.param(provider, row, id=f"{provider}-{row.kind}")
    for provider, column in PROVIDERS.items()
    for row in CONDUCTS
    if getattr(row, column) is not None
]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_message_is_taken_on_as_it_was_sent(provider: str) -> None:
    world = World()
    asked = message(provider)
    answer = world.send(world.provider(provider), asked)
    [accepted] = world.outside.accepted
    assert isinstance(answer, Accepted)
    assert answer.provider_ref == accepted.job_id
    assert (accepted.number, accepted.at, accepted.provider) == (1, START, provider)
    assert (accepted.channel, accepted.to, accepted.ref) == (asked.channel, asked.to, asked.ref)
    assert (accepted.text, accepted.html) == (asked.content.text, asked.content.html)
    assert (accepted.notice_id, accepted.attempt) == (f"{1:032x}", 1)
    assert (accepted.answered, accepted.place) == ("ok", "call 1")
    assert accepted.links == ("https://documents.example.com/d/T",)


@pytest.mark.parametrize(("provider", "row"), MET)
def test_no_answer_makes_the_product_deny_what_is_true(provider: str, row: Conduct) -> None:
    world = World({row.kind: 1.0})
    answer = world.send(world.provider(provider), message(provider))
    at_once = len(world.outside.accepted)
    world.settle()
    taken = world.outside.accepted
    assert (at_once, len(taken)) == {"no": (0, 0), "yes": (1, 1), "late": (0, 1)}[row.accepts]
    if taken:
        assert isinstance(answer, (Accepted, Unconfirmed))
        assert taken[0].answered == row.kind
        assert taken[0].at == START or row.accepts == "late"
    else:
        assert isinstance(answer, (TryAgain, GiveUp, Unconfirmed))


def test_a_caller_waits_as_long_as_its_time_out_says() -> None:
    for kind, seconds in (("provider_hangs", 10.0), ("provider_unreachable", 3.0)):
        for provider in PROVIDERS:
            world = World({kind: 1.0})
            world.send(world.provider(provider), message(provider))
            assert world.passed == seconds


def test_an_address_that_is_refused_is_refused_every_time() -> None:
    for provider in PROVIDERS:
        world = World({ADDRESS_REFUSED: 0.5})
        client = world.provider(provider)
        first = [isinstance(world.send(client, message(provider, n)), GiveUp) for n in range(1, 30)]
        again = [isinstance(world.send(client, message(provider, n, 2)), GiveUp) for n in range(1, 30)]
        assert first == again
        assert 5 < sum(first) < 25


def test_a_repeated_message_id_is_known_until_it_is_forgotten() -> None:
    world = World(settings=Settings(deduplicates=True))
    client = world.provider("opentext", deduplicates=True)
    first, second = (world.send(client, message("opentext")) for _ in range(2))
    assert first == second
    assert len(world.outside.accepted) == 1
    world.settle()
    assert 3 * 86_400 <= world.nature.timeline.now - START <= 7 * 86_400
    third = world.send(client, message("opentext"))
    assert third != first
    assert len(world.outside.accepted) == 2


def test_without_de_duplication_a_repeat_is_a_second_message() -> None:
    world = World()
    client = world.provider("opentext", deduplicates=True)
    answers = {world.send(client, message("opentext")) for _ in range(2)}
    assert (len(answers), len(world.outside.accepted)) == (2, 2)


def test_a_bulk_job_is_one_job_of_many_messages() -> None:
    world = World({ADDRESS_REFUSED: 0.3})
    client = world.provider("opentext")
    members = tuple(BulkMember(f"{n:032x}:1", f"c{n}@example.com", (f"Ann {n}",)) for n in range(1, 21))
    content = Content("Dear (i1)", subject="For (i1)")
    job = BulkJob("job-1", "email", "transactional", content, members)
    answer = next(iter(client.send([client.request_bulk(job)])))
    taken = world.outside.accepted
    assert 5 < len(taken) < 20
    assert {one.job_id for one in taken} == {answer.provider_ref}
    assert {(one.ref, one.to, one.text, one.subject, one.members) for one in taken} <= {
        (member.ref, member.to, f"Dear {member.inserts[0]}", f"For {member.inserts[0]}", 20)
        for member in members
    }
    world.nature.timeline.now += 10
    [status] = client.status("email", [answer.provider_ref])
    states = {delivery.ref: delivery.attempts[0].state for delivery in status.deliveries}
    assert set(states) == {member.ref for member in members}
    assert {ref for ref, state in states.items() if state == "Sent"} == {one.ref for one in taken}
    assert set(states.values()) == {"Sent", "Error"}


@pytest.mark.parametrize(("provider", "row"), MET)
def test_what_was_not_taken_on_is_written_down(provider: str, row: Conduct) -> None:
    world = World({row.kind: 1.0})
    answer = world.send(world.provider(provider), message(provider))
    assert {one.kind for one in world.outside.declined} == ({row.kind} if row.accepts == "no" else set())
    for number, declined in enumerate(world.outside.declined, start=1):
        assert (declined.provider, declined.ref, declined.place) == (
            provider,
            f"{1:032x}:1",
            f"call {number}",
        )
        assert declined.told == row.tells(PROVIDERS[provider])
        if not declined.told:
            assert isinstance(answer, Unconfirmed)


def test_a_token_that_ended_is_fetched_anew() -> None:
    world = World()
    client = world.provider("opentext", token_url="https://opentext.example.com/oauth2/token")
    assert isinstance(world.send(client, message("opentext")), Accepted)
    world.outside.opentext.accounts.expire()
    assert isinstance(world.send(client, message("opentext", 2)), Accepted)


def test_bad_weather_ends() -> None:
    world = World()
    client = world.provider("opentext")
    world.outside.weather.spell("opentext", "provider_away", 1.0, START + 60)
    assert isinstance(world.send(client, message("opentext")), TryAgain)
    world.nature.timeline.now = START + 60
    assert isinstance(world.send(client, message("opentext")), Accepted)
    with pytest.raises(ValueError, match="provider_rude"):
        world.outside.weather.spell("opentext", "provider_rude", 1.0, START)


def test_limits_of_the_accounts_are_kept() -> None:
    world = World(settings=Settings(ses_rate=2.0, sms_rate=2.0))
    for provider in ("ses", "sms"):
        client = world.provider(provider)
        answers = [world.send(client, message(provider, n)) for n in (1, 2, 3)]
        assert [type(answer) for answer in answers] == [Accepted, Accepted, TryAgain]
    world.nature.timeline.now += 1.0
    assert isinstance(world.send(world.provider("ses"), message("ses", 3)), Accepted)


def test_a_daily_quota_is_kept_for_a_day() -> None:
    world = World(settings=Settings(ses_daily=2))
    client = world.provider("ses")
    answers = [world.send(client, message("ses", n)) for n in (1, 2, 3)]
    assert [type(answer) for answer in answers] == [Accepted, Accepted, TryAgain]
    world.nature.timeline.now += 86_400
    assert isinstance(world.send(client, message("ses", 3)), Accepted)


def test_the_same_seed_gives_the_same_world() -> None:
    def history(seed: str) -> str:
        world = World(KINDS, seed=seed)
        clients = {name: world.provider(name) for name in PROVIDERS}
        for number in range(1, 60):
            for name, client in clients.items():
                world.send(client, message(name, number))
        world.settle()
        return json.dumps([[repr(one) for one in world.outside.accepted], world.ways.sent, world.ways.events])

    assert history("1") == history("1")
    assert history("1") != history("2")
