"""An erasure that is under way: whom it is about, kept until it is done, so that it can be finished.

The contact's profile goes first, since nothing may be sent from then on. What is left has to be found by the
key and the addresses all the same, if the command is stopped half-way. The ticket is an object
`erasures/<hash>.json` of the work bucket; it is deleted when nothing is left, and expires after thirty days.
"""

import hashlib
import json
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from exstream_notify.domain.erased import Person

from . import objects

if TYPE_CHECKING:
    from exstream_notify.adapters.bootstrap import Bootstrap

PREFIX = "erasures/"


def _key(person: Person) -> str:
    name = f"{len(person.domain)}:{person.domain}{person.contact_key}"
    return f"{PREFIX}{hashlib.sha256(name.encode()).hexdigest()[:32]}.json"


def find(app: "Bootstrap", person: Person) -> Person | None:
    """The erasure of this customer that is under way; None if there is none."""
    stream = objects.body(app.client("s3"), app.settings.work_bucket, _key(person))
    if stream is None:
        return None
    told = json.loads(stream.read())
    return Person(**{**told, "words": tuple(told["words"])})


def keep(app: "Bootstrap", person: Person) -> Person:
    """Keep it; with the words of one that was not finished, which nothing else knows any more."""
    before = find(app, person)
    words = (*person.words, *(before.words if before is not None else ()))
    handle = person.handle or (before.handle if before is not None else "")
    person = replace(person, words=tuple(dict.fromkeys(words)), handle=handle)
    body = json.dumps(asdict(person)).encode()
    app.client("s3").put_object(Bucket=app.settings.work_bucket, Key=_key(person), Body=body)
    return person


def drop(app: "Bootstrap", person: Person) -> None:
    """It is done."""
    app.client("s3").delete_object(Bucket=app.settings.work_bucket, Key=_key(person))
