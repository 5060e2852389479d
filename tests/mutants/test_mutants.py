"""What is changed, what is left alone, and that a fork tells a change that a test notices from one that none does."""

import time
from pathlib import Path

import pytest
from mutants import __main__ as command
from mutants import choice
from mutants.choice import drawn, in_order, module_name
from mutants.coverage_map import Lines
from mutants.forks import changed_function, in_fork
from mutants.operators import Mutant, mutants


def found(tmp_path: Path, source: str) -> dict[str, Mutant]:
    """Mutants of a module by their words."""
    path = tmp_path / "module.py"
    path.write_text(source, encoding="utf-8")
    return {f"{mutant.kind}: {mutant.mutation}": mutant for mutant in mutants(path, tmp_path)}


@pytest.mark.parametrize(
    ("source", "mutation"),
    [
        ("a < b", "comparison: a < b -> a <= b"),
        ("a in b", "comparison: a in b -> a not in b"),
        ("a and b", "boolean: a and b -> a or b"),
        ("a and b", "operand: a and b without a"),
        ("a + b", "arithmetic: a + b -> a - b"),
        ("not a", "unary: not a -> a"),
        ("7", "constant: 7 -> 8 in x = 7"),
        ("'word'", "constant: 'word' -> 'XXword' in x = 'word'"),
        ("'two words'", "text: 'two words' -> 'XX' in x = 'two words'"),
        ("True", "constant: True -> False in x = True"),
        ("None", "constant: None -> '' in x = None"),
        ("f(1, key=a)", "keyword: f(1, key=a) without key"),
        ("max(a)", "max or any: max(a) -> min(a)"),
        ("any(a)", "max or any: any(a) -> all(a)"),
        ("sorted(a, key=b)", "order: sorted(a, key=b) -> list(a)"),
        ("a.startswith(b)", "method: a.startswith(b) -> a.endswith(b)"),
        ("a[b:]", "slice: b: -> :"),
        ("a if b else c", "condition: b -> not b"),
        ("[a for a in b if a]", "condition: if a dropped"),
        ("{'k': a, 'l': b}", "row: row 'k' removed"),
        ("(a, b)", "row: row b removed"),
    ],
)
def test_an_expression_is_changed(tmp_path: Path, source: str, mutation: str) -> None:
    mutant = found(tmp_path, f"x = {source}\n")[mutation]
    assert mutant.compiled("module.py") != compile(f"x = {source}\n", "module.py", "exec")


@pytest.mark.parametrize(
    ("body", "mutation"),
    [
        ("for a in b:\n  continue", "jump: continue -> break"),
        ("g(1)", "statement: g(1) removed"),
        ("a.b = 1", "statement: a.b = 1 removed"),
        ("a += 1", "statement: a += 1 removed"),
        ("return a", "return: return a -> return None"),
        ("raise E", "raise: raise E removed"),
        ("if a:\n  pass", "condition: a -> not a"),
    ],
)
def test_a_statement_is_changed(tmp_path: Path, body: str, mutation: str) -> None:
    lines = body.replace("\n", "\n ")
    assert found(tmp_path, f"def f(a, b):\n {lines}\n")[mutation].function == "f"


def test_what_no_test_can_see_is_left_alone(tmp_path: Path) -> None:
    source = '''"""Words."""
from typing import TYPE_CHECKING, Protocol
if TYPE_CHECKING:
    from x import y
__all__ = ["f", "g"]
class P(Protocol):
    a: int = 1
@cache(maxsize=1)
def f(a: "int | None") -> "str":
    """More words."""
    logger.info("told", extra=a)
'''
    assert found(tmp_path, source) == {}


def test_a_change_within_one_function_is_told_from_one_of_the_module(tmp_path: Path) -> None:
    source = "X = 1\nclass A:\n  y: int = 2\n  def f(self, a=3):\n    return [z + 4 for z in a]\n"
    old = compile(source, "m.py", "exec")
    names = {}
    for words, mutant in found(tmp_path, source).items():
        changed = changed_function(old, mutant.compiled("m.py"))
        names[words] = changed[1].co_qualname if changed else ""
    assert names["constant: 4 -> 5 in return [z + 4 for z in a]"] == "A.f"
    assert names["constant: 1 -> 2 in X = 1"] == names["constant: 2 -> 3 in y: int = 2"] == ""
    assert [name for words, name in names.items() if words.startswith("constant: 3")] == ["", ""]


def test_all_mutants_can_be_made_one_after_another(tmp_path: Path) -> None:
    source = "def f(a, b):\n  return a < b and not max(a, b) + 1 or -a\n"
    old = compile(source, "m.py", "exec")
    for mutant in found(tmp_path, source).values():
        changed = changed_function(old, mutant.compiled("m.py"))
        assert changed is not None, mutant.mutation


def test_a_seed_draws_the_same_sample_and_another_seed_another(tmp_path: Path) -> None:
    path = Path(__file__).resolve().parents[2] / "layers/core/exstream_notify/domain/due.py"
    first, again, other = ([m.key for m in drawn([path], 20, seed)] for seed in ("1", "1", "2"))
    assert first == again != other


def test_a_fork_answers_crashes_or_takes_too_long() -> None:
    def hang() -> str:
        while True:
            pass

    def fail() -> str:
        raise ValueError("no verdict")

    assert in_fork(lambda: "killed tests/x.py::y", 10) == ("killed", "tests/x.py::y")
    assert in_fork(lambda: "survived", 10) == ("survived", "")
    assert in_fork(hang, 0.2) == ("killed", "time-out")
    assert in_fork(lambda: time.sleep(60) or "survived", 0.1) == ("killed", "time-out")
    with pytest.raises(RuntimeError, match="no verdict"):
        in_fork(fail, 10)


def test_tests_that_noticed_others_come_first_then_the_quickest_within_the_limit() -> None:
    lines = Lines(seconds={"slow": 3.0, "quick": 1.0, "quicker": 0.5, "killer": 2.0})
    assert in_order(lines.seconds, lines, ["killer"], 3.6) == ["killer", "quicker", "quick"]


def test_tests_that_are_named_for_the_module_and_those_of_its_layer_come_before_quicker_ones() -> None:
    tests = ("tests/use_cases/test_a.py::q", "tests/domain/test_a.py::l", "tests/x/test_receipt_tables.py::n")
    lines = Lines(seconds=dict(zip(tests, (0.1, 0.2, 0.3), strict=True)))
    assert in_order(tests, lines, [], 9, "core/domain/receipts.py") == [*reversed(tests)]
    assert in_order(tests, lines, [tests[0]], 9, "core/domain/receipts.py")[0] == tests[0]


def test_a_function_that_importing_calls_is_noticed_by_those_who_use_what_it_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = "def word():\n  return 'x'\ndef words():\n  return {word()}\ndef unused():\n  return word()\nTABLE = words()\n"
    test = "from table import TABLE\ndef test_it():\n  assert TABLE\n"
    for name, text in (("table.py", source), ("test_table.py", test)):
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.setattr(choice, "ROOT", tmp_path)
    monkeypatch.setattr(choice, "PACKAGE", tmp_path)
    monkeypatch.setattr(choice, "test_files", lambda: ["test_table.py"])
    lines = Lines({"test_table.py::test_it": 0.1}, {"test_table.py": {3: {"test_table.py::test_it"}}})
    users = choice.Users()
    assert users.tests({"word"}, lines) == set()
    assert users.tests({"word"}, lines, {"table.py": {2, 4, 7}}) == {"test_table.py::test_it"}
    assert users.tests({"unused"}, lines, {"table.py": {2, 4, 7}}) == set()


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("domain/links.py", "exstream_notify.domain.links"),
        ("adapters/index/__init__.py", "exstream_notify.adapters.index"),
        ("ports.py", "exstream_notify.ports"),
    ],
)
def test_a_module_has_the_name_that_its_users_import_it_by(path: str, name: str) -> None:
    assert module_name(f"layers/core/exstream_notify/{path}") == name


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--modules", "domain,use_case"], "no module is named use_case:"),
        (["--modules", "domain", "--match", "no such words"], "no mutant of these modules matches"),
        (["--again"], "no run has written its results yet"),
    ],
)
def test_what_cannot_be_is_said_before_anything_is_measured(
    arguments: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def measured() -> None:
        raise AssertionError("tests were measured")

    monkeypatch.setattr(command, "lines", measured)
    monkeypatch.setattr(command, "RESULTS", tmp_path / "results.jsonl")
    with pytest.raises(SystemExit) as ended:
        command.main(arguments)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err
