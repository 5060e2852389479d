"""Check the templates' security with checkov, as CloudFormation sees them; .checkov.yaml leaves some out."""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from exnotify.cloud.template import load_template

ROOT = Path(__file__).resolve().parent.parent
CHECKOV = ROOT / ".venv-checkov" / "bin" / "checkov"


def main() -> int:
    """Translate the templates, have them checked; exit code 1 if a check fails or nothing was checked."""
    with tempfile.TemporaryDirectory() as folder:
        files = [Path(folder) / name for name in _write(Path(folder))]
        command = [str(CHECKOV), "--config-file", str(ROOT / ".checkov.yaml"), "--file", *map(str, files)]
        # It would ask its makers for guidelines.
        quiet = {"BC_SKIP_MAPPING": "TRUE", "LOG_LEVEL": "ERROR"}
        done = subprocess.run(
            [*command, "--output", "json"],
            env=os.environ | quiet,
            capture_output=True,
            text=True,
            check=False,
        )
    try:
        found = json.loads(done.stdout)
    except ValueError:
        print(done.stdout[-2000:], done.stderr[-2000:])
        return 1
    failed = found.get("results", {}).get("failed_checks", [])
    for row in failed:
        print(f"{row['resource'].partition('.')[2]}: {row['check_id']} {row['check_name']}")
    passed = found.get("summary", {}).get("passed", 0)
    print(f"{passed} checks passed, {len(failed)} failed")
    return 1 if failed or not passed else 0


def _write(folder: Path) -> Iterator[str]:
    """Writes the templates as CloudFormation sees them; their names."""
    root = load_template(ROOT / "template.yaml", {}, "us-east-1")
    bodies = {"template.json": root.body}
    for name, path in root.nested.items():
        given = dict.fromkeys(root.body["Resources"][name]["Properties"]["Parameters"], "given")
        bodies[f"{path.stem}.json"] = load_template(path, given, "us-east-1").body
    for name, body in bodies.items():
        (folder / name).write_text(json.dumps(body, default=str), encoding="utf-8")
        yield name


if __name__ == "__main__":
    sys.exit(main())
