"""`approvals.yaml` of a site's wording folder: who approved which version of which words, and when."""

import re
from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import date, datetime
from pathlib import Path
from typing import Any

from ...domain.approvals import Approval
from .texts import WordingError, read_yaml

NAME = "approvals.yaml"
_FIELDS = tuple(field.name for field in fields(Approval))


def read_approvals(folder: Path | None) -> tuple[Approval, ...]:
    """All approvals of a folder, in the order of the file; none where there is no file.

    Raises WordingError for a file that says anything but approvals: what cannot be read approves nothing.
    """
    path = folder / NAME if folder is not None else None
    if path is None or not path.exists():
        return ()
    data = read_yaml(path)
    if set(data) - {"approved"} or not isinstance(data.get("approved") or [], list):
        raise WordingError(f"{NAME}: `approved` and a list below it is all that may stand here")
    return tuple(_approval(number, row) for number, row in enumerate(data.get("approved") or [], 1))


def approvals_by_version(folder: Path | None) -> Mapping[tuple[str, str, str, str], Approval]:
    """The approvals of a folder by wording, channel, language and version; the newest of each counts."""
    return {(a.wording, a.channel, a.language, a.version): a for a in read_approvals(folder)}


def _approval(number: int, row: Any) -> Approval:
    if not isinstance(row, dict) or set(row) != set(_FIELDS):
        raise WordingError(f"{NAME}: entry {number}: needs {', '.join(_FIELDS)}, and nothing else")
    # YAML takes a plain date for one, and twelve digits for a number.
    texts = {
        name: value.isoformat() if isinstance(value, date | datetime) else str(value).strip()
        for name, value in row.items()
        if value is not None
    }
    empty = [name for name in _FIELDS if not texts.get(name)]
    if empty:
        raise WordingError(f"{NAME}: entry {number}: {empty[0]} is empty")
    if not isinstance(row["version"], str) or not re.fullmatch(r"[0-9a-f]{12}", texts["version"]):
        raise WordingError(f"{NAME}: entry {number}: version is twelve hex characters, in quotes")
    try:
        datetime.fromisoformat(texts["when"])
    except ValueError as error:
        raise WordingError(f"{NAME}: entry {number}: when is no date: {texts['when']!r}") from error
    return Approval(**texts)


def add_approvals(folder: Path, new: tuple[Approval, ...]) -> None:
    """Write further approvals behind those of the file, which are kept: they are what went out under."""
    import yaml

    rows = [asdict(approval) for approval in (*read_approvals(folder), *new)]
    text = (
        "# Who approved which version of the wording. Written by `exnotify approvals`; add, never change.\n"
    )
    text += yaml.safe_dump({"approved": rows}, sort_keys=False, allow_unicode=True, width=200)
    (folder / NAME).write_text(text, encoding="utf-8")
