"""Alerts in PagerDuty: which of its incidents are ours, what it was told, and what it says of them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from .incident_states import acknowledged, noted, resolved
from .incidents import Head, Incident, IncidentStatus

Action = Literal["trigger", "acknowledge", "resolve"]
"""What an event of the Events API v2 does."""

PAGES: Final = 60
"""Pages of one incident that are remembered."""


def page_key(team: str, service: str, again: int = 0) -> str:
    """Names a team's page at a service (`service`: the fingerprint of its routing key).

    An escalation is a page of its own, also where both teams share a service: the new responder would hear
    nothing of an alert that somebody has. For the same reason an incident that was opened again after an
    answer, for the time `again`, has a new page: PagerDuty calls nobody for an acknowledged one.
    """
    return f"{team}.{service}" + (f"-{again + 1}" if again else "")


def whose_page(page: str) -> tuple[str, int]:
    """The team of a page and which time it is of (`page_key`)."""
    found = _PAGE.fullmatch(page)
    return (found["team"], int(found["again"] or 1) - 1) if found else (page, 0)


def dedup_key(incident_id: str, page: str) -> str:
    """PagerDuty's name of the page: the same key is the same PagerDuty alert, until that is resolved."""
    return f"{incident_id}-{page}"


_PAGE: Final = re.compile(r"(?P<team>.{1,200})\.[0-9a-f]{8}(-(?P<again>[1-9][0-9]{0,3}))?", re.DOTALL)
_KEY: Final = re.compile(rf"(?P<incident>[0-9a-f]{{32}})-(?P<page>{_PAGE.pattern})", re.DOTALL)


def page_of(key: str) -> tuple[str, str, str] | None:
    """Incident, page and team of a key of ours; None for another's."""
    match = _KEY.fullmatch(key)
    return (match["incident"], match["page"], match["team"]) if match else None


def paged(head: Head, page: str, said: Action, at: str = "") -> Head:
    """The head after a page was told something, or (`at`: when) told us."""
    known = {entry["page"]: entry for entry in head.pages}
    before = known.get(page, {"page": page, "at": ""})
    known[page] = {**before, "said": said, "at": max(at, before["at"])}
    return replace(head, pages=tuple(known.values())[-PAGES:])


_WANTED: Final[Mapping[IncidentStatus, Action]] = {
    IncidentStatus.ACKNOWLEDGED: "acknowledge",
    IncidentStatus.RESOLVED: "resolve",
}


def pages_to_tell(head: Head) -> list[tuple[str, Action]]:
    """The pages that do not know yet that somebody has the incident, or that it is over."""
    wanted = _WANTED.get(head.status)
    stale = ("trigger",) if wanted == "acknowledge" else ("trigger", "acknowledge")
    return [(entry["page"], wanted) for entry in head.pages if wanted and entry["said"] in stale]


@dataclass(frozen=True, slots=True)
class PagerEvent:
    """One event of PagerDuty's web hook about a page of ours; `who` is an id, never a name."""

    incident_id: str
    page: str
    team: str
    kind: str
    at: str
    who: str
    merged: bool = False


_HANDED_BACK: Final = frozenset({"incident.unacknowledged", "incident.reopened"})
_ONLY_NOTED: Final[Mapping[str, str]] = {
    "incident.escalated": "escalated in PagerDuty",
    "incident.reassigned": "reassigned in PagerDuty",
    "incident.delegated": "delegated in PagerDuty",
}

PAGER_EVENTS: Final = frozenset({"incident.acknowledged", "incident.resolved", *_HANDED_BACK, *_ONLY_NOTED})
"""Event types of web hooks v3 that say something of who has an incident."""


def after_event(head: Head, incident: Incident, event: PagerEvent, answer_by: str, now: str) -> Head:
    """The head after an event of PagerDuty; the same where a later one, or the same, is known.

    `answer_by` is when an incident that was handed back escalates. A merged incident is not resolved: whoever
    merged it has it under another key.
    """
    page = next(
        (entry for entry in head.pages if entry["page"] == event.page), {"page": event.page, "at": ""}
    )
    what = _ONLY_NOTED.get(event.kind)
    if event.at <= (page.get("noted", "") if what else page["at"]):
        return head
    who = f"PagerDuty ({event.who})" if event.who else "PagerDuty"
    if what:
        # It says nothing of who has it: an acknowledgement before it may be on its way still.
        others = tuple(entry for entry in head.pages if entry is not page)
        entry = {"said": "trigger", **page, "noted": event.at}
        return noted(replace(head, pages=(*others, entry)[-PAGES:]), now, who, what)
    if event.kind == "incident.resolved" and event.merged:
        merged = noted(head, now, who, "merged into another PagerDuty incident")
        return paged(merged, event.page, "resolve", event.at)
    if event.kind == "incident.acknowledged":
        return paged(acknowledged(head, now, who), event.page, "acknowledge", event.at)
    if event.kind == "incident.resolved":
        return paged(resolved(head, now, who, incident.count), event.page, "resolve", event.at)
    back = paged(head, event.page, "trigger", event.at)
    if head.status == IncidentStatus.OPEN:
        return back
    is_open = IncidentStatus.OPEN
    changed = replace(back, status=is_open, told_status=is_open, answer_by=answer_by, ack_until="")
    return noted(changed, now, who, event.kind.removeprefix("incident."))
