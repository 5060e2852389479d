"""The page behind an incident's signed link."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs

from aws_lambda_powertools.event_handler import Response

from ..domain.alert_words import advice, meaning, named_runs, times
from ..domain.composed_again import in_full, in_words, offered
from ..domain.exceptions import ExceptionRaised
from ..domain.incidents import Incident, IncidentStatus
from .pages import Pages, page_response
from .rules import YamlRules

NAME_CHARS = 60
_SWITCHES = 20
_CUSTOMERS = 200
"""Characters of a list of customers that the page shows."""


def show_incident(
    pages: Pages, incident: Incident | None, rules: YamlRules, headers: Mapping[str, str]
) -> Response[str]:
    """The incident with what to do, and the button to acknowledge it while it is open; 404 without one."""
    wished = next((value for name, value in headers.items() if name.lower() == "accept-language"), "")
    language = pages.language(wished)
    if incident is None:
        return page_response(404, pages.render("incident", language, incident=None))
    unknown = ExceptionRaised(incident.family, incident.severity, incident.domain, incident.run_id, "")
    rule = rules.route(incident.cause or unknown, incident.severity)
    incident = incident.as_it_leaves(rules.vocabulary.shown)
    rerun = offered(incident.late, rules.rerun_chars)
    runs = (f"Runs: {named_runs(incident)}",) if len(incident.runs) > 1 else ()
    over = incident.status == IncidentStatus.RESOLVED
    shown = {
        "severity": incident.severity,
        "team": incident.team,
        "run": f"{incident.domain}/{incident.run_id}",
        "codes": ", ".join(incident.codes[:12]),
        "count": f"{times(incident):,}",
        "first": incident.first_seen,
        "last": incident.last_seen,
        "texts": (*incident.texts[:3], *runs),
        "means": meaning(incident, rule),
        "advice": advice(incident, rule),
        "runbook": rule.runbook,
        "samples": incident.sample if rules.shows_samples(incident.team) else (),
        "rerun": [] if over else rerun[:_SWITCHES],
        "rerun_words": "" if over else in_words(incident.late, incident.not_named),
        "covered": [
            f"{run}: {in_full(customers, _CUSTOMERS)}" for run, customers in incident.head.covered_by
        ],
        "status": str(incident.status),
        "open": incident.status == IncidentStatus.OPEN,
        "history": list(incident.head.history)[-20:],
    }
    return page_response(200, pages.render("incident", language, incident=shown))


def name_in(event: Any) -> str:
    """Who acknowledges, as a form's body says; a link says nothing of who uses it.

    Anybody may post anything there: what cannot be read is no failure, which an alarm would count.
    """
    try:
        fields = parse_qs((event.decoded_body or "")[:4000], max_num_fields=10)
    except ValueError:
        fields = {}
    told = fields.get("name", [""])[0]
    name = "".join(c for c in told if c.isprintable()).strip()[:NAME_CHARS]
    return f"{name} (by link)" if name else "somebody with the link"
