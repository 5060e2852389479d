"""Acts, carried out in the simulated world when their time comes, and what became of each."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial, singledispatchmethod
from hashlib import blake2b
from pathlib import Path

from simulation.engine.calls import Defect
from simulation.engine.cloud import Cloud
from simulation.engine.commands import Typed
from simulation.engine.tasks import Task

from .acts import Act, Ask, Command, DropRun, HandleIncidents, ProviderMood, PutEvent, Reply, SetRules, Story
from .indexes import MANIFEST, SEAL, documents, index_files, seal
from .sites import folder_of

_NEVER = (TypeError, AttributeError, NameError, NotImplementedError)
"""What no command ends with, whatever AWS does: the simulation lacks something, or the command is wrong."""


@dataclass(slots=True)
class Deed:
    """An act as it was carried out. `line`: an operator's command, where the act is one or makes one.

    `ended`: when it was said to be done (epoch seconds); None: nobody was told, or the command was killed.
    `code` is the command's exit code or the answer's status, None for neither; `said` is what it wrote about
    it.
    """

    act: Act
    began: float
    line: tuple[str, ...] = ()
    ended: float | None = None
    code: int | None = None
    said: str = ""


@dataclass(slots=True)
class Performance:
    """A story in a world. `deeds` are what was carried out, in order; `folder` takes the commands' files."""

    story: Story
    cloud: Cloud
    folder: Path
    deeds: list[Deed] = field(default_factory=list)

    @property
    def start(self) -> float:
        """When the story begins, in epoch seconds."""
        return datetime.fromisoformat(self.story.start).timestamp()

    def begin(self) -> None:
        """Have each act happen in its time. Its name tells what it is, whatever comes before it."""
        times: Counter[str] = Counter()
        for act in self.story.acts:
            times[repr(act)] += 1
            digest = blake2b(repr(act).encode(), digest_size=6).hexdigest()
            name = f"{type(act).__name__} {digest}:{times[repr(act)]}"
            self.cloud.timeline.at(self.start + act.at, partial(self._act, act, name))

    @singledispatchmethod
    def _act(self, act: Act, name: str) -> None:
        raise NotImplementedError(f"nobody knows how to perform {act!r}")

    # --- what systems do -----------------------------------------------------------------------------

    @_act.register
    def _(self, act: DropRun, name: str) -> None:
        for record in act.records:
            self.cloud.outside.meet(act.domain, record.fields)
        files = index_files(act, act.records)
        for place, data in documents(act).items():
            self._put(act, place, data)
        for place, text in act.beside.items():
            self._put(act, place, text.encode())
        # A manifest starts a run by itself, so it goes after all that it speaks of.
        for place in sorted(files, key=lambda file: file.startswith(MANIFEST)):
            self._put(act, place, files[place])
        deed = self._done(act)
        if act.sealed_after is None:
            return
        deed.ended = None
        sealed = seal(act, files, datetime.fromtimestamp(deed.began, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
        self._later(act.sealed_after, lambda: self._seal(act, sealed, deed))

    def _seal(self, act: DropRun, sealed: bytes, deed: Deed) -> None:
        self._put(act, SEAL, sealed)
        deed.ended = self.cloud.timeline.now
        if act.replaced is not None:
            self._later(act.replaced_after, lambda: self._replace(act))

    def _replace(self, act: DropRun) -> None:
        for place, data in index_files(act, act.replaced or ()).items():
            self._put(act, place, data)

    def _put(self, act: DropRun, place: str, data: bytes) -> None:
        self.cloud.put_object(self.cloud.outputs["DropBucketName"], f"drop/{act.name}/{place}", data)

    @_act.register
    def _(self, act: PutEvent, name: str) -> None:
        if act.detail_type == "Document Composed":
            self.cloud.outside.meet(act.detail["domain"], act.detail)
        self.cloud.put_event(act.source, act.detail_type, act.detail)
        self._done(act)

    @_act.register
    def _(self, act: Ask, name: str) -> None:
        headers = {"content-type": "application/json"}
        if act.token:
            tokens = json.loads(self.cloud.secret(self.cloud.outputs["EligibilityTokensSecret"]))
            headers["authorization"] = f"Bearer {next(iter(tokens.values()))}"
        deed = Deed(act, self.cloud.timeline.now)
        self.deeds.append(deed)

        def ask() -> None:
            answer = self.cloud.http(act.method, act.path, headers, act.body)
            deed.ended, deed.code = self.cloud.timeline.now, answer.status
            deed.said = answer.body if answer.status >= 400 else ""

        self.cloud.task(name, ask)

    @_act.register
    def _(self, act: Reply, name: str) -> None:
        body = {
            "originationNumber": act.number,
            "destinationNumber": "+12025550199",
            "messageKeyword": "KEYWORD_EXAMPLE",
            "messageBody": act.text,
            "inboundMessageId": act.reply_id,
        }
        self.cloud.send(self.cloud.outputs["SmsRepliesTopicArn"], json.dumps(body))
        self._done(act)

    @_act.register
    def _(self, act: SetRules, name: str) -> None:
        self.cloud.functions.site = str(folder_of(act.site) or "")
        self._done(act)

    @_act.register
    def _(self, act: ProviderMood, name: str) -> None:
        now = self.cloud.timeline.now
        self.cloud.outside.weather.spell(act.provider, act.kind, act.share, now + act.seconds)
        self._done(act)

    # --- what operators do ---------------------------------------------------------------------------

    @_act.register
    def _(self, act: Command, name: str) -> None:
        folder = self.folder / name.replace(" ", "-")
        for file, text in act.files.items():
            folder.mkdir(parents=True, exist_ok=True)
            (folder / file).write_text(text, "utf-8")
        line = tuple(word.replace("{folder}", str(folder)) for word in act.line)
        self._type(act, name, line)

    @_act.register
    def _(self, act: HandleIncidents, name: str) -> None:
        found = self.cloud.read(lambda target: target.app.incidents.all())
        open_ones = sorted(i.incident_id for i in found if str(i.status) != "resolved")
        for incident in open_ones[:: act.each]:
            self._type(act, f"{name} {incident}", ("incidents", act.what, incident, "--why", "seen"))

    def _type(self, act: Act, name: str, line: tuple[str, ...]) -> None:
        """Have an operator type a command line; a failure is the operator's to see."""
        deed = Deed(act, self.cloud.timeline.now, line)
        self.deeds.append(deed)
        task = self.cloud.command(name, line)
        told = task.then

        def ended(over: Task) -> None:
            if isinstance(over.value, Typed):
                deed.ended, deed.code, deed.said = self.cloud.timeline.now, over.value.code, over.value.err
            elif isinstance(over.error, _NEVER):
                self.cloud.calls.defect = Defect(f"{' '.join(line)}: {over.error!r}")
                self.cloud.calls.defect.__cause__ = over.error
            if told:
                told(over)

        task.then = ended

    # --- help ----------------------------------------------------------------------------------------

    def _done(self, act: Act) -> Deed:
        now = self.cloud.timeline.now
        deed = Deed(act, now, ended=now)
        self.deeds.append(deed)
        return deed

    def _later(self, seconds: float, act: Callable[[], None]) -> None:
        if seconds:
            self.cloud.timeline.after(seconds, act)
        else:
            act()
