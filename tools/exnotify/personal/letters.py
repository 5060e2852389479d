"""Messages in queues of dead letters, and mails in the bucket of bounce mails, that name the customer."""

from collections.abc import Iterator
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
                    yield letters, letter, self.person.named_in(letter.body)

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
