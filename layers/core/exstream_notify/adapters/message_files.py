"""Message files, exception rows and run summaries, as streams: whatever their size, memory stays flat."""

import re
from collections.abc import Iterator
from itertools import chain
from typing import BinaryIO

from ..domain.composer_messages import Group, Grouped, RunSummary, read_lines
from ..domain.exceptions import Unusable
from .alert_rules import MessageRules
from .exception_rows import ExceptionRows
from .index.faults import IndexUnreadable
from .message_json import IS_JSON, JsonMessages
from .message_text import lines_of, text_of
from .message_xml import XmlMessages
from .run_summaries import RunSummaries

_IS_XML = re.compile(r"[\ufeff\s]*<(?:\?xml|!--|!DOCTYPE|[^\W\d][\w.:-]*[\s/>])")


class MessageFiles:
    """`MessageFiles` by the site's rules."""

    def __init__(self, rules: MessageRules) -> None:
        self._rules = rules
        self._rows = ExceptionRows(rules)
        self._summaries = RunSummaries(rules)

    def kind(self, name: str) -> str | None:
        """See `MessageFiles.kind`."""
        return self._rules.kind(name)

    def speaks(self, name: str) -> bool:
        """See `MessageFiles.speaks`."""
        return self._rules.speaks(name)

    def read(self, stream: BinaryIO, name: str, kind: str, grouped: Grouped) -> Iterator[Group]:
        """See `MessageFiles.read`."""
        try:
            if kind in ("exceptions", "deliveries"):
                yield from self._rows.read(lines_of(self._text(stream, name), dots=True), name, kind, grouped)
            else:
                yield from self._read_messages(stream, name, grouped, xml=kind == "xml_messages")
        except IndexUnreadable as unreadable:
            self._refuse(unreadable)
        if grouped.unmatched and not (grouped.messages or grouped.passed):
            what = "rows" if kind in ("exceptions", "deliveries") else "lines"
            reason = f"{grouped.unmatched} {what}, none of which is a message"
            raise Unusable("messages_unreadable", name, reason)

    def summary(self, stream: BinaryIO, name: str) -> RunSummary | None:
        """See `MessageFiles.summary`."""
        try:
            return self._summaries.read(self._text(stream, name), name)
        except IndexUnreadable as unreadable:
            self._refuse(unreadable)
            return None

    def _read_messages(self, stream: BinaryIO, name: str, grouped: Grouped, *, xml: bool) -> Iterator[Group]:
        """By what the file is, whatever its name says: XML begins with a tag, JSON with an object."""
        pieces = self._text(stream, name, xml=xml)
        head = ""
        for head in pieces:
            if head.strip():
                break
        pieces = chain((head,), pieces)
        if _IS_XML.match(head):
            yield from XmlMessages(name, grouped, self._rules.severities).read(pieces)
        elif IS_JSON.match(head):
            yield from JsonMessages(name, grouped, self._rules.severities).read(pieces)
        else:
            yield from read_lines(lines_of(pieces), grouped)

    def _text(self, stream: BinaryIO, name: str, *, xml: bool = False) -> Iterator[str]:
        limit = self._rules.unpacked_megabytes * 1024 * 1024
        return text_of(stream, name, encoding=self._rules.encoding, limit=limit, xml=xml)

    def _refuse(self, unreadable: IndexUnreadable) -> None:
        """Raise `Unusable`, but not for an empty file: it says that there is nothing to say."""
        if "empty" not in unreadable.reason:
            reason = unreadable.reason
            if "once decompressed" in reason:
                reason += " (unpacked_megabytes in rules/messages.yaml)"
            raise Unusable("messages_unreadable", unreadable.place, reason) from unreadable
