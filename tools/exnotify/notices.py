"""Notices as operators see them."""

import re
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from exstream_notify.domain.notices import REACHED, Attempt, Notice, chain_holds, happened
from exstream_notify.domain.responses import revoked
from exstream_notify.domain.second_step import Step

from .errors import CommandError, MisuseError

if TYPE_CHECKING:
    from exstream_notify.adapters.bootstrap import Bootstrap

    from .deployment import Deployment

_ID = re.compile(r"[0-9a-f]{32}")


def find_notice(app: "Bootstrap", notice_id: str) -> Notice:
    """The notice of that id; CommandError if the ledger has none."""
    notice_id = notice_id.partition(":")[0].lower()
    if not _ID.fullmatch(notice_id):
        raise MisuseError(f"{notice_id!r} is no notice id: that is 32 hexadecimal digits")
    found = app.ledger.get([notice_id]).get(notice_id)
    if found is None:
        raise CommandError(f"the ledger has no notice {notice_id}")
    return found


def spoken_attempt(notice: Notice) -> Attempt | None:
    """The attempt that a notice is best described by: the one that was sent, else the last."""
    sent = [a for a in notice.attempts if a.status in REACHED]
    return next(reversed(sent or notice.attempts), None)


def notice_row(notice: Notice) -> dict[str, Any]:
    """A notice in the form of `exnotify notice --json`."""
    attempt = spoken_attempt(notice)
    origin = notice.origin
    return {
        "notice_id": notice.notice_id,
        "status": str(notice.status),
        "why": notice.why,
        "channel": attempt.channel if attempt else None,
        "provider": attempt.provider if attempt else None,
        "provider_ref": attempt.ref if attempt else None,
        "domain": notice.domain,
        "customer_key": notice.customer_key,
        "recipient": notice.recipient,
        "document_id": notice.document_id,
        "document_type": notice.document_type,
        "run_id": origin.run.partition("/")[2],
        "position": origin.position,
        "purpose": notice.purpose,
        "audience": notice.audience,
        "attempts": [
            {
                "number": a.number,
                "channel": a.channel,
                "provider": a.provider,
                "provider_ref": a.ref,
                "status": str(a.status),
                "why": a.why,
                "address_hash": a.address,
                "job": a.job,
                "evidence": a.evidence,
            }
            for a in notice.attempts
        ],
        "events": [
            {"at": e.at, "what": e.what, "detail": e.detail, "before": e.before, "report": e.report}
            for e in notice.events
        ],
        "pauses": asdict(notice.pauses) if notice.pauses else None,
        "chain_holds": chain_holds(notice),
        "waiting": list(notice.waiting),
        "due_at": notice.due_at,
        "responses": list(notice.responses),
        "payments": [
            {
                "kind": f.kind,
                "payment": f.of or f.key,
                "amount": f.amount or None,
                "currency": f.currency or None,
                "shared": f.shared,
            }
            for f in notice.payments.facts
        ],
        "superseded_by": notice.superseded_by,
        "link_revoked": notice.link_revoked,
        "created_at": notice.created_at,
        "version": notice.version,
    }


def what_is_left(app: "Bootstrap", notice: Notice) -> dict[str, Any]:
    """What was due on a notice's document, what was paid on it, and what is left: plain decimals, None where
    nobody can say it. The record is read for it, as long as it is kept."""
    from exstream_notify.domain.payments import balance, left_to_pay
    from exstream_notify.use_cases.slices import document_of

    document = document_of(notice, app.records)
    if document is None or document.amount_due is None:
        return {"amount_due": None, "currency": None, "paid": None, "left": None}
    found = balance(notice.payments, document)
    left = left_to_pay(notice.payments, document)
    return {
        "amount_due": document.amount_due,
        "currency": document.currency,
        "paid": f"{found.paid:f}" if found.clear else None,
        "left": None if left is None else f"{left:f}",
    }


def revoke_link(target: "Deployment", notice: Notice, why: str) -> Notice:
    """The notice with its secure link revoked, by whom and why in its events; MisuseError without why."""
    return _changed(target, notice, why, lambda n, told: revoked(n, told, target.app.clock.now()))


def unlock_link(target: "Deployment", notice: Notice, why: str) -> Notice:
    """The notice with its customer's tries forgotten, in its events as well.

    The count lies beside the notice and goes after the event: unlocked without a trace it never is.
    """
    after = _changed(
        target, notice, why, lambda n, told: happened(n, target.app.clock.now(), "link unlocked", told)
    )
    step = Step("none", notice.domain, notice.contact_key, notice.notice_id, "")
    target.app.tries.clear(step.counted)
    return after


def _changed(
    target: "Deployment", notice: Notice, why: str, change: Callable[[Notice, str], Notice]
) -> Notice:
    if not why.strip():
        raise MisuseError("say why: the reason stays with the notice")
    for _ in range(5):
        after = change(notice, f"{why.strip()}, by {target.who}")
        blocked = target.app.ledger.put([after])
        if not blocked:
            return after
        notice = blocked[notice.notice_id]
    raise CommandError(f"notice {notice.notice_id} kept changing: try again")


def domains_of(target: "Deployment", customer_key: str, domain: str | None) -> list[str]:
    """The domains that know a customer, or a recipient of theirs; the given one, if one is given.

    Only the embedded cloud's small tables are searched: on AWS that would read the whole table.
    """
    if domain:
        return [domain]
    if target.url is None:
        raise MisuseError("say with --domain whose customer it is: to search all would read the whole table")
    client, table = target.client("dynamodb"), target.settings.contacts_table
    pages = client.get_paginator("scan").paginate(TableName=table, ProjectionExpression="pk")
    keys = [row["pk"]["S"] for page in pages for row in page["Items"]]
    found = (key.partition("#") for key in keys)
    return sorted({domain for domain, _, key in found if key.partition("\x1f")[0] == customer_key})
