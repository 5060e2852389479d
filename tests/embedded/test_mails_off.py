"""A stack as it is by default: bounces by mail are taken on no way."""

import json

import pytest

from exnotify.errors import CommandError
from exnotify.local import LocalCloud
from exnotify.receipts import hand_in, reference_to

from .conftest import MakeRun, drop, record
from .test_receipts import a_bounce, notice_of, until

pytestmark = pytest.mark.slow


def test_where_mails_are_off_neither_bucket_nor_queue_takes_one(make_run: MakeRun) -> None:
    with LocalCloud(at="2026-11-24T15:00:00+00:00", parameters={"BounceMails": "off"}) as off:
        drop(off, make_run("off", [record(1, email="silent.off@example.com")]), "off", "off")
        deployment = off.deployment()
        app = deployment.app
        before = notice_of(app, "off", "E000001")
        (mail,) = a_bounce("silent.off@example.com", reference_to(deployment, before.notice_id))
        with pytest.raises(CommandError, match="BounceMails=on"):
            hand_in(deployment, mail)
        place = {"bucket": {"name": off.outputs["BounceMailBucketName"]}, "object": {"key": "mail/1.eml"}}
        off.client("s3").put_object(Bucket=place["bucket"]["name"], Key="mail/1.eml", Body=mail.content)
        assert deployment.settle(60)
        assert not app.incidents.all(), "the rule is disabled"
        event = {"source": "aws.s3", "detail-type": "Object Created", "detail": place}
        off.client("sqs").send_message(
            QueueUrl=deployment.outputs["ReceiptQueueUrl"], MessageBody=json.dumps(event)
        )
        until(lambda: app.incidents.all())
        (incident,) = app.incidents.all()
        assert set(incident.codes) == {"receipt_unknown"}
        assert "BounceMails" in str(incident)
        assert notice_of(app, "off", "E000001") == before
