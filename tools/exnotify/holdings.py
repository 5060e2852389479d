"""What is held about one customer: written out, or erased."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exstream_notify.domain.holds import ErasureForbidden, refuse_if_held
from exstream_notify.domain.preferences import CHANNELS

from .errors import CommandError, MisuseError
from .notices import notice_row

if TYPE_CHECKING:
    from exstream_notify.domain.contacts import Contact

    from .deployment import Deployment


def write_held(target: "Deployment", contact: "Contact", path: Path) -> None:
    """Everything under the customer's key: profile, suppressions, notices, and the opened evidence."""
    app = target.app
    profile = asdict(contact)
    del profile["salt"]
    notices = []
    for notice in app.ledger.of_customer(contact.domain, contact.customer_key):
        if notice.recipient != contact.recipient:
            continue
        row: dict[str, Any] = notice_row(notice)
        row["evidence"] = [_opened(target, notice.notice_id, a, contact.salt) for a in notice.attempts]
        notices.append(row)
    addresses = [(c, address.value) for c in CHANNELS if (address := contact.address(c)) is not None]
    blocked = app.suppressions.suppressed(addresses)
    held = {
        "contact": profile,
        "suppressed": sorted(channel for channel, _ in blocked),
        "notices": notices,
    }
    path.write_text(json.dumps(held, indent=1, ensure_ascii=False, default=str) + "\n", "utf-8")


def _opened(target: "Deployment", notice_id: str, attempt: Any, salt: str) -> Any:
    if not attempt.evidence:
        return None
    try:
        return target.app.evidence.read(attempt.evidence, f"{notice_id}:{attempt.number}", salt)
    except Exception as error:  # a line that does not open is told, and the rest is written
        return {"unreadable": type(error).__name__}


def erase_contact(target: "Deployment", contact: "Contact", why: str) -> None:
    """Delete the profile with its salt. What the customer stopped for good stays stopped, by keyed hash."""
    if not why:
        raise MisuseError("an erasure needs its reason: --why TEXT")
    try:
        refuse_if_held(contact)
    except ErasureForbidden as held:
        raise CommandError(f"contact {contact.customer_key}: {held}, so nothing is erased") from held
    app, now = target.app, target.app.clock.now()
    for channel in CHANNELS:
        address = contact.address(channel)
        stopped = contact.opted_out(channel, "*") or (address is not None and not address.usable)
        if address is not None and stopped:
            app.opt_outs.stop(channel, address.value, f"erasure by {target.who}", now)
    if not app.contacts.erase(contact, target.who, why, now):
        raise CommandError(f"contact {contact.customer_key} changed meanwhile: look again, then erase")
