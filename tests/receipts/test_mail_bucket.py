"""Bounce mails are read from their own bucket, whatever a message says."""

import io
from typing import Any

import pytest

from exstream_notify.adapters.receipts.keeping import mail_loader
from exstream_notify.adapters.receipts.reading import ReceiptUnusable


class Mails:
    """S3 with one mail in the bucket `mails`."""

    def get_object(self, *, Bucket: str, Key: str, Range: str) -> dict[str, Any]:  # noqa: N803
        assert (Bucket, Key) == ("mails", "m1")
        return {"Body": io.BytesIO(b"Subject: undeliverable")}


def test_a_mail_is_read_from_the_bucket_for_mails() -> None:
    assert mail_loader(Mails(), "mails")("mails", "m1") == b"Subject: undeliverable"


def test_a_message_does_not_choose_another_bucket() -> None:
    with pytest.raises(ReceiptUnusable, match="not the one for bounce mails"):
        mail_loader(Mails(), "mails")("evidence", "m1")
