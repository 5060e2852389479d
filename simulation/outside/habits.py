"""What customers do about a message, and the machines that read it before them: one table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from .customers import Habit, Visit
from .page import Form, forms_of

_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86_400.0

_CODE: Final = re.compile(r"(?<!\d)\d{6}(?!\d)")

STOPS: Final = (
    "STOP",
    "Stop",
    "Stop.",
    "stop please",
    "QUIT",
    "unsubscribe",
    "Opt out",
    "ARRET",
    "no more texts",
    "END",
)
"""Texts that stop all messages, by the words that always count."""

WORDS: Final = (
    "Thanks!",
    "Who is this?",
    "call me",
    "I already paid",
    "don't stop the service",
    "HELP",
    "👍",
)
"""Texts that stop nothing."""


def _scan(visit: Visit) -> None:
    """A machine fetches every link, and presses no button."""
    for prefix in ("/d/", "/p/", "/p/undo/", "/u/", "/i/"):
        for path in visit.links(prefix):
            for method in ("HEAD", "GET") if prefix == "/d/" else ("GET",):
                visit.ask(method, path, person=False)


def _open(visit: Visit) -> None:
    """Open the document, with the right answer where one is asked for."""
    for path in visit.links("/d/"):
        forms = forms_of(visit.ask("GET", path).body)
        if forms:
            visit.ask("POST", path, _answered(visit, forms[0]))


def _open_twice(visit: Visit) -> None:
    _open(visit)
    visit.customers.ways.sleep(20.0)
    _open(visit)


def _err(visit: Visit) -> None:
    """Give wrong answers to the second step, as somebody who guesses."""
    for path in visit.links("/d/"):
        forms = forms_of(visit.ask("GET", path).body)
        if not forms or not forms[0].asks:
            continue
        for number in range(6):
            visit.ask("POST", path, forms[0].filled(answer=f"000{number}"))


def _answered(visit: Visit, form: Form) -> list[tuple[str, str]]:
    right = {name: visit.person.answer_to(kind or name) for name, kind in form.asks.items() if visit.person}
    return form.filled(**right)


def _pay(visit: Visit) -> None:
    known = visit.person.fields if visit.person else {}
    if known.get("amount_due"):
        payment = f"pay-{visit.message.notice_id}-{visit.message.number}"
        money = {"amount": known["amount_due"], "currency": known.get("currency", "USD")}
        visit.event("billing", "Payment Received", payment_id=payment, **money)


def _respond(visit: Visit) -> None:
    visit.event("portal", "Customer Responded", response="read it at the portal")


def _acknowledge(visit: Visit) -> None:
    visit.event("portal", "Document Acknowledged", acknowledged_by="the customer")


def _unsubscribe(visit: Visit) -> None:
    """By the mail program's own button (RFC 8058), else by the link at the end."""
    path = visit.links("/u/")[0]
    if visit.message.header("List-Unsubscribe-Post"):
        visit.ask("POST", path, [("List-Unsubscribe", "One-Click")])
    elif forms_of(visit.ask("GET", path).body):
        visit.ask("POST", path, [])


def _stop(visit: Visit) -> None:
    visit.text(visit.customers.nature.chance.one_of(f"stop {visit.message.name}", STOPS))


def _start(visit: Visit) -> None:
    """Change one's mind: stop, and a while later start again."""
    visit.text("STOP")
    visit.customers.ways.sleep(2 * _HOUR)
    visit.text("START")


def _talk(visit: Visit) -> None:
    visit.text(visit.customers.nature.chance.one_of(f"words {visit.message.name}", WORDS))


def _post_preferences(visit: Visit, action: str, **typed: str) -> None:
    """Press a button of the preference page, as it is shown now."""
    for path in visit.links("/p/")[:1]:
        for form in forms_of(visit.ask("GET", path).body):
            if form.value("action") == action or ("action", action) in form.buttons:
                visit.ask("POST", path, form.filled(action=action, **typed))
                return


def _prefer(visit: Visit) -> None:
    """Ask for another language, for SMS first, and for mornings only."""
    _post_preferences(visit, "save", first="sms", language="de", opens="08:30", closes="12:00")


def _leave(visit: Visit) -> None:
    _post_preferences(visit, "leave")


def _withdraw(visit: Visit) -> None:
    _post_preferences(visit, "withdraw")


def _consent(visit: Visit) -> None:
    _post_preferences(visit, "withdraw")
    visit.customers.ways.sleep(_HOUR)
    _post_preferences(visit, "consent")


def _move(visit: Visit) -> None:
    """Change one's mail address: ask for it, wait for the code at the new one, and type it in."""
    old, message = visit.person, visit.message
    if old is None:
        return
    new = f"new-{message.notice_id[:8]}@example.net"
    for path in visit.links("/p/")[:1]:
        form = next(
            (f for f in forms_of(visit.ask("GET", path).body) if f.value("action") == "address"), None
        )
        if form is None:
            return
        right = {name: old.answer_to(name) for name in form.asks if name != "address"}
        visit.ask("POST", path, form.filled(address=new, channel="email", **right))
        visit.customers.ways.sleep(10 * _MINUTE)
        mail = next((one for one in reversed(visit.customers.accepted) if one.to == new), None)
        code = _CODE.search(mail.text) if mail else None
        if code:
            _post_preferences(visit, "code", code=code[0])


def _undo(visit: Visit) -> None:
    """Take back a change of address that one did not ask for, by the link that the old address got."""
    for path in visit.links("/p/undo/"):
        if forms_of(visit.ask("GET", path).body):
            visit.ask("POST", path, [])


def _take_over(visit: Visit) -> None:
    """A team answers an incident by the link of its alert."""
    for path in visit.links("/i/"):
        forms = forms_of(visit.ask("GET", path).body)
        if forms:
            visit.ask("POST", path, forms[0].filled())


HABITS: Final[Mapping[str, Habit]] = {
    "machine_scans": Habit(0.1, 1.0, _MINUTE, _scan),
    "customer_opens": Habit(0.25, _MINUTE, 3 * _DAY, _open, link="/d/"),
    "customer_opens_twice": Habit(0.03, _MINUTE, _DAY, _open_twice, link="/d/"),
    "customer_errs": Habit(0.03, _MINUTE, _DAY, _err, link="/d/"),
    "customer_pays": Habit(0.05, _HOUR, 5 * _DAY, _pay, link="/d/"),
    "customer_responds": Habit(0.03, _HOUR, 5 * _DAY, _respond, link="/d/"),
    "customer_acknowledges": Habit(0.03, _HOUR, 5 * _DAY, _acknowledge, link="/d/"),
    "customer_unsubscribes": Habit(0.03, _MINUTE, 2 * _DAY, _unsubscribe, link="/u/"),
    "customer_stops": Habit(0.03, _MINUTE, 2 * _DAY, _stop, "sms"),
    "customer_stops_and_starts": Habit(0.02, _MINUTE, 2 * _DAY, _start, "sms"),
    "customer_texts": Habit(0.03, _MINUTE, 2 * _DAY, _talk, "sms"),
    "customer_prefers": Habit(0.02, _MINUTE, 2 * _DAY, _prefer, link="/p/"),
    "customer_leaves": Habit(0.01, _MINUTE, 2 * _DAY, _leave, link="/p/"),
    "customer_withdraws": Habit(0.01, _MINUTE, 2 * _DAY, _withdraw, link="/p/"),
    "customer_consents_again": Habit(0.01, _MINUTE, 2 * _DAY, _consent, link="/p/"),
    "customer_moves": Habit(0.01, _MINUTE, 2 * _DAY, _move, link="/p/"),
    "customer_undoes": Habit(0.2, _MINUTE, 4 * _DAY, _undo, link="/p/undo/"),
    "team_takes_over": Habit(0.3, _MINUTE, _HOUR, _take_over, link="/i/"),
}
"""By kind. A machine comes first; a customer comes after minutes or days."""
