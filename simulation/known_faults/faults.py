"""The known faults: what went wrong once, or what a reviewer would try, each as the smallest edit of today's
source that brings it back.

`claims` are those of the checker that the fault contradicts, `profile` is the kind of night in which it is
looked for (simulation/stories/profiles.py). A fault whose text is gone fails loudly: say it anew.
"""

from __future__ import annotations

from .fault import Fault
from .of_runs import RUNS
from .of_workers import WORKERS
from .tried import TRIED

__all__ = ["FAULTS", "Fault"]

FAULTS = (*WORKERS, *RUNS, *TRIED)
"""Every known fault."""
