"""What the checker sees: what went into the product and what came out of it, as plain data.

Nothing here is the product's own: stories fill what went in, the world outside fills what was accepted and
reported, and the command's JSON views fill what the product says of itself. Times are seconds since the
epoch, in the simulated world's own time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Row = Mapping[str, Any]
"""A row of the command's JSON, by the names of docs/cli.md."""

Said = Literal["failed", "delivered", "delayed", "complained", "accepted", "opened", "unclear"]
"""What a report says of a message: it certainly failed, it arrived, it is late, and so on. `unclear` proves
nothing."""


# --- what went in ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Record:
    """One document of a run, as it was dropped. `fit`: whether it can be notified of, by what the story made
    wrong with it; None where the story does not say."""

    fields: Mapping[str, str]
    fit: bool | None = True


@dataclass(frozen=True, slots=True)
class Drop:
    """A run's folder that was dropped, or a single document that came as an event (`event` is true then).

    `sealed_at`: when its seal was there, None for none. `complete`: nothing about its seal, files and
    counts is wrong, so the run must be taken.
    """

    domain: str
    run_id: str
    at: float
    records: Sequence[Record]
    sealed_at: float | None
    complete: bool = True
    event: bool = False

    @property
    def run(self) -> str:
        """Domain and run id, as the command shows the run."""
        return f"{self.domain}/{self.run_id}"


NOBODY_NAMED = "-"
"""The `recipient` of an act about the customer for whom records name none, and not about other holders."""


IN_PART = "paid in part"
"""The response of a payment that does not end anything for certain: of a part, or not for one document."""


@dataclass(frozen=True, slots=True)
class Act:
    """Something that an operator, a customer or another system did.

    `kind` is one of `KINDS`; some kinds last until the act that ends them (`ENDS`). `done` is when the one
    who did it was told that it is done: a command that returned, a page that answered. None: nobody was
    told, as with an event or a text message, so it counts from `at` and the history's slack. `ok` is false
    for what was refused. The other fields name what it is about, empty where it is about all. `response` is
    responded, acknowledged, paid, opened or `IN_PART`; `hours` are a customer's own, `09:00-18:00`.
    """

    kind: str
    at: float
    done: float | None = None
    ok: bool = True
    domain: str = ""
    run: str = ""
    customer: str = ""
    recipient: str = ""
    document: str = ""
    case: str = ""
    channel: str = ""
    address: str = ""
    topic: str = ""
    journey: str = ""
    response: str = ""
    amount: str = ""
    language: str = ""
    hours: str = ""


ENDS: Mapping[str, str] = {
    "hold": "release",
    "switch off": "switch on",
    "stop journey": "resume journey",
    "opt out": "opt in",
    "do not dun": "dun again",
    "legal hold": "legal hold ended",
    "want paper": "want no paper",
    "withdraw consent": "give consent",
}
"""Acts that last, and the act that ends each."""

KINDS = frozenset(
    {*ENDS, *ENDS.values(), "cancel", "erase", "respond", "quiet hours"}
    | {"set address", "may set address", "set language", "may set language", "import language"}
    | {"may not dun"}
)
"""Every kind of act. What *may* be set stands behind what others said; an imported language stands behind
what anybody said, and before a record's; who *may not* be asked for money is under a hold if what says so was
taken."""


@dataclass(frozen=True, slots=True)
class Report:
    """An exception that the composer or another system reported: `code` is the one that the incident must
    have, `count` how many times it happened."""

    at: float
    domain: str
    run: str
    code: str
    count: int = 1
    severity: str = "error"


# --- what came out --------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that a provider accepted: it is on its way to its address, whatever the product knows of it.

    `began` is when the worker's invocation began that handed it over. `heard`: the provider's answer
    reached the worker, and said that it was accepted; None: perhaps. `ref` is the reference that the
    request carries, `<notice id>:<attempt>`; empty for alerts to teams. `links` are its links to documents.
    """

    number: int
    at: float
    began: float
    provider: str
    channel: str
    address: str
    ref: str
    heard: bool | None = True
    subject: str = ""
    text: str = ""
    html: str = ""
    links: Sequence[str] = ()

    @property
    def notice(self) -> str:
        """The notice id that the reference names."""
        return self.ref.partition(":")[0]


@dataclass(frozen=True, slots=True)
class Try:
    """A message that a provider did not accept, and whether the product was told so in so many words.

    `content`: it was refused for what it says, so no later try is taken. `heard`: the answer reached the
    worker.
    """

    at: float
    provider: str
    channel: str
    ref: str
    refused: bool
    content: bool = False
    heard: bool = True

    @property
    def notice(self) -> str:
        """The notice id that the reference names."""
        return self.ref.partition(":")[0]


@dataclass(frozen=True, slots=True)
class Told:
    """A report about an accepted message. `happened` is the time that it states, `at` when the product was
    told.

    `trusted`: it came by a way that proves who says it. `sure` is false for what the product may have
    learned by asking the provider: what it did is right if it knew, and it is not to blame if it did not.
    """

    number: int
    at: float
    happened: float
    said: Said
    trusted: bool = True
    sure: bool = True


@dataclass(frozen=True, slots=True)
class Opened:
    """Somebody opened a link of a message. `led_to` is the key of the document that was shown, empty where
    none was; `person`: somebody pressed the button."""

    number: int
    at: float
    link: str
    led_to: str = ""
    person: bool = True


@dataclass(frozen=True, slots=True)
class Post:
    """An alert that left for a team: by which way (`slack`, `email` …), and everything that it says."""

    at: float
    way: str
    text: str
    team: str = ""


@dataclass(frozen=True, slots=True)
class Published:
    """An event that the product put on the bus for others."""

    at: float
    kind: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Shown:
    """What the command shows when everything has come to rest, at the moment `at`.

    `runs`: `run --json` by name. `rows`: the records of `run --csv` by run. `notices`: `notice --json` by id.
    `incidents`, `journeys`: the lists of these names. `paper`: `paper --json`'s rows by run. `evidence`: by
    notice. `waiting` and `dead`: messages by queue and by queue of dead letters. `sizes`: bytes of what is
    stored of each notice.
    """

    at: float
    runs: Mapping[str, Row] = field(default_factory=dict)
    rows: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    notices: Mapping[str, Row] = field(default_factory=dict)
    incidents: Sequence[Row] = ()
    journeys: Sequence[Row] = ()
    paper: Mapping[str, Sequence[Row]] = field(default_factory=dict)
    evidence: Mapping[str, Row] = field(default_factory=dict)
    waiting: Mapping[str, int] = field(default_factory=dict)
    dead: Mapping[str, int] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Seen:
    """A whole history. `slack`: how many seconds the product may take, under the faults of this history, to
    hear of what nobody was told that it is done. `faults`: whether there were any. `rules`: the sites' own
    rules, one for each deployment, by file and key, laid over those that ship; none: those that ship.
    `delay_wait`: seconds that a message reported as delayed is waited for. `senders_died`: whether a worker
    was killed while it sent.
    """

    shown: Shown
    drops: Sequence[Drop] = ()
    acts: Sequence[Act] = ()
    reports: Sequence[Report] = ()
    sent: Sequence[Sent] = ()
    tries: Sequence[Try] = ()
    told: Sequence[Told] = ()
    opened: Sequence[Opened] = ()
    posts: Sequence[Post] = ()
    published: Sequence[Published] = ()
    slack: float = 900.0
    faults: bool = False
    rules: Sequence[Mapping[str, Mapping[str, Any]]] = ()
    delay_wait: float = 4 * 3600.0
    senders_died: bool = False
