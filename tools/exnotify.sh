#!/bin/sh
# The `exnotify` command: `make setup` copies this to .venv/bin/exnotify.
#
# The path is set for this command alone, not for the whole environment: functions in the embedded cloud run on
# the same Python, and must find no more than their code and their layers. `exec` keeps the process id, so that
# whoever started the command can stop it by that.
self=$(readlink -f "$0" 2>/dev/null || echo "$0")
scripts=$(cd "$(dirname "$self")" && pwd)
tree=$(dirname "$(dirname "$scripts")")
PYTHONPATH="$tree/layers/core:$tree/tools" exec "$scripts/python" -m exnotify "$@"
