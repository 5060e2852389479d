"""`exnotify receipt` and `exnotify paper`: which way a file's content takes, and what is to be printed."""

import base64
import json
from types import SimpleNamespace
from typing import Any

import pytest

from exnotify.errors import CommandError
from exnotify.paper import COLUMNS, rerun_switches
from exnotify.receipts import PLACEHOLDER, hand_in, parcels
from exstream_notify.adapters.secrets import References
from exstream_notify.domain.references import found_in, verified
from tests.receipts.bounce_mails import KEYS, NOTICE, REFERENCE, dsn

SES = {"eventType": "Bounce", "bounce": {}, "mail": {"tags": {"notice_id": [PLACEHOLDER]}}}
SMS = {"eventType": "TEXT_DELIVERED", "context": {"notice_id": PLACEHOLDER}}
STATUS = {"job_id": "x", "deliveries": [{"ref_base64": base64.b64encode(PLACEHOLDER.encode()).decode()}]}
EXSTREAM = {
    "source": "exstream",
    "detail-type": "Exstream-Email-NDLV",
    "detail": {"expctr": {"schemaType": "x"}},
}


@pytest.mark.parametrize(
    ("document", "kinds"),
    [
        (SES, ["SES event"]),
        ({"source": "aws.ses", "detail-type": "Email Bounced", "detail": SES}, ["SES event"]),
        ({"Type": "Notification", "TopicArn": "a", "Message": json.dumps(SES)}, ["SES event"]),
        (SMS, ["SMS event"]),
        ({"originationNumber": "+1", "messageBody": "STOP"}, ["SMS reply"]),
        (STATUS, ["OpenText status"]),
        (EXSTREAM, ["Exstream event"]),
        ([SES, SMS, STATUS], ["SES event", "SMS event", "OpenText status"]),
        (
            {
                "Records": [
                    {
                        "body": json.dumps(
                            {"Type": "Notification", "TopicArn": "a", "Message": json.dumps(SMS)}
                        )
                    }
                ]
            },
            ["SMS event"],
        ),
    ],
)
def test_the_content_tells_the_kind(document: Any, kinds: list[str]) -> None:
    found = parcels(json.dumps(document).encode(), "f.json", NOTICE)
    assert [parcel.kind for parcel in found] == kinds
    assert PLACEHOLDER not in str([parcel.content for parcel in found])
    assert base64.b64encode(PLACEHOLDER.encode()).decode() not in str([parcel.content for parcel in found])


def test_a_mail_is_a_bounce_mail() -> None:
    (parcel,) = parcels(dsn().replace(REFERENCE, PLACEHOLDER).encode(), "x.eml", NOTICE)
    assert parcel.kind == "bounce mail"
    assert PLACEHOLDER.encode() in parcel.content, "its reference has to be made first"


class Bucket:
    """The bucket of the bounce mails."""

    def __init__(self) -> None:
        self.put: list[bytes] = []

    def put_object(self, Bucket: str, Key: str, Body: bytes) -> None:  # noqa: N803 - boto3's names
        """Keep it."""
        self.put.append(Body)


def a_stack(bucket: Bucket, **parameters: str) -> Any:
    """A deployment that takes mails, if its parameters say so, with one notice of two e-mails."""
    secret: Any = SimpleNamespace(keys=lambda: ("1", {"1": KEYS[1]}))
    attempts = [SimpleNamespace(number=n, channel=c) for n, c in enumerate(("email", "sms", "email"), 1)]
    ledger = SimpleNamespace(get=lambda ids: {NOTICE: SimpleNamespace(attempts=attempts)})
    return SimpleNamespace(
        name="stack x",
        outputs={"BounceMailBucketName": "mails"},
        parameters=parameters,
        client=lambda service: bucket,
        app=SimpleNamespace(references=References(secret), ledger=ledger),
    )


@pytest.mark.parametrize(("notice", "attempt"), [(NOTICE, 3), (f"{NOTICE}:1", 1), (f"{NOTICE}:2", 2)])
def test_a_mail_brings_back_the_reference_of_its_message(notice: str, attempt: int) -> None:
    bucket = Bucket()
    (parcel,) = parcels(dsn().replace(REFERENCE, PLACEHOLDER).encode(), "x.eml", notice)
    hand_in(a_stack(bucket, BounceMails="on"), parcel, notice)
    assert verified(found_in(bucket.put[0].decode())[0], KEYS) == (NOTICE, attempt)


@pytest.mark.parametrize("notice", ["x", f"{NOTICE}:0", f"{NOTICE}:99999", f"{NOTICE}:first", "incident-1:1"])
def test_a_mail_about_no_notice_is_refused(notice: str) -> None:
    (parcel,) = parcels(dsn().replace(REFERENCE, PLACEHOLDER).encode(), "x.eml", notice)
    with pytest.raises(CommandError, match="NOTICE:ATTEMPT"):
        hand_in(a_stack(Bucket(), BounceMails="on"), parcel, notice)


@pytest.mark.parametrize("parameters", [{}, {"BounceMails": "off"}])
def test_a_stack_that_takes_no_mails_says_so(parameters: dict[str, str]) -> None:
    bucket = Bucket()
    (parcel,) = parcels(dsn().encode(), "x.eml", None)
    with pytest.raises(CommandError, match="BounceMails=on"):
        hand_in(a_stack(bucket, **parameters), parcel)
    assert not bucket.put


@pytest.mark.parametrize("data", [b"", b"{}", b"7", b'{"a": 1}', b"no mail at all"])
def test_what_is_none_is_said_to_be_none(data: bytes) -> None:
    with pytest.raises(CommandError):
        parcels(data, "f", None)


def test_a_way_that_a_deployment_lacks_is_said() -> None:
    deployment: Any = SimpleNamespace(name="stack x", outputs={})
    (parcel,) = parcels(json.dumps(SES).encode(), "f", NOTICE)
    with pytest.raises(CommandError, match="no output SesReceiptsTopicArn"):
        hand_in(deployment, parcel)


@pytest.mark.parametrize(
    ("numbers", "told"),
    [
        ([], []),
        (["", 0], []),
        ([7], ["-CUSTOMERLIST=7"]),
        ([2, 7, *range(14, 51)], ["-CUSTOMERLIST=2,7,14-50"]),
        ([3, 1, 2, 2], ["-CUSTOMERLIST=1-3"]),
    ],
)
def test_the_rerun_switch(numbers: list[Any], told: list[str]) -> None:
    assert rerun_switches(({"customer_in_run": number} for number in numbers), 1000) == told


def test_the_reference_files_names_have_no_spaces() -> None:
    assert all(name.replace("_", "").isalnum() for name in COLUMNS)
