"""Posts to chat, pager and web hooks: what an answer means, and how long a service asks to wait.

That an address is dead is what its answer says; it is not tried again with the same alert. Nothing of an
answer is told but its status and words that stand in a table here: the rest may hold a token.
"""

import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import Any, Final
from urllib.parse import urlsplit

from ..domain.channels import WAIT_MOST
from ..ports import ChannelAnswer

TRIES: Final = 3

_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")
_AGAIN: Final = frozenset({408, 425, 429})
_READ: Final = 4096
"""Bytes of an answer's body that are looked at."""


@dataclass(frozen=True, slots=True)
class Dead:
    """What of a service's answers says that its address is dead: statuses, or words of the body."""

    statuses: frozenset[int] = frozenset({401, 403, 404, 410})
    words: tuple[str, ...] = ()


DEAD: Final[Mapping[str, Dead]] = {
    "webhook": Dead(),
    # Slack's developer documentation, "Sending messages using incoming webhooks", Handling errors.
    "slack": Dead(
        words=(
            "account_inactive", "action_prohibited", "channel_is_archived", "channel_not_found",
            "invalid_token", "no_active_hooks", "no_service_id", "no_service", "no_team",
            "posting_to_general_channel_denied", "team_disabled", "token_revoked", "user_not_found",
        )
    ),
    # A workflow of Power Automate that somebody switched off answers 400.
    "teams": Dead(words=("WorkflowTriggerIsNotEnabled", "WorkflowNotFound", "TriggerNotEnabled")),
    # Events API v2: an event with an integration key that is unknown is refused like a malformed one.
    "pagerduty": Dead(frozenset({401, 404, 410}), ("invalid routing key", "invalid key", "routing_key")),
}  # fmt: skip
"""By channel. PagerDuty's 403 is left out: version 1 of its API throttled with it."""

_TEAMS_BY_200: Final = re.compile(r"Microsoft Teams endpoint returned HTTP error (\d{3})")
"""A connector of Teams answers 200 also where Teams refused the message."""


class Posts:
    """One HTTP client for all of them. `now` is epoch seconds, `sleep` waits as many."""

    def __init__(self, sleep: Callable[[float], None], now: Callable[[], float] = time.time) -> None:
        self._sleep = sleep
        self._now = now
        self._http: Any = None
        self.waited = 0.0
        """Seconds, all posts together, that services asked to wait and were waited for."""

    def post(
        self, channel: str, url: str, body: bytes, headers: Mapping[str, str], patience: float
    ) -> ChannelAnswer:
        """Post a document; server errors, throttling and lost connections are tried again.

        `patience`: seconds that may pass on waiting where the service says how long (RFC 9110, 10.2.3). A
        longer wait is left to the caller: the answer `waits`, and says how long.
        """
        if (why := _unusable(url)) is not None:
            return why
        answer = ChannelAnswer("failed")
        for number in range(TRIES):
            answer, again, asked = self._posted(channel, url, body, headers)
            if answer.outcome != "failed" or not again:
                return answer
            if asked is not None:
                if asked > patience or number == TRIES - 1:
                    return ChannelAnswer("waits", answer.why, asked)
                patience -= asked
            self.waited += asked or 0.0
            if number < TRIES - 1:
                self._sleep(1.0 * 2**number if asked is None else asked)
        return answer

    def probe(self, url: str) -> ChannelAnswer:
        """The status of a HEAD, which posts nothing; `failed` where nobody answers."""
        import httpx

        if (why := _unusable(url)) is not None:
            return why
        try:
            return ChannelAnswer("answered", str(self._client().head(url).status_code))
        except httpx.HTTPError as error:
            return ChannelAnswer("failed", type(error).__name__)

    def _client(self) -> Any:
        import httpx

        if self._http is None:
            self._http = httpx.Client(timeout=httpx.Timeout(5.0, connect=3.0), follow_redirects=False)
        return self._http

    def _posted(
        self, channel: str, url: str, body: bytes, headers: Mapping[str, str]
    ) -> tuple[ChannelAnswer, bool, float | None]:
        """What one post came to, whether a further one may succeed, and after how many seconds."""
        import httpx

        # Only the beginning of an answer is read, and none is unpacked: it may be of any size.
        plain = {**headers, "Accept-Encoding": "identity"}
        try:
            with self._client().stream("POST", url, content=body, headers=plain) as answer:
                text = next(answer.iter_raw(_READ), b"").decode("utf-8", "replace")
        except httpx.HTTPError as error:
            return ChannelAnswer("failed", type(error).__name__), True, None
        status: int = answer.status_code
        if channel == "teams" and status < 300 and (refused := _TEAMS_BY_200.search(text)):
            status = int(refused[1])
        if status < 300:
            return ChannelAnswer("sent"), False, None
        dead = DEAD[channel]
        word = next((word for word in dead.words if word.lower() in text.lower()), "") if status < 500 else ""
        why = f"HTTP {status} {word}".strip()
        if status in dead.statuses or word:
            return ChannelAnswer("dead", why), False, None
        again = status in _AGAIN or status >= 500
        return ChannelAnswer("failed", why), again, self._asked(answer.headers) if again else None

    def _asked(self, headers: Mapping[str, str]) -> float | None:
        return retry_after(headers.get("retry-after", ""), self._now())


def _unusable(url: str) -> ChannelAnswer | None:
    if not url:
        return ChannelAnswer("absent")
    parts = urlsplit(url)
    if parts.scheme != "https" and parts.hostname not in _LOOPBACK:
        return ChannelAnswer("failed", "the address is not https")
    return None


def retry_after(text: str, now: float) -> float | None:
    """Seconds that `Retry-After` asks for, a number or an HTTP date (RFC 9110, 10.2.3); None of neither.

    At most a day: no answer can silence a channel for longer.
    """
    text = text.strip()
    if re.fullmatch(r"\d{1,9}", text):
        seconds = float(text)
    else:
        try:
            at = parsedate_to_datetime(text)
        except ValueError:
            return None
        seconds = (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - now
    return min(max(seconds, 0.0), WAIT_MOST.total_seconds())
