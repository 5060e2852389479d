"""Runs expected in domains.yaml: what a site may write, and what can never be met is refused with its line."""

from datetime import date, time
from pathlib import Path

import pytest

from exstream_notify.adapters.rules import RulesInvalid, YamlRules
from exstream_notify.domain.due_days import DueDays, Holidays
from exstream_notify.domain.expectations import ExpectedRun

TODAY = date(2026, 11, 30)
BASE = {"domain": "retail", "name": "billing", "by": '"06:00"', "zone": "Europe/London"}


def rules(folder: Path, *rows: dict[str, str], more: str = "domains: {retail: {}}") -> YamlRules:
    """Rules with these expectations from the third line on, one a line."""
    written = [", ".join(f"{key}: {value}" for key, value in {**BASE, **row}.items()) for row in rows]
    text = "\n".join([more, "expected:", *(f"  - {{{row}}}" for row in written)])
    folder.mkdir(exist_ok=True)
    (folder / "domains.yaml").write_text(text, "utf-8")
    return YamlRules(folder)


def one(folder: Path, **row: str) -> ExpectedRun:
    """The only expectation of sound rules."""
    found = rules(folder, row)
    found.check(today=TODAY)
    (expected,) = found.expected_runs
    return expected


def test_what_a_site_leaves_out(tmp_path: Path) -> None:
    assert one(tmp_path) == ExpectedRun("retail", "billing", (time(6),), "Europe/London")


@pytest.mark.parametrize(
    ("row", "days"),
    [
        ({"days": "[mon, fri]"}, DueDays(("mon", "fri"))),
        ({"business_days": "true"}, DueDays(when_off="skip")),
        ({"month_days": "[1, last]"}, DueDays(month_days=(1, -1))),
        ({"month_days": "[31]", "short_months": "skip"}, DueDays(month_days=(31,), skip_short_months=True)),
        ({"month_days": "[last]", "on_day_off": "previous"}, DueDays(month_days=(-1,), when_off="previous")),
        ({"month_business_days": "[3, -2, last]"}, DueDays(month_business_days=(3, -2, -1))),
        ({"month_days": "[1]", "months": "[3, 6]"}, DueDays(month_days=(1,), months=(3, 6))),
        ({"dates": "[2026-12-24]"}, DueDays(dates=(date(2026, 12, 24),))),
        (
            {"days": "[fri]", "every_weeks": "2", "first": "2026-11-06"},
            DueDays(("fri",), 2, date(2026, 11, 6)),
        ),
        (
            {"country": "DE", "subdivision": "BY", "business_days": "true"},
            DueDays(when_off="skip", holidays=Holidays("DE", "BY")),
        ),
    ],
)
def test_due_days_as_a_site_writes_them(tmp_path: Path, row: dict[str, str], days: DueDays) -> None:
    assert one(tmp_path, **row).days == days


def test_the_sites_own_holidays_count_everywhere(tmp_path: Path) -> None:
    own = "holidays: {added: [2026-12-24], removed: [2026-12-28]}"
    found = rules(tmp_path, {"business_days": "true"}, more=own)
    (expected,) = found.expected_runs
    assert found.is_day_off(expected.days.holidays, date(2026, 12, 24))
    assert not found.is_day_off(expected.days.holidays, date(2026, 12, 28))


@pytest.mark.parametrize(
    ("row", "within"),
    [
        ({}, 720),
        ({"by": '["06:00", "10:00"]'}, 240),
        ({"by": '["06:00", "18:00"]'}, 720),
        ({"within_minutes": "1440"}, 1440),
        ({"within_minutes": "10080", "days": "[mon]"}, 10_080),
    ],
)
def test_a_window_is_never_longer_than_from_one_to_the_next(
    tmp_path: Path, row: dict[str, str], within: int
) -> None:
    assert one(tmp_path, **row).within_minutes == within


def test_a_domain_is_found_in_any_case(tmp_path: Path) -> None:
    assert one(tmp_path, domain="Retail").domain == "retail"
    unlisted = rules(tmp_path, {"domain": "Cards"}, more="domains: {}")
    assert unlisted.expected_runs[0].domain == "Cards"
    accepting = "domains: {retail: {}}\nunknown_domains: accept"
    accepted = rules(tmp_path, {"domain": "cards"}, more=accepting)
    assert accepted.expected_runs


@pytest.mark.parametrize(
    ("row", "key", "why"),
    [
        ({"business_days": "true", "country": "EN"}, "country", "no holidays of EN are known"),
        ({"country": "EN"}, "country", "no holidays of EN are known"),
        ({"country": "NO"}, "country", "put it in quotes"),
        ({"country": "England"}, "country", "String should match"),
        ({"country": "DE", "subdivision": "XX"}, "subdivision", "no holidays of XX in DE are known"),
        ({"domain": "cards"}, "domain", "the file names no such domain: there is retail"),
        ({"domain": "re tail"}, "domain", "String should match"),
        ({"days": "[]"}, "days", "no day is left"),
        ({"days": "[monday]"}, "days", "'monday' is not a day"),
        ({"days": "[sat, sun]", "business_days": "true"}, "days", "no day is left"),
        ({"days": "[fri]", "business_days": "true", "country": "SA"}, "days", "no day is left"),
        ({"month_days": "[]"}, "month_days", "no day is left"),
        ({"month_days": "[32]"}, "month_days.0", "less than or equal to 31"),
        ({"month_days": "[0]"}, "month_days", "0 is not a day"),
        ({"month_days": "[30]", "months": "[2]", "short_months": "skip"}, "month_days", "no day is left"),
        ({"month_business_days": "[22]", "months": "[2]"}, "month_business_days", "no day is left"),
        ({"month_business_days": "[24]"}, "month_business_days.0", "less than or equal to 23"),
        ({"months": "[13]"}, "months.0", "less than or equal to 12"),
        ({"dates": "[2026-11-29]"}, "dates", "all of them have passed"),
        ({"dates": "[2026-12-25]", "on_day_off": "skip"}, "dates", "no day is left"),
        ({"days": "[mon]", "month_days": "[1]"}, "month_days", "goes not with days"),
        ({"days": "[mon]", "every_weeks": "2"}, "every_weeks", "needs `first`"),
        ({"month_days": "[1]", "every_weeks": "2", "first": "2026-11-02"}, "every_weeks", "only with days"),
        ({"business_days": "false", "on_day_off": "next"}, "on_day_off", "contradicts"),
        ({"within_minutes": "1441"}, "within_minutes", "a run could meet two, which are 1440 minutes apart"),
        ({"by": '["06:00", "10:00"]', "within_minutes": "241"}, "within_minutes", "a run could meet two"),
        ({"by": '["22:00", "02:00"]', "within_minutes": "241"}, "within_minutes", "a run could meet two"),
        ({"month_days": "[1, last]", "within_minutes": "1441"}, "within_minutes", "a run could meet two"),
        ({"tolerance_minutes": "1440"}, "tolerance_minutes", "the next one is due 1440 minutes later"),
        ({"by": "18:00"}, "by.0", "put it in quotes"),
        ({"by": '"25:00"'}, "by.0", "String should match"),
        ({"by": "[]"}, "by", "at least 1 item"),
        ({"by": '["06:00", "06:00"]'}, "by", "there twice"),
        ({"zone": "Europe/Londn"}, "zone", "is not a time zone"),
        ({"zone": '""'}, "zone", "is not a time zone"),
        ({"run": '"billing 1*"'}, "run", "no run id contains ' '"),
        ({"run": '"retail/billing-*"'}, "run", "no run id contains '/'"),
        ({"run": '"*[/:]*"'}, "run", "no run id contains '[/:]'"),
        ({"run": '"_billing*"'}, "run", "no run id begins with '_'"),
        ({"run": '""'}, "run", "1 to 128 characters"),
        ({"run": '"' + "b" * 129 + '"'}, "run", "1 to 128 characters"),
        ({"runs": "b*"}, "runs", "Extra inputs"),
    ],
)
def test_what_can_never_be_met_is_refused_with_its_line(
    tmp_path: Path, row: dict[str, str], key: str, why: str
) -> None:
    sound = {"name": "first"}
    found = rules(tmp_path / "own", sound, row)
    with pytest.raises(RulesInvalid) as refused:
        found.check(today=TODAY)
    assert str(refused.value).startswith(f"domains.yaml (own) line 4: expected.1.{key}: ")
    assert why in str(refused.value)
    # In a function the others hold all the same; dates pass while it runs, and refuse nothing there.
    assert found.expected_runs[0].name == "first"
    assert bool(found.refused_expectations) is not ("have passed" in why)


@pytest.mark.parametrize("run", ["*", "billing-*", "[Bb]illing-20??????", "[!_]x", "b.i=l_l-1", "b" * 128])
def test_a_glob_that_some_run_id_fits(tmp_path: Path, run: str) -> None:
    assert one(tmp_path, run=f'"{run}"').run == run


def test_two_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RulesInvalid, match=r"line 4: expected.1.name: retail/Billing is there twice"):
        rules(tmp_path / "own", {}, {"name": "Billing"}).check()


def test_holidays_that_are_no_dates_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RulesInvalid, match=r"line 1: holidays.added.0"):
        rules(tmp_path / "own", {}, more="holidays: {added: [christmas]}").check()


def test_a_date_that_the_calendar_does_not_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(RulesInvalid, match=r"domains.yaml \(own\) line 4: day is out of range for month"):
        rules(tmp_path / "own", {}, {"dates": "[2026-02-30]"}).check()


def test_the_packages_rules_expect_nothing() -> None:
    YamlRules().check(today=TODAY)
    assert YamlRules().expected_runs == ()
