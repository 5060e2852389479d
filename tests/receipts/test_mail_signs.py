"""The signs by which writers, recipients and answers are known, one at a time."""

import pytest

from exstream_notify.adapters.receipts.mails import Phrases, read_mail
from exstream_notify.adapters.receipts.mails.layouts import ANSWER, Layout, explicit_answer
from exstream_notify.adapters.receipts.mails.parsing import TEXT_LIMIT, parsed
from exstream_notify.adapters.receipts.mails.reports import Row, status_text
from exstream_notify.adapters.receipts.mails.writers import Writer
from exstream_notify.adapters.rules import YamlRules
from exstream_notify.domain.receipts import Kind

from .bounce_mails import dsn, plain

PHRASES = Phrases()
VERDICTS = YamlRules().verdicts
DAEMON = "MAILER-DAEMON@mx.example.net"
ANN = "From: Ann <ann@example.org>\n"


def writer(head: str) -> Writer:
    return Writer(parsed(f"{head}\nbody\n".encode()), PHRASES)


def kinds(mail: str) -> list[tuple[Kind, str]]:
    return [(row.kind, row.address) for row in read_mail(mail.encode(), PHRASES, VERDICTS).told]


# --- writers --------------------------------------------------------------------------------------------

TYPED = "User-Agent: Mozilla Thunderbird\n"


@pytest.mark.parametrize(
    ("head", "daemon"),
    [
        ("From: MAILER-DAEMON@example.net\n", True),
        ("From: postmaster@example.net\n", True),
        ("From: Mail Delivery System <x@example.net>\n", True),
        ("From: Ann <ann@bounce.example.org>\n", False),
        ("From: Ann <ann@Bounce.Example.Org>\n", False),
        ("From: <>\n", True),
        ("From: < >\n", True),
        ("", True),
        (f"{ANN}Return-Path: <MAILER-DAEMON@mx.example.net>\n", True),
        (f"{ANN}Return-Path: MAILER-DAEMON\n", True),
        (f"{ANN}Return-Path: <x-mailer-daemon@mx.example.net>\n", False),
        (ANN, False),
        (f"From: postmaster@example.net\nReturn-Path: <p@example.net>\n{TYPED}", False),
        (f"From: postmaster@example.net\nReturn-Path: <>\n{TYPED}", True),
        (f"From: mailer-daemon@example.net\nReturn-Path: <p@example.net>\n{TYPED}", True),
    ],
)
def test_a_mail_system_writes_under_its_own_name(head: str, daemon: bool) -> None:
    assert writer(head).is_daemon is daemon


@pytest.mark.parametrize(
    ("head", "may"),
    [
        (ANN, True),
        (f"{ANN}Return-Path: <>\n", True),
        (f"{ANN}Return-Path: <postmaster@example.net>\n", True),
        (f"{ANN}Return-Path: <POSTMASTER@example.net>\n", True),
        (f"{ANN}Return-Path: <ann@postmaster.example.net>\n", False),
        (f"{ANN}Return-Path: <ann@example.net>\n", False),
    ],
)
def test_reports_have_no_return_path_or_a_mail_systems(head: str, may: bool) -> None:
    assert writer(head).may_return is may


@pytest.mark.parametrize(
    ("head", "typed"),
    [
        (f"{ANN}{TYPED}", True),
        (f"{ANN}X-Mailer: iPhone Mail\n", True),
        (f"{ANN}X-Mailer: sendmail\n", False),
        (f"{ANN}{TYPED}Return-Path: <>\n", False),
        (ANN, False),
    ],
)
def test_people_write_with_programs_for_people(head: str, typed: bool) -> None:
    assert writer(head).is_typed is typed


@pytest.mark.parametrize(
    ("head", "marked"),
    [
        (ANN, False),
        (f"{ANN}Precedence: auto-reply\n", True),
        (f"{ANN}Precedence: AUTO_REPLY\n", True),
        (f"{ANN}Precedence: bulk\n", False),
        (f"{ANN}Precedence: bulk\nIn-Reply-To: <1@x>\n", True),
        (f"{ANN}Precedence: junk\nSubject: Re: x\n", True),
        (f"{ANN}Precedence: junk\nSubject: Automatische Antwort\n", True),
        (f"{ANN}Precedence: list\nSubject: Re: x\n", False),
        (f"{ANN}Auto-Submitted: auto-replied\n", True),
        (f"{ANN}Auto-Submitted: auto-replied; type=x\n", True),
        (f"{ANN}Auto-Submitted: auto-generated\n", True),
        (f"{ANN}Auto-Submitted: Auto-Notified\n", True),
        (f"{ANN}Auto-Submitted: no\n", False),
        ("From: no-reply@example.org\nAuto-Submitted: auto-generated\n", False),
        ("From: no-reply@example.org\nAuto-Submitted: auto-generated\nSubject: Re: x\n", True),
        ("From: no-reply@example.org\nAuto-Submitted: auto-replied\n", True),
        (f"{ANN}X-Auto-Response-Suppress: All\n", False),
        (f"{ANN}X-Auto-Response-Suppress: All\nSubject: AW: x\n", True),
        (f"{ANN}X-Auto-Response-Suppress: All\nSubject: Abwesenheitsnotiz\n", True),
    ],
)
def test_programs_mark_what_they_answer(head: str, marked: bool) -> None:
    assert writer(head).is_marked is marked


@pytest.mark.parametrize("name", ["List-Id", "List-Post"])
def test_a_list_is_not_a_mail_system(name: str) -> None:
    head = f"{name}: <l.example.org>\n"
    assert writer(f"{ANN}{head}").is_list
    assert not writer(f"From: {DAEMON}\n{head}").is_list
    assert not writer(f"{ANN}{head}X-Failed-Recipients: c1@example.com\n").is_list
    assert not writer(f"{ANN}{head}Content-Type: multipart/report; boundary=b\n").is_list
    assert not writer(ANN).is_list


@pytest.mark.parametrize(
    ("head", "machine"),
    [
        (ANN, False),
        (f"{ANN}X-Failed-Recipients: c1@example.com\n", True),
        (f"{ANN}Content-Type: multipart/report; boundary=b\n", True),
        (f"{ANN}Return-Path: <>\n", True),
        ("From: no-reply@example.org\n", True),
        (f"{ANN}X-Vacation: 1\n", True),
        (f"{ANN}Auto-Submitted: auto-x\n", True),
        (f"{ANN}Precedence: bulk\n", True),
        (f"{ANN}Precedence: junk\n", True),
        (f"{ANN}Precedence: list\n", False),
    ],
)
def test_each_sign_of_a_machine_is_enough(head: str, machine: bool) -> None:
    assert bool(writer(head).is_machine) is machine


@pytest.mark.parametrize(
    ("subject", "answers", "fails"),
    [
        ("Undelivered mail", False, True),
        ("Re: Undelivered mail", True, False),
        ("AW : Undelivered mail", True, False),
        ("Fwd: Undelivered mail", True, False),
        ("Out of office: Undelivered mail", False, False),
        ("Report: Undelivered mail", False, True),
        ("My document", False, False),
    ],
)
def test_a_subject_fails_unless_it_answers(subject: str, answers: bool, fails: bool) -> None:
    found = writer(f"{ANN}Subject: {subject}\n")
    assert (found.subject_answers, found.fails_in_subject) == (answers, fails)
    assert found.is_answer is answers
    assert writer(f"{ANN}Subject: {subject}\nIn-Reply-To: <1@x>\n").is_answer


# --- challenges, replies and older complaints -----------------------------------------------------------

CONFIRM = "Please confirm your message"


@pytest.mark.parametrize(
    ("mail", "told"),
    [
        (plain("Ann <ann@example.org>", CONFIRM, CONFIRM), True),
        (plain("Ann <ann@example.org>", CONFIRM, "Hello."), False),
        (plain("Ann <ann@example.org>", "Hello", CONFIRM), False),
        (plain("no-reply@example.org", CONFIRM, "Hello."), True),
        (plain("no-reply@example.org", "Hello", CONFIRM), True),
        (plain("no-reply@example.org", "Hello", f"{'x ' * 1_990}{CONFIRM}"), False),
        (plain("no-reply@example.org", "Undelivered mail", CONFIRM), False),
        (plain("Ann <ann@example.org>", f"Re: {CONFIRM}", CONFIRM), False),
        (plain("no-reply@example.org", f"Re: {CONFIRM}", CONFIRM), True),
        (plain(DAEMON, CONFIRM, CONFIRM), False),
        (
            plain(
                "no-reply@example.org", CONFIRM, CONFIRM, headers="X-Failed-Recipients: c100001@example.com\n"
            ),
            False,
        ),
    ],
)
def test_a_challenge_asks_in_subject_and_text_or_comes_from_a_program(mail: str, told: bool) -> None:
    found = kinds(mail)
    assert (Kind.CHALLENGE in [kind for kind, _ in found]) is told
    assert not told or found[0][1].endswith("@example.org")


@pytest.mark.parametrize(
    ("sender", "subject", "kind"),
    [
        ("Abuse Desk <abuse@example.net>", "abuse report", Kind.COMPLAINT),
        ("fbl@example.net", "Complaint about message from 192.0.2.1", Kind.COMPLAINT),
        ("feedback@example.net", "Email Feedback Report for IP 192.0.2.1", Kind.COMPLAINT),
        ("abuse@example.net", "Re: abuse report", None),
        ("Ann <ann@example.org>", "abuse report", None),
        ("abuse@example.net", "a report", None),
    ],
)
def test_an_older_complaint_is_known_by_writer_and_subject(
    sender: str, subject: str, kind: Kind | None
) -> None:
    mail = (
        f"From: {sender}\nSubject: {subject}\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nHello.\n"
        "--b\nContent-Type: message/rfc822\n\nTo: c100001@example.com\nSubject: Your document\n\nx\n--b--\n"
    )
    assert kinds(mail) == ([] if kind is None else [(kind, "c100001@example.com")])


# --- whom and why ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    ["From", "To", "Reply-To", "Return-Path", "Delivered-To", "X-Original-To", "Sender", "Errors-To"],
)
def test_an_address_of_the_mails_own_head_is_not_the_recipient(name: str) -> None:
    """The text names two; the one that stands in the head, in other letters, is the mailer's or ours."""
    head = f"{name}: <Other@Example.net>\n" + ("" if name == "From" else f"From: {DAEMON}\n")
    mail = (
        f"{head}Subject: failure notice\n\nIt could not be delivered:\n\n"
        "other@example.net\n550 5.1.1 user unknown\n\nann@example.com\n550 5.1.1 user unknown\n"
    )
    if name == "From":
        mail = mail.replace("From: <Other", "From: Mail Delivery System <Other", 1)
    assert kinds(mail) == [(Kind.HARD_BOUNCE, "ann@example.com")]


def test_a_mail_system_named_in_the_text_is_not_the_recipient() -> None:
    text = "It could not be delivered:\n\npostmaster@example.net\n550 5.1.1\n\nann@example.com\n550 5.1.1\n"
    assert [address for _, address in kinds(plain(DAEMON, "failure notice", text))] == ["ann@example.com"]


@pytest.mark.parametrize(
    ("kind", "read"),
    [
        ("message/delivery-status", True),
        ("message/delivery-status-x", True),
        ("message/global-delivery-status", True),
        ("message/x-delivery-status", False),
        ("text/plain", False),
    ],
)
def test_a_part_is_a_status_by_the_beginning_of_its_type(kind: str, read: bool) -> None:
    mail = parsed(f"Content-Type: {kind}\n\nFinal-Recipient: x".encode())
    assert status_text([mail, mail]) == ("Final-Recipient: x\n\nFinal-Recipient: x" if read else "")


def parts(*pieces: tuple[str, str]) -> str:
    inner = "".join(f"--b\nContent-Type: {kind}\n\n{text}\n" for kind, text in pieces)
    return (
        f"From: {DAEMON}\nTo: us@example.net\nSubject: failure notice\n"
        f"Content-Type: multipart/mixed; boundary=b\n\n{inner}--b--\n"
    )


FAILED = "It could not be delivered:\n\n%s\n550 5.1.1 user unknown\n"


@pytest.mark.parametrize(
    ("pieces", "address"),
    [
        (
            [("text/html", "<p>" + FAILED.replace("\n", "<br>") % "ann@example.com" + "</p>")],
            "ann@example.com",
        ),
        (
            [
                ("text/plain", "It could not be delivered, see the page."),
                ("text/html", FAILED.replace("\n", "<br>") % "ann@example.com"),
            ],
            "ann@example.com",
        ),
        (
            [
                ("text/plain", FAILED % "ann@example.com"),
                ("text/html", FAILED.replace("\n", "<br>") % "bob@example.com"),
            ],
            "ann@example.com",
        ),
        ([("application/x", "x"), ("text/plain", FAILED % "ann@example.com")], "ann@example.com"),
    ],
)
def test_a_page_is_read_where_the_plain_text_names_nobody(
    pieces: list[tuple[str, str]], address: str
) -> None:
    assert kinds(parts(*pieces)) == [(Kind.HARD_BOUNCE, address)]


def test_texts_count_together_up_to_a_limit() -> None:
    far = ("text/plain", "w" * (TEXT_LIMIT - 40))
    near = ("text/plain", FAILED % "ann@example.com")
    assert [address for _, address in kinds(parts(near, far))] == ["ann@example.com"]
    assert "ann@example.com" not in [address for _, address in kinds(parts(far, near))]


@pytest.mark.parametrize(
    ("failed", "expected"),
    [
        ("c1@example.com", ["c1@example.com"]),
        ("c1@example.com, c2@example.com", ["c1@example.com", "c2@example.com"]),
    ],
)
def test_whom_the_head_names_as_failed_decides(failed: str, expected: list[str]) -> None:
    text = "host x said: 550 5.1.1 no\n\nother@example.com\n"
    mail = plain(DAEMON, "Hello", text, headers=f"X-Failed-Recipients: {failed}\n")
    assert [address for _, address in kinds(mail)] == expected


def test_an_address_in_the_subject_is_the_last_but_one_resort() -> None:
    mail = plain(DAEMON, "Undeliverable: ann@example.com", "It could not be delivered: 550 5.1.1.\n")
    assert [address for _, address in kinds(mail)] == ["ann@example.com"]


def test_a_report_without_an_address_is_about_the_one_recipient_of_what_it_returns() -> None:
    assert [a for _, a in kinds(dsn(recipient="rfc822; nobody"))] == ["c100001@example.com"]
    two = dsn(recipient="rfc822; nobody").replace(
        "To: c100001@example.com", "To: c100001@example.com, c100002@example.com"
    )
    assert [a for _, a in kinds(two)] == [""]
    named = two.replace(
        "To: notices@example.com", "To: notices@example.com\nX-Failed-Recipients: c100002@example.com"
    )
    assert [a for _, a in kinds(named)] == ["c100002@example.com"]


def test_a_reason_names_neither_the_recipient_nor_anybody() -> None:
    mail = dsn(diagnostic="smtp; 550 5.1.1 no c100001 here, c100001@example.com")
    (told,) = read_mail(mail.encode(), PHRASES, VERDICTS).told
    assert "c100001" not in told.reason
    assert told.reason.startswith("550 5.1.1 no")


# --- answers --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("<<< 550 5.1.1 no\n<<< 550 really\n", "550 5.1.1 no\n550 really"),
        ("> <<< 550 no\nafterwards", "550 no"),
        ("<<< 250 ok\n<<< 550 no\n", "550 no"),
        ("host mx [192.0.2.1] said: 550 5.1.1 no\n\nnext", "550 5.1.1 no"),
        ("it said: hello\n\nit said: 550 no\n----\nrest", "550 no"),
        ("host mx.example.net [192.0.2.1]: 550 no", "550 no"),
        ('The error was: "550 no"', "550 no"),
        ("Fehler: 550 kein Postfach", "550 kein Postfach"),
        ("理由：550 no", "550 no"),
        ("No box of that name. (#5.1.1)", "No box of that name. (#5.1.1)"),
        ("One thing.\n\nNo box of that name. (#5.1.1)\n\nmore", "No box of that name. (#5.1.1)"),
        ("Port 465 and 587 are open", ""),
        ("IP 192.0.2.550 or 1.5.1.1.2", ""),
        ("nothing said", ""),
        ("", ""),
        ("550 no", "550 no"),
        (f"550 {'x' * 700}", f"550 {'x' * (ANSWER - 4)}"),
        (f"{'y' * 400} 550 no", f"{'y' * 300}"[1:] + " 550 no"),
        (f"said: {'z' * 80} 550 no", f"said: {'z' * 80} 550 no"),
        (f"said: {'z' * 70} 550 no", f"{'z' * 70} 550 no"),
    ],
)
def test_what_the_other_server_answered(text: str, answer: str) -> None:
    assert explicit_answer(text) == answer


def rows(text: str, expected: tuple[str, ...] = (), own: tuple[str, ...] = ()) -> list[Row]:
    return Layout(text).rows(lambda address: address.lower() not in own, frozenset(expected))


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        # At the head of a line or behind a label, before one inside of a sentence.
        ("it went to bob@example.com\nann@example.com\n", ["ann@example.com"]),
        ("Recipient: ann@example.com\nwhat bob@example.com wrote\n", ["ann@example.com"]),
        ("* ann@example.com\n1. bob@example.com\n", ["ann@example.com", "bob@example.com"]),
        ("550 ann@example.com\nTo: bob@example.com\n", ["bob@example.com"]),
        ("eve@example.org: RCPT TO:<ann@example.com> failed, eve@example.net", ["eve@example.org"]),
        ("after RCPT TO:<ann@example.com> what eve@example.net wrote", ["ann@example.com"]),
        # Details of the message that was sent count last.
        ("To: ann@example.com\nSubject: x\n\nto bob@example.com it did not go", ["bob@example.com"]),
        ("To: ann@example.com\nSubject: x\n", ["ann@example.com"]),
        # Whom to ask, and who sent it, is nobody who failed.
        ("please ask bob@example.com; ann@example.com failed", ["ann@example.com"]),
        ("contact bob@example.com", []),
        ("help@example.com\nann@example.com", ["ann@example.com"]),
        # One inside of a sentence: the first, or those whom we wrote to.
        ("neither bob@example.com nor ann@example.com took it", ["bob@example.com"]),
    ],
)
def test_where_an_address_stands_says_whether_it_failed(text: str, addresses: list[str]) -> None:
    assert [row.address for row in rows(text)] == addresses


def test_of_addresses_in_sentences_those_count_that_we_wrote_to() -> None:
    text = "neither bob@example.com nor Ann@example.com took it"
    assert [row.address for row in rows(text, ("ann@example.com",))] == ["Ann@example.com"]
    assert [row.address for row in rows("contact bob@example.com", ("bob@example.com",))] == [
        "bob@example.com"
    ]


def test_each_address_is_one_row_in_the_order_of_the_text() -> None:
    text = "".join(f"r{n}@example.com\n" for n in range(30))
    assert [row.address for row in rows(text)] == [f"r{n}@example.com" for n in range(25)]
    assert [row.address for row in rows("ann@example.com\nAnn@Example.com\n")] == ["ann@example.com"]
    assert rows("us@example.com\n", own=("us@example.com",))[0].address == "us@example.com", "else nobody"


@pytest.mark.parametrize(
    ("text", "answer", "own"),
    [
        ("ann@example.com: 550 no", "550 no", False),
        ("ann@example.com\n\n550 no\n\nnext", "550 no", False),
        ("ann@example.com: there is no room", "there is no room", True),
        ("ann@example.com: no\n\nTranscript:\n<<< 550 5.1.1 gone", "550 5.1.1 gone", True),
        (
            "ann@example.com: it was refused\n\nTranscript:\n<<< 550 5.1.1 gone",
            "it was refused\n550 5.1.1 gone",
            True,
        ),
    ],
)
def test_an_answer_stands_near_its_address(text: str, answer: str, own: bool) -> None:
    row = rows(text)[0]
    assert (row.address, row.answer, row.own) == ("ann@example.com", answer, own)


@pytest.mark.parametrize(
    "words",
    ["expanded from", "generated from", "forwarded by", "redirected from", "aliased from", "rewritten from"],
)
def test_a_rewritten_address_is_told_by_the_one_that_was_written_to(words: str) -> None:
    (row,) = rows(f"<box@example.org> ({words} <ann@example.com>): 550 no")
    assert (row.address, row.also) == ("ann@example.com", ("box@example.org",))


def test_near_an_address_that_is_known_stands_its_answer() -> None:
    layout = Layout("bob@example.com: 550 5.1.1 gone\nann+40x@example.com: 452 full\n")
    row = layout.near("ann+40x@example.com")
    assert (row.address, row.also, row.answer, row.own) == ("ann+40x@example.com", (), "452 full", False)
