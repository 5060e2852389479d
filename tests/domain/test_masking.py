"""What a message says of a customer stays in the run's folder."""

import pytest

from exstream_notify.domain.masking import SAMPLE_CHARS, WITHHELD, masked

PERSONAL = [
    ("No address for John Q. Smith in record", "Smith"),
    ("Kunde Jürgen Müller-Lüdenscheid hat keine Adresse", "Müller"),
    ("Customer JOHN SMITH skipped", "SMITH"),
    ("Müller, Hans: Straße fehlt", "Müller"),
    ("MÜLLER, HANS fehlt", "HANS"),
    ("DUPONT Jean sans adresse", "DUPONT"),
    ("Jean DUPONT : adresse manquante", "DUPONT"),
    ("Mail to j.smith@example.com failed", "smith"),
    ("Account 4400012345 not found", "44000"),
    ("Card 4111 1111 1111 1111 expired", "1111"),
    ("IBAN: DE89 3704 0044 0532 0130 00", "3704"),
    ("phone +1 202 555 0142 invalid", "555"),
    ("key C0900012 unknown", "0900012"),
    ('Value "Zoë, 12 High St" too long', "Zoë"),
    ("value 'Ann' is invalid", "Ann"),
    ("Name: Ólafur", "lafur"),
    ("last_name=Nguyen, skipped", "Nguyen"),
    ("see https://portal.example.com/c/ann", "portal"),
    ("born 1980-04-12", "1980"),
]


@pytest.mark.parametrize(("text", "secret"), PERSONAL)
def test_what_may_be_personal_is_masked(text: str, secret: str) -> None:
    assert secret not in masked(text)
    assert "‹" in masked(text)


@pytest.mark.parametrize(
    "text",
    [
        "Color space mismatch in image LOGO_EU; default used",
        "Required field ACCOUNT_ADDRESS is empty; document skipped",
        "Pflichtfeld KONTO_ADRESSE ist leer; Dokument übersprungen",
        "Validation rule APR_DISCLOSURE failed for value 0",
        "License key not authorized for module EMAIL",
    ],
)
def test_what_an_operator_needs_stays(text: str) -> None:
    assert masked(text) == text


@pytest.mark.parametrize("text", ["顧客の住所が空です", "Клиент Иванов не найден", "לקוח"])
def test_a_script_whose_names_nothing_tells_is_withheld(text: str) -> None:
    assert masked(text) == WITHHELD


def test_a_sample_is_one_short_line() -> None:
    long = masked("word\n\x1b[31m" * 400)

    assert len(long) <= SAMPLE_CHARS
    assert long.isprintable()
