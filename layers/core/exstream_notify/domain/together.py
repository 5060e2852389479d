"""Several documents of one customer in one message."""

from collections.abc import Sequence
from dataclasses import replace

from .documents import Document
from .payments import amount_of


def as_one(documents: Sequence[Document]) -> Document:
    """What a message says of these documents, as one document: their number, total and earliest dates.

    There is no total where an amount is unknown or currencies differ. What they do not have in common is not
    said.
    """
    lead = documents[0]
    amounts = [amount_of(document) for document in documents]
    known = [amount for amount in amounts if amount is not None]
    alike = len(known) == len(documents) and len({document.currency for document in documents}) == 1
    one_account = len({document.account_number for document in documents}) == 1
    return replace(
        lead,
        together=len(documents),
        amount_due=f"{sum(known):f}" if alike else None,
        due_date=min((d.due_date for d in documents if d.due_date), default=None),
        respond_by=min((d.respond_by for d in documents if d.respond_by), default=None),
        account_number=lead.account_number if one_account else None,
        account_status=None,
        days_past_due=None,
        reference_no=None,
        statement_period=None,
        stage=None,
        case_id=None,
        case_type=None,
    )
