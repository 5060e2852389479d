"""What a drop would come to, found out by the use cases themselves on ports that change nothing."""

import json
from dataclasses import dataclass, field, replace
from datetime import timedelta
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exstream_notify.domain.exceptions import ExceptionRaised
from exstream_notify.domain.incidents import worst_by_code
from exstream_notify.domain.notices import Notice, Outcome
from exstream_notify.domain.runs import Control, RecordOutcome, Run, RunState, latest, reconcile
from exstream_notify.domain.work import SlicePointer
from exstream_notify.use_cases.decide_notices import decide_notices
from exstream_notify.use_cases.digest_run import digests
from exstream_notify.use_cases.read_messages import read_messages
from exstream_notify.use_cases.stage_run import Trigger, stage_run

from .overlay import (
    PlannedBucket,
    PlannedClock,
    PlannedContacts,
    PlannedEarly,
    PlannedFolder,
    PlannedLedger,
    PlannedQueues,
    PlannedRuns,
)
from .planned_sends import PlannedSends
from .records import Reject, is_rejects, reject_from, rejects_of
from .runs import particulars, report, reused

if TYPE_CHECKING:
    from exstream_notify.adapters.bootstrap import Bootstrap

    from .dropping import PreparedRun

REUSED = "run_id_reused"


@dataclass(slots=True)
class Plan:
    """What would happen. `told` is shaped as `exnotify run --json`, with `records` and `team_copies`."""

    told: dict[str, Any]
    exceptions: list[ExceptionRaised] = field(default_factory=list)
    rejects: list[Reject] = field(default_factory=list)

    @property
    def refused(self) -> str:
        """Why nothing would go out at all; empty if something can."""
        reused = next((e.text for e in self.exceptions if e.code == REUSED), "")
        if reused:
            return reused
        ends = (RunState.REFUSED, RunState.INCOMPLETE, RunState.WAITING)
        return str(self.told["why"] or self.told["state"]) if self.told["state"] in ends else ""


def plan_run(app: "Bootstrap", prepared: "PreparedRun") -> Plan:
    """Stage, decide and send the prepared run on paper; `app` should be one that can only read."""
    with PlannedBucket(app.client("s3")) as bucket:
        return _Planner(app, prepared, bucket).plan()


class _Planner:
    """One plan: the overlaid ports, and the run that goes through them."""

    def __init__(self, app: "Bootstrap", prepared: "PreparedRun", bucket: PlannedBucket) -> None:
        from exstream_notify.adapters.s3 import S3Records
        from exstream_notify.adapters.staging import S3Staging

        self.app = app
        self.prepared = prepared
        self.bucket = bucket
        self.clock = PlannedClock(app.clock)
        self.runs = PlannedRuns(app.runs)
        self.ledger = PlannedLedger(app.ledger)
        self.contacts = PlannedContacts(app.contacts)
        self.queues = PlannedQueues()
        self.early = PlannedEarly(app.early_responses)
        settings = app.settings
        self.records = S3Records(bucket, settings.work_bucket)
        site = Path(settings.site_dir) / "rules"
        self.staging = S3Staging(
            bucket,
            settings.work_bucket,
            settings.drop_bucket,
            app.rules,
            site if site.is_dir() else None,
            portal=bool(settings.portal_url_pattern),
            site=app.values_site,
        )
        self.sends = PlannedSends(
            app, self.records, self.contacts, self.ledger, self.runs, self.queues, self.clock, self.early
        )
        self.dropped = False

    def plan(self) -> Plan:
        """Run it all."""
        domain, run_id = self.prepared.domain, self.prepared.run_id
        before = self.runs.get(domain, run_id)
        self.dropped = before is not None and before.state == RunState.DISPATCHED
        self._stage("manifest" if self.prepared.seal is None else "seal")
        run = self.runs.get(domain, run_id)
        if run is not None and run.state == RunState.WAITING and not run.sealed and run.deadline:
            # An unsealed manifest counts when it has been quiet: look at it after that.
            self.clock.put_ahead(timedelta(seconds=self.app.settings.quiet_period_seconds + 1))
            self._stage("again")
            run = self.runs.get(domain, run_id)
        if run is None:
            why = "without a seal only a native manifest (_STDDELIVERYFILE.xml) starts a run"
            run = Run(domain, run_id, RunState.WAITING, sealed=False, why=why)
            self.runs.put(run)
        held = run if run.control == Control.HOLD else None
        reused_id = any(e.code == REUSED for e in self.queues.exceptions)
        if held is not None and run.state == RunState.STAGED and not reused_id:
            # What its release would come to.
            self.runs.put(replace(run, control=Control.GO))
            self.queues.pointers += self.staging.slices(domain, run_id, run.parts)
        for pointer in self.queues.pointers:
            self._decide(pointer)
        for file in self.prepared.files:
            self._read_messages(file.name)
        return self._told(run, reused_id)

    def _read_messages(self, name: str) -> None:
        """What the composer says in a file beside the index; it may make the run need a look."""
        if "/" in name:
            return
        app = self.app
        read_messages(
            self.prepared.domain,
            self.prepared.run_id,
            name,
            folder=self._folder(),
            files=app.message_files,
            rules=app.rules,
            alerts=app.rules,
            runs=self.runs,
            due=self.queues,
            exceptions=self.queues,
            clock=self.clock,
        )

    def _folder(self) -> PlannedFolder:
        there = self.app.folder(self.prepared.domain, self.prepared.run_id)
        return PlannedFolder(self.prepared, there)

    def _stage(self, trigger: Trigger) -> None:
        stage_run(
            self.prepared.domain,
            self.prepared.run_id,
            trigger,
            folder=self._folder(),
            staging=self.staging,
            rules=self.app.rules,
            runs=self.runs,
            due=self.queues,
            decide_queue=self.queues,
            send_queues=self.queues,
            exceptions=self.queues,
            clock=self.clock,
            policy=self.app.stage_policy,
        )

    def _decide(self, pointer: SlicePointer) -> None:
        app = self.app
        self.queues.jobs.clear()
        decide_notices(
            pointer,
            records=self.records,
            rules=app.rules,
            contacts=self.contacts,
            addresses=app.addresses,
            suppressions=app.suppressions,
            ledger=self.ledger,
            runs=self.runs,
            queues=self.queues,
            exceptions=self.queues,
            clock=self.clock,
            provider_for=app.provider_for,
            policy=app.policy,
            early=self.early,
            reputation=app.reputation,
        )
        for job in list(self.queues.jobs):
            self.sends.send(job)

    def _told(self, run: Run, reused_id: bool) -> Plan:
        outcomes = list(self.runs.outcomes(run.domain, run.run_id))
        # A run that is held is added up as if it were released.
        counted = replace(run, state=RunState.DISPATCHED) if run.state == RunState.STAGED else run
        added = reconcile(counted, outcomes)
        rejects = [
            reject_from(json.loads(line))
            for key in self.bucket.keys("rejects/")
            if is_rejects(key)
            for line in self.bucket.get_object(Bucket="", Key=key)["Body"]
        ] or list(rejects_of(self.app, run))
        details = particulars(self.ledger, run, added, self._findings(), self.app.clock.now())
        told = report(counted, added, details=details, planned=not self.dropped)
        told["state"] = str(run.state)
        if reused_id:
            told = reused(told, planned=True)
        told["records"] = [] if reused_id else self._rows(run, latest(outcomes), rejects)
        copies = self.sends.team_copies
        for team in () if reused_id else digests(run, self.runs):
            if self.app.rules.team_address(team) is not None:
                copies[team] = copies.get(team, 0) + 1
        told["team_copies"] = dict(sorted(copies.items()))
        told["exceptions"] = [
            {"code": e.code, "severity": e.severity, "text": e.text, "count": e.count}
            for e in self.queues.exceptions
        ]
        return Plan(told, self.queues.exceptions, rejects)

    def _findings(self) -> list[ExceptionRaised]:
        """What would be raised, the worst of each code, with the severity that the rules give it."""
        routed = [replace(e, severity=self.app.rules.route(e).severity) for e in self.queues.exceptions]
        return list(worst_by_code(routed))

    def _rows(
        self, run: Run, outcomes: dict[int, RecordOutcome], rejects: list[Reject]
    ) -> list[dict[str, Any]]:
        """What would become of each record, in order."""
        rows: list[dict[str, Any]] = [
            {
                "position": reject.position,
                "customer_key": None,
                "recipient": None,
                "document_id": None,
                "document_type": None,
                "outcome": str(Outcome.REJECTED),
                "reason": f"{reject.field}: {reject.reason}" if reject.field else reject.reason,
                "detail": f"record {reject.record} of {reject.file}",
                "channels": [],
                "until": None,
            }
            for reject in rejects
        ]
        for pointer in self.staging.slices(run.domain, run.run_id, run.parts) if run.parts else ():
            if pointer.kind != "documents":
                continue
            documents = self.records.read(pointer)
            words = {position: outcomes.get(position) for position, _ in documents}
            known = self.ledger.get([word.notice_id for word in words.values() if word and word.notice_id])
            for position, document in documents:
                word = words[position]
                notice = known.get(word.notice_id) if word else None
                rows.append(
                    {
                        "position": position,
                        "customer_key": document.customer_key,
                        "recipient": document.recipient,
                        "document_id": document.document_id,
                        "document_type": document.document_type,
                        "outcome": str(word.outcome if word else Outcome.IN_FLIGHT),
                        "reason": word.why if word else "",
                        "detail": _detail(word, notice),
                        "channels": self.sends.channels.get(position, []),
                        "until": (notice.due_at or None) if notice else None,
                    }
                )
        return sorted(rows, key=itemgetter("position"))


def _detail(word: RecordOutcome | None, notice: Notice | None) -> str:
    """What the ledger adds to a reason: what spoke against each channel, or whose duplicate it is."""
    if word is None or notice is None:
        return ""
    if word.outcome == Outcome.DUPLICATE:
        return f"told by {notice.origin.run}, record {notice.origin.position}: {notice.status}"
    if word.outcome in (Outcome.SUPPRESSED, Outcome.PAPER):
        return notice.events[-1].detail.removeprefix(word.why).strip() if notice.events else ""
    return ""
