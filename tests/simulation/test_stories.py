"""Stories: drawn from seeds, printed as Python and as English, written as files that the product can read."""

import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from exnotify.seal import examine, seal_folder
from exstream_notify.adapters.index import RecordSchema
from exstream_notify.adapters.rules import YamlRules
from exstream_notify.adapters.seal import parse_seal
from simulation.nature import Chance
from simulation.stories import (
    Ask,
    Command,
    DropRun,
    HandleIncidents,
    ProviderMood,
    PutEvent,
    Record,
    Reply,
    SetRules,
    Story,
)
from simulation.stories.drawing import PLOTS, draw, profile_of
from simulation.stories.indexes import FORMS, documents, index_files, seal
from simulation.stories.profiles import NARROW, PROFILES, Profile
from simulation.stories.records import FLAWS, NOT_THERE, OTHER_ADDRESS, OTHER_NAME
from simulation.stories.sites import NARROW_SITES, SITES, folder_of
from tests.index import stage

NAMES = {
    c.__name__: c
    for c in (Ask, Command, DropRun, HandleIncidents, ProviderMood, PutEvent, Record, Reply, SetRules, Story)
}


def stories(number: int, **profile: str) -> list[Story]:
    return [draw(Chance(str(n)), profile_of(str(n), **profile)) for n in range(number)]


def test_a_seed_gives_one_story_and_another_seed_another() -> None:
    once, twice = stories(5), stories(5)
    assert once == twice
    assert len({repr(story) for story in once}) == 5


def test_a_story_is_made_again_from_what_it_prints() -> None:
    for story in stories(40):
        assert eval(repr(story), dict(NAMES)) == story  # noqa: S307 - our own text


@pytest.mark.parametrize("name", PLOTS)
def test_every_plot_is_played_by_some_seed_and_told_in_english(name: str) -> None:
    profile = Profile("one", plots=(1, 1), only=(name,), most=12)
    lines = [line for seed in range(8) for line in str(draw(Chance(str(seed)), profile)).splitlines()]
    assert any(lines)
    assert not [line for line in lines if "object at" in line]


def test_stories_reach_every_kind_of_act_form_flaw_site_and_profile() -> None:
    drawn = stories(300)
    acts = [act for story in drawn for act in story.acts]
    assert {type(act).__name__ for act in acts} == set(NAMES) - {"Record", "Story"}
    runs = [act for act in acts if isinstance(act, DropRun)]
    assert {run.form.removesuffix(" gz") for run in runs} == set(FORMS)
    flaws = {record.flaw for run in runs for record in run.records}
    assert flaws == {"", *FLAWS, OTHER_ADDRESS, OTHER_NAME}
    assert {story.site for story in drawn} == set(SITES)
    named_only = {"crowd", *(profile.name for profile in NARROW)}
    assert {profile_of(str(n)).name for n in range(300)} == set(PROFILES) - named_only


def test_document_ids_are_of_one_composition_each() -> None:
    for story in stories(60):
        told: dict[str, tuple[str, ...]] = {}
        for act in story.acts:
            for record in act.records if isinstance(act, DropRun) else ():
                who = tuple(record.fields.get(n, "") for n in ("customer_key", "document_type", "amount_due"))
                assert told.setdefault(record.fields["document_id"], who) == who


def run_of(form: str, records: int = 12) -> DropRun:
    profile = Profile("one", plots=(1, 1), only=("plain",), most=records, flawed=0.4)
    for seed in range(200):
        (run,) = draw(Chance(f"{form} {seed}"), profile).acts
        assert isinstance(run, DropRun)
        if len(run.records) > 5 and any(r.flaw in FLAWS for r in run.records):
            return DropRun(at=0.0, domain=run.domain, run_id="r", form=form, records=run.records)
    raise AssertionError("no run of several records")


@pytest.mark.parametrize("form", [*FORMS, "native gz", "csv gz", "jsonl gz"])
def test_the_product_reads_each_form_and_rejects_what_the_flaws_say(form: str) -> None:
    run = run_of(form)
    (name, data), *more = index_files(run, run.records).items()
    assert not more
    rules = YamlRules()
    site_types = {kind: kind for kind in (*rules.types, "offer")}
    found = stage(data, name, schema=RecordSchema(site_types, rules.queues, today=lambda: date(2026, 11, 29)))
    rejected = [
        n
        for n, r in enumerate(run.records)
        if r.flaw in FLAWS and FLAWS[r.flaw].rejected and r.flaw != NOT_THERE
    ]
    assert (len(found.documents), len(found.rejects)) == (len(run.records) - len(rejected), len(rejected))


@pytest.mark.parametrize("form", FORMS)
def test_no_index_file_is_without_a_record_where_the_run_has_one(form: str) -> None:
    run = replace(run_of(form), files=2)
    assert len(index_files(run, run.records)) == (1 if form == "native" else 2)
    one = replace(run, records=run.records[:1])
    assert len(index_files(one, one.records)) == 1
    assert "files" not in str(one)
    assert len(index_files(run, ())) == 1, "a run that has none has an empty file"


@pytest.mark.parametrize("form", FORMS)
def test_the_seal_says_what_exnotify_seal_would_say(form: str, tmp_path: Path) -> None:
    run = run_of(form)
    files = index_files(run, run.records)
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    told = json.loads(seal(run, files, "2026-11-20T04:00:00Z"))
    good, problems = seal_folder(
        tmp_path, domain=run.domain, run_id="r", customers_expected=told["customers_expected"]
    )
    assert not problems
    assert [f["sha256"] for f in told["files"]] == [f["sha256"] for f in good["files"]]
    assert told["documents"] == sum(examine(tmp_path / name, name).records or 0 for name in files)
    assert parse_seal(json.dumps(told).encode(), run.domain, "r", limit=10**6).documents == len(run.records)


def test_documents_lie_where_the_records_say_except_those_that_are_missing() -> None:
    run = run_of("jsonl")
    there = documents(run)
    for record in run.records:
        place = record.fields["output_uri"]
        assert (place in there) == (record.flaw != NOT_THERE and not place.startswith(".."))


def test_site_folders_are_rules_that_the_product_accepts() -> None:
    for site in (*SITES, *NARROW_SITES):
        folder = folder_of(site)
        assert YamlRules(folder / "rules" if folder else None).types
    with pytest.raises(KeyError):
        folder_of("nowhere")


def test_a_run_without_some_records_is_the_same_run_otherwise() -> None:
    run = run_of("csv")
    less = run.without(frozenset({0, 2}))
    assert less.records == (run.records[1], *run.records[3:])
    assert (less.run_id, less.at, less.form) == (run.run_id, run.at, run.form)


def test_a_crowd_has_a_large_run_of_every_domain_released_and_answered() -> None:
    story = draw(Chance("1"), profile_of("1", "crowd"))
    large = {act.domain: act for act in story.acts if isinstance(act, DropRun) and act.parts() >= 200}
    assert set(large) == {"retail", "insurance", "lending", "claims"}
    assert all(act.parts() <= 2001 for act in large.values())
    typed = [" ".join(act.line) for act in story.acts if isinstance(act, Command)]
    for run in large.values():
        assert any(line.startswith(f"run {run.name} --release") for line in typed)
        answers = [
            act for act in story.acts if isinstance(act, PutEvent) and f"{run.run_id}-" in str(act.detail)
        ]
        assert answers
        assert all(act.at > run.at for act in answers)
    told = {act.detail_type for act in story.acts if isinstance(act, PutEvent)}
    assert {"Payment Received", "Customer Responded", "Preferences Changed"} <= told
