"""The OpenText simulator takes what is described, and nothing else."""

import base64
import copy
import threading
from typing import Any

import pytest
from werkzeug.test import Client

from exnotify.simulators import Simulators
from exstream_notify.adapters.providers.opentext_status import decode_status

TEXT = base64.b64encode("Grüße (i1)".encode()).decode()
EMAIL: dict[str, Any] = {
    "options": {
        "message_id": "m-1",
        "billing_code": "b",
        "customer_reference": "r-1",
        "email_options": {"subject": "Hello (i1)", "from_display_name": "Example", "expiration_days": 7},
    },
    "destinations": [
        {"ref": "n1:1", "email": "ann@example.com", "inserts": [{"id": 1, "value": "Ann"}]},
        {"ref": "n2:1", "email": "bob@example.com", "inserts": [{"id": 1, "value": "Bob"}]},
    ],
    "body": [{"name": "a.txt", "type": "text", "charset": "UTF-8", "data": TEXT}],
}
SMS: dict[str, Any] = {
    "destinations": [{"ref": "n3:1", "sms": "0012025550142", "inserts": [{"id": 1, "value": "7"}]}],
    "sms_text": "No (i1), and (i2)",
}


def changed(document: dict[str, Any], path: str, value: Any = None) -> dict[str, Any]:
    """The document with the value at a path (`a.0.b`) replaced; without it where the value is None."""
    document = copy.deepcopy(document)
    inner: Any = document
    *steps, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    for step in steps:
        inner = inner[step]
    if value is None:
        del inner[last]
    else:
        inner[last] = value
    return document


def test_an_email_job_reaches_each_destination(post: Any, simulators: Simulators) -> None:
    answer = post("opentext", EMAIL)
    assert answer.status_code == 200
    assert [(m.to, m.subject, m.text, m.ref, m.sender_name, m.members) for m in simulators.store] == [
        ("ann@example.com", "Hello Ann", "Grüße Ann", "n1:1", "Example", 2),
        ("bob@example.com", "Hello Bob", "Grüße Bob", "n2:1", "Example", 2),
    ]
    assert {m.job_id for m in simulators.store} == {answer.json["job_id"]}


def test_a_mark_without_insert_stays(post: Any, simulators: Simulators) -> None:
    assert post("opentext", SMS, "/mra/v1/outbound/sms").status_code == 200
    assert [(m.to, m.text) for m in simulators.store] == [("+12025550142", "No 7, and (i2)")]


EMAIL_FAULTS = [
    ("surprise", 1, "body: unknown field 'surprise'"),
    ("email_options", {"subject": "x"}, "body: unknown field 'email_options'"),
    ("sms_text", "x", "body: unknown field 'sms_text'"),
    ("options", [], "options: an object"),
    ("options.message_id", "m" * 81, "options.message_id: longer than 80 characters"),
    ("options.message_id", 7, "options.message_id: one line of text"),
    ("options.customer_reference", "a\nb", "options.customer_reference: one line of text"),
    ("options.colour", "red", "options: unknown field 'colour'"),
    ("options.email_options.subject", None, "options.email_options.subject: missing"),
    ("options.email_options.subject", "a\r\nBcc: x", "options.email_options.subject: one line of text"),
    (
        "options.email_options.html_open_tracking",
        "all",
        "options.email_options.html_open_tracking: top, bottom",
    ),
    ("options.email_options.expiration_days", 0, "options.email_options.expiration_days: a number of days"),
    (
        "options.email_options.expiration_days",
        True,
        "options.email_options.expiration_days: a number of days",
    ),
    ("options.email_options.headers", {}, "options.email_options: unknown field 'headers'"),
    ("reports", 1, "reports: an object"),
    ("destinations", None, "destinations: a list"),
    ("destinations", [], "destinations: a list"),
    ("destinations", [{"email": "a@example.com"}] * 1001, "destinations: a list"),
    ("destinations.1.ref", "n1:1", "destinations: a ref occurs twice"),
    ("destinations.0.email", None, "destinations[0].email: no address"),
    ("destinations.0.email", "ann", "destinations[0].email: no address"),
    ("destinations.0.email", "ann@example.com, bob@example.com", "destinations[0].email: no address"),
    ("destinations.0.sms", "+12025550142", "destinations[0]: unknown field 'sms'"),
    ("destinations.0.ref", 7, "destinations[0].ref: one line of text"),
    ("destinations.0.inserts", {}, "destinations[0].inserts: a list"),
    ("destinations.0.inserts.0.id", "1", "destinations[0].inserts[0].id: a number from 1"),
    ("destinations.0.inserts.0.id", 0, "destinations[0].inserts[0].id: a number from 1"),
    (
        "destinations.0.inserts",
        [{"id": 1, "value": "a"}] * 2,
        "destinations[0].inserts[1].id: a number from 1",
    ),
    ("destinations.0.inserts.0.value", 7, "destinations[0].inserts[0].value: a text"),
    ("body", None, "body: a list of parts"),
    ("body", [], "body: a list of parts"),
    ("body.0.type", "pdf", "body[0].type: text or html"),
    ("body.0.data", "%%%", "body[0].data: base64"),
    ("body.0.data", None, "body[0].data: base64"),
    ("body.0.charset", "klingon", "body[0].data: base64"),
    ("body.0.charset", "ascii", "body[0].data: base64"),
    ("body", [EMAIL["body"][0]] * 2, "body[1].type: text or html, once each"),
]


@pytest.mark.parametrize(("path", "value", "message"), EMAIL_FAULTS)
def test_an_email_job_that_breaks_the_description_is_refused(
    path: str, value: Any, message: str, post: Any, simulators: Simulators
) -> None:
    answer = post("opentext", changed(EMAIL, path, value))
    assert answer.status_code == 400
    assert message in answer.json["error"]["message"]
    assert "ann@example.com" not in answer.text
    assert len(simulators.store) == 0


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        ("sms_text", None, "sms_text: missing"),
        ("sms_text", "  ", "sms_text: missing"),
        ("sms_text", 7, "sms_text: missing"),
        ("body", [], "body: unknown field 'body'"),
        ("options", {"email_options": {}}, "options: unknown field 'email_options'"),
        ("destinations.0.sms", "call me", "destinations[0].sms: no address"),
        ("destinations.0.sms", "+1202555014212345678", "destinations[0].sms: no address"),
        ("destinations.0.display_to", "x", "destinations[0]: unknown field 'display_to'"),
    ],
)
def test_a_text_job_that_breaks_the_description_is_refused(
    path: str, value: Any, message: str, post: Any, simulators: Simulators
) -> None:
    answer = post("opentext", changed(SMS, path, value), "/mra/v1/outbound/sms")
    assert answer.status_code == 400
    assert message in answer.json["error"]["message"]
    assert len(simulators.store) == 0


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff\xfe{}", b"[]", b'{"sms_text": "a", "sms_text": "b"}', b"[" * 100_000]
)
def test_what_is_no_json_object_in_utf8_is_refused(body: bytes, post: Any) -> None:
    assert post("opentext", body).status_code == 400


def test_only_json_is_taken(post: Any) -> None:
    assert post("opentext", EMAIL, Content_Type="text/plain").status_code == 415


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/mra/v1/outbound/emails", 405),
        ("POST", "/mra/v1/outbound/emails/status", 405),
        ("POST", "/mra/v1/outbound/faxes", 404),
        ("GET", "/mra/v1/outbound/emails/status", 400),
        ("GET", "/mra/v1/outbound/emails/status?job_id=a&job_id=b", 400),
        ("GET", "/mra/v1/outbound/emails/status?job_id=a", 404),
    ],
)
def test_paths_and_methods(simulators: Simulators, method: str, path: str, status: int) -> None:
    headers = {"Authorization": "Basic YWxpY2U6c2VjcmV0"}
    assert Client(simulators).open(path, method=method, headers=headers).status_code == status


@pytest.mark.parametrize(
    "authorization",
    ["", "Basic", "Basic !!!", "Basic YWxpY2U=", "Basic OnNlY3JldA==", "Bearer guessed", "Digest x"],
)
def test_without_credentials_nothing_goes(post: Any, authorization: str, simulators: Simulators) -> None:
    answer = post("opentext", EMAIL, Authorization=authorization)
    assert answer.status_code == 401
    assert "WWW-Authenticate" in answer.headers
    assert len(simulators.store) == 0


def test_tokens_live_as_long_as_they_say(post: Any, simulators: Simulators, clock: Any) -> None:
    form = {"grant_type": "client_credentials", "client_id": "alice", "client_secret": "x"}
    token = Client(simulators).post("/tenants/t/oauth2/token", data=form).json
    assert (token["token_type"], token["expires_in"]) == ("Bearer", 3600)
    bearer = f"Bearer {token['access_token']}"
    clock.forward(3599)
    assert post("opentext", EMAIL, Authorization=bearer).status_code == 200
    clock.forward(2)
    assert post("opentext", EMAIL, Authorization=bearer).status_code == 401


@pytest.mark.parametrize(
    ("form", "status", "error"),
    [
        ({"grant_type": "password", "client_id": "a", "client_secret": "b"}, 400, "unsupported_grant_type"),
        ({"grant_type": "client_credentials"}, 401, "invalid_client"),
        ({}, 400, "unsupported_grant_type"),
    ],
)
def test_tokens_are_not_for_everybody(
    simulators: Simulators, form: dict[str, str], status: int, error: str
) -> None:
    answer = Client(simulators).post(
        "/oauth2/token", data=form, content_type="application/x-www-form-urlencoded"
    )
    assert (answer.status_code, answer.json["error"]) == (status, error)


def test_a_repeated_message_id_returns_the_first_job(post: Any, simulators: Simulators) -> None:
    first, second = post("opentext", EMAIL).json, post("opentext", EMAIL).json
    assert first == second
    assert len(simulators.store) == 2
    simulators.opentext.deduplicates = False
    assert post("opentext", EMAIL).json != first
    assert len(simulators.store) == 4


def test_without_a_message_id_a_repeat_is_sent(post: Any, simulators: Simulators) -> None:
    document = changed(EMAIL, "options.message_id")
    assert post("opentext", document).json != post("opentext", document).json
    assert len(simulators.store) == 4


def test_a_refused_address_fails_alone_in_a_job_of_many(post: Any, simulators: Simulators) -> None:
    job = post("opentext", changed(EMAIL, "destinations.0.email", "refuse@example.com")).json["job_id"]
    assert [m.to for m in simulators.store] == ["bob@example.com"]
    status = decode_status(status_of(simulators, job))
    assert {d.ref: d.attempts[0].state for d in status.deliveries} == {"n1:1": "Error", "n2:1": "InProcess"}


def test_a_job_of_refused_addresses_only_has_a_status_too(post: Any, simulators: Simulators) -> None:
    both = changed(
        changed(EMAIL, "destinations.0.email", "refuse@example.com"),
        "destinations.1.email",
        "refuse2@example.com",
    )
    status = decode_status(status_of(simulators, post("opentext", both).json["job_id"]))
    assert {d.attempts[0].state for d in status.deliveries} == {"Error"}
    assert status.customer_reference == "r-1"


def status_of(simulators: Simulators, job_id: str) -> bytes:
    path = f"/mra/v1/outbound/emails/status?job_id={job_id}"
    answer = Client(simulators).get(path, headers={"Authorization": "Basic YWxpY2U6c2VjcmV0"})
    assert answer.status_code == 200
    return answer.data


def test_the_status_says_more_as_time_goes_by(post: Any, simulators: Simulators, clock: Any) -> None:
    job = post("opentext", changed(EMAIL, "destinations.1.email", "latebounce@example.com")).json["job_id"]
    seen = []
    for seconds in (0, 2, 10, 86_400):
        clock.forward(seconds)
        status = decode_status(status_of(simulators, job))
        late = status.deliveries[1]
        seen.append((status.states[0], late.attempts[0].state, [e.enhanced for e in late.events]))
    assert seen == [
        ("InProcess", "InProcess", []),
        ("Complete", "Sent", []),
        ("Complete", "Sent", ["2.1.5"]),
        ("Complete", "Sent", ["2.1.5", "5.1.1"]),
    ]


def test_a_provider_that_is_down_is_down_for_everything(post: Any, simulators: Simulators) -> None:
    simulators.faults.set("opentext", down=True)
    answer = post("opentext", EMAIL)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "60")
    assert Client(simulators).post("/oauth2/token").status_code == 503
    assert len(simulators.store) == 0


def test_a_message_id_sent_five_times_at_once_is_one_job(
    post: Any, simulators: Simulators, monkeypatch: pytest.MonkeyPatch
) -> None:
    perform = simulators.opentext.perform
    together = threading.Barrier(5, timeout=5)

    def all_at_once(*arguments: Any) -> Any:
        together.wait()
        return perform(*arguments)

    monkeypatch.setattr(simulators.opentext, "perform", all_at_once)
    jobs: list[str] = []
    threads = [
        threading.Thread(target=lambda: jobs.append(post("opentext", EMAIL).json["job_id"])) for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(set(jobs)) == 1
    assert len(jobs) == 5
    assert len(simulators.store) == 2, "its two destinations, once"
