"""Each attempt has three tries: of what was certainly not sent, and of doubts where the provider de-duplicates."""

from collections.abc import Iterator, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from exstream_notify.adapters.providers.choice import (
    PATIENCE,
    TRIES,
    ThreeTries,
    make_opentext,
    make_provider,
)
from exstream_notify.adapters.providers.credentials import Credentials
from exstream_notify.adapters.providers.errors import MessageRefused
from exstream_notify.domain.messages import (
    Accepted,
    Answer,
    BulkJob,
    Content,
    GiveUp,
    Message,
    SentRequest,
    TryAgain,
    Unconfirmed,
)

REQUEST: Any = SimpleNamespace(body=b"one")
DOWN, DOUBT, DONE = TryAgain("down"), Unconfirmed("no answer"), Accepted("ref-1")
MESSAGE = Message("n:1", "email", "a@example.com", "transactional", Content("s", "t", "h"))


class Scripted:
    """A provider that gives these answers in turn."""

    name = "scripted"
    supports_bulk = True
    supports_headers = False

    def __init__(self, *answers: Answer, deduplicates: bool = False) -> None:
        self.answers = list(answers)
        self.deduplicates = deduplicates
        self.sent: list[Any] = []
        self.refusal: GiveUp | None = None

    def send(self, requests: Sequence[SentRequest]) -> Iterator[Answer]:
        self.sent += requests
        yield self.answers.pop(0)

    def request(self, message: Message) -> Any:
        if self.refusal is not None:
            raise MessageRefused(self.refusal.reason, self.refusal.whose)
        return ("request", message)

    def request_bulk(self, job: BulkJob) -> Any:
        if self.refusal is not None:
            raise MessageRefused(self.refusal.reason, self.refusal.whose)
        return ("bulk", job)


@pytest.mark.parametrize(
    ("answers", "deduplicates", "last", "tries"),
    [
        ([DONE], False, DONE, 1),
        ([DOWN, DONE], False, DONE, 2),
        ([DOWN, DOWN, DONE], False, DONE, 3),
        ([DOWN, DOWN, DOWN, DONE], False, DOWN, TRIES),
        ([DOUBT, DONE], False, DOUBT, 1),  # may have been sent: never twice
        ([DOUBT, DONE], True, DONE, 2),
        ([DOUBT, DOUBT, DOUBT, DONE], True, DOUBT, TRIES),
        ([DOWN, DOUBT], False, DOUBT, 2),
        ([GiveUp("refused", "content"), DONE], True, GiveUp("refused", "content"), 1),
        ([TryAgain("slow", retry_after=PATIENCE), DONE], False, DONE, 2),
        (
            [TryAgain("slow", retry_after=PATIENCE + 1), DONE],
            False,
            TryAgain("slow", retry_after=PATIENCE + 1),
            1,
        ),
    ],
)
def test_what_is_tried_again(answers: list[Answer], deduplicates: bool, last: Answer, tries: int) -> None:
    provider = Scripted(*answers, deduplicates=deduplicates)
    waits: list[float] = []
    [answer] = ThreeTries(provider, waits.append).send([REQUEST])
    assert answer == last
    assert len(provider.sent) == tries
    assert len(waits) == tries - 1


def test_a_provider_that_names_a_time_is_left_alone_that_long_and_any_other_for_a_moment() -> None:
    waits: list[float] = []
    provider = Scripted(TryAgain("slow", retry_after=3.5), TryAgain("slow", retry_after=0), DONE)
    list(ThreeTries(provider, waits.append).send([REQUEST]))
    assert waits == [3.5, 0]
    waits.clear()
    list(ThreeTries(Scripted(DOWN, DOWN, DONE), waits.append).send([REQUEST]))
    assert all(0 <= wait <= PATIENCE for wait in waits)


def test_each_request_is_answered_by_itself() -> None:
    provider = Scripted(DONE, DOWN, DOUBT, DONE)
    answers = list(ThreeTries(provider, lambda _: None).send([REQUEST, REQUEST, REQUEST]))
    assert answers == [DONE, DOUBT, DONE]


def test_what_the_provider_is_and_makes_comes_through_and_a_refusal_is_an_answer() -> None:
    provider = Scripted(deduplicates=True)
    three = ThreeTries(provider, lambda _: None)
    assert (three.name, three.deduplicates, three.supports_bulk, three.supports_headers) == (
        *("scripted", True, True, False),
    )
    job: Any = SimpleNamespace()
    assert three.request(MESSAGE) == ("request", MESSAGE)
    assert three.request_bulk(job) == ("bulk", job)
    provider.refusal = GiveUp("too_long", "content")
    assert three.request(MESSAGE) == three.request_bulk(job) == provider.refusal


# --- which provider -----------------------------------------------------------------------------------------

SETTINGS: Any = SimpleNamespace(
    sender_email="notices@example.com",
    company_name="Example Bank",
    ses_configuration_set="notices",
    bounce_address="",
    sms_sender="+12025550100",
    sms_configuration_set="texts",
    opentext_url="https://notify.example.com",
    opentext_token_url="https://login.example.com",
    opentext_deduplicates=True,
)


def made(name: str) -> ThreeTries:
    return make_provider(name, SETTINGS, lambda service: service, dict, lambda _: None)


@pytest.mark.parametrize(
    ("name", "deduplicates", "bulk"), [("ses", False, False), ("sms", False, False), ("opentext", True, True)]
)
def test_a_provider_is_made_by_its_name(name: str, deduplicates: bool, bulk: bool) -> None:
    three = made(name)
    assert (three.name, three.deduplicates, three.supports_bulk) == (name, deduplicates, bulk)


def test_another_name_is_refused() -> None:
    with pytest.raises(ValueError, match="no provider is called 'fax'"):
        made("fax")


@pytest.mark.parametrize(
    ("secret", "expected"),
    [
        ({"username": "u", "password": "p", "client_id": "i", "client_secret": "s"}, ("u", "p")),
        ({"client_id": "i", "client_secret": "s"}, ("i", "s")),
        ({}, ("", "")),
    ],
)
def test_opentexts_secret_has_either_form(
    monkeypatch: pytest.MonkeyPatch, secret: dict[str, str], expected: tuple[str, str]
) -> None:
    monkeypatch.setattr("exstream_notify.adapters.providers.opentext.OpenText", lambda *given: given)
    settings, credentials = make_opentext(SETTINGS, lambda: secret)
    assert credentials() == Credentials(*expected)
    assert (settings.url, settings.token_url, settings.deduplicates, settings.form.from_display_name) == (
        *("https://notify.example.com", "https://login.example.com", True, "Example Bank"),
    )
