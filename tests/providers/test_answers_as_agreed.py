"""What every answer of a provider comes to, against the list as it was agreed (its approved file).

Its columns: the code, what comes with it (`*` for anything), again (certainly not sent), refused or doubt, the
reason, and whose fault it is or after how many seconds another try makes sense.
"""

from syrupy.assertion import SnapshotAssertion

from exstream_notify.adapters.providers import opentext_answers, ses_answers, sms_answers
from exstream_notify.adapters.providers.errors import Row
from exstream_notify.domain.messages import Answer, GiveUp, TryAgain, Unconfirmed


def said(answer: Answer) -> tuple[str, str, str]:
    """An answer in the words of the list."""
    match answer:
        case TryAgain(reason=reason, retry_after=after):
            return "again", reason, "-" if after is None else f"{after:g}"
        case GiveUp(reason=reason, whose=whose):
            return "refused", reason, whose
        case Unconfirmed(reason=reason):
            return "doubt", reason, "-"
    raise AssertionError(f"no answer for a table: {answer}")


def row_of(provider: str, row: Row) -> str:
    """A row as the list has it."""
    return " | ".join((provider, row.code, row.detail or "*", *said(row.answer)))


def test_every_answer_comes_to_what_was_agreed(approved: SnapshotAssertion) -> None:
    tables = {"opentext": opentext_answers.TABLE, "ses": ses_answers.TABLE, "sms": sms_answers.TABLE}
    found = [row_of(provider, row) for provider, table in tables.items() for row in table]
    assert "\n".join((*found, "")) == approved
