"""Check the template's security with checkov, as CloudFormation sees it; .checkov.yaml leaves some out."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from exnotify.cloud.template import load_template

ROOT = Path(__file__).resolve().parent.parent
CHECKOV = ROOT / ".venv-checkov" / "bin" / "checkov"


def main() -> int:
    """Translate the SAM template, have it checked; exit code 1 if a check fails or nothing was checked."""
    translated = load_template(ROOT / "template.yaml", {}, "us-east-1").body
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "template.json"
        path.write_text(json.dumps(translated, default=str), encoding="utf-8")
        command = [str(CHECKOV), "--config-file", str(ROOT / ".checkov.yaml"), "--file", str(path)]
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


if __name__ == "__main__":
    sys.exit(main())
