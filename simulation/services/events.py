"""EventBridge's default bus: events to the rules that match, at least once, in no order.

After the EventBridge user guide and API reference. Patterns are matched by moto's matcher, as the embedded
cloud does (`exnotify.cloud.eventbus.as_matched` has what it lacks). Not simulated: other buses, archives,
input transformers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from moto.events.models import EventPattern

from exnotify.cloud.eventbus import as_matched

from ..nature import Nature
from ..service import Refused
from .operations import ACCOUNT, REGION, Answer, Operation, Request, Simulated, known

ENTRY_BYTES = 256 * 1024
"""Of all entries of a call together; the time of an event counts 14: "Calculating PutEvents event entry
size", EventBridge user guide."""
_ENTRIES = 10
_FIELDS = {"Source", "DetailType", "Detail", "Time", "Resources", "EventBusName"}
_FAILURES = ("InternalFailure", "ThrottlingException")


@dataclass(frozen=True, slots=True)
class Rule:
    """An enabled rule with a pattern, and the ARNs of its targets."""

    name: str
    pattern: EventPattern
    sources: frozenset[str] | None
    """The only sources that it can match; None for any."""
    targets: tuple[str, ...]

    @classmethod
    def deployed(cls, name: str, properties: Mapping[str, Any]) -> Rule | None:
        """From the resolved properties of an AWS::Events::Rule; None for one that matches no events."""
        pattern = properties.get("EventPattern")
        if pattern is None or properties.get("State", "ENABLED") != "ENABLED":
            return None
        for target in properties.get("Targets", ()):
            if unknown := target.keys() - {"Id", "Arn", "DeadLetterConfig", "RetryPolicy"}:
                raise NotImplementedError(f"target of {name}: {', '.join(sorted(unknown))}")
        sources = pattern.get("source")
        plain = sources is not None and all(isinstance(source, str) for source in sources)
        return cls(
            name,
            EventPattern.load(json.dumps(pattern)),
            frozenset(sources) if plain else None,
            tuple(target["Arn"] for target in properties.get("Targets", ())),
        )


class EventBridge(Simulated):
    """The `Service`. `deliver(target ARN, event, name)` hands an event to a target; `name` names the
    delivery, once in a history. `on_event` sees each event once, when it is put.

    Faults: `events_partial`, an entry that fails; `event_twice`; `event_late`, minutes or hours.
    """

    name = "events"

    def __init__(
        self,
        nature: Nature,
        rules: Iterable[Rule],
        deliver: Callable[[str, dict[str, Any], str], None],
        on_event: Callable[[dict[str, Any]], None] = lambda event: None,
    ) -> None:
        super().__init__(nature)
        self.rules = list(rules)
        self._deliver = deliver
        self._on_event = on_event
        self._operations: Mapping[str, Operation] = {
            "PutEvents": (self._put_events, known("Entries")),
        }

    def emit(self, event: Mapping[str, Any]) -> None:
        """An event of another service: source, detail-type, resources, detail."""
        self._route({**event, "time": self._time(None)})

    def _put_events(self, request: Request) -> Answer:
        entries: Sequence[Mapping[str, Any]] = request["Entries"]
        if not 1 <= len(entries) <= _ENTRIES:
            raise Refused("ValidationException", "Member must have length between 1 and 10, inclusive")
        if sum(map(_size, entries)) > ENTRY_BYTES:
            raise Refused(
                "ValidationException", "Total size of the entries in the request is over the limit."
            )
        rows = [self._put(number, entry) for number, entry in enumerate(entries)]
        return {"FailedEntryCount": sum("ErrorCode" in row for row in rows), "Entries": rows}

    def _put(self, number: int, entry: Mapping[str, Any]) -> dict[str, str]:
        if unknown := entry.keys() - _FIELDS:
            raise NotImplementedError(f"events: PutEvents with {', '.join(sorted(unknown))}")
        if entry.get("EventBusName", "default") != "default":
            raise NotImplementedError(f"events: the bus {entry['EventBusName']}")
        for name in ("Source", "DetailType", "Detail"):
            if not entry.get(name):
                return _failed("InvalidArgument", f"Parameter {name} is not valid. Reason: it is missing.")
        try:
            detail = json.loads(entry["Detail"])
        except ValueError:
            detail = None
        if not isinstance(detail, dict):
            return _failed("MalformedDetail", "Detail is malformed.")
        if self.fault("events_partial", f"entry {number}"):
            return _failed(self.nature.chance.one_of(f"failure {self.nature.place} {number}", _FAILURES), "")
        event = {
            "detail-type": entry["DetailType"],
            "source": entry["Source"],
            "time": self._time(entry.get("Time")),
            "resources": list(entry.get("Resources", ())),
            "detail": detail,
        }
        return {"EventId": self._route(event)}

    def _time(self, given: datetime | float | None) -> str:
        moment = given.timestamp() if isinstance(given, datetime) else given
        return self.utc(moment).strftime("%Y-%m-%dT%H:%M:%SZ")

    def _route(self, about: Mapping[str, Any]) -> str:
        event = {
            "version": "0",
            "id": self.new_uuid("event"),
            "detail-type": about["detail-type"],
            "source": about["source"],
            "account": ACCOUNT,
            "time": about["time"],
            "region": REGION,
            "resources": about["resources"],
            "detail": about["detail"],
        }
        self._on_event(event)
        flat: dict[str, Any] | None = None
        for rule in self.rules:
            if rule.sources is not None and event["source"] not in rule.sources:
                continue
            if flat is None:
                flat = EventPattern._flatten_dict(as_matched(event))
            if rule.pattern._does_event_match(flat, rule.pattern.get_pattern()):
                for target in rule.targets:
                    self._carry(event, target, f"{rule.name} {target.rpartition(':')[2]} {event['id']}")
        return str(event["id"])

    def _carry(self, event: dict[str, Any], target: str, name: str) -> None:
        chance = self.nature.chance
        names = [name, f"{name} again"] if chance.happens("event_twice", name) else [name]
        for one in names:
            if chance.happens("event_late", one):
                delay = 60.0 * 360.0 ** chance.uniform(f"event_late {one}", 0.0, 1.0)
            else:
                delay = chance.uniform(f"event transit {one}", 0.05, 2.0)
            self.nature.timeline.after(delay, lambda one=one: self._deliver(target, event, one))  # type: ignore[misc]


def _failed(code: str, message: str) -> dict[str, str]:
    return {"ErrorCode": code, "ErrorMessage": message}


def _size(entry: Mapping[str, Any]) -> int:
    texts = [str(entry.get(name) or "") for name in ("Source", "DetailType", "Detail")]
    texts += map(str, entry.get("Resources") or ())
    return sum(len(text.encode()) for text in texts) + (14 if entry.get("Time") else 0)
