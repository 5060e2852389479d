"""What a team is shown: masked texts or none, and no name that somebody else chose."""

import json
from pathlib import Path
from typing import Any

import pytest

from exstream_notify.adapters.rules import RulesInvalid, YamlRules
from exstream_notify.adapters.sqs import EventBridgeExceptions
from exstream_notify.domain.exceptions import ExceptionRaised
from exstream_notify.domain.masking import WITHHELD, handle
from tests.use_cases.world import World

RULES = YamlRules()


def read(here: World, name: str, text: str, rules: YamlRules = RULES) -> list[ExceptionRaised]:
    """A file of run `ann-lee` is read; what left on the bus."""
    told = here.read_file(name, text.encode(), "ann-lee", rules)
    return [raised.as_it_leaves(rules.vocabulary.shown) for raised in told]


def rules_with(folder: Path, teams: str) -> YamlRules:
    """The rules that ship, with other settings of teams."""
    (folder / "alerts.yaml").write_text(f"teams: {teams}\n", "utf-8")
    return YamlRules(folder)


TWO = "EX005301E (1) customer Ann Lee not found\nEX005301E (2) customer Bo Ray not found\n"


def test_names_of_files_queues_and_rules_leave_masked_and_apart() -> None:
    here = World(site_rules=RULES)
    read(here, "ann lee.dat", TWO)
    left = read(
        here, "ann lee.exceptions.csv", "seq,rule,queue,text\n1,Ann Lee,Hold_Lee,x\n2,Bo Ray,Hold_Ray,y\n"
    )
    left += read(here, "ann lee.dat", TWO) + read(here, "ann lee (2).dat", "hello\n")
    told = json.dumps([{**raised.to_detail(), "run_id": ""} for raised in left], ensure_ascii=False)
    assert not [name for name in ("ann", "Ann", "lee", "Lee", "Ray", "AnnLee", "BoRay") if name in told]
    assert len({raised.code for raised in left}) == 4
    assert len({raised.part for raised in left}) == len(left)
    assert {raised.queue.partition("#")[0] for raised in left} == {"", "Hold_…"}


def test_the_bus_shows_no_name_of_what_it_carries() -> None:
    put: list[dict[str, Any]] = []

    class Bus:
        """EventBridge, as far as it is called."""

        def put_events(self, Entries: list[dict[str, Any]]) -> dict[str, Any]:  # noqa: N803
            put.extend(Entries)
            return {}

    text = "landed after the run was taken: ann.index.csv, ann.index.csv.gz, billing.index.csv"
    names = ("ann.index.csv", "ann.index.csv.gz", "billing.index.csv")
    detail = {"file": "ann.index.csv", "joanna": "joanna.index.csv"}
    raised = ExceptionRaised("index_after_seal", "error", "retail", "r-1", text, "index landed", detail=detail, names=names)  # fmt: skip
    EventBridgeExceptions(Bus(), RULES.vocabulary.shown).raise_exceptions([raised])

    (told,) = (json.loads(entry["Detail"]) for entry in put)
    one, two = handle("ann.index.csv"), handle("ann.index.csv.gz")
    assert told["text"] == (
        f"landed after the run was taken: ….index.csv#{one}, ….index.csv.gz#{two}, billing.index.csv"
    )
    assert told["detail"] == {"file": f"….index.csv#{one}", "joanna": "joanna.index.csv"}
    assert "names" not in told


def test_an_alert_and_its_switches_name_a_run_by_its_handle() -> None:
    here = World(site_rules=RULES)
    here.exceptions.raise_exceptions(read(here, "a.dat", TWO))
    here.drain()
    (alert,) = here.channels.alerts("operations")
    assert "ann-lee" not in alert.text()
    assert f"retail/…#{handle('ann-lee')}" in alert.title
    assert alert.samples == ("customer … not found",)
    (incident,) = here.incidents.all()
    assert incident.run_id == "ann-lee"


def test_a_team_may_have_no_samples(tmp_path: Path) -> None:
    rules = rules_with(tmp_path, "{operations: {samples: none, escalation: [it]}}")
    here = World(site_rules=rules)
    here.exceptions.raise_exceptions(read(here, "a.dat", TWO, rules))
    here.drain()
    (alert,) = here.channels.alerts("operations")
    assert alert.samples == ()
    assert "not found" not in str(here.incidents.rows)


def test_a_team_without_samples_gets_none_of_another_teams_either(tmp_path: Path) -> None:
    rules = rules_with(tmp_path, "{operations: {escalation: [it]}, it: {samples: none}}")
    here = World(site_rules=rules)
    here.exceptions.raise_exceptions(read(here, "a.dat", TWO, rules))
    here.drain()
    here.clock.advance(seconds=241 * 60)
    here.release()
    here.drain()
    assert here.channels.alerts("operations")[0].samples == ("customer … not found",)
    assert {alert.samples for alert in here.channels.alerts("it")} == {()}


def test_all_teams_may_have_none_and_other_words_are_refused(tmp_path: Path) -> None:
    assert not rules_with(tmp_path, "{default: {samples: none}}").shows_samples("it")
    with pytest.raises(RulesInvalid, match=r"teams\.it\.samples"):
        rules_with(tmp_path, "{it: {samples: all}}").shows_samples("it")


def test_the_first_severe_message_is_withheld() -> None:
    here = World(site_rules=RULES)
    first, whole, *_ = read(here, "a.dat", "EX000001S (1) stop Ann Lee\nEX000001S (2) stop Bo Ray\n")
    assert (first.samples, whole.samples) == ((WITHHELD,), ("stop …",))


@pytest.mark.parametrize(
    ("code", "dimension"),
    [
        ("EX004120E", "EX004120E"),
        ("dead_letters", "dead_letters"),
        ("AnnLee", "other"),
        ("…#0a1b2c3d", "other"),
    ],
)
def test_a_metric_has_a_code_that_is_known(code: str, dimension: str) -> None:
    assert RULES.metric_code(code) == dimension
