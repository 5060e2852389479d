"""The comparison of a plan with its run sees every difference, and excuses only providers."""

from typing import Any

import pytest

from tests.agreement import disagreements


def row(position: object, outcome: str, reason: str = "", **fields: Any) -> dict[str, Any]:
    named = {"customer_key": "C1", "document_id": "D1", "document_type": "statement", **fields}
    return {"position": position, "outcome": outcome, "reason": reason, **named}


@pytest.mark.parametrize(
    ("planned", "ran"),
    [
        (row(1, "notified"), row("1", "notified")),
        (
            row(1, "rejected", "email: bad", customer_key=None),
            row("1", "rejected", "email: bad", customer_key=""),
        ),
        (row(1, "notified"), row("1", "unconfirmed", "connection_lost")),
        (row(1, "notified"), row("1", "failed", "hard_bounce")),
        (row(1, "notified"), row("1", "deferred", "provider_down")),
    ],
)
def test_what_a_plan_can_know_agrees(planned: dict[str, Any], ran: dict[str, Any]) -> None:
    assert disagreements([planned], [ran]) == []


@pytest.mark.parametrize(
    ("planned", "ran", "words"),
    [
        ([row(1, "notified")], [row("1", "suppressed", "no_channel")], "outcome 'notified' planned"),
        ([row(1, "deferred", "quiet_hours")], [row("1", "deferred", "switched_off")], "reason 'quiet_hours'"),
        ([row(1, "suppressed", "x")], [row("1", "failed", "x")], "'failed' in the run"),
        ([row(1, "notified")], [row("1", "deferred", "quiet_hours")], "'deferred' in the run"),
        ([row(1, "notified")], [row("1", "notified", customer_key="C2")], "customer_key 'C1' planned"),
        ([row(1, "notified")], [row("1", "unconfirmed", document_id="D2")], "document_id 'D1' planned"),
        ([row(1, "notified")], [], "not in the run"),
        ([], [row("7", "notified")], "record 7: in the run, and not planned"),
        ([row(1, "notified"), row(1, "notified")], [row("1", "notified")], "planned twice"),
        ([row(1, "notified")], [row("1", "notified"), row("1", "rejected")], "ran twice"),
    ],
)
def test_every_other_difference_is_named(
    planned: list[dict[str, Any]], ran: list[dict[str, Any]], words: str
) -> None:
    found = disagreements(planned, ran)
    assert any(words in line for line in found), found
