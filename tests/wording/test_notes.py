"""Notes: every language has every one, with the same variables, and each SMS is one part."""

import re
from datetime import date
from pathlib import Path

import pytest
import yaml

from exstream_notify.adapters.rendering.brand import SMS_NAME_LENGTH, Brand
from exstream_notify.adapters.rendering.notes import Notes
from exstream_notify.adapters.rendering.texts import WordingError
from exstream_notify.domain.links import make_token
from exstream_notify.domain.passes import preferences_id
from exstream_notify.domain.sms_text import alphabet, parts

BRAND = Brand("Example Company of the North", "+1 202 555 0100", sms_name="B" * SMS_NAME_LENGTH)
NOTES = Notes(BRAND)
LANGUAGES = sorted(NOTES.texts)
NAMES = sorted(NOTES.texts["en"])
UNDO = ("changed", "reminder")
TOKEN = make_token(preferences_id("0" * 32, date(2026, 11, 20)), 1, b"key", "undo")
VALUES = {"code": "123456", "link": f"https://abcdefghij.execute-api.us-east-1.amazonaws.com/p/undo/{TOKEN}"}


def test_every_language_has_every_note_with_the_same_fields() -> None:
    assert LANGUAGES == ["de", "en", "es", "fr"]
    for language in LANGUAGES:
        assert sorted(NOTES.texts[language]) == NAMES
        for name in NAMES:
            assert set(NOTES.texts[language][name]) == set(NOTES.texts["en"][name])


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
def test_the_variables_are_those_of_the_english_words(language: str, name: str) -> None:
    def variables(of: str) -> set[str]:
        return set(re.findall(r"{{ *(\w+) *}}", str(NOTES.texts[of][name])))

    assert variables(language) == variables("en")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", NAMES)
def test_a_text_message_is_one_part_of_the_gsm_alphabet(language: str, name: str) -> None:
    text = NOTES.render(name, "sms", language, VALUES).text
    assert text.startswith("B" * SMS_NAME_LENGTH)
    assert alphabet(text) == "gsm"
    own = {**VALUES, "link": f"https://docs.example.com/p/undo/{TOKEN}"}
    assert parts(NOTES.render(name, "sms", language, own).text) == 1
    # Only a link on AWS's own long host name takes a second part.
    assert parts(text) == (2 if name in UNDO else 1)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", ["code", *UNDO])
def test_an_e_mail_says_it_in_text_and_html_and_names_nobody(language: str, name: str) -> None:
    content = NOTES.render(name, "email", language, VALUES)
    assert content.html
    assert content.subject
    wanted = VALUES["code"] if name == "code" else VALUES["link"]
    assert wanted in content.text
    assert wanted in content.html
    assert "{{" not in content.text + content.html


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_says_that_a_change_is_in_effect_has_no_link_and_says_whom_to_contact(language: str) -> None:
    content = NOTES.render("in_effect", "email", language, {})
    for text in (content.text, content.html or "", NOTES.render("in_effect", "sms", language, {}).text):
        assert "/p/undo/" not in text
        assert BRAND.support_contact in text


def test_stop_answers_say_how_to_come_back_and_help_says_how_to_stop() -> None:
    """The words that the law and the carriers ask for (47 CFR 64.1200(a)(12), CTIA 5.1)."""
    for language in LANGUAGES:
        assert "START" in NOTES.texts[language]["stop"]["sms"]
        assert "STOP" in NOTES.texts[language]["help"]["sms"]
        assert "{{ support }}" in NOTES.texts[language]["help"]["sms"]


def test_an_unknown_language_is_told_in_the_default_and_an_unknown_note_is_an_error() -> None:
    assert NOTES.render("stop", "sms", "pt-BR", {}) == NOTES.render("stop", "sms", "en", {})
    assert NOTES.render("stop", "sms", "de-AT", {}) == NOTES.render("stop", "sms", "de", {})
    with pytest.raises(WordingError, match="no note nothing"):
        NOTES.render("nothing", "sms", "en", {})
    with pytest.raises(WordingError, match="no value code"):
        NOTES.render("code", "sms", "en", {})


def test_a_sites_language_that_frames_nothing_of_its_own_has_a_plain_colon(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "it.yaml").write_text("common: {}\n", "utf-8")
    (tmp_path / "notes" / "texts.yaml").write_text(yaml.safe_dump({"it": NOTES.texts["en"]}), "utf-8")
    text = Notes(BRAND, tmp_path).render("code", "email", "it", VALUES).text
    assert "\nCode: 123456\n" in text
