"""What lies on the queues between the functions: pointers to records, without personal data."""

from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from .documents import Channel


@dataclass(frozen=True, slots=True)
class SlicePointer:
    """Up to 100 staged records: `length` bytes at `offset` of the part `part`.

    `positions` names the records to look at again (a release); empty means all. `kind` is
    `documents`, or `digests` for the internal teams' counts of a run. `purpose` is what the notices
    are for: a journey's step names itself here, with the `version` of the journey's rule. `notices` are
    those of these positions that wait, where they are known: they are what is left when the part is gone.
    `together` are documents that a step tells of in one message, as ids of their first notices: the first of
    each group stands at one of the positions, and the others may be anywhere.
    """

    domain: str
    run_id: str
    number: int
    part: str
    offset: int
    length: int
    count: int
    first: int
    kind: Literal["documents", "digests"] = "documents"
    positions: tuple[int, ...] = ()
    purpose: str = "notice"
    version: str = ""
    notices: tuple[str, ...] = ()
    together: tuple[tuple[str, ...], ...] = ()

    @property
    def run(self) -> str:
        """The run's full name."""
        return f"{self.domain}/{self.run_id}"

    def to_message(self) -> dict[str, Any]:
        """As it stands on the decide queue; of a journey's step and of notices only where there are some."""
        body = asdict(self)
        if not self.version:
            del body["purpose"], body["version"]
        for name in ("notices", "together"):
            if not body[name]:
                del body[name]
        return body

    @classmethod
    def from_message(cls, body: dict[str, Any]) -> "SlicePointer":
        """From the decide queue; a missing field is a TypeError."""
        listed = {name: tuple(body.get(name, ())) for name in ("positions", "notices")}
        together = tuple(tuple(group) for group in body.get("together", ()))
        return cls(**{**body, **listed, "together": together})


@dataclass(frozen=True, slots=True)
class Member:
    """One notice of a send job.

    `stored` is the ledger's version that the decision was made on (0: the notice is new there),
    `waiting` the channels that follow this attempt (all of them if `both`, else on failure).
    """

    notice_id: str
    position: int
    audience: str = "customer"
    attempt: int = 1
    stored: int = 0
    waiting: tuple[Channel, ...] = ()
    both: bool = False

    def to_message(self) -> list[Any]:
        """Compact form within a job's message."""
        return [
            self.notice_id,
            self.position,
            self.audience,
            self.attempt,
            self.stored,
            list(self.waiting),
            int(self.both),
        ]

    @classmethod
    def from_message(cls, row: list[Any]) -> "Member":
        """Back from the compact form."""
        return cls(row[0], row[1], row[2], row[3], row[4], tuple(row[5]), bool(row[6]))


@dataclass(frozen=True, slots=True)
class SendJob:
    """Notices of one slice for one channel and provider."""

    job_id: str
    pointer: SlicePointer
    channel: Channel
    provider: str
    urgent: bool
    members: tuple[Member, ...]

    @property
    def queue(self) -> str:
        """Which send queue it belongs on: its channel's, or the urgent one."""
        return "urgent" if self.urgent else self.channel

    def to_message(self) -> dict[str, Any]:
        """As it stands on a send queue."""
        return {
            "job_id": self.job_id,
            "pointer": self.pointer.to_message(),
            "channel": self.channel,
            "provider": self.provider,
            "urgent": self.urgent,
            "members": [m.to_message() for m in self.members],
        }

    @classmethod
    def from_message(cls, body: dict[str, Any]) -> "SendJob":
        """From a send queue; a missing field is a KeyError."""
        return cls(
            body["job_id"],
            SlicePointer.from_message(body["pointer"]),
            body["channel"],
            body["provider"],
            body["urgent"],
            tuple(Member.from_message(row) for row in body["members"]),
        )

    @property
    def aside(self) -> tuple[str, str]:
        """What tells it from others where jobs are put aside: the rest of a job has the job's name."""
        return self.job_id, self.members[0].notice_id

    def rest(self, done: int) -> "SendJob":
        """The same job without its first `done` members, for a worker that runs out of time."""
        return replace(self, members=self.members[done:])


@dataclass(frozen=True, slots=True)
class Parked:
    """A job as it was put aside; `mark` is of that one time, so that what is put aside again stays."""

    job: SendJob
    mark: str
