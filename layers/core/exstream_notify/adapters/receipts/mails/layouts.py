"""What mailers write in their own layouts: whom they could not reach, and what the other server answered.

An address counts by how it stands: at the head of a line or behind a label ("Recipient:") before one inside of a
sentence. The answer is the text near it: behind "said:", in a transcript, in brackets after "reason".
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from ....domain.mail_addresses import PLACES, Place, address_in, forms_of, places
from .reports import RECIPIENTS, Row

NEAR: Final = 1_500
"""Characters behind an address that are near it."""

ANSWER: Final = 600
TRANSCRIPT: Final = 8_000
"""Characters of an answer, and of a text that is looked through for one apart from its address."""

_PREFIX: Final = 80

_LABELS: Final = (
    r"to|for|rcpt to|recipients?|recipient'?s? address|address|addresses|addressee|failed recipients?|user|users|"
    r"mailbox|e-?mail|e-?mail address|failed|delivery to|not delivered to|message to|your message to|"
    r"original-?recipient|final-?recipient|an|empf[aä]nger(?:adresse)?|adresse|à|a|destinataires?|"
    r"destinatarios?|para|correo|destinat[aá]ri[oa]s?|destinatari[oe]?|indirizzo|aan|geadresseerden?|"
    r"ontvangers?|till|mottagare|til|modtagere?|mottakere?|vastaanottajat?|кому|получател[ьия]|адрес|komu|"
    r"p[rř][ií]jemc[ei]|adresaci?|odbiorc[ay]|kime|al[ıi]c[ıi]|宛先|送信先|受信者|받는 ?사람|수신자|收件人|收件者|收件地址"
)
_LABELLED: Final = re.compile(rf"(?:^|[\s(>*•-])(?:{_LABELS})\s*[:：=]?\s*[<\"'«“]*$", re.I)
_LEADING: Final = re.compile(r"[\W\d_]{0,12}$")
_AWAY: Final = re.compile(
    r"(?:from|sender|sent by|reply|contact|postmaster|administrator|helpdesk|support|assistance|questions?|abuse|"
    r"mailto|https?|please|absender|von|kontakt|expéditeur|remitente|mittente|afzender|avsändare|afsender|"
    r"отправител[ья]|odes[ií]latel|nadawca|gönderen|差出人|送信者|보낸 ?사람|发件人|寄件者|寄件人|发信人)\b[^@]{0,30}$",
    re.I,
)


@dataclass(frozen=True, slots=True)
class _Candidate:
    address: str
    start: int
    end: int
    rank: int


def rows_in(text: str, is_strange: Callable[[str], bool], expected: frozenset[str]) -> list[Row]:
    """A row for each failed recipient that a text names, with the answer near it.

    `is_strange`: whether an address may be a recipient's; `expected` are the recipients, in lower case, of the
    message that is returned: one of them inside a sentence counts before another.
    """
    everyone = list(_candidates(text))
    candidates = [c for c in everyone if is_strange(c.address) and (c.rank < _FAR or c.address.lower() in expected)]
    candidates = candidates or [c for c in everyone if c.rank <= _LABEL]
    if not candidates:
        return []
    best = min(c.rank for c in candidates)
    chosen = [c for c in candidates if c.rank == best]
    if best >= _INLINE:
        known = [c for c in chosen if c.address.lower() in expected]
        chosen = known or chosen[:1]
    names = list(dict.fromkeys(c.address.lower() for c in chosen))[:RECIPIENTS]
    return [_row_of(text, candidates, name) for name in names]


def rows_near(text: str, addresses: list[str]) -> list[Row]:
    """A row for each address that is known to have failed, with the answer near it."""
    candidates = list(_candidates(text))
    return [_row_of(text, candidates, address.lower(), address) for address in addresses[:RECIPIENTS]]


_HEAD, _LABEL, _RCPT, _INLINE, _DETAIL, _FAR = range(6)
_DETAILS: Final = re.compile(
    r"[>)\]\"']*[^\n@]{0,60}\n[ \t>]*(?:subject|sent|date|cc|betreff|gesendet|datum|objet|envoyé|asunto|enviado|assunto|oggetto|"
    r"inviato|onderwerp|verzonden|ämne|emne|тема|předmět|temat|konu|件名|제목|主题|主題)[ \t]*[:：]",
    re.I,
)
"""The recipient is one of the details of the message that was sent."""
_TEAM: Final = frozenset({"support", "help", "helpdesk", "contact", "kontakt", "abuse", "webmaster", "hostmaster", "service"})



def _candidates(text: str) -> Iterator[_Candidate]:
    for place in islice(places(text), PLACES):
        if place.address:
            yield _Candidate(place.address, place.start, place.end, _rank(text, place))


def _rank(text: str, place: Place) -> int:
    line = text.rfind("\n", max(0, place.start - _PREFIX), place.start) + 1
    prefix = text[max(line, place.start - _PREFIX) : place.start]
    whole = line > 0 or place.start <= _PREFIX
    if re.search(r"rcpt to:?\s*<?$", prefix, re.I):
        return _RCPT
    if _AWAY.search(prefix) or place.address.partition("@")[0].lower() in _TEAM:
        return _FAR
    if whole and _LEADING.match(prefix):
        return _HEAD
    if not _LABELLED.search(prefix):
        return _INLINE
    return _DETAIL if _DETAILS.match(text, place.end, place.end + 200) else _LABEL


def _row_of(text: str, candidates: list[_Candidate], name: str, written: str = "") -> Row:
    """The row of one address: of the places where it stands, the first one near an answer counts."""
    mine = [c for c in candidates if c.address.lower() == name]
    address = written or (mine[0].address if mine else name)
    also = forms_of(address)
    origin = _origin(text, mine)
    if origin and not written:
        address, also = origin, (address, *also)
    blocks = [_block(text, c, candidates) for c in mine[:6]]
    answers = [a for a in (explicit_answer(block) for block in blocks) if a]
    said = answers[0] if answers else next((b for b in blocks if _says_something(b)), "")
    if not answers and (found := explicit_answer(text[:TRANSCRIPT])):
        # A transcript apart from the list of addresses: sendmail, and many who learned from it.
        said = f"{said}\n{found}" if said else found
    return Row(address, also, answer=said[:ANSWER].strip())


_EXPANDED: Final = re.compile(
    r"[>:,.\s]{0,6}\(?\s*(?:expanded|generated|forwarded|redirected|aliased|rewritten) (?:from|by)[: ]{0,3}[^\n]{0,300}", re.I
)


def _origin(text: str, mine: list[_Candidate]) -> str:
    """The address that the sender used, where a mailer says that another one came of it."""
    for here in mine[:3]:
        if match := _EXPANDED.match(text, here.end):
            return address_in(match[0])
    return ""


def _block(text: str, here: _Candidate, candidates: list[_Candidate]) -> str:
    """The line of an address and what follows it, up to a blank line or another recipient's line."""
    start = text.rfind("\n", 0, here.start) + 1
    start = max(start, here.start - 300)
    end = min(len(text), here.end + NEAR)
    blank = text.find("\n\n", here.end, end)
    first = text.find("\n", here.end, end)
    if blank >= 0 and first >= 0 and text[here.end : blank].strip("<>:;,.'\" \n)"):
        end = blank
    elif blank >= 0:
        # Nothing stands behind the address but a blank line: what follows it may be the answer.
        behind = text.find("\n\n", blank + 2, end)
        end = behind if behind >= 0 else end
    for other in candidates:
        if other.start > here.end and other.rank == here.rank and other.address.lower() != here.address.lower():
            return text[start : min(end, max(text.rfind("\n", 0, other.start) + 1, here.end))]
        if other.start > end:
            break
    return text[start:end]


def _says_something(block: str) -> bool:
    return len(re.findall(r"[^\W\d_]{2,}", block[:ANSWER])) > 4


# --- answers ---------------------------------------------------------------------------------------------

_TRANSCRIPT: Final = re.compile(r"^[ \t>|]*<<<[ \t]*([45]\d\d[^\n]{0,400}(?:\n[ \t>|]*<<<[ \t]*[45]\d\d[^\n]{0,200}){0,8})", re.M)
_SAID: Final = re.compile(
    r"(?:\bsaid|\bresponded(?: with)?|\breplied(?: with)?|\b(?:the )?(?:error|response|answer|reply|reason|result)"
    r"(?: message)?(?: (?:that )?(?:from )?(?:the )?(?:other|remote|receiving|recipient|mail|destination)[\w' ]{0,30}?"
    r"(?:returned|server|host|said)?)?(?: was| is)?|\breturned(?: the)?(?: following)?(?: error)?|"
    r"\bremote (?:host|server|mta)[\w ]{0,20}|\bdiagnostic(?:-code| code| information[\w ]{0,30})?|\btechnical details[\w ]{0,40}|"
    r"\breason of failure|\bfailure reason|\bsmtp error[\w ]{0,60}|\bserver response|\bgrund|\bfehler(?:meldung)?|\bantwort[\w ]{0,30}|"
    r"\bmotif|\braison|\berreur|\brépon(?:se|du)[\w ]{0,20}|\bmotivo|\brazón|\brespuesta[\w ]{0,20}|\bresposta[\w ]{0,20}|"
    r"\brisposta[\w ]{0,20}|\berrore|\breden|\bfoutmelding|\borsak|\bårsag|\bпричина|\bответ[\w ]{0,20}|\bошибка|\bdůvod|"
    r"\bpowód|\bneden|\bhata|理由|エラー(?:内容)?|応答|사유|이유|오류|原因|错误|錯誤|退信原因|返回信息)\s*[:：][\s>|*\"“(]*",
    re.I,
)  # fmt: skip
_HOST_SAID: Final = re.compile(r"\bhost [^\s:]{1,120}(?:[ \t]\[[0-9a-fA-F.:]{3,50}\])?(?:\s+[^\n:]{0,80})?:\s*", re.I)
_CODED: Final = re.compile(
    r"(?<![\d.\-/@])(?:(?!465|587)[45]\d\d(?:[ \-#:(]|$)|[45]\.[0-7]\.\d{1,3}(?![.\d]))", re.M
)
_ENDS: Final = re.compile(r"\n[ \t]*\n|\n-{3,}|\n_{3,}|\n={3,}")


def explicit_answer(text: str) -> str:
    """What a text says that the other server answered, with its code; empty if it does not say so plainly."""
    transcript = _TRANSCRIPT.search(text)
    if transcript:
        return re.sub(r"\n[ \t>|]*<<<[ \t]*", "\n", transcript[1])[:ANSWER]
    for pattern in (_SAID, _HOST_SAID):
        for match in islice(pattern.finditer(text), 8):
            behind = _ended(text[match.end() :][:ANSWER])
            if _CODED.search(behind[:80]):
                # A refusal of the sender stands beside the command that it answers.
                return f"{match[0].strip()} {behind}" if "mail from" in match[0].lower() else behind
    coded = _CODED.search(text)
    if coded is None:
        return ""
    # The words may stand before their code: "no mailbox here by that name. (#5.1.1)".
    start = max(text.rfind("\n\n", 0, coded.start()) + 1, coded.start() - 300, 0)
    return _ended(text[start:].lstrip()[:ANSWER])


def _ended(text: str) -> str:
    end = _ENDS.search(text)
    return (text[: end.start()] if end else text).strip(" \t\n\"”")
