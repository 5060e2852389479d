"""Stories: what enters the world and when, as plain data, drawn from a seed or written down."""

from .acts import (
    Act,
    Ask,
    Command,
    DropRun,
    HandleIncidents,
    ProviderMood,
    PutEvent,
    Record,
    Reply,
    SetRules,
    Story,
)

__all__ = [
    "Act", "Ask", "Command", "DropRun", "HandleIncidents", "ProviderMood", "PutEvent", "Record", "Reply",
    "SetRules", "Story",
]  # fmt: skip
