"""Hold, release or cancel a run."""

from dataclasses import replace

from ..domain.runs import Control, Run
from ..ports import Clock, RunBook, RunQueue


class RunEnded(Exception):
    """The run was cancelled: that is final, since its records may have been notified by another."""


def control_run(
    run: Run, control: Control, who: str, why: str, *, runs: RunBook, run_queue: RunQueue, clock: Clock
) -> Run:
    """Set what is wanted of a run, with who and why in its history, and have it carried on.

    Raises RunEnded for a cancelled run, and RuntimeError if the run keeps changing.
    """
    for _ in range(5):
        if run.control == Control.CANCEL and control != Control.CANCEL:
            raise RunEnded(f"run {run.name} was cancelled; drop it again under another run id")
        at = clock.now().isoformat(timespec="seconds")
        entry = {"at": at, "who": who, "what": str(control), "why": why}
        after = replace(
            run, version=run.version + 1, control=control, changed_at=at, history=(*run.history, entry)
        )
        if runs.put(after):
            if control != Control.HOLD:
                run_queue.send_runs([(run.domain, run.run_id)])
            return after
        again = runs.get(run.domain, run.run_id)
        if again is None:
            break
        run = again
    raise RuntimeError(f"run {run.name} kept changing")
