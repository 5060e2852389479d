"""In each mailer's own layout the failed recipient is found, and the other server's answer with it."""

import pytest

from exstream_notify.adapters.receipts.mails import Phrases, read_mail
from exstream_notify.adapters.receipts.mails.layouts import explicit_answer
from exstream_notify.adapters.rules import YamlRules
from exstream_notify.domain.receipts import Kind
from exstream_notify.domain.verdicts import Report, Verdicts

from .bounce_mails import dsn, plain

PHRASES = Phrases()


class Recorded(Verdicts):
    """Keeps what it is asked to judge."""

    def __init__(self) -> None:
        super().__init__()
        self.reports: list[Report] = []

    def kind_of(self, report: Report) -> Kind:
        self.reports.append(report)
        return Kind.NOT_DELIVERED


def read(mail: str) -> list[tuple[str, str]]:
    """Addresses and answers."""
    asked = Recorded()
    told = read_mail(mail.encode(), PHRASES, asked).told
    return [(row.address, report.answer) for row, report in zip(told, asked.reports, strict=True)]


DAEMON = "MAILER-DAEMON@mx.example.net"
LAYOUTS = {
    "postfix": (
        "This is the mail system at host mx.example.net.\n\nI'm sorry to have to inform you that your message could "
        "not be delivered.\n\n<ann@example.com>: host in.example.com[192.0.2.1] said: 550 5.7.1 Blocked by our list\n"
        "    (in reply to RCPT TO command)\n",
        "550 5.7.1 Blocked by our list",
    ),
    "qmail": (
        "Hi. This is the qmail-send program at mx.example.net.\nI'm afraid I wasn't able to deliver your message to "
        "the following addresses. Often an address does not exist.\n\n<ann@example.com>:\n192.0.2.1 does not like "
        "recipient.\nRemote host said: 452 4.3.1 no disk space\nGiving up on 192.0.2.1.\n",
        "452 4.3.1 no disk space",
    ),
    "qmail, local": (
        "Hi. This is the qmail-send program at mx.example.net.\nI'm afraid I wasn't able to deliver your message.\n\n"
        "<ann@example.com>:\nThis box has no room left. (#5.2.2)\n",
        "This box has no room left. (#5.2.2)",
    ),
    "exim": (
        "This message was created automatically by mail delivery software.\n\nA message that you sent could not be "
        "delivered to one or more of its recipients.\n\n  ann@example.com\n    host in.example.com [192.0.2.1]\n"
        "    SMTP error from remote mail server after RCPT TO:<ann@example.com>:\n    550 5.1.1 no mailbox of that "
        "name\n",
        "550 5.1.1 no mailbox of that name",
    ),
    "sendmail": (
        "   ----- The following addresses had permanent fatal errors -----\n<ann@example.com>\n\n   ----- Transcript "
        "of session follows -----\n... while talking to in.example.com.:\n>>> RCPT To:<ann@example.com>\n"
        "<<< 553 5.3.0 go away\n550 5.1.1 <ann@example.com>... User unknown\n",
        "553 5.3.0 go away",
    ),
    "sendmail, reason": (
        "   ----- The following addresses had permanent fatal errors -----\n<ann@example.com>\n    (reason: 554 5.7.9 "
        "authentication needed)\n",
        "554 5.7.9 authentication needed",
    ),
    "gmail": (
        "Delivery to the following recipient failed permanently:\n\n     ann@example.com\n\nTechnical details of "
        "permanent failure:\nGoogle tried to deliver your message, but it was rejected by the server.\n\nThe error "
        "that the other server returned was:\n550 5.2.1 mailbox disabled\n",
        "550 5.2.1 mailbox disabled",
    ),
    "gmail, new": (
        "** Message blocked **\n\nYour message to ann@example.com has been blocked.\n\nThe response from the remote "
        "server was:\n550 5.7.26 not authenticated\n",
        "550 5.7.26 not authenticated",
    ),
    "exchange online": (
        "Delivery has failed to these recipients or groups:\n\nann@example.com (ann@example.com)\nYour message "
        "couldn't be delivered.\n\nDiagnostic information for administrators:\n\nGenerating server: x.example.net\n\n"
        "ann@example.com\nRemote server returned '550 5.4.1 Recipient address rejected: Access denied'\n",
        "550 5.4.1 Recipient address rejected: Access denied",
    ),
    "opensmtpd": (
        "    Hi!\n\n    This is the MAILER-DAEMON, please DO NOT REPLY to this email.\n\n    An error has occurred "
        "while attempting to deliver a message for\n    the following list of recipients:\n\nann@example.com: 550 "
        "5.2.2 box full\n",
        "550 5.2.2 box full",
    ),
    "courier": (
        "This is a delivery status notification.\n\nYour message could not be delivered.\n\n<ann@example.com>:\n"
        "    in.example.com [192.0.2.1]:\n    >>> RCPT TO:<ann@example.com>\n    <<< 550 No such mailbox.\n",
        "550 No such mailbox.",
    ),
    "mdaemon": (
        "The attached message had PERMANENT fatal delivery errors. It could not be delivered.\n\nFailed address: "
        "ann@example.com\n\n--- Session Transcript ---\n Connecting\n <-- 550 5.1.1 mailbox gone\n",
        "550 5.1.1 mailbox gone",
    ),
    "notes": (
        "Your message\n\n  Subject: Your document\n\nwas not delivered to:\n\n  ann@example.com\n\nbecause:\n\n  "
        "User ann (ann@example.com) not listed in Domino Directory\n",
        "not listed in Domino Directory",
    ),
    "exchange 2003": (
        "Your message\n\n  To:      ann@example.com\n  Subject: Your document\n  Sent:    Mon, 9 Nov 2026 10:00\n\n"
        "did not reach the following recipient(s):\n\nann@example.com on Mon, 9 Nov 2026 10:01\n    The recipient "
        "name is not recognized\n",
        "The recipient name is not recognized",
    ),
    "amazon": (
        "An error occurred while trying to deliver the mail to the following recipients:\nann@example.com\n\n"
        "The response was: 552 5.2.2 over the limit\n",
        "552 5.2.2 over the limit",
    ),
}


@pytest.mark.parametrize(("text", "answer"), LAYOUTS.values(), ids=LAYOUTS)
def test_the_recipient_and_what_was_answered_are_found(text: str, answer: str) -> None:
    ((address, found),) = read(plain(DAEMON, "Undelivered Mail Returned to Sender", text))
    assert address == "ann@example.com"
    assert answer in found
    assert "Often" not in found


@pytest.mark.parametrize("text", [text for text, _ in LAYOUTS.values()], ids=LAYOUTS)
def test_a_reason_has_no_name_in_it(text: str) -> None:
    mail = plain(DAEMON, "Undelivered Mail Returned to Sender", text.replace("ann@", "annabel77@"))
    told = read_mail(mail.encode(), PHRASES, Recorded()).told
    assert told[0].address == "annabel77@example.com"
    assert "annabel77" not in told[0].reason


def test_each_recipient_has_an_answer_of_its_own() -> None:
    text = "\n\n".join(f"<r{n}@example.com>: host x said: 550 5.1.{n} answer {n}" for n in range(1, 5))
    rows = read(plain(DAEMON, "failure notice", f"It could not be delivered.\n\n{text}\n"))
    assert [address for address, _ in rows] == [f"r{n}@example.com" for n in range(1, 5)]
    assert [answer for _, answer in rows] == [f"550 5.1.{n} answer {n}" for n in range(1, 5)]


@pytest.mark.parametrize(
    "text",
    [
        "It could not be delivered (550).\nFor help write to help@example.net or support@example.net.\n\nann@example.com\n",
        "Sender: us@example.net\nRecipient: ann@example.com\nIt could not be delivered: 550\n",
        "The mail that postmaster@example.net had for ann@example.com could not be delivered: 550.\n",
        "Message from <us@example.net> to <ann@example.com> could not be delivered: 550\n",
    ],
)
def test_an_address_of_somebody_else_is_not_taken_for_the_recipient(text: str) -> None:
    assert [address for address, _ in read(plain(DAEMON, "failure notice", text))] == ["ann@example.com"]


def test_the_recipient_of_the_returned_message_is_the_last_resort() -> None:
    mail = (
        f'From: {DAEMON}\nTo: us@example.net\nSubject: failure notice\nContent-Type: multipart/mixed; boundary="x"\n\n'
        "--x\n\nYour message could not be delivered.\n--x\nContent-Type: message/rfc822\n\n"
        "From: us@example.net\nTo: Ann <ann@example.com>\nSubject: Your document\n\nx\n--x--\n"
    )
    assert [address for address, _ in read(mail)] == ["ann@example.com"]


SUPPOSED = {
    "en": "Possible reasons:\n\n- the address does not exist\n- the mailbox is full",
    "en, numbered": "Common causes:\n1. The address does not exist.\n2. The user is unknown.",
    "en, in one sentence": "Reasons include: server down; user unknown.",
    "en, if": "If the user is unknown, ask them.",
    "de": "Mögliche Ursachen:\n\n- Der Empfänger ist unbekannt",
    "fr": "Causes possibles :\n\n- l'adresse n'existe pas",
    "es": "Posibles causas:\n\n- la dirección no existe",
    "pt": "Possíveis causas:\n\n- o endereço não existe",
    "it": "Possibili cause:\n\n- l'indirizzo non esiste",
    "nl": "Mogelijke oorzaken:\n\n- het adres bestaat niet",
    "sv": "Möjliga orsaker:\n\n- adressen finns inte",
    "ru": "Возможные причины:\n\n- адрес не существует",
    "pl": "Możliwe przyczyny:\n\n- adres nie istnieje",
    "cs": "Možné příčiny:\n\n- adresa neexistuje",
    "tr": "Olası nedenler:\n\n- kullanıcı bulunamadı",
    "ja": "考えられる原因:\n\n- 宛先不明",
    "ko": "가능한 원인:\n\n- 존재하지 않는 사용자",
    "zh": "可能的原因：\n\n- 用户不存在",
}


@pytest.mark.parametrize("reasons", SUPPOSED.values(), ids=SUPPOSED)
def test_what_a_mailer_only_supposes_is_no_reason(reasons: str) -> None:
    text = f"Your message could not be delivered to:\n\nann@example.com\n{reasons}\n"
    told = read_mail(plain(DAEMON, "Undelivered mail", text).encode(), PHRASES, YamlRules().verdicts).told
    assert [(row.address, row.kind) for row in told] == [("ann@example.com", Kind.NOT_DELIVERED)]


def test_where_the_diagnostic_code_is_mute_the_text_near_the_address_answers() -> None:
    human = "<c100001@example.com>: host in.example.com said: 550 mailbox closed long ago"
    ((_, answer),) = read(dsn(diagnostic="smtp; 550", status="5.0.0", human=human))
    assert "mailbox closed long ago" in answer
    ((_, answer),) = read(dsn(diagnostic="smtp; 550 5.1.1 no such user", human=human))
    assert "closed" not in answer


def test_a_recipient_that_a_report_names_twice_is_one() -> None:
    mail = dsn().replace(
        "Final-Recipient: rfc822; c100001@example.com",
        "Original-Recipient: rfc822; ann@example.com\nFinal-Recipient: rfc822; c1%example.com@in.example.net\n"
        "X-Actual-Recipient: rfc822; box@example.org",
    )
    (told,) = read_mail(mail.encode(), PHRASES, Recorded()).told
    assert told.address == "ann@example.com"
    assert told.also == ("c1%example.com@in.example.net", "box@example.org", "c1@example.com")


def test_an_address_that_another_came_of_is_the_one_that_was_written_to() -> None:
    text = "<box@example.org> (expanded from <ann@example.com>): host x said: 550 5.1.1 no such user\n"
    told = read_mail(plain(DAEMON, "Undelivered Mail", text).encode(), PHRASES, Recorded()).told
    assert [(row.address, row.also) for row in told] == [("ann@example.com", ("box@example.org",))]


def test_a_refusal_of_the_sender_keeps_the_command_that_it_answers() -> None:
    text = "SMTP error from remote mail server after MAIL FROM:<us@example.net>: 553 us does not exist"
    assert explicit_answer(text).lower().startswith("smtp error from remote mail server after mail from")


@pytest.mark.parametrize(
    ("first", "last", "kind"),
    [
        ("has not yet been delivered", "Delivery attempts will continue.", Kind.DELAYED),
        ("has been delayed", "This is a permanent error; I have given up.", Kind.NOT_DELIVERED),
    ],
)
def test_a_warning_says_that_it_waits_unless_it_says_that_it_gave_up(
    first: str, last: str, kind: Kind
) -> None:
    text = (
        f"A message that you sent {first} to one or more of its recipients:\n\n  ann@example.com\n\n{last}\n"
    )
    told = read_mail(plain(DAEMON, "Warning: message delayed", text).encode(), PHRASES, Recorded()).told
    assert [row.kind for row in told] == [kind]
