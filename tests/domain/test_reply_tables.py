"""Every word and every plain request by which a reply is understood, and the limits of reading on."""

import pytest

from exstream_notify.domain.replies import KEYWORDS, PHRASES, WORDS, ReplyWords, meaning_of, normalised

STOPS = [
    "stop",
    "quit",
    "end",
    "revoke",
    "opt out",
    "optout",
    "cancel",
    "unsubscribe",
    "remove",
    "td",
    "stopall",
    "stop all",
    "stop texts",
    "stop texting",
    "stop sms",
    "stop messages",
    "stop messaging",
    "stop it all",
    "remove me",
    "no more",
    "no more texts",
    "no texts",
    "unsubscribed",
    "alto",
    "parar",
    "pare",
    "detener",
    "cancelar",
    "cancela",
    "baja",
    "fin",
    "terminar",
    "no mas",
    "basta",
    "desuscribir",
    "desuscribirme",
    "darme de baja",
    "dar de baja",
    "anular",
    "anular suscripcion",
    "cancelar suscripcion",
    "arret",
    "arreter",
    "arretez",
    "desabonner",
    "desabonnement",
    "desinscrire",
    "desinscription",
    "annuler",
    "resilier",
    "stopper",
    "se desabonner",
    "se desinscrire",
    "me desabonner",
    "me desinscrire",
    "stopp",
    "stoppen",
    "halt",
    "abmelden",
    "abmeldung",
    "abbestellen",
    "abbestellung",
    "beenden",
    "ende",
    "kundigen",
    "kuendigen",
    "widerruf",
    "aufhoren",
    "aufhoeren",
    "austragen",
]
STARTS = [
    "start",
    "unstop",
    "yes",
    "subscribe",
    "resume",
    "opt in",
    "optin",
    "iniciar",
    "comenzar",
    "reanudar",
    "suscribir",
    "alta",
    "si",
    "commencer",
    "reprendre",
    "abonner",
    "oui",
    "starten",
    "anmelden",
    "fortsetzen",
    "ja",
]
HELPS = ["help", "info", "ayuda", "aide", "hilfe", "information", "informacion", "informationen"]


def test_the_keywords_are_these() -> None:
    assert {meaning: sorted(words) for meaning, words in KEYWORDS.items()} == {
        "stop": sorted(STOPS),
        "start": sorted(STARTS),
        "help": sorted(HELPS),
    }
    for meaning, words in (("stop", STOPS), ("start", STARTS), ("help", HELPS)):
        assert {meaning_of(word) for word in words} == {meaning}


PLAIN = [
    "stop",
    "stopall",
    "stop all",
    "unsubscribe",
    "opt out",
    "optout",
    "remove me",
    "stop texts",
    "stop sms",
    "desuscribir",
    "darme de baja",
    "arret",
    "desabonner",
    "stopp",
    "abmelden",
]


def test_some_keywords_count_with_a_reason_behind_them() -> None:
    assert ReplyWords().plain == WORDS.plain == {*PLAIN}
    assert {meaning_of(f"{word}, I moved away") for word in PLAIN} == {"stop"}
    others = [word for word in STOPS if word not in PLAIN]
    assert meaning_of("quit, I moved away") == meaning_of("end, I moved away") == "free"
    assert len(others) + len(PLAIN) == len(STOPS)


POLITE = [
    "please",
    "pls",
    "plz",
    "thanks",
    "thank you",
    "thx",
    "ty",
    "now",
    "immediately",
    "asap",
    "today",
    "sir",
    "madam",
    "hello",
    "hi",
    "dear sir or madam",
    "regards",
    "kind regards",
    "best regards",
    "cheers",
    "sorry",
    "kindly",
    "just",
    "por favor",
    "gracias",
    "muchas gracias",
    "ya",
    "hola",
    "ahora",
    "saludos",
    "svp",
    "stp",
    "merci",
    "bonjour",
    "s il vous plait",
    "s il te plait",
    "maintenant",
    "cordialement",
    "bitte",
    "danke",
    "vielen dank",
    "jetzt",
    "hallo",
    "sofort",
    "mfg",
    "gruss",
]


@pytest.mark.parametrize("word", POLITE)
def test_a_courtesy_before_and_behind_changes_nothing(word: str) -> None:
    assert meaning_of(f"help {word}") == "help"
    assert meaning_of(f"{word} help") == "help"
    assert meaning_of(f"{word} help {word} {word}") == "help"


NO_NAMES = [
    "payment",
    "payments",
    "pay",
    "autopay",
    "direct",
    "debit",
    "debits",
    "transfer",
    "transfers",
    "cheque",
    "cheques",
    "check",
    "checks",
    "order",
    "orders",
    "card",
    "cards",
    "policy",
    "policies",
    "paper",
    "statement",
    "statements",
    "bill",
    "bills",
    "invoice",
    "invoices",
    "service",
    "services",
    "account",
    "claim",
    "claims",
    "delivery",
    "mail",
    "mails",
    "email",
    "emails",
    "e",
    "letter",
    "letters",
    "call",
    "calls",
    "phone",
    "press",
    "renewal",
    "renewals",
    "renewing",
    "subscription",
    "gap",
    "loss",
    "sign",
    "notice",
    "the",
    "a",
    "an",
    "this",
    "that",
    "my",
    "our",
    "your",
    "these",
    "those",
    "all",
    "any",
    "it",
    "him",
    "her",
    "them",
    "me",
    "us",
    "work",
    "working",
    "by",
    "at",
    "on",
    "in",
    "for",
    "from",
    "to",
    "of",
    "before",
    "after",
    "until",
    "when",
    "where",
    "who",
    "what",
    "how",
    "why",
    "watch",
    "and",
    "or",
    "then",
    "paperless",
    "billing",
    "online",
    "charging",
    "interest",
    "fees",
    "fee",
]


@pytest.mark.parametrize("word", NO_NAMES)
def test_a_word_that_is_no_part_of_a_name_makes_a_signature_none(word: str) -> None:
    assert meaning_of("STOP Smithson Brown") == "stop"
    assert meaning_of(f"STOP Smithson {word.title()}") == "free"
    assert meaning_of(f"STOP {word.title()} Smithson") == "free"


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("STOP Smithson", "free"),  # one name alone may be what is to stop
        ("STOP Ann Smithson Brown", "stop"),
        ("STOP Ann Maria Smithson Brown", "free"),
        ("STOP ann Smithson", "free"),
        ("stop Ann Smithson", "stop"),
        ("QUIT Ann Smithson", "free"),
        ("STOP Ann-Maria", "stop"),
    ],
)
def test_a_whole_name_behind_the_word_signs_it(text: str, meaning: str) -> None:
    assert meaning_of(text) == meaning


REQUESTS = [
    # en, in the order of the phrases
    ["please just stop sending me these text messages to me from your bank now", "cease contacting", "quit your alerts"],
    ["please never ever contact us again", "dont sms this phone", "do not message my number any more"],
    ["please do not send me any more notifications again", "never send texts"],
    ["please erase my cell number from your text lists please", "lose me off", "delete this phone off the list"],
    ["i no longer want to receive any more texts any more", "i dont want your alerts"],
    ["please cease sending me this any more", "quit them now"],
    ["unsubscribe me from all the text messages please", "i want to opt out", "opt me out of your texts", "leave me alone"],
    ["please stop harassing us any more", "quit bothering me"],
    ["no more notifications please"],
    ["would you pls quit writing to me now", "can you stop texting me"],
    ["could you please stop sending me those alerts to me", "will you stop sending texts"],
    ["would you take me off this list please", "can you please opt me out"],
    ["i need you to stop contacting me", "i would like all texts stopped"],
    ["i wish to be removed", "d like to be removed"][:1],
    ["i am withdrawing all prior consent to receive these text messages", "i rescind my authorisation", "i take back the agreement"],
    ["my permission has been withdrawn", "withdraw my consent"],
    ["you no longer have my permission to contact me", "i never gave you my consent"],
    ["i no longer consent to these messages", "i never consented"],
    ["i did not sign up for these messages"],
    ["discontinue your sms", "end these texts", "no more alerts"],
    # es
    ["revoco todo consentimiento para recibir mensajes", "retiro mi consentimiento"],
    ["ya no deseo recibir sus textos", "quiero cancelar los sms"],
    ["por favor dejen de molestarme", "quiten mi numero de su lista"],
    ["por favor dejad de mandarme mas sms por favor", "deja de escribirme"],
    ["por favor no me manden mas textos por favor", "no escriban"],
    ["no deseo recibir mas sms por favor"],
    # fr
    ["s il vous plait cessez de m ecrire des messages svp", "arrete vos sms"],
    ["ne m ecrivez plus de textos merci"],
    ["je ne souhaite plus recevoir vos textos"],
    ["je revoque par la presente mon accord pour recevoir vos sms", "j annule"][:1],
    ["veuillez me retirer de votre liste", "merci de ne plus m ecrire"],
    ["je veux me desinscrire", "je souhaite ne plus recevoir ces sms"],
    # de
    ["bitte lassen sie mich in ruhe", "lasst mich in ruhe"],
    ["hiermit entziehe ich ihnen hiermit die zustimmung zum empfang von sms", "ich widerrufe meine erlaubnis"],
    ["ich nehme hiermit meine einwilligung zuruck"],
    ["bitte loschen sie meine nummer aus ihrer liste", "melden sie mich ab", "bitte mich abmelden"],
    ["keinen weiteren nachrichten mehr an diese nummer"],
    ["bitte keine textnachrichten mehr senden", "keine mehr sms bitte"],
    ["bitte senden sie mir nichts mehr", "schreiben sie mir keine weiteren nachrichten mehr"],
    ["ich will keine weiteren nachrichten mehr bekommen"],
    ["bitte horen sie auf mir sms zu schicken", "horen sie auf"],
]  # fmt: skip


def test_every_phrase_has_its_requests() -> None:
    assert len(REQUESTS) == len(PHRASES)


@pytest.mark.parametrize(
    ("number", "text"), [(n, text) for n, texts in enumerate(REQUESTS) for text in texts]
)
def test_a_plain_request_in_other_words_is_a_stop(number: int, text: str) -> None:
    import re

    assert re.fullmatch(PHRASES[number], text), "by its own phrase"
    assert meaning_of(text) == "stop"


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("but stop", "stop"), ("so stop", "stop"), ("and stop", "stop"), ("okay stop", "stop"), ("then stop", "stop"),
        ("pero stop", "stop"), ("mais stop", "stop"), ("alors stop", "stop"), ("aber stop", "stop"), ("dann stop", "stop"),
        ("y stop", "stop"), ("et stop", "stop"), ("und stop", "stop"), ("ok stop", "stop"), ("yes stop", "stop"),
        ("bus stop", "free"), ("non stop", "free"),
        # What turns it round stands before it, in the clause or in the one before.
        ("I never said to stop", "free"), ("not. stop", "free"), ("do not. stop", "free"), ("I moved. stop", "stop"),
        ("nobody asked you to stop", "free"),
        # Said again and again it is said once.
        ("stop stop stop", "stop"), ("s t o p wrong number", "stop"), ("help help", "help"), ("h e l p", "help"),
        # Longer than two parts of a text message nobody guesses.
        ("stop, I moved " + "far " * 76, "stop"), ("stop, I moved " + "far " * 78, "free"),
        # A question, or a start beside it, goes to a person.
        ("stop?", "stop"), ("stop, I moved?", "free"), ("start. stop, I moved", "free"), ("stop, I moved. how do I", "free"),
        # A keyword beside a mistake, and only beside that.
        ("cancel. wrong number", "stop"), ("wrong number. cancel", "stop"), ("cancel. wrong number. I paid", "free"),
        ("wrong number", "free"), ("cancel. please. wrong number", "stop"), ("cancel. please", "stop"),
    ],
)  # fmt: skip
def test_what_stands_beside_the_word(text: str, meaning: str) -> None:
    assert meaning_of(text) == meaning


@pytest.mark.parametrize(
    "reason",
    [
        "wrong number", "the wrong person", "not interested", "not me", "numero equivocado", "no soy yo", "mauvais numero",
        "c est pas moi", "pas interesse", "falsche nummer", "kein interesse", "or i call the police", "and we moved",
        "im busy", "ive moved", "ich bin weg", "wir sind weg", "je suis parti", "yo no soy", "i am deceased", "i m busy",
        "you are spam", "u keep texting", "you guys again", "this is my work phone", "it s late", "that was yesterday",
        "this number belongs to me", "that phone was sold", "because", "bc spam", "too many", "too often for me",
        "sick of it", "tired of you", "no longer mine", "never wanted this", "no interest", "not anymore", "not any more",
        "fed up", "enough", "already", "my phone died", "my husband passed", "my plan costs me", "he is dead",
        "they no longer live here", "porque si", "no estoy aqui", "parce que non", "ras le bol", "weil ich weg bin",
        "das ist mist", "zu viele", "zu oft am tag",
    ],
)  # fmt: skip
def test_a_reason_behind_the_word_changes_nothing(reason: str) -> None:
    assert meaning_of(f"STOP {reason}") == "stop"
    assert meaning_of(f"STOP; {reason}") == "stop"


def test_words_are_compared_without_case_accents_and_punctuation() -> None:
    assert normalised("  ÀRRÊT—Ça_va!  ﬁn ") == "arret ca va fin"
    assert normalised("...") == ""


def test_a_sites_own_words_are_added_to_every_meaning() -> None:
    words = WORDS.with_own({"stop": ["Basta ya!"], "help": ["Was ist das", "..."]})
    assert words.plain == WORDS.plain | {"basta ya"}
    assert words.keywords == {
        "stop": KEYWORDS["stop"] | {"basta ya"},
        "start": KEYWORDS["start"],
        "help": KEYWORDS["help"] | {"was ist das"},
    }
    assert (meaning_of("was ist das?", words), meaning_of("was ist das?")) == ("help", "free")
