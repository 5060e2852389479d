"""Which version of a document somebody means."""

import re
from collections.abc import Collection

from .account_status import spellings
from .documents import Document

_HASH = re.compile(r"[0-9a-f]{12,64}")


def is_version(document: Document | None, versions: Collection[str]) -> bool:
    """Whether a record has each of these versions: its `content_sha256`, in whole or at least twelve
    characters of it, or its `document_version`. A record that states neither has none of them."""
    return document is not None and all(_is_version(document, version) for version in versions)


def _is_version(document: Document, version: str) -> bool:
    content = version.strip().lower().removeprefix("sha256:")
    if document.content_sha256 and _HASH.fullmatch(content) and document.content_sha256.startswith(content):
        return True
    said = spellings(version)
    return bool(document.document_version and said and said & spellings(document.document_version))
