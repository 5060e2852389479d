"""`exnotify approvals` on a site's own folder: listed, approved, over with the next change."""

from pathlib import Path

import pytest
import yaml

from exnotify.deployment import Deployment
from exstream_notify.adapters.rendering import Brand, Renderer, WordingError
from exstream_notify.adapters.rendering.approvals import read_approvals
from exstream_notify.adapters.rendering.check import check_wording

from .shell import exnotify

PARAMETERS = {"CompanyName": "Northwind Bank", "SupportContact": "help@example.com"}
STATEMENT = ("--wording", "statement", "--channel", "email", "--language", "en")


def no_client(service: str) -> None:
    raise AssertionError(f"{service} is not needed to look at words")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    stack = Deployment("stack test", {}, no_client, PARAMETERS, url="http://127.0.0.1:1")
    monkeypatch.setattr("exnotify.deployment.connect", lambda name=None: stack)
    return tmp_path


def renderer(site: Path, name: str = "Northwind Bank") -> Renderer:
    brand = Brand(name=name, support_contact="help@example.com")
    return Renderer(brand, overrides=site / "wording")


def approve(site: Path, who: str = "Legal, J. Doe") -> None:
    [row] = exnotify("approvals", "--site", site, *STATEMENT, "--json").json
    assert exnotify(
        "approvals", "--site", site, *STATEMENT, "--approve", row["version"], "--who", who
    ).code in (0, 1)


def test_nothing_is_approved_at_first_and_everything_customers_read_is_listed(site: Path) -> None:
    done = exnotify("approvals", "--json")
    assert done.code == 1
    assert {row["state"] for row in done.json} == {"new"}
    assert {row["language"] for row in done.json} == {"en", "es", "fr", "de"}
    wordings = {row["wording"] for row in done.json}
    assert {"statement", "final-demand"} <= wordings
    assert "payment-due-soon" in wordings, "what only a journey's step says"
    assert {r["channel"] for r in done.json if r["wording"] == "note:code"} == {"email", "sms"}
    assert {r["channel"] for r in done.json if r["wording"] == "note:stop"} == {"sms"}
    assert not any(name.startswith("team-") for name in wordings)


def test_rules_that_outlive_the_records_are_refused_with_the_sites_own_at_hand(
    site: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = Deployment("stack test", {}, no_client, {**PARAMETERS, "RecordRetentionDays": "45"}, url="x")
    monkeypatch.setattr("exnotify.deployment.connect", lambda name=None: short)
    assert short.app.rules.of_type("statement").link_days == 60, "who only looks at records is not held up"

    done = exnotify("approvals", "--json")
    assert (done.code, done.out) == (1, "")
    assert "defaults.link_days: 60 days, but records are kept for 45" in done.err
    (site / "rules").mkdir()
    (site / "rules" / "documents.yaml").write_text("defaults: {link_days: 40}", "utf-8")
    assert exnotify("approvals", "--site", site, *STATEMENT, "--json").json[0]["state"] == "new"


def test_an_approval_is_kept_and_is_what_the_functions_read(site: Path) -> None:
    approve(site)
    done = exnotify("approvals", "--site", site, *STATEMENT)
    assert done.code == 0
    assert done.out.startswith("approved")
    assert "Legal, J. Doe" in done.out
    found = renderer(site).approval("statement", "email", "en")
    assert found is not None
    assert found.who == "Legal, J. Doe"
    assert renderer(site).approval("statement", "sms", "en") is None
    assert renderer(site).approval("statement", "email", "de") is None
    assert check_wording(site / "wording") == [], "the file is no language"


@pytest.mark.parametrize("what", ["words", "brand"])
def test_a_change_ends_it_and_the_old_entry_stays(what: str, site: Path) -> None:
    approve(site)
    if what == "words":
        (site / "wording" / "en.yaml").write_text("types: {statement: {subject: Another subject}}\n", "utf-8")
    else:
        (site / "wording" / "brand.yaml").write_text('colour: "#003366"\n', "utf-8")
    done = exnotify("approvals", "--site", site, *STATEMENT, "--json")
    assert (done.code, done.json[0]["state"]) == (1, "changed")
    assert renderer(site).approval("statement", "email", "en") is None
    approve(site, "Legal, R. Roe")
    assert [a.who for a in read_approvals(site / "wording")] == ["Legal, J. Doe", "Legal, R. Roe"]


def test_all_that_is_listed_can_be_approved_at_once_and_twice_changes_nothing(site: Path) -> None:
    arguments = ("approvals", "--site", site, "--language", "en", "--approve-all", "--who", "Board")
    assert exnotify(*arguments).code == 0
    first = (site / "wording" / "approvals.yaml").read_text("utf-8")
    assert exnotify(*arguments).out.startswith("0 approved")
    assert (site / "wording" / "approvals.yaml").read_text("utf-8") == first
    assert exnotify("approvals", "--site", site, "--language", "en").code == 0
    assert exnotify("approvals", "--site", site).code == 1


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("--approve-all",), "--who"),
        (("--approve", "000000000000", "--who", "X"), "no version that is listed"),
        (("--wording", "poem"), "nothing"),
    ],
)
def test_a_misuse_writes_nothing(arguments: tuple[str, ...], says: str, site: Path) -> None:
    done = exnotify("approvals", "--site", site, *arguments)
    assert done.code == 2
    assert says in done.err
    assert not (site / "wording").exists()


ENTRY = {
    "wording": "statement", "channel": "email", "language": "en",
    "version": "0123456789ab", "who": "Legal", "when": "2026-11-20",
}  # fmt: skip


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"who": ""}, "who is empty"),
        ({"version": "abc"}, "twelve hex"),
        ({"version": 123456789012}, "in quotes"),
        ({"when": "last week"}, "no date"),
        ({"note": "x"}, "nothing else"),
    ],
)
def test_a_file_that_is_not_plain_approves_nothing_and_fails_the_check(
    change: dict[str, object], says: str, tmp_path: Path
) -> None:
    (tmp_path / "approvals.yaml").write_text(yaml.safe_dump({"approved": [{**ENTRY, **change}]}), "utf-8")
    with pytest.raises(WordingError, match=says):
        read_approvals(tmp_path)
    assert [p.file for p in check_wording(tmp_path)] == ["approvals.yaml"]


def test_a_plain_date_is_one(tmp_path: Path) -> None:
    text = yaml.safe_dump({"approved": [ENTRY]}).replace("'2026-11-20'", "2026-11-20")
    (tmp_path / "approvals.yaml").write_text(text, "utf-8")
    assert read_approvals(tmp_path)[0].when == "2026-11-20"
