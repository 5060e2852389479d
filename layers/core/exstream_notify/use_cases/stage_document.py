"""Take a single document that came as an event: a run of one, on the same path."""

from collections.abc import Mapping

from ..domain.erasure import earliest
from ..domain.exceptions import ExceptionRaised
from ..domain.runs import EVENT_RUN, Control, Run, RunState
from ..ports import Clock, DecideQueue, ExceptionBus, Rules, RunBook, Staging
from .stage_run import values_left_out


def stage_document(
    event_id: str,
    domain: str,
    record: Mapping[str, object],
    *,
    staging: Staging,
    rules: Rules,
    runs: RunBook,
    decide_queue: DecideQueue,
    exceptions: ExceptionBus,
    clock: Clock,
) -> str:
    """Stage one record and queue it; its run id, `event-<event id>`.

    The event's id makes a repeated delivery the same run; the notice's identity makes another
    event about the same document a duplicate. An event of a domain that the site's rules do not name is
    held as a run is.
    """
    run_id = f"{EVENT_RUN}{event_id}"
    known = runs.get(domain, run_id)
    if known is not None:
        return run_id
    parts = f"parts/{domain}/{run_id}/"
    pointers, staged = staging.stage_record(domain, run_id, parts, record)
    held = f"domains.yaml names no domain {domain}" if rules.domain(domain).unknown else ""
    if held:
        exceptions.raise_exceptions(
            [
                ExceptionRaised(
                    "domain_unknown",
                    "severe",
                    domain,
                    run_id,
                    f"held: {held}",
                    part="domain",
                    names=(domain,),
                )
            ]
        )
    else:
        decide_queue.send_slices(pointers)
    if staged.rejected:
        reasons = ", ".join(staged.rejected)
        exceptions.raise_exceptions(
            [
                ExceptionRaised(
                    "records_rejected", "error", domain, run_id, f"the event was rejected: {reasons}"
                )
            ]
        )
    if staged.left_out:
        exceptions.raise_exceptions([values_left_out(domain, run_id, staged.left_out)])
    at = clock.now().isoformat(timespec="seconds")
    # Written last: without it, a repeat does all of the above again, which changes nothing.
    runs.put(
        Run(
            domain,
            run_id,
            RunState.DISPATCHED,
            control=Control.HOLD if held else Control.GO,
            why=held,
            expected=1,
            composed=1,
            slices=sum(1 for pointer in pointers if pointer.kind == "documents"),
            parts=parts,
            rejected=staged.rejected,
            left_out=staged.left_out,
            composed_at=_sent_at(record),
            opened_at=at,
            changed_at=at,
            version=1,
        )
    )
    return run_id


def _sent_at(event: Mapping[str, object]) -> str:
    """When the event was sent: it may have waited, in a dead-letter queue perhaps, before it was staged."""
    at = earliest((str(event.get("time") or ""),))
    return at.isoformat(timespec="seconds") if at is not None else ""
