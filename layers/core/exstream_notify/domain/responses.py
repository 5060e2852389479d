"""What a customer did about a notice, as it goes into the notice's own record."""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from .decisions import Why
from .documents import Document
from .notices import Notice, Origin, Response, Status, happened, opened
from .records import ValueRefused, instant

EARLY_DAYS = 90
"""How long a response about a case that no notice is known of yet is kept."""

ENDS_EARLY: Mapping[Response, bool] = {"opened": False, "responded": True, "paid": True, "acknowledged": True}
"""Whether a response that comes before its notice leaves nothing to tell; an e-mail's opening does not."""


@dataclass(frozen=True, slots=True)
class ResponseEvent:
    """A response as some system told it: by customer, document or case, whichever it names.

    `at` is when it happened, by that system; `by` who did it, if it was not the customer.
    """

    kind: Response
    domain: str
    customer_key: str = ""
    document_id: str = ""
    case_id: str = ""
    at: str = ""
    by: str = ""
    source: str = ""
    said: str = ""

    @property
    def detail(self) -> str:
        """The words for the notice's event."""
        told = [
            f"by {self.by}" if self.by else "",
            f"at {self.at}" if self.at else "",
            self.said,
            self.source,
        ]
        return ", ".join(filter(None, told))


@dataclass(frozen=True, slots=True)
class EarlyResponse:
    """A response about a case that no notice was known of yet; `at` in UTC, to the second (ISO 8601)."""

    kind: Response
    detail: str
    at: str
    customer_key: str = ""

    def answers(self, document: Document) -> bool:
        """Whether it leaves nothing to tell of a letter: it is that customer's, who can have known it.

        One that was composed afterwards is news, whatever was said about its case before.
        """
        theirs = self.customer_key in ("", document.customer_key)
        return theirs and (document.produced_at or "") <= self.at


def early_response(event: ResponseEvent, now: datetime) -> EarlyResponse:
    """What is kept of an event: its own time, if that can be read and is not to come, else now."""
    at = now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    with suppress(ValueRefused):
        at = min(at, instant(event.at))
    return EarlyResponse(event.kind, event.detail, at, event.customer_key)


def responded(notice: Notice, kind: Response, now: datetime, detail: str) -> Notice | None:
    """The notice with a response added; None if it has that already.

    A notice that waits is left to wait: its release finds the response, and ends it with the reason.
    """
    if kind in notice.responses:
        return None
    return happened(notice, now, kind, detail, responses=(*notice.responses, kind))


def ended_early(notice_id: str, event: ResponseEvent, now: datetime) -> Notice:
    """The tombstone of a notice that is not there yet, about what its customer responded to already.

    Written under the notice's own id, it stands in the way of the claim: no later look is needed.
    """
    notice = Notice(
        notice_id,
        event.domain,
        event.customer_key,
        event.document_id,
        "unknown",
        "notice",
        "customer",
        Origin("", 0, 0, "", 0, 0),
        Status.SUPPRESSED,
        why=Why.RESPONDED,
        case_id=event.case_id,
        responses=(event.kind,),
    )
    return opened(notice, now, event.kind, event.detail)


def is_early(notice: Notice) -> bool:
    """Whether this is such a tombstone."""
    return notice.status == Status.SUPPRESSED and notice.why == Why.RESPONDED and not notice.origin.run


def revoked(notice: Notice, why: str, now: datetime) -> Notice:
    """The notice with its secure link revoked."""
    return happened(replace(notice, link_revoked=why), now, "link revoked", why)
