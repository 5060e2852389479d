"""A composed document, as every index form of the drop contract describes it once normalised."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from .identity import contact_key as contact_key
from .second_step import StepKind

MessageClass = Literal["transactional", "regulated", "collections", "marketing"]
Channel = Literal["email", "sms"]


@dataclass(frozen=True, slots=True)
class Document:
    """One normalised drop record. Dates are ISO 8601 strings, amounts plain decimals ("1204.50").

    `recipient` names one holder of an account that several share; None is the only one. The fields of
    `STAGED_FIELDS` are set by staging, never by a site: `edition` tells documents of one id apart
    (domain/records.py), `disputed` says that another record of the run gives the same customer and
    recipient another address, so that neither becomes the contact's; `in_credit` that the amount, which
    could not be read, has the sign of a credit; `undated` that the record has no id of
    its own, and nothing that tells it from an earlier document of the same file name or values. `together` is
    set for a message about several documents (domain/together.py): how many they are.
    """

    domain: str
    customer_key: str
    document_id: str
    document_type: str
    recipient: str | None = None
    customer_in_run: int | None = None
    queue_name: str | None = None
    delivery_channel: str | None = None
    output_uri: str | None = None
    archive_ref: str | None = None
    content_sha256: str | None = None
    document_version: str | None = None
    produced_at: str | None = None
    language: str | None = None
    time_zone: str | None = None
    postcode: str | None = None
    country: str | None = None
    region: str | None = None
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    mobile: str | None = None
    reference_no: str | None = None
    account_number: str | None = None
    amount_due: str | None = None
    currency: str | None = None
    due_date: str | None = None
    statement_period: str | None = None
    account_status: str | None = None
    stage: str | None = None
    days_past_due: int | None = None
    case_id: str | None = None
    case_type: str | None = None
    respond_by: str | None = None
    internal_teams: tuple[str, ...] = ()
    requires_ack: bool = False
    supersedes: str | None = None
    verify_last4: str | None = None
    verify_birth_date: str | None = None
    test_flag: bool = False
    edition: str = ""
    disputed: bool = False
    in_credit: bool = False
    undated: bool = False
    together: int = 0

    @property
    def contact_key(self) -> str:
        """The contact that this record is about: see `contact_key`."""
        return contact_key(self.customer_key, self.recipient)


STAGED_FIELDS = ("edition", "disputed", "in_credit", "undated", "together")
"""Fields of a document that staging and sending set; a site cannot write them."""


class FileFault(StrEnum):
    """Why a record's file cannot be opened by its customer."""

    MISSING = "no such file in the run's folder"
    EMPTY = "the file is empty"
    OTHER_FORM = "the file is there under another Unicode form"
    OTHER_CASE = "the file is there in other letter case"
    OWN = "names a file of the run itself"
    SHARED = "records of different customers name this file"


@dataclass(frozen=True, slots=True)
class DocumentRule:
    """What a document type's rule says (rules/documents.yaml); `skip` is why nobody is told at all.

    `purpose` is what its notices are for: `notice`, or a journey's step. `asks_for_payment`: whether its
    words ask for money that is due; None leaves that to the message class (`demands_payment`).
    `account_hold` is the record's account status where that forbids to ask for money, and `status_unknown`
    whether it is a status that no rule knows: both are of one record (`Rules.for_document`).
    `shares_payments`: whether payments that name only the customer are shared out over its documents; None:
    over those that ask for payment, or whose journey does.
    `reserve`, `without_channel` and `on_paper` are a journey step's: the type's other channels, used where
    none of its own works; whether a customer without any is skipped unreported; and what becomes of it for
    a customer who gets paper.
    """

    name: str
    use_case: str
    message_class: MessageClass
    topic: str
    wording: str
    channels: tuple[Channel, ...]
    both_channels: bool = False
    urgent: bool = False
    link: Literal["link", "reference"] = "link"
    teams: tuple[str, ...] = ()
    team_copy: Literal["each", "digest", "none"] = "none"
    consent: Literal["implied", "required"] = "implied"
    paper_on_failure: bool = False
    on_unconfirmed: Literal["alert", "other_channel", "paper", "resend"] = "alert"
    on_no_receipt: Literal["alert", "other_channel", "paper", "ignore"] = "alert"
    notify_on_new_content: bool = False
    shared_file: bool = False
    deadline_hours: int = 72
    skip: str = ""
    link_days: int = 60
    opens: Literal["portal", "inline", "attachment"] = "portal"
    second_step: StepKind = "none"
    any_payment_settles: bool = False
    shares_payments: bool | None = None
    purpose: str = "notice"
    asks_for_payment: bool | None = None
    account_hold: str = ""
    status_unknown: bool = False
    reserve: tuple[Channel, ...] = ()
    without_channel: Literal["other", "skip"] = "other"
    on_paper: Literal["skip", "paper"] = "paper"

    @property
    def demands_payment(self) -> bool:
        """Whether nobody is notified where nothing is due: reminders, overdue notices, final demands."""
        if self.asks_for_payment is None:
            return self.message_class == "collections"
        return self.asks_for_payment

    @property
    def collects(self) -> bool:
        """Whether it is sent to collect a debt: not to customers who must not be asked for money."""
        return self.message_class == "collections" or self.demands_payment

    @property
    def must_reach(self) -> bool:
        """Whether its team hears at once that a customer cannot be reached, rather than in the daily list."""
        return self.message_class == "regulated" or self.urgent

    def opens_file(self, portal: bool) -> bool:
        """Whether the links of its notices open the document's file; `portal`: the site has a portal."""
        return self.link == "link" and not (portal and self.opens == "portal")
