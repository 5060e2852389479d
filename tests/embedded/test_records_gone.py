"""The work bucket's parts are deleted, as its lifecycle rule does, under the functions' own roles."""

import time

import pytest

from exnotify.local import LocalCloud

from .conftest import MakeRun, drop, outcomes, record

pytestmark = pytest.mark.slow


def test_a_notice_outlives_its_record_and_is_reported_without_a_dead_letter(make_run: MakeRun) -> None:
    """S3 says "no such key" only to a role that may list the bucket; else this ends in DecideDeadLetters."""
    with LocalCloud(at="2026-11-25T03:30:00+00:00", day=60) as night:
        followed = drop(night, make_run("night", [record(401, email="")]), "night")
        assert outcomes(followed) == {"deferred": 1}
        app = night.deployment().app
        s3, bucket = app.client("s3"), app.settings.work_bucket
        for row in s3.list_objects_v2(Bucket=bucket, Prefix="parts/")["Contents"]:
            s3.delete_object(Bucket=bucket, Key=row["Key"])
        # A warm function has the last slice that it read; another one takes its place.
        drop(night, make_run("other", [record(402)]), "other")
        deadline = time.monotonic() + 90
        while app.ledger.of_customer("retail", "E000401")[0].status == "deferred":
            assert time.monotonic() < deadline
            time.sleep(0.5)
        (notice,) = app.ledger.of_customer("retail", "E000401")
        assert (notice.status, notice.why) == ("failed", "records_gone")
        assert night.idle(30)
        assert {message.to for message in night.messages} >= {"e000402@example.com", "compliance@example.com"}
        assert not [message for message in night.messages if message.channel == "sms"]
        assert {code for incident in app.incidents.all() for code in incident.codes} >= {"records_gone"}
        sqs, name = app.client("sqs"), "ApproximateNumberOfMessages"
        dead = [url for url in sqs.list_queues()["QueueUrls"] if url.endswith("DeadLetters")]
        assert dead
        for url in dead:
            answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])
            assert answer["Attributes"][name] == "0", url
