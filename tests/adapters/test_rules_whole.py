"""Rules to the last key: what each becomes, both sides of each bound, and the sentence of each refusal."""

import re
from datetime import date, time
from pathlib import Path
from typing import Any

import pytest

from exstream_notify.adapters.alert_rules import Alerts, MessageRules
from exstream_notify.adapters.journey_rules import JourneyModel
from exstream_notify.adapters.phrase_rules import PhraseFile, ReplyFile
from exstream_notify.adapters.rules import RulesInvalid, YamlRules
from exstream_notify.adapters.status_rules import StatusFile
from exstream_notify.adapters.verdict_rules import VerdictFile
from exstream_notify.adapters.vocabulary_rules import VocabularyFile, files_with_names, vocabulary_of
from exstream_notify.adapters.words_needed import WordsNeeded, channels_needed, words_needed
from exstream_notify.domain.exceptions import ExceptionRaised
from exstream_notify.domain.incidents import AlertRule
from exstream_notify.domain.journeys import Cap, Delay, JourneyRule, Step
from exstream_notify.domain.rollups import DailyRule, StormRule
from exstream_notify.domain.runs import DomainRule, Trailer


def site(folder: Path, **files: str) -> YamlRules:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text, encoding="utf-8")
    return YamlRules(folder)


def refused(call: Any) -> str:
    with pytest.raises(RulesInvalid) as error:
        call()
    return str(error.value)


# --- documents and domains ------------------------------------------------------------------------------


@pytest.mark.parametrize(("key", "least", "most"), [("deadline_hours", 1, 8760), ("link_days", 1, 3650)])
def test_a_number_of_a_type_is_within_its_bounds(tmp_path: Path, key: str, least: int, most: int) -> None:
    for number in (least, most):
        rules = site(tmp_path, documents=f"types: {{statement: {{{key}: {number}}}}}")
        assert getattr(rules.of_type("statement"), key) == number
    for number in (least - 1, most + 1):
        rules = site(tmp_path, documents=f"types:\n  statement:\n    {key}: {number}\n")
        told = refused(rules.check)
        assert told.startswith(f"documents.yaml ({tmp_path.name}) line 3: types.statement.{key}: ")
        assert told.endswith(f"(it says {number})")


@pytest.mark.parametrize(
    ("entry", "where"),
    [
        ("use_case: uc9", "use_case"),
        ("use_case: uc0", "use_case"),
        ("topic: ''", "topic"),
        ("channels: []", "channels"),
        ("channels: [fax]", "channels.0"),
        ("link: page", "link"),
        ("consent: maybe", "consent"),
        ("on_unconfirmed: nothing", "on_unconfirmed"),
        ("on_no_receipt: nothing", "on_no_receipt"),
        ("opens: nowhere", "opens"),
        ("second_step: iris", "second_step"),
        ("team_copy: often", "team_copy"),
        ("unheard: 1", "unheard"),
        ("by_account_status: {late: {deadline_hours: 0}}", "by_account_status.late.deadline_hours"),
        ("by_account_status: {late: {deadline_hours: 8761}}", "by_account_status.late.deadline_hours"),
        ("by_account_status: {late: {topic: x}}", "by_account_status.late.topic"),
    ],
)
def test_a_type_that_cannot_be_used(tmp_path: Path, entry: str, where: str) -> None:
    rules = site(tmp_path, documents=f"types:\n  statement:\n    {entry}\n")
    assert re.match(
        rf"documents.yaml \(.+\) line 3: types.statement.{re.escape(where)}: ", refused(lambda: rules.types)
    )


def test_what_differs_by_account_status(tmp_path: Path) -> None:
    rules = site(
        tmp_path,
        documents=(
            "types:\n  statement:\n    by_account_status:\n      Late: {channels: [sms], both_channels: true, urgent: true, "
            "wording: other, paper_on_failure: false, deadline_hours: 5, skip: why, asks_for_payment: true}\n"
            "queues: {Q1: statement}\npaper_queue: Paper\n"
        ),
    )
    plain, late = rules.by_status("statement")[""], rules.by_status("statement")["late"]
    assert (late.channels, late.both_channels, late.urgent, late.wording) == (("sms",), True, True, "other")
    assert (late.paper_on_failure, late.deadline_hours, late.skip, late.asks_for_payment) == (
        False,
        5,
        "why",
        True,
    )
    assert (late.topic, late.name) == (plain.topic, "statement")
    assert rules.variants("statement") == (plain, late)
    assert (rules.queues["Q1"], rules.paper_queue, YamlRules().paper_queue) == ("statement", "Paper", "Print")
    wrong = site(tmp_path, documents="queues: {Q1: nothing}")
    assert refused(lambda: wrong.queues) == "documents.yaml: queues.Q1: no document type 'nothing'"


DOMAIN = (
    "unsealed: false, encoding: latin-1, dates: dmy, exit_statuses: [0, 4], hold_on_exit_status: true, "
    "seal_within_minutes: 7, missing_documents: hold, multi_line_fields: true, trailer: {starts: TRL, count_field: 2, "
    "count_adds: 1, required: false}, implied_decimals: 2, decimal_mark: ',', utc_midnight: date, "
    "time_zone: europe/berlin, holders: [first_name], payments_without_document: team"
)


def test_a_domain_whole(tmp_path: Path) -> None:
    rules = site(tmp_path, domains=f"domains: {{retail: {{{DOMAIN}}}, cards: }}")
    assert rules.domain("retail") == DomainRule(
        unsealed=False,
        encoding="latin-1",
        dates="dmy",
        exit_statuses=(0, 4),
        hold_on_exit_status=True,
        seal_within_minutes=7,
        holders=("first_name",),
        missing_documents="hold",
        multi_line_fields=True,
        trailer=Trailer("TRL", 2, 1, False),
        implied_decimals=2,
        decimal_mark=",",
        utc_midnight="date",
        time_zone="Europe/Berlin",
        payments_without_document="team",
    )
    assert rules.domain("cards") == DomainRule()
    assert rules.named_domains == ("retail", "cards")
    assert YamlRules().named_domains is None
    assert YamlRules().domain("any") == DomainRule()


@pytest.mark.parametrize(
    ("entry", "where"),
    [
        ("seal_within_minutes: 0", "seal_within_minutes"),
        ("seal_within_minutes: 10081", "seal_within_minutes"),
        ("implied_decimals: -1", "implied_decimals"),
        ("implied_decimals: 5", "implied_decimals"),
        ("trailer: {starts: ''}", "trailer.starts"),
        (f"trailer: {{starts: {'x' * 65}}}", "trailer.starts"),
        ("trailer: {starts: T, count_field: 0}", "trailer.count_field"),
        ("trailer: {starts: T, count_field: 257}", "trailer.count_field"),
        ("trailer: {starts: T, count_adds: -1}", "trailer.count_adds"),
        ("trailer: {starts: T, count_adds: 10}", "trailer.count_adds"),
        ("time_zone: UTC", "time_zone"),
        ("time_zone: Mars", "time_zone"),
        ("dates: ydm", "dates"),
    ],
)
def test_a_domain_that_cannot_be_used(tmp_path: Path, entry: str, where: str) -> None:
    rules = site(tmp_path, domains=f"domains:\n  retail:\n    {entry}\n")
    told = refused(lambda: rules.domain("retail"))
    assert told.startswith(f"domains.yaml ({tmp_path.name}) line 3: domains.retail.{where}: ")
    assert "Value error" not in told


@pytest.mark.parametrize(
    "entry",
    [
        *(
            "seal_within_minutes: 1",
            "seal_within_minutes: 10080",
            "implied_decimals: 0",
            "implied_decimals: 4",
        ),
        f"trailer: {{starts: {'x' * 64}, count_field: 256, count_adds: 9}}",
        "trailer: {starts: T, count_field: 1, count_adds: 0}",
    ],
)
def test_a_domain_at_its_bounds(tmp_path: Path, entry: str) -> None:
    assert site(tmp_path, domains=f"domains: {{retail: {{{entry}}}}}").domain("retail") != DomainRule()


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({"domains": "domains: [retail]"}, "domains.yaml (%s) line 1: domains: each is a key, as in `cards: {}`"),
        (
            {"domains": "\nunknown_domains: drop"},
            "domains.yaml (%s) line 2: unknown_domains: hold or accept (it says 'drop')",
        ),
        ({"teams": "it: nobody"}, "teams.yaml: it: an e-mail address is needed"),
        ({"teams": "it: 7"}, "teams.yaml: it: an e-mail address is needed"),
        ({"alerts": "codes: {X: {team: ghosts}}"}, "alerts.yaml: no team 'ghosts' in teams.yaml"),
        (
            {"documents": "types: {statement: {teams: [ghosts]}}"},
            "documents.yaml: types.statement.teams: no team 'ghosts' in teams.yaml",
        ),
        ({"teams": "- it"}, "teams.yaml: keys and values are needed at the top"),
        (
            {"journeys": "journeys: {Bad Name: {}}"},
            "journeys.yaml (%s) line 1: journeys.Bad Name: a name is of a-z, 0-9 and -, 40 at most",
        ),
        (
            {"journeys": "journeys:\n  x: {documents: [ghost], steps: [{after: P1D, wording: a}], unanswered: {after: P2D, end: event}}"},
            "journeys.yaml (%s) line 2: journeys.x.documents: no document type 'ghost'",
        ),
        (
            {"journeys": "journeys:\n  x: {documents: [statement], steps: [{after: P1D, wording: a}], unanswered: {after: P2D, end: case, team: ghosts}}"},
            "journeys.yaml (%s) line 2: journeys.x.unanswered.team: no team 'ghosts' in teams.yaml",
        ),
    ],
)  # fmt: skip
def test_rules_that_do_not_fit_together(tmp_path: Path, files: dict[str, str], message: str) -> None:
    rules = site(tmp_path, **files)
    assert refused(rules.check) == (message % tmp_path.name if "%s" in message else message)


def test_a_file_that_nobody_reads_is_refused(tmp_path: Path) -> None:
    (tmp_path / "other.txt").write_text("x")
    YamlRules(tmp_path).check()
    for name in ("document.yaml", "teams.yml"):
        (tmp_path / name).write_text("")
        told = refused(YamlRules(tmp_path).check)
        assert told.startswith(
            f"{name}: nobody reads it; rules are alerts.yaml, aliases.yaml, bounce_mails.yaml, "
        )
        (tmp_path / name).unlink()
    for name in "gkbxmahcz":
        (tmp_path / f"{name}.yaml").write_text("")
    assert refused(YamlRules(tmp_path).check).startswith("a.yaml: nobody reads it"), "the first by its name"


def test_a_site_switches_off_one_journey_and_keeps_those_behind_it(tmp_path: Path) -> None:
    every = list(YamlRules().journeys())
    found = site(tmp_path, journeys=f"journeys:\n  {every[0]}:\n").journeys()
    assert list(found) == every[1:]


# --- alerts ---------------------------------------------------------------------------------------------

STORM = {"per_minute": 5, "per_hour": 20, "quiet_minutes": 30}
BOOK: dict[str, Any] = {
    "default": {"team": "operations", "family": None},
    "storm": STORM,
    "daily": {"at": "08:30", "zone": "Europe/Berlin"},
    "severities": {
        "severe": {"urgency": "urgent", "ack_minutes": 15, "ack_lasts_minutes": 60},
        "warning": {"rerun": False},
    },
    "codes": {
        "A": {"family": "fa", "severity": "severe", "means": "of the code"},
        "C": {"group": "cause", "quiet_minutes": 7, "rerun": True},
        "D": {"group": "cause"},
        "E": {"ack_minutes": 0, "urgency": "urgent", "rerun": False},
    },
    "routes": [
        {"when": {"code": "A*", "domain": "cards"}, "team": "cards", "ack_minutes": 5},
        {"when": {"family": "fa", "queue": "Q*"}, "advice": "of the route"},
        {"when": {"document_type": "letter"}, "severity": "info"},
    ],
    "teams": {
        "default": {"normal": ["email > slack"], "urgent": ["pagerduty", "sms>email"], "escalation": ["it"]},
        "cards": {"normal": [], "mobile": "+12025550100", "samples": "none", "escalation": ["boss"], "storm": {**STORM, "per_hour": 1}},
    },
    "families": {
        "default": {"means": "d means", "advice": "d advice", "runbook": "d", "rerun": True},
        "fa": {"means": "f means", "runbook": "f", "joins": "fb", "rerun": False},
        "fc": {"advice": "c advice"},
    },
}  # fmt: skip


def route(code: str, severity: Any = "error", told: Any = None, book: Any = None, **more: Any) -> AlertRule:
    exception = ExceptionRaised(code, severity, more.pop("domain", "retail"), "run-1", "text", **more)
    return Alerts.model_validate(book or BOOK).route(exception, told, "book")


NORMAL, URGENT = (("email", "slack"),), (("pagerduty",), ("sms", "email"))


def test_a_rule_of_an_exception_that_nobody_named() -> None:
    assert route("NEW") == AlertRule(
        "operations", "NEW", "error", "normal", "run", NORMAL, None, ("it",), "d means", "d advice", "book#d",
        True, None, None,
    )  # fmt: skip


def test_a_code_brings_its_family_and_its_severity_what_the_file_says() -> None:
    assert route("A") == AlertRule(
        "operations", "fb", "severe", "urgent", "run", URGENT, 15, ("it",), "of the code", "d advice", "book#f",
        False, 60, None,
    )  # fmt: skip
    less = route("A", told="info")
    assert (less.severity, less.urgency, less.ack_minutes) == ("severe", "normal", None), (
        "what the incident's brings"
    )


def test_routes_are_laid_over_codes_in_their_order() -> None:
    there = route("A", domain="cards", queue="Q1")
    assert (there.team, there.ack_minutes, there.advice) == ("cards", 5, "of the route")
    assert (there.chains, there.escalation) == (URGENT, ("boss",))
    assert route("A", domain="cards", queue="X").advice == "d advice"
    assert route("A", queue="Q1").team == "operations"
    assert route("B", queue="Q1").advice == "d advice", "another family"
    assert route("B", document_type="letter").severity == "info"
    assert route("B", document_type="").severity == "error"
    own = route("NEW", team="cards")
    assert (own.team, own.chains) == ("cards", ()), "the team that it names itself"


@pytest.mark.parametrize(
    ("code", "severity", "cured", "quiet", "group"),
    [
        ("NEW", "error", True, None, "run"),
        ("NEW", "warning", False, None, "run"),
        ("C", "error", False, 7, "cause"),
        ("D", "error", False, 1440, "cause"),
        ("E", "error", False, None, "run"),
        ("A", "error", False, None, "run"),
    ],
)
def test_what_a_rerun_cures(code: str, severity: Any, cured: bool, quiet: int | None, group: str) -> None:
    rule = route(code, severity)
    assert (rule.cured_by_rerun, rule.quiet_minutes, rule.group) == (cured, quiet, group)
    assert rule.ack_minutes == (15 if code == "A" else None)


def test_teams_storms_and_days() -> None:
    book = Alerts.model_validate(BOOK)
    assert book.storm_of("it") == StormRule(5, 20, 30)
    assert book.storm_of("cards") == StormRule(5, 1, 30)
    assert book.daily_rule() == DailyRule(time(8, 30), "Europe/Berlin")
    assert (book.mobile("cards"), book.mobile("it")) == ("+12025550100", None)
    assert (book.shows_samples("cards"), book.shows_samples("it")) == (False, True)
    assert (book.chains("cards", "urgent"), book.chains("x", "normal")) == (URGENT, NORMAL)
    assert list(book.named_teams()) == ["operations", "cards", "it", "boss", "cards"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"teams": {}}, "`default` with normal and urgent channels is needed"),
        (
            {"teams": {"default": {"normal": ["email"]}}},
            "`default` with normal and urgent channels is needed",
        ),
        (
            {"teams": {"default": {"urgent": ["email"]}}},
            "`default` with normal and urgent channels is needed",
        ),
        (
            {"teams": {"default": {"normal": ["email > fax"], "urgent": ["email"]}}},
            "'fax' is no channel: there is sns, email, sms, slack, teams, pagerduty, webhook, apprise",
        ),
        ({"teams": {**BOOK["teams"], "x": {"mobile": "12025550100"}}}, "pattern"),
        ({"teams": {**BOOK["teams"], "x": {"mobile": "+0123456789"}}}, "pattern"),
        ({"daily": {"at": "24:00", "zone": "Europe/Berlin"}}, "pattern"),
        ({"daily": {"at": "8:30", "zone": "Europe/Berlin"}}, "pattern"),
        ({"daily": {"at": "08:30", "zone": "Mars"}}, "no time zone of that name"),
        ({"rerun_chars": 39}, "greater than or equal to 40"),
        ({"rerun_chars": 100_001}, "less than or equal to 100000"),
        ({"storm": {**STORM, "per_minute": 0}}, "greater than or equal to 1"),
        ({"storm": {**STORM, "per_minute": 1001}}, "less than or equal to 1000"),
        ({"storm": {**STORM, "per_hour": 0}}, "greater than or equal to 1"),
        ({"storm": {**STORM, "per_hour": 1001}}, "less than or equal to 1000"),
        ({"storm": {**STORM, "quiet_minutes": 4}}, "greater than or equal to 5"),
        ({"storm": {**STORM, "quiet_minutes": 1441}}, "less than or equal to 1440"),
        ({"codes": {"A": {"quiet_minutes": 0}}}, "greater than or equal to 1"),
        ({"codes": {"A": {"quiet_minutes": 43_201}}}, "less than or equal to 43200"),
        ({"codes": {"A": {"ack_minutes": -1}}}, "greater than or equal to 0"),
        ({"codes": {"A": {"ack_minutes": 43_201}}}, "less than or equal to 43200"),
        ({"codes": {"A": {"ack_lasts_minutes": -1}}}, "greater than or equal to 0"),
        ({"codes": {"A": {"ack_lasts_minutes": 43_201}}}, "less than or equal to 43200"),
        ({"severities": {"info": {"ack_minutes": 43_201}}}, "less than or equal to 43200"),
        ({"severities": {"info": {"ack_lasts_minutes": -1}}}, "greater than or equal to 0"),
        ({"families": {"f": {"runbook": "Not A Slug"}}}, "pattern"),
        ({"unheard": 1}, "not permitted"),
    ],
)
def test_alerts_that_cannot_be_used(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message) if " " in message else message):
        Alerts.model_validate({**BOOK, **change})
    for most in (
        {"rerun_chars": 40},
        {"rerun_chars": 100_000},
        {"storm": {"per_minute": 1, "per_hour": 1000, "quiet_minutes": 5}},
    ):
        Alerts.model_validate({**BOOK, **most})
    assert Alerts.model_validate(BOOK).rerun_chars == 1000


MESSAGES = YamlRules().messages


def files(**changes: Any) -> MessageRules:
    given = {
        **MESSAGES.model_dump(),
        "ignored": ("*.pdf", "debug_messages.dat"),
        "exceptions": ("*exceptions*.csv",),
        "deliveries": ("*delivery*.csv",),
        "summary": ("*summary.xml", "*summary.txt"),
        "messages": ("*.dat", "*messages.txt"),
        "xml_messages": ("*messages.xml",),
        "started": ("*.index.csv",),
    }
    return MessageRules.model_validate({**given, **changes})


@pytest.mark.parametrize(
    ("name", "kind", "speaks", "own", "message_file"),
    [
        ("run_Exceptions_1.CSV", "exceptions", True, True, True),
        ("x/run_exceptions.csv.gz", "exceptions", True, True, True),
        ("delivery.csv", "deliveries", True, True, True),
        ("job_summary.xml", "summary", True, True, True),
        ("summary.txt", "summary", True, True, True),
        ("account_summary.xml", "summary", False, True, True),
        ("a.dat", "messages", False, True, True),
        ("all_messages.txt", "messages", True, True, True),
        ("messages.xml", "xml_messages", True, True, True),
        ("debug_messages.dat", None, False, True, True),
        ("a.pdf", None, False, True, True),
        ("a.index.csv", "started", False, True, False),
        ("a.docx", None, False, False, False),
    ],
)
def test_what_a_file_beside_an_index_is(
    name: str, kind: str | None, speaks: bool, own: bool, message_file: bool
) -> None:
    rules = files()
    plain = name.rpartition("/")[2]
    assert (rules.kind(name), rules.speaks(name)) == (kind, speaks)
    assert (rules.names_one(plain), rules.names_message_file(plain)) == (own, message_file)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"messages": ("*.txt",)}, "no event rule of the stack lets such a file through"),
        ({"encoding": "koi8-r"}, "no encoding that is read here"),
        ({"unpacked_megabytes": 0}, "greater than or equal to 1"),
        ({"unpacked_megabytes": 1_048_577}, "less than or equal to 1048576"),
        ({"severities": {"x": "awful"}}, "severities"),
        ({"delivery_codes": {"x": "other"}}, "delivery_codes"),
    ],
)
def test_message_rules_that_cannot_be_used(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        files(**change)
    assert files(encoding="latin-1", unpacked_megabytes=1_048_576).unpacked_megabytes == 1_048_576


# --- journeys -------------------------------------------------------------------------------------------

JOURNEY: dict[str, Any] = {
    "documents": ["statement"],
    "steps": [
        {"after": "P7D", "wording": "a", "channels": ["sms"], "digest": "d", "urgent": True},
        {"around_due_date": "-P1M2DT3H", "wording": "b"},
    ],
    "unanswered": {"after": "P14D", "end": "case", "team": "it"},
    "stops": ["paid"],
    "only_requires_ack": True,
    "country": "DE-BY",
    "hour": 23,
    "cap": {"messages": 1, "days": 365},
    "changes_apply_to": "running",
    "asks_for_payment": False,
    "fair_time": "P3D",
}


def test_a_journey_whole() -> None:
    assert JourneyModel.model_validate(JOURNEY).rule("chase") == JourneyRule(
        "chase",
        ("statement",),
        (
            Step(Delay(days=7), channels=("sms",), wording="a", digest="d", urgent=True),
            Step(Delay(-1, -2, -10_800), anchor="due_date", wording="b"),
            Step(Delay(days=14), end="case", team="it"),
        ),
        ("paid",),
        True,
        "DE-BY",
        23,
        Cap(1, 365),
        "running",
        False,
        fair_time=Delay(days=3),
    )
    assert JourneyModel.model_validate({**JOURNEY, "cap": None, "fair_time": "P14D"}).rule("x").cap is None
    years = {
        **JOURNEY,
        "steps": [{"after": "P1Y2M", "wording": "a"}],
        "unanswered": {"after": "P2Y", "end": "event"},
    }
    assert JourneyModel.model_validate(years).rule("x").steps[0].delay == Delay(14)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"documents": []}, "documents"),
        ({"steps": []}, "steps"),
        (
            {"steps": [{"after": "7 days", "wording": "a"}]},
            "not an ISO 8601 duration, such as P7D, -P3D or PT36H",
        ),
        ({"steps": [{"wording": "a"}]}, "either after or around_due_date is needed"),
        (
            {"steps": [{"after": "P1D", "around_due_date": "P1D", "wording": "a"}]},
            "either after or around_due_date is needed",
        ),
        (
            {"steps": [{"after": "-P1D", "wording": "a"}]},
            "nothing comes before the notice: around_due_date may be negative",
        ),
        (
            {"steps": [{"after": "PT5H", "wording": "a", "business_days": True}]},
            "business days are counted in whole days, such as P5D",
        ),
        (
            {"steps": [{"after": "P1M", "wording": "a", "business_days": True}]},
            "business days are counted in whole days, such as P5D",
        ),
        ({"steps": [{"after": "P1D", "wording": ""}]}, "wording"),
        (
            {"steps": [{"after": "P2D", "wording": "a"}, {"after": "P1D", "wording": "b"}]},
            "steps come one after the other, the end last",
        ),
        (
            {"steps": [{"after": "P2D", "wording": "a"}, {"after": "P2D", "wording": "b"}]},
            "steps come one after the other, the end last",
        ),
        ({"steps": [{"after": "P15D", "wording": "a"}]}, "steps come one after the other, the end last"),
        (
            {
                "steps": [
                    {"around_due_date": "P2D", "wording": "a"},
                    {"around_due_date": "P1D", "wording": "b"},
                ]
            },
            "steps come one after the other, the end last",
        ),
        ({"unanswered": {"after": "P14D", "end": "case"}}, "a case names its team, and nothing else does"),
        (
            {"unanswered": {"after": "P14D", "end": "event", "team": "it"}},
            "a case names its team, and nothing else does",
        ),
        ({"country": "XX"}, "no calendar of XX is known: write a country, such as DE, or a region, DE-BY"),
        ({"country": "DE-XX"}, "no calendar of DE-XX is known"),
        ({"country": "Germany"}, "country"),
        ({"hour": -1}, "hour"),
        ({"hour": 24}, "hour"),
        ({"cap": {"messages": 0, "days": 1}}, "messages"),
        ({"cap": {"messages": 1, "days": 0}}, "days"),
        ({"cap": {"messages": 1, "days": 366}}, "days"),
        ({"fair_time": "-P1D"}, "no time comes before the notice"),
        ({"fair_time": "soon"}, "not an ISO 8601 duration"),
        ({"changes_apply_to": "old"}, "changes_apply_to"),
        ({"more": 1}, "more"),
    ],
)
def test_a_journey_that_cannot_be_used(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        JourneyModel.model_validate({**JOURNEY, **change})
    JourneyModel.model_validate({**JOURNEY, "hour": 0, "country": ""})


# --- words and phrases ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"bodies": ["^x"]},
            "a phrase of two characters or more is needed: this one would be found everywhere",
        ),
        (
            {"bodies": ["* *"]},
            "a phrase of two characters or more is needed: this one would be found everywhere",
        ),
        ({"bodies": ["Not So"]}, "phrases are compared in lower case: write them so"),
    ],
)
def test_a_phrase_that_would_be_found_everywhere(change: dict[str, Any], message: str) -> None:
    names = PhraseFile.model_fields
    assert set(names) == {
        *("daemons", "robots", "subjects", "bodies", "arrivals", "delayed", "final", "auto_replies"),
        *("reply_hints", "complainers", "challenges"),
    }
    given: dict[str, Any] = {name: ["ok"] for name in names}
    assert PhraseFile.model_validate(given).bodies == ("ok",)
    with pytest.raises(ValueError, match=message):
        PhraseFile.model_validate({**given, **change})
    with pytest.raises(ValueError, match="a word or a sentence is needed"):
        ReplyFile.model_validate({"stop": ["!!"]})


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"codes": ["6.1.1"]}, "a code such as 5.1.1, x.1.1, 5.7.x or ses:Permanent/NoEmail is needed"),
        ({"codes": ["5.8.1"]}, "a code such as 5.1.1"),
        ({"codes": ["none"]}, "a code such as 5.1.1"),
        ({"words": ["x"]}, "a phrase of two characters or more is needed, with * and ~ between its words"),
        ({"words": ["* gone"]}, "a phrase of two characters or more"),
        ({"words": ["gone ~"]}, "a phrase of two characters or more"),
        ({"words": ["Gone Away"]}, "words are compared in lower case: write them so"),
        ({}, "codes or words are needed"),
        ({"codes": ["5.1.1"], "beside": ["none"]}, "beside and only limit words, and there are none"),
        ({"codes": ["5.1.1"], "only": "answer"}, "beside and only limit words, and there are none"),
    ],
)
def test_a_row_of_verdicts_that_proves_nothing(row: dict[str, Any], message: str) -> None:
    channel = next(name for name in VerdictFile.model_fields if name != "doubts")
    shape = YamlRules()._read("verdicts.yaml")[channel]
    rows = (
        next(key for key, value in shape.items() if isinstance(value, list))
        if isinstance(shape, dict)
        else None
    )
    given = {**shape, rows: [{"group": "address", **row}]} if rows else [{"group": "address", **row}]
    with pytest.raises(ValueError, match=re.escape(message)):
        VerdictFile.model_validate({**YamlRules()._read("verdicts.yaml"), channel: given})


def test_a_status_that_is_switched_off_is_none() -> None:
    found = StatusFile.model_validate(
        {
            "statuses": {
                "bankrupt": {"holds": True, "for_good": True, "en": ["chapter 7"], "own": ["code 88"]},
                "late": {"en": ["overdue"]},
                "plain": {},
                "off": None,
            },
            "negated": {"en": ["not"]},
            "ended": {"en": ["was"]},
        }
    ).words()
    assert [found.holds(text) for text in ("Chapter 7", "code-88", "overdue", "plain", "off")] == [
        *("bankrupt", "bankrupt", "", "", ""),
    ]
    assert (found.named("overdue"), found.named("plain"), found.named("off")) == ("late", "plain", "")


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ({"words": {"x": "a1 b"}}, "a word is made of letters alone"),
        ({"words": {"x": "a"}}, "a word of one letter may be an initial"),
        ({"persons": ["x"]}, "a word of one letter may be an initial"),
        ({"links": ["a-b"]}, "a word is made of letters alone"),
        (
            {"names": ["*a?"]},
            "two letters or digits are needed beside * and ?: this one fits nearly every name",
        ),
        ({"names": ["[abc]x"]}, "two letters or digits are needed beside"),
        ({"more": 1}, "more"),
    ],
)
def test_a_vocabulary_that_would_let_too_much_through(file: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        VocabularyFile.model_validate(file)


def test_the_words_of_all_files_and_the_names_of_the_rules() -> None:
    one = VocabularyFile.model_validate(
        {"words": {"a": "Alpha beta of"}, "links": "of e", "name_words": "Bank", "persons": "mister", "never": "cancer", "small": "may", "names": ["RX-*"]}
    )  # fmt: skip
    two = VocabularyFile.model_validate({"words": {"b": ["gamma"]}, "names": ["X1"]})
    rules: dict[str, dict[str, Any]] = {
        "alerts.yaml": {
            "codes": {"CODEA": {"family": "famb"}, "CODEC": None},
            "families": {"famd": {}},
            "teams": {"teame": {}},
            "routes": [{"when": {"queue": "Hold_*_Queue"}}, {}],
        },
        "documents.yaml": {"types": {"typef": {}}, "queues": {"QueueG": "typef"}, "paper_queue": "PaperH"},
        "domains.yaml": {"domains": {"domaini": {}}, "expected": [{"domain": "domj", "name": "namek", "app": "appl", "run": "RUN-*"}]},
        "journeys.yaml": {"journeys": {"journeym": {}}},
        "teams.yaml": {"teamn": "x@example.com"},
    }  # fmt: skip
    assert files_with_names() == tuple(rules)
    found = vocabulary_of([one, two], rules)
    fields = [getattr(found, name) for name in found.__dataclass_fields__][:7]
    assert fields[0] == {"alpha", "beta", "gamma"}
    assert fields[1] == {"of", "e"}
    assert fields[2] == ("RX-*", "X1")
    assert fields[3] == {
        *("CODEA", "CODEC", "famb", "famd", "teame", "Hold", "Queue", "typef", "QueueG", "PaperH", "domaini"),
        *("domj", "namek", "appl", "RUN", "journeym", "teamn", "bank"),
    }
    assert fields[4:] == [{"mister"}, {"cancer"}, {"may"}]


# --- which words are needed -----------------------------------------------------------------------------


def test_the_words_that_rules_ask_for(tmp_path: Path) -> None:
    rules = site(
        tmp_path,
        documents=(
            "types:\n"
            "  one: {use_case: uc1, topic: t, channels: [email, sms], team_copy: each, by_account_status: "
            "{late: {wording: late-words}, same: {urgent: true}, left: {skip: why}}}\n"
            "  two: {use_case: uc1, topic: t, channels: [sms], wording: one, team_copy: digest}\n"
        ),
        journeys=(
            "journeys:\n  chase:\n    documents: [one, two]\n    steps: [{after: P1D, wording: first, digest: many}, "
            "{after: P2D, wording: second, channels: [sms]}]\n    unanswered: {after: P3D, end: event}\n"
        ),
    )
    found = words_needed(rules)
    mine = [one for one in found if any(word in one.rule for word in ("one", "two", "chase"))]
    assert mine[:3] == [
        WordsNeeded("one", ("email", "sms"), "documents.yaml", "types.one", "type one"),
        WordsNeeded(
            "late-words", ("email", "sms"), "documents.yaml", "types.one.by_account_status.late", "type one with account status late"
        ),
        WordsNeeded("one", ("sms",), "documents.yaml", "types.two", "type two"),
    ]  # fmt: skip
    steps = [one for one in mine if one.file == "journeys.yaml"]
    assert [(one.wording, set(one.channels), one.path, one.rule) for one in steps] == [
        ("first", {"email", "sms"}, "journeys.chase.steps.0", "step 1 of journey chase"),
        ("many", {"email", "sms"}, "journeys.chase.steps.0", "step 1 of journey chase"),
        ("second", {"email", "sms"}, "journeys.chase.steps.1", "step 2 of journey chase"),
    ]
    internal = [one for one in found if one.internal]
    assert {one.wording for one in internal} == {"team-copy", "team-digest"}
    assert all((one.channels, one.file) == (("email",), "documents.yaml") for one in internal)
    assert len(internal) == 2, "each once"
    channels = channels_needed(found)
    assert channels["one"] == {"email", "sms"}
    assert channels["team-copy"] == {"email"}


def test_a_days_holidays_are_the_sites_too(tmp_path: Path) -> None:
    rules = site(tmp_path, domains="holidays: {added: [2026-11-20], removed: [2026-11-26]}")
    assert rules.is_holiday("US", date(2026, 11, 20))
    assert not rules.is_holiday("US", date(2026, 11, 26))
    assert YamlRules().is_holiday("US", date(2026, 11, 26))
    assert (rules.known_place("de-by"), rules.known_place("XX")) == ("DE-BY", "")
    assert [rules.metric_code(code) for code in ("EX000001S", "unreached", "made-up")] == [
        "EX000001S",
        "unreached",
        "other",
    ]
    assert rules.line_of("domains.yaml", "holidays.added.0") == 1
    assert rules.line_of("domains.yaml", "nothing") == 0
