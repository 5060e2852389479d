"""A folder as a run: what of it goes to the drop bucket, under which name, and with which seal."""

import hashlib
import json
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .errors import CommandError
from .seal import SEAL_NAME, RowRules, SealError, default_names, earlier_seal, form_of, seal_folder

if TYPE_CHECKING:
    from exstream_notify.domain.runs import DomainRule

    from .deployment import Deployment

_UPLOADS = 8
UNUSABLE = "unusable"
"""Stands for the fingerprint of a seal that nobody can read: no accepted run has it."""


@dataclass(frozen=True, slots=True)
class DropFile:
    """A file of the folder; `name` is its path below the run, with slashes."""

    name: str
    path: Path
    bytes: int


@dataclass(frozen=True, slots=True)
class PreparedRun:
    """A folder ready to be dropped. `seal` is the seal's bytes, None for a drop without one.

    `remarks` say, a sentence each, what is strange about the folder; it is dropped all the same, for
    the staging to judge and to record.
    """

    folder: Path
    domain: str
    run_id: str
    files: tuple[DropFile, ...]
    seal: bytes | None
    remarks: tuple[str, ...] = ()

    @property
    def prefix(self) -> str:
        """Where the run lies in the drop bucket."""
        return f"drop/{self.domain}/{self.run_id}/"

    @property
    def bytes(self) -> int:
        """Size of all its files, without the seal."""
        return sum(file.bytes for file in self.files)

    def fingerprint(self) -> str:
        """Identity of the sealed content, as the run's record keeps it; empty without a seal."""
        if self.seal is None:
            return ""
        from exstream_notify.adapters.seal import parse_seal
        from exstream_notify.domain.exceptions import Unusable

        try:
            return parse_seal(self.seal, self.domain, self.run_id, limit=len(self.seal)).fingerprint
        except Unusable:
            return UNUSABLE

    def content(self) -> str:
        """Identity of the files that the seal lists, as the run keeps it; empty where one is not here.

        A seal need not state checksums, so the same seal can stand over other files.
        """
        if self.seal is None:
            return ""
        from exstream_notify.adapters.seal import parse_seal
        from exstream_notify.domain.exceptions import Unusable
        from exstream_notify.domain.runs import FoundFile, content_of

        here = {file.name: file for file in self.files}
        try:
            listed = parse_seal(self.seal, self.domain, self.run_id, limit=len(self.seal)).files
        except Unusable:
            return ""
        if any(file.name not in here for file in listed):
            return ""
        found = []
        for name in (file.name for file in listed):
            with here[name].path.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
            found.append(FoundFile(name, here[name].bytes, "", digest))
        return content_of(found)


def prepare(
    folder: Path,
    *,
    domain: str | None,
    run_id: str | None,
    sealed: bool,
    rule_of: "Callable[[str], DomainRule] | None" = None,
) -> PreparedRun:
    """Read the folder, and make its seal unless it has one or none is wanted.

    Nothing is written into the folder. A seal that is there is taken as it is, but for the names
    where `domain` or `run_id` give others. `rule_of` gives a domain's rule, so that the seal counts rows as
    the staging will. Raises CommandError where there is nothing to drop.
    """
    remarks: list[str] = []
    files = tuple(_files(folder, remarks))
    if not files:
        raise CommandError(f"{folder} holds no files: name the folder that Exstream wrote")
    told = earlier_seal(folder)
    defaults = default_names(folder)
    names = (
        domain or _text(told.get("domain")) or defaults[0],
        run_id or _text(told.get("run_id")) or defaults[1],
    )
    seal: bytes | None = None
    if sealed and (folder / SEAL_NAME).exists():
        seal = (folder / SEAL_NAME).read_bytes()
        if told and (told.get("domain"), told.get("run_id")) != names and (domain or run_id):
            seal = json.dumps({**told, "domain": names[0], "run_id": names[1]}, ensure_ascii=False).encode()
    elif sealed:
        try:
            rule = rule_of(names[0]) if rule_of else None
            made, problems = seal_folder(
                folder,
                domain=names[0],
                run_id=names[1],
                encoding=(rule and rule.encoding) or "utf-8",
                rows=_rows_of(rule),
                strict=False,
            )
        except SealError as error:
            raise CommandError(f"{error}") from error
        seal = json.dumps(made, indent=1, ensure_ascii=False).encode()
        remarks += problems
    return PreparedRun(folder, *names, files, seal, tuple(remarks))


def _rows_of(rule: "DomainRule | None") -> RowRules:
    if rule is None:
        return RowRules()
    return RowRules(rule.multi_line_fields, rule.trailer.starts if rule.trailer else "")


def _text(value: object) -> str:
    from .seal import NAME

    return value if isinstance(value, str) and NAME.fullmatch(value) else ""


def _files(folder: Path, remarks: list[str]) -> Iterator[DropFile]:
    """What lies in the folder, without hidden files and the seal; a link that leads out is passed over."""
    root = folder.resolve()
    for where, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(where) / name
            inside = path.relative_to(folder).as_posix()
            if name.startswith(".") or inside == SEAL_NAME:
                continue
            if not path.resolve().is_relative_to(root):
                remarks.append(f"{inside} is a link that leads out of the folder: not uploaded")
            elif path.is_file():
                yield DropFile(inside, path, path.stat().st_size)


def upload(
    deployment: "Deployment", run: PreparedRun, moved: Callable[[int], None] = lambda number: None
) -> str:
    """Upload the run: documents, then indexes, the seal last. `moved` is told the bytes as they go.

    Returns the fingerprint by which the run's record will know this drop; empty if nothing starts it.
    """
    client, bucket = deployment.client("s3"), deployment.settings.drop_bucket

    def put(file: DropFile) -> None:
        client.upload_file(str(file.path), bucket, run.prefix + file.name, Callback=moved)

    indexes = [f for f in run.files if form_of(f.name) and "/" not in f.name]
    # A native manifest starts a run by itself, so it goes after all that it speaks of.
    indexes.sort(key=lambda f: form_of(f.name) == "native")
    with ThreadPoolExecutor(_UPLOADS) as pool:
        list(pool.map(put, (f for f in run.files if f not in indexes)))
    for file in indexes:
        put(file)
    if run.seal is not None:
        client.put_object(Bucket=bucket, Key=run.prefix + SEAL_NAME, Body=run.seal)
        return run.fingerprint()
    manifest = next((f for f in reversed(indexes) if form_of(f.name) == "native"), None)
    if manifest is None:
        return ""
    head: dict[str, Any] = client.head_object(Bucket=bucket, Key=run.prefix + manifest.name)
    return "etag:" + str(head["ETag"]).strip('"')
