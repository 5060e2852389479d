"""The vocabulary that ships, on made-up texts of engine messages in four languages; a site's own words."""

import random
from pathlib import Path

import pytest

from exstream_notify.adapters.rules import RulesInvalid, YamlRules
from exstream_notify.adapters.vocabulary_rules import _literal
from exstream_notify.domain.masking import Sampled
from tests.engine_texts import EngineText, read, word_list, words

VOCABULARY = YamlRules().vocabulary
TEXTS = read("en", "de", "fr", "es", "held_out")
HARD = read("hard")
SHAPES = read("shapes")
VALUES = sorted({value for text in TEXTS + HARD for value in text.values})


def leaks(texts: list[EngineText], shown: list[str] | tuple[str, ...]) -> set[str]:
    """Personal words of any of the texts that are shown, and stand in none of them unmarked."""
    harmless = {word for text in texts for word in text.harmless}
    personal = {word for text in texts for word in text.personal} - harmless
    return {word for line in shown for word in words(line)} & personal


def test_the_corpus_is_large_enough() -> None:
    assert len(TEXTS + HARD) >= 400
    assert sum(bool(text.values) for text in TEXTS) >= 300


@pytest.mark.parametrize("text", TEXTS + HARD + SHAPES, ids=lambda text: text.marked[:60])
def test_nothing_personal_passes_whatever_the_number_of_messages(text: EngineText) -> None:
    assert not text.leaks(VOCABULARY.masked(text.text))
    alone = VOCABULARY.samples([Sampled(text.text, 1)], 1)
    assert not text.leaks(" ".join(alone))


@pytest.mark.parametrize("size", [2, 3, 5, 9, 10, 12, 20, 50])
def test_nothing_personal_passes_in_groups(size: int) -> None:
    """Messages of one template about others, about one customer under many numbers, and mixed ones."""
    chance = random.Random(size)
    for text in chance.sample(TEXTS + HARD, 100):
        others = [text.with_values([chance.choice(VALUES) for _ in text.values]) for _ in range(size)]
        groups = {
            "about others": others,
            "about one": [text] * size,
            "one in all": [text, *others[1:]],
            "mixed": chance.sample(TEXTS + HARD, size),
        }
        for how, group in groups.items():
            chance.shuffle(group)
            for numbers in (range(1, size + 1), [7] * size, [None] * size):
                messages = [Sampled(t.text, n) for t, n in zip(group, numbers, strict=True)]
                shown = VOCABULARY.samples(messages, len({n for n in numbers if n}))
                assert not leaks(group, shown), (how, shown, group[0].marked)


def test_most_of_what_is_harmless_stays() -> None:
    kept = total = 0
    for text in TEXTS:
        shown = words(VOCABULARY.masked(text.text))
        total += len(text.harmless)
        kept += sum(word in shown for word in text.harmless)
    share = kept / total
    print(f"{share:.0%} of the harmless words of {len(TEXTS)} texts remain")
    assert share >= 0.75


COMMON_NAMES = word_list("common_names")


@pytest.mark.parametrize("name", COMMON_NAMES)
def test_no_word_of_it_is_a_common_name(name: str) -> None:
    assert name not in VOCABULARY.words


@pytest.mark.parametrize(
    "name", ["Han", "Su", "Hay", "Vue", "Son", "Worden", "Weil", "Avant", "Appel", "Borne", "RED"]
)
def test_a_word_that_is_a_name_with_a_capital_is_shown_in_small_letters_only(name: str) -> None:
    assert (
        VOCABULARY.masked(f"value {name.lower()} and {name} is missing")
        == f"value {name.lower()} … is missing"
    )
    assert VOCABULARY.masked(f"Han{name} is missing") == "… is missing"
    for file in (f"{name}.dat", f"{name.lower()}.dat"):
        assert VOCABULARY.shown(file).startswith("….dat#")


@pytest.mark.parametrize(
    "before", ["Employer", "Arbeitgeber", "Employeur", "Empleador", "Sachbearbeiter", "Sender"]
)
def test_a_known_word_behind_one_for_somebody_is_a_name(before: str) -> None:
    assert VOCABULARY.masked(f"{before} Standard Service: invalid") in ("… invalid", f"{before} … invalid")


SENSITIVE = word_list("sensitive")


@pytest.mark.parametrize(
    "illness", ["migraine", "angina", "sciatica", "neuralgia", "gicht", "cardiopathie", "migraña"]
)
def test_an_illness_that_all_messages_share_stays_masked(illness: str) -> None:
    messages = [Sampled(f"customer Ab{chr(97 + n)}q for {illness} not found", n) for n in range(26)]
    assert illness not in " ".join(VOCABULARY.samples(messages, 26))


@pytest.mark.parametrize("word", SENSITIVE)
def test_no_word_of_it_says_how_somebody_lives(word: str) -> None:
    assert word not in VOCABULARY.words


def test_every_code_of_the_rules_and_the_names_of_the_samples_are_harmless() -> None:
    names = [
        "customers_missing", "messages_unmatched", "dead_letters", "ExstreamMessages.dat", "_STDDELIVERYFILE.xml",
        "_COMPLETE.json", "billing.index.jsonl", "exceptions.psv", "ErrorReport.csv", "run.summary.txt",
        "retail", "billing-2026-11-30", "event-6f1d1a52-7c43-4f0f-9b4e-0d6c2b7f8a10", "day-2026-11-30",
        "expected-billing-2026-11-30", "none", "unknown", "exnotify", "queues", "Print", "statement",
    ]  # fmt: skip
    assert [name for name in names if VOCABULARY.shown(name) != name] == []


def site(folder: Path, text: str) -> YamlRules:
    """A site's rules with a vocabulary of its own."""
    (folder / "vocabulary.yaml").write_text(text, "utf-8")
    return YamlRules(folder)


@pytest.mark.parametrize(
    "name",
    [
        "alerts", "storm-2026-11-30T033323", "daily-2026-11-30T1300", "resolved-2026-11-30T03:33:23+00:00", "all",
        "sns", "slack", "teams", "webhook", "pagerduty", "apprise", "email", "sms",
        "email-by-opentext-2026-11-30T033323", "sms-by-aws-2026-11-30T033323", "email-by-ses-2026-11-30T033323",
    ],
)  # fmt: skip
def test_the_names_of_our_own_incidents_are_shown(name: str) -> None:
    assert VOCABULARY.shown(name) == name


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("Hold", ["Hold"]),
        ("XEROX-*", ["XEROX"]),
        ("billing_*.index.*=", ["billing", "index"]),
        ("*-Nightly run [0-9]*", ["Nightly run"]),
        ("ab*", []),
        ("*", []),
        ("123*", []),
    ],
)
def test_of_a_glob_what_it_says_letter_by_letter_is_a_name(name: str, parts: list[str]) -> None:
    assert _literal(name) == parts


def test_a_site_adds_words_and_names(tmp_path: Path) -> None:
    rules = site(tmp_path, 'words: {site: [Sparbrief], more: "Girokonto Depot"}\nnames: ["EXSTM*"]\n')
    assert rules.vocabulary.masked("Sparbrief und Depot fehlt bei Anna") == "Sparbrief und Depot fehlt bei …"
    assert rules.vocabulary.shown("EXSTM-0099123") == "EXSTM-0099123"
    assert rules.vocabulary.words > VOCABULARY.words


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("words:\n  site: [Depot, A4]\n", r"vocabulary.yaml .* line 2: words.site.1: .*letters alone.*'A4'"),
        ("words: {site: [x]}\n", "may be an initial"),
        ("names: ['*']\n", "fits nearly every name"),
        ("word: [x]\n", "vocabulary.yaml.*word"),
    ],
)
def test_a_vocabulary_that_cannot_be_used_is_refused_with_its_place(
    tmp_path: Path, text: str, told: str
) -> None:
    with pytest.raises(RulesInvalid, match=told):
        site(tmp_path, text).check()
