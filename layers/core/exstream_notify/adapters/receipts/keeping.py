"""Where receipts and the heads of chains are kept as evidence, and what could not be read."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeAlias

import orjson

from ...domain.documents import Channel
from ...domain.receipts import Receipt
from ...domain.verdicts import Verdicts
from ..providers.opentext_status import JobStatus
from .mails import READ_LIMIT
from .reading import ReceiptUnusable, opentext_receipts

S3Client: TypeAlias = Any
PREFIX = "evidence/receipts/"
UNREAD = "receipts/unread/"


class S3ReceiptEvidence:
    """`ReceiptEvidence`: an object a batch in the evidence bucket, a line a notice, nobody named."""

    def __init__(
        self, client: S3Client, bucket: str, now: Callable[[], datetime], name: Callable[[], str]
    ) -> None:
        self._client = client
        self._bucket = bucket
        self._now = now
        self._name = name

    def reference(self) -> str:
        """See `ReceiptEvidence.reference`."""
        return f"{PREFIX}{self._now().strftime('%Y/%m/%d/%H')}/{self._name()[:20]}.jsonl"

    def anchor(self, reference: str, rows: Sequence[Mapping[str, object]], *, again: bool = False) -> None:
        """See `ReceiptEvidence.anchor`."""
        data = b"".join(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE) for row in rows)
        condition = {"IfNoneMatch": "*"} if again else {}
        try:
            self._client.put_object(Bucket=self._bucket, Key=reference, Body=data, **condition)
        except self._client.exceptions.ClientError as error:
            if not again or error.response["ResponseMetadata"]["HTTPStatusCode"] not in (409, 412):
                raise

    def read(self, reference: str) -> list[dict[str, Any]]:
        """The rows under a name; empty if there is nothing."""
        try:
            body = self._client.get_object(Bucket=self._bucket, Key=reference)["Body"].read()
        except self._client.exceptions.NoSuchKey:
            return []
        return [orjson.loads(line) for line in body.splitlines() if line]


class UnreadReceipts:
    """What lay on the receipt queue and is no receipt: kept under `receipts/unread/` of the work bucket."""

    def __init__(self, client: S3Client, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def keep(self, name: str, body: str) -> str:
        """Keep it under the message's own name, so that a repeat replaces itself; its key."""
        plain = "".join(c for c in name if c.isalnum() or c in "-_")[:80] or "message"
        key = f"{UNREAD}{plain}.json"
        self._client.put_object(Bucket=self._bucket, Key=key, Body=body.encode("utf-8", "replace"))
        return key


def mail_loader(client: S3Client, mails: str) -> Callable[[str, str], bytes]:
    """Reads the beginning of a mail from the bucket `mails`: a larger one says nothing more behind it.

    ReceiptUnusable where a message names another bucket: messages do not choose what this function reads.
    """

    def load(bucket: str, key: str) -> bytes:
        if bucket != mails:
            raise ReceiptUnusable("a mail in a bucket that is not the one for bounce mails")
        answer = client.get_object(Bucket=mails, Key=key, Range=f"bytes=0-{READ_LIMIT - 1}")
        data: bytes = answer["Body"].read()
        return data

    return load


class _AsksStatus(Protocol):
    def status(self, channel: Channel, job_ids: Collection[str]) -> Iterator[Any]: ...


class OpenTextStatus:
    """`StatusSource` on OpenText Notifications."""

    def __init__(self, provider: Callable[[], _AsksStatus], verdicts: Callable[[], Verdicts]) -> None:
        self._provider = provider
        self._verdicts = verdicts

    def receipts_of(self, channel: Channel, job_ids: Collection[str]) -> tuple[list[Receipt], list[str]]:
        """See `StatusSource.receipts_of`; a job that could not be had this time is asked for next time."""
        receipts: list[Receipt] = []
        missing: list[str] = []
        for answer in self._provider().status(channel, job_ids):
            if isinstance(answer, JobStatus):
                try:
                    receipts += opentext_receipts(answer, self._verdicts())
                except ReceiptUnusable as unusable:
                    # What a row could not say is overdue at its deadline, and told then.
                    receipts += unusable.receipts
            elif answer.missing:
                missing.append(answer.job_id)
        return receipts, missing
