"""The records of the sample runs. What is special about one stands in its line."""

from collections.abc import Mapping, Sequence
from hashlib import sha256

from .pdf import page

Record = Mapping[str, str]

PEOPLE: Sequence[tuple[str, str, str, str]] = (
    ("Søren", "Dubois", "en", "America/New_York"),
    ("Zoë", "Çelik", "es", "America/Chicago"),
    ("Renée", "Müller", "fr", "Europe/Paris"),
    ("Björn", "Ó Súilleabháin", "de", "Europe/Berlin"),
    ("Ana", "Van der Berg", "en", "America/New_York"),
    ("José", "Núñez", "es", "America/Los_Angeles"),
    ("Ícaro", "Yılmaz", "en", "America/Denver"),
    ("Niamh", "Kowalski", "fr", "America/Toronto"),
    ("Kofi", "Nguyễn", "de", "Europe/Vienna"),
    ("Marta", "Weiß", "en", "America/Chicago"),
)
"""First name, last name, language and time zone of the customers, in turn."""

_AMOUNTS = ("2375.99", "84.10", "1204.50", "19.95", "640.00", "58.20", "3190.77", "412.00", "99.99", "7.05")


def record(
    run: int, number: int, kind: str, *, produced_at: str = "2026-11-20T04:12:09Z", **special: str
) -> dict[str, str]:
    """One record of run `run`; `special` replaces fields, an empty value takes one out."""
    first, last, language, zone = PEOPLE[(number - 1) % len(PEOPLE)]
    document_id = f"D{run:02d}{number:05d}-{kind[:3].upper()}"
    queue = special.pop("queue", "Email_Letters")
    fields = {
        "customer_key": f"C{run:02d}{number:05d}",
        "document_id": document_id,
        "document_type": kind,
        "customer_in_run": str(number),
        "queue_name": queue,
        "first_name": first,
        "last_name": last,
        "email": f"c{run:02d}{number:05d}@example.com",
        "mobile": f"+120255501{run}{number % 10}",
        "language": language,
        "time_zone": zone,
        "account_number": f"{8_792_174 + run * 31 + number * 7_919:012d}",
        "reference_no": f"REF-{53_171_600 + run * 100 + number}",
        "amount_due": _AMOUNTS[(number - 1) % len(_AMOUNTS)],
        "currency": "USD" if zone.startswith("America") else "EUR",
        "due_date": f"2026-12-{10 + number:02d}",
        "produced_at": produced_at,
        **special,
    }
    document = fields["document_id"]
    fields.setdefault("output_uri", f"output/{queue}/{document}.pdf")
    fields.setdefault("content_sha256", sha256(page(document)).hexdigest())
    return {name: value for name, value in fields.items() if value}


STATEMENTS: Sequence[Record] = (
    record(1, 1, "statement", queue="Email_Statements"),
    record(1, 2, "invoice", queue="Email_Invoices"),
    record(1, 3, "utility-bill", queue="Email_Bills"),
    record(1, 4, "statement", queue="Email_Statements"),
    record(1, 5, "invoice", queue="Email_Invoices", delivery_channel="sms"),
    # Only a mobile, and it is seven in the morning there: too early for a text message.
    record(1, 6, "utility-bill", queue="Email_Bills", email="", time_zone="America/Los_Angeles"),
    record(1, 7, "statement", queue="Email_Statements", delivery_channel="paper"),
    record(1, 8, "invoice", queue="Email_Invoices", email="", mobile=""),
    record(1, 9, "statement", queue="Email_Statements", test_flag="Y"),
    # The first customer's statement once more.
    record(1, 1, "statement", queue="Email_Statements", customer_in_run="10"),
)

POLICIES: Sequence[Record] = (
    record(2, 1, "policy-document", internal_teams="underwriting;compliance"),
    record(2, 2, "contract-pack", internal_teams="compliance"),
    record(2, 3, "account-opening", internal_teams="onboarding"),
    record(2, 4, "policy-document"),
    # An address that nobody can have: the mobile takes its place.
    record(2, 5, "contract-pack", email="ana.example.com"),
    # And without a mobile, Exstream must print it.
    record(2, 6, "policy-document", email="jose.example.com", mobile=""),
    record(2, 7, "account-opening"),
)

COLLECTIONS: Sequence[Record] = (
    record(3, 1, "payment-reminder", account_status="delinquent", stage="1", days_past_due="11"),
    record(3, 2, "overdue-notice", account_status="default", stage="2", days_past_due="34"),
    record(3, 3, "final-demand", account_status="default", stage="3", days_past_due="63"),
    # Paid meanwhile: no reminder.
    record(3, 4, "payment-reminder", account_status="paid", stage="1", days_past_due="0"),
    # The provider refuses the address: the text message follows at once.
    record(3, 5, "overdue-notice", account_status="delinquent", email="refuse.5@example.com", stage="2"),
    # The provider takes the message and hangs up: sent or not, nobody knows until a receipt comes.
    record(3, 8, "overdue-notice", account_status="delinquent", email="vanish.8@example.com", stage="2"),
)

CASES: Sequence[Record] = tuple(
    record(4, number, kind, case_id=f"CASE-{378_190 + number}", case_type=case, respond_by="2026-12-31")
    for number, (kind, case) in enumerate(
        (
            ("claim-letter", "claim"),
            ("dispute-response", "dispute"),
            ("service-resolution", "service"),
            ("claim-letter", "claim"),
            ("dispute-response", "dispute"),
            ("service-resolution", "service"),
        ),
        1,
    )
)

RENEWALS: Sequence[Record] = (
    record(6, 1, "renewal-notice", customer_key=""),
    record(6, 2, "secure-correspondence"),
    record(6, 3, "renewal-notice"),
    record(6, 4, "secure-correspondence", last_name='Ó "Súilleabháin"'),
    record(6, 5, "renewal-notice", mobile="", last_name="Van der Berg, Jr."),
    record(6, 8, "secure-correspondence"),
)
