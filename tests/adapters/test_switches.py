"""The kill switches in DynamoDB."""

from exstream_notify.adapters.dynamodb.switches import KEEP, DynamoSwitches
from tests.adapters.conftest import Tables


def test_a_switch_takes_effect_within_a_minute_and_keeps_who_and_why(tables: Tables) -> None:
    now = [0.0]
    worker = DynamoSwitches(tables.client, tables.runs, lambda: now[0])
    operator = DynamoSwitches(tables.client, tables.runs)
    assert not worker.off("retail", "email")
    assert operator.switch("email", off=True, who="ann", why="wrong sender", at="2026-11-25T15:00:00+00:00")
    assert not operator.switch("email", off=True, who="bob", why="again", at="2026-11-25T15:01:00+00:00")
    assert not worker.off("retail", "email"), "what was read holds for a while"
    now[0] += KEEP
    assert KEEP < 60
    assert worker.off("retail", "email")
    assert not worker.off("retail", "sms")
    assert operator.switch("retail", off=True, who="bob", why="wrong run", at="2026-11-25T15:02:00+00:00")
    now[0] += KEEP
    assert worker.off("retail", "sms")
    assert [(s.name, s.who, s.why) for s in operator.all()] == [
        ("email", "ann", "wrong sender"),
        ("retail", "bob", "wrong run"),
    ]
    assert operator.switch("email", off=False, who="ann", why="right again", at="2026-11-25T15:03:00+00:00")
    assert operator.switch("retail", off=False, who="ann", why="", at="2026-11-25T15:04:00+00:00")
    now[0] += KEEP
    assert not worker.off("retail", "email")
    assert [(c["name"], c["off"]) for c in operator.history()] == [
        ("email", True),
        ("retail", True),
        ("email", False),
        ("retail", False),
    ]
