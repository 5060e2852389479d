"""Chance has no state: what is drawn depends on the seed and on the name of what is drawn alone."""

from collections import Counter

from simulation.nature import Chance, Timeline

RATES = {"a": 0.2, "b": 0.1, "c": 0.0}


def drawn(chance: Chance) -> list[str | None]:
    return [chance.which(("a", "b", "c"), f"call {number}") for number in range(2000)]


def test_one_of_several_kinds_happens_by_its_share() -> None:
    counts = Counter(drawn(Chance("1", RATES)))
    assert 300 < counts["a"] < 500
    assert 130 < counts["b"] < 270
    assert counts["c"] == 0


def test_a_kind_that_is_taken_away_leaves_the_others_where_they_were() -> None:
    whole = Chance("1", RATES)
    first = drawn(whole)
    taken = next(name for name in whole.happened if name.startswith("a "))
    without = Chance("1", RATES, frozenset(whole.happened) - {taken})
    second = drawn(without)
    changed = [number for number, pair in enumerate(zip(first, second, strict=True)) if pair[0] != pair[1]]
    assert [f"a call {number}" for number in changed] == [taken]


def test_in_calm_nothing_happens_and_shares_can_be_others_for_a_while() -> None:
    chance = Chance("1", RATES)
    assert chance.which(("a", "c"), "x", {"c": 1.0}) == "c"
    assert chance.happened == ["c x"]
    chance.calm = True
    assert set(drawn(chance)) == {None}


def test_time_passes_at_once_only_where_nothing_happens_meanwhile() -> None:
    timeline = Timeline(0.0)
    assert not timeline.pass_by(1.0), "nobody said how far"
    timeline.until = 10.0
    assert timeline.pass_by(4.0)
    assert timeline.now == 4.0
    timeline.at(6.0, lambda: None)
    assert not timeline.pass_by(2.0), "what is due at that very moment comes first"
    assert timeline.pass_by(1.5)
    assert timeline.step()
    assert not timeline.pass_by(4.5)
    assert timeline.pass_by(4.0)
    assert timeline.now == 10.0


def test_a_kind_that_has_its_places_happens_nowhere_else() -> None:
    chance = Chance("1", {"a": 1.0, "b": 1.0}, places={"a": "send.*POST"})
    assert chance.which(("a", "b"), "send_notices:1 #2 POST https://example.com") == "a"
    assert chance.which(("a", "b"), "send_notices:1 #1 dynamodb.GetItem") == "b"
    assert not chance.happens("a", "decide_notices:1 #1 POST")
    assert chance.happens("b", "anywhere")
