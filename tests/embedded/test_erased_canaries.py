"""Canary words of customers, planted wherever a customer's data comes in: one is erased, one is held by law.

After the night no table, object, version, queue, log or message has a word of the erased customer, and every
word of the others is where it was. An access request before the erasure has shown every word.
"""

import base64
import gzip
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from exnotify.holdings import erase
from exnotify.local import LocalCloud
from exnotify.personal import places
from tests.cli.shell import exnotify

from .conftest import drop, outcomes

pytestmark = pytest.mark.slow

DOMAIN = "vault"
GONE, STAYS, BOUND = "vexo", "quilb", "hespe"
"""The beginning of each customer's words: erased, untouched, under a legal hold."""
NUMBERS = {GONE: "+12025550121", STAYS: "+12025550122", BOUND: "+12025550123"}
NEW_NUMBERS = {GONE: "+12025550131", STAYS: "+12025550132", BOUND: "+12025550133"}


def key(name: str) -> str:
    return f"K-{name.upper()[0]}17"


def record(name: str, document: str, **fields: Any) -> dict[str, Any]:
    """A record with a canary in every field that can have one."""
    return {
        "customer_key": key(name), "document_id": f"{key(name)}-{document}", "document_type": document,
        "customer_in_run": "1", "email": f"{name}mail@example.com", "mobile": NUMBERS[name],
        "language": "en", "time_zone": "America/New_York", "first_name": f"{name}first",
        "last_name": f"{name}last", "account_number": f"{name}account9911", "reference_no": f"{name}reference",
        "amount_due": "120.50", "currency": "USD", "due_date": "2026-12-24", "postcode": f"{name}zip",
        "statement_period": f"{name}period", "archive_ref": f"{name}archive", "case_id": f"{name}case",
        "case_type": f"{name}kind", "queue_name": f"{name}queue", "output_uri": f"output/Q/{name}-{document}.pdf",
        **fields,
    }  # fmt: skip


def write_run(folder: Path, name: str, records: list[dict[str, Any]]) -> Path:
    run = folder / name
    (run / "output" / "Q").mkdir(parents=True)
    for row in records:
        (run / str(row["output_uri"])).write_text(
            f"%PDF {row['first_name'].removesuffix('first')}content", "utf-8"
        )
    lines = "".join(json.dumps(row) + "\n" for row in records)
    (run / f"{name}.index.jsonl").write_text(lines, "utf-8")
    return run


@pytest.fixture(scope="module")
def logs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def cloud(logs: Path) -> Iterator[LocalCloud]:
    with LocalCloud(at="2026-11-25T02:30:00+00:00", day=240, working_rate=10, data=logs) as running:
        yield running


class Shell:
    """The command on this cloud."""

    def __init__(self, cloud: LocalCloud, folder: Path) -> None:
        self.cloud = cloud
        self._folder = folder

    def __call__(self, *arguments: object, code: int = 0) -> Any:
        done = exnotify(*arguments)
        assert done.code == code, (done.out, done.err)
        return done

    def event(self, kind: str, name: str, **detail: Any) -> None:
        path = self._folder / "event.json"
        told = {"domain": DOMAIN, "customer_key": key(name), **detail}
        path.write_text(json.dumps({"source": "portal", "detail-type": kind, "detail": told}))
        self("event", path)
        assert self.cloud.idle(60)


@pytest.fixture(scope="module")
def shell(cloud: LocalCloud, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("EXNOTIFY_URL", cloud.url)
        yield Shell(cloud, tmp_path_factory.mktemp("events"))


def everything(cloud: LocalCloud, logs: Path, sent_from: int) -> dict[str, str]:
    """All that is stored anywhere, by place, as readable as we can make it."""
    found: dict[str, str] = {}
    dynamodb, s3, sqs = (cloud.client(name) for name in ("dynamodb", "s3", "sqs"))
    for table in dynamodb.list_tables()["TableNames"]:
        for page in dynamodb.get_paginator("scan").paginate(TableName=table):
            for item in page["Items"]:
                keys = "/".join(item[name]["S"] for name in ("pk", "sk") if name in item)
                found[f"table {table} {keys}"] = json.dumps(item, ensure_ascii=False)
    for bucket in (row["Name"] for row in s3.list_buckets()["Buckets"]):
        for page in s3.get_paginator("list_object_versions").paginate(Bucket=bucket):
            for row in page.get("Versions", ()):
                body = s3.get_object(Bucket=bucket, Key=row["Key"], VersionId=row["VersionId"])["Body"].read()
                found[f"object {bucket} {row['Key']} {row['VersionId']}"] = row["Key"] + readable(body)
    for url in sqs.list_queues().get("QueueUrls", ()):
        told = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=0)
        for message in told.get("Messages", ()):
            found[f"message {url} {message['MessageId']}"] = message["Body"]
    for path in logs.rglob("*.log"):
        found[f"log {path.name}"] = path.read_text("utf-8")
    for message in cloud.messages:
        if message.number > sent_from:
            found[f"sent {message.number}"] = f"{message.to} {message.subject} {message.text} {message.html}"
    return found


def readable(body: bytes) -> str:
    """Text of what may be packed, or have a text in base64 within."""
    text = (gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body).decode("utf-8", "replace")
    try:
        told = json.loads(text)
        return text + base64.b64decode(told["body"]).decode("utf-8", "replace")
    except (ValueError, KeyError, TypeError):
        return text


def words_in(texts: dict[str, str], name: str) -> dict[str, list[str]]:
    """Where the words of a customer are, by word."""
    words = [f"{name}{end}" for end in WORDS] + [NUMBERS[name].lstrip("+"), NEW_NUMBERS[name].lstrip("+")]
    found = {word: [place for place, text in texts.items() if word in text] for word in words}
    return {word: where for word, where in found.items() if where}


WORDS = (
    "mail@example.com", "first", "last", "account9911", "reference", "zip", "period", "archive", "case",
    "kind", "queue", "new@example.com", "signed", "statement", "reply", "early", "payer", "junk", "content",
    "rejected", "message", "letter",
)  # fmt: skip


class Stopped(BaseException):
    """The command is stopped; nothing catches that."""


class Dying:
    """A client with which the command dies right after so many writes."""

    def __init__(self, client: Any, left: list[int]) -> None:
        self._client = client
        self._left = left

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._client, name)
        if not name.startswith(("put_", "delete_", "update_", "transact_", "upload_")):
            return found

        def call(*arguments: Any, **named: Any) -> Any:
            answer = found(*arguments, **named)
            self._left[0] -= 1
            if not self._left[0]:
                raise Stopped
            return answer

        return call


def stopped_after(writes: int, cloud: LocalCloud) -> None:
    """An erasure, or what is left of one, that dies after so many writes."""
    left = [writes]
    target = replace(cloud.deployment(), client=lambda service: Dying(cloud.client(service), left))
    contact = target.app.contacts.get(DOMAIN, [key(GONE)])[key(GONE)]
    with pytest.raises(Stopped):
        erase(target, contact, "asked in writing")


def plant(cloud: LocalCloud, shell: Shell, folder: Path) -> None:
    """Everything a customer's data can come in by."""
    people = (GONE, STAYS, BOUND)
    first = [record(name, kind) for name in people for kind in ("statement", "payment-reminder")]
    first += [record(name, "policy-document", requires_ack="yes") for name in people]
    run = write_run(folder, "first", first)
    rejected = "".join(
        json.dumps({"customer_key": key(name), "document_id": "", "email": f"{name}rejected@example.com"})
        + "\n"
        for name in people
    )
    (run / "more.index.jsonl").write_text(rejected, "utf-8")
    lines = [f"EX005301E ({n}) customer {key(name)} {name}message" for n, name in enumerate(people, 1)]
    (run / "ExstreamMessages.dat").write_text("\n".join(lines) + "\n", "utf-8")
    drop(cloud, run, "first", DOMAIN)
    for name in people:
        shell.event(
            "Preferences Changed", name, email=f"{name}new@example.com", channel_order=["sms", "email"]
        )
        shell.event(
            "Document Acknowledged", name, document_id=f"{key(name)}-policy-document",
            acknowledged_by=f"{name}signed", statement=f"{name}statement",
        )  # fmt: skip
        shell.event("Document Acknowledged", name, document_id="unknown-1", acknowledged_by=f"{name}early")
        shell.event("Payment Received", name, document_id="unknown-2", amount="5.00", currency="USD")
        shell.event(
            "Payment Received", name, document_id=f"{key(name)}-payment-reminder", acknowledged_by=f"{name}payer",
            amount="5.00", currency="USD",
        )  # fmt: skip
        shell("reply", NUMBERS[name], f"what is this, {name}reply?")
        junk = f"{name}mail@example.com {name}junk"
        settings = cloud.deployment().settings
        cloud.client("sqs").send_message(QueueUrl=settings.receipt_queue_url, MessageBody=junk)
        letters = cloud.resource("DecideDeadLetters")
        cloud.client("sqs").send_message(QueueUrl=letters, MessageBody=f"{name}mail@example.com {name}letter")
    assert cloud.idle(90)
    shell("export", "--domain", DOMAIN)
    shell("contact", key(GONE), "--domain", DOMAIN, "--set", "language=es")
    shell("export", "--domain", DOMAIN)
    night = write_run(folder, "night", [record(name, "invoice", email="") for name in people])
    assert outcomes(drop(cloud, night, "night", DOMAIN)) == {"deferred": 3}


@dataclass
class Story:
    """What was planted and seen before and right after the erasure."""

    planted: dict[str, dict[str, list[str]]]
    held: dict[str, Any]
    sent: int
    at_once: dict[str, str]


@pytest.fixture(scope="module")
def story(cloud: LocalCloud, logs: Path, shell: Shell, tmp_path_factory: pytest.TempPathFactory) -> Story:
    """All is planted, one customer is held by law, and the erasure of another is stopped again and again."""
    folder = tmp_path_factory.mktemp("runs")
    plant(cloud, shell, folder)
    before = everything(cloud, logs, 0)
    path = folder / "held.json"
    shell("contact", key(GONE), "--domain", DOMAIN, "--held", path)
    shell("contact", key(BOUND), "--domain", DOMAIN, "--set", "legal_hold=case 9", "--why", "court")
    shell("contact", key(BOUND), "--domain", DOMAIN, "--erase", "--why", "asked", code=1)
    sent = max(message.number for message in cloud.messages)
    for writes in (1, 2, 4, 8, 16):
        stopped_after(writes, cloud)
    shell("contact", key(GONE), "--domain", DOMAIN, "--erase", "--why", "asked in writing")
    planted = {name: words_in(before, name) for name in (GONE, STAYS, BOUND)}
    return Story(planted, json.loads(path.read_text("utf-8")), sent, everything(cloud, logs, sent))


@pytest.mark.timeout(600)
def test_an_access_request_shows_every_word_and_no_other_customer_s(story: Story) -> None:
    assert not [w for w in WORDS if f"{GONE}{w}" not in story.planted[GONE] and w not in SEALED]
    text = json.dumps(story.held, ensure_ascii=False)
    wanted = (*story.planted[GONE], *(f"{GONE}{word}" for word in SEALED))
    assert not [word for word in wanted if word not in text]
    assert STAYS not in text
    assert not [name for name in places.PLACES if not story.held[name] and name not in EMPTY]


def test_no_word_of_the_erased_is_left_and_every_word_of_the_others(story: Story) -> None:
    assert words_in(story.at_once, GONE) == {}
    for name in (STAYS, BOUND):
        assert set(story.planted[name]) - set(words_in(story.at_once, name)) == set()


@pytest.mark.timeout(600)
def test_nor_does_any_come_back_in_the_night(cloud: LocalCloud, logs: Path, story: Story) -> None:
    deadline = time.monotonic() + 400
    while not [m for m in cloud.messages if m.number > story.sent and m.to == NUMBERS[STAYS]]:
        assert time.monotonic() < deadline, cloud.clock.utc()
        time.sleep(1)
    assert cloud.idle(120)
    after = everything(cloud, logs, story.sent)
    assert words_in(after, GONE) == {}
    for name in (STAYS, BOUND):
        assert set(story.planted[name]) <= set(words_in(after, name))


SEALED = ("reply",)
"""Words that are kept sealed alone: the access request opens them."""

EMPTY = ("bounce_mails",)
"""Places that this story has nothing for."""
