"""What mailers write in their own layouts: whom they could not reach, and what the other server answered.

An address counts by how it stands: at the head of a line or behind a label ("Recipient:") before one inside
of a sentence. The answer is the text near it: behind "said:", in a transcript, in brackets after "reason".
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import Final

from ....domain.mail_addresses import Place, address_in, forms_of, places
from .reports import RECIPIENTS, Row

NEAR: Final = 1_500
"""Characters behind an address that are near it."""

ANSWER: Final = 600
TRANSCRIPT: Final = 8_000
"""Characters of an answer, and of a text that is looked through for one apart from its address."""

_PREFIX: Final = 80
_PLACES_OF_ONE: Final = 4

_LABELS: Final = (
    r"to|for|rcpt to|recipients?|recipient'?s? address|address|addresses|addressee|failed recipients?|users?|"
    r"mailbox|e-?mail|e-?mail address|failed|delivery to|not delivered to|message to|your message to|"
    r"an|empf[aä]nger(?:adresse)?|adresse|à|a|destinataires?|"
    r"destinatarios?|para|correo|destinat[aá]ri[oa]s?|destinatari[oe]?|indirizzo|aan|geadresseerden?|"
    r"ontvangers?|till|mottagare|til|modtagere?|mottakere?|vastaanottajat?|кому|получател[ьия]|адрес|"
    r"komu|p[rř][ií]jemc[ei]|adresaci?|odbiorc[ay]|kime|al[ıi]c[ıi]|宛先|送信先|受信者|받는 ?사람|수신자|"
    r"收件人|收件者|收件地址"
)
"""What stands before a failed recipient, in the languages of large providers."""
_LABELLED: Final = re.compile(rf"(?:^|[\s(>*•-])(?:{_LABELS})\s*[:：=]?\s*[<\"'«“]*$", re.I)
_LEADING: Final = re.compile(r"[\W_]{0,12}(?:\d{1,3}[.):]\s{0,4}[\W_]{0,4})?$")
"""Quotes, bullets and numbers of a list; not a code, which may begin a line that was wrapped."""
_AWAY: Final = re.compile(
    r"(?:from|sender|sent by|reply|contact|postmaster|administrator|helpdesk|support|assistance|questions?|"
    r"abuse|mailto|https?|please|absender|von|kontakt|expéditeur|remitente|mittente|afzender|avsändare|"
    r"afsender|отправител[ья]|odes[ií]latel|nadawca|gönderen|差出人|送信者|보낸 ?사람|发件人|寄件者|寄件人|"
    r"发信人)\b[^@]{0,30}$",
    re.I,
)
"""What stands before addresses of others: the sender's, and whom to ask."""


CANDIDATES: Final = 200
"""Addresses of a text that are looked at."""

_HEAD, _LABEL, _RCPT, _INLINE, _DETAIL, _FAR = range(6)
_DETAILS: Final = re.compile(
    r"[>)\]\"']*[^\n@]{0,60}\n[ \t>]*(?:subject|sent|date|cc|betreff|gesendet|datum|objet|envoyé|asunto|"
    r"enviado|assunto|oggetto|inviato|onderwerp|verzonden|ämne|emne|тема|předmět|temat|konu|件名|제목|主题|"
    r"主題)[ \t]*[:：]",
    re.I,
)
_FIELD: Final = re.compile(r"(?:final|original|actual)-recipient:", re.I)
"""The recipient is one of the details of the message that was sent."""
_TEAM: Final = frozenset(
    {"support", "help", "helpdesk", "contact", "kontakt", "abuse", "webmaster", "hostmaster", "service"}
)


@dataclass(frozen=True, slots=True)
class _Candidate:
    address: str
    start: int
    end: int
    rank: int

    @property
    def name(self) -> str:
        """As addresses are compared here."""
        return self.address.lower()


class Layout:
    """A mailer's own text, with the addresses in it."""

    def __init__(self, text: str) -> None:
        self._text = text

    @cached_property
    def _candidates(self) -> list[_Candidate]:
        found = (place for place in places(self._text, CANDIDATES) if place.address)
        return [_Candidate(p.address, p.start, p.end, _rank(self._text, p)) for p in found]

    @cached_property
    def _apart(self) -> str:
        """An answer anywhere: a transcript apart from the list of addresses, as sendmail has it."""
        return explicit_answer(self._text[:TRANSCRIPT])

    def rows(self, is_strange: Callable[[str], bool], expected: frozenset[str]) -> list[Row]:
        """A row for each failed recipient that the text names, with the answer near it.

        `is_strange`: whether an address may be a recipient's; `expected` are the recipients, in lower case,
        of the message that is returned: one of them inside a sentence counts before another.
        """
        candidates = [
            c for c in self._candidates if is_strange(c.address) and (c.rank < _FAR or c.name in expected)
        ] or [c for c in self._candidates if c.rank <= _LABEL]
        if not candidates:
            return []
        best = min(c.rank for c in candidates)
        chosen = [c for c in candidates if c.rank == best]
        if best >= _INLINE:
            chosen = [c for c in chosen if c.name in expected] or chosen[:1]
        rows = (
            self._row(candidates, c)
            for c in list({c.name: c for c in reversed(chosen)}.values())[::-1][:RECIPIENTS]
        )
        return list(rows)

    def near(self, address: str) -> Row:
        """The row of an address that is known to have failed."""
        row = self._row(self._candidates, _Candidate(address, 0, 0, _HEAD))
        return replace(row, address=address, also=forms_of(address))

    def _row(self, candidates: list[_Candidate], one: _Candidate) -> Row:
        """Of the places where an address stands, the first one near an answer counts."""
        mine = sorted(
            (c for c in candidates if c.name == one.name and c.rank != _DETAIL), key=lambda c: c.rank
        )
        blocks = [self._block(c, candidates) for c in mine[:_PLACES_OF_ONE]]
        said = next((a for a in (explicit_answer(block) for block in blocks) if a), "")
        own = not said
        if own:
            said = next((block for block in blocks if _says_something(block)), "")
            said = f"{said}\n{self._apart}" if said and self._apart else said or self._apart
        origin = next((o for o in (self._origin(c) for c in mine[:_PLACES_OF_ONE]) if o), "")
        also = forms_of(one.address)
        address, also = (origin, (one.address, *also)) if origin else (one.address, also)
        return Row(address, also, answer=_without_lead(said, one.address)[:ANSWER].strip(), own=own)

    def _origin(self, here: _Candidate) -> str:
        """The address that the sender used, where a mailer says that another one came of it."""
        match = _EXPANDED.match(self._text, here.end)
        return address_in(match[0]) if match else ""

    def _block(self, here: _Candidate, candidates: list[_Candidate]) -> str:
        """The line of an address and what follows it, up to a blank line or another recipient's line."""
        text = self._text
        start = max(text.rfind("\n", 0, here.start) + 1, here.start - 300)
        end = min(len(text), here.end + NEAR)
        blank = text.find("\n\n", here.end, end)
        if blank >= 0 and text[here.end : blank].strip("<>:;,.'\" \n)"):
            end = blank
        elif blank >= 0:
            # Nothing stands behind the address but a blank line: what follows it may be the answer.
            behind = text.find("\n\n", blank + 2, end)
            end = behind if behind >= 0 else end
        for other in candidates:
            if other.start > end:
                break
            if other.start > here.end and other.rank == here.rank and other.name != here.name:
                return text[start : max(text.rfind("\n", 0, other.start) + 1, here.end)]
        return text[start:end]


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
    if _FIELD.search(prefix):
        return _DETAIL
    if not _LABELLED.search(prefix):
        return _INLINE
    return _DETAIL if _DETAILS.match(text, place.end, place.end + 200) else _LABEL


_EXPANDED: Final = re.compile(
    r"[>:,.\s]{0,6}\(?\s*(?:expanded|generated|forwarded|redirected|aliased|rewritten) (?:from|by)"
    r"[: ]{0,3}[^\n]{0,300}",
    re.I,
)


def _without_lead(said: str, address: str) -> str:
    """An answer without the address that its line begins with."""
    lead, found, behind = said.partition(address)
    return behind.lstrip(">:;,.)'\" \t") if found and not _LETTERS.search(lead) else said


def _says_something(block: str) -> bool:
    return len(_LETTERS.findall(block[:ANSWER])) > 4


_LETTERS: Final = re.compile(r"[^\W\d_]{2,}")


# --- answers ---------------------------------------------------------------------------------------------

_TRANSCRIPT: Final = re.compile(
    r"^[ \t>|]*<<<[ \t]*([45]\d\d[^\n]{0,400}(?:\n[ \t>|]*<<<[ \t]*[45]\d\d[^\n]{0,200}){0,8})", re.M
)
_OTHER_SERVER: Final = (
    r"(?: (?:that )?(?:from )?(?:the )?(?:other|remote|receiving|recipient|mail|destination)[\w' ]{0,30}?"
    r"(?:returned|server|host|said)?)?"
)
_SAID: Final = re.compile(
    rf"(?:\bsaid|\b(?:responded|replied)(?: with)?|\b(?:error|response|answer|reply|reason|result)"
    rf"(?: message)?{_OTHER_SERVER}(?: was| is)?|\breturned(?: the)?(?: following)?(?: error)?|"
    r"\bremote (?:host|server|mta)[\w ]{0,20}|\bdiagnostic(?:-code| code| information[\w ]{0,30})?|"
    r"\btechnical details[\w ]{0,40}|\b(?:failure reason|reason of failure|server response)|"
    r"\bsmtp error[\w ]{0,60}(?:mail from:?[^\n]{0,300})?|"
    r"\bgrund|\bfehler(?:meldung)?|\bantwort[\w ]{0,30}|\bmotif|\braison|\berreur|\bréponse[\w ]{0,20}|"
    r"\bmotivo|\brazón|\bresp(?:ue|o)sta[\w ]{0,20}|\brisposta[\w ]{0,20}|\berrore|\breden|\bfoutmelding|"
    r"\borsak|\bårsag|\bпричина|\bответ[\w ]{0,20}|\bошибка|\bdůvod|\bpowód|\bneden|\bhata|理由|"
    r"エラー(?:内容)?|応答|사유|이유|오류|原因|错误|錯誤|返回信息)\s*[:：][\s>|*\"“(]*",
    re.I,
)
"""How mailers announce what the other server answered."""
_HOST_SAID: Final = re.compile(
    r"\bhost [^\s:]{1,120}(?:[ \t]\[[0-9a-fA-F.:]{3,50}\])?(?:\s+[^\n:]{0,80})?:\s*", re.I
)
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
    return (text[: end.start()] if end else text).strip(' \t\n"”')
