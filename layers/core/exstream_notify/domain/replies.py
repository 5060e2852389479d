"""What a customer's SMS reply means: the legal keywords, plain requests, or words for the team.

A keyword counts alone (47 CFR 64.1200(a)(10)): in any case, with punctuation around it, spelled with
or without spaces and accents, or beside a courtesy. A phrase counts where it says plainly what is
wanted. A text that only contains the word ("don't stop the service") is none of ours to guess: it
goes to the team.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import Literal

Meaning = Literal["stop", "start", "help", "free"]

KEYWORDS: Mapping[Meaning, frozenset[str]] = {
    "stop": frozenset(
        {
            # en: the words of 47 CFR 64.1200(a)(10)(i), and what carriers take besides
            "stop", "quit", "end", "revoke", "opt out", "optout", "cancel", "unsubscribe", "stopall", "stop all",
            "stop texts", "stop texting", "stop sms", "remove me", "no more", "no more texts",
            # es
            "alto", "parar", "pare", "detener", "cancelar", "cancela", "baja", "fin", "terminar", "no mas",
            "desuscribir", "desuscribirme", "darme de baja",
            # fr
            "arret", "arreter", "arretez", "desabonner", "desinscrire", "annuler", "resilier", "stopper",
            # de
            "stopp", "halt", "abmelden", "abbestellen", "beenden", "ende", "kundigen", "kuendigen", "widerruf",
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

_POLITE = frozenset(
    {"please", "pls", "plz", "thanks", "thank you", "now", "por favor", "gracias", "ya", "svp", "merci",
     "s il vous plait", "bitte", "danke", "jetzt"}
)  # fmt: skip
"""May stand before or after a keyword and change nothing."""

_TEXTS = r"(?:text(?:s|ing)?(?: messages?)?|messages?|sms|messaging|contacting|sending)"
PHRASES: tuple[str, ...] = (
    # en
    rf"(?:please )?(?:just )?(?:stop|quit|cease) (?:sending )?(?:me )?(?:(?:these|those|the|all|any|your) )?{_TEXTS}(?: (?:to )?me)?(?: (?:any ?more|now|please|texts|messages))*",
    r"(?:please )?(?:do not|don t|dont|never) (?:text|message|sms|contact)(?: me)?(?: (?:again|any ?more|please|ever))*",
    rf"(?:please )?(?:do not|don t|dont|never) send (?:me )?(?:(?:any|more|any more|these) )*{_TEXTS}(?: (?:again|any ?more|please))*",
    r"(?:please )?(?:take|remove|delete) (?:me|my (?:number|phone|mobile))(?: (?:off|from)(?: (?:your|this|the))?(?: (?:text|sms|mailing|message))? ?list)?(?: please)?",
    rf"i (?:do not|don t|dont|no longer) want (?:to (?:get|receive) )?(?:(?:any|more|any more|these|your) )*{_TEXTS}(?: any ?more)?",
    r"(?:please )?(?:stop|quit|cease) (?:sending (?:me )?)?(?:it|this|these|them)(?: (?:any ?more|now|please))*",
    r"(?:please )?unsubscribe me(?: please)?|i want to (?:opt out|unsubscribe)|opt me out(?: please)?|leave me alone",
    rf"no more {_TEXTS}(?: please)?",
    # es
    r"(?:por favor )?(?:deje|deja|dejen|dejad) de (?:enviar(?:me)?|mandar(?:me)?|escribirme)(?: (?:mas|estos|los))?(?: (?:mensajes|sms|textos))?(?: por favor)?",
    r"(?:por favor )?no (?:me )?(?:envie|envien|envies|mande|manden|mandes|escriban?)(?:me)?(?: mas)?(?: (?:mensajes|sms|textos))?(?: por favor)?",
    r"no (?:quiero|deseo) (?:recibir )?(?:mas )?(?:mensajes|sms|textos)(?: por favor)?",
    # fr
    r"(?:s il vous plait |svp )?(?:arretez|cessez|arrete) (?:de m (?:envoyer|ecrire)|vos|les|ces)(?: (?:des|vos|les|ces))?(?: (?:messages|sms|textos))?(?: svp| s il vous plait)?",
    r"ne m (?:envoyez|ecrivez|envoie) plus(?: (?:de|ces|vos))?(?: (?:messages|sms|textos))?(?: svp| merci)?",
    r"je ne (?:veux|souhaite) plus (?:recevoir )?(?:de |vos |ces )?(?:messages|sms|textos)",
    # de
    r"(?:bitte )?(?:keine|keinen) (?:weiteren |mehr )?(?:sms|nachrichten|textnachrichten)(?: mehr)?(?: bitte| senden| schicken)*",
    r"(?:bitte )?(?:schicken|senden|schreiben) sie mir (?:bitte )?(?:keine|nicht mehr|nichts mehr)(?: weiteren)?(?: (?:sms|nachrichten))?(?: mehr)?",
    r"ich (?:mochte|moechte|will) keine (?:weiteren )?(?:sms|nachrichten)(?: mehr)?(?: (?:erhalten|bekommen))?",
    r"(?:bitte )?horen sie auf(?: mir (?:sms |nachrichten )?zu (?:schreiben|schicken|senden))?",
)
"""Whole texts that ask to stop, normalised: no accents, no punctuation, single spaces."""

_PHRASES = re.compile("|".join(f"(?:{phrase})" for phrase in PHRASES))

_LONGEST = 160
"""Characters of a text that can still be a plain request: one part of an SMS."""


def meaning_of(text: str) -> Meaning:
    """What a reply asks for; `free` is anything that a person has to read."""
    words = normalised(text)
    if not words or len(words) > _LONGEST:
        return "free"
    bare = _without_courtesy(words)
    if len(said := set(bare.split())) == 1:
        bare = said.pop()  # "STOP STOP STOP"
    for meaning, keywords in KEYWORDS.items():
        if words in keywords or bare in keywords or bare.replace(" ", "") in keywords:
            return meaning
    return "stop" if _PHRASES.fullmatch(words) else "free"


def normalised(text: str) -> str:
    """Lower case, no accents, anything that is no letter or digit as one space."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    return " ".join(re.sub(r"[^0-9a-z]+", " ", plain.replace("ß", "ss")).split())


def _without_courtesy(words: str) -> str:
    before = ""
    while words != before:
        before = words
        for polite in _POLITE:
            words = words.removeprefix(f"{polite} ").removesuffix(f" {polite}")
    return words
