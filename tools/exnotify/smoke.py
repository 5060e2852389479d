"""One marked notice through a stack, to the operator's own address, followed to its receipt.

It is a real notice and takes the real way: a record with `test_flag` would be suppressed. What keeps it apart
are customer keys, a domain and an application of its own, and a document type that nothing follows.
"""

import json
import re
import tempfile
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from .errors import CommandError, MisuseError

if TYPE_CHECKING:
    from exstream_notify.adapters.rules import YamlRules
    from exstream_notify.domain.documents import Channel, Document, DocumentRule
    from exstream_notify.domain.notices import Notice

    from .deployment import Deployment

MARK = "SMOKE"
"""Begins the customer keys of smoke notices; the application of their runs, by which volumes are compared."""

DOMAIN = "smoke"
TIMEOUT = 180.0
_LOOK = 0.5

End = Literal["delivered", "accepted", "failed"]

_MOBILE = re.compile(r"\+[1-9][0-9]{6,14}")


@dataclass(frozen=True, slots=True)
class Planned:
    """What is to be sent, and to whom; `run_id` names its run in `domain`."""

    to: str
    channel: "Channel"
    document_type: str
    domain: str
    run_id: str

    @property
    def customer_key(self) -> str:
        """One for each channel, so that no other address of the operator's is fallen back to."""
        return f"{MARK}-{self.channel.upper()}"

    @property
    def said(self) -> str:
        """As a sentence."""
        return (
            f"one real {self.channel} message, the wording of {self.document_type}, as customer "
            f"{self.customer_key} of domain {self.domain}, to {self.to}"
        )

    @property
    def record(self) -> dict[str, str]:
        """The run's one record. Its name and reference say in an e-mail that this is a test."""
        return {
            "customer_key": self.customer_key,
            "document_id": self.run_id.upper(),
            "document_type": self.document_type,
            "customer_in_run": "1",
            "output_uri": "smoke-test.pdf",
            "first_name": "Smoke",
            "last_name": "Test",
            "reference_no": self.run_id.upper(),
            {"email": "email", "sms": "mobile"}[self.channel]: self.to,
        }


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage of the way: whether it was reached, after how many seconds since the one before."""

    name: str
    reached: bool
    seconds: float
    said: str


@dataclass(slots=True)
class Smoke:
    """How far the notice came. `advice` says what to do first, empty when it was delivered."""

    planned: Planned
    stages: list[Stage] = field(default_factory=list)
    end: End = "failed"
    notice_id: str = ""
    advice: str = ""

    def told(self) -> dict[str, Any]:
        """In the form of `exnotify smoke --json`."""
        return {
            "end": self.end,
            "run": f"{self.planned.domain}/{self.planned.run_id}",
            "notice_id": self.notice_id or None,
            "channel": self.planned.channel,
            "document_type": self.planned.document_type,
            "stages": [
                {"stage": s.name, "reached": s.reached, "seconds": round(s.seconds, 1), "said": s.said}
                for s in self.stages
            ],
            "advice": self.advice,
        }


# ---- what is sent ----


def plan_smoke(
    rules: "YamlRules", to: str, *, document_type: str | None = None, domain: str | None = None
) -> Planned:
    """What would be sent to an address; MisuseError for one that is none, or a type that has consequences."""
    channel: Channel = "sms" if _MOBILE.fullmatch(to) else "email"
    if channel == "email" and not re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", to):
        raise MisuseError(f"{to!r} is neither an e-mail address nor a number like +12025550142")
    domain = domain or DOMAIN
    if rules.domain(domain).unknown:
        raise MisuseError(
            f"rules/domains.yaml does not know the domain {domain}: add it, or name one with --domain"
        )
    if document_type is None:
        document_type = next((t for t in rules.types if not unsuited(rules, t, channel)), None)
        if document_type is None:
            raise MisuseError(
                f"no document type of the rules suits a test by {channel}: name one with --type"
            )
    elif document_type not in rules.types:
        raise MisuseError(f"the rules have no document type {document_type}")
    elif why := unsuited(rules, document_type, channel):
        raise MisuseError(f"{document_type} does not suit a test: {why}")
    stamp = datetime.now(UTC).strftime("%Y%m%dt%H%M%S")
    return Planned(to, channel, document_type, domain, f"smoke-{stamp}")


def unsuited(rules: "YamlRules", document_type: str, channel: "Channel") -> str:
    """What would follow a notice of this type beside the one message, or stand in its way; empty: nothing."""
    rule = rules.variants(document_type)[0]
    begun = [name for name, journey in rules.journeys().items() if document_type in journey.documents]
    reasons: Mapping[str, object] = {
        f"it is not sent by {channel}": channel not in rule.channels,
        f"it begins the journey {', '.join(begun)}": begun,
        "internal teams get a copy": rule.team_copy != "none" and rule.teams,
        "Exstream would be asked to print it": rule.paper_on_failure,
        "it needs a customer's consent": rule.consent == "required",
        "it asks for money": rule.demands_payment,
        "it is marketing": rule.message_class == "marketing",
        "its link asks a question that the record does not answer": rule.second_step != "none",
        f"nobody is notified: {rule.skip}": rule.skip,
    }
    return next((reason for reason, holds in reasons.items() if holds), "")


def _document(planned: Planned) -> "Document":
    from exstream_notify.domain.documents import Document

    fields: dict[str, Any] = {**planned.record, "customer_in_run": 1}
    return Document(planned.domain, **fields)


def notice_of(rules: "YamlRules", planned: Planned) -> str:
    """The id that the notice will have."""
    from exstream_notify.domain.notices import notice_id_of

    document = _document(planned)
    rule: DocumentRule = rules.for_document(document)
    return notice_id_of(document, rule)


def _write(planned: Planned, folder: Path) -> None:
    from .samples.pdf import page
    from .seal import SEAL_NAME, seal_folder

    (folder / "smoke-test.pdf").write_bytes(page("A test of notification. Nobody needs to do anything."))
    (folder / "smoke.index.jsonl").write_text(json.dumps(planned.record) + "\n", "utf-8")
    seal, problems = seal_folder(folder, domain=planned.domain, run_id=planned.run_id, app=MARK)
    if problems:
        raise CommandError(f"the test's own run is not sound: {problems[0]}")
    (folder / SEAL_NAME).write_text(json.dumps(seal), "utf-8")


# ---- how it goes ----


class _Follower:
    """Goes from stage to stage; `shown` is told of each as it ends."""

    def __init__(
        self, target: "Deployment", smoke: Smoke, timeout: float, shown: Callable[[Stage], None]
    ) -> None:
        self._target = target
        self._smoke = smoke
        self._timeout = timeout
        self._shown = shown
        self._since = time.monotonic()

    def reached(self, name: str, said: str) -> None:
        self._end(name, said, reached=True)

    def failed(self, name: str, said: str, advice: str, end: End = "failed") -> None:
        self._end(name, said, reached=False)
        self._smoke.end, self._smoke.advice = end, advice

    def _end(self, name: str, said: str, *, reached: bool) -> None:
        now = time.monotonic()
        stage = Stage(name, reached, now - self._since, said)
        self._since = now
        self._smoke.stages.append(stage)
        self._shown(stage)

    def until(self, look: Callable[[], bool]) -> bool:
        """Look again and again; False when the time is over."""
        while not look():
            if time.monotonic() - self._since > self._timeout:
                return False
            time.sleep(_LOOK)
        return True


def send_smoke(
    target: "Deployment",
    rules: "YamlRules",
    planned: Planned,
    *,
    timeout: float = TIMEOUT,
    shown: Callable[[Stage], None] = lambda stage: None,
) -> Smoke:
    """Drop the run and follow its notice; each stage may take `timeout` seconds."""
    smoke = Smoke(planned)
    follower = _Follower(target, smoke, timeout, shown)
    _drop(target, planned)
    follower.reached("dropped", f"drop/{planned.domain}/{planned.run_id}/")
    if not _staged(target, planned, follower):
        return smoke
    smoke.notice_id = notice_of(rules, planned)
    _sent(target, smoke, follower)
    return smoke


def _drop(target: "Deployment", planned: Planned) -> None:
    from .dropping import prepare, upload

    with tempfile.TemporaryDirectory(prefix="exnotify-smoke-") as name:
        folder = Path(name)
        _write(planned, folder)
        run = prepare(folder, domain=planned.domain, run_id=planned.run_id, sealed=True)
        upload(target, run)


def _staged(target: "Deployment", planned: Planned, follower: _Follower) -> bool:
    """Whether the run was read and its record taken."""
    from exstream_notify.domain.runs import Control, RunState

    from .records import rejects_of

    app = target.app
    found: dict[str, Any] = {}

    def look() -> bool:
        run = found["run"] = app.runs.get(planned.domain, planned.run_id)
        if run is None:
            return False
        stuck = run.state in (RunState.REFUSED, RunState.INCOMPLETE) or run.control == Control.HOLD
        return stuck or run.state in (RunState.STAGED, RunState.DISPATCHED)

    if not follower.until(look):
        advice = (
            "look at the queue RunQueue and the log of StageRunFunction; exnotify redrive RunQueue --look"
        )
        follower.failed("staged", "no run began" if found["run"] is None else str(found["run"].why), advice)
        return False
    run = found["run"]
    reject = next(iter(rejects_of(app, run)), None)
    if run.control == Control.HOLD or run.state in (RunState.REFUSED, RunState.INCOMPLETE):
        follower.failed(
            "staged",
            f"{run.control or run.state}: {run.why}",
            f"look at exnotify run {run.name} and exnotify incidents",
        )
        return False
    if reject is not None:
        follower.failed("staged", f"rejected: {reject}", "name another document type with --type")
        return False
    follower.reached("staged", "1 record")
    return True


_ENDED: Mapping[str, str] = {
    "suppressed": "an address that bounced before is released with exnotify contact {customer} "
    "--domain {domain} --release {channel} --why TEXT",
    "paper": "look at the contact and at the rule of the document type",
    "superseded": "exnotify notice {notice} says by which document",
    "deferred": "it goes out by itself when that has passed: look at exnotify switch, incidents and doctor",
    "failed": "look at exnotify incidents, then at the provider's account: exnotify doctor",
    "bounced": "make sure that the address exists; exnotify notice {notice} shows what the receipt says",
    "undelivered": "exnotify notice {notice} shows what the receipt says; exnotify doctor checks sender "
    "and DNS",
    "complained": "that mailbox reported it as spam, so nothing is sent to it any more: use another",
}
"""What to do first where the notice ended otherwise, by its status."""


def _advice(smoke: Smoke, notice: "Notice") -> str:
    """What to do first where the notice has ended; empty where it has not."""
    planned = smoke.planned
    names = {"customer": planned.customer_key, "domain": planned.domain, "channel": planned.channel}
    names["notice"] = str(smoke.notice_id)
    return _ENDED.get(str(notice.status), "").format_map(names)


_WAITING = frozenset({"sending", "sent", "delayed", "unconfirmed"})


def _sent(target: "Deployment", smoke: Smoke, follower: _Follower) -> None:
    """Follow the notice: decided, accepted by the provider, delivered by its receipt."""
    queue = "EmailQueue" if smoke.planned.channel == "email" else "SmsQueue"
    latest: list[Notice] = []

    def reaches(*, past: Collection[str]) -> bool:
        found = target.app.ledger.get([smoke.notice_id]).get(smoke.notice_id)
        if found is not None:
            latest[:] = [found]
        return bool(latest) and str(latest[0].status) not in past

    if not follower.until(lambda: reaches(past=())):
        advice = "look at the log of DecideNoticesFunction; exnotify redrive DecideQueue --look"
        follower.failed("decided", "no notice in the ledger", advice)
        return
    follower.reached("decided", f"notice {smoke.notice_id}")
    if not follower.until(lambda: reaches(past=("sending",))):
        advice = f"look at the log of SendNoticesFunction; exnotify redrive {queue} --look"
        follower.failed("sent", "still in the queue", advice)
        return
    notice = latest[0]
    if ended := _advice(smoke, notice):
        if notice.attempts and any(str(a.status) != "failed" for a in notice.attempts):
            follower.reached("sent", f"accepted by {notice.attempts[-1].provider}")
            follower.failed("receipt", _why(notice), ended)
        else:
            follower.failed("sent", _why(notice), ended)
        return
    accepted = str(notice.status) != "unconfirmed"
    provider = notice.attempts[-1].provider
    if accepted:
        follower.reached("sent", f"accepted by {provider}")
    if follower.until(lambda: reaches(past=_WAITING)) and str(latest[0].status) == "delivered":
        if not accepted:
            follower.reached("sent", f"{provider}'s answer was lost")
        smoke.end = "delivered"
        follower.reached("receipt", "delivered")
        return
    notice = latest[0]
    if ended := _advice(smoke, notice):
        follower.failed("receipt", _why(notice), ended)
    elif str(notice.status) == "unconfirmed":
        advice = f"look whether {provider} was reached: exnotify incidents; a receipt may still come"
        follower.failed("sent", "nobody knows whether it went out", advice)
    else:
        advice = (
            "wait longer (--timeout) where receipts are asked for; else look at the provider's event "
            "destination or web hook: exnotify doctor"
        )
        follower.failed("receipt", f"{notice.status}, and no receipt of its delivery", advice, "accepted")


def _why(notice: "Notice") -> str:
    until = f" until {notice.due_at}" if str(notice.status) == "deferred" and notice.due_at else ""
    why = notice.why or next((a.why for a in reversed(notice.attempts) if a.why), "")
    return f"{notice.status}{until}: {why}" if why else f"{notice.status}{until}"
