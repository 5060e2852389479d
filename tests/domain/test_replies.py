"""What customers write back: keywords, requests in other words, and texts that only contain the word."""

import pytest

from exstream_notify.domain.replies import Meaning, meaning_of

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
    "Bitte kündigen Sie meinen Vertrag", "stop " * 60, "help me stop the payment", "I need help with my bill",
    "no no", "stop it from renewing", "stop sending this to my old address", "start over", "don't text me the code by email", "yes I paid", "no more questions",
]  # fmt: skip

OTHERS: list[tuple[str, Meaning]] = [
    ("START", "start"), ("start.", "start"), ("UNSTOP", "start"), ("Opt in", "start"), ("Yes", "start"),
    ("Iniciar", "start"), ("Reprendre", "start"), ("Anmelden!", "start"), ("resume please", "start"),
    ("HELP", "help"), ("help!", "help"), ("Info", "help"), ("AYUDA", "help"), ("aide svp", "help"), ("Hilfe", "help"),
]  # fmt: skip


def test_the_table_has_forty_spellings() -> None:
    assert len(set(STOP)) >= 40
    assert len(set(FREE)) >= 30


@pytest.mark.parametrize("text", STOP)
def test_a_customer_who_says_stop_is_stopped(text: str) -> None:
    assert meaning_of(text) == "stop"


@pytest.mark.parametrize("text", FREE)
def test_words_that_only_contain_it_go_to_a_person(text: str) -> None:
    assert meaning_of(text) == "free"


@pytest.mark.parametrize(("text", "meaning"), OTHERS)
def test_start_and_help(text: str, meaning: Meaning) -> None:
    assert meaning_of(text) == meaning
