"""Rules as data: the site's own laid over the package's; what is wrong is said with file, line and key."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from exstream_notify.adapters.bootstrap import Bootstrap
from exstream_notify.adapters.index.faults import Fault
from exstream_notify.adapters.providers.opentext import OpenText
from exstream_notify.adapters.providers.ses import Ses
from exstream_notify.adapters.providers.sms import Sms
from exstream_notify.adapters.rules import ONE_CLICK_PROVIDERS, RulesInvalid, YamlRules
from exstream_notify.adapters.settings import Settings, provider_choice
from exstream_notify.adapters.staging import S3Staging
from exstream_notify.domain.documents import Channel, MessageClass
from exstream_notify.domain.exceptions import ExceptionRaised
from exstream_notify.domain.replies import meaning_of
from tests.fakes import a_document


def site(tmp_path: Path, **files: str) -> YamlRules:
    """Rules with these files of the site."""
    tmp_path.mkdir(exist_ok=True)
    for name, text in files.items():
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    return YamlRules(tmp_path)


def test_domains_that_the_rules_do_not_name_wait_where_they_name_any(tmp_path: Path) -> None:
    listed = "domains: {retail: {}, cards: {}}"
    strict = site(tmp_path / "strict", domains=listed)
    lenient = site(tmp_path / "lenient", domains=f"{listed}\nunknown_domains: accept")

    assert [strict.domain(name).unknown for name in ("retail", "cards", "Retail", "retial")] == [
        False, False, True, True,
    ]  # fmt: skip
    assert not lenient.domain("retial").unknown
    assert not YamlRules().domain("retial").unknown, "a site that names none has no unknown ones"


def test_a_site_changes_one_key_and_keeps_the_rest(tmp_path: Path) -> None:
    rules = site(tmp_path, documents="types: {statement: {channels: [sms]}}")
    ours, theirs = rules.of_type("statement"), YamlRules().of_type("statement")

    assert ours.channels == ("sms",)
    assert (ours.topic, ours.use_case, ours.link) == (theirs.topic, theirs.use_case, theirs.link)
    assert rules.of_type("invoice") == YamlRules().of_type("invoice")


def test_what_asks_for_payment_is_of_the_class_or_in_the_words_of_a_demand(tmp_path: Path) -> None:
    rules = site(
        tmp_path,
        documents="""
types:
  invoice: {by_account_status: {default: {wording: final-demand}, late: {asks_for_payment: true}}}
  late-fee: {use_case: uc3, topic: overdue, class: collections}
  second-reminder: {use_case: uc3, topic: overdue, wording: overdue-notice}
  thank-you: {use_case: uc3, topic: overdue, class: collections, asks_for_payment: false}
""",
        journeys="""
journeys:
  chase:
    documents: [invoice]
    steps: [{after: P7D, wording: overdue-notice}]
    unanswered: {after: P14D, end: event}
  renewal-dates:
    documents: [renewal-notice]
    asks_for_payment: false
    steps: [{around_due_date: -P3D, wording: follow-up-reminder}]
    unanswered: {around_due_date: P14D, end: event}
""",
    )
    rules.check()
    shipped = ("payment-reminder", "overdue-notice", "final-demand")
    assert {name for name in rules.types if rules.of_type(name).demands_payment} == {
        *shipped,
        "late-fee",
        "second-reminder",
    }
    for status, demands in (("", False), ("default", True), ("LATE", True), ("current", False)):
        bill = a_document(document_type="invoice", account_status=status)
        assert rules.for_document(bill).demands_payment is demands
    follows = {name for name, journey in rules.journeys().items() if journey.follows_payment}
    assert follows == {"dunning", "chase"}


def test_a_site_adds_types_queues_teams_and_domains(tmp_path: Path) -> None:
    rules = site(
        tmp_path,
        documents=(
            "types: {tax-form: {use_case: uc1, topic: taxes, teams: [taxes], team_copy: digest}}\n"
            "queues: {Email_Taxes: tax-form}"
        ),
        teams="taxes: taxes@example.com",
        domains="domains: {mainframe: {unsealed: false, encoding: latin-1}}",
        alerts="codes: {unreached: {team: taxes}}",
    )
    rules.check()

    assert rules.of_type("tax-form").teams == ("taxes",)
    assert rules.of_type("tax-form").wording == "tax-form"
    assert rules.queues["Email_Taxes"] == "tax-form"
    assert rules.team_address("taxes") == "taxes@example.com"
    assert rules.domain("mainframe").encoding == "latin-1"
    assert rules.domain("mainframe").exit_statuses == (0,)
    assert rules.domain("retail") == replace(YamlRules().domain("retail"), unknown=True)
    for code, team, family in (("unreached", "taxes", "no_address"), ("NEW", "operations", "composition")):
        rule = rules.route(ExceptionRaised(code, "error", "retail", "run-1", "text"))
        assert (rule.team, rule.family) == (team, family)


def test_a_family_says_what_a_code_does_not_and_default_what_a_family_does_not(tmp_path: Path) -> None:
    rules = site(
        tmp_path,
        alerts=(
            "codes: {A: {family: own, advice: of the code}}\n"
            "families: {default: {means: d, advice: d, runbook: other}, own: {means: of the family}}\n"
        ),
    )

    def said(code: str) -> tuple[str, str, str]:
        rule = rules.route(ExceptionRaised(code, "error", "retail", "run-1", "text"))
        return rule.means, rule.advice, rule.runbook

    assert said("A") == ("of the family", "of the code", "docs/runbook.md#other")
    assert said("NEW") == ("d", "d", "docs/runbook.md#other")
    told = YamlRules(runbook=lambda: "https://wiki.example.com/runbook")
    rule = told.route(ExceptionRaised("files_missing", "severe", "retail", "run-1", "text"))
    assert rule.runbook == "https://wiki.example.com/runbook#run-unusable"


def test_a_domain_says_how_its_dates_are_written(tmp_path: Path) -> None:
    rules = site(tmp_path, domains="domains: {germany: {dates: dmy}}")
    rules.check()
    names, values = ("customer_key", "document_type", "due_date"), ("C1", "invoice", "31.12.2026")
    staging = S3Staging(None, "work", "drop", rules)

    assert staging.schema(None, "germany").normalise(names, values)["due_date"] == "2026-12-31"
    left: list[Fault] = []
    assert "due_date" not in staging.schema(None, "retail").normalise(names, values, left)
    assert str(left[0]).startswith("due_date: not an ISO 8601 date")


@pytest.mark.parametrize(
    ("status", "skip", "urgent"),
    [
        (None, "", False),
        ("delinquent", "", False),
        ("default", "", True),
        (" Default ", "", True),
        ("paid", "account settled", False),
        ("bezahlt", "account settled", False),
    ],
)
def test_the_accounts_status_changes_the_rule(status: str | None, skip: str, urgent: bool) -> None:
    rule = YamlRules().for_document(a_document(1, document_type="overdue-notice", account_status=status))

    assert (rule.skip, rule.urgent) == (skip, urgent)


@pytest.mark.parametrize(
    ("status", "hold", "unknown"),
    [("Chapter 7", "bankrupt", False), ("zz", "", True), ("late", "", False), ("", "", False)],
)
def test_the_rule_says_what_the_status_forbids(status: str, hold: str, unknown: bool) -> None:
    rule = YamlRules().for_document(a_document(1, document_type="overdue-notice", account_status=status))
    assert (rule.account_hold, rule.status_unknown) == (hold, unknown)


def test_a_site_adds_words_and_statuses_and_switches_some_off(tmp_path: Path) -> None:
    (tmp_path / "statuses.yaml").write_text(
        "statuses:\n"
        "  payment-plan: {holds: false}\n"
        "  bankrupt: {own: [code 88]}\n"
        "  military: {holds: true, own: [SCRA]}\n"
    )
    words = YamlRules(tmp_path).statuses
    assert [words.holds(text) for text in ("Ratenzahlung", "CODE-88", "scra", "Konkurs")] == [
        "", "bankrupt", "military", "bankrupt",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("statuses: {paid: {own: [Konkurs]}}", "also a word of"),
        ("statuses: {paid: {own: [no]}}", "valid string"),
        ("statuses: {paid: {holds: maybe}}", "boolean"),
        ("status: {}", "not permitted"),
    ],
)
def test_a_statuses_file_that_cannot_be_used_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "statuses.yaml").write_text(text)
    with pytest.raises(RulesInvalid, match=f"statuses.yaml.*{message}"):
        _ = YamlRules(tmp_path).statuses


def test_an_unknown_type_is_no_rule() -> None:
    with pytest.raises(KeyError):
        YamlRules().of_type("horoscope")


def test_an_unknown_team_has_no_address() -> None:
    assert YamlRules().team_address("astrology") is None


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ({"documents": "types:\n  statement:\n    chanels: [sms]"}, "line 3: types.statement.chanels"),
        ({"documents": "types:\n  statement:\n    channels: [fax]"}, "line 3: types.statement.channels.0"),
        ({"documents": "types:\n  statement:\n    channels: []"}, "line 3: types.statement.channels"),
        ({"documents": "types: {statement: {deadline_hours: 0}}"}, "types.statement.deadline_hours"),
        ({"documents": "types: {statement: {use_case: uc9}}"}, "types.statement.use_case"),
        ({"documents": "types: {new: {use_case: uc1}}"}, "types.new.topic"),
        ({"documents": "types: {statement: {by_account_status: {paid: {skp: x}}}}"}, "paid.skp"),
        ({"documents": "queues: {Q: horoscope}"}, "queues.Q: no document type 'horoscope'"),
        ({"documents": "types: {statement: {teams: [astrology]}}"}, "no team 'astrology' in teams.yaml"),
        ({"documents": "- a\n- b"}, "documents.yaml: keys and values are needed"),
        ({"documents": "types: {"}, "documents.yaml"),
        ({"teams": "astrology: nowhere"}, "teams.yaml: astrology: an e-mail address is needed"),
        ({"teams": "astrology: [a@example.com]"}, "teams.yaml: astrology"),
        ({"domains": "domains: {x: {unsaeled: false}}"}, "domains.x.unsaeled"),
        ({"domains": "domains: {x: {dates: ymd}}"}, "domains.x.dates"),
        ({"domains": "domains: {x: {missing_documents: wait}}"}, "domains.x.missing_documents"),
        ({"domains": "unknown_domains: [retail]"}, "unknown_domains"),
        ({"alerts": "codes: {unreached: {family: x, colour: red}}"}, "codes.unreached.colour"),
        ({"alerts": "families:\n  own:\n    runbook: '#x'"}, "line 3: families.own.runbook"),
        ({"alert": "codes: {}"}, "alert.yaml: nobody reads it; rules are alerts.yaml, aliases.yaml"),
    ],
)
def test_what_is_wrong_is_said_with_file_line_and_key(
    tmp_path: Path, files: dict[str, str], said: str
) -> None:
    rules = site(tmp_path, **files)
    with pytest.raises(RulesInvalid) as wrong:
        rules.check()

    assert said in str(wrong.value)
    assert next(iter(files)) in str(wrong.value)


# --- one click (RFC 8058) ----------------------------------------------------------------------------

OFFER = "types: {offer: {use_case: uc4, class: marketing, topic: offers, channels: [%s]}}"


def providers(email: str = "opentext", overrides: str = "") -> Callable[[Channel, MessageClass], str]:
    return provider_choice(Settings(email_provider=email, provider_overrides=overrides))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("channels", "email", "overrides", "sound"),
    [
        ("email", "opentext", "", False),
        ("sms, email", "opentext", "", False),
        ("email", "ses", "email/marketing=opentext", False),
        ("email", "ses", "", True),
        ("email", "opentext", "email/marketing=ses", True),
        ("sms", "opentext", "", True),
    ],
)
def test_a_marketing_type_is_refused_where_its_provider_cannot_do_one_click(
    tmp_path: Path, channels: str, email: str, overrides: str, sound: bool
) -> None:
    rules = site(tmp_path, documents=OFFER % channels)
    rules.check()
    if sound:
        rules.check(providers(email, overrides))
        return
    with pytest.raises(RulesInvalid, match=r"types\.offer: marketing e-mail goes through opentext.*8058"):
        rules.check(providers(email, overrides))


def test_a_status_that_adds_the_channel_counts_too(tmp_path: Path) -> None:
    text = (OFFER % "sms").replace("[sms]", "[sms], by_account_status: {vip: {channels: [email]}}")
    with pytest.raises(RulesInvalid, match=r"types\.offer"):
        site(tmp_path, documents=text).check(providers())


def test_a_function_that_chooses_providers_does_not_begin_with_such_rules(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    site(tmp_path / "rules", documents=OFFER % "email")
    with pytest.raises(RulesInvalid, match="one-click"):
        _ = Bootstrap(Settings(site_dir=str(tmp_path))).provider_for
    assert Bootstrap(Settings(site_dir=str(tmp_path), email_provider="ses")).provider_for(
        "email", "marketing"
    )


LONG = "journeys: {unread-statement: {unanswered: {after: P4M, end: event}}}"
SLOW = "journeys: {policy-acknowledgement: {unanswered: {after: P90D, business_days: true, end: paper}}}"


@pytest.mark.parametrize(
    ("files", "enough", "place"),
    [
        (
            {"documents": "types:\n  invoice:\n    link_days: 90"},
            90,
            "line 3: types.invoice.link_days: 90 days",
        ),
        ({"documents": "defaults: {link_days: 200}"}, 200, "line 1: defaults.link_days: 200 days"),
        ({"journeys": LONG}, 125, "line 1: journeys.unread-statement.unanswered: due after up to 124 days"),
        ({"journeys": SLOW}, 127, "journeys.policy-acknowledgement.unanswered: due after up to 126 days"),
        (
            {"journeys": "journeys: {dunning: {unanswered: {around_due_date: P200D, end: event, team: ''}}}"},
            201,
            "journeys.dunning.unanswered: due after up to 200 days",
        ),
    ],
)
def test_rules_that_outlive_the_records_are_refused_with_place_and_reason(
    tmp_path: Path, files: dict[str, str], enough: int, place: str
) -> None:
    rules = site(tmp_path, **files)
    rules.check_retention(enough)
    with pytest.raises(RulesInvalid, match="RecordRetentionDays") as refused:
        rules.check_retention(enough - 1)
    assert place in str(refused.value)


def test_the_longest_that_ships_is_its_links_sixty_days(tmp_path: Path) -> None:
    YamlRules().check(retention_days=60)
    with pytest.raises(RulesInvalid, match=r"defaults\.link_days: 60 days"):
        YamlRules().check(retention_days=59)


def test_a_function_that_stages_does_not_begin_with_such_rules(tmp_path: Path) -> None:
    (tmp_path / "rules").mkdir()
    (tmp_path / "rules" / "documents.yaml").write_text("defaults: {link_days: 90}", "utf-8")
    environment = {"SITE_DIR": str(tmp_path)}
    assert (
        Bootstrap(Settings.from_environment(environment)).staging_rules.of_type("statement").link_days == 90
    )
    with pytest.raises(RulesInvalid, match="link_days: 90 days"):
        _ = Bootstrap(Settings.from_environment({**environment, "RECORD_RETENTION_DAYS": "60"})).staging_rules


def test_the_providers_that_can_are_those_that_send_header_fields() -> None:
    adapters = (OpenText, Ses, Sms)
    names = {OpenText: "opentext", Ses: "ses", Sms: "sms"}
    assert {names[a] for a in adapters if a.supports_headers} == ONE_CLICK_PROVIDERS


def test_a_site_adds_words_for_sms_replies(tmp_path: Path) -> None:
    rules = site(tmp_path, replies="stop: [СТОП]\nhelp: [pomoc]")
    rules.check()
    texts = ("стоп!", "Pomoc", "STOP", "START")
    assert [meaning_of(text, rules.reply_words) for text in texts] == ["stop", "help", "stop", "start"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("start: [ok]\nstop: [no]", r"replies\.yaml \(.*\) line 2: stop\.0: Input should be a valid string"),
        ("stop: ['!']", r"replies\.yaml \(.*\) line 1: stop\.0: a word or a sentence is needed"),
        ("halt: [stop]", r"replies\.yaml \(.*\) line 1: halt: Extra inputs"),
    ],
)
def test_words_for_replies_that_cannot_be_used_are_told_with_their_line(
    tmp_path: Path, text: str, problem: str
) -> None:
    with pytest.raises(RulesInvalid, match=problem):
        site(tmp_path, replies=text).check()
