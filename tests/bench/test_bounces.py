"""The measure of bounce mails counts what it says, with labels and without."""

from pathlib import Path

import pytest

from bench.bounces import Figures, labels_of, measure, shown
from tests.receipts.bounce_mails import BOUNCES, OTHERS, dsn


def written(folder: Path, mails: dict[str, str]) -> Path:
    folder.mkdir(exist_ok=True)
    for name, mail in mails.items():
        (folder / name).write_text(mail, "utf-8")
    return folder


def judged(tmp_path: Path, mails: dict[str, str], labels: str) -> Figures:
    (tmp_path / "labels.csv").write_text(labels, "utf-8")
    return measure(written(tmp_path / "mails", mails), labels_of(tmp_path / "labels.csv"))


def test_without_labels_every_mail_counts_as_a_bounce(tmp_path: Path) -> None:
    mails = {f"{name}.eml": mail for name, mail, _ in [*BOUNCES, *OTHERS]}
    figures = measure(written(tmp_path / "mails", mails))
    assert (figures.recognised.right, figures.recognised.all) == (len(BOUNCES), len(BOUNCES) + len(OTHERS))
    assert figures.addresses.right == figures.addresses.all > 0


def test_a_label_is_found_by_name_with_or_without_extension_and_by_path(tmp_path: Path) -> None:
    mails = {"a.eml": dsn(), "b.eml": dsn(), "c.eml": dsn(), "d.eml": dsn()}
    figures = judged(tmp_path, mails, "file,expected\na,address\nb.eml,hard\nsome/where/c.eml,not hard\n")
    assert figures.mails == 3
    assert (figures.hard_found.right, figures.hard_or_not.right, figures.hard_or_not.all) == (2, 2, 3)


def test_every_wrong_permanent_verdict_is_named_with_what_was_expected(tmp_path: Path) -> None:
    figures = judged(tmp_path, {"full.eml": dsn()}, "file,reason,expected\nfull,mailboxfull,not hard\n")
    (row,) = figures.wrong_permanent
    assert row.startswith("full.eml: temporary found address (5.1.1)")
    assert "c100001" not in row
    assert any(row in line for line in shown(figures, labelled=True))
    assert not figures.reaches


def test_a_disabled_mailbox_may_be_read_either_way(tmp_path: Path) -> None:
    mail = dsn(diagnostic="smtp; 550 5.1.1 no such user, account disabled")
    figures = judged(tmp_path, {"off.eml": mail}, "file,reason,expected\noff,suspend,not hard\n")
    assert (figures.wrong_permanent, len(figures.either), figures.hard_or_not.all) == ([], 1, 0)


def test_addresses_agree_with_their_label_or_else_with_the_mails_own_fields(tmp_path: Path) -> None:
    mails = {"a.eml": dsn(), "b.eml": dsn()}
    figures = judged(tmp_path, mails, "file,expected,address\na,hard,other@example.com\nb,hard,\n")
    assert figures.addresses.wrong == ["a.eml: 1 of 1 differ"]


@pytest.mark.parametrize(
    ("expected", "hard", "found", "recognised"),
    [
        ("address", (1, 1), (1, 1), (1, 1)),
        ("address|unclear", (0, 0), (0, 0), (1, 1)),
        ("unclear|policy", (0, 1), (0, 0), (1, 1)),
        ("address|other", (0, 0), (0, 0), (0, 0)),
    ],
)
def test_any_of_several_verdicts_is_right(
    tmp_path: Path, expected: str, hard: tuple[int, int], found: tuple[int, int], recognised: tuple[int, int]
) -> None:
    figures = judged(tmp_path, {"a.eml": dsn()}, f"file,expected\na,{expected}\n")
    counts = (figures.hard_or_not, figures.hard_found, figures.recognised)
    assert [(count.right, count.all) for count in counts] == [hard, found, recognised]


def test_what_is_no_bounce_must_not_be_taken_for_one(tmp_path: Path) -> None:
    figures = judged(tmp_path, {"a.eml": dsn()}, "file,expected\na,challenge\n")
    assert figures.others.wrong == ["a.eml: challenge taken for address"]


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_an_mbox_is_read_mail_by_mail(tmp_path: Path, ends: str) -> None:
    mbox = "".join(f"From MAILER-DAEMON Thu Sep 18 17:54:04 2026\n{dsn()}\n" for _ in range(3))
    figures = measure(written(tmp_path / "mails", {"mbox": mbox.replace("\n", ends)}))
    assert figures.mails == figures.recognised.right == 3
