"""What a customer's SMS reply means: the legal keywords, plain requests, or words for the team.

A keyword counts alone (47 CFR 64.1200(a)(10), and the words on which AWS's carriers stop a number whether we
understood or not): in any case, with punctuation around it, spelled with or without spaces and accents, beside
a courtesy, a reason or a signature. A phrase counts where it says plainly what is wanted. A text that only
contains the word ("don't stop the service"), says the contrary as well, or asks, is none of ours to guess: it
goes to the team.
"""

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Meaning = Literal["stop", "start", "help", "free"]

KEYWORDS: Mapping[Meaning, frozenset[str]] = {
    "stop": frozenset(
        {
            # en: the words of 47 CFR 64.1200(a)(10)(i), those that AWS requires, and what carriers take besides
            "stop", "quit", "end", "revoke", "opt out", "optout", "cancel", "unsubscribe", "remove", "td", "stopall",
            "stop all", "stop texts", "stop texting", "stop sms", "stop messages", "stop messaging", "stop it all",
            "remove me", "no more", "no more texts", "no texts", "unsubscribed",
            # es
            "alto", "parar", "pare", "detener", "cancelar", "cancela", "baja", "fin", "terminar", "no mas", "basta",
            "desuscribir", "desuscribirme", "darme de baja", "dar de baja", "anular", "anular suscripcion",
            "cancelar suscripcion",
            # fr
            "arret", "arreter", "arretez", "desabonner", "desabonnement", "desinscrire", "desinscription", "annuler",
            "resilier", "stopper", "se desabonner", "se desinscrire", "me desabonner", "me desinscrire",
            # de
            "stopp", "stoppen", "halt", "abmelden", "abmeldung", "abbestellen", "abbestellung", "beenden", "ende",
            "kundigen", "kuendigen", "widerruf", "aufhoren", "aufhoeren", "austragen",
        }
    ),
    "start": frozenset(
        {
            "start", "unstop", "yes", "subscribe", "resume", "opt in", "optin",
            "iniciar", "comenzar", "reanudar", "suscribir", "alta", "si",
            "commencer", "reprendre", "abonner", "oui",
            "starten", "anmelden", "fortsetzen", "ja",
        }
    ),
    "help": frozenset(
        {"help", "info", "ayuda", "aide", "hilfe", "information", "informacion", "informationen"}
    ),
}  # fmt: skip
"""By meaning, without accents and case."""

_PLAIN = (
    "stop", "stopall", "stop all", "unsubscribe", "opt out", "optout", "remove me", "stop texts", "stop sms",
    "desuscribir", "darme de baja", "arret", "desabonner", "stopp", "abmelden",
)  # fmt: skip
"""Keywords that mean the messages also where a reason or a name stands behind them: one may well quit a job,
cancel a policy or ask when a contract ends."""

_POLITE = frozenset(
    {"please", "pls", "plz", "thanks", "thank you", "thx", "ty", "now", "immediately", "asap", "today", "sir", "madam",
     "hello", "hi", "dear sir or madam", "regards", "kind regards", "best regards", "cheers", "sorry", "kindly", "just",
     "por favor", "gracias", "muchas gracias", "ya", "hola", "ahora", "saludos", "svp", "stp", "merci", "bonjour",
     "s il vous plait", "s il te plait", "maintenant", "cordialement", "bitte", "danke", "vielen dank", "jetzt",
     "hallo", "sofort", "mfg", "gruss"}
)  # fmt: skip
"""May stand before or after a keyword and change nothing."""

_COURTESY = "|".join(sorted(_POLITE, key=lambda words: (-len(words), words)))
_COURTESIES = re.compile(rf"^(?:{_COURTESY}) | (?:{_COURTESY})$")
"""The longest first: `kind regards` goes whole, and leaves no `kind`."""

_NEGATIONS = (
    r"(?:do not|don t|dont|did not|didn t|didnt|does not|doesn t|doesnt|never|not|cannot|can t|cant|won t|wont|"
    r"without|instead of|no|nunca|sin|ne|n|pas|jamais|nicht|nie|niemals|kein|keine)"
)
_TURNS = re.compile(
    rf"(?:.* )?{_NEGATIONS}(?: \w+| (?:want|wish|need|like) \w+(?: to)?|)(?: ever| just)?"
    r"|(?:.* )?(?:never|not|nobody|no one|without|didn t) (?:say|said|saying|mean|meant|ask|asked)(?: \w+)?(?: to)?"
)
"""What turns round a request right behind it: "please don't", "I do not want you to", "I never said"."""

_NOT = re.compile(rf"(?:.* )?{_NEGATIONS}")
"""The same at the end of a clause before it."""

_LINKS = frozenset({
    "but", "so", "and", "ok", "okay", "yes", "then", "pero", "mais", "alors", "aber", "dann", "y", "et",
    "und",
})  # fmt: skip

_ASKS = re.compile(
    r"(?:how|why|when|what|where|who|which|if|should|may|can i|could i|do i|did|does|is|are|am i|will i|como|por que|"
    r"cuando|que pasa|comment|pourquoi|quand|est ce|wie|warum|wann|was|wenn|kann ich|soll)\b.*"
)

_TEXTS = r"(?:text(?:s|ing)?(?: messages?)?|messages?|msgs?|txts?|sms|messaging|contacting|sending|notifications?|alerts?)"
_CONSENT = r"(?:consent|permission|authori[sz]ation|agreement|opt in)"

PHRASES: tuple[str, ...] = (
    # en
    rf"(?:please )?(?:just )?(?:stop|quit|cease) (?:sending )?(?:me )?(?:(?:these|those|the|all|any|your) )?{_TEXTS}(?: (?:to )?me)?(?: from \w+(?: \w+)?)?(?: (?:any ?more|now|please|texts|messages))*",
    r"(?:please )?(?:do not|don t|dont|never) (?:ever )?(?:text|message|sms|contact)(?: (?:me|us|this (?:number|phone)|my (?:number|phone)))?(?: (?:again|any ?more|please|ever))*",
    rf"(?:please )?(?:do not|don t|dont|never) send (?:me )?(?:(?:any|more|any more|these) )*{_TEXTS}(?: (?:again|any ?more|please))*",
    r"(?:please )?(?:take|remove|delete|erase|lose) (?:me|(?:my|this) (?:phone number|mobile number|cell number|number|phone|mobile))(?: (?:off|from)(?: (?:your|this|the))?(?: (?:text|sms|mailing|message))? ?lists?)?(?: off)?(?: please)?",
    rf"i (?:do not|don t|dont|no longer) want (?:to (?:get|receive) )?(?:(?:any|more|any more|these|your) )*{_TEXTS}(?: any ?more)?",
    r"(?:please )?(?:stop|quit|cease) (?:sending (?:me )?)?(?:it|this|these|them)(?: (?:any ?more|now|please))*",
    r"(?:please )?unsubscribe(?: me)?(?: from (?:(?:all|any|these|those|your|the) )*(?:texts?|text messages|messages|sms|lists?|alerts))?(?: please)?|i want to (?:opt out|unsubscribe)|opt me out(?: (?:of|from) (?:(?:all|any|these|those|your|the) )*(?:texts?|text messages|messages|sms))?(?: please)?|leave me alone",
    r"(?:please )?(?:stop|quit) (?:spamming|harassing|bothering|annoying|disturbing) (?:me|us)(?: (?:any ?more|now|please))*",
    rf"no more {_TEXTS}(?: please)?",
    r"(?:can|could|would|will) you (?:please |pls |just )?(?:stop|quit) (?:texting|messaging|contacting|writing to) me(?: please| now)?",
    rf"(?:can|could|would|will) you (?:please |pls |just )?(?:stop|quit) sending (?:me )?(?:(?:these|those|the|all|any|your) )?{_TEXTS}(?: to me| please)?",
    r"(?:can|could|would|will) you (?:please )?(?:unsubscribe me|remove me|take me off(?: (?:your|this|the) list)?|opt me out)(?: please)?",
    rf"i (?:want|need|would like|d like) (?:you )?to stop (?:texting|messaging|contacting) me|i (?:want|would like|d like) (?:(?:these|those|the|your|all) )?{_TEXTS} (?:to stop|stopped)",
    r"i (?:want|wish|would like|d like) to (?:be removed|stop receiving (?:these|those|your|any|all)? ?(?:texts|messages|sms)?|(?:opt out|unsubscribe)(?: (?:of|from) (?:these|those|your|all|the)? ?(?:texts|text messages|messages|sms))?)",
    rf"i (?:hereby )?(?:revoke|withdraw|rescind|retract|take back|am revoking|am withdrawing) (?:(?:my|all|any|prior|previous|the) )*{_CONSENT}(?: (?:to|for) (?:(?:be|being|receive|receiving|get|getting|send|these|those|your|any|all) )*(?:text(?:s|ed|ing)?(?: messages?)?|messages?|sms|contacted|messaged))?",
    rf"(?:my )?{_CONSENT} (?:is |has been |was )?(?:revoked|withdrawn)|(?:revoke|withdraw)(?: my)? {_CONSENT}",
    rf"(?:you (?:do not|don t|dont|no longer) have|i (?:did not|didn t|never) (?:give|gave)(?: you)?) (?:my )?{_CONSENT}(?: to (?:text|message|contact)(?: me)?)?",
    r"i (?:do not|don t|dont|no longer|did not|didn t|never) consent(?:ed)?(?: to (?:this|these|any|your)? ?(?:texts?|text messages|messages|sms)?)?",
    r"i did not sign up for (?:this|these)(?: (?:texts?|messages|sms))?",
    rf"(?:end|cancel|quit|discontinue|no) (?:(?:these|those|the|all|any|your|my|more) )*{_TEXTS}",
    # es
    r"(?:revoco|retiro|cancelo) (?:mi |el |todo )?consentimiento(?: (?:para|de) (?:recibir |enviar )?(?:mensajes|sms|textos))?",
    r"ya no (?:quiero|deseo) (?:recibir )?(?:mas |estos |sus )?(?:mensajes|sms|textos)|(?:quiero|deseo) (?:darme de baja|cancelar los (?:mensajes|sms))",
    r"(?:por favor )?(?:dejen|dejad|deje|deja) de molestar(?:me)?|quite(?:n)? mi numero(?: de (?:la|su) lista)?",
    r"(?:por favor )?(?:deje|deja|dejen|dejad) de (?:enviar(?:me)?|mandar(?:me)?|escribirme)(?: (?:mas|estos|los))?(?: (?:mensajes|sms|textos))?(?: por favor)?",
    r"(?:por favor )?no (?:me )?(?:envie|envien|envies|mande|manden|mandes|escriban?)(?:me)?(?: mas)?(?: (?:mensajes|sms|textos))?(?: por favor)?",
    r"no (?:quiero|deseo) (?:recibir )?(?:mas )?(?:mensajes|sms|textos)(?: por favor)?",
    # fr
    r"(?:s il vous plait |svp )?(?:arretez|cessez|arrete) (?:de m (?:envoyer|ecrire)|vos|les|ces)(?: (?:des|vos|les|ces))?(?: (?:messages|sms|textos))?(?: svp| s il vous plait)?",
    r"ne m (?:envoyez|ecrivez|envoie) plus(?: (?:de|ces|vos))?(?: (?:messages|sms|textos))?(?: svp| merci)?",
    r"je ne (?:veux|souhaite) plus (?:recevoir )?(?:de |vos |ces )?(?:messages|sms|textos)",
    r"je (?:retire|revoque|annule) (?:par la presente )?mon (?:consentement|accord)(?: (?:pour|aux?|a) (?:recevoir )?(?:(?:des|les|ces|vos) )?(?:messages|sms|textos))?",
    r"(?:merci de |veuillez )(?:ne plus m (?:envoyer|ecrire)|arreter|me desabonner|me desinscrire|me retirer)(?: (?:de|des|les|ces|vos|votre))*(?: (?:messages|sms|textos|liste))?",
    r"je (?:veux|souhaite) (?:me desabonner|me desinscrire|ne plus recevoir (?:de |vos |ces )?(?:messages|sms|textos))",
    # de
    r"(?:bitte )?lassen sie mich in ruhe|(?:bitte )?lasst mich in ruhe",
    r"(?:hiermit )?(?:ich )?(?:widerrufe|entziehe)(?: ich)?(?: ihnen)?(?: hiermit)? (?:meine|die) (?:einwilligung|zustimmung|erlaubnis)(?: (?:in|zu|fur|zum) .{0,40}(?:sms|nachrichten))?",
    r"ich (?:ziehe|nehme) (?:hiermit )?meine (?:einwilligung|zustimmung) zuruck",
    r"(?:bitte )?(?:nehmen|streichen|loschen) sie (?:mich|meine nummer)(?: (?:von|aus) (?:der|ihrer) liste)?|(?:bitte )?(?:melden sie mich ab|mich abmelden)",
    r"(?:bitte )?(?:keine|keinen) (?:weiteren )?(?:sms|nachrichten) (?:mehr )?an (?:mich|diese nummer)(?: mehr)?",
    r"(?:bitte )?(?:keine|keinen) (?:weiteren |mehr )?(?:sms|nachrichten|textnachrichten)(?: mehr)?(?: bitte| senden| schicken)*",
    r"(?:bitte )?(?:schicken|senden|schreiben) sie mir (?:bitte )?(?:keine|nicht mehr|nichts mehr)(?: weiteren)?(?: (?:sms|nachrichten))?(?: mehr)?",
    r"ich (?:mochte|moechte|will) keine (?:weiteren )?(?:sms|nachrichten)(?: mehr)?(?: (?:erhalten|bekommen))?",
    r"(?:bitte )?horen sie auf(?: mir (?:sms |nachrichten )?zu (?:schreiben|schicken|senden))?",
)
"""Whole texts that ask to stop, normalised: no accents, no punctuation, single spaces."""

_PHRASES = re.compile("|".join(f"(?:{phrase})" for phrase in PHRASES))

_MISTAKEN = (
    r"(?:the |a )?wrong (?:number|person|phone|guy|one|recipient).*|not (?:interested|me|my|mine|the|her|his|him).*"
    r"|numero equivocado.*|no (?:me interesa|soy|es mi).*|mauvais numero.*|(?:ce n |c )est pas .*|pas interesse.*"
    r"|falsche (?:nummer|person).*|kein interesse.*"
)
_MISTAKE = re.compile(_MISTAKEN)
"""That whoever we write to is not meant, or does not care."""

_REASON = re.compile(
    rf"(?:{_MISTAKEN}"
    r"|(?:(?:or|and|as) )?(?:(?:i|im|ive|id|we|ich|wir|je|j|yo) \w+.*|i (?:am|m|ve|d) .*)"
    r"|(?:you|u) (?:are|re|have|ve|keep|kept|got|guys) .*|(?:this|that|these|those|it) (?:is|s|are|re|was|isn t|isnt) .*"
    r"|(?:this|that) (?:number|phone) (?:is|isn t|belongs|was|has) .*"
    r"|(?:because|since|cause|cuz|bc|too (?:many|much|often|late|early)|sick of|tired of|no longer|never (?:signed|asked|wanted|heard)|"
    r"no (?:thanks|thank you|interest)|not any ?more|fed up|enough|already)(?: .*)?"
    r"|my (?:phone|plan|number|husband|wife|mother|father|son|daughter) (?:is|has|was|does|died|passed|costs|doesn t)(?: .*)?"
    r"|(?:he|she|they) (?:is|has|have|died|passed|does|no longer|are|s)(?: .*)?"
    r"|porque .*|no estoy .*|parce que .*|ras le bol.*|weil .*|das (?:ist|war) .*|zu (?:viele|oft)(?: .*)?"
    r")"
)
"""What somebody says who has just said stop: a clause with a subject of its own, or why."""

_NO_NAMES = frozenset({
    "payment", "payments", "pay", "autopay", "direct", "debit", "debits", "transfer", "transfers",
    "cheque", "cheques", "check", "checks", "order", "orders", "card", "cards", "policy", "policies",
    "paper", "statement", "statements", "bill", "bills", "invoice", "invoices", "service", "services",
    "account", "claim", "claims", "delivery", "mail", "mails", "email", "emails", "e", "letter", "letters",
    "call", "calls", "phone", "press", "renewal", "renewals", "renewing", "subscription", "gap", "loss",
    "sign", "notice", "the", "a", "an", "this", "that", "my", "our", "your", "these", "those", "all",
    "any", "it", "him", "her", "them", "me", "us", "work", "working", "by", "at", "on", "in", "for",
    "from", "to", "of", "before", "after", "until", "when", "where", "who", "what", "how", "why", "watch",
    "and", "or", "then", "paperless", "billing", "online", "charging", "interest", "fees", "fee",
})  # fmt: skip
"""Words that are not part of a name."""

_CLAUSES = re.compile(r"[.!,;:\n\r(\[…–—/|]+|\s[-~*]+\s*|[-~*]+\s+|\s{3,}")

_REPEATED = re.compile(r"\b(\w+)(?: \1\b)+")

_LONGEST = 320
"""Characters of a text that can still be a plain request: two parts of an SMS."""

_NAME_WORDS = (2, 3)
"""Words of a whole name. One alone may as well be what is to stop: "Stop Visa"."""


@dataclass(frozen=True, slots=True)
class ReplyWords:
    """What replies are understood by, normalised.

    `keywords` count as a whole text, `plain` ones also where a reason or a name stands behind them.
    """

    keywords: Mapping[Meaning, frozenset[str]] = field(default_factory=lambda: KEYWORDS)
    plain: frozenset[str] = frozenset(_PLAIN)

    def with_own(self, words: Mapping[Meaning, Iterable[str]]) -> "ReplyWords":
        """These and a site's own words or whole sentences, by meaning: none is taken away."""
        own = {meaning: {normalised(word) for word in told} - {""} for meaning, told in words.items()}
        keywords = {meaning: known | own.get(meaning, set()) for meaning, known in self.keywords.items()}
        return ReplyWords(keywords, self.plain | own.get("stop", set()))

    def alone(self, words: str) -> Meaning | None:
        """What a normalised text means by itself; None if a person has to read it."""
        bare = _REPEATED.sub(r"\1", _without_courtesy(words))
        for meaning, keywords in self.keywords.items():
            if words in keywords or bare in keywords or bare.replace(" ", "") in keywords:
                return meaning
        return "stop" if _PHRASES.fullmatch(words) or _PHRASES.fullmatch(bare) else None

    def stops(self, words: str) -> bool:
        """Whether these words, with others beside them, ask to stop."""
        return (
            words in self.plain
            or words.replace(" ", "") in self.plain
            or _PHRASES.fullmatch(words) is not None
        )


WORDS = ReplyWords()
"""The words of English, Spanish, French and German."""


def meaning_of(text: str, known: ReplyWords = WORDS) -> Meaning:
    """What a reply asks for; `free` is anything that a person has to read."""
    words = normalised(text)
    if not words or len(words) > _LONGEST:
        return "free"
    if alone := known.alone(words):
        return alone
    clauses = [clause for raw in _CLAUSES.split(text) if (clause := normalised(raw))]
    if "?" in text or any(known.alone(clause) == "start" or _ASKS.fullmatch(clause) for clause in clauses):
        return "free"
    for before, clause in zip(["", *clauses], clauses, strict=False):
        if _asks_to_stop(clause, known) and not _NOT.fullmatch(before):
            return "stop"
    if _signed(text, words, known) or _by_mistake(clauses, known):
        return "stop"
    return "free"


def normalised(text: str) -> str:
    """Lower case, no accents, anything that is no letter or digit as one space."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    return " ".join(re.sub(r"[\W_]+", " ", plain).split())


def _asks_to_stop(clause: str, known: ReplyWords) -> bool:
    """Whether a clause says stop: alone, or with a reason before or behind it."""
    bare = _REPEATED.sub(r"\1", _without_courtesy(clause))
    if known.stops(bare):
        return True
    words = bare.split()
    for size in range(1, len(words)):
        first = _without_courtesy(" ".join(words[:size]))
        rest = _without_courtesy(" ".join(words[size:]))
        if known.stops(first) and (_REASON.fullmatch(rest) or known.stops(rest)):
            return True
        if (
            known.stops(rest)
            and (first in _LINKS or _REASON.fullmatch(first))
            and not _TURNS.fullmatch(first)
        ):
            return True
    return False


def _by_mistake(clauses: Sequence[str], known: ReplyWords) -> bool:
    """Whether there is a keyword, and beside it only that somebody else is meant: "End. Wrong number"."""
    bare = [_without_courtesy(clause) for clause in clauses]
    rest = [clause for clause in bare if known.alone(clause) != "stop" and clause not in _POLITE]
    return len(rest) < len(bare) and bool(rest) and all(map(_MISTAKE.fullmatch, rest))


def _signed(text: str, words: str, known: ReplyWords) -> bool:
    """Whether there is nothing but the word and a whole name behind it: "STOP John Smith"."""
    first, *name = words.split()
    written = re.findall(r"[^\W_]+", text)[1:]
    return (
        first in known.plain
        and len(name) == len(written) in _NAME_WORDS
        and all(word[0].isupper() for word in written)
        and not _NO_NAMES & set(name)
    )


def _without_courtesy(words: str) -> str:
    before = ""
    while words != before:
        before = words
        words = _COURTESIES.sub("", words)
    return words
