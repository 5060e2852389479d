"""The layer as it is built for Lambda gives the same answers as the whole libraries; nothing needed is pruned."""

import json
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import build_layer
from tests.needs import ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.python313,
    pytest.mark.skipif(sys.platform != "linux", reason="the layer's wheels are for Linux"),
]

LAYERS = ROOT / "layers"
ARCHITECTURE = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with both layers for this machine, each in its own."""
    folder = tmp_path_factory.mktemp("built")
    for layer in ("core", "alerts"):
        build_layer.build(LAYERS / layer, folder / layer, ARCHITECTURE)
    return folder


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The locked libraries, nothing pruned."""
    folder = tmp_path_factory.mktemp("whole") / "libraries"
    build_layer.install(LAYERS / "core" / "requirements.txt", folder, ARCHITECTURE)
    return folder


def run(*arguments: object) -> str:
    """Standard output of the runtime's Python, which finds no library of this environment."""
    command = [str(build_layer.runtime_python()), "-I", "-S", *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_the_pruned_libraries_answer_as_the_whole_ones_do(built: Path, whole: Path) -> None:
    script = Path(__file__).with_name("layer_exercise.py")
    pruned: dict[str, Any] = json.loads(run(script, built / "core"))
    complete: dict[str, Any] = json.loads(run(script, whole, LAYERS / "core"))

    assert len(complete["formats"][0]) > 500
    assert len(complete["services"][0]) == len(build_layer.SERVICES) + 2
    for part, answers in complete.items():
        assert pruned[part] == answers, part


def test_no_function_imports_boto3_which_would_be_the_runtimes(built: Path) -> None:
    """The runtime's boto3 need not fit the layer's botocore."""
    code = """
import importlib, sys
layer, *functions = sys.argv[1:]
sys.path.insert(0, layer)
sys.modules["boto3"] = None
for folder in functions:
    sys.path.insert(0, folder)
    importlib.import_module("app")
    del sys.modules["app"], sys.path[0]
import botocore
print(len(functions), botocore.__file__)
"""
    folders = [path.parent for path in (ROOT / "functions").glob("*/app.py")]

    number, origin = run("-c", code, built / "core", *folders).split()
    assert int(number) > 20
    assert origin.startswith(str(built / "core"))


def test_the_alert_libraries_are_complete_with_both_layers(built: Path) -> None:
    count = "import apprise; print(len(apprise.Apprise().details()['schemas']))"
    here = subprocess.run([sys.executable, "-c", count], capture_output=True, text=True, check=True)

    found = run("-c", f"import sys; sys.path[:0] = sys.argv[1:]; {count}", built / "core", built / "alerts")
    assert int(found) == int(here.stdout) > 100
    assert not (built / "core" / "apprise").exists()
