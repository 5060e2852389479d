"""Take a run: check it against its seal, stage its records, then queue pointers to them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

from ..domain.decisions import Why
from ..domain.documents import FileFault
from ..domain.erasure import earliest
from ..domain.exceptions import ExceptionRaised, Severity, Unusable
from ..domain.holders import MIXED_REASON, Conflicts, pairs_in_words
from ..domain.notices import Outcome
from ..domain.runs import (
    Control,
    Disagreement,
    FoundFile,
    Run,
    RunState,
    Seal,
    SealedFile,
    StagePolicy,
    compare_file,
    compare_totals,
    content_of,
    customers_missing,
    expected_documents,
    rejects_are_high,
    stated_size,
    volume_deviates,
)
from ..domain.work import SlicePointer
from ..ports import (
    Clock,
    DecideQueue,
    DropFolder,
    DropObject,
    DueIndex,
    ExceptionBus,
    Rules,
    RunBook,
    SendQueues,
    StagedFile,
    Staging,
)
from .digest_run import FIRST_DIGEST_LOOK, digest_run
from .late_files import (
    changed_files,
    compare_late_seal,
    late_findings,
    resembles_index,
    reused_text,
    unread_indexes,
)
from .settle_reports import FileReports

Trigger = Literal["seal", "manifest", "index", "again", "digests"]
"""What came: one of these files, the time to look at a run again, or that for its teams' digests."""

MANIFESTS = ("_STDDELIVERYFILE.xml", "_STDDELIVERYFILE.xml.gz")
LOOK_EACH = timedelta(minutes=1)
FILE_FAULTS = {f"output_uri: {fault}" for fault in FileFault}
"""Reasons of records that are rejected for the file that they name."""
REPORTED_APART = {*FILE_FAULTS, f"recipient: {MIXED_REASON}"}
"""Reasons of rejected records that an exception of their own reports."""
REASONS_TOLD = 5
"""Reasons that one exception names; the run's record has all."""
_QUEUES_TOLD = 50


class RunBusy(Exception):
    """Another worker wrote the run's record meanwhile: try again later."""


@dataclass(slots=True)
class _Stage:
    """The ports, and the one run they are used for."""

    domain: str
    run_id: str
    folder: DropFolder
    staging: Staging
    rules: Rules
    runs: RunBook
    due: DueIndex
    decide_queue: DecideQueue
    send_queues: SendQueues
    exceptions: ExceptionBus
    clock: Clock
    policy: StagePolicy
    names: set[str] = field(default_factory=set)
    """Names of files that what is told of the run may contain."""

    def save(self, before: Run | None, **changes: object) -> Run:
        """Write the run's next version; `RunBusy` if another worker did first."""
        at = self.clock.now().isoformat(timespec="seconds")
        run = before or Run(self.domain, self.run_id, RunState.WAITING, opened_at=at)
        run = replace(run, version=run.version + 1, changed_at=at, **changes)  # type: ignore[arg-type]
        if not self.runs.put(run):
            raise RunBusy(run.name)
        return run

    def arrived(self, run: Run | None, app: str = "", rerun_of: str = "") -> None:
        """The run is there, whatever becomes of it: whoever expects one need not wait.

        A re-run of a run that came is not the next one that is expected.
        """
        before = rerun_of.rpartition("/")[2]
        if run is None and not (before and self.runs.get(self.domain, before)):
            self.runs.arrived(self.domain, self.run_id, app, self.clock.now())
        if run is None or (run.state == RunState.WAITING and not run.sealed):
            self.exceptions.run_arrived(self.domain, self.run_id)

    def tell(self, code: str, severity: Severity, text: str, *, part: str = "run", count: int = 1) -> None:
        """Raise one exception about this run."""
        names = tuple(name for name in (self.domain, *self.names) if name in text or name in part)
        raised = ExceptionRaised(
            code, severity, self.domain, self.run_id, text, part=part, count=count, names=names
        )
        self.exceptions.raise_exceptions([raised])


def stage_run(
    domain: str,
    run_id: str,
    trigger: Trigger,
    *,
    folder: DropFolder,
    staging: Staging,
    rules: Rules,
    runs: RunBook,
    due: DueIndex,
    decide_queue: DecideQueue,
    send_queues: SendQueues,
    exceptions: ExceptionBus,
    clock: Clock,
    policy: StagePolicy,
) -> None:
    """Stage and dispatch one run, or carry it on from wherever it is.

    Nothing is dispatched before sizes, checksums and counts agree with the seal. Until then a
    corrected seal is accepted; afterwards the same seal resumes what is missing, and other content
    under the same run id is refused and reported. An index that lands then is reported. Safe to repeat
    at any point.
    """
    if trigger == "digests":
        digest_run(
            domain, run_id, runs=runs, staging=staging, due=due, decide_queue=decide_queue, clock=clock
        )
        return
    stage = _Stage(
        domain,
        run_id,
        folder,
        staging,
        rules,
        runs,
        due,
        decide_queue,
        send_queues,
        exceptions,
        clock,
        policy,
    )
    run = runs.get(domain, run_id)
    taken = run is not None and run.state in (RunState.STAGED, RunState.DISPATCHED)
    if trigger == "index":
        # Until the run is taken, an index is one of its files like any other.
        if run is not None and taken:
            _report_late(stage, run)
        return
    try:
        seal = folder.seal()
    except Unusable as unusable:
        stage.names |= set(unusable.names)
        stage.arrived(run)
        _refuse(stage, run, [unusable])
        return
    if seal is None:
        _stage_unsealed(stage, run, trigger)
        return
    stage.arrived(run, seal.app, seal.rerun_of)
    stage.names |= {file.name for file in seal.files}
    if trigger == "manifest":
        # Its seal is there too, and has or had an event of its own.
        if run is not None and taken:
            _report_late(stage, run)
        return
    if run is not None and taken:
        if run.sealed or run.sealed_as:
            _carry_on(stage, run, seal.fingerprint, repeated=trigger == "seal")
        else:
            _take_late_seal(stage, run, seal)
        return
    if run is not None and run.control == Control.CANCEL:
        return
    heads = {f.name: folder.head(f.name) for f in seal.files}
    missing = [name for name, found in heads.items() if found is None]
    if missing:
        _wait_for_files(stage, run, seal, missing)
        return
    _stage(stage, run, seal, {n: found for n, found in heads.items() if found}, sealed=True)


def _stage_unsealed(stage: _Stage, run: Run | None, trigger: Trigger) -> None:
    """A native manifest alone counts once it has not changed for the quiet period."""
    manifest = next((found for name in MANIFESTS if (found := stage.folder.head(name))), None)
    if manifest is None:
        if run is not None and run.state in (RunState.STAGED, RunState.DISPATCHED):
            _carry_on(stage, run, run.fingerprint)
        return
    stage.arrived(run)
    fingerprint = f"etag:{manifest.etag}"
    if run is not None and run.state in (RunState.STAGED, RunState.DISPATCHED):
        read = [f for f in stage.staging.found(run.parts).values() if f.sha256]
        same = trigger == "again" or (read and not changed_files(stage.folder, stage.staging, read))
        _carry_on(stage, run, run.fingerprint if same else fingerprint)
        return
    if run is not None and run.control == Control.CANCEL:
        return
    if not stage.rules.domain(stage.domain).unsealed:
        stage.save(
            run, sealed=False, why="no seal, and rules/domains.yaml wants one here", fingerprint=fingerprint
        )
        return
    now = stage.clock.now()
    waits = run is not None and run.state == RunState.WAITING and run.fingerprint == fingerprint
    if not (waits and run is not None and run.deadline and datetime.fromisoformat(run.deadline) <= now):
        until = now + stage.policy.quiet_period
        if waits and run is not None and run.deadline:
            until = datetime.fromisoformat(run.deadline)
        else:
            stage.save(
                run,
                state=RunState.WAITING,
                sealed=False,
                fingerprint=fingerprint,
                why="quiet period of the unsealed manifest",
                deadline=until.isoformat(),
            )
        stage.due.wait_for_run(stage.domain, stage.run_id, until)
        return
    seal = Seal(stage.run_id, stage.domain, (SealedFile(manifest.name, manifest.bytes),))
    _stage(stage, run, seal, {manifest.name: manifest}, sealed=False, fingerprint=fingerprint)


def _wait_for_files(stage: _Stage, run: Run | None, seal: Seal, missing: Sequence[str]) -> None:
    """A listed file may be late; at the deadline the run is incomplete, and somebody is told."""
    now = stage.clock.now()
    text = f"waiting for {len(missing)} of {len(seal.files)} files: {', '.join(missing[:3])}"
    same = run is not None and run.fingerprint == seal.fingerprint and run.deadline
    deadline = datetime.fromisoformat(run.deadline) if same and run else now + stage.policy.missing_file_wait
    if now < deadline:
        if not same or run is None or run.state != RunState.WAITING:
            stage.save(
                run,
                state=RunState.WAITING,
                sealed=True,
                fingerprint=seal.fingerprint,
                why=text,
                deadline=deadline.isoformat(),
            )
        stage.due.wait_for_run(stage.domain, stage.run_id, min(deadline, now + LOOK_EACH))
        return
    if run is None or run.state != RunState.INCOMPLETE:
        expected = expected_documents(seal, seal.documents or 0)
        stage.save(run, state=RunState.INCOMPLETE, why=text, expected=expected)
    stage.tell("files_missing", "error", text, count=len(missing))


def _stage(
    stage: _Stage,
    run: Run | None,
    seal: Seal,
    heads: Mapping[str, DropObject],
    *,
    sealed: bool,
    fingerprint: str = "",
) -> None:
    fingerprint = fingerprint or seal.fingerprint
    parts = f"parts/{stage.domain}/{stage.run_id}/{fingerprint.removeprefix('etag:')[:16]}/"
    indexes = _indexes(stage, seal)
    if not indexes:
        meant = [f.name for f in seal.files if _may_be_index(stage, f.name, alone=True)]
        reason = f": {', '.join(meant[:3])} is not named as one" if meant else ""
        unusable = Unusable("seal_without_index", "files", f"none of the listed files is an index{reason}")
        _refuse(stage, run, [unusable], fingerprint, seal)
        return
    try:
        staged = stage.staging.stage(stage.folder, stage.domain, stage.run_id, parts, indexes)
    except Unusable as unusable:
        _refuse(stage, run, [unusable], fingerprint, seal)
        return
    read = _found(stage, seal, staged, heads)
    wrong = _disagreements(seal, staged, read, sealed)
    if wrong:
        _refuse(stage, run, wrong, fingerprint, seal)
        return

    records = sum(f.composed for f in staged)
    rejected = _added(f.rejected for f in staged)
    conflicts = staged[-1].conflicts
    holds = _reasons_to_hold(stage, seal, staged, records, rejected)
    left_out = _added(f.left_out for f in staged)
    slices = sum(1 for p in stage.staging.slices(stage.domain, stage.run_id, parts) if p.kind == "documents")
    unread = unread_indexes(stage.folder, stage.staging, [f.name for f in seal.files], indexes)
    found = [*read, *(FoundFile(o.name, o.bytes, o.etag, "") for o in unread)]
    stage.names |= {o.name for o in unread}
    stage.staging.keep_found(parts, found)
    control = run.control if run is not None else Control.GO
    history = run.history if run is not None else ()
    why = "; ".join(holds)
    if holds and control == Control.GO:
        control = Control.HOLD
        entry = {
            "at": stage.clock.now().isoformat(timespec="seconds"),
            "who": "stage_run",
            "what": "hold",
            "why": why,
        }
        history = (*history, entry)
    # Reported before the state is written: killed in between, a repeat reports the same again.
    if left_out:
        stage.exceptions.raise_exceptions([values_left_out(stage.domain, stage.run_id, left_out)])
    _tell_conflicts(stage, conflicts)
    unmapped = _added(f.unmapped for f in staged)
    _tell_findings(stage, seal, records, rejected, unread, unmapped)
    _tell_documents(stage, staged, rejected)
    run = stage.save(
        run,
        state=RunState.STAGED,
        sealed=sealed,
        control=control,
        fingerprint=fingerprint,
        content=content_of(read),
        app=seal.app,
        rerun_of=seal.rerun_of,
        expected=expected_documents(seal, records),
        composed=records,
        slices=slices,
        parts=parts,
        rejected=rejected,
        left_out=left_out,
        disputed=conflicts.disputed,
        why=why,
        deadline="",
        history=history,
        customers_expected=seal.customers_expected or 0,
        optional=_optional(stage, staged),
        composed_at=_composed_at(seal, heads),
        opened_at=stage.clock.now().isoformat(timespec="seconds"),
    )
    _report_late(stage, run, found)
    if run.control != Control.HOLD:
        _dispatch(stage, run)
    else:
        stage.exceptions.run_arrived(stage.domain, stage.run_id)


def _composed_at(seal: Seal, heads: Mapping[str, DropObject]) -> str:
    at = earliest((seal.started_at, *(head.modified for head in heads.values())))
    return at.isoformat(timespec="seconds") if at is not None else ""


def _reasons_to_hold(
    stage: _Stage, seal: Seal, staged: Sequence[StagedFile], records: int, rejected: Mapping[str, int]
) -> list[str]:
    """Why the run waits for a person; each reason is reported."""
    rule, policy, total = stage.rules.domain(stage.domain), stage.policy, sum(rejected.values())
    usual = stage.runs.volumes(stage.domain, seal.app)
    holds = []
    if rule.unknown:
        holds.append(f"domains.yaml names no domain {stage.domain}")
        stage.tell("domain_unknown", "severe", f"held: {holds[-1]}", part="domain")
    if volume_deviates(records, usual, policy.volume_limit_percent):
        holds.append(f"{records} documents; the last runs had {', '.join(map(str, usual))}")
        stage.tell("volume_deviates", "severe", f"held: {holds[-1]}", count=records)
    if rejects_are_high(total, records, policy.reject_limit_percent):
        holds.append(f"{total} of {records} records rejected: {_reasons(rejected)}")
        stage.tell("rejects_high", "severe", f"held: {holds[-1]}", count=total)
    if rule.missing_documents == "hold" and (unopened := _file_faults(rejected)):
        holds.append(f"{sum(unopened.values())} of {records} documents cannot be opened")
    if seal.exit_status not in rule.exit_statuses:
        stage.tell("exit_status", "error", f"the run ended with exit status {seal.exit_status}")
        if rule.hold_on_exit_status:
            holds.append(f"exit status {seal.exit_status}")
    return holds


def _indexes(stage: _Stage, seal: Seal) -> list[str]:
    """The files to read as indexes: a site's own where there is one, else the native manifest.

    Exstream writes its manifest beside a site's index too; reading both would count twice.
    """
    forms = {f.name: form for f in seal.files if (form := stage.staging.form(f.name))}
    own = [name for name, form in forms.items() if form != "native"]
    return own or list(forms)


def _found(
    stage: _Stage, seal: Seal, staged: Sequence[StagedFile], heads: Mapping[str, DropObject]
) -> list[FoundFile]:
    """The seal's files as they were read: indexes by the staging, all others now."""
    by_name = {f.name: f for f in staged}
    found = []
    for name in (f.name for f in seal.files):
        etag = heads[name].etag if name in heads else ""
        if (index := by_name.get(name)) is not None:
            numbers = (index.records, index.customers, index.customers_processed)
            found.append(FoundFile(name, index.bytes, etag, index.sha256, *numbers))
        else:
            size, sha256 = stage.staging.hash(stage.folder, name)
            found.append(FoundFile(name, size, etag, sha256))
    return found


def _disagreements(
    seal: Seal, staged: Sequence[StagedFile], read: Sequence[FoundFile], sealed: bool
) -> list[Disagreement]:
    wrong: list[Disagreement] = []
    for listed, found in zip(seal.files, read, strict=True):
        wrong += compare_file(listed, found.bytes, found.sha256, found.records)
    for file in staged:
        wrong += file.disagreements
        if file.customers_processed is not None and file.customers_processed != file.customers:
            wrong.append(
                Disagreement(
                    "manifest_count_mismatch",
                    f"{file.name} customersProcessed",
                    str(file.customers_processed),
                    str(file.customers),
                )
            )
        elif not sealed and file.customers_processed is None:
            # Alone, the manifest must prove itself whole.
            wrong.append(
                Disagreement("manifest_uncounted", f"{file.name} customersProcessed", "nothing", "-")
            )
    customers = [f.customers for f in staged if f.customers is not None]
    records = sum(f.composed for f in staged)
    wrong += compare_totals(seal, records, sum(customers) if customers else None)
    stated = stated_size(seal, sum(customers), [f.customers_processed for f in staged])
    if not (wrong or records) and stated:
        # Zero of zero would be balanced and complete, with nobody notified.
        wrong.append(Disagreement("no_records", "the run's index", stated, "no record"))
    return wrong


def _tell_findings(
    stage: _Stage,
    seal: Seal,
    records: int,
    rejected: Mapping[str, int],
    unread: Sequence[DropObject],
    unmapped: Mapping[str, int],
) -> None:
    """What is wrong with a run that goes on, or is held, all the same."""
    # What is reported apart is not counted twice; an incident adds both up.
    others = {reason: n for reason, n in rejected.items() if reason not in REPORTED_APART}
    if others:
        count = sum(others.values())
        text = f"{count} of {records} records rejected: {_reasons(others)}"
        stage.tell("records_rejected", "error", text, count=count)
    _tell_totals(stage, seal)
    if unread:
        text = f"not in the seal, so not read: {', '.join(o.name for o in unread[:3])}"
        stage.tell("index_not_sealed", "error", text, count=len(unread))
    _tell_queues(stage, unmapped)
    names = {*(f.name for f in seal.files), *stage.folder.list()}
    meant = sorted(n for n in names if _may_be_index(stage, n))
    stage.names |= set(meant)
    if meant:
        text = f"not named or placed as an index is, so not read: {', '.join(meant[:3])}"
        stage.tell("index_unrecognised", "error", text, part="index names", count=len(meant))


def _may_be_index(stage: _Stage, name: str, *, alone: bool = False) -> bool:
    """Whether a file that is not read as an index was perhaps meant as one; `alone`: there is no other."""
    staging = stage.staging
    return resembles_index(name, alone=alone) and not staging.form(name) and not staging.is_message_file(name)


def _tell_queues(stage: _Stage, unmapped: Mapping[str, int]) -> None:
    """Output in queues that no rule maps to a document type: nobody is notified of it."""
    most = sorted(unmapped.items(), key=lambda entry: (-entry[1], entry[0]))
    stage.exceptions.raise_exceptions(
        [
            ExceptionRaised(
                "queue_unmapped",
                "warning",
                stage.domain,
                stage.run_id,
                f"nobody is notified of the output in queue {queue}, which no rule maps ({count})",
                part=f"queue {queue}",
                count=count,
                queue=queue,
                names=(queue,),
            )
            for queue, count in most[:_QUEUES_TOLD]
        ]
    )


def _tell_totals(stage: _Stage, seal: Seal) -> None:
    """What the seal itself says that went wrong when the run was composed."""
    if missing := customers_missing(seal):
        text = f"{missing} of {seal.customers_expected} customers were not composed"
        stage.tell("customers_missing", "error", text, count=missing)
    elif seal.errors:
        stage.tell(
            "composition_errors", "warning", f"the run reports {seal.errors} errors", count=seal.errors
        )


def _tell_documents(stage: _Stage, staged: Sequence[StagedFile], rejected: Mapping[str, int]) -> None:
    """Records whose customers could not have opened what they are notified of: how many, why, and which."""
    faults = _file_faults(rejected)
    if not faults:
        return
    places = [
        f"{file.name} record {', '.join(map(str, file.documents_refused[:10]))}"
        for file in staged
        if file.documents_refused
    ]
    count = sum(faults.values())
    reasons = _reasons({reason.removeprefix("output_uri: "): n for reason, n in faults.items()})
    held = stage.rules.domain(stage.domain).missing_documents == "hold"
    what = "1 document" if count == 1 else f"{count} documents"
    text = f"{'held: ' if held else ''}{what} cannot be opened: {reasons}; {'; '.join(places[:3])}"
    severity: Severity = "severe" if held else "error"
    stage.tell("documents_missing", severity, text, part="documents", count=count)


def _file_faults(rejected: Mapping[str, int]) -> dict[str, int]:
    return {reason: count for reason, count in rejected.items() if reason in FILE_FAULTS}


def _optional(stage: _Stage, staged: Sequence[StagedFile]) -> int:
    """How many records are of types that are marketing."""
    types = _added(f.documents for f in staged)
    return sum(n for name, n in types.items() if stage.rules.of_type(name).message_class == "marketing")


def _reasons(rejected: Mapping[str, int]) -> str:
    """The commonest reasons with their counts."""
    ordered = sorted(rejected.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{reason} ({count})" for reason, count in ordered[:3])


def values_left_out(domain: str, run_id: str, left_out: Mapping[str, int]) -> ExceptionRaised:
    """One exception for all values of a run that could not be read and that records went on without."""
    most = sorted(left_out.items(), key=lambda entry: (-entry[1], entry[0]))
    named = ", ".join(f"{reason} ({count})" for reason, count in most[:REASONS_TOLD])
    rest = f", and {len(most) - REASONS_TOLD} more reasons" if len(most) > REASONS_TOLD else ""
    count = sum(left_out.values())
    text = f"{count} {'value' if count == 1 else 'values'} left out: {named}{rest}"
    return ExceptionRaised("values_left_out", "warning", domain, run_id, text, part="values", count=count)


def _tell_conflicts(stage: _Stage, conflicts: Conflicts) -> None:
    """Records that give one customer and recipient different addresses: the first pairs, and how many."""
    if conflicts.mixed:
        text = (
            f"{conflicts.mixed} records rejected: one customer and recipient with different names and "
            f"addresses: {pairs_in_words(conflicts.mixed_pairs)}"
        )
        stage.tell("holders_mixed", "error", text, count=conflicts.mixed)
    if conflicts.disputed:
        text = (
            f"{conflicts.disputed} records give one customer and recipient different addresses: "
            f"{pairs_in_words(conflicts.disputed_pairs)}"
        )
        stage.tell("addresses_disputed", "warning", text, count=conflicts.disputed)


def _tell_gone(stage: _Stage, run: Run, found: int) -> None:
    """A run that was held for longer than its parts are stored is not dispatched in silence."""
    if found < run.slices:
        text = f"{found} of {run.slices} slices are still stored: the run's other customers are not notified"
        stage.tell(Why.RECORDS_GONE, "error", text, count=run.slices - found)


def _dispatch(stage: _Stage, run: Run) -> None:
    """Queue every slice, then say so; killed in between, all are queued again, without harm."""
    sent = stage.decide_queue.send_slices(stage.staging.slices(stage.domain, stage.run_id, run.parts))
    _tell_gone(stage, run, sent)
    if run.control == Control.GO:
        stage.runs.add_volume(stage.domain, run.app, stage.run_id, run.composed)
    stage.exceptions.run_dispatched(stage.domain, stage.run_id)
    stage.save(run, state=RunState.DISPATCHED)


def _take_late_seal(stage: _Stage, run: Run, seal: Seal) -> None:
    """A seal for a run that was taken from its native manifest alone: it is checked against what was read.

    If it agrees, the run is sealed, and what the seal says of the whole run holds. If not, that is
    reported, and the run stays as it is: its customers may have been notified.
    """
    came = datetime.fromisoformat(run.opened_at) if run.opened_at else stage.clock.now()
    stage.runs.arrived(stage.domain, stage.run_id, seal.app, came)
    stage.exceptions.run_arrived(stage.domain, stage.run_id)
    found = stage.staging.found(run.parts)
    stage.names |= set(found)
    wrong = compare_late_seal(seal, run, stage.folder, stage.staging, found)
    if wrong:
        text = f"the seal came after the run was taken, and disagrees: {'; '.join(map(str, wrong[:3]))}"
        stage.tell("late_seal_disagrees", "severe", text, part="late seal", count=len(wrong))
        expected = expected_documents(seal, max(seal.documents or 0, run.composed))
        if (run.why, run.expected) != (text, expected):
            stage.save(run, why=text, expected=expected)
        return
    _tell_totals(stage, seal)
    rule = stage.rules.domain(stage.domain)
    bad_exit = seal.exit_status not in rule.exit_statuses
    if bad_exit:
        stage.tell("exit_status", "error", f"the run ended with exit status {seal.exit_status}")
    run = stage.save(
        run,
        sealed=True,
        sealed_as=seal.fingerprint,
        app=seal.app or run.app,
        rerun_of=seal.rerun_of,
        expected=expected_documents(seal, run.composed),
        customers_expected=seal.customers_expected or 0,
        why=run.why if run.control == Control.HOLD else "",
    )
    if run.state == RunState.STAGED and run.control != Control.HOLD:
        _dispatch(stage, run)


def _report_late(stage: _Stage, run: Run, just_read: Sequence[FoundFile] = ()) -> None:
    """Report indexes that landed or were replaced after the run was taken; `just_read` are its files if it
    was taken just now, so that only what landed meanwhile is looked for."""
    found = {f.name: f for f in just_read} or stage.staging.found(run.parts)
    late = late_findings(run, stage.folder, stage.staging, found, replaced=not just_read) if found else []
    now = stage.clock.now().isoformat(timespec="seconds")
    reports = FileReports(stage.exceptions, stage.domain, stage.run_id, "late indexes", now)
    if late:
        reports.raise_exceptions(late)
    if found and not just_read:
        reports.at_end()


def _reused(stage: _Stage, run: Run, fingerprint: str, *, repeated: bool) -> str:
    """Why what lies in the folder now is not the content that the run was taken with; or nothing.

    A seal need not state checksums, so the files themselves are compared when it comes again.
    """
    if fingerprint not in (run.fingerprint, run.sealed_as or run.fingerprint):
        return "the run id was used before with other content; nothing of the new content was read"
    read = [f for f in stage.staging.found(run.parts).values() if f.sha256] if repeated else []
    changed = changed_files(stage.folder, stage.staging, read)
    stage.names |= set(changed)
    return reused_text(changed) if changed else ""


def _carry_on(stage: _Stage, run: Run, fingerprint: str, *, repeated: bool = False) -> None:
    """A run that was staged before: dispatch it, resume it, or refuse other content."""
    if reused := _reused(stage, run, fingerprint, repeated=repeated):
        stage.tell("run_id_reused", "severe", reused, part=fingerprint)
        return
    _report_late(stage, run)
    if run.control == Control.HOLD:
        return
    if run.state == RunState.STAGED:
        _dispatch(stage, run)
        return
    parked = stage.runs.parked(stage.domain, stage.run_id)
    if parked:
        stage.send_queues.send_jobs([one.job for one in parked])
        stage.runs.unpark(parked)
    if run.control == Control.GO:
        stage.due.wait("digests", run.name, stage.clock.now() + FIRST_DIGEST_LOOK, keep=True)
    stage.decide_queue.send_slices(_unfinished(stage, run))


def _unfinished(stage: _Stage, run: Run) -> Iterator[SlicePointer]:
    """Slices without a decision, or with records still in flight; a cancelled run's deferred ones too.

    What became of the teams' digests no slice says, so they are always among them.
    One byte a record, so that ten million fit: 0 unknown, 1 open, 2 done.
    """
    state = bytearray(run.composed + 1)
    newest: dict[int, int] = {}
    open_ones = {Outcome.IN_FLIGHT} | ({Outcome.DEFERRED} if run.control == Control.CANCEL else set())
    for word in stage.runs.outcomes(stage.domain, stage.run_id):
        if word.position < len(state) and word.version >= newest.get(word.position, 0):
            state[word.position] = 1 if word.outcome in open_ones else 2
            if word.version > 1:
                newest[word.position] = word.version
    slices: list[SlicePointer] = []
    for pointer in stage.staging.slices(stage.domain, stage.run_id, run.parts):
        if pointer.kind == "documents":
            slices.append(pointer)
        elif run.control != Control.CANCEL:
            yield pointer
    _tell_gone(stage, run, len(slices))
    ends = [*(p.first for p in slices[1:]), run.composed + 1]
    for pointer, end in zip(slices, ends, strict=False):
        # Positions of rejected records lie in between; nothing is said of those here.
        mine = state[pointer.first : end]
        if not any(mine):
            yield pointer
        elif 1 in mine:
            if run.control == Control.CANCEL:
                open_here = tuple(pointer.first + n for n, value in enumerate(mine) if value == 1)
                yield replace(pointer, positions=open_here)
            else:
                yield pointer


def _refuse(
    stage: _Stage,
    run: Run | None,
    wrong: Sequence[Disagreement | Unusable],
    fingerprint: str = "",
    seal: Seal | None = None,
) -> None:
    """Nothing of the run goes out; a corrected seal may still come."""
    if run is not None and run.state in (RunState.STAGED, RunState.DISPATCHED):
        # What was accepted stays accepted; the new seal is of no use.
        code = "run_id_reused" if run.sealed else wrong[0].code
        stage.tell(code, "severe", f"a later seal cannot be used: {wrong[0]}", part="seal")
        return
    text = "; ".join(map(str, wrong[:3]))
    customers = seal.customers_expected or 0 if seal is not None else 0
    stage.save(run, state=RunState.REFUSED, why=text, fingerprint=fingerprint, customers_expected=customers)
    for problem in wrong:
        part = problem.place
        stage.tell(problem.code, "severe", str(problem), part=part)


def _added(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for mapping in counts:
        for key, count in mapping.items():
            total[key] = total.get(key, 0) + count
    return total
