"""A mail as it goes out (RFC 5322, RFC 2045)."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from email import policy
from email.headerregistry import Address
from email.message import EmailMessage


def mail_source(
    *,
    sender: tuple[str, str],
    to: str,
    subject: str,
    text: str,
    html: str,
    headers: Sequence[tuple[str, str]],
    message_id: str,
    at: datetime,
) -> str:
    """The source of a mail; `sender` is display name and address. The same message gives the same source."""
    mail = EmailMessage(policy=policy.SMTP)
    name, address = sender
    mail["From"] = Address(display_name=name, addr_spec=address) if address else name
    mail["To"] = to
    mail["Subject"] = subject
    mail["Date"] = at
    mail["Message-ID"] = f"<{message_id}@example.com>"
    for header, value in headers:
        mail[header] = value
    if text or not html:
        mail.set_content(text, charset="utf-8", cte="quoted-printable")
    if html and text:
        mail.add_alternative(html, subtype="html", charset="utf-8", cte="quoted-printable")
        mail.set_boundary("=_" + hashlib.sha256(message_id.encode()).hexdigest()[:24])
    elif html:
        mail.set_content(html, subtype="html", charset="utf-8", cte="quoted-printable")
    return mail.as_bytes().decode("ascii", "replace").replace("\r\n", "\n")
