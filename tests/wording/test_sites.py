"""A site's own wording and brand, laid over the package's; and what is found wrong with it."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from exstream_notify.adapters.rendering import Brand, Renderer, WordingError
from exstream_notify.adapters.rendering.check import (
    LONGEST_LINK,
    LONGEST_VALUES,
    check_wording,
)
from exstream_notify.adapters.rendering.texts import PACKAGE_WORDING, LanguageTexts, WordingFiles, read_yaml
from exstream_notify.adapters.rendering.variables import ALLOWED, VARIABLES
from exstream_notify.domain.links import make_token
from exstream_notify.domain.sms_text import alphabet

from .examples import BRAND, LANGUAGES, LINK, RENDERER, REQUIRED_TYPES, full


def site(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text, "utf-8")
    return folder


# --- the package's own


def test_the_packages_wording_is_sound() -> None:
    assert check_wording() == []
    assert check_wording(PACKAGE_WORDING, BRAND) == []


def test_every_language_says_the_same_things() -> None:
    def keys(data: Any) -> Any:
        if isinstance(data, dict):
            return {key: keys(value) for key, value in data.items()}
        return None

    english = keys(yaml.safe_load((PACKAGE_WORDING / "en.yaml").read_text("utf-8")))
    for language in LANGUAGES:
        assert keys(yaml.safe_load((PACKAGE_WORDING / f"{language}.yaml").read_text("utf-8"))) == english


@pytest.mark.parametrize("language", LANGUAGES)
def test_our_sms_are_written_in_the_gsm_alphabet(language: str) -> None:
    texts: LanguageTexts = WordingFiles().language(language)
    for name in REQUIRED_TYPES:
        for key in ("sms", "sms_frames", "sms_opt_out"):
            text = str(texts.of(name, key))
            # Folding would spell it wrong without a word: our own words need none.
            assert alphabet(text) == "gsm", f"{name}.{key}"


def test_the_longest_link_is_that_of_the_longest_host() -> None:
    assert len(LONGEST_LINK) == len("https://" + "h" * 40 + "/d/" + make_token("00" * 16, 1, b"k"))
    assert len(LONGEST_VALUES["reference"]) == 20


def test_the_document_on_wording_names_every_variable_where_it_may_stand() -> None:
    page = Path(__file__).parents[2].joinpath("docs", "wording.md").read_text("utf-8")
    rows: dict[str, list[str]] = {}
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == 6 and cells[0].startswith("`"):
            for name in cells[0].replace("`", "").split(", "):
                rows[name] = cells[2:]
    assert rows.keys() == VARIABLES.keys()
    places = ("mail", "subject", "sms", "team_mail")
    for name, cells in rows.items():
        assert [bool(cell) for cell in cells] == [name in ALLOWED[place] for place in places], name  # type: ignore[index]


# --- overrides


def test_a_site_changes_one_text_and_keeps_the_rest(tmp_path: Path) -> None:
    site(tmp_path, "en.yaml", "types: {statement: {subject: 'Monthly statement from {{ brand }}'}}")
    renderer = Renderer(BRAND, overrides=tmp_path)
    own = renderer.render("statement", "email", full("statement"), link=LINK)
    package = RENDERER.render("statement", "email", full("statement"), link=LINK)
    assert own.subject == "Monthly statement from Northwind Mutual"
    assert own.text == package.text
    assert check_wording(tmp_path) == []


def test_a_version_changes_with_what_the_message_says_and_with_nothing_else(tmp_path: Path) -> None:
    changed = {"statement": {"subject": "Other"}, "invoice": {"sms": "Your invoice is there."}}
    site(tmp_path, "en.yaml", yaml.safe_dump({"types": changed}))
    own = Renderer(BRAND, overrides=tmp_path)
    for name, channel, language, same in (
        ("statement", "email", "en", False),
        ("statement", "sms", "en", True),
        ("statement", "email", "de", True),
        ("invoice", "email", "en", True),
        ("invoice", "sms", "en", False),
        ("renewal-notice", "email", "en", True),
    ):
        version = own.version(name, channel, language)  # type: ignore[arg-type]
        assert len(version) == 12
        assert (version == RENDERER.version(name, channel, language)) is same, (name, channel)  # type: ignore[arg-type]
    site(tmp_path, "layout.txt", "{{ heading }}")
    layout = Renderer(BRAND, overrides=tmp_path)
    assert layout.version("renewal-notice", "email", "en") != own.version("renewal-notice", "email", "en")
    assert layout.version("renewal-notice", "sms", "en") == own.version("renewal-notice", "sms", "en")
    other = Renderer(Brand("Other"))
    assert other.version("statement", "sms", "en") != RENDERER.version("statement", "sms", "en")
    assert RENDERER.version("statement", "sms", "xx") == RENDERER.version("statement", "sms", "en")


def test_a_sites_own_type_language_and_layout(tmp_path: Path) -> None:
    italian = yaml.safe_load((PACKAGE_WORDING / "en.yaml").read_text("utf-8")) | {"territory": "IT"}
    italian["types"]["statement"]["subject"] = "Il suo estratto conto"
    site(tmp_path, "it.yaml", yaml.safe_dump(italian))
    types = {"late-letter": {**italian["types"]["overdue-notice"], "subject": "A letter"}}
    site(tmp_path, "en.yaml", yaml.safe_dump({"types": types}))
    site(tmp_path, "layout.txt", "{{ heading }} / {{ opening }}")
    assert check_wording(tmp_path) == []
    renderer = Renderer(BRAND, overrides=tmp_path)
    assert renderer.languages == ("en", "de", "es", "fr", "it")
    assert renderer.language_for("it-CH") == "it"
    assert renderer.render("statement", "email", full("statement", "it"), link=LINK).subject.startswith(
        "Il suo"
    )
    own = renderer.render("late-letter", "email", full("overdue-notice"), link=LINK)
    assert own.subject == "A letter"
    assert own.text.startswith("A payment is overdue / Our records show")


def test_a_language_read_from_right_to_left(tmp_path: Path) -> None:
    shutil.copy(PACKAGE_WORDING / "en.yaml", tmp_path / "ar.yaml")
    html = (
        Renderer(BRAND, overrides=tmp_path)
        .render("statement", "email", full("statement", "ar"), link=LINK)
        .html
    )
    assert '<html lang="ar" dir="rtl"' in html
    assert 'scope="row" align="right"' in html


def test_the_brand_file_is_laid_over_the_settings(tmp_path: Path) -> None:
    site(
        tmp_path,
        "brand.yaml",
        "colour: '#7a1f2b'\nsms_name: NWM\npostal_address: |\n  Box 7\n  Springfield\n",
    )
    renderer = Renderer(BRAND, overrides=tmp_path)
    assert renderer.brand.name == "Northwind Mutual"
    content = renderer.render("statement", "email", full("statement"), link=LINK)
    assert "#7a1f2b" in content.html
    assert "Box 7, Springfield" in content.text
    assert renderer.render("statement", "sms", full("statement"), link=LINK).text.startswith("NWM: ")


def test_a_default_language_without_words_is_refused() -> None:
    with pytest.raises(WordingError, match=r"there is no xx\.yaml"):
        Renderer(BRAND, default_language="xx")


def test_a_type_or_channel_without_words_is_refused() -> None:
    with pytest.raises(WordingError, match=r"types\.postcard"):
        RENDERER.render("postcard", "email", full("statement"), link=LINK)
    with pytest.raises(WordingError, match="no words for an SMS"):
        RENDERER.render("team-copy", "sms", full("statement"), link=None)
    with pytest.raises(WordingError, match=r"types\.postcard"):
        RENDERER.version("postcard", "sms", "en")


# --- what is found

FAULTS = [
    (
        "types:\n  statement:\n    subject: '{{ customer }}'",
        3,
        "types.statement.subject",
        "no variable {{ customer }}",
    ),
    ("types:\n  statement:\n    subject: '{{ amount }}'", 3, "types.statement.subject", "may not stand here"),
    (
        "types:\n  statement:\n    preheader: '{{ account }}'",
        3,
        "types.statement.preheader",
        "may not stand here",
    ),
    ("types:\n  statement:\n    sms: '{{ first_name }}'", 3, "types.statement.sms", "may not stand here"),
    ("types:\n  statement:\n    body: ['{{ verify_last4 }}']", 3, "types.statement.body", "no variable"),
    ("types:\n  statement:\n    body: ['{{ email }}']", 3, "types.statement.body", "no variable"),
    ("types:\n  team-copy:\n    body: ['{{ last_name }}']", 3, "types.team-copy.body", "may not stand here"),
    ("types:\n  team-copy:\n    facts: [amount]", 3, "types.team-copy.facts", "may not stand here"),
    ("types:\n  statement:\n    body: ['{{ amount']", 3, "types.statement.body", "unexpected end"),
    ("types:\n  statement:\n    body: ['{% include \"x\" %}']", 3, "types.statement", "no loader"),
    ("types:\n  statement:\n    body: ['{{ 9 ** 9 }}']", 3, "types.statement", "operator"),
    ("types:\n  statement:\n    body: ['{{ amount + 1 }}']", 3, "types.statement", "TypeError"),
    ("types:\n  statement:\n    body: ['{{ amount.__class__ }}']", 3, "types.statement", "unsafe"),
    ("types:\n  statement:\n    body: ['{{ brand.upper() }}']", 3, "types.statement", "callable"),
    ("types:\n  statement:\n    body: ['{{ brand | upper }}']", 3, "types.statement.body", "upper"),
    (
        "types:\n  statement:\n    body: ['{% if amount > 5 %}x{% endif %}']",
        3,
        "types.statement",
        "TypeError",
    ),
    (
        "types:\n  statement:\n    body: ['{% if link %}{{ amount }}{% endif %}']",
        3,
        "types.statement",
        "may be missing",
    ),
    ("types:\n  statement:\n    sujbect: x", 3, "types.statement.sujbect", "not one of"),
    ("common:\n  greetings: x", 2, "common.greetings", "not one of"),
    ("common:\n  closing: '{{ nobody }}'", 2, "common.closing", "no variable"),
    (
        "common:\n  sms_frames: ['{{ brand }}: {{ link }}']",
        2,
        "common.sms_frames",
        "{{ message }} is missing",
    ),
    ("colour: red", 1, "colour", "not one of"),
    ("types:\n  statement:\n    subject: 7", 3, "types.statement.subject", "a text"),
    ("types:\n  statement:\n    subject: ''", 3, "types.statement.subject", "no words"),
    ("types:\n  statement:\n    body: just this", 3, "types.statement.body", "list"),
    ("types:\n  statement:\n    facts: [shoe_size]", 3, "types.statement.facts", "no label"),
    ("types:\n  statement:\n    facts: {amount: x}", 3, "types.statement.facts", "a list of variables"),
    (
        "types:\n  statement:\n    sms_opt_out_notice: maybe",
        3,
        "types.statement.sms_opt_out_notice",
        "true or false",
    ),
    (
        "types:\n  statement:\n    sms: " + "x" * 53,
        3,
        "types.statement.sms",
        "no text with the longest link fits",
    ),
    (
        "types:\n  statement:\n    sms: " + "x" * 130,
        3,
        "types.statement.sms",
        "2 parts with the longest values",
    ),
    ("types:\n  statement:\n    sms: Выписка", 3, "types.statement.sms", "GSM"),
    ("types:\n  statement:\n    body: ['(i1) is yours']", 3, "types.statement", "insert marks"),
    ("types:\n  statement:\n    body: ['\ue000 is yours']", 3, "types.statement", "template marks"),
    ("types:\n  statement:\n    body: [\"{{ '{{' }} x\"]", 3, "types.statement", "template marks"),
    ("types:\n  postcard:\n    subject: A card", 2, "types.postcard.heading", "no words"),
    ("types: [statement]", 0, "", "need keys and values"),
    ("types:\n  statement: {subject: [", 3, "", "while parsing"),
    ("- a list", 0, "", "keys and values are needed"),
]


@pytest.mark.parametrize(("text", "line", "key", "reason"), FAULTS)
def test_faults_are_told_with_file_line_and_key(
    tmp_path: Path, text: str, line: int, key: str, reason: str
) -> None:
    problems = check_wording(site(tmp_path, "en.yaml", text))
    found = [p for p in problems if p.file == "en.yaml" and reason in p.reason]
    assert found, problems
    assert any(p.key == key for p in found), found
    if line:
        assert any(p.line in (line, line - 1) for p in found), found
    assert str(found[0]).startswith("en.yaml")
    assert all(p.file == "en.yaml" for p in problems)


def test_a_language_without_any_words_is_a_mistake(tmp_path: Path) -> None:
    (problem,) = check_wording(site(tmp_path, "it.yaml", "territory: IT\ntypes: {}\n"))
    assert (problem.file, problem.key) == ("it.yaml", "types")


def test_a_type_that_a_language_begins_must_be_complete(tmp_path: Path) -> None:
    text = "common: {sms_frames: ['{{ message }}']}\ntypes: {statement: {subject: S, body: [B], sms: T}}"
    problems = check_wording(site(tmp_path, "it.yaml", text))
    assert {(p.file, p.key) for p in problems} == {
        ("it.yaml", f"types.statement.{key}") for key in ("heading", "button", "document")
    }


@pytest.mark.parametrize(
    ("text", "line"), [("{{ heading }}\n{% if %}", 2), ("{{ secret }}", 0), ("{{ brand.nothing.more }}", 0)]
)
def test_a_layout_that_cannot_be_filled(tmp_path: Path, text: str, line: int) -> None:
    problems = check_wording(site(tmp_path, "layout.html", text))
    assert problems
    assert {(p.file, p.line) for p in problems} == {("layout.html", line)}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("colour: navy", "#rrggbb"),
        ("color: '#000000'", "color: not one of"),
        ("sms_details: 'yes'", "bool is needed"),
        ("logo_width: [", "while parsing"),
    ],
)
def test_a_brand_file_that_cannot_be_used(tmp_path: Path, text: str, reason: str) -> None:
    (problem,) = check_wording(site(tmp_path, "brand.yaml", text))
    assert problem.file == "brand.yaml"
    assert reason in problem.reason


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("{{ amount + 1 }}", "'Mark' and 'int' in '{{ amount + 1 }}'"),
        ("{{ brand.upper() }}", "callable in '{{ brand.upper() }}'"),
        ("{{ amount", "'end of print statement'. in '{{ amount'"),
    ],
)
def test_the_text_that_cannot_be_used_is_quoted(tmp_path: Path, text: str, reason: str) -> None:
    (problem,) = check_wording(site(tmp_path, "en.yaml", f"types:\n  statement:\n    body: ['{text}']"))
    assert problem.reason.endswith(reason)


def test_a_company_name_outside_the_sms_alphabet_is_told() -> None:
    (problem,) = check_wording(brand=Brand("Банк"))
    assert problem.key == "sms_name"
    assert check_wording(brand=Brand("Банк", sms_name="Bank")) == []


def test_a_file_without_any_keys_is_one_of_none_and_another_thing_at_the_top_is_told(tmp_path: Path) -> None:
    path = tmp_path / "own.yaml"
    for text in ("", "# nothing yet\n", "{}\n"):
        path.write_text(text, "utf-8")
        assert read_yaml(path) == {}
    path.write_text("- a\n", "utf-8")
    with pytest.raises(WordingError, match=r"^own\.yaml: keys and values are needed at the top"):
        read_yaml(path)


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    (problem,) = check_wording(tmp_path / "nowhere")
    assert "no such folder" in problem.reason
