"""Start of each handler beside a bare `boto3.client("dynamodb")`, in fresh processes that take turns.

Each handler is imported as the Lambda runtime does it: from the layer as `layers/core/build_layer.py`
makes it, with bytecode, with boto3 beside it as the runtime brings it, under the template's environment.
That needs the runtime's Python version and Linux; elsewhere this interpreter and its own libraries stand
in, and the result says so. Nothing may be connected to on the way.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from statistics import median
from types import ModuleType

from .functions import CREDENTIALS
from .template import ROOT, functions

TARGET = 1.5
"""How many times a bare client's start a handler's may take."""

BARE = "boto3.client"
_RUNTIME_LIBRARIES = ("boto3", "botocore", "jmespath", "python-dateutil", "s3transfer", "six", "urllib3")
"""What the runtime brings of boto3's own."""

_CHILD = """
import json, sys, time
def refuse(event, arguments):
    if event == "socket.connect":
        raise SystemExit("connects to " + repr(arguments[1]))
sys.addaudithook(refuse)
sys.path[:0] = json.loads(sys.argv[1])
wall, cpu = time.perf_counter(), time.process_time()
{statement}
wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
print(json.dumps([wall, cpu]))
"""


@dataclass(frozen=True, slots=True)
class Python:
    """What starts are measured with: the interpreter, its version, and where its libraries are.

    `paths` is the layer's folder and then the runtime's; the bare client has the runtime's alone.
    """

    program: str
    version: str
    paths: tuple[str, ...]
    as_deployed: bool


@dataclass(frozen=True, slots=True)
class Start:
    """One handler: median seconds, and the median of the ratios to the bare client round by round."""

    name: str
    wall: float
    cpu: float
    wall_ratio: float
    cpu_ratio: float


def _build_layer() -> ModuleType:
    spec = spec_from_file_location("build_layer", ROOT / "layers" / "core" / "build_layer.py")
    if spec is None or spec.loader is None:
        raise ImportError("layers/core/build_layer.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _runtime_requirements() -> str:
    """The locked lines of boto3 and what it needs."""
    lock = (ROOT / "requirements" / "dev.txt").read_text("utf-8")
    entries = re.finditer(r"^([\w.-]+)==.*\n(?:[ \t].*\n)*", lock, re.MULTILINE)
    found = [entry.group(0) for entry in entries if entry[1] in _RUNTIME_LIBRARIES]
    if len(found) != len(_RUNTIME_LIBRARIES):
        raise ValueError(f"not all of {', '.join(_RUNTIME_LIBRARIES)} are in requirements/dev.txt")
    return "".join(found)


def find_python() -> Python:
    """The runtime's Python with the layer's libraries (made once under `build/`), else this interpreter."""
    layer = _build_layer()
    program = layer.runtime_python()
    if program is None or sys.platform != "linux":
        return Python(
            sys.executable, platform.python_version(), (sysconfig.get_path("purelib"),), as_deployed=False
        )
    requirements = ROOT / "layers" / "core" / "requirements.txt"
    runtime = _runtime_requirements()
    made_of = (requirements.read_bytes(), runtime.encode(), Path(str(layer.__file__)).read_bytes())
    name = hashlib.sha256(b"".join(made_of)).hexdigest()[:12]
    folder = ROOT / "build" / f"bench-start-{name}"
    if not folder.exists():
        architecture = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
        folder.parent.mkdir(exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as scratch:
            made = Path(scratch) / "libraries"
            (Path(scratch) / "runtime.txt").write_text(runtime, encoding="utf-8")
            for kind, lock in (("layer", requirements), ("runtime", Path(scratch) / "runtime.txt")):
                layer.install(lock, made / kind, architecture)
                if kind == "layer":
                    layer.prune(made / kind)
                layer.compile_bytecode(made / kind, program)
            made.rename(folder)
    asked = [str(program), "-c", "import platform; print(platform.python_version())"]
    version = subprocess.run(asked, check=True, capture_output=True, text=True).stdout.strip()
    return Python(str(program), version, (str(folder / "layer"), str(folder / "runtime")), as_deployed=True)


@contextmanager
def _project(python: Python) -> Iterator[Path]:
    """A private copy of the package and the functions, with bytecode."""
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(
            ROOT / "layers" / "core" / "exstream_notify", tree / "layer" / "exstream_notify", ignore=ignored
        )
        shutil.copytree(ROOT / "functions", tree / "functions", ignore=ignored)
        command = [python.program, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", folder]
        subprocess.run(command, check=True)
        yield tree


def _start(
    python: Python, paths: Sequence[str], variables: Mapping[str, str], statement: str
) -> tuple[float, float]:
    """Wall and CPU seconds of the statement in a fresh process."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LD_LIBRARY_PATH") if name in os.environ}
    done = subprocess.run(
        [
            *(python.program, "-I", "-S", "-c", _CHILD.format(statement=statement)),
            json.dumps(paths),
        ],
        env={**kept, **CREDENTIALS, **variables},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{statement}: {done.stderr.strip()[-2000:]}")
    wall, cpu = json.loads(done.stdout.splitlines()[-1])
    return wall, cpu


def measure(*, quick: bool = False) -> tuple[Python, list[Start]]:
    """All handlers and the bare client, in turn, fifteen times (`quick`: three)."""
    python = find_python()
    walls: dict[str, list[float]] = {}
    cpus: dict[str, list[float]] = {}
    with _project(python) as tree:
        for _ in range(3 if quick else 15):
            for name in (BARE, *functions()):
                if name == BARE:
                    wall, cpu = _start(
                        python, python.paths[-1:], {}, 'import boto3; boto3.client("dynamodb")'
                    )
                else:
                    paths = (str(tree / "functions" / name), str(tree / "layer"), *python.paths)
                    variables = {**functions()[name].environment, "AWS_LAMBDA_FUNCTION_NAME": name}
                    wall, cpu = _start(python, paths, variables, "import app")
                walls.setdefault(name, []).append(wall)
                cpus.setdefault(name, []).append(cpu)
    return python, [
        Start(
            name,
            median(walls[name]),
            median(cpus[name]),
            median(mine / bare for mine, bare in zip(walls[name], walls[BARE], strict=True)),
            median(mine / bare for mine, bare in zip(cpus[name], cpus[BARE], strict=True)),
        )
        for name in walls
    ]
