"""What an import of a preference file means to the checker."""

from typing import Any

from simulation.checker.seen import Act
from simulation.seeing.went_in import acts_of
from simulation.stories.acts import Command
from simulation.stories.performing import Deed

HEADING = "customer_key,email,language,channel_order,opt_outs,paper_required\n"
ROW = "R1,i@example.com,fr,sms;email,sms,yes\n"


def command(at: float, *line: str, **files: str) -> Deed:
    return Deed(Command(at=at, line=line, files=files), at, line, ended=at + 1, code=0)


def an_import(at: float, rows: str, **more: Any) -> Deed:
    deed = command(
        at, "import", "f.csv", "--domain", "retail", "--apply", **{"preferences.csv": HEADING + rows}
    )
    for name, value in more.items():
        setattr(deed, name, value)
    return deed


def contact(at: float, *line: str) -> Deed:
    return command(at, "contact", "R1", "--domain", "retail", *line)


def meant(*deeds: Deed, at: float) -> dict[str, Act]:
    return {act.kind: act for act in acts_of(deeds) if act.at == at}


def test_an_import_says_language_address_opt_out_and_paper() -> None:
    found = meant(an_import(5, ROW + "R2,,,,,\n"), at=5)
    assert set(found) == {"may set address", "import language", "opt out", "want paper"}
    assert {(act.domain, act.customer, act.done) for act in found.values()} == {("retail", "R1", 6)}
    assert (found["import language"].language, found["opt out"].channel) == ("fr", "sms")


def test_paper_of_an_import_counts_where_nobody_said_anything_of_it() -> None:
    wanted = contact(1, "--set", "paper_required=no")
    assert "want paper" not in meant(wanted, an_import(5, ROW), at=5)
    lifted = contact(1, "--set", "paper_required=yes")
    assert "want no paper" not in meant(lifted, an_import(5, "R1,,,,,no\n"), at=5)


def test_a_row_of_an_erased_customer_forbids_nothing() -> None:
    found = meant(contact(1, "--erase"), an_import(5, ROW), at=5)
    assert set(found) == {"may set address", "import language"}
    assert {act.done for act in found.values()} == {None}


def test_an_import_that_failed_perhaps_did_it_and_one_that_was_refused_did_not() -> None:
    failed = meant(an_import(5, ROW, said="AWS refuses or does not answer", code=1), at=5)
    assert set(failed) == {"may set address", "import language"}
    assert {act.done for act in failed.values()} == {None}
    assert not meant(an_import(5, ROW, said="row 1: language", code=1), at=5)


def test_a_file_that_is_read_again_keeps_its_first_time() -> None:
    lifted = contact(7, "--set", "opt_outs=")
    found = meant(an_import(5, ROW), lifted, an_import(9, ROW), at=9)
    assert set(found) == {"may set address", "import language"}
