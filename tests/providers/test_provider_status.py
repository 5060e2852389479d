"""The status document of OpenText Notifications, in the forms in which it is found."""

import base64
import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exnotify.simulators import Simulators
from exstream_notify.adapters.providers.opentext import StatusUnavailable
from exstream_notify.adapters.providers.opentext_status import (
    STATES,
    Delivery,
    DeliveryAttempt,
    DeliveryEvent,
    JobStatus,
    StatusUnreadable,
    decode_status,
    state_name,
)


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


BY_NUMBER = {
    "job_id": "xsi2-44417320",
    "job_state": ["Complete", "Posted"],
    "entry_time": "2026-11-20T04:20:00Z",
    "customer_reference_base64": b64("run-1"),
    "deliveries": [
        {
            "ref_base64": b64("notice:1"),
            "email": "ann@example.com",
            "delivery_attempts": [{"state": 7, "gamma_code": 0, "first_attempt": "2026-11-20T04:20:03Z"}],
            "events": {
                "email_delivery_events": {
                    "dsn": [
                        {
                            "arrival_time": "2026-11-20T04:25:00Z",
                            "class": 5,
                            "subject": 1,
                            "detail": 1,
                            "message": "user unknown",
                            "tags": "",
                        }
                    ],
                    "html_open": [],
                    "opt_out": None,
                    "pull": [],
                }
            },
        }
    ],
}
BY_NAME = {
    "job_id": "xsi2-1",
    "job_state": ["Complete", "Posted"],
    "billing_code_base64": b64("Bücher"),
    "deliveries": [
        {
            "ref_base64": b64("notice:2"),
            "sms": "0012025550142",
            "delivery_attempts": [{"state": "Sent", "first_attempt": "2026-11-20T04:20:03Z"}],
            "events": {
                "sms_delivery_events": [{"event_time": "2026-11-20T04:26:00.000Z", "status": "Confirmed"}]
            },
        }
    ],
}


def test_states_by_number_with_a_bounce_after_sent() -> None:
    assert decode_status(json.dumps(BY_NUMBER)) == JobStatus(
        "xsi2-44417320",
        ("Complete", "Posted"),
        "2026-11-20T04:20:00Z",
        "run-1",
        "",
        (
            Delivery(
                "notice:1",
                "email",
                "ann@example.com",
                (DeliveryAttempt("Sent", 0, "2026-11-20T04:20:03Z"),),
                (DeliveryEvent("dsn", "2026-11-20T04:25:00Z", "5.1.1", "", "user unknown"),),
            ),
        ),
    )


def test_states_by_name_with_what_may_be_left_out() -> None:
    assert decode_status(BY_NAME) == JobStatus(
        "xsi2-1",
        ("Complete", "Posted"),
        "",
        "",
        "Bücher",
        (
            Delivery(
                "notice:2",
                "sms",
                "0012025550142",
                (DeliveryAttempt("Sent", None, "2026-11-20T04:20:03Z"),),
                (DeliveryEvent("sms", "2026-11-20T04:26:00.000Z", "", "Confirmed", ""),),
            ),
        ),
    )


@pytest.mark.parametrize(("number", "name"), STATES.items())
def test_each_state_however_it_comes(number: int, name: str) -> None:
    assert [state_name(form) for form in (number, str(number), name, name.upper())] == [name] * 4


def test_a_state_that_nobody_knows_is_kept() -> None:
    assert [state_name(form) for form in (9, "Parked", None, True)] == ["9", "Parked", "", "True"]


@pytest.mark.parametrize(
    ("document", "where"),
    [
        (b"", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"[]", "no job_id"),
        (b'{"job_id": 7}', "no job_id"),
        (b'{"job_id": "x", "deliveries": {}}', "deliveries is no list"),
        (b" " * 10_000_001, "larger than"),
    ],
)
def test_what_is_no_status_document_says_where(document: bytes, where: str) -> None:
    with pytest.raises(StatusUnreadable, match=where.replace("[", r"\[")):
        decode_status(document)


@pytest.mark.parametrize(
    ("row", "where"),
    [
        (7, "deliveries[1] is no object"),
        ({"ref_base64": "%%%"}, "deliveries[1]: ref_base64 is not base64 of UTF-8"),
    ],
)
def test_a_delivery_that_is_none_loses_only_itself(row: Any, where: str) -> None:
    found = decode_status({"job_id": "x", "deliveries": [{"ref": "a"}, row, {"ref": "b"}]})
    assert ([delivery.ref for delivery in found.deliveries], found.unreadable) == (["a", "b"], (where,))


NAMES = (
    *("job_id", "job_state", "deliveries", "ref_base64", "email", "sms", "delivery_attempts", "state"),
    *("gamma_code", "events", "sms_delivery_events", "email_delivery_events", "dsn", "class", "subject"),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=6),
    max_leaves=20,
)


@given(JSON)
def test_no_document_breaks_the_reader(document: Any) -> None:
    with suppress(StatusUnreadable):
        decode_status({"job_id": "x", **document} if isinstance(document, dict) else document)


def test_an_address_is_not_shown() -> None:
    assert "ann@example.com" not in repr(decode_status(BY_NUMBER))


def test_status_of_jobs_in_turn(
    opentext: Any, url: str, simulators: Simulators, mail: Any, send: Any
) -> None:
    provider = opentext(url)
    accepted = send(provider, mail())
    found = list(provider.status("email", [accepted.provider_ref, "gone/..?x=1&y"]))
    assert isinstance(found[0], JobStatus)
    assert found[0].job_id == accepted.provider_ref
    assert found[0].customer_reference == f"{1:032x}:1"
    assert [d.ref for d in found[0].deliveries] == [f"{1:032x}:1"]
    assert found[1] == StatusUnavailable("gone/..?x=1&y", "http_404", missing=True)
    simulators.faults.set("opentext", down=True)
    assert list(provider.status("email", ["a"])) == [StatusUnavailable("a", "http_503")]


def test_status_that_cannot_be_had(opentext: Any, canned: Any, url: str) -> None:
    app, elsewhere = canned
    app.body = b"<html>"
    assert list(opentext(elsewhere).status("sms", ["a"])) == [StatusUnavailable("a", "not JSON")]
    assert list(opentext("http://127.0.0.1:9").status("sms", ["a"])) == [
        StatusUnavailable("a", "ConnectError")
    ]
    assert list(opentext(url, secret="wrong").status("sms", ["a"])) == [StatusUnavailable("a", "http_401")]
    unauthorised = opentext(url, token_url="http://127.0.0.1:9/oauth2/token")
    assert list(unauthorised.status("sms", ["a"])) == [StatusUnavailable("a", "token_unavailable")]
