"""Messages in queues of dead letters, and mails in the bucket of bounce mails, that name the customer."""

import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from exstream_notify.domain.erased import Person

from ..redriving import DeadLetters, Letter, queue_urls
from . import objects
from .work_bucket import Rows

if TYPE_CHECKING:
    from ..deployment import Deployment

_MOST = 100_000
_MAIL_BYTES = 1024 * 1024


def is_about(body: str, person: Person) -> bool:
    """Whether a message names the customer. One about the same key in another domain, or about the account or
    another holder of it, is not theirs: what it says is still to be done."""
    if not person.named_in(body):
        return False
    told = [d for d in _objects(body) if d.get("customer_key") == person.customer_key]
    addressed = any(word.lower() in body.lower() for word in person.words)
    mine = (d for d in told if d.get("domain", person.domain) == person.domain and person.owns(d))
    return addressed or not told or any(mine)


def _objects(value: object) -> Iterator[dict[str, Any]]:
    """Every object in a JSON text, also of one that is a text within."""
    if isinstance(value, str) and value.lstrip().startswith(("{", "[")):
        with suppress(ValueError):
            value = json.loads(value)
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _objects(one)


@dataclass(frozen=True)
class DeadLetterBodies:
    """Dead letters: nothing follows from one about an erased customer, so it is deleted."""

    target: "Deployment"
    person: Person

    def _found(self) -> Iterator[tuple[DeadLetters, Letter, bool]]:
        client = self.target.client("sqs")
        for name, url in sorted(queue_urls(self.target).items()):
            if name.endswith(("DeadLetters", "Failures")):
                letters = DeadLetters(client, name, url, "")
                for letter in list(letters.read(_MOST)):
                    yield letters, letter, is_about(letter.body, self.person)

    def held(self) -> Rows:
        """See `Place.held`."""
        for letters, letter, mine in self._found():
            if mine:
                yield {"queue": letters.name, "message_id": letter.message_id, "body": letter.body}
            letters.put_back(letter)

    def scrub(self) -> int:
        """See `Place.scrub`."""
        changed = 0
        for letters, letter, mine in self._found():
            if mine:
                letters.client.delete_message(QueueUrl=letters.url, ReceiptHandle=letter.receipt)
                changed += 1
            else:
                letters.put_back(letter)
        return changed


@dataclass(frozen=True)
class BounceMails:
    """Mails that came back; what they said is in the ledger as a receipt."""

    target: "Deployment"
    person: Person

    @property
    def _bucket(self) -> str:
        return self.target.outputs.get("BounceMailBucketName", "")

    def _found(self) -> Iterator[tuple[dict[str, Any], str]]:
        client = self.target.app.client("s3")
        for row in objects.versions(client, self._bucket, "") if self._bucket else ():
            stream = (
                None if row["marker"] else objects.body(client, self._bucket, row["Key"], row["VersionId"])
            )
            text = stream.read(_MAIL_BYTES).decode("utf-8", "replace") if stream is not None else ""
            if self.person.named_in(text):
                yield row, text

    def held(self) -> Rows:
        """See `Place.held`."""
        for row, text in self._found():
            yield {"object": row["Key"], "text": text}

    def scrub(self) -> int:
        """See `Place.scrub`."""
        rows = [row for row, _ in self._found()]
        return objects.delete_versions(self.target.app.client("s3"), self._bucket, rows)
