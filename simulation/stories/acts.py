"""The acts of a story: everything that enters the world from outside, except what providers and customers do
in answer to a message (`simulation.outside` has that).

An act is plain data. `str(act)` is a line of English, `repr(act)` the Python that makes it again: a story
that failed becomes a test by being printed. Times are seconds after the story's beginning.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta
from typing import Any, Self


class _Terse:
    """A `repr` without the fields that have their default: it is read by people."""

    def __repr__(self) -> str:
        """The Python that makes it again."""
        shown = ", ".join(f"{name}={value!r}" for name, value in self._told())
        return f"{type(self).__name__}({shown})"

    def _told(self) -> Iterator[tuple[str, Any]]:
        for one in fields(self):  # type: ignore[arg-type]
            value = getattr(self, one.name)
            default = one.default_factory() if callable(one.default_factory) else one.default
            if value != default:
                yield one.name, value


@dataclass(frozen=True, slots=True, repr=False)
class Record(_Terse):
    """One record of an index. `flaw` says what the story made wrong with it (`records.FLAWS`)."""

    fields: Mapping[str, str]
    flaw: str = ""

    def __str__(self) -> str:
        """The record in a few words."""
        told = self.fields
        named = " ".join(
            told[n] for n in ("customer_key", "recipient", "document_id", "document_type") if n in told
        )
        return f"{named} ({self.flaw})" if self.flaw else named


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class Act(_Terse):
    """Something that happens `at` so many seconds after the story's beginning."""

    at: float

    def __str__(self) -> str:
        """A line of English."""
        raise NotImplementedError

    def parts(self) -> int:
        """How many parts could be taken away from it: its records."""
        return 0

    def without(self, taken: frozenset[int]) -> Self:
        """The same without the parts of these numbers."""
        return self


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class DropRun(Act):
    """A run's folder arrives in the drop bucket: documents, index, what lies beside it, and the seal last.

    `form` is the index's (`indexes.FORMS`), `files` over how many index files the records are split, at most.
    `sealed_after` seconds pass between index and seal; None: there is no seal. The seal says what is there,
    except for what `stated` says otherwise. `not_composed` customers are expected beside those of the index.
    `replaced` are records that an index uploaded `replaced_after` seconds after the seal holds instead.
    `beside` are more files of the folder: name, text.
    """

    domain: str
    run_id: str
    records: tuple[Record, ...] = ()
    form: str = "jsonl"
    files: int = 1
    sealed_after: float | None = 0.0
    not_composed: int = 0
    stated: Mapping[str, Any] = field(default_factory=dict)
    replaced: tuple[Record, ...] | None = None
    replaced_after: float = 0.0
    beside: Mapping[str, str] = field(default_factory=dict)
    manifest: bool = False
    """A native manifest lies beside the site's own index."""

    @property
    def name(self) -> str:
        """The run's name, as the command shows it."""
        return f"{self.domain}/{self.run_id}"

    def __str__(self) -> str:
        """A line of English."""
        said = [f"run {self.name} arrives: {len(self.records)} records as {self.form}"]
        if (files := min(self.files, len(self.records))) > 1:
            said.append(f"in {files} files")
        if self.sealed_after is None:
            said.append("without a seal")
        elif self.sealed_after:
            said.append(f"sealed {span(self.sealed_after)} later")
        if self.not_composed:
            said.append(f"{self.not_composed} customers not composed")
        if self.stated:
            said.append("the seal says " + ", ".join(f"{k}={v}" for k, v in self.stated.items()))
        if self.replaced is not None:
            said.append(f"its index is replaced {span(self.replaced_after)} after the seal")
        if self.beside:
            said.append("beside " + ", ".join(self.beside))
        listed = "".join(f"\n      {record}" for record in self.records[:20])
        more = f"\n      and {len(self.records) - 20} more" if len(self.records) > 20 else ""
        return ", ".join(said) + listed + more

    def parts(self) -> int:
        """Its records."""
        return len(self.records)

    def without(self, taken: frozenset[int]) -> Self:
        """The same without the records of these numbers."""
        return replace(self, records=tuple(r for n, r in enumerate(self.records) if n not in taken))


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class PutEvent(Act):
    """An event is put on the bus: a single document, a payment, a response, a job that failed."""

    source: str
    detail_type: str
    detail: Mapping[str, Any]

    def __str__(self) -> str:
        """A line of English."""
        names = ("domain", "customer_key", "document_id", "run_id", "amount", "response", "account_status")
        told = " ".join(str(self.detail[name]) for name in names if name in self.detail)
        return f"{self.source} says {self.detail_type!r}: {told}"


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class Command(Act):
    """An operator runs `exnotify` with these arguments. `files` are files of the command's folder, which
    arguments name as `{folder}/NAME`. It may fail, as it would in life: then it did nothing."""

    line: tuple[str, ...]
    files: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        """A line of English."""
        return "an operator types: exnotify " + " ".join(f"'{a}'" if " " in a else a for a in self.line)


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class HandleIncidents(Act):
    """An operator answers every `each`-th open incident: `ack`, `resolve` or `mute`."""

    what: str
    each: int = 1

    def __str__(self) -> str:
        """A line of English."""
        which = "every open incident" if self.each == 1 else f"every {self.each}th open incident"
        return f"an operator answers {which}: {self.what}"


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class Ask(Act):
    """A system asks the HTTP API; `token` stands for its bearer token."""

    method: str
    path: str
    body: str = ""
    token: bool = True

    def __str__(self) -> str:
        """A line of English."""
        return f"a system asks {self.method} {self.path} {self.body[:100]}"


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class Reply(Act):
    """An SMS comes from a number, in answer to no message in particular. `reply_id` is the carrier's."""

    number: str
    text: str
    reply_id: str

    def __str__(self) -> str:
        """A line of English."""
        return f"{self.number} texts {self.text!r}"


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class SetRules(Act):
    """A deployment: instances that start from now on have another site folder (`sites.SITES`)."""

    site: str

    def __str__(self) -> str:
        """A line of English."""
        return (
            f"a deployment brings the rules of site {self.site!r}"
            if self.site
            else "the rules that ship are back"
        )


@dataclass(frozen=True, slots=True, repr=False, kw_only=True)
class ProviderMood(Act):
    """For so many seconds a provider meets a share of requests in one way (`outside.conduct`)."""

    provider: str
    kind: str
    share: float
    seconds: float

    def __str__(self) -> str:
        """A line of English."""
        share = f"{self.share:.0%} of its requests"
        return f"{self.provider} meets {share} with {self.kind} for {span(self.seconds)}"


@dataclass(frozen=True, slots=True, repr=False)
class Story(_Terse):
    """What happens from outside. `start` is when (ISO 8601), `parameters` are the template's where they
    differ from its defaults, `site` names the site folder that the first instances have, `lasts` says for
    how many seconds after the beginning faults go on."""

    start: str
    acts: tuple[Act, ...]
    parameters: Mapping[str, str] = field(default_factory=dict)
    site: str = ""
    lasts: float = 0.0

    def moment(self, act: Act) -> str:
        """When an act happens, in UTC."""
        return (datetime.fromisoformat(self.start) + timedelta(seconds=act.at)).isoformat(timespec="seconds")

    def __str__(self) -> str:
        """The whole story, an act a line, in the order of time."""
        rows = [f"{self.moment(act)}  {act}" for act in sorted(self.acts, key=lambda act: act.at)]
        return "\n".join(rows)


_UNITS = ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second"))


def span(seconds: float) -> str:
    """A length of time in words: `3 hours`."""
    for size, name in _UNITS:
        if seconds >= size:
            number = round(seconds / size, 1)
            return f"{number:g} {name}" + ("" if number == 1 else "s")
    return f"{seconds:g} seconds"
