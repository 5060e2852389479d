"""A mail system, a program that answers for somebody, and a person are told from each other."""

import pytest

from exstream_notify.adapters.receipts.mails import MailReading, Phrases, read_mail
from exstream_notify.adapters.rules import YamlRules
from exstream_notify.domain.receipts import Kind

from .bounce_mails import EXIM, POSTFIX, QMAIL, SENDMAIL, dsn

PHRASES = Phrases()
VERDICTS = YamlRules().verdicts


def read(head: str, body: str) -> MailReading:
    mail = f"To: notices@example.com\n{head}Content-Type: text/plain; charset=utf-8\n\n{body}\n"
    return read_mail(mail.encode(), PHRASES, VERDICTS)


REPLIES = {
    "marked": "From: Ann <ann@example.org>\nSubject: Re: Your document\nAuto-Submitted: auto-replied\n",
    "marked with a comment": "From: ann@example.org\nSubject: Thanks\nAuto-Submitted: auto-replied (vacation)\n",
    "null path": "Return-Path: <>\nFrom: ann@example.org\nSubject: Away\nAuto-Submitted: auto-replied\n",
    "null path, holidays": "Return-Path: <>\nFrom: Ann <ann@example.org>\nSubject: Urlaub bis 4. Januar\n",
    "older mark": "From: ann@example.org\nSubject: Hello\nX-Autoreply: yes\n",
    "oldest mark": "From: ann@example.org\nSubject: Hello\nPrecedence: auto_reply\n",
    "bulk answer": "From: ann@example.org\nSubject: Re: Your document\nPrecedence: bulk\n",
    "exchange": "From: ann@example.org\nSubject: Abwesend\nX-Auto-Response-Suppress: All\nIn-Reply-To: <1@x.example>\n",
    "by its subject alone": "From: ann@example.org\nSubject: Automatic reply: Your document\n",
    "czech": "From: ann@example.org\nSubject: Automatická odpověď: dokument\n",
    "korean": "From: ann@example.org\nSubject: 자동 회신: 명세서\n",
    "a ticket system": "From: desk@example.org\nSubject: [Ticket 12] received\nAuto-Submitted: auto-generated\n",
}


@pytest.mark.parametrize("head", REPLIES.values(), ids=REPLIES)
@pytest.mark.parametrize(
    "body",
    [
        "The office is closed until 4 January. For urgent matters write to desk@example.net.",
        "I left. Mail to ann@example.org is not delivered to anybody any more: this mailbox does not exist.",
        "Our new address is bob@example.net; the old one ends with 550 5.1.1 user unknown.",
        "> Your document is ready, dear c100001@example.com.\n> X-Notice-Id: 0123456789abcdef0123456789abcdef:1",
    ],
    ids=["closed", "left", "moved", "quotes"],
)
def test_what_answers_by_itself_is_an_automatic_reply_whatever_it_says(head: str, body: str) -> None:
    reading = read(head, body)
    assert [row.kind for row in reading.told] == [Kind.AUTO_REPLY]
    assert not reading.is_bounce


@pytest.mark.parametrize(
    "subject", ["Your claim was rejected", "Returned payment: mail error", "Delivery failed"]
)
@pytest.mark.parametrize("prefix", ["Automatic reply: ", "Re: ", "AW: ", "Out of Office: "])
def test_the_subject_of_our_own_message_makes_no_bounce_of_a_reply_to_it(prefix: str, subject: str) -> None:
    head = f"Return-Path: <>\nFrom: Ann <ann@example.org>\nSubject: {prefix}{subject}\nAuto-Submitted: auto-replied\n"
    reading = read(
        head, f"I am away.\n\n--- Original message ---\n\n{subject}. It could not be delivered: 550."
    )
    assert reading.kind is Kind.AUTO_REPLY


def test_an_automatic_reply_names_its_writer_and_nobody_of_whom_it_speaks() -> None:
    reading = read(REPLIES["null path"], "Write to my colleague bob@example.net, or call.")
    assert [row.address for row in reading.told] == ["ann@example.org"]


PEOPLE = {
    "a question about a bounce": (
        "From: Ann <ann@example.org>\nSubject: Mail delivery failed: returning message to sender\n",
        "Why did I get this?\n\n" + EXIM,
    ),
    "a bounce passed on": (
        "From: Ann <ann@example.org>\nSubject: Fwd: failure notice\n",
        "See below.\n\n" + QMAIL,
    ),
    "a bounce quoted": (
        "From: Ann <ann@example.org>\nSubject: Re: Undelivered Mail Returned to Sender\n",
        "\n".join(f"> {line}" for line in POSTFIX.splitlines()),
    ),
    "a report pasted": (
        "From: Ann <ann@example.org>\nReturn-Path: <ann@example.org>\nSubject: undeliverable?\n",
        dsn().partition("\n\n")[2],
    ),
    "a transcript": ("From: ann@example.org\nSubject: Returned mail\n", SENDMAIL),
    "an old address": (
        "From: Ann <ann@example.org>\nSubject: My new address\n",
        "The mailbox c100001@example.com does not exist any more: 550 5.1.1 user unknown, they say.",
    ),
    "holidays": (
        "From: Ann <ann@example.org>\nSubject: Out of office next week\n",
        "Please send it by post.",
    ),
    "vacation": ("From: Ann <ann@example.org>\nSubject: My vacation\n", "I am on holiday until Monday."),
    "an answer to an automatic reply": (
        "From: Ann <ann@example.org>\nSubject: Re: Automatic reply: Your document\n",
        "Thank you for your automatic reply.",
    ),
    "a complaint": (
        "From: Ann <ann@example.org>\nSubject: Abuse report: complaint about message from you\n",
        "I complain about this spam. Stop it.",
    ),
    "spam, they say": (
        "From: Ann <ann@example.org>\nSubject: This is spam\n",
        "I will report you for abuse.",
    ),
    "a check of the sender": (
        "From: Ann <ann@example.org>\nSubject: Re: sender verification\n",
        "My bank asks me to verify that you are the sender of this mail.",
    ),
}


@pytest.mark.parametrize(("head", "body"), PEOPLE.values(), ids=PEOPLE)
def test_what_a_person_writes_makes_no_receipt_and_goes_to_people(head: str, body: str) -> None:
    reading = read(head, body)
    assert reading.told == ()
    assert reading.by_person
    assert "person" in reading.unusable


def test_a_null_return_path_proves_nothing_about_what_a_person_writes() -> None:
    head = "Return-Path: <>\nFrom: Ann <ann@example.org>\nSubject: My mail was returned\n"
    assert read(head, "It could not be delivered to c100001@example.com. What is wrong?").told == ()


def test_a_message_that_a_person_attaches_is_no_bounce_either() -> None:
    mail = (
        "From: Ann <ann@example.org>\nTo: notices@example.com\nSubject: Undeliverable: your mail\n"
        'Content-Type: multipart/mixed; boundary="x"\n\n--x\n\nYour mail could not be delivered, see below.\n'
        f"--x\nContent-Type: message/rfc822\n\n{dsn()}\n--x--\n"
    )
    reading = read_mail(mail.encode(), PHRASES, VERDICTS)
    assert reading.told == ()
    assert reading.by_person


def test_a_program_whose_mail_cannot_be_read_is_told_from_a_person() -> None:
    reading = read("Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.net\nSubject: Xyzzy\n", "Plugh.")
    assert reading.told == ()
    assert not reading.by_person
    assert "program" in reading.unusable


@pytest.mark.parametrize("mark", ["auto-replied", "auto-generated (failure)"])
def test_a_bounce_that_is_marked_as_a_reply_stays_a_bounce(mark: str) -> None:
    head = f"Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.net\nSubject: failure notice\nAuto-Submitted: {mark}\n"
    assert read(head, QMAIL).is_bounce
    report = dsn().replace("MIME-Version", f"Auto-Submitted: {mark}\nMIME-Version", 1)
    assert read_mail(report.encode(), PHRASES, VERDICTS).is_bounce


@pytest.mark.parametrize(
    "sender",
    [
        "MAILER-DAEMON@mx.example.net",
        "Mail Delivery Subsystem <mailer-daemon@example.net>",
        "postmaster@mx.example.net",
        "Microsoft Exchange <x-7@example.net>",
        "<>",
        "no-reply@mx.example.net",
    ],
)
def test_a_mail_system_is_known_by_its_name(sender: str) -> None:
    assert read(f"From: {sender}\nSubject: failure notice\n", QMAIL).is_bounce


def test_a_notice_of_arrival_without_a_report_says_nothing() -> None:
    head = "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.net\nSubject: Mail delivery report\n"
    assert read(head, "Your message was successfully delivered to ann@example.com.").told == ()


@pytest.mark.parametrize("sentence", ["was not", "could not be", "has not been"])
def test_a_delivery_that_was_not_successful_is_no_arrival(sentence: str) -> None:
    head = "Return-Path: <>\nFrom: MAILER-DAEMON@mx.example.net\nSubject: Mail delivery report\n"
    assert read(head, f"Your message {sentence} successfully delivered to ann@example.com.").is_bounce


def test_an_unmarked_answer_without_a_path_is_a_reply() -> None:
    head = "Return-Path: <>\nFrom: Ann <ann@example.org>\nSubject: Re: Your document\n"
    quoted = "My mail is not delivered to others, mailbox full.\n\n> To: c100001@example.com\n> Your document"
    assert [row.kind for row in read(head, quoted).told] == [Kind.AUTO_REPLY]


def test_a_desk_that_answers_and_names_nobody_is_a_reply() -> None:
    head = "From: noreply@example.org\nSubject: Your request was rejected\nAuto-Submitted: auto-replied\n"
    assert [row.kind for row in read(head, "It was not accepted.").told] == [Kind.AUTO_REPLY]


def test_a_part_of_a_report_that_a_person_passes_on_reports_nothing() -> None:
    passed = dsn(sender="Ann <ann@example.org>", subject="Fwd: question")
    mixed = passed.replace("multipart/report; report-type=delivery-status", "multipart/mixed")
    reading = read_mail(mixed.encode(), PHRASES, VERDICTS)
    assert reading.told == ()
    assert reading.by_person


@pytest.mark.parametrize("mark", ["Precedence: bulk", "Return-Path: <>", "Auto-Submitted: auto-generated"])
def test_the_mail_of_a_list_is_no_bounce(mark: str) -> None:
    head = f"{mark}\nFrom: Ann <ann@example.org>\nList-Id: <l.example.org>\nSubject: [l] Undelivered mail\n"
    assert not read(head, "They say 550 5.1.1 user unknown: bob@example.com. What to do?").is_bounce


@pytest.mark.parametrize("auto", ["auto-replied", "auto-generated"])
def test_a_report_from_an_address_that_takes_no_answer_is_no_reply(auto: str) -> None:
    head = f"From: no-reply@example.net\nAuto-Submitted: {auto}\nSubject: 메일 전송 실패 안내\n"
    assert read(head, "c100001@example.com 님에게 보낸 메일이 전송되지 못했습니다.").is_bounce


def test_what_such_an_address_sends_by_itself_in_words_that_nobody_knows_is_shown() -> None:
    reading = read("From: no-reply@example.net\nAuto-Submitted: auto-generated\nSubject: nuqneH\n", "Qapla'")
    assert reading.told == ()
    assert reading.unusable


@pytest.mark.parametrize("program", ["User-Agent: Mozilla Thunderbird", "X-Mailer: Microsoft Outlook 16.0"])
def test_there_are_people_behind_postmaster(program: str) -> None:
    head = (
        "Return-Path: <postmaster@example.org>\nFrom: Postmaster <postmaster@example.org>\n"
        f"Subject: Your mail could not be delivered\n{program}\n"
    )
    reading = read(
        head, "Our user ann@example.org says that your mail comes back with 550 5.1.1. Please call me."
    )
    assert reading.told == ()
    assert reading.by_person


def test_a_domain_named_bounce_makes_no_mail_system() -> None:
    assert read("From: Ann <ann@bounce.example.org>\nSubject: failure notice\n", QMAIL).by_person


def test_older_complaints_need_the_message_that_they_are_about() -> None:
    part = (
        "--x\nContent-Type: message/rfc822\n\nTo: c100001@example.com\nSubject: Your document\n\nx\n--x--\n"
    )
    head = "From: Abuse Desk <abuse@example.net>\nSubject: abuse report\n"
    mixed = f'{head}Content-Type: multipart/mixed; boundary="x"\n\n--x\n\nA user complains.\n{part}'
    told = read_mail(mixed.encode(), PHRASES, VERDICTS).told
    assert [(row.kind, row.address) for row in told] == [(Kind.COMPLAINT, "c100001@example.com")]
    assert read(head, "We have had a complaint about your mail.").told == ()
