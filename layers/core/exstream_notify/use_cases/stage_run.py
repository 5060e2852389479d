"""Take a run: check it against its seal, stage its records, then queue pointers to them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from ..domain.exceptions import ExceptionRaised, Severity, Unusable
from ..domain.notices import Outcome
from ..domain.runs import (
    Control,
    Disagreement,
    Run,
    RunState,
    Seal,
    SealedFile,
    compare_file,
    compare_totals,
    customers_missing,
    expected_documents,
    volume_deviates,
)
from ..domain.work import SlicePointer
from ..ports import (
    Clock,
    DecideQueue,
    DropFolder,
    DueIndex,
    ExceptionBus,
    Rules,
    RunBook,
    SendQueues,
    StagedFile,
    Staging,
)
from .digest_run import digest_run

Trigger = Literal["seal", "manifest", "again", "digests"]
"""What came: a seal, a manifest, the time to look at a run again, or that for its internal teams' digests."""

MANIFESTS = ("_STDDELIVERYFILE.xml", "_STDDELIVERYFILE.xml.gz")
LOOK_EACH = timedelta(minutes=1)


class RunBusy(Exception):
    """Another worker wrote the run's record meanwhile: try again later."""


@dataclass(frozen=True, slots=True)
class StagePolicy:
    """Waits and limits of staging, by template parameter."""

    missing_file_wait: timedelta = timedelta(minutes=60)
    quiet_period: timedelta = timedelta(seconds=120)
    volume_limit_percent: int = 50


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

    def save(self, before: Run | None, **changes: object) -> Run:
        """Write the run's next version; `RunBusy` if another worker did first."""
        at = self.clock.now().isoformat(timespec="seconds")
        run = before or Run(self.domain, self.run_id, RunState.WAITING, opened_at=at)
        run = replace(run, version=run.version + 1, changed_at=at, **changes)  # type: ignore[arg-type]
        if not self.runs.put(run):
            raise RunBusy(run.name)
        return run

    def arrived(self, run: Run | None, app: str = "") -> None:
        """The run is there, whatever becomes of it: whoever expects one need not wait."""
        if run is None:
            self.runs.arrived(self.domain, self.run_id, app, self.clock.now())

    def tell(self, code: str, severity: Severity, text: str, *, part: str = "run", count: int = 1) -> None:
        """Raise one exception about this run."""
        raised = ExceptionRaised(code, severity, self.domain, self.run_id, text, part=part, count=count)
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
    under the same run id is refused and told. Safe to repeat at any point.
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
    try:
        seal = folder.seal()
    except Unusable as unusable:
        stage.arrived(run)
        _refuse(stage, run, [unusable])
        return
    if seal is None:
        _stage_unsealed(stage, run, trigger)
        return
    stage.arrived(run, seal.app)
    if trigger == "manifest":
        # Its seal is there too, and has or had an event of its own.
        return
    if run is not None and run.state in (RunState.STAGED, RunState.DISPATCHED):
        _carry_on(stage, run, seal.fingerprint)
        return
    if run is not None and run.control == Control.CANCEL:
        return
    missing = [f.name for f in seal.files if folder.head(f.name) is None]
    if missing:
        _wait_for_files(stage, run, seal, missing)
        return
    _stage(stage, run, seal, sealed=True)


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
        _carry_on(stage, run, run.fingerprint if trigger == "again" else fingerprint)
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
    _stage(stage, run, seal, sealed=False, fingerprint=fingerprint)


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


def _stage(stage: _Stage, run: Run | None, seal: Seal, *, sealed: bool, fingerprint: str = "") -> None:
    fingerprint = fingerprint or seal.fingerprint
    parts = f"parts/{stage.domain}/{stage.run_id}/{fingerprint.removeprefix('etag:')[:16]}/"
    indexes = _indexes(stage, seal)
    if not indexes:
        unusable = Unusable("seal_without_index", "files", "none of the listed files is an index")
        _refuse(stage, run, [unusable], fingerprint)
        return
    try:
        staged = stage.staging.stage(stage.folder, stage.domain, stage.run_id, parts, indexes)
    except Unusable as unusable:
        _refuse(stage, run, [unusable], fingerprint)
        return
    wrong = _disagreements(stage, seal, staged, sealed)
    if wrong:
        _refuse(stage, run, wrong, fingerprint)
        return

    records = sum(f.composed for f in staged)
    rejected = _added(f.rejected for f in staged)
    rule = stage.rules.domain(stage.domain)
    usual = stage.runs.volumes(stage.domain, seal.app)
    strange = volume_deviates(records, usual, stage.policy.volume_limit_percent)
    bad_exit = seal.exit_status not in rule.exit_statuses
    hold = strange or (bad_exit and rule.hold_on_exit_status)
    slices = sum(1 for p in stage.staging.slices(stage.domain, stage.run_id, parts) if p.kind == "documents")
    control = run.control if run is not None else Control.GO
    history = run.history if run is not None else ()
    why = ""
    if strange:
        why = f"{records} documents; the last runs had {', '.join(map(str, usual))}"
    elif bad_exit:
        why = f"exit status {seal.exit_status}"
    if hold and control == Control.GO:
        control = Control.HOLD
        entry = {
            "at": stage.clock.now().isoformat(timespec="seconds"),
            "who": "stage_run",
            "what": "hold",
            "why": why,
        }
        history = (*history, entry)
    # Told before the state is written: killed in between, a repeat tells it again, which changes nothing.
    _tell_findings(stage, seal, records, rejected, why if strange else "", bad_exit)
    run = stage.save(
        run,
        state=RunState.STAGED,
        sealed=sealed,
        control=control,
        fingerprint=fingerprint,
        app=seal.app,
        rerun_of=seal.rerun_of,
        expected=expected_documents(seal, records),
        composed=records,
        slices=slices,
        parts=parts,
        rejected=rejected,
        why=why if hold else "",
        deadline="",
        history=history,
        opened_at=stage.clock.now().isoformat(timespec="seconds"),
    )
    if run.control != Control.HOLD:
        _dispatch(stage, run)


def _indexes(stage: _Stage, seal: Seal) -> list[str]:
    """The files to read as indexes: a site's own where there is one, else the native manifest.

    Exstream writes its manifest beside a site's index too; reading both would count twice.
    """
    forms = {f.name: form for f in seal.files if (form := stage.staging.form(f.name))}
    own = [name for name, form in forms.items() if form != "native"]
    return own or list(forms)


def _disagreements(
    stage: _Stage, seal: Seal, staged: Sequence[StagedFile], sealed: bool
) -> list[Disagreement]:
    by_name = {f.name: f for f in staged}
    wrong: list[Disagreement] = []
    for listed in seal.files:
        found = by_name.get(listed.name)
        if found is not None:
            wrong += compare_file(listed, found.bytes, found.sha256, found.records)
        else:
            size, sha256 = stage.staging.hash(stage.folder, listed.name)
            wrong += compare_file(listed, size, sha256, None)
    for file in staged:
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
    wrong += compare_totals(seal, sum(f.composed for f in staged), sum(customers) if customers else None)
    return wrong


def _tell_findings(
    stage: _Stage, seal: Seal, records: int, rejected: Mapping[str, int], strange: str, bad_exit: bool
) -> None:
    """What is wrong with a run that goes on, or is held, all the same."""
    if rejected:
        reasons = ", ".join(f"{reason} ({count})" for reason, count in sorted(rejected.items())[:3])
        count = sum(rejected.values())
        stage.tell(
            "records_rejected", "error", f"{count} of {records} records rejected: {reasons}", count=count
        )
    if missing := customers_missing(seal):
        text = f"{missing} of {seal.customers_expected} customers were not composed"
        stage.tell("customers_missing", "error", text, count=missing)
    if seal.errors and not customers_missing(seal):
        stage.tell(
            "composition_errors", "warning", f"the run reports {seal.errors} errors", count=seal.errors
        )
    if bad_exit:
        stage.tell("exit_status", "error", f"the run ended with exit status {seal.exit_status}")
    if strange:
        stage.tell("volume_deviates", "severe", f"held: {strange}", count=records)
    listed = {f.name for f in seal.files}
    extra = [name for name in stage.folder.list() if name not in listed and stage.staging.form(name)]
    own = any(stage.staging.form(f.name) not in (None, "native") for f in seal.files)
    extra = [name for name in extra if not (own and stage.staging.form(name) == "native")]
    if extra:
        stage.tell(
            "index_not_sealed",
            "error",
            f"not in the seal, so not read: {', '.join(extra[:3])}",
            count=len(extra),
        )


def _dispatch(stage: _Stage, run: Run) -> None:
    """Queue every slice, then say so; killed in between, all are queued again, without harm."""
    stage.decide_queue.send_slices(stage.staging.slices(stage.domain, stage.run_id, run.parts))
    if run.control == Control.GO:
        stage.runs.add_volume(stage.domain, run.app, stage.run_id, run.composed)
    stage.exceptions.run_dispatched(stage.domain, stage.run_id)
    stage.save(run, state=RunState.DISPATCHED)


def _carry_on(stage: _Stage, run: Run, fingerprint: str) -> None:
    """A run that was staged before: dispatch it, resume it, or refuse other content."""
    if fingerprint != run.fingerprint:
        stage.tell(
            "run_id_reused",
            "severe",
            "the run id was used before with other content; nothing of the new content was read",
            part=fingerprint,
        )
        return
    if run.control == Control.HOLD:
        return
    if run.state == RunState.STAGED:
        _dispatch(stage, run)
        return
    jobs = stage.runs.parked(stage.domain, stage.run_id)
    if jobs:
        stage.send_queues.send_jobs(jobs)
        stage.runs.unpark(jobs)
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
    stage: _Stage, run: Run | None, wrong: Sequence[Disagreement | Unusable], fingerprint: str = ""
) -> None:
    """Nothing of the run goes out; a corrected seal may still come."""
    if run is not None and run.state in (RunState.STAGED, RunState.DISPATCHED):
        # What was accepted stays accepted; the new seal is no use.
        stage.tell("run_id_reused", "severe", f"a later seal cannot be used: {wrong[0]}", part="seal")
        return
    text = "; ".join(map(str, wrong[:3]))
    stage.save(run, state=RunState.REFUSED, why=text, fingerprint=fingerprint)
    for problem in wrong:
        part = problem.place
        stage.tell(problem.code, "severe", str(problem), part=part)


def _added(counts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for mapping in counts:
        for key, count in mapping.items():
            total[key] = total.get(key, 0) + count
    return total
