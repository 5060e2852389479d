"""Runs made up here, and the project's own stack on the embedded cloud."""

import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from exnotify.dropping import prepare, upload
from exnotify.following import Expected, Followed, follow
from exnotify.local import LocalCloud

MakeRun = Callable[..., Path]


def record(number: int, **fields: Any) -> dict[str, Any]:
    """One record of a statement run; fields given are laid over it."""
    return {
        "customer_key": f"E{number:06d}",
        "document_id": f"E{number:06d}-STA",
        "document_type": "statement",
        "customer_in_run": str(number),
        "email": f"e{number:06d}@example.com",
        "mobile": f"+1202555{100 + number % 100:04d}",
        "language": ("en", "es", "fr", "de")[number % 4],
        "time_zone": "America/New_York",
        "first_name": "Zoë",
        "last_name": "D'Angelo",
        "account_number": f"{4_400_000_000 + number}",
        "reference_no": f"REF-{number:08d}",
        "amount_due": f"{number}.50",
        "currency": "EUR",
        "due_date": "2026-12-24",
        **fields,
    }


@pytest.fixture
def make_run(tmp_path: Path) -> MakeRun:
    """Writes records as a run folder with one JSON lines index."""

    def make(name: str, records: list[dict[str, Any]]) -> Path:
        folder = tmp_path / name
        folder.mkdir()
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in records)
        (folder / f"{name}.index.jsonl").write_text(lines, "utf-8")
        return folder

    return make


def drop(cloud: LocalCloud, folder: Path, run_id: str, domain: str = "retail") -> Followed:
    """Drop a folder as a run and follow it to its end."""
    deployment = cloud.deployment()
    run = prepare(folder, domain=domain, run_id=run_id, sealed=True)
    known = deployment.app.runs.get(domain, run_id)
    fingerprint = upload(deployment, run)
    return follow(deployment, domain, run_id, expected=Expected(fingerprint, known.version if known else 0))


def outcomes(followed: Followed) -> dict[str, int]:
    """The outcomes that occur."""
    assert followed.told is not None
    return {name: count for name, count in followed.told["outcomes"].items() if count}


def told(cloud: LocalCloud, prefix: str) -> Counter[str]:
    """Messages by address, of addresses that start so."""
    return Counter(m.to for m in cloud.messages if m.to.startswith(prefix))


@pytest.fixture(scope="module")
def cloud() -> Iterator[LocalCloud]:
    """The stack at three in the afternoon in New York; deliveries come twice and out of order, batch calls are
    answered in part."""
    chaos = frozenset({"duplicates", "reorder", "partial"})
    with LocalCloud(at="2026-11-24T20:00:00+00:00", chaos=chaos, seed=7) as running:
        yield running
