"""What a report proves about a failure: the table row by row, and what no row can change (RFC 3463, 3464)."""

from pathlib import Path

import botocore.session
import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream_notify.adapters.receipts.reading import sms_receipts
from exstream_notify.adapters.rules import RulesInvalid, YamlRules
from exstream_notify.domain.documents import Channel
from exstream_notify.domain.receipts import MEANINGS, SES_ECHO_SUBTYPES, SMS_EVENTS, SMS_FAILURES, Kind
from exstream_notify.domain.verdicts import KINDS, Group, Report, Row, Table, Verdicts

VERDICTS = YamlRules().verdicts
ADDRESS, TEMPORARY, NETWORK = Group.ADDRESS, Group.TEMPORARY, Group.NETWORK
CONTENT, POLICY, OURS, UNCLEAR = Group.CONTENT, Group.POLICY, Group.OURS, Group.UNCLEAR


def group_of(answer: str = "", status: str = "", notes: str = "", channel: Channel = "email") -> Group:
    return VERDICTS.group_of(Report(channel, answer, status, notes))


def test_only_the_group_of_the_address_suppresses_for_good() -> None:
    for kinds in KINDS.values():
        assert set(kinds) == set(Group)
        assert {g for g, kind in kinds.items() if MEANINGS[kind].suppress == "hard"} == {ADDRESS}
        assert all(MEANINGS[kind].fall_back for kind in kinds.values())


def test_what_was_not_delivered_for_an_unclear_reason_falls_back_and_suppresses_nothing() -> None:
    meaning = MEANINGS[VERDICTS.kind_of(Report("email", "554 rejected", "5.0.0"))]
    assert (meaning.suppress, meaning.retry, meaning.fall_back, meaning.alert) == ("no", True, True, "")


# --- explicit words about the address -------------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        "550 5.1.1 <ann@example.org>: Recipient address rejected: User unknown in virtual mailbox table",
        "550 <ann@example.org>... No such user",
        "550 Unknown user ann@example.org",
        "550 ann@example.org...User unknown",
        "This address no longer accepts mail.",
        "The recipient 'ann' is unknown",
        "550-5.1.1 The email account that you tried to reach does not exist. Please try",
        "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient ann@example.org not found by SMTP address lookup",
        "550 5.1.1 RESOLVER.ADR.ExRecipNotFound; not found",
        "554 delivery error: dd This user doesn't have a mail.example account (ann@example.org) [0] - mta1.example",
        "550 sorry, no mailbox here by that name (#5.1.1)",
        "553 5.3.0 <ann@example.org>... Address does not exist",
        "550 5.7.1 User not found: ann@example.org",
        "550 User [ann@example.org] does not exist",
        "550 'ann@example.org' is not a registered gateway user",
        "550 #5.1.0 Address rejected.",
        "550 5.2.1 The email account that you tried to reach is disabled. Learn more",
        "554 Sorry, your message cannot be delivered. This account has been disabled or discontinued [#102].",
        "551 <ann@example.org> is a deactivated mailbox",
        "550 5.1.6 recipient no longer on server: ann@example.org",
        "550 5.4.1 Recipient address rejected: Access denied. AS(1) [XX1.prod.protection.example.com]",
        "X-Postfix; Host or domain name not found. Name service error for name=gone.example type=A: Host not found",
        "550 5.1.2 <ann@gone.example>... Host unknown (Name server: gone.example: host not found)",
        "Unrouteable address",
        "556 5.1.10 Domain does not accept mail (null MX)",
        "550 5.5.0 Requested action not taken: mailbox unavailable",
        "550 Invalid Recipient - https://community.example.com/docs",
        "550 Addressee unknown, relay=[192.0.2.9] (in reply to RCPT TO command)",
        "550 Requested action not taken: mailbox unavailable, see https://example.net/errors?ip=203.0.113.9",
    ],
)
def test_explicit_words_name_the_address_as_gone(answer: str) -> None:
    assert group_of(answer) is ADDRESS


@pytest.mark.parametrize(
    "answer",
    [
        "Der Empfänger ist unbekannt",  # de
        "550 Adresse existiert nicht",
        "Motif : utilisateur inconnu",  # fr
        "Votre destinataire n'existe pas",
        "El usuario no existe.",  # es
        "550 dirección de correo no encontrada",
        "550 usuário não existe",  # pt
        "550 utente sconosciuto",  # it
        "550 gebruiker onbekend",  # nl
        "550 okänd mottagare",  # sv
        "550 brugeren findes ikke",  # da
        "550 пользователь не найден",  # ru
        "550 neznámý uživatel",  # cs
        "550 użytkownik nie istnieje",  # pl
        "550 kullanıcı bulunamadı",  # tr
        "宛先不明",  # ja
        "존재하지 않는 사용자입니다",  # ko
        "收件人不存在",  # zh
        "查無此人",
    ],
)
def test_the_same_in_other_languages(answer: str) -> None:
    assert group_of(answer) is ADDRESS


@pytest.mark.parametrize(
    "answer",
    [
        "Das Postfach ist voll",  # de
        "La boîte du destinataire est pleine",  # fr
        "El buzón del usuario está lleno",  # es
        "A caixa postal está cheia",  # pt
        "La casella del destinatario è piena",  # it
        "Het postvak is vol",  # nl
        "Mottagarens brevlåda är full",  # sv
        "Modtagerens postkasse er fuld",  # da
        "Почтовый ящик переполнен",  # ru
        "Schránka příjemce je plná",  # cs
        "Skrzynka odbiorcy jest pełna",  # pl
        "Alıcının posta kutusu dolu",  # tr
        "メールボックスの容量を超えています",  # ja
        "받은편지함 용량이 초과되었습니다",  # ko
        "收件人邮箱已满",  # zh
    ],
)
def test_a_full_mailbox_in_other_languages(answer: str) -> None:
    assert group_of(answer) is TEMPORARY


# --- what outranks a code that looks like the address ---------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "group"),
    [
        # rates
        (
            "550 5.2.1 The user you are trying to contact is receiving mail at a rate that is too high",
            TEMPORARY,
        ),
        ("550 5.1.1 203.0.113.9 has sent to too many recipients this hour", TEMPORARY),
        ("552 5.1.1 Too many messages per day", TEMPORARY),
        ("550 5.1.1 too many invalid recipients, unknown user", TEMPORARY),
        ("550 5.1.1 more volume than we take", TEMPORARY),
        # full mailboxes
        ("550 5.1.1 mailbox is full, over quota", TEMPORARY),
        ("550 5.2.1 user has used up the storage", TEMPORARY),
        ("550 5.1.1 account does not exist or is over quota", TEMPORARY),
        # block lists, reputation, host names, authentication
        ("550 5.1.1 your host is on a block list", POLICY),
        ("550 5.2.1 Mailbox unavailable. Your IP address 203.0.113.9 is blacklisted", POLICY),
        ("553 5.1.3 https://www.spamhaus.org/query/bl?ip=203.0.113.9", POLICY),
        ("550 5.1.1 poor reputation of 203.0.113.9", POLICY),
        ("550 5.1.1 no PTR record for 203.0.113.9", POLICY),
        ("550 5.1.1 203.0.113.9 has no reverse DNS", POLICY),
        ("550 5.1.1 SPF check of the envelope failed", POLICY),
        ("550 5.1.1 rejected by the DMARC policy of example.com", POLICY),
        ("550 5.1.1 authentication required", POLICY),
        ("550 5.1.1 203.0.113.9 is not welcome here", POLICY),
        ("550 5.1.1 message looks like spam", POLICY),
        ("550 5.1.1 relaying denied", POLICY),
        ("550 5.1.1 user has blocked you", POLICY),
        ("550 5.7.1 Recipient address rejected: Access denied", POLICY),
        ("550 5.7.606 Access denied, banned sending IP [203.0.113.9]", POLICY),
        # the sender
        ("550 5.1.1 Sender address rejected: User unknown in local recipient table", OURS),
        ("550 5.1.1 <notices@example.com>: sender does not exist", OURS),
        ("553 5.1.1 Domain of sender address does not exist", OURS),
        ("550 Sender verify failed", OURS),
        ("554 Message rejected: Email address is not verified", OURS),
        # the message and the way
        ("552 5.1.1 message size exceeds what we take", CONTENT),
        ("554 5.1.1 virus found", CONTENT),
        ("550 5.1.1 STARTTLS is needed first", OURS),
        ("550 5.1.1 connection timed out", NETWORK),
    ],
)
def test_words_about_something_else_outrank_the_code(answer: str, group: Group) -> None:
    assert group_of(answer, "5.1.1") is group


@pytest.mark.parametrize(
    ("answer", "status", "group"),
    [
        ("550 5.0.0 Recipient unknown", "", ADDRESS),
        ("554 5.4.0 no such mailbox", "", ADDRESS),
        ("553 5.3.0 Unknown E-Mail Address", "5.3.0", UNCLEAR),
        ("554 5.0.0 invalid address", "5.0.0", UNCLEAR),
        ("550 unknown address", "5.0.0", UNCLEAR),
        ("550 5.4.0 bad address", "", NETWORK),
        ("550 unknown address", "", ADDRESS),
        ("550 5.1.0 unknown address", "", ADDRESS),
        ("550 5.1.0 Unknown address error 550-'5.7.1 not wanted'", "", POLICY),
        (
            "550 5.1.0 Unknown address error 550-'5.4.1 Recipient address rejected: Access denied'",
            "",
            ADDRESS,
        ),
        ("550 5.1.0 Address rejected", "", UNCLEAR),
        ("550 Mailbox unavailable or access denied", "", UNCLEAR),
    ],
)
def test_vague_words_count_only_beside_a_code_that_leaves_room(
    answer: str, status: str, group: Group
) -> None:
    assert group_of(answer, status) is group


# --- codes ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("code", "group"),
    [
        ("5.1.1", ADDRESS), ("5.1.2", UNCLEAR), ("5.1.3", ADDRESS), ("5.1.6", ADDRESS), ("5.1.10", ADDRESS),
        ("5.0.0", UNCLEAR), ("5.1.0", UNCLEAR), ("5.2.0", UNCLEAR), ("5.2.1", UNCLEAR), ("5.3.0", UNCLEAR),
        ("5.3.5", UNCLEAR), ("5.5.0", UNCLEAR), ("550", UNCLEAR), ("554", UNCLEAR), ("", UNCLEAR),
        ("5.2.2", TEMPORARY), ("5.3.1", TEMPORARY), ("5.3.2", TEMPORARY), ("5.5.3", TEMPORARY),
        ("4.0.0", TEMPORARY), ("4.1.1", TEMPORARY), ("4.2.2", TEMPORARY), ("450", TEMPORARY),
        ("5.4.0", NETWORK), ("5.4.4", NETWORK), ("5.4.6", NETWORK), ("4.4.1", NETWORK), ("4.4.7", NETWORK),
        ("5.2.3", CONTENT), ("5.3.4", CONTENT), ("5.6.0", CONTENT),
        ("5.7.1", POLICY), ("5.7.26", POLICY), ("4.7.0", POLICY), ("5.1.9", POLICY),
        ("5.1.7", OURS), ("5.1.8", OURS), ("5.5.2", OURS), ("5.6.7", OURS),
    ],
)  # fmt: skip
def test_codes_alone(code: str, group: Group) -> None:
    assert group_of(status=code) is group
    assert group_of(answer=code) is group


@pytest.mark.parametrize(
    ("answer", "status", "notes", "group"),
    [
        ("550 5.7.1 not wanted", "5.1.1", "", POLICY),
        ("550 5.1.1 unknown", "5.0.0", "", ADDRESS),
        ("550 no", "5.1.1", "", ADDRESS),
        ("550 no", "5.2.2", "", TEMPORARY),
        ("550 no", "5.0.0", "The mailbox is full.", TEMPORARY),
        ("", "5.0.0", "There is no such user.", ADDRESS),
        ("550 no", "5.0.0", "There is no such user.", UNCLEAR),
        ("550 user unknown", "4.0.0", "", ADDRESS),
        ("user unknown", "4.0.0", "", TEMPORARY),
        ("450 user unknown", "5.1.1", "", TEMPORARY),
    ],
)
def test_the_answer_outranks_the_summary_and_both_outrank_the_notes(
    answer: str, status: str, notes: str, group: Group
) -> None:
    assert group_of(answer, status, notes) is group


@pytest.mark.parametrize(
    "notes",
    [
        "Often the address does not exist, or the mailbox is out of use.",
        "Possible reasons: the user does not exist.",
        "The account may not exist. It might be that there is no such user.",
        "Möglicherweise ist der Empfänger unbekannt.",
    ],
)
def test_sentences_that_only_suppose_prove_nothing(notes: str) -> None:
    assert group_of(notes=notes) is UNCLEAR
    assert group_of(notes=f"{notes} The user's mail folder is over its allowed size.") is TEMPORARY


@pytest.mark.parametrize(
    "answer",
    [
        "550 5.7.1 user has disabled mail from outside",
        "550 5.7.1 The user no longer accepts mail from strangers",
        "550 5.7.1 example.org does not accept mail from your network",
        "550 5.7.1 your IP address 203.0.113.9 does not exist in DNS",
        "550 5.7.1 your domain does not exist",
        "535 5.7.8 invalid user name or password",
        "554 5.7.1 the message to the user was deleted",
    ],
)
def test_words_that_only_look_like_the_address(answer: str) -> None:
    assert group_of(answer) is POLICY


@pytest.mark.parametrize(
    "answer",
    [
        "SMTP error from remote mail server after MAIL FROM:<n@example.com>: 553 example.com does not exist",
        "host mx.example.org[192.0.2.1] said: 550 5.1.1 user unknown (in reply to MAIL FROM command)",
    ],
)
def test_an_answer_to_mail_from_is_about_the_sender(answer: str) -> None:
    assert group_of(answer) is POLICY


@pytest.mark.parametrize("code", ["5.1.1", "5.1.0", "5.2.1", "5.4.1"])
@pytest.mark.parametrize(
    "words",
    [
        "System overloaded", "Server shutting down", "database error, again in an hour", "we are over capacity",
        "excessive unknown recipients from this host", "sender exceeded max number of unknown recipients",
        "cannot verify recipient at this time", "sender callout failed", "loop detected", "invalid MIME",
        "rejected by the user's sieve script", "this user only accepts mail from contacts", "host is in SBL",
        "Zu viele Empfänger", "Ihre IP-Adresse steht auf einer Sperrliste", "trop de connexions",
        "demasiados destinatarios", "muitos destinatários", "troppi destinatari", "te veel ontvangers",
        "слишком много получателей", "příliš mnoho příjemců", "zbyt wielu odbiorców", "çok fazla alıcı",
        "受信者が多すぎます", "송신자에게서 메일이 너무 많습니다", "发送频率过高", "邮件被判定为垃圾邮件",
    ],
)  # fmt: skip
def test_words_about_system_rate_and_sender_prove_nothing_about_the_address(code: str, words: str) -> None:
    assert group_of(f"550 {code} <ann@example.org>: {words}", code) is not ADDRESS


def test_a_word_of_a_script_with_spaces_starts_a_word() -> None:
    notes = "Письмо невозможно доставить, так как пользователь не найден."
    assert group_of(notes=notes) is ADDRESS  # and does not suppose, as "возможно" would


def test_names_are_not_words_of_the_answer() -> None:
    unknown = "host mx1.antispam.example[192.0.2.1] said: 550 5.1.1 <ptr@spf.example>: user unknown"
    assert group_of(unknown) is ADDRESS
    assert group_of("host mx1.antispam.example[192.0.2.1] said: 550 5.1.1 <ann@example.org>") is ADDRESS
    assert group_of("550 5.0.0 mail for <user-unknown@example.org> went by does.not.exist.example") is UNCLEAR


# --- class 4 is never permanent -------------------------------------------------------------------------

_WORDS = st.sampled_from(
    [
        "user unknown",
        "no such user",
        "mailbox not found",
        "account disabled",
        "5.1.1",
        "550",
        "550 5.1.1",
        "x",
    ]
)
_CLASS_4 = st.one_of(
    st.builds("4.{}.{}".format, st.integers(0, 9), st.integers(0, 30)),
    st.builds("4{}{}".format, st.integers(0, 9), st.integers(0, 9)),
)


@given(st.lists(_WORDS, max_size=4), _CLASS_4, st.lists(_WORDS, max_size=4), st.sampled_from(["", "5.1.1"]))
def test_no_words_make_an_answer_of_class_4_permanent(
    before: list[str], code: str, after: list[str], status: str
) -> None:
    assert group_of(" ".join([*before, code, *after]), status) is not ADDRESS


@given(_CLASS_4, st.text(max_size=60))
def test_no_row_of_a_site_makes_class_4_permanent(code: str, text: str) -> None:
    own = {"email": Table((Row(ADDRESS, ("x.x.x",), ("gone", "4")),))}
    for report in (Report("email", f"{code} gone {text}"), Report("email", "gone", code)):
        assert Verdicts(own).group_of(report) is not ADDRESS


@given(st.text(max_size=300), st.text(max_size=50), st.text(max_size=300), st.sampled_from(["email", "sms"]))
def test_every_report_has_a_group(answer: str, status: str, notes: str, channel: Channel) -> None:
    assert group_of(answer, status, notes, channel) in Group


# --- Amazon SES -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("types", "answer", "status", "group"),
    [
        ("Permanent/NoEmail", "", "", ADDRESS),
        ("Permanent/NoEmail", "", "5.0.0", ADDRESS),
        ("Permanent/NoEmail", "smtp; 550 5.1.1 user unknown", "5.1.1", ADDRESS),
        ("Permanent/NoEmail", "smtp; 550 5.7.1 rejected by policy", "5.1.1", POLICY),
        ("Permanent/NoEmail", "", "5.7.1", POLICY),
        ("Permanent/General", "", "", UNCLEAR),
        ("Permanent/General", "", "5.0.0", UNCLEAR),
        ("Permanent/General", "", "5.1.1", ADDRESS),
        ("Permanent/General", "smtp; 550 5.7.1 message looks like spam", "5.0.0", POLICY),
        ("Permanent/General", "smtp; 550 5.1.1 no such user", "5.0.0", ADDRESS),
        ("Permanent/General", "smtp; 550 4.4.7 Message expired", "4.4.7", NETWORK),
        ("Permanent/SomethingNew", "", "", UNCLEAR),
        ("Transient/General", "", "", TEMPORARY),
        ("Transient/General", "", "5.1.1", TEMPORARY),
        ("Transient/General", "", "4.7.0", POLICY),
        ("Transient/MailboxFull", "", "4.2.2", TEMPORARY),
        ("Transient/MessageTooLarge", "", "", CONTENT),
        ("Transient/ContentRejected", "", "", CONTENT),
        ("Transient/AttachmentRejected", "", "", CONTENT),
        ("Transient/CustomTimeoutExceeded", "", "", NETWORK),
        ("Undetermined/Undetermined", "", "5.0.0", UNCLEAR),
    ],
)
def test_bounces_of_ses(types: str, answer: str, status: str, group: Group) -> None:
    assert group_of(answer, f"{status} ses:{types}") is group


def test_every_type_of_bounce_in_the_services_own_model_is_read() -> None:
    model = botocore.session.get_session().get_service_model("sesv2")
    assert set(model.shape_for("BounceType").enum) == {"UNDETERMINED", "TRANSIENT", "PERMANENT"}


@pytest.mark.parametrize(
    "subtype",
    [
        "Suppressed", "OnAccountSuppressionList", "OnTenantSuppressionList", "SuppressedByTenant",
        "EmailValidationSuppressed", "UnsubscribedRecipient", "SomeNewSuppressionList",
    ],
)  # fmt: skip
def test_lists_that_speak_are_echoes(subtype: str) -> None:
    assert SES_ECHO_SUBTYPES.search(subtype)


# --- SMS ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "answer", "group"),
    [
        ("aws:INVALID", "", ADDRESS),
        ("aws:INVALID", "Invalid phone number", ADDRESS),
        ("aws:UNREACHABLE", "Phone is currently unreachable/unavailable", TEMPORARY),
        ("aws:CARRIER_UNREACHABLE", "Phone carrier is currently unreachable/unavailable", NETWORK),
        ("aws:TTL_EXPIRED", "", NETWORK),
        ("aws:NO_ANSWER", "", NETWORK),
        ("aws:BLOCKED", "Phone has blocked SMS", POLICY),
        ("aws:CARRIER_BLOCKED", "Phone carrier has blocked this message", POLICY),
        ("aws:SPAM", "Blocked as spam by phone carrier", POLICY),
        ("aws:INVALID_MESSAGE", "Message body is invalid", OURS),
        ("aws:PROTECT_BLOCKED", "Message blocked by protect configuration", OURS),
        ("aws:UNKNOWN", "Unknown error attempting to reach phone", UNCLEAR),
        ("aws:FAILED", "", UNCLEAR),
        ("failed", "", UNCLEAR),
        ("failed", "unknown error", UNCLEAR),
        ("failed", "unknown subscriber", ADDRESS),
        ("failed", "number not in service", ADDRESS),
        ("failed", "absent subscriber", TEMPORARY),
        ("failed", "handset switched off", TEMPORARY),
        ("failed", "filtered by the carrier", POLICY),
        ("failed", "call barred", POLICY),
        ("failed", "invalid sender id", OURS),
        ("undeliv", "id:7 sub:001 dlvrd:000 stat:UNDELIV err:001 text:", UNCLEAR),
        ("undeliverable", "", UNCLEAR),
        ("rejectd", "", POLICY),
        ("expired", "", NETWORK),
        ("deleted", "", UNCLEAR),
        ("opentext:Error gamma:501", "", UNCLEAR),
        ("opentext:Expired", "", NETWORK),
        ("opentext:Cancelled", "", OURS),
    ],
)
def test_carriers_words_and_states(status: str, answer: str, group: Group) -> None:
    assert group_of(answer, status, channel="sms") is group


def test_every_event_of_sms_in_the_services_own_model_is_read() -> None:
    model = botocore.session.get_session().get_service_model("pinpoint-sms-voice-v2")
    names = set(model.shape_for("EventType").enum)
    selectors = {name for name in names if name == "ALL" or name.endswith("_ALL")}
    assert names - selectors == set(SMS_EVENTS) | SMS_FAILURES


def sms_kind(event: str, final: bool) -> Kind:
    body = {"eventType": event, "eventTimestamp": 1_795_147_200_000, "isFinal": final}
    (receipt,) = sms_receipts(body, VERDICTS)
    return receipt.kind


@pytest.mark.parametrize("event", sorted(SMS_FAILURES))
def test_a_failed_sms_is_delayed_until_it_is_final(event: str) -> None:
    assert sms_kind(event, final=False) is Kind.DELAYED
    assert MEANINGS[sms_kind(event, final=True)].fall_back
    unproven = event.endswith(("_UNKNOWN", "_FAILED"))
    assert (sms_kind(event, final=True) is Kind.NOT_DELIVERED) == unproven


@pytest.mark.parametrize(
    ("event", "final", "kind"),
    [
        ("TEXT_DELIVERED", True, Kind.DELIVERED),
        ("TEXT_SUCCESSFUL", True, Kind.DELIVERED),
        ("TEXT_SUCCESSFUL", False, Kind.SENT),
        ("TEXT_QUEUED", False, Kind.SENT),
        ("MEDIA_SUCCESSFUL", True, Kind.DELIVERED),
        ("MEDIA_FILE_SIZE_EXCEEDED", True, Kind.CONTENT_REFUSED),
        ("TEXT_INVALID", True, Kind.HARD_BOUNCE),
        ("TEXT_BLOCKED", True, Kind.CARRIER_REFUSED),
        ("RCS_READ", True, Kind.DELIVERED),
        ("RCS_FALLEN_BACK_TO_SMS", False, Kind.SENT),
        ("VOICE_BUSY", True, Kind.GAVE_UP),
    ],
)
def test_events_of_sms(event: str, final: bool, kind: Kind) -> None:
    assert sms_kind(event, final) is kind


# --- a site's own rows ----------------------------------------------------------------------------------


def site(folder: Path, text: str) -> Verdicts:
    (folder / "verdicts.yaml").write_text(text, "utf-8")
    return YamlRules(folder).verdicts


def test_a_sites_rows_stand_in_front(tmp_path: Path) -> None:
    own = site(
        tmp_path,
        """email:
  - group: address
    codes: [ses:Permanent/General]
    words: [left the building]
  - group: policy
    words: [user unknown]
    beside: [x.7.x]
sms:
  - group: address
    codes: [gamma:207]
doubts: [es kann sein]
""",
    )
    assert own.group_of(Report("email", "550 5.7.1 Elvis has left the building")) is ADDRESS
    assert own.group_of(Report("email", status="5.0.0 ses:Permanent/General")) is ADDRESS
    assert own.group_of(Report("email", "550 5.7.1 user unknown")) is POLICY
    assert own.group_of(Report("email", "550 5.1.1 user unknown")) is ADDRESS
    assert own.group_of(Report("email", "550 5.2.2 x")) is TEMPORARY, "the package's rows stand behind"
    assert own.group_of(Report("sms", status="opentext:Sent gamma:207")) is ADDRESS
    assert own.group_of(Report("email", notes="Es kann sein: no such user")) is UNCLEAR


@pytest.mark.parametrize(
    ("text", "place", "why"),
    [
        ("email:\n  - group: adress\n    codes: [5.1.1]\n", "line 2: email.0.group", "address"),
        (
            "email:\n  - group: policy\n    codes: [5-1-1]\n",
            "line 3: email.0.codes.0",
            "a code such as 5.1.1",
        ),
        ("email:\n  - group: policy\n    codes: [x]\n", "email.0.codes.0", "a code such as 5.1.1"),
        ("email:\n  - group: policy\n", "line 2: email.0", "codes or words are needed"),
        ("email:\n  - group: policy\n    words: [User Unknown]\n", "email.0.words.0", "lower case"),
        ("email:\n  - group: policy\n    words: ['*']\n", "email.0.words.0", "two characters"),
        ("email:\n  - group: policy\n    words: [off]\n", "email.0.words.0", "valid string"),
        ("email:\n  - group: address\n    codes: [4.1.1]\n", "email.0", "class 4 is never permanent"),
        ("sms:\n  - group: policy\n    codes: [x.1.1]\n    beside: [none]\n", "sms.0", "there are none"),
        ("mail: []\n", "line 1: mail", "Extra inputs"),
    ],
)
def test_a_broken_row_is_refused_with_file_row_and_reason(
    tmp_path: Path, text: str, place: str, why: str
) -> None:
    (tmp_path / "verdicts.yaml").write_text(text, "utf-8")
    with pytest.raises(RulesInvalid) as raised:
        YamlRules(tmp_path).check()
    assert "verdicts.yaml" in str(raised.value)
    assert place in str(raised.value)
    assert why in str(raised.value)
