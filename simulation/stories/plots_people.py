"""Plots about customers: what they answer, pay, choose and take back, told by portals and billing systems."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from .acts import Act, Ask, Record, Reply
from .cast import Customer
from .records import TYPES
from .stage import DAY, HOUR, MINUTE, Stage

_TEXTS = (
    "STOP", "stop", "Stop!", "please unsubscribe me", "ARRET", "START", "HELP", "I paid this last week",
    "who is this?", "STOP, wrong number", "I dispute this", "CANCEL",
)  # fmt: skip


def journey(stage: Stage) -> list[Act]:
    """Documents that are followed up: some customers answer, some pay, some wait."""
    domain = stage.one_of("domain", ("insurance", "lending", "lending", "retail"))
    run = stage.run(domain, most=min(12, stage.profile.most))
    acts: list[Act] = [run]
    for n, record in enumerate(run.records):
        if record.flaw or not stage.likely(f"answers {n}", 0.5):
            continue
        acts += answer(stage, domain, record, n)
    return acts


def answer(stage: Stage, domain: str, record: Record, n: int | str) -> list[Act]:
    """What a customer does about a document: pays, acknowledges it or responds; `n` names it in the plot."""
    told = record.fields
    at = stage.after(f"answer {n}", MINUTE, 30 * DAY if stage.profile.lasts > 10 * DAY else 2 * DAY)
    named = {"domain": domain, "customer_key": told["customer_key"], "document_id": told["document_id"]}
    if "recipient" in told:
        named["recipient"] = told["recipient"]
    if domain == "lending" or ("amount_due" in told and stage.likely(f"pays {n}", 0.3)):
        return _payments(stage, named, record, n, at)
    if told.get("requires_ack") and stage.likely(f"acknowledges {n}", 0.7):
        return [
            stage.event(
                at, "portal", "Document Acknowledged", **named, content_sha256=told.get("content_sha256", "")
            )
        ]
    words = stage.one_of(f"response {n}", ("renewal-accepted", "read", "I dispute this", "my husband died"))
    return [stage.event(at, "portal", "Customer Responded", **named, response=words)]


def _payments(stage: Stage, named: Mapping[str, str], record: Record, n: int | str, at: float) -> list[Act]:
    """Paid whole, in part, without a document, twice told, or taken back."""
    amount = record.fields.get("amount_due", "10.00")
    part = stage.likely(f"part {n}", 0.25) and "." in amount
    paid = f"{float(amount) / 2:.2f}" if part else amount
    who = (
        {k: v for k, v in named.items() if k != "document_id"}
        if stage.likely(f"unnamed {n}", 0.2)
        else dict(named)
    )
    money = {
        "amount": paid,
        "currency": record.fields.get("currency", "USD"),
        "payment_id": f"P-{stage.name}-{n}",
    }
    payment = stage.event(at, "billing", "Payment Received", **who, **money)
    acts: list[Act] = [payment]
    if stage.likely(f"told twice {n}", 0.2):
        acts.append(replace(payment, at=payment.at + stage.after(f"twice {n}", 1, DAY)))
    if stage.likely(f"reversed {n}", 0.15):
        back = at + stage.after(f"back {n}", HOUR, 5 * DAY)
        acts.append(stage.event(back, "billing", "Payment Reversed", **who, reversal_of=money["payment_id"],
                                amount=paid, currency=money["currency"]))  # fmt: skip
    return acts


def before_the_notice(stage: Stage) -> list[Act]:
    """What a customer says of a document or a case comes before its run, or in the same moment."""
    run = stage.run(stage.one_of("domain", ("claims", "lending")))
    acts: list[Act] = [replace(run, at=run.at + stage.after("run", 1, HOUR))]
    for n, record in enumerate(run.records[:6]):
        told = record.fields
        if record.flaw or not stage.likely(f"early {n}", 0.5):
            continue
        by_case = "case_id" in told and stage.likely(f"by case {n}", 0.5)
        named = {"case_id": told["case_id"]} if by_case else {
            "customer_key": told["customer_key"], "document_id": told["document_id"]}  # fmt: skip
        at = stage.after(f"at {n}", 1, HOUR)
        acts.append(
            stage.event(at, "portal", "Customer Responded", domain=run.domain, response="called us", **named)
        )
    return acts


def account_changes(stage: Stage) -> list[Act]:
    """An account's status changes while its customer is asked for money."""
    run = stage.run("lending", most=12)
    acts: list[Act] = [run]
    for n, record in enumerate(run.records):
        key = record.fields.get("customer_key")
        if key and stage.likely(f"status {n}", 0.3):
            status = stage.one_of(
                f"which {n}", ("deceased", "chapter 7", "payment plan", "disputed", "current", "odd")
            )
            at = stage.after(f"at {n}", 1, 10 * DAY)
            said = {"customer_key": key, "account_status": status}
            acts.append(stage.event(at, "billing", "Account Status Changed", domain="lending", **said))
    return acts


def portal(stage: Stage) -> list[Act]:
    """Customers change their preferences in the portal, around a run that concerns them."""
    domain = stage.domain()
    run = stage.run(domain)
    acts: list[Act] = [replace(run, at=run.at + stage.after("run", 1, HOUR))]
    topics = {"retail": "statements", "insurance": "contracts", "lending": "reminders", "claims": "cases"}
    for n in range(1 + stage.chance.below(f"{stage.name} number", 5)):
        customer = stage.customer(domain, f"who {n}")
        change: Mapping[str, Any] = stage.one_of(f"change {n}", (
            {"opt_outs": {"*": ["email", "sms"]}}, {"opt_outs": {topics[domain]: ["sms"]}},
            {"opt_outs": {topics[domain]: ["email", "sms"]}}, {"opt_outs": {"*": []}},
            {"language": "de"}, {"channel_order": ["sms", "email"]},
            {"quiet_hours": ["10:00", "11:00"]}, {"paper_required": True}, {"paper_required": False},
            {"consent": {"given": False, "version": "1"}}, {"consent": {"given": True, "version": "1"}},
            {"email": f"new.{customer.key.lower()}@example.com", "verified": True},
            {"email": f"new.{customer.key.lower()}@example.com"},
        ))  # fmt: skip
        at = stage.after(f"at {n}", 1, 3 * DAY)
        acts.append(
            stage.event(
                at, "portal", "Preferences Changed", domain=domain, customer_key=customer.key, **change
            )
        )
    return acts


def texts(stage: Stage) -> list[Act]:
    """Text messages come out of the blue: stops, starts, and what a person must read."""
    acts: list[Act] = []
    for n in range(1 + stage.chance.below(f"{stage.name} number", 4)):
        customer = stage.customer(stage.domain(), f"who {n}")
        if customer.mobile:
            at = stage.at + stage.after(f"at {n}", 1, DAY)
            reply_id = f"reply-{stage.name}-{n}"
            text = stage.one_of(f"text {n}", _TEXTS)
            acts.append(Reply(at=at, number=customer.mobile, text=text, reply_id=reply_id))
    return acts


def imported(stage: Stage) -> list[Act]:
    """An existing preference file is laid over the contacts, perhaps twice."""
    domain = stage.domain()
    rows = ["customer_key,email,language,channel_order,opt_outs,paper_required"]
    for n in range(1 + stage.chance.below(f"{stage.name} rows", 10)):
        customer = stage.cast.customer(domain, n)
        rows.append(",".join(_row(stage, customer, n)))
    line = ("import", "{folder}/preferences.csv", "--domain", domain, "--apply")
    text = "\n".join(rows) + "\n"
    acts: list[Act] = [stage.types(0.0, *line, **{"preferences.csv": text})]
    if stage.likely("again", 0.4):
        acts.append(stage.types(stage.after("again", 1, DAY), *line, **{"preferences.csv": text}))
    return acts


def _row(stage: Stage, customer: Customer, n: int) -> tuple[str, ...]:
    return (
        customer.key,
        stage.one_of(f"email {n}", ("", f"imported.{customer.key.lower()}@example.com")),
        stage.one_of(f"language {n}", ("", "fr")),
        stage.one_of(f"order {n}", ("", "sms;email")),
        stage.one_of(f"outs {n}", ("", "", "sms", "email")),
        stage.one_of(f"paper {n}", ("", "", "yes", "no")),
    )


def asked(stage: Stage) -> list[Act]:
    """Exstream asks for eligibility before it composes, and the run follows."""
    domain = stage.domain()
    run = stage.run(domain)
    keys = sorted({r.fields["customer_key"] for r in run.records if "customer_key" in r.fields})[:20]
    kinds = sorted(set(TYPES[domain]) - {"offer"})
    body = {"domain": domain, "customers": [{"customer_key": key} for key in keys], "document_types": kinds}
    ask = Ask(at=stage.at, method="POST", path="/v1/eligibility", body=json.dumps(body))
    return [ask, replace(run, at=run.at + stage.after("run", 1, HOUR))]
