"""Bounce mails and what is none, of our own making, in the forms that mailers write."""

from exstream_notify.domain.receipts import Kind
from exstream_notify.domain.references import made

NOTICE = "0123456789abcdef0123456789abcdef"
KEYS = {1: b"the key of the references"}
REFERENCE = made(NOTICE, 1, 1, KEYS[1])
ORIGINAL = f"""From: notices@example.com
To: c100001@example.com
Subject: Your statement is ready
X-Notice-Id: {REFERENCE}
Message-ID: <n-1@example.com>

Your statement is ready.
"""


def dsn(
    action: str = "failed",
    status: str = "5.1.1",
    diagnostic: str = "smtp; 550 5.1.1 <c100001@example.com>: user unknown",
    human: str = "Your message could not be delivered.",
    recipient: str = "rfc822; c100001@example.com",
    sender: str = "MAILER-DAEMON@mx.example.net",
    subject: str = "Undelivered Mail Returned to Sender",
) -> str:
    """A report as RFC 3464 has it."""
    return f"""From: {sender}
To: notices@example.com
Subject: {subject}
Date: Fri, 20 Nov 2026 04:26:00 +0000
MIME-Version: 1.0
Content-Type: multipart/report; report-type=delivery-status; boundary="b1"

--b1
Content-Type: text/plain; charset=utf-8

{human}

--b1
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net

Final-Recipient: {recipient}
Action: {action}
Status: {status}
Diagnostic-Code: {diagnostic}

--b1
Content-Type: message/rfc822

{ORIGINAL}
--b1--
"""


def plain(sender: str, subject: str, body: str, *, headers: str = "") -> str:
    """A mail of one text part."""
    return (
        f"From: {sender}\nTo: notices@example.com\nSubject: {subject}\n{headers}"
        f"Content-Type: text/plain; charset=utf-8\n\n{body}\n"
    )


QMAIL = (
    """Hi. This is the qmail-send program at mx.example.net.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<c100001@example.com>:
Sorry, no mailbox here by that name. (#5.1.1)

--- Below this line is a copy of the message.

"""
    + ORIGINAL
)
EXIM = (
    """This message was created automatically by mail delivery software.

A message that you sent could not be delivered to one or more of its
recipients. This is a permanent error. The following address(es) failed:

  c100001@example.com
    SMTP error from remote mail server after RCPT TO:<c100001@example.com>:
    host mx.example.com [192.0.2.1]: 550 No such user here

------ This is a copy of the message, including all the headers. ------

"""
    + ORIGINAL
)
EXIM_WARNING = """This message was created automatically by mail delivery software.
A message that you sent has not yet been delivered to one or more of its
recipients after more than 24 hours on the queue on mx.example.net.

The address to which the message has not yet been delivered is:

  c100001@example.com

No action is required on your part. Delivery attempts will continue for
some time, and this warning may be repeated at intervals.
"""
POSTFIX = """This is the mail system at host mx.example.net.

I'm sorry to have to inform you that your message could not
be delivered to one or more recipients. It's attached below.

<c100001@example.com>: host mx.example.com[192.0.2.1] said: 552 5.2.2
    Mailbox full (in reply to RCPT TO command)
"""
SENDMAIL = """The original message was received at Fri, 20 Nov 2026 04:20:00 GMT
from localhost

   ----- The following addresses had permanent fatal errors -----
<c100001@example.com>

   ----- Transcript of session follows -----
... while talking to mx.example.com.:
>>> RCPT To:<c100001@example.com>
<<< 550 5.1.1 User unknown
550 5.1.1 <c100001@example.com>... User unknown
"""
EXCHANGE = """Your message did not reach some or all of the intended recipients.

      Subject:  Your statement is ready
      Sent:     11/20/2026 4:20 AM

The following recipient(s) could not be reached:

      c100001@example.com on 11/20/2026 4:20 AM
            The e-mail account does not exist at the organization this message was sent to.
            <mx.example.net #5.1.1>
"""
YAHOO = (
    """Message from mail.example.net.
Unable to deliver message to the following address(es).

<c100001@example.com>:
This user doesn't have a mail.example.net account (c100001@example.com) [0]

--- Original message follows.

"""
    + ORIGINAL
)
NOTES = (
    """------- Failure Reasons  --------

User not listed in public Name & Address Book
c100001@example.com

------- Returned Message --------

"""
    + ORIGINAL
)
GERMAN = """Diese Nachricht wurde automatisch erzeugt.

Ihre Nachricht konnte nicht zugestellt werden an:

c100001@example.com

Grund: Das Postfach ist voll.
"""
FRENCH = """Votre message n'a pas pu être remis au destinataire suivant :

c100001@example.com

Motif : utilisateur inconnu
"""
SPANISH = """No se pudo entregar su mensaje a:

c100001@example.com

El usuario no existe.
"""
JAPANESE = """次の宛先にメールを送信できませんでした。

<c100001@example.com>

宛先不明
"""
BLOCKED = """This is the mail system at host mx.example.net.

<c100001@example.com>: host mx.example.com[192.0.2.1] said: 554 5.7.1 Service
    unavailable; client host blocked using zen.example.org (in reply to DATA)
"""
ARF = f"""From: abuse@mail.example.net
To: notices@example.com
Subject: FW: Your statement is ready
MIME-Version: 1.0
Content-Type: multipart/report; report-type=feedback-report; boundary="b1"

--b1
Content-Type: text/plain

This is an email abuse report.

--b1
Content-Type: message/feedback-report

Feedback-Type: %s
User-Agent: FBL/1
Version: 1
Original-Rcpt-To: c100001@example.com

--b1
Content-Type: message/rfc822

{ORIGINAL}
--b1--
"""

BOUNCES: list[tuple[str, str, Kind]] = [
    ("rfc3464-unknown", dsn(), Kind.HARD_BOUNCE),
    ("rfc3464-full", dsn(status="5.2.2", diagnostic="smtp; 552 5.2.2 over quota"), Kind.SOFT_BOUNCE),
    (
        "rfc3464-delayed",
        dsn(action="delayed", status="4.4.1", diagnostic="smtp; 421 try later"),
        Kind.DELAYED,
    ),
    ("rfc3464-expired", dsn(status="4.4.7", diagnostic="smtp; delivery time expired"), Kind.GAVE_UP),
    ("rfc3464-too-large", dsn(status="5.3.4", diagnostic="smtp; 552 message too big"), Kind.CONTENT_REFUSED),
    (
        "rfc3464-policy",
        dsn(status="5.7.1", diagnostic="smtp; 550 5.7.1 rejected by policy"),
        Kind.POLICY_REFUSED,
    ),
    ("rfc3464-vague", dsn(status="5.0.0", diagnostic="smtp; 550 user unknown"), Kind.HARD_BOUNCE),
    (
        "rfc3464-full-under-another-code",
        dsn(status="5.1.1", diagnostic="smtp; 550 5.1.1 mailbox is full, over quota"),
        Kind.SOFT_BOUNCE,
    ),
    ("qmail", plain("MAILER-DAEMON@mx.example.net", "failure notice", QMAIL), Kind.HARD_BOUNCE),
    (
        "exim",
        plain(
            "Mail Delivery System <Mailer-Daemon@mx.example.net>",
            "Mail delivery failed: returning message to sender",
            EXIM,
            headers="X-Failed-Recipients: c100001@example.com\nAuto-Submitted: auto-replied\n",
        ),
        Kind.HARD_BOUNCE,
    ),
    (
        "exim-warning",
        plain(
            "Mail Delivery System <Mailer-Daemon@mx.example.net>",
            "Warning: message delayed 24 hours",
            EXIM_WARNING,
        ),
        Kind.DELAYED,
    ),
    (
        "postfix-full",
        plain("MAILER-DAEMON@mx.example.net", "Undelivered Mail Returned to Sender", POSTFIX),
        Kind.SOFT_BOUNCE,
    ),
    (
        "sendmail",
        plain(
            "Mail Delivery Subsystem <MAILER-DAEMON@mx.example.net>",
            "Returned mail: see transcript for details",
            SENDMAIL,
        ),
        Kind.HARD_BOUNCE,
    ),
    (
        "exchange",
        plain(
            "System Administrator <postmaster@mx.example.net>",
            "Undeliverable: Your statement is ready",
            EXCHANGE,
        ),
        Kind.HARD_BOUNCE,
    ),
    ("yahoo", plain("MAILER-DAEMON@mail.example.net", "Failure Notice", YAHOO), Kind.HARD_BOUNCE),
    ("notes", plain("postmaster@mx.example.net", "Undeliverable message", NOTES), Kind.HARD_BOUNCE),
    (
        "german-full",
        plain("Mail Delivery System <mailer-daemon@mx.example.net>", "Unzustellbar: Ihre Nachricht", GERMAN),
        Kind.SOFT_BOUNCE,
    ),
    (
        "french",
        plain("Postmaster <postmaster@mx.example.net>", "Notification d'échec de remise", FRENCH),
        Kind.HARD_BOUNCE,
    ),
    (
        "spanish",
        plain("Postmaster <postmaster@mx.example.net>", "Mensaje no entregado", SPANISH),
        Kind.HARD_BOUNCE,
    ),
    ("japanese", plain("MAILER-DAEMON@mx.example.net", "配信エラー", JAPANESE), Kind.HARD_BOUNCE),
    (
        "blocked",
        plain("MAILER-DAEMON@mx.example.net", "Undelivered Mail Returned to Sender", BLOCKED),
        Kind.POLICY_REFUSED,
    ),
]
"""Name, mail and kind; the bounced address is always c100001@example.com."""

OTHERS: list[tuple[str, str, Kind | None]] = [
    (
        "out-of-office",
        plain(
            "Anna <c100001@example.com>",
            "Out of office",
            "I am away until Monday.",
            headers="Return-Path: <>\n",
        ),
        Kind.AUTO_REPLY,
    ),
    (
        "rfc3834",
        plain(
            "c100001@example.com",
            "Re: Your statement is ready",
            "Thank you.",
            headers="Auto-Submitted: auto-replied\n",
        ),
        Kind.AUTO_REPLY,
    ),
    (
        "abwesenheit",
        plain("c100001@example.com", "Abwesenheitsnotiz: Urlaub", "Ich bin nicht im Büro."),
        Kind.AUTO_REPLY,
    ),
    (
        "absence",
        plain("c100001@example.com", "Réponse automatique : congés", "Je suis absent."),
        Kind.AUTO_REPLY,
    ),
    (
        "challenge",
        plain(
            "Anna <c100001@example.com>",
            "Please confirm your message",
            "Click on the link below to have your message delivered.",
        ),
        Kind.CHALLENGE,
    ),
    (
        "a-parcel",
        plain(
            "Anna <c100001@example.com>",
            "Delivery to my new house",
            "Your letter could not be delivered, address unknown? Write to new@example.com.",
        ),
        None,
    ),
    (
        "a-reply-to-a-bounce",
        plain(
            "Anna <c100001@example.com>",
            "Re: Mail delivery failed: returning message to sender",
            "Why do I get this? You say that a message could not be delivered to other@example.com.",
        ),
        None,
    ),
    ("complaint", ARF % "abuse", Kind.COMPLAINT),
    ("not-spam", ARF % "not-spam", Kind.NOT_SPAM),
    (
        "delivered",
        dsn(
            action="delivered",
            status="2.0.0",
            diagnostic="smtp; 250 ok",
            human="Delivered.",
            subject="Successful Mail Delivery Report",
        ),
        Kind.DELIVERED,
    ),
    (
        "a-question",
        plain(
            "Anna <c100001@example.com>",
            "Re: Your statement is ready",
            "Hello, why is the amount so high? Anna",
        ),
        None,
    ),
    (
        "about-a-bounce",
        plain(
            "Anna <c100001@example.com>",
            "your last letter",
            "My old address user@example.com does not exist any more: user unknown, they say. Use this one.",
        ),
        None,
    ),
    (
        "newsletter",
        plain(
            "news@shop.example.com", "Offers of the week", "Delivery is free. Returned goods are refunded."
        ),
        None,
    ),
    (
        "read-receipt",
        dsn(human="Your message was read.", subject="Read: Your statement is ready")
        .replace("report-type=delivery-status", "report-type=disposition-notification")
        .replace("message/delivery-status", "message/disposition-notification"),
        Kind.OPENED,
    ),
]
"""Mails that are no bounce."""
