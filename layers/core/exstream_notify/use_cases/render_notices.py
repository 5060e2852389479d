"""Words for the notices of a job, each for itself: what cannot be rendered fails alone."""

from __future__ import annotations

import hashlib
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from ..domain.decisions import Why
from ..domain.exceptions import ExceptionRaised
from .decide_notices import team_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Protocol

    from ..domain.approvals import Approval
    from ..domain.documents import Document, DocumentRule
    from ..domain.messages import Content
    from ..domain.notices import Notice
    from ..domain.work import Member, SendJob
    from ..ports import Wording

    class Row(Protocol):
        """What rendering needs of a prepared notice, and where it puts the words."""

        member: Member
        notice: Notice
        rule: DocumentRule
        document: Document | None
        link: str | None
        language: str
        preferences: str | None
        counts: Mapping[str, int]
        content: Content | None
        inserts: tuple[str, ...]


R = TypeVar("R", bound="Row")

NOT_RENDERED = str(Why.NOT_RENDERED)
"""Why a notice failed for which there were no words, or whose words could not be filled in."""

_LONGEST = 300  # characters of a cause: wording can quote a paragraph

Unexpected = Callable[[Exception], None]
"""Logs what kept a notice from being rendered, without its values."""


class Rendering:
    """Renders one job's notices.

    Nothing here calls a service, so whatever is raised is about the words or the record. `report` gets each
    error as it is; the incident has its text only where the error says that it is impersonal, else its class
    and place: a text can repeat what a record says of its customer.
    """

    def __init__(self, job: SendJob, wording: Wording, report: Unexpected) -> None:
        self._job = job
        self._wording = wording
        self._report = report
        self._said: dict[tuple[str, str], tuple[str, Approval | None] | Exception] = {}
        self._causes: dict[str, str] = {}
        self._failed: Counter[tuple[str, str]] = Counter()

    def sayable(self, rows: Sequence[R]) -> tuple[list[R], list[R]]:
        """Those whose words exist, and those whose do not."""
        there: list[R] = []
        lacking: list[R] = []
        for row in rows:
            found = self._words(row)
            if isinstance(found, Exception):
                self._note(row, found)
            (lacking if isinstance(found, Exception) else there).append(row)
        return there, lacking

    def version(self, row: Row) -> str:
        """The version of a row's words."""
        found = self._words(row)
        return "" if isinstance(found, Exception) else found[0]

    def approval(self, row: Row) -> Approval | None:
        """Who approved them; None also where approvals cannot be read, since these approve nothing."""
        found = self._words(row)
        return None if isinstance(found, Exception) else found[1]

    def render(self, row: Row) -> bool:
        """Give a row its content; False if it cannot be rendered."""
        try:
            row.content = self._content(row)
        except MemoryError:
            raise
        except Exception as error:  # words and values can fail in as many ways as a program
            self._note(row, error)
            return False
        return True

    def key(self, document: Document) -> object:
        """What documents that share a bulk content have in common; None for one that has to go by itself."""
        try:
            return self._wording.bulk_key(document)
        except MemoryError:
            raise
        except Exception as error:
            self._report(error)
            return None

    def bulk(self, rows: Sequence[R]) -> tuple[Content | None, list[R], list[R], list[R]]:
        """One content for these rows: the content and its members, with their inserts; those that go by
        themselves; and those that cannot be rendered."""
        lacking: list[R] = []
        for _ in range(2):
            try:
                content, members, singles = self._share(rows)
            except MemoryError:
                raise
            except Exception as error:
                # Each by itself shows whose fault it is; the others share a content then.
                fine = [row for row in rows if self.render(row)]
                lacking += [row for row in rows if row not in fine]
                if len(fine) == len(rows) or len(fine) < 2:
                    self._report(error)
                    return None, [], fine, lacking
                rows = fine
            else:
                return content, members, singles, lacking
        return None, [], list(rows), lacking

    def failed(self, row: Row) -> None:
        """Count a row whose failure is recorded."""
        self._failed[row.notice.document_type, self._causes.get(row.member.notice_id, NOT_RENDERED)] += 1

    def exceptions(self) -> list[ExceptionRaised]:
        """What failed, one exception for each type and cause; each names file, type, language and channel."""
        job = self._job
        return [
            ExceptionRaised(
                NOT_RENDERED,
                "error",
                job.pointer.domain,
                job.pointer.run_id,
                text,
                part=f"job {job.job_id} {hashlib.blake2b(text.encode(), digest_size=6).hexdigest()}",
                count=count,
                document_type=kind,
            )
            for (kind, text), count in sorted(self._failed.items())
        ]

    def _words(self, row: Row) -> tuple[str, Approval | None] | Exception:
        """Version and approval of a row's words, found out once for all rows that share them."""
        wording, channel, language = row.rule.wording, self._job.channel, row.language
        if (wording, language) not in self._said:
            try:
                version = self._wording.version(wording, channel, language)
            except MemoryError:
                raise
            except Exception as error:
                self._said[wording, language] = error
                return error
            approval = None
            try:
                approval = self._wording.approval(wording, channel, language)
            except MemoryError:
                raise
            except Exception as error:
                self._report(error)
            self._said[wording, language] = version, approval
        return self._said[wording, language]

    def _content(self, row: Row) -> Content:
        if row.document is None:
            team = team_of(row.member.audience) or ""
            return self._wording.render_digest(team, self._job.pointer.run_id, row.counts)
        return self._wording.render(
            row.rule.wording,
            self._job.channel,
            row.document,
            link=row.link,
            preferences_link=row.preferences,
            language=row.language,
        )

    def _share(self, rows: Sequence[R]) -> tuple[Content, list[R], list[R]]:
        first = rows[0]
        rendering = self._wording.render_bulk(
            first.rule.wording,
            self._job.channel,
            [row.document for row in rows if row.document],
            [row.link for row in rows],
            first.language,
            preferences_links=[row.preferences for row in rows],
        )
        members: list[R] = []
        singles: list[R] = []
        for row, inserts in zip(rows, rendering.inserts, strict=True):
            if inserts is None:
                singles.append(row)
            else:
                row.inserts = inserts
                members.append(row)
        return rendering.content, members, singles

    def _note(self, row: Row, error: Exception) -> None:
        self._report(error)
        file = f"{row.language}.yaml"
        about = f"type {row.notice.document_type}"
        if row.notice.purpose not in ("notice", "digest"):
            about += f", {row.notice.purpose}"
        if team := team_of(row.member.audience):
            about += f", to team {team}"
        cause = _cause(error).removeprefix(f"{file}: ")
        self._causes[row.member.notice_id] = (
            f"wording/{file}: {about}: {row.rule.wording!r} by {self._job.channel} in {row.language} "
            f"cannot be rendered: {cause}"
        )


def _cause(error: Exception) -> str:
    if getattr(error, "impersonal", False):
        text = " ".join(str(error).split())
        return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno} {frames[-1].name}" if frames else ""
    return f"{type(error).__name__}{place}"
