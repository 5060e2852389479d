"""The layer's build: what goes in, what stays out, the same files every time."""

import marshal
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import build_layer
from build_layer import BuildError
from tests.needs import ROOT

LAYERS = ROOT / "layers"
SOURCE = LAYERS / "core"


def write(tree: Path, name: str, content: bytes = b"") -> Path:
    path = tree / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def elf(machine: int) -> bytes:
    """The first bytes of a shared library for a processor (ELF specification: e_machine at 18)."""
    return b"\x7fELF" + bytes(14) + machine.to_bytes(2, "little") + bytes(40)


def test_what_no_function_needs_is_pruned_and_licences_stay(tmp_path: Path) -> None:
    gone = [
        "bin/httpx",
        "phonenumbers/geodata/data0.py",
        "library/tests/test_it.py",
        "library/deep/__pycache__/it.cpython-311.pyc",
        "library/it.pyi",
        "library-1.0.dist-info/RECORD",
    ]
    kept = ["library/it.py", "phonenumbers/tzdata/data0.py", "library-1.0.dist-info/licenses/LICENSE"]
    kept += ["library-1.0.dist-info/METADATA"]
    for name in [*gone, *kept]:
        write(tmp_path, name)

    build_layer.prune(tmp_path)

    assert {path.relative_to(tmp_path).as_posix() for path in build_layer.files_of(tmp_path)} == set(kept)


@pytest.mark.parametrize(("architecture", "machine", "other"), [("arm64", 183, 62), ("x86_64", 62, 183)])
def test_a_library_for_another_processor_is_refused_by_name(
    architecture: str, machine: int, other: int, tmp_path: Path
) -> None:
    write(tmp_path, "good/it.abi3.so", elf(machine))
    build_layer.check_processor(tmp_path, architecture)

    write(tmp_path, "bad/it.abi3.so", elf(other))
    with pytest.raises(BuildError, match=f"bad/it.abi3.so is not for {architecture}"):
        build_layer.check_processor(tmp_path, architecture)


def test_the_digest_tells_names_and_contents_apart(tmp_path: Path) -> None:
    trees = [{"a": b"1", "b": b""}, {"a": b"", "b": b"1"}, {"a": b"1"}, {"a/b": b"1"}, {"a": b"1b"}]
    digests = set()
    for number, files in enumerate(trees):
        for name, content in files.items():
            write(tmp_path / str(number), name, content)
        digests.add(build_layer.digest(tmp_path / str(number)))

    assert len(digests) == len(trees)


def test_settled_trees_differ_neither_in_times_nor_in_modes(tmp_path: Path) -> None:
    file = write(tmp_path, "library/it.py", b"A = 1\n")
    file.chmod(0o600)

    build_layer.settle(tmp_path)

    assert (file.stat().st_mode & 0o777, int(file.stat().st_mtime)) == (0o644, build_layer.FILE_TIME)
    assert file.parent.stat().st_mode & 0o777 == 0o755


def test_bytecode_is_used_whatever_the_file_times_and_names_the_layer(tmp_path: Path) -> None:
    source = write(tmp_path, "library.py", b"A = {'x', 'y', 'z'}\nB = 'never read'\n")

    build_layer.compile_bytecode(tmp_path, Path(sys.executable))

    [bytecode] = (tmp_path / "__pycache__").iterdir()
    code = bytecode.read_bytes()
    assert int.from_bytes(code[4:8], "little") == 0b01, "PEP 552: by hash, source unchecked"
    assert marshal.loads(code[16:]).co_filename == "/opt/python/library.py"  # noqa: S302 - made a line ago
    os.utime(source, (1, 1))
    source.write_bytes(b"raise SystemExit('the source was read')\n")
    subprocess.run([sys.executable, "-c", "import library"], cwd=tmp_path, check=True)


def test_of_the_sdks_data_the_used_services_stay_and_what_all_share(tmp_path: Path) -> None:
    kept = [
        "endpoints.json",
        "s3/2006/service-2.json.gz",
        "s3/2006/paginators-1.json",
        "sqs/2012/service-2.json.gz",
    ]
    gone = ["ec2/2016/service-2.json.gz", "sqs/2012/paginators-1.json", "s3/2006/waiters-2.json"]
    gone += ["sqs/2011/service-2.json.gz", "s3/2006/examples-1.json"]
    data = tmp_path / "botocore" / "data"
    for name in [*kept, *gone]:
        write(data, name)

    build_layer.prune(tmp_path)

    assert {path.relative_to(data).as_posix() for path in build_layer.files_of(data)} == set(kept)


def test_a_file_that_does_not_compile_fails_the_build(tmp_path: Path) -> None:
    write(tmp_path, "library.py", b"def\n")

    with pytest.raises(BuildError, match="compiles"):
        build_layer.compile_bytecode(tmp_path, Path(sys.executable))


def test_a_layer_beyond_its_limit_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(build_layer, "install", lambda requirements, target, architecture: target.mkdir())
    monkeypatch.setattr(build_layer, "runtime_python", lambda: None)
    monkeypatch.setattr(build_layer, "SIZE_LIMIT", 1000)

    with pytest.raises(BuildError, match="1,000 are allowed"):
        build_layer.build(SOURCE, tmp_path / "python", "arm64")


def test_without_the_runtimes_python_the_build_says_what_it_costs(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(build_layer, "install", lambda requirements, target, architecture: target.mkdir())
    monkeypatch.setattr(build_layer, "runtime_python", lambda: None)

    said = build_layer.build(SOURCE, tmp_path / "python", "arm64")

    assert "no bytecode" in said
    assert "NOTICE: no Python 3.13" in capsys.readouterr().err
    assert not list(tmp_path.rglob("*.pyc"))


def test_the_named_python_is_taken_only_if_it_is_of_the_runtimes_version(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    monkeypatch.setenv("RUNTIME_PYTHON", sys.executable)

    monkeypatch.setattr(build_layer, "RUNTIME", (3, 99))
    assert build_layer.runtime_python() is None
    monkeypatch.setattr(build_layer, "RUNTIME", sys.version_info[:2])
    assert build_layer.runtime_python() == Path(sys.executable)


@pytest.mark.slow
@pytest.mark.python313
@pytest.mark.parametrize("layer", ["core", "alerts"])
def test_two_builds_of_the_same_tree_are_equal_and_hold_all_libraries(layer: str, tmp_path: Path) -> None:
    # A copy, since a developer may save a file between the two builds.
    ignored = shutil.ignore_patterns("__pycache__")
    source = Path(shutil.copytree(LAYERS / layer, tmp_path / "source" / layer, ignore=ignored))
    for copy in ("one", "two"):
        # For arm64 both are built twice by SAM: test_sam_build.py.
        build_layer.build(source, tmp_path / copy / "python", "x86_64")

    one, two = tmp_path / "one" / "python", tmp_path / "two" / "python"
    assert build_layer.digest(one) == build_layer.digest(two)
    locked = (source / "requirements.txt").read_text(encoding="utf-8").count("==")
    assert len(list(one.glob("*.dist-info"))) == locked
    assert list(one.rglob("*.cpython-313.pyc"))
    assert (one / "exstream_notify").exists() == (layer == "core")
