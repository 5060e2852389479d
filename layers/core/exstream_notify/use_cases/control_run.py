"""Hold, release or cancel a run."""

from dataclasses import dataclass, replace
from datetime import timedelta

from ..domain.runs import Control, Run
from ..ports import Clock, DueIndex, RunBook, RunQueue

CARRIED_ON = timedelta(minutes=2)
"""When the sweep carries a run on whose operator's command, or connection, died before it did."""


class RunEnded(Exception):
    """The run was cancelled: that is final, since its records may have been notified by another."""


@dataclass(frozen=True, slots=True)
class ControlPorts:
    """What controlling a run takes."""

    runs: RunBook
    run_queue: RunQueue
    due: DueIndex
    clock: Clock


def control_run(run: Run, control: Control, who: str, why: str, ports: ControlPorts) -> Run:
    """Set what is wanted of a run, with who and why in its history, and have it carried on.

    It lies in the due index from before it is written until it is queued. Raises RunEnded for a cancelled
    run, and RuntimeError if the run keeps changing.
    """
    until = ports.clock.now() + CARRIED_ON
    for _ in range(5):
        if run.control == Control.CANCEL and control != Control.CANCEL:
            raise RunEnded(f"run {run.name} was cancelled; drop it again under another run id")
        if control != Control.HOLD:
            ports.due.wait("control", run.name, until)
        at = ports.clock.now().isoformat(timespec="seconds")
        entry = {"at": at, "who": who, "what": str(control), "why": why}
        after = replace(
            run, version=run.version + 1, control=control, changed_at=at, history=(*run.history, entry)
        )
        if ports.runs.put(after):
            if control != Control.HOLD:
                ports.run_queue.send_runs([(run.domain, run.run_id)])
                ports.due.forget([f"control:{run.name}"], until)
            return after
        again = ports.runs.get(run.domain, run.run_id)
        if again is None:
            break
        run = again
    raise RuntimeError(f"run {run.name} kept changing")
