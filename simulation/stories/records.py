"""Records of runs and of single documents: what each document type says, and what can be wrong with one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from hashlib import sha256

from exnotify.samples.pdf import page
from simulation.nature import Chance

from .acts import Record
from .cast import Cast, Customer

TYPES: Mapping[str, tuple[str, ...]] = {
    "retail": ("statement", "statement", "statement", "invoice", "utility-bill", "offer"),
    "insurance": (
        "policy-document",
        "contract-pack",
        "account-opening",
        "renewal-notice",
        "secure-correspondence",
    ),
    "lending": ("payment-reminder", "payment-reminder", "overdue-notice", "final-demand"),
    "claims": ("claim-letter", "dispute-response", "service-resolution"),
}
"""The document types of each domain; `offer` is marketing and comes with a site folder (`sites.SITES`)."""

_QUEUES = {
    "statement": "Email_Statements", "invoice": "Email_Invoices", "utility-bill": "Email_Bills",
    "policy-document": "Email_Policies", "payment-reminder": "Email_Reminders",
}  # fmt: skip

_STATUSES = (
    "",
    "",
    "current",
    "delinquent",
    "past due",
    "in default",
    "paid",
    "settled",
    "deceased",
    "chapter 7",
    "ptp",
)
_TEAMS = ("", "", "underwriting", "underwriting;compliance", "onboarding")


@dataclass(frozen=True, slots=True)
class Flaw:
    """What can be wrong with a record: how it changes the fields, and whether the record must be rejected."""

    change: Callable[[dict[str, str]], None]
    rejected: bool


def _set(**values: str) -> Callable[[dict[str, str]], None]:
    def change(fields: dict[str, str]) -> None:
        fields.update(values)
        for name, value in values.items():
            if not value:
                del fields[name]

    return change


def _unusable_email(fields: dict[str, str]) -> None:
    fields["email"] = fields["customer_key"].lower() + ".example.com"


FLAWS: Mapping[str, Flaw] = {
    "no customer key": Flaw(_set(customer_key=""), True),
    "an unknown type": Flaw(_set(document_type="leaflet", queue_name="Email_Leaflets"), True),
    "a key that a spreadsheet rounded": Flaw(_set(customer_key="1.00001E+11"), True),
    "a document outside of its run": Flaw(_set(output_uri="../up.pdf"), True),
    "a document that is not there": Flaw(_set(), True),
    "a due date that is none": Flaw(_set(due_date="2026-02-31"), False),
    "an amount that is none": Flaw(_set(amount_due="a lot"), False),
    "an email address that is none": Flaw(_unusable_email, False),
    "paper wanted": Flaw(_set(delivery_channel="paper"), False),
    "a test": Flaw(_set(test_flag="Y"), False),
}
"""By name. What is not rejected goes on without the field, by another channel, on paper or not at all."""

NOT_THERE = "a document that is not there"
OTHER_ADDRESS = "another address for the same customer"
OTHER_NAME = "another name and address for the same customer"
"""Two flaws of records of one customer in a run: they contradict each other. With other names, all of the
customer's are rejected, unless the site's rules tell holders apart by name."""


def _whose(fields: Mapping[str, str]) -> tuple[str, str]:
    return fields["customer_key"], fields.get("recipient", "")


class Writing:
    """Writes records for a story that starts at a moment. `number` makes document ids unique in the story."""

    def __init__(self, chance: Chance, cast: Cast, start: datetime) -> None:
        self._chance = chance
        self._cast = cast
        self._start = start

    def several(
        self,
        plot: str,
        domain: str,
        most: int,
        *,
        least: int = 0,
        flawed: float = 0.08,
        at: float = 0.0,
    ) -> tuple[Record, ...]:
        """`least` to `most` records of a run: mostly one document a customer, some more, some flawed."""
        chance = self._chance
        size = max(1 + int(most * chance.uniform(f"{plot} size", 0, 1) ** 2), min(least, most))
        people = max(12, most)
        first = chance.below(f"{plot} first customer", people)
        records: list[Record] = []
        for n in range(size):
            who = f"{plot} record {n}"
            # Now and then one more document for a customer who has one already.
            number = (
                first + (chance.below(f"{who} again", n + 1) if chance.likely(f"{who} more", 0.1) else n)
            ) % people
            kind = chance.one_of(f"{who} type", TYPES[domain])
            records.append(self.record(f"{plot}-{n}", domain, number, kind, in_run=n + 1, at=at))
        self._pair(plot, domain, records)
        return tuple(self._flawed(f"{plot} record {n}", r, flawed) for n, r in enumerate(records))

    def record(
        self, name: str, domain: str, number: int, kind: str, *, in_run: int = 1, at: float = 0.0
    ) -> Record:
        """One good record of a customer; `name` makes its document id, `at` is when it is composed."""
        chance, customer = self._chance, self._cast.customer(domain, number)
        composed = self._start + timedelta(seconds=at)
        document_id = f"D-{name}".replace(" ", "-")
        queue = _QUEUES.get(kind, "Email_Letters")
        fields = {
            **customer.fields(),
            "document_id": document_id,
            "document_type": kind,
            "customer_in_run": str(in_run),
            "queue_name": queue,
            "account_number": f"{8_792_174 + number * 7_919:012d}",
            "reference_no": f"REF-{sha256(document_id.encode()).hexdigest()[:8].upper()}",
            "produced_at": composed.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "output_uri": f"output/{queue}/{document_id}.pdf",
            "content_sha256": sha256(page(document_id)).hexdigest(),
            **self._debt(name, customer, composed.date(), kind),
            **self._particulars(name, composed.date(), kind),
        }
        if chance.likely(f"{name} by type", 0.05) and kind in _QUEUES:
            del fields["document_type"]  # its queue tells
        if chance.likely(f"{name} holder", 0.04):
            fields["recipient"] = "spouse"
            fields["email"] = f"spouse.{customer.key.lower()}@example.com"
        if chance.likely(f"{name} channel", 0.06):
            fields["delivery_channel"] = chance.one_of(f"{name} which channel", ("sms", "email"))
        return Record(fields)

    def _debt(self, name: str, customer: Customer, day: date, kind: str) -> dict[str, str]:
        chance = self._chance
        if kind in (
            "offer",
            "claim-letter",
            "dispute-response",
            "service-resolution",
            "secure-correspondence",
        ):
            return {}
        whole = chance.below(f"{name} amount", 300_000)
        money = str(whole // 100) if customer.currency == "JPY" else f"{whole // 100}.{whole % 100:02d}"
        due = day + timedelta(
            days=chance.below(f"{name} due", 25) - (10 if kind in ("overdue-notice", "final-demand") else 0)
        )
        told = {"amount_due": money, "currency": customer.currency, "due_date": due.isoformat()}
        if kind in TYPES["lending"]:
            told |= {
                "stage": str(1 + TYPES["lending"].index(kind)),
                "days_past_due": str(chance.below(f"{name} late", 60)),
            }
            if status := chance.one_of(f"{name} status", _STATUSES):
                told["account_status"] = status
        return told

    def _particulars(self, name: str, day: date, kind: str) -> dict[str, str]:
        chance, told = self._chance, dict[str, str]()
        if kind in TYPES["claims"]:
            told["case_id"] = f"CASE-{name}".replace(" ", "-")
            told["case_type"] = kind.split("-")[0]
            told["respond_by"] = (day + timedelta(days=20)).isoformat()
        if kind in ("policy-document", "contract-pack", "account-opening"):
            if teams := chance.one_of(f"{name} teams", _TEAMS):
                told["internal_teams"] = teams
            if chance.likely(f"{name} ack", 0.5):
                told["requires_ack"] = "true"
        if kind == "secure-correspondence" and chance.likely(f"{name} last4", 0.5):
            told["verify_last4"] = f"{chance.below(f'{name} digits', 10_000):04d}"
        return told

    def _pair(self, plot: str, domain: str, records: list[Record]) -> None:
        """Now and then two records of a run contradict each other."""
        chance = self._chance
        if len(records) < 3 or not chance.likely(f"{plot} pair", 0.12):
            return
        first, flaw = records[0].fields, chance.one_of(f"{plot} pair flaw", (OTHER_ADDRESS, OTHER_NAME))
        twin = {**first, "document_id": first["document_id"] + "-b", "customer_in_run": str(len(records) + 1)}
        twin["output_uri"] = first["output_uri"].replace(".pdf", "-b.pdf")
        twin["content_sha256"] = sha256(page(twin["document_id"])).hexdigest()
        twin["email"] = f"other.{first['customer_key'].lower()}@example.com"
        if flaw == OTHER_NAME:
            twin |= {"first_name": "Somebody", "last_name": "Else"}
            whose = _whose(first)
            records[:] = [replace(r, flaw=flaw) if _whose(r.fields) == whose else r for r in records]
        records.append(Record(twin, flaw))

    def _flawed(self, who: str, record: Record, share: float) -> Record:
        chance = self._chance
        if record.flaw or not chance.likely(f"{who} flawed", share):
            return record
        flaw = chance.one_of(f"{who} flaw", tuple(FLAWS))
        fields = dict(record.fields)
        FLAWS[flaw].change(fields)
        return Record(fields, flaw)
