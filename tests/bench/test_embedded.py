"""Whole runs through the embedded cloud: what is read from logs, what counts as growth, where it is written."""

from pathlib import Path

import pytest

from bench import __main__ as command
from bench import embedded, report
from bench.embedded import Row, sheets
from bench.report import Sheet, Verdict


def a_row(documents: int, **peaks: int) -> Row:
    return Row(
        documents,
        peaks=peaks,
        invocations=dict.fromkeys(peaks, documents // 100),
        given=dict.fromkeys(peaks, 512),
        outcomes={"notified": documents},
    )


def test_memory_is_the_largest_of_what_a_functions_workers_report(tmp_path: Path) -> None:
    line = "REPORT RequestId: {} Duration: 3.20 ms Memory Size: {} MB Max Memory Used: {} MB\n"
    (tmp_path / "SendNoticesFunction.log").write_text(
        line.format("a", 512, 90)
        + "INIT Duration: 1.00 ms\n"
        + line.format("b", 512, 117)
        + line.format("c", 512, 95)
    )
    (tmp_path / "StageRunFunction.log").write_text(line.format("d", 1769, 84))
    assert embedded._reported(tmp_path) == (
        {"SendNotices": 117, "StageRun": 84},
        {"SendNotices": 3, "StageRun": 1},
        {"SendNotices": 512, "StageRun": 1769},
    )


@pytest.mark.parametrize(("peak", "reached"), [(120, True), (121, False)])
def test_a_function_that_grows_with_the_documents_misses_the_target(peak: int, reached: bool) -> None:
    rows = [a_row(1_000, StageRun=84, SendNotices=100), a_row(10_000, StageRun=90, SendNotices=peak)]
    (_, functions), (verdict,) = sheets(rows)
    assert ("SendNotices", "512", "100 (10)", f"{peak} (100)", f"+{peak - 100}") in functions.rows
    assert (verdict.reached, verdict.measured) == (reached, f"+{peak - 100} MB")
    assert "SendNotices" in verdict.figure


def test_runs_of_nearly_one_size_say_nothing_of_growth() -> None:
    _, (verdict,) = sheets([a_row(100, StageRun=84), a_row(200, StageRun=184)])
    assert verdict.reached is None


def test_each_customer_has_an_address_and_some_give_receipts() -> None:
    rows = [embedded._record(number) for number in range(1, 1_001)]
    assert sum("email" not in row for row in rows) == 90
    assert sum(row.get("email", "silent-").startswith("silent-") for row in rows) < 900
    assert len({row["mobile"] for row in rows}) == 1_000


def test_a_section_is_written_in_its_place_and_nothing_else_changes(tmp_path: Path) -> None:
    path = tmp_path / "RESULTS.md"
    path.write_text("# Results\n\n## One\n\nold\n\n## Two\n\nkept\n")
    report.put([Sheet("One", ("name", "MB"), [("a", "1")])], [Verdict("peak", "flat", "+1 MB", True)], path)
    text = path.read_text()
    assert text.startswith(
        "# Results\n\n## One\n\n| name | MB |\n| --- | ---: |\n| a | 1 |\n\npeak: +1 MB (flat; reached: yes)."
    )
    assert "old" not in text
    assert text.endswith("\n\n## Two\n\nkept\n")
    report.put([Sheet("Three", ("name",), [("b",)])], [], path)
    report.put([Sheet("Three", ("name",), [("c",)])], [], path)
    text = path.read_text()
    assert text.count("## Three") == 1
    assert "| c |" in text
    assert "| b |" not in text
    assert text.index("## Two") < text.index("## Three")


def test_a_whole_bench_keeps_the_sections_that_are_measured_alone(tmp_path: Path) -> None:
    path = tmp_path / "RESULTS.md"
    path.write_text(f"# Results\n\n## Gone\n{report.KEPT}\nmails\n")
    report.put([Sheet("Whole runs", ("name",), [("c",)])], [], path)
    report.write([Sheet("New", ("name",), [("d",)])], path)
    text = path.read_text()
    assert [line for line in text.splitlines() if line.startswith("## ")] == [
        "## New",
        "## Bounce mails",
        "## Whole runs",
    ]


def test_what_is_measured_alone_is_named_alone(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        command.main(["embedded", "staging"])
    assert ended.value.code == 2
    assert "embedded stands alone" in capsys.readouterr().err
