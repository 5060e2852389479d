"""Makes a provider from a function's settings, with the three tries that each attempt has."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from tenacity import RetryCallState, Retrying, retry_if_result, stop_after_attempt, wait_random_exponential

from ...domain.messages import Answer, BulkJob, GiveUp, Message, SentRequest, TryAgain, Unconfirmed, combined
from .credentials import Credentials
from .errors import MessageRefused

if TYPE_CHECKING:
    from ..settings import Settings

TRIES = 3
PATIENCE = 5.0
"""Seconds at most to wait for a provider that names a time; longer, and the notice is deferred."""


class ThreeTries:
    """`Provider` around one of the adapters: tries again what was certainly not sent, and what is in
    doubt where the provider de-duplicates; tells a refused message as the answer that it is. A doubt in
    any of the tries stays one, unless a later try is accepted."""

    def __init__(self, provider: Any, sleep: Callable[[float], None]) -> None:
        self._provider = provider
        self.name: str = provider.name
        self.deduplicates: bool = provider.deduplicates
        self.supports_bulk: bool = provider.supports_bulk
        self.supports_headers: bool = provider.supports_headers
        self._retrying = Retrying(
            retry=retry_if_result(self._worth_a_try),
            stop=stop_after_attempt(TRIES),
            wait=_wait,
            sleep=sleep,
            retry_error_callback=_last_answer,
        )

    def request(self, message: Message) -> SentRequest | GiveUp:
        """See `Provider.request`."""
        try:
            request: SentRequest = self._provider.request(message)
        except MessageRefused as refused:
            return refused.answer
        return request

    def request_bulk(self, job: BulkJob) -> SentRequest | GiveUp:
        """See `Provider.request_bulk`."""
        try:
            request: SentRequest = self._provider.request_bulk(job)
        except MessageRefused as refused:
            return refused.answer
        return request

    def send(self, requests: Sequence[SentRequest]) -> Iterator[Answer]:
        """See `Provider.send`."""
        for request in requests:
            yield self._tried(request)

    def _tried(self, request: SentRequest) -> Answer:
        answers: list[Answer] = []

        def once() -> Answer:
            answers.append(next(iter(self._provider.send([request]))))
            return answers[-1]

        self._retrying(once)
        return combined(answers)

    def _worth_a_try(self, answer: Answer) -> bool:
        if isinstance(answer, TryAgain):
            return answer.retry_after is None or answer.retry_after <= PATIENCE
        return isinstance(answer, Unconfirmed) and self.deduplicates


_backoff = wait_random_exponential(multiplier=0.2, max=PATIENCE)


def _wait(state: RetryCallState) -> float:
    answer = _last_answer(state)
    named = answer.retry_after if isinstance(answer, TryAgain) else None
    return named if named is not None else _backoff(state)


def _last_answer(state: RetryCallState) -> Any:
    return state.outcome.result() if state.outcome else None


def make_provider(
    name: str,
    settings: Settings,
    client: Callable[[str], Any],
    fields: Callable[[], Mapping[str, str]],
    sleep: Callable[[float], None],
    reference_for: Callable[[str], str] | None = None,
) -> ThreeTries:
    """The provider of that name; `fields` reads the OpenText secret. ValueError for another name.

    `reference_for` makes the reference that a mail carries, where the provider lets us choose: OpenText has
    neither header fields nor a return path of ours, and reports bounces itself.
    """
    if name == "opentext":
        return ThreeTries(make_opentext(settings, fields), sleep)
    if name == "ses":
        from .ses import Ses, SesSettings

        ses = SesSettings(
            settings.sender_email,
            settings.company_name,
            settings.ses_configuration_set,
            bounce_address=settings.bounce_address,
        )
        return ThreeTries(Ses(ses, lambda: client("sesv2"), reference_for), sleep)
    if name == "sms":
        from .sms import Sms, SmsSettings

        sms = SmsSettings(settings.sms_sender, settings.sms_configuration_set)
        return ThreeTries(Sms(sms, lambda: client("pinpoint-sms-voice-v2")), sleep)
    raise ValueError(f"no provider is called {name!r}")


def make_opentext(settings: Settings, fields: Callable[[], Mapping[str, str]]) -> Any:
    """OpenText without tries of its own; `fields` reads its secret."""
    from .opentext import OpenText, OpenTextSettings
    from .opentext_request import OpenTextForm

    def credentials() -> Credentials:
        found = fields()
        name = found.get("username") or found.get("client_id") or ""
        return Credentials(name, found.get("password") or found.get("client_secret") or "")

    return OpenText(
        OpenTextSettings(
            settings.opentext_url,
            settings.opentext_token_url,
            deduplicates=settings.opentext_deduplicates,
            form=OpenTextForm(from_display_name=settings.company_name),
        ),
        credentials,
    )
