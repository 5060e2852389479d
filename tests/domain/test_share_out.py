"""A payment that names only its customer is shared out debt by debt; what cannot take a part is passed over."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

from exstream_notify.domain.payments import Debt, Fact
from exstream_notify.domain.responses import EarlyPayment
from exstream_notify.domain.sharing import share_out

SINCE = datetime(2026, 11, 1, tzinfo=UTC)
PAID = EarlyPayment(
    Fact("payment", "p1", "", "30", "USD"),
    "2026-11-20T15:00:00+00:00",
    "C0001",
    reported="2026-11-20T15:00:00+00:00",
)


def debt(number: int, left: str | None = "10", currency: str = "USD", **changes: object) -> Debt:
    amount = None if left is None else Decimal(left)
    made = Debt(f"document D{number}\x1f", amount, currency, f"2026-12-{number:02d}", SINCE)
    return replace(made, **changes)  # type: ignore[arg-type]


def parts(*debts: Debt, payment: EarlyPayment = PAID) -> tuple[dict[str, str], str]:
    """The part of each debt by its document, and the credit that is left."""
    shares = share_out([payment], debts)
    found = {d.key.split()[1].strip("\x1f"): str(part.amount) for d in debts for part in shares.of(d.key)}
    return found, str(shares.credit[payment.fact.key])


def test_the_oldest_due_gets_its_part_first_in_whatever_order_they_are_known() -> None:
    rows = [debt(3), debt(1, "15"), debt(2)]
    for order in (rows, rows[::-1]):
        assert parts(*order) == ({"D1": "15", "D2": "10", "D3": "5"}, "0")


def test_another_currency_and_what_asks_for_nothing_are_passed_over() -> None:
    found, credit = parts(debt(1, currency="EUR"), debt(2), debt(3, owed=False), debt(4, "12"))
    assert {name: amount for name, amount in found.items() if amount != "0"} == {"D2": "10", "D4": "12"}
    assert credit == "8"


def test_what_is_left_waits_as_credit() -> None:
    assert parts(debt(1)) == ({"D1": "10"}, "20")
    assert parts() == ({}, "30")
