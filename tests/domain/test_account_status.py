"""What the words of account_status mean, as they ship."""

import pytest

from exstream_notify.adapters.rules import YamlRules
from exstream_notify.domain.account_status import status_words

WORDS = YamlRules().statuses

HOLDS = {
    "deceased": [
        "deceased", "DECEASED", "Deceased ", "dead", "estate of", "verstorben", "VERSTORBEN", "Verstorbene",
        "décédé", "DECEDE", "décédée", "décédé(e)", "fallecido", "Fallecida", "customer deceased 2026-10-01",
        "Dec'd", "deceased - estate closed", "DECEASED/CLOSED", "Deceased (former customer)", "Deceased. No calls.",
        "not reachable, deceased", "verstorben, keine Erben", "décédé sans héritier", "deceased1",
    ],
    "bankrupt": [
        "bankrupt", "Bankruptcy", "Chapter 7", "CHAPTER_7", "chapter-13", "Chapter11", "Ch. 13", "ch7", "BK",
        "Bankruptcy - Chapter 13 filed", "Konkurs", "Privatinsolvenz", "en faillite", "quiebra", "en-quiebra",
        "BK13", "CH-13 filed", "Chapter 7 No Asset", "Account closed - bankruptcy", "BANKRUPTCY13", "automatic stay",
        "bankruptcy not dismissed", "Bankruptcy reopened, previously dismissed",
    ],
    "insolvent": [
        "insolvent", "Insolvenz", "in_Insolvenz", "Insolvenzverfahren eröffnet", "Überschuldet", "ueberschuldet",
        "ÜBERSCHULDET", "redressement judiciaire", "Liquidation-Judiciaire", "surendettement", "concurso",
        "Concurso de acreedores", "suspension de pagos",
    ],
    "disputed": [
        "disputed", "in dispute", "IN_DISPUTE", "in-dispute", "InDispute", "strittig", "Bestritten", "en litige",
        "contesté", "en disputa", "identity theft",
        "customer disputes debt", "dispute not resolved", "bestrittene Forderung",
    ],
    "payment-plan": [
        "payment plan", "payment_plan", "PaymentPlan", "promise-to-pay", "hardship", "Ratenzahlung", "gestundet",
        "échéancier", "plan d’apurement", "plan de pagos", "Acuerdo de Pago",
        "payment plan - no missed payments", "pmt plan", "instalment agreement", "plan de remboursement",
    ],
    "cease-and-desist": [
        "cease and desist", "CEASE-AND-DESIST", "Cease & Desist", "C&D", "do not contact", "attorney represented",
        "nicht mahnen", "Mahnsperre", "ne pas relancer", "no contactar",
        "Atty Rep", "cease contact - no calls", "no contact lifted, cease and desist renewed", "Mahnstop",
    ],
}  # fmt: skip


@pytest.mark.parametrize(("status", "text"), [(s, text) for s, texts in HOLDS.items() for text in texts])
def test_these_words_forbid_to_ask_for_money(status: str, text: str) -> None:
    assert WORDS.holds(text) == status


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("paid", "paid"), ("PAID ", "paid"), ("Paid In Full", "paid"), ("bezahlt", "paid"), ("payé", "paid"),
        ("pagado", "paid"), ("closed", "closed"), ("active", "current"), ("à jour", "current"),
        ("past-due", "late"), ("überfällig", "late"), ("in Verzug", "default"), ("charged_off", "default"),
    ],
)  # fmt: skip
def test_these_are_known_and_hold_nobody(text: str, status: str) -> None:
    assert WORDS.named(text) == status
    assert not WORDS.holds(text)


@pytest.mark.parametrize(
    "text",
    ["", None, " - ", "legal", "S7", "dispute resolved", "not bankrupt", "no dispute", "payment plan broken",
     "Insolvenz aufgehoben", "deceased: no", "not in bankruptcy", "dispute finally resolved", "litige levé",
     "customer deceased: no", "sin disputa", "deadline", "estates"],
)  # fmt: skip
def test_these_are_no_status(text: str | None) -> None:
    assert WORDS.named(text) == ""


def test_a_customers_own_words_mention_it_however_they_mean_it() -> None:
    assert WORDS.holds("I don't dispute it") == WORDS.holds("He isn't bankrupt") == ""
    assert WORDS.holds("I contest this") == "disputed"
    assert WORDS.mentioned("I never owed this, and I dispute it") == "disputed"
    assert WORDS.mentioned("He is not able to pay, he is deceased") == "deceased"
    assert WORDS.mentioned("Mein Mann ist verstorben.") == "deceased"
    assert WORDS.mentioned("renewal accepted") == ""


def test_a_word_of_two_statuses_is_refused() -> None:
    with pytest.raises(ValueError, match="also a word of"):
        status_words({"paid": ["done"], "closed": ["Done"]}, (), (), (), ())
    with pytest.raises(ValueError, match="no letter"):
        status_words({"paid": ["--"]}, (), (), (), ())


def test_a_word_within_a_longer_phrase_says_nothing_by_itself() -> None:
    words = status_words(
        {"sold": ["estate sale"], "deceased": ["estate"]},
        ["sold", "deceased"],
        ["deceased"],
        ["no"],
        ["settled"],
    )
    assert words.named("the estate sale is settled") == ""
    assert words.named("the estate is settled") == "deceased"
    assert words.named("the estate sale is on") == "sold"
