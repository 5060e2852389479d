"""The words of an alert: what a team reads of an incident."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from shlex import quote

from .composed_again import FIGURES, in_words, late_in_words, offered
from .customer_ranges import SWITCH_CHARS
from .exceptions import RANK, Severity
from .incidents import AlertRule, Incident, What


@dataclass(frozen=True, slots=True)
class Alert:
    """The words of an alert, the same for every channel. Nothing in it is personal.

    `number` tells the alerts of one incident apart; `key` is the same for all of them. `again` is how often
    the incident was opened again after an answer: a pager has a new page then.
    """

    key: str
    number: int
    what: What
    team: str
    severity: Severity
    title: str
    facts: tuple[tuple[str, str], ...]
    samples: tuple[str, ...]
    rerun: tuple[str, ...]
    runbook: str
    link: str
    again: int = 0

    def text(self) -> str:
        """As plain text."""
        lines = [self.title, ""]
        lines += [f"{name}: {value}" for name, value in self.facts]
        lines += ["", "Examples (masked):", *(f"  {s}" for s in self.samples)] if self.samples else []
        lines += ["", "Compose again with:", *(f"  {s}" for s in self.rerun)] if self.rerun else []
        lines += ["", f"Acknowledge: {self.link}"] if self.link else []
        return "\n".join(lines)


RUNS = 12
"""Runs that an alert of a cause over several names; `exnotify incidents --json` names more."""

QUEUES = 12
"""Queues that an alert names."""

_RUN = re.compile(r"\bRUN\b")

RERUN_LINES = 20
"""Switches that one alert shows; `exnotify incidents` shows them all."""


def make_alert(
    incident: Incident,
    what: What,
    rule: AlertRule,
    team: str,
    link: str,
    *,
    switch_chars: int = SWITCH_CHARS,
) -> Alert:
    """The words of an alert."""
    codes = incident.codes[0] if len(incident.codes) == 1 else f"{rule.family} ({len(incident.codes)} codes)"
    count = times(incident)
    many = f" × {count:,}" if count else ""
    title = (
        f"[{incident.severity.upper()}] {codes}{many} in {incident.domain}/{incident.run_id}: {TITLES[what]}"
    )
    facts = [
        ("Team", incident.team),
        ("Run", f"{incident.domain}/{incident.run_id}"),
        ("Codes", named_codes(incident)),
        ("Count", f"{count:,}"),
        ("First", incident.first_seen),
        ("Last", incident.last_seen),
        ("What happened", "; ".join(incident.texts[:3])),
        ("For customers", meaning(incident, rule)),
        ("Queues", named_queues(incident)),
    ]
    rerun = () if what == What.RESOLVED else tuple(offered(incident.late, switch_chars))
    if rule.group == "cause":
        facts.append(("Runs", named_runs(incident)))
    if what == What.REOPENED and incident.head.returned:
        facts.append(
            (
                "Flapping",
                "It stays open until it is quiet for a time. Until then, only much worse news is sent",
            )
        )
    if len(rerun) > RERUN_LINES:
        more = len(rerun) - RERUN_LINES
        rerun = (*rerun[:RERUN_LINES], f"and {more} more: exnotify incidents --run {quoted(incident)}")
    if what != What.RESOLVED:
        facts.append(("Compose again", in_words(incident.late, incident.not_named)))
        facts.append(("What to do", advice(incident, rule)))
        facts.append(("Details", f"exnotify incidents --run {quoted(incident)}"))
    facts.append(("Runbook", rule.runbook))
    return Alert(
        incident.incident_id,
        incident.head.alerts + 1,
        what,
        team,
        incident.severity,
        title,
        tuple((name, value) for name, value in facts if value),
        tuple(sample for sample in incident.sample if sample not in incident.texts),
        rerun,
        rule.runbook,
        "" if what == What.RESOLVED else link,
        incident.head.again,
    )


def times(incident: Incident) -> int:
    """How many it is about. A run's figures count what its other codes name: they do not add to those."""
    figures = max((cause.count for cause in incident.causes if cause.code in FIGURES), default=0)
    return max(figures, sum(cause.count for cause in incident.causes if cause.code not in FIGURES))


def named_codes(incident: Incident) -> str:
    """All severe codes, then others up to a dozen in all."""
    severe = [cause.code for cause in incident.causes if cause.severity == "severe"]
    codes = [*severe, *(code for code in incident.codes if code not in severe)]
    shown = max(12, len(severe))
    return ", ".join(codes[:shown]) + (" …" if len(codes) > shown else "")


def named_queues(incident: Incident) -> str:
    """The first of its queues."""
    return ", ".join(incident.queues[:QUEUES]) + (" …" if len(incident.queues) > QUEUES else "")


def named_runs(incident: Incident) -> str:
    """How many runs reported it, and the first of them."""
    rest = f" … and {len(incident.runs) - RUNS:,} more" if len(incident.runs) > RUNS else ""
    return f"{len(incident.runs):,}: {', '.join(incident.runs[:RUNS])}{rest}"


def quoted(incident: Incident) -> str:
    """The name of its run as a shell takes it; a masked one has characters of a shell's own."""
    return quote(f"{incident.domain}/{incident.run_id}")


def advice(incident: Incident, rule: AlertRule) -> str:
    """What to do, with the run in the place of `RUN` where the incident is of one."""
    if rule.group != "run" or incident.run_id.startswith("day-"):
        return rule.advice
    return _RUN.sub(lambda _: quoted(incident), rule.advice)


def meaning(incident: Incident, rule: AlertRule) -> str:
    """What an incident means for customers."""
    means = rule.means.replace("{count}", f"{incident.count:,}")
    is_error = RANK[incident.severity] >= RANK["error"]
    late = late_in_words(incident.late, incident.not_named) if is_error else ""
    return "; ".join(filter(None, (late, means)))


TITLES: Mapping[What, str] = {
    What.OPENED: "new",
    What.GROWN: "many more than before",
    What.WORSE: "more severe than before",
    What.CHANGED: "a further cause",
    What.REOPENED: "back after it was resolved",
    What.LAPSED: "acknowledged, but not resolved",
    What.ESCALATED: "nobody has answered",
    What.RESOLVED: "resolved",
    What.ENDED: "no more of them",
    What.LISTED: "listed",
    What.UNDELIVERED: "an alert of it did not arrive on another channel",
}
"""Why an alert is sent, as its title says it."""
