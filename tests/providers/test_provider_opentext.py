"""OpenText Notifications: what a request holds, how it is authorised, and what a repeat comes to."""

import base64
import json
import logging
import subprocess
import sys
import threading
from typing import Any

import pytest

from exnotify.simulators import Simulators
from exstream_notify.adapters.providers.credentials import Credentials
from exstream_notify.adapters.providers.errors import MessageRefused
from exstream_notify.adapters.providers.opentext import OpenText, OpenTextSettings
from exstream_notify.adapters.providers.opentext_request import OpenTextForm
from exstream_notify.domain.messages import (
    Accepted,
    BulkJob,
    BulkMember,
    Content,
    GiveUp,
    Message,
    SentRequest,
    TryAgain,
    Unconfirmed,
)

REF = f"{1:032x}:1"


def body_of(request: SentRequest) -> Any:
    return json.loads(request.body)


def bulk(count: int = 3, channel: Any = "email", **changes: Any) -> BulkJob:
    to = "c{}@example.com" if channel == "email" else "+1202555010{}"
    members = tuple(BulkMember(f"{n:032x}:1", to.format(n), (f"Name {n}", f"{n}.00")) for n in range(count))
    content = Content("Dear (i1), you owe (i2).", "For (i1)", "<p>Dear (i1)</p>")
    given = {"message_class": "transactional", "content": content, "members": members} | changes
    return BulkJob("j0b" * 8, channel, **given)


def test_an_email_as_the_public_description_has_it(opentext: Any, mail: Any) -> None:
    form = OpenTextForm(
        from_display_name="Example Company",
        forward_reply="replies@example.com",
        expiration_days=14,
        billing_codes={"transactional": "NOTICES"},
    )
    provider = opentext("http://127.0.0.1", form=form, deduplicates=True)
    request = provider.request(mail())
    assert request.url == "http://127.0.0.1/mra/v1/outbound/emails"
    assert dict(request.headers) == {
        "Content-Type": "application/json",
        "Accept": "application/json",
        "X-MRA-SubmitId": REF,
    }
    body = body_of(request)
    parts = body.pop("body")
    assert body == {
        "options": {
            "message_id": REF,
            "billing_code": "NOTICES",
            "customer_reference": REF,
            "email_options": {
                "subject": "Your statement",
                "charset": "UTF-8",
                "html_open_tracking": "none",
                "from_display_name": "Example Company",
                "forward_reply": "replies@example.com",
                "expiration_days": 14,
            },
        },
        "destinations": [{"ref": REF, "email": "ann@example.com"}],
    }
    assert [(p["name"], p["type"], p["charset"], base64.b64decode(p["data"]).decode()) for p in parts] == [
        ("notice.txt", "text", "UTF-8", "Your statement is ready."),
        ("notice.html", "html", "UTF-8", "<p>Your statement is ready.</p>"),
    ]


def test_a_text_message_is_utf8_as_it_stands(opentext: Any, text: Any) -> None:
    request = opentext("http://127.0.0.1").request(text(content=Content("Zürich, 5 €")))
    assert "Zürich, 5 €".encode() in request.body
    assert body_of(request) == {
        "options": {"customer_reference": REF},
        "destinations": [{"ref": REF, "sms": "+12025550142"}],
        "sms_text": "Zürich, 5 €",
    }


@pytest.mark.parametrize(
    ("number_format", "number"),
    [("e164", "+12025550142"), ("idd", "0012025550142"), ("digits", "12025550142")],
)
def test_numbers_go_as_the_account_takes_them(
    number_format: Any, number: str, opentext: Any, url: str, simulators: Simulators, text: Any, send: Any
) -> None:
    provider = opentext(url, form=OpenTextForm(number_format=number_format))
    assert body_of(provider.request(text()))["destinations"][0]["sms"] == number
    assert isinstance(send(provider, text()), Accepted)
    assert [m.to for m in simulators.store] == ["+12025550142"]


def test_the_same_message_makes_the_same_bytes(opentext: Any, mail: Any) -> None:
    provider = opentext("http://127.0.0.1")
    assert provider.request(mail()) == provider.request(mail())
    assert provider.request_bulk(bulk()) == provider.request_bulk(bulk())


@pytest.mark.parametrize("channel", ["email", "sms"])
def test_nothing_personal_names_the_job(channel: Any, opentext: Any) -> None:
    form = OpenTextForm(billing_codes={"transactional": "NOTICES"})
    provider = opentext("http://127.0.0.1", form=form, deduplicates=True)
    request = provider.request_bulk(bulk(channel=channel))
    names = {k: v for k, v in body_of(request)["options"].items() if k != "email_options"}
    assert names == {
        "message_id": "j0b" * 8,
        "customer_reference": "j0b" * 8,
        "billing_code": "NOTICES",
    }
    assert dict(request.headers)["X-MRA-SubmitId"] == "j0b" * 8


def test_a_bulk_job_reaches_each_with_their_own_words(
    opentext: Any, url: str, simulators: Simulators
) -> None:
    provider = opentext(url)
    answer = next(iter(provider.send([provider.request_bulk(bulk())])))
    assert isinstance(answer, Accepted)
    assert [(m.to, m.subject, m.text, m.html, m.ref, m.job_id) for m in simulators.store] == [
        (
            f"c{n}@example.com",
            f"For Name {n}",
            f"Dear Name {n}, you owe {n}.00.",
            f"<p>Dear Name {n}</p>",
            f"{n:032x}:1",
            answer.provider_ref,
        )
        for n in range(3)
    ]


def test_an_insert_that_looks_like_a_mark_stays_what_it_is(
    opentext: Any, url: str, simulators: Simulators
) -> None:
    members = (BulkMember(REF, "ann@example.com", ("(i2)", "secret")),)
    job = bulk(members=members, content=Content("Dear (i1)", "Hello (i1)"))
    provider = opentext(url)
    assert isinstance(next(iter(provider.send([provider.request_bulk(job)]))), Accepted)
    assert [m.text for m in simulators.store] == ["Dear (i2)"]


@pytest.mark.parametrize(
    ("job", "reason"),
    [
        (bulk(message_class="regulated"), "regulated_needs_a_job_of_its_own"),
        (bulk(count=101, channel="email"), "number_of_destinations"),
        (bulk(members=()), "number_of_destinations"),
        (bulk(members=bulk().members * 2), "refs_repeat"),
        (bulk(content=Content("Dear (i3)", "s")), "insert_missing"),
        (bulk(content=Content("x", "Dear (i3)")), "insert_missing"),
        (bulk(content=Content("x", "s", "(i9999)")), "insert_missing"),
    ],
)
def test_a_bulk_job_that_cannot_be_one_is_refused(job: BulkJob, reason: str, opentext: Any) -> None:
    with pytest.raises(MessageRefused) as refused:
        opentext("http://127.0.0.1").request_bulk(job)
    assert refused.value.answer.reason == reason


def test_a_regulated_notice_has_a_job_of_its_own(opentext: Any) -> None:
    provider = opentext("http://127.0.0.1")
    request = provider.request_bulk(bulk(1, message_class="regulated"))
    assert len(body_of(request)["destinations"]) == 1


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({"subject": "two\nlines"}, GiveUp("subject_has_control_characters", "content")),
        ({"subject": "two\r\nBcc: x@example.com"}, GiveUp("subject_has_control_characters", "content")),
        ({"subject": "two\u2028lines"}, GiveUp("subject_has_control_characters", "content")),
        ({"subject": "\ud800"}, GiveUp("subject_not_unicode", "content")),
        ({"subject": "  "}, GiveUp("subject_empty", "content")),
        ({"content": Content("", "Subject")}, GiveUp("text_empty", "content")),
        ({"content": Content("x" * 6_000_000, "Subject")}, GiveUp("content_too_large", "content")),
        ({"headers": (("List-Unsubscribe", "<https://example.com>"),)}, GiveUp("headers_not_supported")),
        ({"to": "ann"}, GiveUp("address_invalid", "recipient")),
        ({"to": "änn@example.com"}, GiveUp("address_invalid", "recipient")),
        ({"to": "ann@example.com\r\nBcc: x@example.com"}, GiveUp("address_invalid", "recipient")),
    ],
)
def test_an_email_that_cannot_go_is_refused_before_it_is_sent(
    changes: dict[str, Any], answer: GiveUp, opentext: Any, mail: Any
) -> None:
    with pytest.raises(MessageRefused) as refused:
        opentext("http://127.0.0.1").request(mail(**changes))
    assert refused.value.answer == answer
    assert "example.com" not in str(refused.value)


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({"to": "2025550142"}, GiveUp("number_invalid", "recipient")),
        ({"to": "+1202555014212345"}, GiveUp("number_invalid", "recipient")),
        ({"content": Content(" \n")}, GiveUp("text_empty", "content")),
        ({"content": Content("x" * 1601)}, GiveUp("content_too_large", "content")),
        ({"content": Content("\udfff")}, GiveUp("text_not_unicode", "content")),
    ],
)
def test_a_text_that_cannot_go_is_refused_before_it_is_sent(
    changes: dict[str, Any], answer: GiveUp, opentext: Any, text: Any
) -> None:
    with pytest.raises(MessageRefused) as refused:
        opentext("http://127.0.0.1").request(text(**changes))
    assert refused.value.answer == answer


def test_a_reference_that_is_none_is_an_error_of_the_program(opentext: Any) -> None:
    message = Message("ann@example.com", "sms", "+12025550142", "transactional", Content("x"))
    with pytest.raises(ValueError, match="notice id"):
        opentext("http://127.0.0.1").request(message)


def test_domains_beyond_ascii_go_in_their_ascii_form(opentext: Any, mail: Any) -> None:
    request = opentext("http://127.0.0.1").request(mail("ann@bücher.example.com"))
    assert body_of(request)["destinations"][0]["email"] == "ann@xn--bcher-kva.example.com"


# ---- Who sends it ----


def test_wrong_credentials_defer(
    opentext: Any, url: str, simulators: Simulators, mail: Any, send: Any
) -> None:
    assert send(opentext(url, secret="wrong"), mail()) == TryAgain("credentials_refused", 600.0)
    assert len(simulators.store) == 0


def test_a_rotated_password_is_read_anew(url: str, simulators: Simulators, mail: Any, send: Any) -> None:
    secrets = iter(["old", "s3cret-p@ss"])
    provider = OpenText(OpenTextSettings(url), lambda: Credentials("alice", next(secrets)))
    assert isinstance(send(provider, mail(number=1)), Accepted)
    assert isinstance(send(provider, mail(number=2)), Accepted), "and it is kept"
    assert len(simulators.store) == 2
    provider.close()


def test_a_secret_that_cannot_be_read_defers(url: str, simulators: Simulators, mail: Any, send: Any) -> None:
    def unreadable() -> Credentials:
        raise RuntimeError("arn:aws:secretsmanager: AccessDenied")

    for token_url in ("", f"{url}/oauth2/token"):
        provider = OpenText(OpenTextSettings(url, token_url), unreadable)
        assert send(provider, mail()) == TryAgain("credentials_unavailable", 600.0)
        provider.close()
    assert len(simulators.store) == 0


@pytest.fixture
def oauth(opentext: Any, url: str) -> OpenText:
    """A provider with OAuth2, whose client id and secret need encoding."""
    provider: OpenText = opentext(url, "client:1/x", token_url=f"{url}/tenants/t-1/oauth2/token")
    return provider


def test_one_token_serves_many_messages(oauth: OpenText, simulators: Simulators, mail: Any) -> None:
    answers = list(oauth.send([oauth.request(mail(number=n)) for n in range(5)]))
    assert all(isinstance(answer, Accepted) for answer in answers)
    assert simulators.opentext.accounts.issued == 1


def test_a_token_is_renewed_before_it_expires(url: str, simulators: Simulators, mail: Any, send: Any) -> None:
    now = 1_000_000.0
    provider = OpenText(
        OpenTextSettings(url, f"{url}/oauth2/token"),
        lambda: Credentials("alice", "s3cret-p@ss"),
        now=lambda: now,
    )
    issued = []
    for later in (0.0, 3539.0, 3541.0):
        now = 1_000_000.0 + later
        assert isinstance(send(provider, mail()), Accepted)
        issued.append(simulators.opentext.accounts.issued)
    assert issued == [1, 1, 2], "an hour, less a minute"
    provider.close()


def test_a_refused_token_is_renewed_once(
    oauth: OpenText, simulators: Simulators, mail: Any, send: Any
) -> None:
    assert isinstance(send(oauth, mail(number=1)), Accepted)
    simulators.opentext.accounts.expire()
    assert isinstance(send(oauth, mail(number=2)), Accepted)
    assert simulators.opentext.accounts.issued == 2
    assert [m.ref for m in simulators.store] == [f"{1:032x}:1", f"{2:032x}:1"]


def test_a_token_that_stays_refused_defers(
    oauth: OpenText, simulators: Simulators, mail: Any, send: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(simulators.opentext.accounts, "admits", lambda request: False)
    assert send(oauth, mail()) == TryAgain("credentials_refused", 600.0)
    assert simulators.opentext.accounts.issued == 2, "one more try, not more"


def test_twenty_threads_fetch_one_token(
    oauth: OpenText, simulators: Simulators, mail: Any, send: Any
) -> None:
    simulators.faults.set("opentext", slow=0.05)
    threads = [threading.Thread(target=send, args=(oauth, mail(number=n))) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert simulators.opentext.accounts.issued == 1


@pytest.mark.parametrize(
    ("status", "body", "answer"),
    [
        (400, b'{"error": "invalid_grant"}', TryAgain("credentials_refused", 600.0)),
        (401, b'{"error": "invalid_client"}', TryAgain("credentials_refused", 600.0)),
        (500, b"", TryAgain("token_unavailable")),
        (302, b"", TryAgain("token_unavailable")),
        (200, b"", TryAgain("token_unavailable")),
        (200, b"[]", TryAgain("token_unavailable")),
        (200, b'{"access_token": 7}', TryAgain("token_unavailable")),
        (200, b'{"access_token": "a b"}', TryAgain("token_unavailable")),
        (200, b'{"access_token": "a\\r\\nX: y"}', TryAgain("token_unavailable")),
        (200, b'{"access_token": "x", "expires_in": -1}', TryAgain("token_unavailable")),
        (200, b'{"access_token": "x", "expires_in": "soon"}', TryAgain("token_unavailable")),
    ],
)
def test_without_a_token_nothing_is_sent(
    status: int,
    body: bytes,
    answer: TryAgain,
    canned: Any,
    opentext: Any,
    url: str,
    simulators: Simulators,
    mail: Any,
    send: Any,
) -> None:
    app, token_url = canned
    app.status, app.body = status, body
    assert send(opentext(url, token_url=token_url), mail()) == answer
    assert len(simulators.store) == 0
    assert app.asked == 1


def test_without_a_token_endpoint_nothing_is_sent(
    opentext: Any, url: str, simulators: Simulators, mail: Any, send: Any
) -> None:
    provider = opentext(url, token_url="http://127.0.0.1:9/oauth2/token")
    assert send(provider, mail()) == TryAgain("token_unavailable")
    assert len(simulators.store) == 0


# ---- Where it goes ----


@pytest.mark.parametrize(
    "url",
    [
        "http://api.example.com",
        "ftp://api.example.com",
        "https://",
        "https://user:password@api.example.com",
        "https://api.example.com?x=1",
    ],
)
def test_credentials_do_not_go_in_the_clear(url: str) -> None:
    with pytest.raises(ValueError, match=r"https|address") as refused:
        OpenTextSettings(url)
    assert "password" not in str(refused.value)


def test_an_emulator_in_a_container_can_be_allowed_to_be_plain() -> None:
    assert OpenTextSettings("http://host.docker.internal:4566", insecure=True).url.startswith("http:")


def test_a_stored_request_for_another_host_is_not_posted(
    opentext: Any, url: str, canned: Any, mail: Any
) -> None:
    app, elsewhere = canned
    provider = opentext(url)
    request = provider.request(mail())
    forged = SentRequest(request.url.replace(url, elsewhere), request.body, request.headers)
    assert list(provider.send([forged])) == [GiveUp("address_of_service_wrong")]
    assert app.asked == 0


def test_a_redirect_is_not_followed_with_credentials(
    opentext: Any, canned: Any, url: str, simulators: Simulators, mail: Any, send: Any
) -> None:
    app, elsewhere = canned
    app.status, app.headers = 307, [("Location", f"{url}/mra/v1/outbound/emails")]
    assert send(opentext(elsewhere), mail()) == TryAgain("address_of_service_wrong", 600.0)
    assert len(simulators.store) == 0


# ---- A repeat ----


def test_a_repeat_returns_the_first_job_where_the_account_deduplicates(
    opentext: Any, url: str, simulators: Simulators, mail: Any
) -> None:
    provider = opentext(url, deduplicates=True)
    request = provider.request(mail("timeout@example.com"))
    bulk_request = provider.request_bulk(bulk())
    first, second, third, fourth = provider.send([request, request, bulk_request, bulk_request])
    assert first == Unconfirmed("answer_timeout")
    assert second == Accepted(next(iter(simulators.store)).job_id)
    assert third == fourth
    assert len(simulators.store) == 1 + 3


@pytest.mark.parametrize("asked", [True, False])
def test_a_repeat_is_sent_twice_where_it_does_not(
    asked: bool, opentext: Any, url: str, simulators: Simulators, mail: Any
) -> None:
    simulators.opentext.deduplicates = not asked
    provider = opentext(url, deduplicates=asked)
    request = provider.request(mail())
    first, second = provider.send([request, request])
    assert first != second
    assert len(simulators.store) == 2


def test_requests_are_sent_one_by_one_as_answers_are_taken(
    opentext: Any, url: str, simulators: Simulators, mail: Any
) -> None:
    provider = opentext(url)
    answers = provider.send([provider.request(mail(number=n)) for n in range(3)])
    assert len(simulators.store) == 0
    next(answers)
    assert len(simulators.store) == 1
    answers.close()
    assert len(simulators.store) == 1


# ---- Secrets and personal data ----


def test_nothing_secret_or_personal_is_shown_or_logged(
    oauth: OpenText, opentext: Any, url: str, mail: Any, send: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    basic = opentext(url)
    for provider in (oauth, basic):
        send(provider, mail())
        send(provider, mail("lost@example.com"))
    shown = " ".join([caplog.text, repr(oauth), repr(basic), repr(Credentials("alice", "s3cret-p@ss"))])
    for secret in ("s3cret", "c$+", "Bearer", "ann@example.com", "lost@example.com", "Your statement"):
        assert secret not in shown


def test_requests_hold_no_credentials(oauth: OpenText, mail: Any) -> None:
    assert "authorization" not in {name.lower() for name, _ in oauth.request(mail()).headers}


def test_heavy_libraries_load_only_where_they_are_used() -> None:
    code = (
        "import sys\n"
        "from exstream_notify.adapters.providers import ses, sms, opentext, aws\n"
        "from exstream_notify.domain.messages import Message, Content\n"
        "m = Message('a:1', 'email', 'ann@example.com', 'transactional', Content('x', 's'))\n"
        "ses.Ses(ses.SesSettings('notices@example.com'), lambda: None).request(m)\n"
        "opentext.OpenText(opentext.OpenTextSettings('https://api.example.com'), lambda: None).request(m)\n"
        "print(sorted({'httpx', 'botocore', 'boto3', 'idna'} & set(sys.modules)))\n"
    )
    path = {"PYTHONPATH": "layers/core"}
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=path)
    assert run.stdout.strip() == "[]"
