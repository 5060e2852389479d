"""`exnotify journeys`."""

from typing import TYPE_CHECKING, Literal

import click

from ..errors import CommandError, MisuseError
from .options import as_json, deployment, on_stack

if TYPE_CHECKING:
    from exstream_notify.domain.notices import Notice

    from ..deployment import Deployment


_DONE = {"stop": "stopped", "resume": "resumed"}


@click.command("journeys")
@click.argument("what", type=click.Choice(["stop", "resume"]), required=False)
@click.option("--customer", "customer_key", metavar="KEY", help="Stop or resume those of this customer.")
@click.option("--document", "document_id", metavar="ID", help="Of this document of the customer only.")
@click.option(
    "--run", "run_name", metavar="ID", help="Those of all that this run told: a run id, or domain/run id."
)
@click.option("--journey", "journey", metavar="NAME", help="The whole journey, of everybody in it.")
@click.option("--domain", metavar="NAME", help="Needed with --customer on a deployed stack.")
@click.option("--why", default="", metavar="TEXT", help="The reason, for the record.")
@as_json
@on_stack
def command(
    what: Literal["stop", "resume"] | None,
    customer_key: str | None,
    document_id: str | None,
    run_name: str | None,
    journey: str | None,
    domain: str | None,
    why: str,
    as_json: bool,
    stack: str | None,
) -> int:
    """List the follow-ups that run, by journey, step and hour; stop some, or let them go on.

    Members of one journey, step and hour wake together. What has answered leaves when they do. While
    they are stopped nobody is reminded; a step that was missed follows within the hour of their resuming.
    A whole journey that is stopped (--journey) is switched off as by `null` in the rules: its members wait,
    paper that is due is printed all the same, and within a day of its resuming they go on.
    """
    if what is None:
        if customer_key or document_id or run_name or journey or domain or why:
            raise MisuseError("say stop or resume: alone, `journeys` lists all that run")
        return _list(deployment(stack), as_json)
    if sum(named is not None for named in (customer_key, run_name, journey)) != 1:
        raise MisuseError(
            "say whose journeys: --customer KEY, with --document ID for one of them, "
            "--run ID, or --journey NAME"
        )
    if document_id and customer_key is None:
        raise MisuseError("--document belongs to --customer")
    target = deployment(stack)
    if journey is not None:
        return _control_journey(target, what, journey, why)
    if run_name is not None:
        return _control_run(target, what, run_name, why)
    return _control_customer(target, what, customer_key or "", document_id, domain, why)


def _list(target: "Deployment", as_json: bool) -> int:
    from exstream_notify.use_cases.step_rules import is_off

    from ..screen import console, emit_json, table

    rows = [
        {
            "due_at": state.cohort.due.isoformat(timespec="seconds"),
            "domain": state.cohort.domain,
            "journey": state.cohort.journey,
            "step": state.cohort.step,
            "members": members,
            "execution": state.cohort.execution(state.generation) if state.started else "",
            "generation": state.generation,
            "off": is_off(state.cohort.journey, target.app.rules, target.app.journeys),
        }
        for state, members in target.app.journeys.all_cohorts()
    ]
    if as_json:
        emit_json(rows)
        return 0
    names = ("due_at", "domain", "journey", "step", "members", "execution")
    shown = (["switched off" if n == "execution" and row["off"] else row[n] for n in names] for row in rows)
    console().print(
        table(("wakes", *names[1:]), shown, numbers=("step", "members"), whole=("wakes",))
        if rows
        else "no journeys run"
    )
    return 0


def _control_run(target: "Deployment", what: str, run_name: str, why: str) -> int:
    from exstream_notify.use_cases.control_journeys import resume_run, stop_run

    from ..runs import find_run
    from ..screen import remark

    app = target.app
    run = find_run(app, run_name)
    if what == "stop":
        stop_run(run.name, target.who, why, journeys=app.journeys, clock=app.clock)
    else:
        resume_run(run.name, target.who, why, journeys=app.journeys, rules=app.rules, clock=app.clock)
    remark(f"{_DONE[what]}: journeys of run {run.name}")
    return 0


def _control_journey(target: "Deployment", what: str, journey: str, why: str) -> int:
    from exstream_notify.use_cases.control_journeys import resume_journey, stop_journey

    from ..screen import remark

    app = target.app
    names = {*app.rules.journeys(), *(state.cohort.journey for state, _ in app.journeys.all_cohorts())}
    if journey not in names:
        raise CommandError(f"no journey {journey}: there is {', '.join(sorted(names)) or 'none'}")
    switch = stop_journey if what == "stop" else resume_journey
    switch(journey, target.who, why, journeys=app.journeys, clock=app.clock)
    remark(f"{_DONE[what]}: journey {journey}")
    return 0


def _control_customer(
    target: "Deployment", what: str, customer_key: str, document_id: str | None, domain: str | None, why: str
) -> int:
    from exstream_notify.use_cases.control_journeys import resume_notices, stop_notices

    from ..screen import remark

    app = target.app
    notices = _notices(target, customer_key, document_id, domain)
    if what == "stop":
        said = stop_notices(notices, target.who, why, ledger=app.ledger, clock=app.clock)
    else:
        said = resume_notices(
            notices,
            target.who,
            why,
            ledger=app.ledger,
            journeys=app.journeys,
            rules=app.rules,
            clock=app.clock,
        )
    remark(f"{_DONE[what]}: journeys of {said} notices")
    if what == "resume" and (hold := _hold(target, notices[0])):
        remark(f"a hold stands ({hold}) and ends with `exnotify contact KEY --dun-again --why TEXT`")
    return 0


def _hold(target: "Deployment", notice: "Notice") -> str:
    from exstream_notify.domain.debt import hold_of

    found = target.app.contacts.get(notice.domain, [notice.customer_key])
    return hold_of(found.get(notice.customer_key))


def _notices(
    target: "Deployment", customer_key: str, document_id: str | None, domain: str | None
) -> list["Notice"]:
    """The customer's first notices, which their journeys are about."""
    from ..notices import domains_of

    found = [
        notice
        for name in domains_of(target, customer_key, domain)
        for notice in target.app.ledger.of_customer(name, customer_key)
        if notice.purpose == "notice" and notice.audience == "customer"
        if document_id in (None, notice.document_id)
    ]
    if not found:
        what = f"notice of document {document_id} for" if document_id else "notices of"
        raise CommandError(f"no {what} customer {customer_key}")
    return found
