"""One command tells on one screen what came of every check, and fails if one did."""

import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import check
import check_content
import check_newest_sdk
import pytest
from check_calls import written

from tests.container.sam import load_template
from tests.needs import ROOT


def step(name: str, code: str) -> check.Step:
    return check.Step(name, [sys.executable, "-c", code])


def test_a_failing_step_is_named_with_its_exit_code() -> None:
    result = check.run(step("types", "raise SystemExit(3)"))

    assert (result.passed, result.note) == (False, "exit code 3")
    assert check.run(step("types", "pass")).passed


def test_the_screen_names_failed_tests_and_what_was_left_out() -> None:
    results = [check.Result("ruff", True, 0.5), check.Result("tests", False, 61.0, "5 passed, 17 failed")]
    figures = {
        "passed": 5,
        "failed": [f"tests/test_it.py::test_{number}" for number in range(17)],
        "left_out": {"needs Docker: no Docker engine answers": 6},
    }

    screen = check.summary(results, figures)

    assert "ruff            ok          0.5 s" in screen
    assert "tests           FAILED     61.0 s  5 passed, 17 failed" in screen
    assert "failed: tests/test_it.py::test_0" in screen
    assert "and 2 more" in screen
    assert "6 tests: needs Docker: no Docker engine answers" in screen
    assert len(screen.splitlines()) < 40


def test_the_screen_says_so_when_nothing_was_left_out() -> None:
    assert "no test was left out" in check.summary([], {"passed": 1, "failed": [], "left_out": {}})


def test_pytest_leaves_its_figures_for_the_screen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    test = tmp_path / "test_both.py"
    test.write_text("def test_good():\n    pass\n\n\ndef test_bad():\n    assert not 1\n", encoding="utf-8")
    monkeypatch.setenv("TEST_REPORT", "set for the whole run, not for this one")

    (result,), figures = check.run_tests(["-p", "tests.machine", "-p", "no:cacheprovider", "-q", str(test)])

    assert not result.passed
    assert figures["passed"] == 1
    assert [name.rpartition("::")[2] for name in figures["failed"]] == ["test_bad"]


def test_what_runs_beside_the_rest_is_on_the_same_screen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    parts = []
    for name, body in (("one", "pass"), ("two", "assert not 1")):
        test = tmp_path / f"test_{name}.py"
        test.write_text(f"def test_{name}():\n    {body}\n", encoding="utf-8")
        parts.append(["-p", "tests.machine", "-p", "no:cacheprovider", "-v", str(test)])
    monkeypatch.setattr(check, "_PARTS", parts)

    after = check.Result("after", True, 0.0)
    (result, other), figures = check.run_tests([], (lambda: after,))

    assert not result.passed
    assert other is after
    assert figures["passed"] == 1
    assert [name.rpartition("::")[2] for name in figures["failed"]] == ["test_two"]
    shown = capfd.readouterr().out
    assert "::test_one PASSED" in shown
    assert "::test_two FAILED" in shown

    monkeypatch.setattr(check, "_PARTS", [parts[0], ["--no-such-option"]])
    assert not check.run_tests([])[0][0].passed, "a part that ends without figures is no success"


def test_an_aws_call_that_no_test_made_fails_the_run_and_a_warning_about_the_newest_sdk_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls = [list(call) for call in written()]
    assert check.validated_calls({"sdk_calls": calls}).passed
    result = check.validated_calls({"sdk_calls": calls[1:]})
    assert not result.passed
    assert f"{calls[0][1]} calls {calls[0][2]}" in result.note

    monkeypatch.setattr(check_newest_sdk, "newest", lambda: check_newest_sdk.Outcome("1.99.0", ("test_it",)))
    warning = check.early_warning()
    assert warning.passed
    assert "EARLY WARNING" in check.summary([warning], {})


def test_every_linter_is_one_that_this_set_up_has() -> None:
    for linter in check.linters(site=None):
        program, first, second, *_ = [*linter.command, ""]
        if second and first == "-m":
            asked = [program, first, second, "--version"]
            assert subprocess.run(asked, capture_output=True, check=False).returncode == 0, linter.name
        else:
            assert Path(program).exists(), linter.name
            assert program == str(check.SAM) or (ROOT / first).exists(), linter.name


def test_the_rules_and_wording_of_the_package_are_sound() -> None:
    assert check_content.problems() == []


def test_a_wrong_key_of_a_site_is_told_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "documents.yaml").write_text(
        "types:\n  statement:\n    no_such_key: 1\n", encoding="utf-8"
    )

    [problem] = check_content.problems(tmp_path)

    assert "documents.yaml" in problem
    assert "no_such_key" in problem


def test_a_wrong_variable_in_a_sites_wording_is_told(tmp_path: Path) -> None:
    (tmp_path / "wording").mkdir()
    (tmp_path / "wording" / "en.yaml").write_text(
        "types:\n  statement:\n    subject: 'Hello {{ no_such_value }}'\n", encoding="utf-8"
    )

    assert any("no_such_value" in problem for problem in check_content.problems(tmp_path))


def test_rules_that_outlive_the_records_are_told(tmp_path: Path) -> None:
    template = load_template(ROOT / "template.yaml")
    assert template["Parameters"]["RecordRetentionDays"]["Default"] == check_content.RETENTION_DAYS
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "documents.yaml").write_text("types:\n  statement: {link_days: 365}\n", "utf-8")

    [problem] = check_content.problems(tmp_path)
    assert problem.startswith("documents.yaml (rules) line 2: types.statement.link_days: 365 days")
    assert check_content.problems(tmp_path, retention_days=365) == []


def test_a_site_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    assert "no such folder" in check_content.problems(tmp_path / "none")[0]


@pytest.mark.parametrize(
    ("option", "passed", "warning"),
    [("--fixed", False, ""), ("--seconds=120", True, "A FRESH HISTORY FAILED: ")],
)
def test_nights_are_a_line_of_the_screen_and_a_failure_is_shown(
    option: str,
    passed: bool,
    warning: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = [
        "random seeds 5f.1, 5f.2 and so on; the same once more: BEGIN=5f",
        "seed 5f.2 (storm): once_per_attempt",
        "2 histories (7 acts, 9 records); 1 failed: 5f.2",
        "  once_per_attempt: 1",
        "the story, made small",
    ]

    def run(step: check.Step, variables: object = None, output: Path | None = None) -> check.Result:
        assert step.command[1:] == ["-m", "simulation", "--processes=1", option]
        assert output is not None
        output.write_text("\n".join(told), "utf-8")
        return check.Result(step.name, False, 1.0, "exit code 1")

    monkeypatch.setattr(check, "run", run)
    monkeypatch.setattr(check, "_STARTED", time.monotonic())
    assert check.nights("fixed nights", [option]) == check.Result(
        "fixed nights", passed, 1.0, f"{warning}exit code 1; {told[0]}; 2 histories; 1 failed: 5f.2"
    )
    assert "\n".join(told) in capsys.readouterr().out


def test_nights_are_left_out_where_no_time_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(check, "_STARTED", time.monotonic() - 1_507)
    result = check.nights("fresh nights", ["--seconds=120"])
    assert (result.passed, result.note) == (True, "NOT PLAYED: what came before took 1507 s")


def test_both_sets_of_nights_are_played_after_the_tests() -> None:
    assert check.early_warning in check._LAST
    options = [step.args[1] for step in check._LAST if isinstance(step, partial)]
    assert [next(iter(each)) for each in options] == ["--fixed", "--seconds=120"]
