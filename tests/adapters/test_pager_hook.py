"""PagerDuty's web hook: what is signed is read, and nothing else."""

import base64
import hashlib
import hmac
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream_notify.adapters.pager_hook import SECRET, PagerUnusable, event_of, raw_body, signed_for
from exstream_notify.domain.pager import dedup_key, page_key

KEY = "c" * 32
PAGE = page_key("it", "0a1b2c3d")


def a_body(kind: str = "incident.acknowledged", key: str = "", **changes: Any) -> bytes:
    """An event as PagerDuty's documentation shows it, with names of people in it."""
    data = {
        "id": "PGR0VU2",
        "type": "incident",
        "status": "acknowledged",
        "incident_key": key or dedup_key(KEY, PAGE),
        "title": "[SEVERE] EX000001S × 9",
        "assignees": [{"id": "PTUXL6G", "summary": "Dana Müller", "type": "user_reference"}],
        "resolve_reason": None,
        **changes.pop("data", {}),
    }
    event = {
        "id": "01DRF6BV78DEFGHIJK56789",
        "event_type": kind,
        "resource_type": "incident",
        "occurred_at": "2026-11-20T02:45:22.169Z",
        "agent": {"id": "PLH1HKV", "summary": "Dana Müller", "type": "user_reference"},
        "client": None,
        "data": data,
        **changes,
    }
    return json.dumps({"event": event}, ensure_ascii=False).encode()


def signature(body: bytes, *secrets: str) -> str:
    """The header, as PagerDuty makes it for each secret of a subscription."""
    return ",".join(f"v1={hmac.new(s.encode(), body, hashlib.sha256).hexdigest()}" for s in secrets)


@pytest.mark.parametrize(
    ("fields", "signed_with", "teams"),
    [
        ({SECRET: "one"}, ["one"], {""}),
        ({SECRET: "one"}, ["new", "one"], {""}),
        ({SECRET: "old one"}, ["one"], {""}),
        ({f"{SECRET}/it": "one", f"{SECRET}/claims": "two"}, ["two"], {"claims"}),
        ({SECRET: "one", f"{SECRET}/it": "one"}, ["one"], {"", "it"}),
        ({SECRET: "one"}, ["two"], set()),
        ({SECRET: ""}, [""], set()),
        ({SECRET: "   "}, ["   "], set()),
        ({}, ["one"], set()),
        ({"webhook_secret": "one", "pagerduty": "one"}, ["one"], set()),
    ],
)
def test_a_body_is_signed_with_one_of_the_secrets(
    fields: dict[str, str], signed_with: list[str], teams: set[str]
) -> None:
    body = a_body()
    assert signed_for(body, signature(body, *signed_with), fields) == teams


@pytest.mark.parametrize(
    "header",
    ["", "v1=", "v1=zz", "v0=" + "0" * 64, ",,,", "v1=é", "v1=" + "0" * 63, "v1=" + "0" * 5_000_000],
)
def test_what_is_no_signature_is_none(header: str) -> None:
    assert signed_for(a_body(), header, {SECRET: "one"}) == set()


def test_another_version_or_another_body_is_not_signed() -> None:
    body = a_body()
    assert signed_for(body, signature(body, "one").replace("v1=", "v2="), {SECRET: "one"}) == set()
    assert signed_for(body + b" ", signature(body, "one"), {SECRET: "one"}) == set()


def test_the_body_is_taken_as_it_was_posted() -> None:
    body = a_body()
    assert raw_body(body.decode(), encoded=False) == body
    assert raw_body(base64.b64encode(body).decode(), encoded=True) == body
    assert raw_body(None, encoded=False) == b""
    assert raw_body("%%%", encoded=True) == b""


def test_an_event_names_its_page_and_nobody() -> None:
    event = event_of(a_body(), frozenset({""}))
    assert event is not None
    assert (event.incident_id, event.page, event.team) == (KEY, PAGE, "it")
    assert (event.kind, event.at, event.who) == (
        "incident.acknowledged", "2026-11-20T02:45:22.169Z", "PLH1HKV"
    )  # fmt: skip
    assert "Müller" not in repr(event)


@pytest.mark.parametrize(
    "agent",
    [
        None,
        {},
        {"id": "PINT1", "type": "inbound_integration_reference"},
        {"id": "Dana M", "type": "user_reference"},
    ],
)
def test_of_another_agent_nothing_is_kept(agent: object) -> None:
    event = event_of(a_body(agent=agent), frozenset({""}))
    assert event is not None
    assert event.who == ""


def test_a_merge_is_no_resolution() -> None:
    reason = {"type": "merge_resolve_reason", "incident": {"id": "PQ1"}}
    event = event_of(a_body("incident.resolved", data={"resolve_reason": reason}), frozenset({""}))
    assert event is not None
    assert event.merged


@pytest.mark.parametrize(
    "body",
    [
        b'{"event":{"id":"1","event_type":"pagey.ping","resource_type":"pagey","occurred_at":'
        b'"2026-11-20T02:45:22.169Z","agent":null,"client":null,"data":{"message":"Hello","type":"ping"}}}',
        a_body("incident.triggered"),
        a_body("incident.annotated"),
        a_body("service.updated"),
        a_body(key="srv01/HTTP"),
        a_body(data={"incident_key": None}),
    ],
)
def test_what_is_not_about_a_page_of_ours_has_no_effect(body: bytes) -> None:
    assert event_of(body, frozenset({""})) is None


def test_a_secret_of_one_team_speaks_for_its_pages_alone() -> None:
    assert event_of(a_body(), frozenset({"claims"})) is None
    assert event_of(a_body(), frozenset({"claims", "it"})) is not None


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[]", b'{"event":1}', b'{"event":{}}', b"\xff", b"null",
     a_body(occurred_at="yesterday"), a_body(occurred_at=None), a_body(agent="PLH1HKV")],
)  # fmt: skip
def test_what_is_signed_and_no_event_is_an_error_of_ours(body: bytes) -> None:
    with pytest.raises(PagerUnusable):
        event_of(body, frozenset({""}))


@given(st.recursive(st.none() | st.booleans() | st.text(max_size=8) | st.integers(), lambda inner: st.dictionaries(
    st.sampled_from(["event", "event_type", "data", "agent", "occurred_at", "incident_key", "x"]), inner
) | st.lists(inner, max_size=3)))  # fmt: skip
def test_no_json_is_a_crash(document: object) -> None:
    with suppress(PagerUnusable):
        event_of(json.dumps(document).encode(), frozenset({""}))
