"""Asking OpenText for the state of jobs: what is known becomes receipts, what is unknown is named."""

from collections.abc import Collection, Iterator
from typing import Any

from exstream_notify.adapters.providers.opentext import StatusUnavailable
from exstream_notify.adapters.providers.opentext_status import decode_status
from exstream_notify.adapters.receipts.keeping import OpenTextStatus
from exstream_notify.adapters.rules import YamlRules
from exstream_notify.domain.receipts import Kind

from .test_reading import dsn_event, status


def test_each_job_is_answered_by_itself() -> None:
    asked: list[tuple[str, list[str]]] = []
    half = {**status(), "deliveries": [*status()["deliveries"], "no delivery"]}

    class Provider:
        def status(self, channel: str, job_ids: Collection[str]) -> Iterator[Any]:
            asked.append((channel, list(job_ids)))
            yield decode_status(status(**dsn_event(5, 1, 1, message="user unknown")))
            yield StatusUnavailable("j2", "not found", missing=True)
            yield StatusUnavailable("j3", "busy")
            yield decode_status(half)

    source = OpenTextStatus(Provider, lambda: YamlRules().verdicts)
    receipts, missing = source.receipts_of("email", ["j1", "j2", "j3", "j4"])
    assert asked == [("email", ["j1", "j2", "j3", "j4"])]
    assert [receipt.kind for receipt in receipts] == [Kind.SENT, Kind.HARD_BOUNCE, Kind.SENT]
    assert missing == ["j2"]
