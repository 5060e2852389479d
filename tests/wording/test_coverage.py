"""Rules and wording together: words for all that the rules can ask for, or the fallback language has them."""

from pathlib import Path
from typing import Any

import check_content
import pytest
import yaml

from exnotify.local import check_site
from exstream_notify.adapters.bootstrap import Bootstrap
from exstream_notify.adapters.rendering import Renderer
from exstream_notify.adapters.rendering.coverage import check_coverage, remarks
from exstream_notify.adapters.rules import RulesInvalid, YamlRules
from exstream_notify.adapters.settings import Settings
from exstream_notify.adapters.words_needed import words_needed

from .examples import BRAND, LINK, full

OWN: dict[str, Any] = {"use_case": "uc1", "topic": "statements"}
MAIL = {
    "document": "Tax form",
    "subject": "Tax form",
    "heading": "Tax form",
    "button": "View",
    "body": ["Ready."],
}
SMS = {"sms": "Your tax form is ready."}
STEP = {
    "documents": ["tax-form"],
    "steps": [{"after": "P3D", "wording": "tax-form-nudge"}],
    "unanswered": {"after": "P9D", "end": "event"},
}


def make_site(folder: Path, rules: dict[str, Any], **words: Any) -> Path:
    """A site's folder: rules by file, and the types of each language."""
    for name in ("rules", "wording"):
        (folder / name).mkdir(exist_ok=True)
    for name, data in rules.items():
        (folder / "rules" / f"{name}.yaml").write_text(yaml.safe_dump(data), "utf-8")
    for language, types in words.items():
        (folder / "wording" / f"{language}.yaml").write_text(yaml.safe_dump({"types": types}), "utf-8")
    return folder


def documents(**entry: Any) -> dict[str, Any]:
    return {"documents": {"types": {"tax-form": {**OWN, **entry}}}}


MISSING: list[tuple[dict[str, Any], dict[str, Any], list[str], str]] = [
    (documents(), {}, ["types.tax-form", "type tax-form", "by email", "in de, es, fr, nor in en"], "en"),
    (documents(), {"en": {"tax-form": MAIL}}, ["type tax-form", "by sms", "sms of types.tax-form"], "en"),
    (documents(), {"es": {"tax-form": {**MAIL, **SMS}}}, ["by email", "in de, fr, nor in en"], "en"),
    (documents(), {"en": {"tax-form": {**MAIL, **SMS}}}, ["by email", "in es, fr, nor in de"], "de"),
    (documents(channels=["sms"]), {"en": {"tax-form": MAIL}}, ["by sms"], "en"),
    (documents(wording="nowhere"), {}, ["'nowhere'", "type tax-form"], "en"),
    (
        {"documents": {"types": {"overdue-notice": {"by_account_status": {"Lost": {"wording": "lost"}}}}}},
        {},
        ["types.overdue-notice.by_account_status.lost", "with account status lost", "'lost'"],
        "en",
    ),
    (
        {"documents": {"types": {"statement": {"by_account_status": {"vip": {"channels": ["email"], "wording": "vip"}}}}}},
        {},
        ["account status vip", "by email"],
        "en",
    ),
    (
        {**documents(), "journeys": {"journeys": {"tax": STEP}}},
        {"en": {"tax-form": {**MAIL, **SMS}}},
        ["journeys.yaml", "journeys.tax.steps.0", "step 1 of journey tax", "'tax-form-nudge'", "by email"],
        "en",
    ),
    (
        {**documents(), "journeys": {"journeys": {"tax": {**STEP, "steps": [
            {"after": "P3D", "wording": "tax-form", "digest": "tax-forms"}]}}}},
        {"en": {"tax-form": {**MAIL, **SMS}}},
        ["journeys.tax.steps.0", "step 1 of journey tax", "'tax-forms'", "by email"],
        "en",
    ),
    (documents(team_copy="each"), {"en": {"tax-form": {**MAIL, **SMS}, "team-copy": {"body": []}}},
     ["internal teams", "team-copy", "by email"], "en"),
]  # fmt: skip


@pytest.mark.parametrize(("rules", "words", "parts", "fallback"), MISSING)
def test_what_nobody_wrote_is_refused_by_up_and_where_documents_are_taken_in(
    tmp_path: Path, rules: dict[str, Any], words: dict[str, Any], parts: list[str], fallback: str
) -> None:
    site = make_site(tmp_path, rules, **words)
    found = check_coverage(YamlRules(site / "rules"), site / "wording", fallback)
    assert any(all(part in str(problem) for part in parts) for problem in found), found

    with pytest.raises(ValueError, match="has no words"):
        check_site(site, {"DefaultLanguage": fallback})
    settings = Settings(site_dir=str(site), record_retention_days=120, default_language=fallback)
    with pytest.raises(RulesInvalid, match="has no words"):
        _ = Bootstrap(settings).staging_rules
    # What goes on with documents that were taken in does not stop for it.
    assert Bootstrap(settings.model_copy(update={"record_retention_days": 0})).staging_rules.types


SOUND: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    (documents(), {"en": {"tax-form": {**MAIL, **SMS}}}, "en"),
    (documents(channels=["email"]), {"en": {"tax-form": MAIL}}, "en"),
    (documents(), {"de": {"tax-form": {**MAIL, **SMS}}}, "de"),
    (documents(wording="statement"), {}, "fr"),
    (documents(by_account_status={"closed": {"skip": "closed", "wording": "never-said"}}),
     {"en": {"tax-form": {**MAIL, **SMS}}}, "en"),
    (documents(), {"en": {"tax-form": {**MAIL, **SMS}}, "es": {"tax-form": SMS}}, "en"),
]  # fmt: skip


@pytest.mark.parametrize(("rules", "words", "fallback"), SOUND)
def test_what_is_written_or_in_the_fallback_language_is_sound(
    tmp_path: Path, rules: dict[str, Any], words: dict[str, Any], fallback: str
) -> None:
    site = make_site(tmp_path, rules, **words)
    assert check_coverage(YamlRules(site / "rules"), site / "wording", fallback) == []
    check_site(site, {"DefaultLanguage": fallback})
    settings = Settings(site_dir=str(site), record_retention_days=120, default_language=fallback)
    assert "tax-form" in Bootstrap(settings).staging_rules.types


def test_lint_reports_the_same_with_file_and_line(tmp_path: Path) -> None:
    site = make_site(tmp_path, documents(), en={"tax-form": MAIL})
    (problem,) = check_content.problems(site)
    assert problem.startswith(
        "documents.yaml:2: types.tax-form: type tax-form has no words 'tax-form' by sms"
    )
    make_site(site, {}, en={"tax-form": {**MAIL, **SMS}})
    assert check_content.problems(site) == []


def test_a_customer_whose_language_has_no_words_for_a_type_reads_the_fallback(tmp_path: Path) -> None:
    words = {"en": {"tax-form": {**MAIL, **SMS}}, "es": {"tax-form": {"sms": "Su formulario."}}}
    site = make_site(tmp_path, documents(), **words)
    renderer = Renderer(BRAND, overrides=site / "wording")
    spanish = full("statement", "es")

    assert renderer.language_of("tax-form", "email", "es-MX") == "en"
    assert renderer.language_of("tax-form", "sms", "es-MX") == "es"
    assert renderer.language_of("statement", "email", "es-MX") == "es"
    assert renderer.render("tax-form", "email", spanish, link=LINK).subject == "Tax form"
    assert "Su formulario." in renderer.render("tax-form", "sms", spanish, link=LINK).text
    assert renderer.version("tax-form", "email", "es") == renderer.version("tax-form", "email", "en")
    bulk = renderer.render_bulk("tax-form", "email", [spanish, spanish], [LINK, LINK], "es")
    assert bulk.content.subject == "Tax form"

    (said, *rest) = remarks(site / "wording", YamlRules(site / "rules"))
    assert said == "tax-form by email: no words in de, es, fr, so these customers read en"
    assert rest == ["tax-form by sms: no words in de, fr, so these customers read en"]


def test_a_language_that_cannot_be_read_is_named_with_its_file(tmp_path: Path) -> None:
    site = make_site(tmp_path, {})
    (site / "wording" / "it.yaml").write_text("types: {statement: {subject: [", "utf-8")
    (problem,) = check_coverage(YamlRules(), site / "wording")
    assert problem.file == "wording/it.yaml"
    with pytest.raises(ValueError, match=r"wording/it\.yaml"):
        check_site(site)


def test_a_language_of_messages_alone_is_remarked_on(tmp_path: Path) -> None:
    site = make_site(tmp_path, {}, it={"statement": {**MAIL, **SMS}})
    said = remarks(site / "wording", YamlRules())
    assert [text.partition(" are not in ")[0] for text in said[-2:]] == ["pages", "notes"]
    assert "it" in said[-1]


def test_every_type_status_and_step_of_the_package_is_asked_for() -> None:
    needed = words_needed(YamlRules())
    assert {need.wording for need in needed} >= {
        *YamlRules().types,
        "follow-up-reminder",
        "team-copy",
        "team-digest",
    }
    assert all(need.channels for need in needed)
    assert check_coverage(YamlRules()) == []
    for language in ("en", "es", "fr", "de"):
        assert check_coverage(YamlRules(), None, language) == []
