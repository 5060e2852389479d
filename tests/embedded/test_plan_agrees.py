"""A plan and the run that follows it agree record by record, on runs made up here, in several forms."""

import csv
import io
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from exnotify.local import LocalCloud
from exnotify.samples.forms import csv_gz, json_objects, psv_utf16, xml_latin1
from tests.agreement import disagreements
from tests.cli.shell import Done, exnotify

from .conftest import MakeRun, record

pytestmark = pytest.mark.slow

Row = dict[str, Any]


def an_email(number: int) -> Row:
    return record(number)


def a_text(number: int) -> Row:
    return record(number, email="", mobile="+12025550142")


def at_night(number: int) -> Row:
    return record(number, email="", mobile="+819012345678", country="JP", time_zone="Asia/Tokyo")


def without_channel(number: int) -> Row:
    return record(number, email="", mobile="")


def a_test(number: int) -> Row:
    return record(number, test_flag="Y")


def on_paper(number: int) -> Row:
    return record(number, delivery_channel="paper")


def paid(number: int) -> Row:
    return record(number, document_type="payment-reminder", account_status="paid")


def without_customer(number: int) -> Row:
    return record(number, customer_key="")


def of_unknown_type(number: int) -> Row:
    return record(number, document_type="nobody knows this")


def by_hand(number: int) -> Row:
    return record(number, output_uri="../../elsewhere.pdf")


KINDS: Sequence[Callable[[int], Row]] = (
    an_email, a_text, at_night, without_channel, a_test, on_paper, paid, without_customer, of_unknown_type, by_hand,
)  # fmt: skip

FORMS = {
    "jsonl": ("made.index.jsonl", json_objects),
    "csv.gz": ("made.index.csv.gz", csv_gz),
    "psv": ("made.index.psv", psv_utf16),
    "xml": ("made.index.xml", xml_latin1),
}


def written(folder: Path, form: str, rows: Sequence[Row]) -> Path:
    name, write = FORMS[form]
    folder.mkdir()
    (folder / name).write_bytes(write(rows))
    return folder


def planned_and_dropped(folder: Path, domain: str) -> tuple[Done, Done, list[dict[str, str]]]:
    """What was planned, what the drop came to, and the run's records."""
    planned = exnotify("plan", folder, "--domain", domain, "--json")
    dropped = exnotify("drop", folder, "--domain", domain, "--json")
    shown = exnotify("run", f"{domain}/{folder.name}", "--csv")
    rows = list(csv.DictReader(io.StringIO(shown.out)))
    assert shown.code == dropped.code
    assert len(rows) == dropped.json["composed"] == sum(dropped.json["outcomes"].values())
    return planned, dropped, rows


@pytest.mark.parametrize("form", FORMS)
def test_every_record_ends_as_it_was_planned(
    cloud: LocalCloud, tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXNOTIFY_URL", cloud.url)
    made = random.Random(form)
    domain = f"agree-{form.replace('.', '-')}"
    first = [an_email(n) for n in range(1, 6)]
    planned, dropped, rows = planned_and_dropped(written(tmp_path / "first", form, first), domain)
    assert (planned.code, dropped.code) == (0, 0)
    assert disagreements(planned.json["records"], rows) == []

    everything = [kind(n) for n, kind in enumerate(KINDS, 11)]
    everything += [made.choice(KINDS)(n) for n in range(31, 51)]
    again = [*first[:3], everything[0], everything[6]]
    everything += again
    made.shuffle(everything)
    planned, dropped, rows = planned_and_dropped(written(tmp_path / "all", form, everything), domain)

    assert disagreements(planned.json["records"], rows) == []
    assert planned.code == dropped.code == 3
    assert {n for n, count in dropped.json["outcomes"].items() if count} >= {
        "notified", "suppressed", "deferred", "paper", "duplicate", "rejected",
    }  # fmt: skip
    for name in ("outcomes", "reasons", "clean", "needs_look"):
        assert planned.json[name] == dropped.json[name], name
    assert planned.json["headline"].startswith(f"would notify {dropped.json['outcomes']['notified']} of ")
    listed = exnotify("plan", tmp_path / "all", "--domain", domain, "--csv")
    assert [int(r["position"]) for r in csv.DictReader(io.StringIO(listed.out))] == list(
        range(1, len(everything) + 1)
    )


def test_an_outage_is_not_planned_and_is_the_only_difference(
    cloud: LocalCloud, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXNOTIFY_URL", cloud.url)
    folder = make_run("outage", [record(n, email=f"down-{n}@example.com", mobile="") for n in range(1, 4)])
    planned, dropped, rows = planned_and_dropped(folder, "outage")
    assert planned.json["headline"] == "would notify 3 of 3"
    assert disagreements(planned.json["records"], rows) == []
    assert dropped.code == 3
    assert dropped.json["headline"].startswith("3 of 3 deferred until ")
    assert dropped.json["headline"].endswith(" UTC: provider down")
    (look,) = dropped.json["needs_look"]
    assert (look["what"], look["count"], look["reason"], bool(look["until"])) == (
        "deferred", 3, "provider_down", True,
    )  # fmt: skip


def test_what_the_composer_says_beside_the_index_is_planned_as_well(
    cloud: LocalCloud, make_run: MakeRun, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXNOTIFY_URL", cloud.url)
    folder = make_run("said", [record(1)])
    (folder / "ErrorReport.csv").write_text("account|method|status\nE000009|print|FAILED\n")
    (folder / "engine.dat").write_text("EX004150W (4) odd\nEX004151S (5) stopped\nEX004152I fine\n")
    planned, dropped, rows = planned_and_dropped(folder, "said")
    assert disagreements(planned.json["records"], rows) == []
    assert (planned.code, dropped.code) == (3, 3)
    for name in ("needs_look", "clean"):
        assert planned.json[name] == dropped.json[name], name
    assert [look["reason"] for look in planned.json["needs_look"]] == ["EX004151S", "delivery_failed"]
    assert [e["count"] for e in planned.json["exceptions"]] == [1, 1, 1]
