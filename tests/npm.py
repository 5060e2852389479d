"""Locked npm packages, installed beside their lock when a test first needs one."""

import json
import subprocess
from pathlib import Path


def installed(folder: Path, package: str) -> Path:
    """Where a package of the folder's lock lies; installs the lock unless that very package is there."""
    name = f"node_modules/{package}"
    locked = _integrity(folder / "package-lock.json", name)
    if _integrity(folder / "node_modules" / ".package-lock.json", name) != locked:
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(command, cwd=folder, check=True, timeout=300, stdin=subprocess.DEVNULL)
    return folder / name


def _integrity(lock: Path, name: str) -> str | None:
    """The hash of a package in a lock of npm's, or None."""
    if not lock.exists():
        return None
    entry = json.loads(lock.read_text(encoding="utf-8"))["packages"].get(name, {})
    return str(entry["integrity"]) if "integrity" in entry else None
