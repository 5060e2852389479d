"""The proof of one notice: what was prepared, what was sent, what was reported, and whether it all holds.

Three things are laid side by side: the ledger's chain of events, in which each carries the hash of the one
before; the evidence of each attempt, written before its claim, which names its place in that chain; and
the anchors, the heads of the chain as they stood after receipts, written to the evidence bucket.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from html import escape
from typing import TYPE_CHECKING, Any

from exstream_notify.domain.decisions import Why
from exstream_notify.domain.notices import Notice

from .notices import notice_row

if TYPE_CHECKING:
    from exstream_notify.adapters.bootstrap import Bootstrap


def proof_of(app: "Bootstrap", notice: Notice, *, thorough: bool = False) -> dict[str, Any]:
    """The notice with the opened evidence of every attempt, every receipt, and the anchors of its chain.

    `holds` is true if the events' chain is unbroken, every attempt's evidence opens, is of that attempt
    and names a place in that chain, and every anchor is a place in it too. Of an erased customer the
    content cannot be opened any more (`erased`), so the proof does not hold as a whole; chain and anchors
    are checked all the same. `thorough` also
    looks for anchors that the ledger does not name, hour by hour: that shows a chain that was cut short.
    """
    from exstream_notify.domain.notices import chain_start, event_hash

    places = {chain_start(notice): 0}
    places |= {event_hash(event): number for number, event in enumerate(notice.events, 1)}
    salts = salts_of(app, notice)
    attempts = [_attempt(app, notice, a.number, a.evidence, salts, set(places)) for a in notice.attempts]
    anchors, receipts = _anchors(app, notice, places, thorough=thorough)
    for attempt in attempts:
        head = (attempt["evidence"] or {}).get("chain")
        if head in places:
            anchors.append({"reference": attempt["reference"], "at": attempt["evidence"]["prepared_at"],
                            "event": places[head], "problem": None})  # fmt: skip
    anchors.sort(key=lambda row: (row["at"], row["reference"]))
    covered = max((row["event"] or 0 for row in anchors), default=0)
    row = notice_row(notice)
    sound = all(a["problem"] is None for a in attempts)
    return {
        "notice": row,
        "delivery": _delivery(notice),
        "attempts": attempts,
        "receipts": receipts,
        "anchors": anchors,
        "anchored_events": covered,
        "chain_holds": row["chain_holds"],
        "erased": any(a["erased"] for a in attempts),
        "holds": bool(row["chain_holds"] and sound and all(a["problem"] is None for a in anchors)),
        "not_covered": _not_covered(notice, covered, thorough=thorough),
    }


def _delivery(notice: Notice) -> list[dict[str, Any]]:
    """Per attempt what is known and from whom: handing over is ours to say, arriving the provider's alone."""
    from exstream_notify.domain.notices import REACHED, Status

    return [
        {
            "attempt": a.number,
            "channel": a.channel,
            "provider": a.provider,
            "provider_ref": a.ref,
            "status": str(a.status),
            "handed_over": bool(a.ref) or a.status in REACHED,
            "delivered": a.status in (Status.DELIVERED, Status.COMPLAINED),
            "why": a.why,
        }
        for a in notice.attempts
    ]


_ANCHORED = re.compile(r"(evidence/receipts/\S+)$")
_OBJECTS = 5_000


def _anchors(
    app: "Bootstrap", notice: Notice, places: dict[str, int], *, thorough: bool
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The anchors that the events name (and, thoroughly, all there are), and the receipts kept with them."""
    named = [match[1] for event in notice.events if (match := _ANCHORED.search(event.detail))]
    found = list(dict.fromkeys(named))
    if thorough:
        found = list(dict.fromkeys([*found, *_objects_since(app, notice.created_at)]))
    anchors: list[dict[str, Any]] = []
    receipts: list[dict[str, Any]] = []
    for reference in found:
        try:
            kept = app.receipt_evidence.read(reference)
        except ValueError:
            anchors.append({"reference": reference, "at": "", "event": None, "problem": "it cannot be read"})
            continue
        rows = [r for r in kept if r.get("notice_id") == notice.notice_id]
        if not rows and reference in named:
            problem = "the ledger names it, and it is not there"
            anchors.append({"reference": reference, "at": "", "event": None, "problem": problem})
        for row in rows:
            place = places.get(row["head"])
            wrong = None if place is not None else "its head is not in the ledger's chain"
            wrong = wrong or _differs(notice, row)
            anchors.append({"reference": reference, "at": row["at"], "event": place, "problem": wrong})
            receipts += [{**receipt, "kept_in": reference} for receipt in row.get("receipts", ())]
    return anchors, sorted(receipts, key=lambda row: str(row.get("at", "")))


def _differs(notice: Notice, row: dict[str, Any]) -> str | None:
    """What is wrong with an anchor's receipts: each is an event of the chain, told in the same words."""
    from exstream_notify.domain.receipts import Kind, Receipt

    for told in row.get("receipts", ()):
        mark = f"#{told.get('identity')}"
        event = next((e for e in notice.events if mark in e.detail), None)
        if event is None:
            return "a receipt in it is not in the ledger's chain"
        try:
            if event.what == f"receipt {told['kind']}" and told.get("reason", "") in event.detail:
                # Older evidence does not say whom it was about, so its other words cannot be checked.
                made = {name: told[name] for name in ("attempt", "code", "ref", "said_by") if name in told}
                receipt = Receipt(
                    told["provider"], told["channel"], Kind(told["kind"]), told["at"],
                    notice_id=notice.notice_id, hashes=(told["who"],) if told.get("who") else (), **made,
                )  # fmt: skip
                if "who" not in told or mark == f"#{receipt.identity}":
                    continue
        except (KeyError, TypeError, ValueError):
            pass
        return "a receipt in it is not as the ledger's chain has it"
    return None


def _objects_since(app: "Bootstrap", since: str) -> Iterator[str]:
    """The receipts' evidence from that hour on, oldest first, up to a bound."""
    from itertools import islice

    bucket, prefix = app.settings.evidence_bucket, "evidence/receipts/"
    start = f"{prefix}{since[:13].replace('-', '/').replace('T', '/')}"
    pages = (
        app.client("s3")
        .get_paginator("list_objects_v2")
        .paginate(Bucket=bucket, Prefix=prefix, StartAfter=start)
    )
    yield from islice((row["Key"] for page in pages for row in page.get("Contents", ())), _OBJECTS)


def _not_covered(notice: Notice, covered: int, *, thorough: bool) -> list[str]:
    """What the proof does not show, in sentences; it goes onto the page."""
    told = [
        "That a person read it: delivered means that the recipient's mail server or network took it.",
        "What a provider reports is its word; nothing of it is signed.",
        "The anchors are as safe as the evidence bucket: against us ourselves only where it is locked "
        "(EvidenceLock).",
    ]
    if covered < len(notice.events):
        rest = len(notice.events) - covered
        told.insert(
            0, f"The last {rest} of {len(notice.events)} events: no anchor was written after them yet."
        )
    if not thorough:
        told.append(
            "Whether the end of the chain was cut off together with its references: --thorough looks."
        )
    return told


def salts_of(app: "Bootstrap", notice: Notice) -> tuple[str, ...]:
    """What the notice's evidence may be keyed with; nothing for a customer whose contact is gone (erased).

    A team's copy tells of the customer, so it is keyed with the customer's salt; not so in earlier releases.
    """
    from exstream_notify.use_cases.send_notices import TEAM_SALT

    contact = app.contacts.get(notice.domain, [notice.contact_key]).get(notice.contact_key)
    own = (contact.salt,) if contact is not None and contact.salt else ()
    return own if notice.audience == "customer" else (*own, TEAM_SALT)


def opened(app: "Bootstrap", reference: str, ref: str, salts: Sequence[str]) -> dict[str, Any]:
    """An evidence line, opened with the salt that fits; EvidenceUnreadable if none does."""
    from exstream_notify.adapters.encryption import EvidenceUnreadable

    for salt in salts:
        with suppress(EvidenceUnreadable):
            return app.evidence.read(reference, ref, salt)
    raise EvidenceUnreadable(f"evidence of {ref} does not open")


def _never_begun(notice: Notice, number: int) -> bool:
    """Whether an attempt ended before its claim, as its chained events say too: it could not be rendered."""
    attempt = notice.attempt(number)
    if attempt is None or attempt.why != Why.NOT_RENDERED:
        return False
    of_it = [event.what for event in notice.events if event.detail.startswith(f"{number} ")]
    # A claim that was withdrawn, with the same number, is followed by its being put off.
    before = of_it[: of_it.index("failed")] if "failed" in of_it else ["claimed"]
    return before[-1:] != ["claimed"]


def _attempt(
    app: "Bootstrap", notice: Notice, number: int, reference: str, salts: Sequence[str], heads: set[str]
) -> dict[str, Any]:
    told: dict[str, Any] = {
        "number": number, "reference": reference, "evidence": None, "problem": None, "erased": False,
    }  # fmt: skip
    ref = f"{notice.notice_id}:{number}"
    if not reference and _never_begun(notice, number):
        return told  # nothing was prepared, so there is nothing to prove
    if not reference:
        return told | {"problem": "the ledger names no evidence for it"}
    if not salts:
        return told | {"problem": "the customer's key is gone (erased): nobody can open it", "erased": True}
    from exstream_notify.adapters.encryption import EvidenceUnreadable

    try:
        line = opened(app, reference, ref, salts)
    except EvidenceUnreadable as error:
        return told | {"problem": f"it does not open: {error}"}
    except (LookupError, ValueError) as error:
        return told | {"problem": f"it cannot be read: {error}"}
    except app.client("s3").exceptions.ClientError as error:
        return told | {"problem": f"it cannot be read: {error}"}
    told["evidence"] = line
    if line.get("ref") != ref:
        told["problem"] = "it is of another attempt"
    elif line.get("chain") not in heads:
        told["problem"] = "the event that it followed is not in the ledger's chain"
    return told


def as_html(proof: dict[str, Any]) -> str:
    """The proof as one page to print; nothing in it is fetched, and the message stands as text."""
    notice = proof["notice"]
    about = [
        ("Notice", notice["notice_id"]),
        ("Customer", notice["customer_key"]),
        *([("Recipient", notice["recipient"])] if notice["recipient"] else ()),
        ("Document", f"{notice['document_id']} ({notice['document_type']})"),
        ("Run", f"{notice['domain']}/{notice['run_id']}, record {notice['position']}"),
        ("Told", f"{notice['audience']}, {notice['purpose']}"),
        ("Status", f"{notice['status']} {notice['why']}"),
    ]
    verdict = "The proof holds." if proof["holds"] else "The proof does not hold: see below."
    if proof["erased"]:
        verdict += " The customer was erased: what was sent cannot be opened any more."
    delivered = [d for d in proof["delivery"] if d["delivered"]]
    sent = [d for d in proof["delivery"] if d["handed_over"]]
    about += [
        ("Sent", _spoken(sent) or "nothing was handed over to a provider"),
        ("Delivered", _spoken(delivered) or "no provider has reported delivery"),
    ]
    parts = [
        '<!doctype html><html lang="en"><meta charset="utf-8">',
        f"<title>Proof of notice {escape(notice['notice_id'])}</title>",
        f"<style>{_STYLE}</style>",
        "<h1>Proof of one notice</h1>",
        f'<p class="{"holds" if proof["holds"] else "broken"}">{verdict}</p>',
        _table(about),
    ]
    for attempt in proof["attempts"]:
        made = next(a for a in notice["attempts"] if a["number"] == attempt["number"])
        parts.append(f"<h2>Attempt {attempt['number']}</h2>")
        line = attempt["evidence"] or {}
        rows = [
            ("Channel", f"{made['channel']} by {made['provider']}"),
            ("Result", f"{made['status']} {made['why']}"),
            ("Provider's reference", made["provider_ref"]),
            ("Prepared", line.get("prepared_at", "")),
            ("To", line.get("to", "")),
            (
                "Wording",
                f"{line.get('wording', '')} {line.get('wording_version', '')} {line.get('language', '')}",
            ),
            ("Subject", line.get("subject", "")),
            ("Evidence", attempt["reference"]),
            ("Problem", attempt["problem"] or ""),
        ]
        parts.append(_table([row for row in rows if str(row[1]).strip()]))
        if text := line.get("text"):
            parts.append(f"<pre>{escape(filled(text, line.get('inserts')))}</pre>")
    events = [(event["at"], f"{event['what']} {event['detail']}") for event in notice["events"]]
    chain = "unbroken" if proof["chain_holds"] else "broken: an event was changed or taken out"
    receipts = [
        (
            str(r.get("at", "")),
            " ".join(str(r.get(name, "")) for name in ("kind", "provider", "code", "reason", "ref")).strip(),
        )
        for r in proof["receipts"]
    ]
    anchors = [
        (
            str(a["at"] or "missing"),
            f"{a['reference']}: " + (a["problem"] or f"fits, after event {a['event']}"),
        )
        for a in proof["anchors"]
    ]
    parts += ["<h2>Receipts</h2>", _table(receipts) if receipts else "<p>None.</p>"]
    covered = f"{proof['anchored_events']} of {len(events)} events lie before the last anchor."
    parts += [f"<h2>Events</h2><p>The chain of events is {chain}. {covered}</p>", _table(events)]
    parts += ["<h2>Anchors in the evidence</h2>", _table(anchors) if anchors else "<p>None.</p>"]
    gaps = "".join(f"<li>{escape(text)}</li>" for text in proof["not_covered"])
    parts += [f"<h2>What this does not show</h2><ul>{gaps}</ul>", "</html>"]
    return "\n".join(parts) + "\n"


def _spoken(rows: list[dict[str, Any]]) -> str:
    return "; ".join(
        f"{r['channel']} by {r['provider']}, reference {r['provider_ref'] or 'none'}" for r in rows
    )


def filled(text: str, inserts: list[str] | None) -> str:
    """A bulk content as its customer read it, `(i1)`, `(i2)`... replaced by the inserts."""
    for number, value in reversed(list(enumerate(inserts or (), 1))):
        text = text.replace(f"(i{number})", value)
    return text


def _table(rows: list[tuple[str, str]]) -> str:
    cells = "".join(
        f"<tr><th>{escape(str(name))}</th><td>{escape(str(value))}</td></tr>" for name, value in rows
    )
    return f"<table>{cells}</table>"


_STYLE = (
    "body{font:15px/1.5 sans-serif;max-width:50em;margin:2em auto;padding:0 1em;color:#111}"
    "th{text-align:left;font-weight:normal;color:#555;padding-right:1.5em;vertical-align:top;white-space:nowrap}"
    "td{overflow-wrap:anywhere}pre{white-space:pre-wrap;border:1px solid #ccc;padding:1em}"
    ".holds{color:#060;font-weight:bold}.broken{color:#a00;font-weight:bold}"
    "@media print{body{margin:0}h2{break-after:avoid}}"
)
