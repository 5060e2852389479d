"""Places of the work bucket: staged records, rejected ones, bulk jobs, receipts that nobody could read."""

import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from exstream_notify.domain.contacts import FIELD_OF
from exstream_notify.domain.erased import ERASED, Person, blanked, reduced_reject

from . import objects

if TYPE_CHECKING:
    from exstream_notify.adapters.bootstrap import Bootstrap

Rows = Iterator[dict[str, Any]]


@dataclass(frozen=True)
class _WorkPlace:
    app: "Bootstrap"
    person: Person

    @property
    def client(self) -> Any:
        """S3."""
        return self.app.client("s3")

    @property
    def bucket(self) -> str:
        """The work bucket."""
        return self.app.settings.work_bucket

    def content(self, key: str) -> bytes:
        """An object's bytes, nothing if it is gone; parts and rejects have eight megabytes at most."""
        stream = objects.body(self.client, self.bucket, key)
        return stream.read() if stream is not None else b""


class RunTimes:
    """When runs were taken, each asked for once."""

    def __init__(self, app: "Bootstrap") -> None:
        self._app = app
        self._known: dict[tuple[str, str], str] = {}

    def at(self, domain: str, run_id: str) -> str:
        """ISO 8601, UTC; empty for a run that is not known."""
        if (domain, run_id) not in self._known:
            run = self._app.runs.get(domain, run_id)
            self._known[domain, run_id] = run.opened_at if run is not None else ""
        return self._known[domain, run_id]


class _Lines(_WorkPlace):
    """Objects of JSON lines under `<prefix><domain>/<run>/`, of runs taken before the erasure."""

    prefix = ""

    @cached_property
    def _times(self) -> RunTimes:
        return RunTimes(self.app)

    def is_mine(self, line: bytes) -> bool:
        """Whether a line is of this customer."""
        raise NotImplementedError

    def blank(self, line: bytes) -> bytes:
        """What is left of it."""
        raise NotImplementedError

    def concerns(self, key: str) -> bool:
        """Whether an object of this name may have such lines."""
        return key.endswith(".jsonl") and not key.endswith("/digests.jsonl")

    def keys(self) -> Iterator[str]:
        """The objects to look into."""
        for key in objects.keys(self.client, self.bucket, f"{self.prefix}{self.person.domain}/"):
            run_id = key.split("/")[2]
            if self.concerns(key) and self.person.existed(self._times.at(self.person.domain, run_id)):
                yield key

    @cached_property
    def _hints(self) -> tuple[bytes, ...]:
        return tuple(hint.encode() for hint in self.person.hints())

    def _mine(self, line: bytes) -> bool:
        lowered = line.lower()
        return any(hint in lowered for hint in self._hints) and self.is_mine(line)

    def found(self) -> Iterator[tuple[str, bytes]]:
        """Every line of this customer, with its object."""
        for key in self.keys():
            data = self.content(key)
            lowered = data.lower()
            if any(hint in lowered for hint in self._hints):
                yield from ((key, line) for line in data.split(b"\n") if line and self._mine(line))

    def held(self) -> Rows:
        """See `Place.held`."""
        for key, line in self.found():
            yield {"object": key, **json.loads(line)}

    def _blanked(self, data: bytes) -> bytes:
        lines = data.split(b"\n")
        return b"\n".join(self.blank(one) if one and self._mine(one) else one for one in lines)

    def scrub(self) -> int:
        """See `Place.scrub`."""
        changed = dict.fromkeys(key for key, _ in self.found())
        return sum(objects.edit(self.client, self.bucket, key, self._blanked) for key in changed)


class StagedRecords(_Lines):
    """Records under `parts/`, blanked in place."""

    prefix = "parts/"

    def is_mine(self, line: bytes) -> bool:
        """By its own fields."""
        return self.person.owns(json.loads(line))

    def blank(self, line: bytes) -> bytes:
        """Its keys, and spaces behind them: slices are found by their bytes."""
        return blanked(line)


def addresses_in_records(app: "Bootstrap", person: Person) -> list[str]:
    """Every address that a staged record of the customer has: the contact knows the newest alone."""
    found = (row.get(name) for row in StagedRecords(app, person).held() for name in FIELD_OF.values())
    return sorted({address for address in found if address})


class RejectedRecords(_Lines):
    """Copies of rejected records under `rejects/`; their place and reason stay."""

    prefix = "rejects/"

    @cached_property
    def _names_a_key(self) -> Callable[[str], bool]:
        aliases = self.app.staging.schema(None, self.person.domain).aliases
        return lambda name: aliases.can_feed(name, "customer_key")

    def concerns(self, key: str) -> bool:
        """Lists of values that were left out have no values in them."""
        from ..records import is_rejects

        return key.endswith(".jsonl") and is_rejects(key)

    def is_mine(self, line: bytes) -> bool:
        """By the copy's own fields where it is JSON, else by its text."""
        raw = str(json.loads(line)["raw"])
        if raw == ERASED:
            return False
        return self.person.named_in(raw) or self._keyed(raw)

    def _keyed(self, raw: str) -> bool:
        try:
            told = json.loads(raw)
        except ValueError:
            return False
        rows = told if isinstance(told, list) else [told]
        return any(
            self._names_a_key(str(name)) and str(value).strip() == self.person.customer_key
            for row in rows
            if isinstance(row, dict)
            for name, value in row.items()
        )

    def blank(self, line: bytes) -> bytes:
        """Where it stood and why it was rejected."""
        return json.dumps(reduced_reject(json.loads(line)), ensure_ascii=False).encode()


class BulkJobs(_WorkPlace):
    """Bulk jobs as posted, under `jobs/`: the customer's destination is taken out.

    A job that is resubmitted then has the others' alone; one without any destination left is deleted.
    """

    @cached_property
    def _refs(self) -> tuple[str, ...]:
        notices = self.app.ledger.of_customer(self.person.domain, self.person.customer_key)
        mine = (n for n in notices if n.recipient == self.person.recipient)
        return tuple(f"{n.notice_id}:" for n in mine if self.person.existed(n.created_at))

    def _concerned(self, data: bytes) -> bool:
        return any(ref.encode() in data for ref in self._refs)

    def _found(self) -> Iterator[tuple[str, bytes]]:
        if self._refs:
            for key in objects.keys(self.client, self.bucket, "jobs/"):
                if self._concerned(data := self.content(key)):
                    yield key, data

    def _mine(self, destination: Any) -> bool:
        return isinstance(destination, dict) and str(destination.get("ref", "")).startswith(self._refs)

    def held(self) -> Rows:
        """See `Place.held`."""
        for key, data in self._found():
            posted = _posted(json.loads(data))
            for destination in filter(self._mine, (posted or {}).get("destinations", ())):
                yield {"object": key, "destination": destination}

    def _without(self, data: bytes) -> bytes | None:
        job = json.loads(data)
        posted = _posted(job)
        if posted is None:
            return None
        left = [one for one in posted["destinations"] if not self._mine(one)]
        if len(left) == len(posted["destinations"]):
            return data
        if not left:
            return None
        posted["destinations"] = left
        job["body"] = base64.b64encode(json.dumps(posted, ensure_ascii=False).encode()).decode()
        return json.dumps(job).encode()

    def scrub(self) -> int:
        """See `Place.scrub`."""
        return sum(objects.edit(self.client, self.bucket, key, self._without) for key, _ in self._found())


def _posted(job: dict[str, Any]) -> dict[str, Any] | None:
    """The request's body, None if it has no list of destinations."""
    try:
        found = json.loads(base64.b64decode(job["body"]))
    except (KeyError, ValueError):
        return None
    return found if isinstance(found, dict) and isinstance(found.get("destinations"), list) else None


class UnreadReceipts(_WorkPlace):
    """Messages under `receipts/unread/` that name the customer."""

    def _found(self) -> Iterator[tuple[str, str]]:
        for key in objects.keys(self.client, self.bucket, "receipts/unread/"):
            text = self.content(key).decode("utf-8", "replace")
            if self.person.named_in(text):
                yield key, text

    def held(self) -> Rows:
        """See `Place.held`."""
        for key, text in self._found():
            yield {"object": key, "text": text}

    def scrub(self) -> int:
        """See `Place.scrub`."""
        found = [key for key, _ in self._found()]
        for key in found:
            self.client.delete_object(Bucket=self.bucket, Key=key)
        return len(found)
