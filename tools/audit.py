"""Ask for known vulnerabilities of every library that a lock pins: `make audit`.

pip-audit asks PyPI for the Python locks, `npm audit` npm's registry for the package locks; both need the
network. pip-audit passes over what it gets no answer for and ends well, so such libraries are counted here.
Exit code 0: all were asked for, and nothing is known of them; 1: something is; 3: some were not asked for.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PYTHON_LOCKS = (
    *sorted((ROOT / "layers").glob("*/requirements.txt")),
    *sorted((ROOT / "requirements").glob("*.txt")),
    ROOT / "tests" / "container" / "requirements.txt",
)
NODE_LOCKS = tuple(sorted((ROOT / "tests").glob("*/package-lock.json")))
UNKNOWN = 3
"""Exit code where something could not be asked for."""


@dataclass(frozen=True)
class Audit:
    """What is known of a lock's libraries; `unasked` says what could not be asked for, and why."""

    asked: int = 0
    known: tuple[str, ...] = ()
    unasked: str = ""


def of_pip_audit(text: str, errors: str = "") -> Audit:
    """What `pip-audit --format json` says; a library that it skipped was not asked for."""
    told = _object(text).get("dependencies", [])
    if not told:
        return Audit(unasked=_last_line(errors) or "no answer")
    skipped = [row["skip_reason"] for row in told if "skip_reason" in row]
    known = tuple(
        f"{row['name']} {row['version']}: {vulnerability['id']}, "
        f"repaired in {', '.join(vulnerability['fix_versions']) or 'no version yet'}"
        for row in told
        for vulnerability in row.get("vulns", [])
    )
    why = f"{len(skipped)} of {len(told)} libraries, the first: {skipped[0]}" if skipped else ""
    return Audit(len(told) - len(skipped), known, why)


def of_npm_audit(text: str, errors: str = "") -> Audit:
    """What `npm audit --json` says."""
    told = _object(text)
    if "vulnerabilities" not in told:
        return Audit(unasked=str(told.get("message") or _last_line(errors) or "no answer"))
    known = tuple(f"{name}: {row['severity']}" for name, row in sorted(told["vulnerabilities"].items()))
    return Audit(int(told["metadata"]["dependencies"]["total"]), known)


def screen(audits: Sequence[tuple[str, Audit]]) -> tuple[str, int]:
    """The report, and the exit code."""
    lines = []
    for lock, audit in audits:
        lines.append(f"{lock}: {audit.asked} libraries asked for, {len(audit.known)} known vulnerabilities")
        lines += [f"  {one}" for one in audit.known]
        lines += [f"  NOT ASKED FOR: {audit.unasked}"] if audit.unasked else []
    if any(audit.known for _, audit in audits):
        return "\n".join([*lines, "known vulnerabilities: take other versions (make lock UPGRADE=1)"]), 1
    if any(audit.unasked for _, audit in audits):
        last = "no vulnerability is known of what was asked for, but not everything was: this is no audit"
        return "\n".join([*lines, last]), UNKNOWN
    return "\n".join([*lines, "every library was asked for, and no vulnerability is known"]), 0


def _run(command: Sequence[str], folder: Path = ROOT) -> tuple[str, str]:
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL
        )
    except OSError as missing:
        return "", f"{command[0]}: {missing.strerror}"
    return done.stdout, done.stderr


def _object(text: str) -> dict[str, Any]:
    try:
        told = json.loads(text)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")


def main() -> int:
    """Audit every lock."""
    ask_pip = [sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes", "--format", "json"]
    ask_npm = ["npm", "audit", "--json", "--package-lock-only"]
    audits = [
        (str(lock.relative_to(ROOT)), of_pip_audit(*_run([*ask_pip, "--requirement", str(lock)])))
        for lock in PYTHON_LOCKS
    ]
    audits += [
        (str(lock.relative_to(ROOT)), of_npm_audit(*_run(ask_npm, lock.parent))) for lock in NODE_LOCKS
    ]
    text, code = screen(audits)
    print(text)
    return code


if __name__ == "__main__":
    sys.exit(main())
