"""Customers of the native manifest whose output went to several queues."""

from collections.abc import Sequence

from ...domain.values import ValueRefused, clean_text, is_unset, type_key
from .faults import Fault, RecordRefused
from .schema import Normalised, QueueUnmapped, RecordSchema

QUEUE = "queue_name"
# What belongs to the one file that an entry describes, not to the other queues' output.
_OF_THE_FILE = ("output_uri", "archive_ref", "content_sha256", "supersedes")


def documents_of_customer(
    schema: RecordSchema, names: tuple[str, ...], values: Sequence[object], left: list[Fault] | None = None
) -> tuple[list[Normalised], list[str]]:
    """The documents that a customer's entry makes, and its queues that no rule maps.

    The entry describes one document: of its own type where it has one, else of the type that a rule
    maps its queue to. Its queue is the one its file lies in, else the first mapped, else the first.
    Every further queue that a rule maps to another type makes a document more, identified by the
    first one's id and the queue. A further queue of the same type is the same document, delivered
    in two ways. Raises `RecordRefused`.
    """
    rest = [at for at, name in enumerate(names) if name != QUEUE]
    fields = schema.fields_of(tuple(names[at] for at in rest), [values[at] for at in rest], left)
    queues = _queues(names, values)
    types = {queue: schema.type_of_queue(queue) for queue in queues}
    mapped = [queue for queue in queues if types[queue]]
    candidates = queues if "document_type" in fields else mapped
    if queues and not candidates:
        return [], queues
    own = _queue_of_file(candidates, fields.get("output_uri", "")) or next(iter(mapped or candidates), None)
    if own is not None:
        fields[QUEUE] = own
    try:
        document = schema.complete(fields, left)
    except QueueUnmapped as unmapped:
        return [], [unmapped.queue]

    documents, made = [document], {document["document_type"]}
    for queue in mapped:
        if types[queue] not in made and queue != own:
            made.add(types[queue])
            further = {name: value for name, value in document.items() if name not in _OF_THE_FILE}
            further[QUEUE] = queue
            further["document_type"] = types[queue]
            further["document_id"] = f"{document['document_id']}:{type_key(queue)}"
            documents.append(further)
    return documents, [queue for queue in queues if queue not in mapped and queue != own]


def _queues(names: Sequence[str], values: Sequence[object]) -> list[str]:
    try:
        texts = [clean_text(str(value)) for name, value in zip(names, values, strict=True) if name == QUEUE]
    except ValueRefused as refused:
        raise RecordRefused(Fault(QUEUE, str(refused))) from None
    return list(dict.fromkeys(text for text in texts if not is_unset(text)))


def _queue_of_file(queues: Sequence[str], path: str) -> str | None:
    folders = {type_key(part) for part in path.replace("\\", "/").split("/")[:-1]}
    return next((queue for queue in queues if type_key(queue) in folders), None)
