"""The proof of one notice: what was prepared for each attempt, and whether it all holds."""

from html import escape
from typing import TYPE_CHECKING, Any

from exstream_notify.domain.notices import Notice

from .notices import notice_row

if TYPE_CHECKING:
    from exstream_notify.adapters.bootstrap import Bootstrap


def proof_of(app: "Bootstrap", notice: Notice) -> dict[str, Any]:
    """The notice with the opened evidence of every attempt.

    `holds` is true if the events' chain is unbroken and every attempt's evidence opens, is of that
    attempt, and names a place in that chain. What the proof does not cover, `docs/cli.md` says.
    """
    from exstream_notify.domain.notices import chain_start, event_hash

    heads = {chain_start(notice), *map(event_hash, notice.events)}
    salt = salt_of(app, notice)
    attempts = [_attempt(app, notice, a.number, a.evidence, salt, heads) for a in notice.attempts]
    row = notice_row(notice)
    return {
        "notice": row,
        "attempts": attempts,
        "chain_holds": row["chain_holds"],
        "holds": bool(row["chain_holds"] and all(a["problem"] is None for a in attempts)),
    }


def salt_of(app: "Bootstrap", notice: Notice) -> str | None:
    """What the notice's evidence is keyed with; None for a customer whose contact is gone (erased)."""
    from exstream_notify.use_cases.send_notices import TEAM_SALT

    if notice.audience != "customer":
        return TEAM_SALT
    contact = app.contacts.get(notice.domain, [notice.customer_key]).get(notice.customer_key)
    return contact.salt if contact else None


def _attempt(
    app: "Bootstrap", notice: Notice, number: int, reference: str, salt: str | None, heads: set[str]
) -> dict[str, Any]:
    told: dict[str, Any] = {"number": number, "reference": reference, "evidence": None, "problem": None}
    ref = f"{notice.notice_id}:{number}"
    if not reference:
        return told | {"problem": "the ledger names no evidence for it"}
    if salt is None:
        return told | {"problem": "the customer's key is gone (erased): nobody can open it"}
    from exstream_notify.adapters.encryption import EvidenceUnreadable

    try:
        line = app.evidence.read(reference, ref, salt)
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
        ("Document", f"{notice['document_id']} ({notice['document_type']})"),
        ("Run", f"{notice['domain']}/{notice['run_id']}, record {notice['position']}"),
        ("Told", f"{notice['audience']}, {notice['purpose']}"),
        ("Status", f"{notice['status']} {notice['why']}"),
    ]
    verdict = "The proof holds." if proof["holds"] else "The proof does not hold: see below."
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
    parts += [f"<h2>Events</h2><p>The chain of events is {chain}.</p>", _table(events), "</html>"]
    return "\n".join(parts) + "\n"


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
