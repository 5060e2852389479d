"""The embedded cloud: the project's own template on one machine, without an account and without containers.

Nothing outlives it: queues, tables and objects live in the memory of the process, and go with it.
"""

from .clock import Clock
from .embedded import CHAOS, EmbeddedCloud
from .functions import FunctionError, Outcome, UnknownFunctionError
from .logs import LogLine, Metric
from .server import ALLOWED, target_is
from .template import TemplateError

__all__ = [
    "ALLOWED",
    "CHAOS",
    "Clock",
    "EmbeddedCloud",
    "FunctionError",
    "LogLine",
    "Metric",
    "Outcome",
    "TemplateError",
    "UnknownFunctionError",
    "target_is",
]
