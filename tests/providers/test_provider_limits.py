"""Both sides of every limit of a request and of an answer, and what a client is made with."""

import base64
import json
from datetime import UTC, datetime
from email.utils import format_datetime
from types import SimpleNamespace
from typing import Any

import httpx
import pytest

from exstream_notify.adapters.providers import choice
from exstream_notify.adapters.providers.aws import OneTryClient, TriesTooOften, call, send_config
from exstream_notify.adapters.providers.connections import IDLE, IdleConnections
from exstream_notify.adapters.providers.credentials import Credentials
from exstream_notify.adapters.providers.errors import (
    MessageRefused,
    Row,
    exception_codes,
    later,
    read_table,
    safe_code,
    status_codes,
)
from exstream_notify.adapters.providers.opentext import OpenText, OpenTextSettings, Timeouts
from exstream_notify.adapters.providers.opentext_auth import Basic, NotAuthorised, OAuth2, basic_header
from exstream_notify.adapters.providers.opentext_request import OpenTextForm
from exstream_notify.adapters.providers.opentext_status import decode_status
from exstream_notify.adapters.providers.ses import Ses, SesSettings
from exstream_notify.adapters.providers.sms import Sms, SmsSettings
from exstream_notify.adapters.providers.text import (
    email_address,
    encodable,
    mailbox,
    mobile_number,
    one_line,
    split_ref,
)
from exstream_notify.domain.messages import (
    Accepted,
    BulkJob,
    BulkMember,
    Content,
    GiveUp,
    SentRequest,
    TryAgain,
    Unconfirmed,
)

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
OPENTEXT = OpenTextSettings("https://api.example.com")


def refusal(make: Any, message: Any) -> str:
    try:
        make(message)
    except MessageRefused as refused:
        return refused.answer.reason
    return ""


def no_credentials() -> Credentials:
    raise AssertionError("nothing is sent")


def open_text(**form: Any) -> OpenText:
    return OpenText(OpenTextSettings("https://api.example.com", form=OpenTextForm(**form)), no_credentials)


# --- requests -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "why"), [(1600, ""), (1601, "content_too_large")])
def test_a_text_message_has_1600_characters(size: int, why: str, text: Any) -> None:
    message = text(content=Content("x" * size))
    assert refusal(Sms(SmsSettings("EXAMPLE"), lambda: None).request, message) == why
    assert refusal(open_text().request, message) == why
    assert refusal(open_text(max_sms_characters=size).request, message) == ""


def test_words_that_have_no_utf_8_are_named(text: Any, mail: Any) -> None:
    sms, ses = (
        Sms(SmsSettings("EXAMPLE"), lambda: None),
        Ses(SesSettings("notices@example.com"), lambda: None),
    )
    half = text(content=Content("\udfff"))
    assert refusal(sms.request, half) == refusal(open_text().request, half) == "text_not_unicode"
    for content, why in (
        (Content("\udfff", "s"), "text_not_unicode"),
        (Content("t", "s", "\udfff"), "html_not_unicode"),
        (Content("t", "\udfff"), "subject_not_unicode"),
    ):
        for provider in (ses, open_text()):
            assert refusal(provider.request, mail(content=content)) == why


def test_a_request_has_as_many_bytes_as_its_settings_say(mail: Any) -> None:
    size = len(Ses(SesSettings("notices@example.com"), lambda: None).request(mail()).body)
    for most, why in ((size, ""), (size - 1, "content_too_large")):
        ses = Ses(SesSettings("notices@example.com", max_bytes=most), lambda: None)
        assert refusal(ses.request, mail()) == why
    size = len(open_text().request(mail()).body)
    for most, why in ((size, ""), (size - 1, "content_too_large")):
        assert refusal(open_text(max_bytes=most).request, mail()) == why
    assert (SesSettings("notices@example.com").max_bytes, OpenTextForm().max_bytes) == (5_000_000, 5_000_000)


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ([("X-A", "b")] * 15, ""),
        ([("X-A", "b")] * 16, "too_many_headers"),
        ([("X" * 126, "b")], ""),
        ([("X" * 127, "b")], "header_not_allowed"),
        ([("X-A", "b" * 995)], ""),
        ([("X-A", "b" * 996)], "header_has_other_characters"),
        *(
            ([(name, "b")], "header_not_allowed")
            for name in (
                *(
                    "From",
                    "Sender",
                    "To",
                    "Cc",
                    "Bcc",
                    "Reply-To",
                    "Return-Path",
                    "Subject",
                    "Date",
                    "Message-ID",
                ),
                *(
                    "MIME-Version",
                    "Content-Type",
                    "Content-Transfer-Encoding",
                    "Content-Disposition",
                    "Content-ID",
                ),
                *("DKIM-Signature", "Received"),
            )
        ),
        ([("X-A", "b"), ("Bcc", "c")], "header_not_allowed"),
        ([("X-A", "b"), ("X-B", "\u00e9")], "header_has_other_characters"),
    ],
)
def test_header_fields_are_those_that_ses_leaves_to_us(
    headers: list[tuple[str, str]], why: str, mail: Any
) -> None:
    ses = Ses(SesSettings("notices@example.com"), lambda: None)
    message = mail(headers=tuple(headers))
    assert refusal(ses.request, message) == why
    if not why:
        simple = json.loads(ses.request(message).body)["Content"]["Simple"]
        assert [(row["Name"], row["Value"]) for row in simple["Headers"]] == headers


@pytest.mark.parametrize(
    ("settings", "works"),
    [
        ({"origination": "E" * 256}, True),
        ({"origination": "E" * 257}, False),
        ({"origination": "EXAMPLE", "time_to_live": 5}, True),
        ({"origination": "EXAMPLE", "time_to_live": 4}, False),
        ({"origination": "EXAMPLE", "time_to_live": 259_200}, True),
        ({"origination": "EXAMPLE", "time_to_live": 259_201}, False),
    ],
)
def test_settings_of_sms_at_their_limits(settings: dict[str, Any], works: bool) -> None:
    if works:
        assert SmsSettings(**settings).origination == settings["origination"]
        return
    with pytest.raises(ValueError, match=r"the sender is a number|time_to_live is 5 to 259200 seconds"):
        SmsSettings(**settings)


def test_what_is_not_set_is_left_out(mail: Any, text: Any) -> None:
    sent = json.loads(Sms(SmsSettings("EXAMPLE"), lambda: None).request(text()).body)
    assert sent["TimeToLive"] == 14_400
    assert "ConfigurationSetName" not in sent
    mailed = json.loads(Ses(SesSettings("notices@example.com"), lambda: None).request(mail()).body)
    assert set(mailed) == {"FromEmailAddress", "Destination", "Content", "EmailTags"}
    assert mailed["FromEmailAddress"] == "notices@example.com"
    assert "Headers" not in mailed["Content"]["Simple"]
    body = json.loads(open_text().request(mail()).body)
    assert body["options"] == {
        "customer_reference": f"{1:032x}:1",
        "email_options": {"subject": "Your statement", "charset": "UTF-8", "html_open_tracking": "none"},
    }


@pytest.mark.parametrize("words", [Content("only text", "s"), Content("", "s", "<p>only html</p>")])
def test_one_form_of_the_words_is_enough(words: Content, mail: Any) -> None:
    parts = json.loads(open_text().request(mail(content=words)).body)["body"]
    assert [base64.b64decode(part["data"]).decode() for part in parts] == [words.text or words.html]
    simple = json.loads(
        Ses(SesSettings("notices@example.com"), lambda: None).request(mail(content=words)).body
    )
    assert list(simple["Content"]["Simple"]["Body"]) == ["Text" if words.text else "Html"]


def job(count: int = 2, job_id: str = "j1", inserts: tuple[str, ...] = ("a",), **changes: Any) -> BulkJob:
    members = tuple(BulkMember(f"{n:032x}:1", f"c{n}@example.com", inserts) for n in range(count))
    given = {"message_class": "transactional", "content": Content("(i1)", "s"), "members": members}
    return BulkJob(job_id, "email", **(given | changes))


@pytest.mark.parametrize(
    ("made", "why"),
    [
        (job(1), ""),
        (job(100), ""),
        (job(101), "number_of_destinations"),
        (job(0), "number_of_destinations"),
        (job(1, message_class="regulated"), ""),
        (job(0, message_class="regulated"), "regulated_needs_a_job_of_its_own"),
        (job(2, content=Content("(i2)", "s")), "insert_missing"),
        (job(2, content=Content("(i0)", "s")), "insert_missing"),
        (job(2, content=Content("(i10000)", "s")), ""),
        (job(2, inserts=("\ud800",)), "insert_not_unicode"),
        (job(2, members=(*job(1).members, BulkMember("b:1", "c@example.com", ()))), "insert_missing"),
    ],
)
def test_a_bulk_job_at_its_limits(made: BulkJob, why: str) -> None:
    assert refusal(open_text().request_bulk, made) == why
    if not why:
        rows = json.loads(open_text().request_bulk(made).body)["destinations"]
        assert [row["inserts"] for row in rows] == [[{"id": 1, "value": "a"}]] * len(made.members)


@pytest.mark.parametrize(
    ("job_id", "works"), [("j" * 80, True), ("j" * 81, False), ("", False), ("a b", False)]
)
def test_the_name_of_a_bulk_job(job_id: str, works: bool) -> None:
    if works:
        assert open_text().request_bulk(job(job_id=job_id)).headers[2] == ("X-MRA-SubmitId", job_id)
        return
    with pytest.raises(ValueError, match="a job id is up to 80 letters"):
        open_text().request_bulk(job(job_id=job_id))


@pytest.mark.parametrize("setting", ["from_display_name", "forward_reply", "billing_codes"])
def test_settings_that_would_break_a_header_are_refused(setting: str) -> None:
    wrong: Any = {"marketing": "a\nb"} if setting == "billing_codes" else "a\nb"
    with pytest.raises(MessageRefused, match="setting_has_control_characters"):
        OpenTextForm(**{setting: wrong})


@pytest.mark.parametrize(
    ("number", "works"),
    [
        ("+1234567", True),
        ("+123456", False),
        ("+123456789012345", True),
        ("+1234567890123456", False),
        ("+0123456789", False),
    ],
)
def test_a_number_has_7_to_15_digits(number: str, works: bool) -> None:
    assert refusal(mobile_number, number) == ("" if works else "number_invalid")


@pytest.mark.parametrize(
    ("address", "why"),
    [
        (f"{'a' * 64}@example.com", ""),
        (f"{'a' * 65}@example.com", "address_invalid"),
        ("a@b.co", ""),
        ("a@b.c", "address_invalid"),
        (f"a@{'b' * 63}.com", ""),
        (f"a@{'b' * 64}.com", "address_invalid"),
        (f"a@b.{'c' * 63}", ""),
        (f"a@b.{'c' * 64}", "address_invalid"),
        (".a@example.com", "address_invalid"),
        ("a.@example.com", "address_invalid"),
        ("a..b@example.com", "address_invalid"),
        ("a.b@example.com", ""),
        ("@example.com", "address_invalid"),
        ("example.com", "address_invalid"),
        ("a@b\u00fccher..example.com", "address_domain_invalid"),
    ],
)
def test_an_address_at_its_limits(address: str, why: str) -> None:
    assert refusal(email_address, address) == why
    if not why:
        assert email_address(address) == address


def test_words_of_a_header() -> None:
    assert mailbox("", "n@example.com") == "n@example.com"
    assert mailbox("Example & Co", "n@example.com") == "Example & Co <n@example.com>"
    assert mailbox('A "B" \\ C.', "n@example.com") == '"A \\"B\\" \\\\ C." <n@example.com>'
    # 45 bytes of UTF-8 fill one encoded word; the next character begins another.
    full = base64.b64encode(("é" * 22 + "x").encode()).decode()
    assert mailbox("é" * 22 + "x", "n@example.com") == f"=?UTF-8?B?{full}?= <n@example.com>"
    assert mailbox("é" * 22 + "xy", "n@example.com") == f"=?UTF-8?B?{full}?= =?UTF-8?B?eQ==?= <n@example.com>"
    assert refusal(lambda text: encodable(text, "x"), "\udfff") == "x_not_unicode"
    assert split_ref("a" * 64 + ":9999") == ("a" * 64, "9999")
    with pytest.raises(ValueError, match="<notice id>:<attempt>"):
        split_ref("a" * 65 + ":1")


@pytest.mark.parametrize(
    ("call", "answer"),
    [
        (lambda: encodable("\udfff", "x"), GiveUp("x_not_unicode", "content")),
        (lambda: one_line("a\nb", "x"), GiveUp("x_has_control_characters", "content")),
        (lambda: one_line("\ud800", "x"), GiveUp("x_not_unicode", "content")),
        (lambda: email_address("a@b"), GiveUp("address_invalid", "recipient")),
        (lambda: email_address("a@\u00e4..com"), GiveUp("address_domain_invalid", "recipient")),
        (lambda: mobile_number("1"), GiveUp("number_invalid", "recipient")),
        (lambda: open_text().request_bulk(job(inserts=("\ud800",))), GiveUp("insert_not_unicode", "content")),
        (
            lambda: open_text().request_bulk(job(content=Content("(i2)", "s"))),
            GiveUp("insert_missing", "content"),
        ),
        (lambda: open_text().request_bulk(job(0)), GiveUp("number_of_destinations", "us")),
    ],
)
def test_whose_fault_a_refusal_is(call: Any, answer: GiveUp) -> None:
    with pytest.raises(MessageRefused) as refused:
        call()
    assert (refused.value.answer, str(refused.value)) == (answer, answer.reason)


# --- answers --------------------------------------------------------------------------------------------


def test_how_a_table_is_read() -> None:
    table = [
        Row("Known", GiveUp("special"), "why", "Detail"),
        Row("Known", GiveUp("general"), "why"),
        Row("http_4xx", TryAgain("refused", 600.0), "why"),
        Row("Exception", Unconfirmed("unknown"), "why"),
        Row("http_2xx", Accepted("ref"), "why"),
    ]
    assert read_table(table, ["Known"], "some DETAIL") == GiveUp("special")
    assert read_table(table, ["Known"], "other") == GiveUp("general")
    assert read_table(table, ["New", "Known"]) == GiveUp("general"), "codes in order of precedence"
    assert read_table(table, ["New", "http_418", "http_4xx"]) == TryAgain("refused New", 600.0)
    assert read_table(table, ["Slip", "Exception"]) == Unconfirmed("unknown Slip")
    assert read_table(table, ["http_2xx"]) == Accepted("ref")
    assert read_table(table, ["New"]) == Unconfirmed("unknown_answer New")
    assert read_table(table, []) == Unconfirmed("unknown_answer none")
    assert status_codes(404) == ("http_404", "http_4xx")
    assert exception_codes(KeyError("x")) == ("KeyError", "LookupError", "Exception")
    assert (safe_code("a b@c.d-e_F"), safe_code("x" * 65), safe_code("@")) == ("abc.d-e_F", "x" * 64, "none")
    assert later(TryAgain("x", 600.0), 7.0) == TryAgain("x", 7.0)
    assert later(TryAgain("x", 600.0), 0.0) == TryAgain("x", 0.0)
    assert later(TryAgain("x", 600.0), None) == TryAgain("x", 600.0)
    assert later(GiveUp("x"), 7.0) == GiveUp("x")


def wired(settings: OpenTextSettings, answers: Any, now: Any = NOW.timestamp) -> tuple[OpenText, list[Any]]:
    """A provider whose connection answers so, and what it was asked."""
    asked: list[Any] = []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return answers(request)

    provider = OpenText(settings, lambda: Credentials("alice", "secret"), now)
    provider._client = httpx.Client(transport=httpx.MockTransport(handle))
    return provider, asked


def sent(provider: OpenText, message: Any) -> Any:
    [answer] = provider.send([provider.request(message)])
    return answer


@pytest.mark.parametrize(
    ("job_id", "answer"),
    [
        ("j" * 200, Accepted("j" * 200)),
        ("j" * 201, Unconfirmed("answer_unreadable")),
        ("j", Accepted("j")),
        (" ", Unconfirmed("answer_unreadable")),
    ],
)
def test_a_job_id_has_200_characters_at_most(job_id: str, answer: Any, mail: Any) -> None:
    provider, _ = wired(OPENTEXT, lambda _: httpx.Response(201, json={"job_id": job_id}))
    assert sent(provider, mail()) == answer


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("0", 0.0),
        ("3599", 3599.0),
        ("3600", 3600.0),
        ("3601", 3600.0),
        ("1" * 30, 3600.0),
        (format_datetime(NOW.replace(second=42), usegmt=True), 42.0),
        (format_datetime(NOW.replace(hour=11), usegmt=True), 0.0),
        (format_datetime(NOW.replace(hour=14), usegmt=True), 3600.0),
        ("\u0663", None),
        ("Mon, 99 Nov 2026 12:00:00 GMT", None),
    ],
)
def test_a_provider_names_when_to_come_back(header: str, seconds: float | None, mail: Any) -> None:
    provider, _ = wired(OPENTEXT, lambda _: httpx.Response(429, headers=[(b"retry-after", header.encode())]))
    assert sent(provider, mail()) == TryAgain("throttled", seconds)


@pytest.mark.parametrize("status", [200, 201, 202, 299])
def test_every_success_with_a_job_is_an_acceptance(status: int, mail: Any) -> None:
    provider, asked = wired(OPENTEXT, lambda _: httpx.Response(status, json={"job_id": "j1"}))
    assert sent(provider, mail()) == Accepted("j1")
    (request,) = asked
    assert (request.method, str(request.url)) == ("POST", "https://api.example.com/mra/v1/outbound/emails")
    assert request.headers["authorization"] == "Basic YWxpY2U6c2VjcmV0"


def test_refused_credentials_are_read_again_once(mail: Any) -> None:
    provider, asked = wired(OPENTEXT, lambda _: httpx.Response(401))
    assert sent(provider, mail()) == TryAgain("credentials_refused", 600.0)
    assert len(asked) == 2


def test_the_state_of_jobs_is_asked_for_in_turn_whatever_happens_to_one() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        name = request.url.params["job_id"]
        if name == "broken":
            raise httpx.ReadError("x")
        known = {"gone": 404, "forgotten": 410, "busy": 503, "odd": 204}
        return httpx.Response(known.get(name, 200), json={"job_id": name} if name != "junk" else [])

    provider, asked = wired(OPENTEXT, answer)
    names = ["broken", "gone", "forgotten", "busy", "odd", "junk", "a/b&c"]
    found = list(provider.status("sms", names))
    assert [(getattr(row, "reason", ""), getattr(row, "missing", None)) for row in found] == [
        ("ReadError", False),
        ("http_404", True),
        ("http_410", True),
        ("http_503", False),
        ("http_204", False),
        ("no job_id", False),
        ("", None),
    ]
    assert [row.job_id for row in found] == names
    assert str(asked[-1].url) == "https://api.example.com/mra/v1/outbound/sms/status?job_id=a%2Fb%26c"
    assert (asked[-1].method, asked[-1].headers["accept"], asked[-1].content) == (
        "GET",
        "application/json",
        b"",
    )


def test_what_a_connection_is_made_with(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[dict[str, Any]] = []
    client = SimpleNamespace(
        request=lambda *_, **__: httpx.Response(200, json={"job_id": "j"}), close=lambda: made.append({})
    )
    monkeypatch.setattr(httpx, "Client", lambda **given: made.append(given) or client)
    provider = OpenText(OPENTEXT, lambda: Credentials("alice", "secret"), NOW.timestamp)
    list(provider.status("email", ["a", "b"]))
    assert made == [
        {
            "http2": False,
            "follow_redirects": False,
            "trust_env": True,
            "timeout": httpx.Timeout(connect=3.0, read=10.0, write=5.0, pool=3.0),
            "limits": httpx.Limits(max_connections=20, max_keepalive_connections=20, keepalive_expiry=4.0),
            "headers": {"User-Agent": "exstream-notify", "Accept-Encoding": "identity"},
        }
    ]
    provider.close()
    provider.close()
    assert made[1:] == [{}], "closed once"
    for host in ("localhost", "127.0.0.1", "[::1]"):
        here = OpenText(OpenTextSettings(f"http://{host}:1"), lambda: Credentials("a", "b"))
        list(here.status("email", ["a"]))
        assert made[-1]["trust_env"] is False, "no proxy to this machine"
    assert Timeouts() == Timeouts(3.0, 10.0, 5.0, 3.0)


def test_what_an_aws_client_is_made_with() -> None:
    config: Any = send_config()
    assert (config.connect_timeout, config.read_timeout, config.max_pool_connections) == (3.0, 10.0, 20)
    assert config.retries == {"total_max_attempts": 1, "mode": "standard"}


def aws_client(**settings: Any) -> Any:
    given = {"total_max_attempts": 1} | settings
    closed: list[bool] = []
    return SimpleNamespace(
        meta=SimpleNamespace(config=SimpleNamespace(retries=given)),
        send_email=lambda **asked: {"MessageId": json.dumps(asked)},
        close=lambda: closed.append(True),
        closed=closed,
    )


def test_a_client_is_made_once_and_connects_anew_after_a_pause() -> None:
    clock = [0.0]
    made = [aws_client()]
    client = OneTryClient(lambda: made.pop(), lambda: clock[0])
    request = SentRequest("ses", b'{"a": 1}')
    first = client.get()
    assert client.get() is first
    for at, closed in ((0.0, 0), (3.0, 0), (3.0 + IDLE, 1), (3.0 + IDLE, 1), (0.0, 2)):
        clock[0] = at
        assert call(client, "ses", "send_email", request, []) == Accepted('{"a": 1}')
        assert len(first.closed) == closed
    assert call(client, "sms", "send_email", request, []) == GiveUp("address_of_service_wrong")
    with pytest.raises(TriesTooOften, match=r"send_config\(\)"):
        call(OneTryClient(lambda: aws_client(total_max_attempts=2)), "ses", "send_email", request, [])


def test_connections_are_dropped_while_nobody_uses_them_only() -> None:
    clock, dropped = [100.0], []
    idle = IdleConnections(lambda: dropped.append(clock[0]), lambda: clock[0])
    with idle.exchange():
        clock[0] = 200.0
        with idle.exchange():
            assert dropped == [], "another one is at work"
        clock[0] = 300.0
    clock[0] = 303.9
    with idle.exchange():
        assert dropped == []
    clock[0] = 310.0
    with pytest.raises(ZeroDivisionError), idle.exchange():
        raise ZeroDivisionError
    with idle.exchange():
        pass
    assert dropped == [310.0], "also an exchange that failed is over"


# --- authorisation --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", "a:b"])
def test_a_user_name_that_cannot_be_one(name: str) -> None:
    with pytest.raises(NotAuthorised) as refused:
        basic_header(lambda: Credentials(name, "x"))
    assert (refused.value.code, str(refused.value)) == ("credentials_unavailable",) * 2
    assert str(NotAuthorised("token_refused", 401)) == "token_refused 401"


def test_a_password_is_read_again_once_its_header_was_refused() -> None:
    secrets = iter(["one", "two"])
    basic = Basic(lambda: Credentials("a", next(secrets)))
    client: Any = None
    first = basic.header(client)
    assert basic.header(client) == first == "Basic YTpvbmU="
    basic.refused("Basic another")
    assert basic.header(client) == first, "another thread's older header"
    basic.refused(first)
    assert basic.header(client) == "Basic YTp0d28="
    assert repr(basic) == "Basic()"


class Tokens:
    """A token endpoint that gives tokens in turn, each with this life."""

    def __init__(self, **life: Any) -> None:
        self.life = life
        self.asked: list[Any] = []

    def post(self, url: str, **given: Any) -> httpx.Response:
        self.asked.append((url, given))
        return httpx.Response(200, json={"access_token": f"t{len(self.asked)}", **self.life})


@pytest.mark.parametrize(
    ("life", "usable"),
    [
        ({"expires_in": 3600}, 3540),
        ({"expires_in": "120"}, 60),
        ({"expires_in": 60}, 30),  # half its life, where the margin leaves less
        ({}, 240),
        ({"expires_in": 1}, 0.5),
    ],
)
def test_a_token_serves_until_shortly_before_its_end(life: dict[str, Any], usable: float) -> None:
    clock = [1_000.0]
    tokens: Any = Tokens(**life)
    oauth = OAuth2(
        "https://login.example.com/t", lambda: Credentials("i:/", "s +"), lambda: clock[0], scope="x"
    )
    assert oauth.header(tokens) == "Bearer t1"
    clock[0] = 1_000.0 + usable - 0.1
    assert oauth.header(tokens) == "Bearer t1"
    oauth.refused("Bearer another")
    assert oauth.header(tokens) == "Bearer t1"
    clock[0] = 1_000.0 + usable + 0.1
    assert oauth.header(tokens) == "Bearer t2"
    oauth.refused("Bearer t2")
    assert oauth.header(tokens) == "Bearer t3"
    url, given = tokens.asked[0]
    assert url == "https://login.example.com/t"
    assert given == {
        "data": {"grant_type": "client_credentials", "scope": "x"},
        "headers": {
            "Authorization": "Basic " + base64.b64encode(b"i%3A%2F:s+%2B").decode(),
            "Accept": "application/json",
        },
    }
    assert repr(oauth) == "OAuth2(token_url='https://login.example.com/t')"


@pytest.mark.parametrize(
    ("status", "document", "told"),
    [
        (400, {}, "token_refused 400"),
        (401, {}, "token_refused 401"),
        (403, {}, "token_refused 403"),
        (404, {"access_token": "t"}, "token_unavailable 404"),
        (201, {"access_token": "t"}, "token_unavailable 201"),
        (200, {"access_token": "t" * 8193}, "token_unavailable 200"),
        (200, {"access_token": ""}, "token_unavailable 200"),
        (200, {"access_token": "t", "expires_in": 0}, "token_unavailable 200"),
        (200, {"access_token": "t", "expires_in": "inf"}, "token_unavailable 200"),
        (200, {}, "token_unavailable 200"),
    ],
)
def test_a_token_that_cannot_be_used_is_none(status: int, document: Any, told: str) -> None:
    client: Any = SimpleNamespace(post=lambda *_, **__: httpx.Response(status, json=document))
    oauth = OAuth2("https://login.example.com/t", lambda: Credentials("i", "s"), lambda: 0.0)
    with pytest.raises(NotAuthorised) as refused:
        oauth.header(client)
    assert str(refused.value) == told


def test_a_token_without_a_scope_and_of_the_greatest_length() -> None:
    asked: list[Any] = []

    def post(_: str, **given: Any) -> httpx.Response:
        asked.append(given["data"])
        return httpx.Response(200, json={"access_token": "t" * 8192})

    client: Any = SimpleNamespace(post=post)
    oauth = OAuth2("https://login.example.com/t", lambda: Credentials("i", "s"), lambda: 0.0)
    assert oauth.header(client) == "Bearer " + "t" * 8192
    assert asked == [{"grant_type": "client_credentials"}]


@pytest.mark.parametrize(
    ("settings", "works"),
    [
        ({"url": "https://api.example.com", "token_url": "https://login.example.com"}, True),
        ({"url": "https://api.example.com", "token_url": "http://login.example.com"}, False),
        ({"url": "http://localhost:1"}, True),
        ({"url": "http://127.0.0.1:1"}, True),
        ({"url": "http://[::1]:1"}, True),
        ({"url": "http://api.example.com"}, False),
    ],
)
def test_credentials_go_over_https_except_to_this_machine(settings: dict[str, str], works: bool) -> None:
    if works:
        assert OpenTextSettings(**settings).url == settings["url"]
        return
    with pytest.raises(ValueError, match="credentials go over https, except to this machine"):
        OpenTextSettings(**settings)


# --- status documents -----------------------------------------------------------------------------------


def test_a_status_has_every_kind_of_event_in_each_of_its_forms() -> None:
    document = {
        "job_id": "j",
        "job_state": "Posted",
        "entry_time": 7,
        "customer_reference": "plain",
        "billing_code_base64": "%%",
        "deliveries": [
            {
                "ref": "a:1",
                "sms": "+1",
                "delivery_attempts": {"state": "sENT", "gamma_code": "12"},
                "events": {"sms_delivery_events": [{"time": "t3", "status": "DELIVRD"}, "junk"]},
            },
            {
                "ref": None,
                "email": "ann@example.com",
                "delivery_attempts": [{"state": 8, "gamma_code": True}, None],
                "events": {
                    "email_delivery_events": {
                        "dsn": {
                            "event_time": "t1",
                            "arrival_time": "t2",
                            "class": "5",
                            "subject": 1,
                            "detail": 1,
                        },
                        "html_open": [{"arrival_time": "t2"}],
                        "opt_out": [{"time": "t3"}],
                        "pull": [{"class": 2, "subject": None, "detail": 0, "message": "m"}],
                    }
                },
            },
            {"ref": "c:1", "sms": "+2", "events": {"email_delivery_events": 7}},
        ],
    }
    found = decode_status(document)
    assert (found.states, found.entry_time, found.customer_reference, found.billing_code) == (
        *(("Posted",), "7", "plain", ""),
    )
    assert [(d.ref, d.channel, d.address) for d in found.deliveries] == [
        ("a:1", "sms", "+1"),
        ("", "email", "ann@example.com"),
        ("c:1", "sms", "+2"),
    ]
    assert [[(a.state, a.gamma_code) for a in d.attempts] for d in found.deliveries] == [
        [("Sent", 12)],
        [("Expired", None)],
        [],
    ]
    assert [
        [(e.kind, e.at, e.enhanced, e.status, e.message) for e in d.events] for d in found.deliveries
    ] == [
        [("sms", "t3", "", "DELIVRD", "")],
        [
            ("dsn", "t1", "5.1.1", "", ""),
            ("open", "t2", "", "", ""),
            ("opt_out", "t3", "", "", ""),
            ("pull", "", "", "", "m"),
        ],
        [],
    ]


def test_a_status_document_of_ten_million_characters_is_read() -> None:
    body = b'{"job_id": "j"}'
    assert decode_status(body + b" " * (10_000_000 - len(body))).job_id == "j"


# --- tries ----------------------------------------------------------------------------------------------


def test_the_pause_between_tries_grows_to_five_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    highest: list[float] = []
    monkeypatch.setattr("tenacity.wait.random.uniform", lambda low, high: highest.append((low, high)) or high)
    state = SimpleNamespace(outcome=None, attempt_number=1)
    for number in (1, 2, 3, 10):
        state.attempt_number = number
        choice._wait(state)  # type: ignore[arg-type]
    assert highest == [(0, 0.2), (0, 0.4), (0, 0.8), (0, 5.0)]


def test_providers_are_made_with_the_settings_of_the_function(monkeypatch: pytest.MonkeyPatch) -> None:
    settings: Any = SimpleNamespace(
        sender_email="n@example.com", company_name="Co", ses_configuration_set="set", bounce_address="b@example.com",
        sms_sender="+12025550100", sms_configuration_set="texts",
    )  # fmt: skip
    asked: list[str] = []
    three = choice.make_provider(
        "ses",
        settings,
        lambda name: asked.append(name) or name,
        dict,
        lambda _: None,
        lambda ref: f"ref {ref}",
    )
    ses: Any = three._provider
    assert ses._settings == SesSettings("n@example.com", "Co", "set", bounce_address="b@example.com")
    assert ses._reference_for("a:1") == "ref a:1"
    assert ses._client._factory() == "sesv2"
    sms: Any = choice.make_provider(
        "sms", settings, lambda name: asked.append(name), dict, lambda _: None
    )._provider
    assert sms._settings == SmsSettings("+12025550100", "texts")
    sms._client._factory()
    assert asked == ["sesv2", "pinpoint-sms-voice-v2"]
