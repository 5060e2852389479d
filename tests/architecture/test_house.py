"""The house rules, checked on the tree: who may import whom, what a handler is, what must be told."""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LAYER = ROOT / "layers" / "core" / "exstream_notify"
HANDLERS = sorted((ROOT / "functions").glob("*/app.py"))


def modules(folder: str) -> list[Path]:
    return sorted((LAYER / folder).rglob("*.py")) if folder else [LAYER / "ports.py"]


def imports(path: Path) -> Iterator[str]:
    """Absolute names of what a module imports, wherever in it."""
    package = path.relative_to(LAYER.parent).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = list(package[: len(package) - node.level + 1]) if node.level else []
            yield ".".join([*base, *([node.module] if node.module else [])])


def is_standard(name: str) -> bool:
    return name.split(".")[0] in sys.stdlib_module_names


@pytest.mark.parametrize("path", modules("domain"), ids=lambda p: p.name)
def test_the_domain_knows_the_standard_library_and_itself(path: Path) -> None:
    for name in imports(path):
        assert is_standard(name) or name.startswith("exstream_notify.domain"), name


@pytest.mark.parametrize("path", modules("use_cases"), ids=lambda p: p.name)
def test_a_use_case_knows_domain_and_ports_alone(path: Path) -> None:
    allowed = ("exstream_notify.domain", "exstream_notify.ports", "exstream_notify.use_cases")
    for name in imports(path):
        assert is_standard(name) or name.startswith(allowed), name


@pytest.mark.parametrize("path", modules(""), ids=lambda p: p.name)
def test_the_ports_know_the_domain_alone(path: Path) -> None:
    for name in imports(path):
        assert is_standard(name) or name.startswith("exstream_notify.domain"), name


@pytest.mark.parametrize("path", modules("adapters"), ids=lambda p: p.name)
def test_no_adapter_knows_a_use_case(path: Path) -> None:
    assert not [name for name in imports(path) if name.startswith("exstream_notify.use_cases")]


@pytest.mark.parametrize("path", HANDLERS, ids=lambda p: p.parent.name)
def test_a_handler_is_short_and_says_what_it_promises(path: Path) -> None:
    text = path.read_text("utf-8")
    tree = ast.parse(text)
    assert 25 <= len(text.splitlines()) <= 60
    told = ast.get_docstring(tree) or ""
    for word in ("Trigger:", "Guarantee:", "Failure:"):
        assert word in told
    assert not {"os", "boto3", "botocore"} & {name.split(".")[0] for name in imports_of(tree)}
    assert "if channel" not in text
    assert any(isinstance(node, ast.FunctionDef) and node.name == "handler" for node in tree.body)


def imports_of(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize(
    "path", [*HANDLERS, *sorted(LAYER.rglob("*.py"))], ids=lambda p: str(p.relative_to(ROOT))
)
def test_nothing_is_timed_by_a_clock_that_stands_still_while_an_instance_is_frozen(path: Path) -> None:
    """Such as time.monotonic. What is kept between invocations is kept by `adapters.kept`."""
    names = {
        str(getattr(node, "attr", getattr(node, "id", getattr(node, "name", ""))))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
    }
    clocks = ("monotonic", "perf_counter", "process_time", "thread_time", "clock_gettime")
    assert not {name for name in names if name.startswith(clocks)}, "time.time goes on; see adapters.kept"


@pytest.mark.parametrize("path", sorted(LAYER.rglob("*.py")), ids=lambda p: str(p.relative_to(LAYER)))
def test_what_is_public_says_what_it_is_for(path: Path) -> None:
    tree = ast.parse(path.read_text("utf-8"))
    assert ast.get_docstring(tree), "the module"
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and not node.name.startswith("_"):
            assert ast.get_docstring(node), node.name
