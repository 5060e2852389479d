"""What customers write back: keywords, requests in other words, and texts that only contain the word."""

import pytest

from exstream_notify.domain.replies import WORDS, Meaning, meaning_of

STOP = [
    # the words of 47 CFR 64.1200(a)(10)(i), in any case
    "STOP", "stop", "Stop", "sToP", "quit", "QUIT", "end", "End", "revoke", "REVOKE", "opt out", "OPT OUT",
    "cancel", "Cancel", "unsubscribe", "UNSUBSCRIBE",
    # with punctuation, spaces, quotes, lines around and within
    "STOP.", "STOP!", "stop!!!", " stop ", "\nStop\n", "'STOP'", '"stop"', "(stop)", "**STOP**", "stop…", "¡STOP!",
    "opt-out", "Opt-Out.", "OPTOUT", "S.T.O.P.", "S T O P", "s-t-o-p", "STOPALL", "Stop all", "ＳＴＯＰ",
    # with a courtesy
    "stop please", "Please stop", "STOP, thanks", "pls stop", "stop now",
    # in the other languages we send
    "ALTO", "parar", "Cancelar", "BAJA", "no más", "Por favor, baja",
    "ARRÊT", "arret", "Arrêter", "désabonner", "STOP svp", "Résilier",
    "Stopp", "abmelden", "ABBESTELLEN", "Kündigen", "kuendigen", "bitte stopp",
    # requests that are taken as what they say
    "please stop texting me", "Stop texting me!", "stop sending me these messages", "Please stop sending texts",
    "don't text me again", "Do not text me", "dont text me anymore", "don’t send me any more texts",
    "take me off your list", "Remove my number from this list please", "I don't want to receive these texts",
    "unsubscribe me", "leave me alone", "no more texts please", "stop sms", "STOP STOP", "stop! STOP! stop!",
    "Stop it!", "stop sending me these", "Stop sending this please", "desuscribirme",
    "Deje de enviarme mensajes", "no me envíe más mensajes", "No quiero recibir más SMS",
    "Arrêtez de m'envoyer des SMS", "ne m'envoyez plus de messages", "je ne veux plus recevoir de SMS",
    "Bitte keine weiteren SMS", "schicken Sie mir keine SMS mehr", "Ich möchte keine SMS mehr",
]  # fmt: skip

FREE = [
    "don't stop the service", "Don't stop", "do not stop sending", "stop the payment on my cheque",
    "I want to cancel my appointment", "please cancel my policy", "when does my contract end?",
    "the end of the month", "is this a stop notice?", "STOP the press, I paid already", "Never stop!",
    "I quit my job, what now?", "can I unsubscribe later?", "why did you stop texting me?", "who is this?",
    "how do I opt out of paper", "nonstop", "stopwatch", "unstoppable", "weekend", "cancelled flight", "revoked card",
    "ok", "👍", "", "   ", "...", "12345", "thanks", "please", "no pare el servicio", "n'arrêtez pas", "nicht stoppen",
    "Bitte kündigen Sie meinen Vertrag", "stop " * 80, "help me stop the payment", "I need help with my bill",
    "no no", "stop it from renewing", "stop sending this to my old address", "start over", "don't text me the code by email", "yes I paid", "no more questions",
]  # fmt: skip

REQUIRED_BY_AWS = [
    "ARRET",
    "CANCEL",
    "END",
    "OPT-OUT",
    "OPTOUT",
    "QUIT",
    "REMOVE",
    "STOP",
    "TD",
    "UNSUBSCRIBE",
]
"""AWS End User Messaging SMS, "required opt-out keywords": the carrier stops the number on each."""

STOP_AND_WHY = [
    # a reason, a signature, a courtesy
    "STOP I get these at work", "Stop - John Smith", "STOP\nMaria Lopez", "STOP John Smith", "STOP, thanks a lot",
    "Stop. I never signed up for this", "STOP wrong number", "stop this is not my number", "STOP (deceased)",
    "stop i dont bank with you", "Unsubscribe. Thank you, Peter", "UNSUBSCRIBE - too many messages",
    "STOP- sent from my iPhone", "stop now, I already paid", "STOP STOP STOP LEAVE ME ALONE", "STOP 🙏",
    "please stop texting me, this is a business line", "I moved. Please stop.", "Wrong number, stop",
    "not interested. STOP", "Thanks but please stop", "Kindly stop", "stop he passed away", "ok stop",
    "Stop texting me this is my work phone", "please take me off this list i have no account with you",
    "STOP, número equivocado", "Baja. Gracias", "STOP, mauvais numéro", "STOPP. Falsche Nummer", "stopp bitte, mfg Müller",
    "End. Wrong number", "CANCEL - not interested", "Baja, no soy yo", "STOP my husband died", "stop c'est pas moi",
    "stop contacting me or I will call my lawyer", "stop messages from your bank",
    # in words of their own
    "unsubscribe from texts", "please remove my phone number from your list", "stop harassing me", "Lassen Sie mich in Ruhe",
    "I revoke my consent", "I hereby revoke my consent to receive text messages", "I withdraw my consent.",
    "i no longer consent to these texts", "Consent revoked", "I revoke all prior consent. Regards, J. Doe",
    "You do not have my permission to text me", "Can you please stop texting me", "Could you unsubscribe me please",
    "I want to stop receiving texts", "I'd like to opt out of these texts", "I want these messages to stop",
    "stop msgs", "cancel texts", "Do not text this number", "this is the wrong number, please stop texting",
    "Revoco mi consentimiento", "Ya no quiero recibir mensajes", "Quiero darme de baja",
    "Je retire mon consentement", "Je souhaite me désabonner", "Merci de ne plus m'envoyer de SMS",
    "Ich widerrufe meine Einwilligung", "Hiermit widerrufe ich meine Einwilligung", "Bitte streichen Sie mich von der Liste",
]  # fmt: skip

NOT_TO_STOP = [
    # the contrary
    "please don't stop sending", "Please don't stop texting me", "don't ever stop", "never stop sending these",
    "I do not want you to stop", "do not unsubscribe me", "START not STOP", "Please keep sending, do not stop",
    "I never said stop", "Don't. Stop.", "no dejen de enviarme mensajes", "n'arrêtez pas vos SMS", "bitte nicht abmelden",
    # a question
    "What does STOP do?", "If I reply STOP what happens", "Stop? Why would I", "stop, or when is my bill due?",
    # something else that is to stop
    "STOP PAYMENT", "Stop Payment", "stop payment on check 1234", "stop autopay", "cancel my policy please",
    "end my contract", "Stop charging me fees", "Stop the paper statements and send texts instead",
    "stop sending me paper bills", "I withdraw my consent to electronic statements", "Remove late fee",
    "please stop calling me and text instead", "I revoke my power of attorney", "stop by the branch tomorrow",
    "Stop Visa", "stop my card, it was stolen", "My car did not stop", "End. I moved my policy", "cancel. see letter",
    "cancelar mi póliza", "stop au prélèvement automatique", "ende des Monats", "stop loss order", "the end",
]  # fmt: skip

OTHERS: list[tuple[str, Meaning]] = [
    ("START", "start"), ("start.", "start"), ("UNSTOP", "start"), ("Opt in", "start"), ("Yes", "start"),
    ("Iniciar", "start"), ("Reprendre", "start"), ("Anmelden!", "start"), ("resume please", "start"),
    ("HELP", "help"), ("help!", "help"), ("Info", "help"), ("AYUDA", "help"), ("aide svp", "help"), ("Hilfe", "help"),
]  # fmt: skip


def test_the_table_has_forty_spellings() -> None:
    assert len(set(STOP)) >= 40
    assert len(set(FREE)) >= 30


@pytest.mark.parametrize("text", [*STOP, *REQUIRED_BY_AWS, *STOP_AND_WHY])
def test_a_customer_who_says_stop_is_stopped(text: str) -> None:
    assert meaning_of(text) == "stop"


@pytest.mark.parametrize("text", [*FREE, *NOT_TO_STOP])
def test_words_that_only_contain_it_go_to_a_person(text: str) -> None:
    assert meaning_of(text) == "free"


@pytest.mark.parametrize(("text", "meaning"), OTHERS)
def test_start_and_help(text: str, meaning: Meaning) -> None:
    assert meaning_of(text) == meaning


def test_a_site_adds_words_of_its_own_and_takes_none_away() -> None:
    words = WORDS.with_own({"stop": ["СТОП", "отпишите меня"], "start": ["старт"], "help": []})
    assert [meaning_of(text, words) for text in ("Стоп!", "отпишите меня, пожалуйста", "СТАРТ", "стоп, не тот номер")] == [
        "stop", "stop", "start", "stop",
    ]  # fmt: skip
    assert meaning_of("Стоп!") == "free"
    assert meaning_of("STOP", words) == "stop"
