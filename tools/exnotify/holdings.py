"""What is held about one customer: written out, or erased."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from exstream_notify.domain.holds import ErasureForbidden
from exstream_notify.domain.preferences import CHANNELS
from exstream_notify.use_cases.erase_contact import erase_contact

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


def erase(target: "Deployment", contact: "Contact", why: str) -> "Contact":
    """Erase the contact; what stays is the mark of who erased it, when and why."""
    if not why.strip():
        raise MisuseError("an erasure needs its reason: --why TEXT")
    app = target.app
    try:
        return erase_contact(
            contact, target.who, why, contacts=app.contacts, opt_outs=app.opt_outs, clock=app.clock
        )
    except ErasureForbidden as held:
        raise CommandError(f"contact {contact.customer_key}: {held}, so nothing is erased") from held
