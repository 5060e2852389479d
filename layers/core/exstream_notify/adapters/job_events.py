"""What a cloud-native site's orchestration says of jobs, flow instances and their steps, as exceptions.

Status `uninitialized started waiting holding complete error canceled deleted`; `externalId` is the site's own
key of the run (FACTS, section 1). How the events are nested is not public: whatever has a status counts.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..domain.customer_ranges import to_text
from ..domain.exceptions import ExceptionRaised, Severity
from ..domain.masking import WITHHELD, Vocabulary
from ..domain.twins import content_of

if TYPE_CHECKING:
    from ..domain.composer_messages import Group

_CANCELED = {"job": "job_canceled", "step": "step_canceled"}
_FAILED = {"job": "job_failed", "step": "step_failed"}
NOT_SUCCEEDED: Mapping[str, Mapping[str, str]] = {
    "error": _FAILED, "failed": _FAILED, "canceled": _CANCELED, "cancelled": _CANCELED,
}  # fmt: skip
"""Statuses, in small letters, of what did not succeed (template.yaml's JobFailedRule): the code of a job, and
that of a step."""

_WORDS: Mapping[str, Severity] = {
    "severe": "severe", "fatal": "severe", "error": "error", "warning": "warning", "info": "info",
}  # fmt: skip
_DEPTH = 8
_NODES = 2000
_IDS = ("run_id", "runId", "externalId", "external_id")
_OWN_IDS = ("jobId", "job_id", "flowInstanceId", "communicationId", "campaignId", "id")
_STEP_NAMES = ("stepName", "step", "name", "displayName", "type", "stepId", "id")
_MESSAGES = ("messages", "message", "errors", "errorMessages", "errorMessage", "log")


@dataclass(frozen=True, slots=True)
class JobPart:
    """A job, a flow instance or a step with a status: `kind` is `job` or `step`."""

    kind: str
    status: str
    body: Mapping[str, Any]


def job_parts(detail: object) -> list[JobPart]:
    """Everything in an event's detail that has a status, from the outside in."""
    return list(_parts(detail, "job", 0))[:_NODES]


def _parts(value: object, kind: str, depth: int) -> Iterator[JobPart]:
    if depth > _DEPTH:
        return
    if isinstance(value, list):
        for inner in value:
            yield from _parts(inner, kind, depth + 1)
    elif isinstance(value, dict):
        if isinstance(status := value.get("status"), str):
            yield JobPart(kind, status.strip().lower(), value)
        for name, inner in value.items():
            if isinstance(inner, dict | list) and name not in ("user", *_MESSAGES):
                yield from _parts(inner, "step" if "step" in name.lower() else kind, depth + 1)


def run_names(detail: Mapping[str, Any], parts: list[JobPart]) -> Iterator[object]:
    """What may name the run: the site's own key first, then the orchestration's ids."""
    for names in (_IDS, _OWN_IDS):
        for body in bodies(detail, parts):
            told = [body.get(name) for name in names]
            yield from (str(id_) if type(id_) is int else id_ for id_ in told)


def bodies(detail: Mapping[str, Any], parts: list[JobPart]) -> Iterator[Mapping[str, Any]]:
    """What may say whose an event is: its detail, what stands directly in it, and all that has a status."""
    yield detail
    yield from (value for value in detail.values() if isinstance(value, dict))
    yield from (part.body for part in parts)


def failures_of(
    parts: list[JobPart],
    domain: str,
    run_id: str,
    word: Callable[[object], str],
    vocabulary: Vocabulary,
) -> list[ExceptionRaised]:
    """An exception for each step that did not succeed, for the job where no step says why, and for each
    code in their messages. `word` makes a name of a value, so that nothing else gets out.

    A part of a job is named by what it is, not by its event: the same status told again counts once.
    """
    failing = [part for part in parts if part.status in NOT_SUCCEEDED]
    causes = [part for part in failing if part.kind == "step"] or failing[:1]
    raised: list[ExceptionRaised] = []
    labels: dict[str, int] = {}
    for part in failing:
        code = NOT_SUCCEEDED[part.status][part.kind]
        name = next((word(part.body[n]) for n in _STEP_NAMES if part.body.get(n)), "")
        label = f"step {name}".strip() if part.kind == "step" else "job"
        labels[label] = again = labels.get(label, 0) + 1
        place = f"{label} {again}" if again > 1 else label
        said = [part.body.get(key) for key in _MESSAGES]
        if part in causes:
            how = code.rpartition("_")[2]
            told = ExceptionRaised(code, "error", domain, run_id, f"{label} {how}", place)
            step = {"step": name} if part.kind == "step" and name else {}
            alone = (WITHHELD,) if any(isinstance(text, str) for text in said) else ()
            told = replace(told, detail=step, samples=alone, names=(name,))
            raised.append(told.as_it_leaves(vocabulary.shown))
        for group in _grouped(said):
            told = ExceptionRaised(
                group.code,
                group.severity,
                domain,
                run_id,
                f"{group.code} in the messages of the {label}",
                place,
                group.count,
                samples=vocabulary.samples(group.sampled, group.customers.count),
                customers=to_text(group.customers.ranges()),
                content=content_of(group, "job"),  # a job and its step may say the same
                names=(name,),
            )
            raised.append(told.as_it_leaves(vocabulary.shown))
    return raised


def _grouped(said: list[object]) -> list["Group"]:
    """The coded messages among what a part of a job says, but for mere information."""
    from ..domain.composer_messages import Grouped  # needed for a job's messages alone
    from ..domain.message_fields import messages_of_object

    grouped = Grouped(lambda code, severity: None if severity == "info" else severity)
    for message in messages_of_object(said, _WORDS):
        grouped.add(message)
    return sorted(grouped.groups.values(), key=lambda group: group.code)
