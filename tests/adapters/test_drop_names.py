"""A site's file names reach their reader, or the rules are refused with file, line and reason."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream_notify.adapters.drop_names import SUFFIXES, WORDS, refusal
from exstream_notify.adapters.rules import RulesInvalid, YamlRules
from tests.architecture.test_event_rules import FEEDS_MESSAGES, RULES, matching_key


def test_the_rules_of_the_stack_let_these_names_through() -> None:
    keys = [
        condition
        for name in FEEDS_MESSAGES
        for condition in RULES[name]["EventPattern"]["detail"]["object"]["key"]
    ]
    suffixes = {condition["suffix"]["equals-ignore-case"] for condition in keys if "suffix" in condition}
    assert {s.removesuffix(".gz") for s in suffixes} - {".index.xml"} == set(SUFFIXES)
    assert {s for s in suffixes if s.endswith(".gz")} == {
        f"{s}.gz" for s in suffixes if not s.endswith(".gz")
    }
    words = {condition["wildcard"] for condition in keys if "wildcard" in condition}
    expected = {
        f"drop/*{w}*{end}*"
        for word in WORDS
        if word[1]
        for w, end in (word, (word[0].upper(), word[1].upper()))
    }
    assert words == expected | {"*.index.*", "*.INDEX.*"}


GLOBS = st.lists(
    st.sampled_from(["*", "nightly", "-", "Messages", "SUMMARY", "run.", ".dat", ".txt", ".xml", ".log", ".csv", ".json", "?"]),
    min_size=1,
    max_size=5,
).map("".join)  # fmt: skip


@given(
    GLOBS,
    st.sampled_from(["", "x", "2026"]),
    st.sampled_from(["", ".gz"]),
    st.sampled_from([str.lower, str.upper]),
)
def test_what_is_accepted_is_let_through_in_small_letters_and_in_capitals(glob, filler, gz, case) -> None:  # type: ignore[no-untyped-def]
    if not refusal(glob):
        name = case(glob.replace("*", filler).replace("?", "7") + gz)
        assert matching_key(f"drop/retail/r1/{name}") & FEEDS_MESSAGES, name


@pytest.mark.parametrize(
    "glob",
    [
        "*engine*.log",
        "ENGINE.ERR",
        "msg*.dat",
        "*Messages*.txt",
        "run_*_messages.xml.gz",
        "*_summary.json",
        "*.psv",
    ],
)
def test_a_sites_names_that_arrive_are_accepted(glob: str) -> None:
    assert refusal(glob) == ""


@pytest.mark.parametrize(
    "glob", ["*", "*.txt", "engine.out", "*.dat*", "*journal*.xml", "*summary*.json", "*.dat.bak"]
)
def test_a_glob_that_nothing_arrives_for_is_refused_with_its_line(glob: str, tmp_path: Path) -> None:
    (tmp_path / "messages.yaml").write_text(f"encoding: null\n\nmessages:\n  - {json.dumps(glob)}\n", "utf-8")
    with pytest.raises(
        RulesInvalid, match=r"messages\.yaml \(.*\) line 4: messages\.0: no event rule"
    ) as invalid:
        YamlRules(tmp_path).messages  # noqa: B018
    assert glob in str(invalid.value)
