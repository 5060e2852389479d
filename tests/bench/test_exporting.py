"""The bench of the export runs in processes of its own and says whether memory is flat."""

import pytest

from bench import exporting


def test_an_export_is_measured_in_a_process_of_its_own():
    (row,) = exporting.measure((2_000,))
    assert row["size"] == 2_000
    assert 0 < row["segment"] <= row["sort"]
    assert row["mb"] > 1
    sheet, verdicts = exporting.sheet([row])
    assert len(sheet.rows[0]) == len(sheet.columns)
    assert verdicts == [], "too small a run to say anything of memory"


@pytest.mark.parametrize(("grown", "reached"), [(3.0, True), (60.0, False)])
def test_memory_is_flat_or_it_is_told(grown, reached):
    row = {"sort": 1.0, "segment": 0.5, "merge": 1.0, "mb": 1.0}
    rows = [{**row, "size": 100_000, "peak": 75.0}, {**row, "size": 1_000_000, "peak": 75.0 + grown}]
    _, [verdict] = exporting.sheet(rows)
    assert verdict.reached is reached
