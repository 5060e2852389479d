"""`exnotify journeys`: a whole journey is switched off and on."""

from types import SimpleNamespace
from typing import Any

import pytest

from tests.cli.shell import exnotify
from tests.fakes import a_document
from tests.scenarios.shipped import shipped
from tests.use_cases.world import World


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> World:
    world = shipped()
    world.drop("run-1", a_document(1, document_type="renewal-notice"))
    world.drain()
    book: Any = world.journeys
    book.all_cohorts = lambda: [(state, 1) for state in book.open.values()]
    app = SimpleNamespace(journeys=book, rules=world.rules, clock=world.clock)
    monkeypatch.setattr("exnotify.deployment.connect", lambda stack: SimpleNamespace(app=app, who="ann"))
    return world


def test_a_whole_journey_is_switched_off_and_on_and_the_list_tells(world: World) -> None:
    for what, off in (("stop", True), ("resume", False)):
        done = exnotify("journeys", what, "--journey", "renewal-reminder", "--why", "words")
        assert done.code == 0
        assert [row["off"] for row in exnotify("journeys", "--json").json] == [off]
    assert [(w["who"], w["what"], w["why"]) for w in world.journeys.switched("renewal-reminder")] == [
        ("ann", "stop", "words"),
        ("ann", "resume", "words"),
    ]


def test_a_journey_that_there_is_not_is_refused_with_those_that_there_are(world: World) -> None:
    refused = exnotify("journeys", "stop", "--journey", "renewals")
    assert refused.code == 1
    assert "no journey renewals: there is dunning," in refused.err
    assert world.journeys.switched("renewals") == []


@pytest.mark.parametrize(
    "more", [(), ("--customer", "C1", "--journey", "dunning"), ("--document", "D1", "--run", "r")]
)
def test_what_is_stopped_is_named_once(more: tuple[str, ...]) -> None:
    assert exnotify("journeys", "stop", *more).code == 2
