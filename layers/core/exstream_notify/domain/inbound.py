"""A customer's SMS reply as it comes in."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Reply:
    """`number` wrote `text` to `destination`; `reply_id` is the carrier's id of it, the same on a repeat.

    `answers` is the provider's id of the message of ours that it answers, empty where that is not told.
    `at` is when the carrier handed it over (ISO 8601, UTC), empty where that is not known.
    """

    reply_id: str
    number: str = field(repr=False)
    text: str = field(repr=False)
    destination: str = ""
    answers: str = ""
    at: str = ""
