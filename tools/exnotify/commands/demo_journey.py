"""The demo's journey: a customer who answers, others who do not, and the reminder that only these get."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..local import LocalCloud

_JOURNEY = "renewal-reminder"


def show_journey(cloud: "LocalCloud") -> str:
    """Play it on the renewals that were dropped before; a sentence on what went wrong, else nothing.

    The week in between is not waited for: the members are moved to this hour's cohort. From there on
    it is the state machine and the functions as they are.
    """
    from exstream_notify.domain.notices import happened

    from ..screen import console, table

    target = cloud.deployment()
    app = target.app
    hour = app.clock.now().strftime("%Y-%m-%dT%H")
    names: list[str] = []
    for state, _ in app.journeys.all_cohorts():
        if (state.cohort.journey, state.cohort.step) != (_JOURNEY, 1):
            continue
        rows = app.journeys.members(state.cohort, 100)
        names += [member.notice_id for row in rows for member in row.members]
        app.journeys.enrol(replace(state.cohort, hour=hour), rows)
        app.journeys.leave(state.cohort, rows)
    if len(names) < 2:
        return "the journey: nobody is in it"
    answered = app.ledger.get([names[0]])[names[0]]
    app.ledger.put(
        [happened(answered, app.clock.now(), "responded", "by the demo", responses=("responded",))]
    )
    cloud.tick("StartJourneysFunction")
    target.settle(60.0)
    rows_shown: list[tuple[Any, ...]] = []
    reminded = []
    for notice in app.ledger.get(names).values():
        steps = [
            n for n in app.ledger.of_customer(notice.domain, notice.customer_key)
            if n.document_id == notice.document_id and n.purpose.startswith(f"step:{_JOURNEY}:")
        ]  # fmt: skip
        reminded += [notice.notice_id] if steps else []
        told = ", ".join(f"{n.status}{f' ({n.why})' if n.why else ''}" for n in steps)
        rows_shown.append((notice.document_id, ", ".join(notice.responses), told or "no reminder"))
    out = console()
    out.print(table(("document", "the customer", "reminder after a week"), sorted(rows_shown)))
    if set(reminded) != set(names) - {names[0]}:
        return "the journey: not exactly those who had not answered were reminded"
    return ""
