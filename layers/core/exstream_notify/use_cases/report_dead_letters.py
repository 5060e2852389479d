"""Look into the dead-letter queues: what lies there was given up by everything else."""

from collections.abc import Mapping

from ..domain.exceptions import ExceptionRaised
from ..ports import ExceptionBus, Incidents

DOMAIN, RUN = "exnotify", "queues"


def report_dead_letters(depths: Mapping[str, int], *, exceptions: ExceptionBus, incidents: Incidents) -> int:
    """Raise a report per queue that holds messages; the messages in all.

    While an incident of theirs is open, empty queues are reported too: it is over when all are.
    """
    is_open = bool(incidents.open_in(DOMAIN))
    raised = [
        ExceptionRaised(
            "dead_letters",
            "error",
            DOMAIN,
            RUN,
            f"{depth} messages in {queue}" if depth else f"{queue} is empty again",
            part=queue,
            count=depth,
        )
        for queue, depth in sorted(depths.items())
        if depth or is_open
    ]
    exceptions.raise_exceptions(raised)
    return sum(depths.values())
