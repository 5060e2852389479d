"""What of a foreign text or name leaves the run's folder."""

import pytest

from exstream_notify.domain.masking import (
    COMMON_TO,
    KEPT,
    LOOKED_AT,
    SAMPLE_CHARS,
    WITHHELD,
    Sampled,
    Vocabulary,
    handle,
    handle_in,
    spread,
)

WORDS = "customer account is not found invalid value error address missing no name firstname zip has the1 kunde dat"
KNOWN = Vocabulary(
    frozenset(WORDS.split()) - {"the1"},
    frozenset({"the", "de", "la", "of", "von", "le", "a", "d", "en"}),
    ("JOB?????",),
    frozenset({"acme-cards", "Email_Bills"}),
    frozenset({"customer", "kunde"}),
    frozenset({"krebs", "hiv"}),
    frozenset({"no"}),
)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Customer O'Neil not found", "Customer … not found"),
        ("no address of de la Cruz, Ana: invalid", "no address … invalid"),
        ("the value of the account is missing", "the value of the account is missing"),
        ('Value "missing" is invalid', "Value … is invalid"),
        ("Value [address] is invalid", "Value … is invalid"),
        ("value «zip» and ‘zip’ invalid", "value … invalid"),
        ("FirstName missing, ACCOUNT_NAME invalid", "FirstName missing, ACCOUNT_NAME invalid"),
        ("customer's address invalid", "customer's address invalid"),
        ("Customer Le Goff not found", "Customer … not found"),
        ("customer Smith de la missing", "customer … missing"),
        ("customer A. not found", "customer … not found"),
        ("born 13AUG61 or 1961-08-13", "…"),
        ("/data/customer/smith.dat missing", "… missing"),
        ("john.smith(at)example.com is invalid", "… is invalid"),
        ("Smith & Jones - missing", "… - missing"),
        ("EX004120E is missing", "EX004120E is missing"),
        ("顧客の住所が空です", "…"),
        ("customer@address.zip missing", "… missing"),
        ("no address of No: invalid", "no address … invalid"),
        ("Cafe\u0301 missing", "… missing"),
        ("Sm\u200bith missing", "… missing"),
    ],
)
def test_only_what_is_known_is_shown(text: str, shown: str) -> None:
    assert KNOWN.masked(text) == shown


def test_a_sample_is_one_short_line_and_ends_with_a_whole_word() -> None:
    line = KNOWN.masked("address\n\x1b[31m " * 400)
    assert len(line) <= SAMPLE_CHARS
    assert line.isprintable()
    # The limit cuts `zipper` down to `zip`, which the vocabulary knows.
    before = "\t" * (LOOKED_AT - 3)
    assert KNOWN.masked(f"{before}zipper") == ""


def about(*names: str, first: int = 1) -> list[Sampled]:
    """One message for each name; the word `conta` is in no vocabulary."""
    return [Sampled(f"{name} conta not found", first + number) for number, name in enumerate(names)]


NAMES = [f"{first}{rest}" for first in ("Al", "Be", "Cy", "Di") for rest in ("ba", "cka", "da", "ffa", "ga")]


def test_a_word_that_the_messages_of_many_customers_share_is_the_messages_own() -> None:
    assert KNOWN.samples(about(*NAMES), len(NAMES))[0] == "… conta not found"


@pytest.mark.parametrize(
    ("messages", "why"),
    [
        (about(*NAMES[: COMMON_TO - 1]), "too few customers"),
        (about(*["Alba"] * 20), "the texts do not differ"),
        ([Sampled(m.text, 7 + number % 2) for number, m in enumerate(about(*NAMES))], "two customers"),
        ([Sampled(m.text) for m in about(*NAMES)], "nobody knows whose they are"),
        ([*about(*NAMES), *[Sampled(f"{n} saldo not found", 90 + i) for i, n in enumerate(NAMES)]], "half of them"),
        (about(*map(str.lower, NAMES)), "names are in small letters, too"),
        ([Sampled(f"customer conta {m.text[:4]}", m.customer) for m in about(*NAMES)], "it follows customer"),
        ([Sampled(f"Conta not found: {m.text[:4]}", m.customer) for m in about(*NAMES)], "a capital letter"),
    ],
)  # fmt: skip
def test_a_word_may_be_somebodys_where(messages: list[Sampled], why: str) -> None:
    shown = KNOWN.samples(messages, len({m.customer for m in messages} - {None}))
    assert "conta" not in " ".join(shown).lower(), why


def test_what_says_how_somebody_lives_is_masked_however_many_share_it() -> None:
    for word, stays in (("brustkrebs", False), ("hiv", False), ("hivex", True), ("conta", True)):
        messages = [Sampled(f"{name} {word} not found", n) for n, name in enumerate(NAMES)]
        assert (word in KNOWN.samples(messages, len(NAMES))[0]) is stays


@pytest.mark.parametrize("name", ["Missing", "Address", "Error,"])
def test_a_known_word_with_a_capital_letter_behind_a_person_is_a_name(name: str) -> None:
    assert KNOWN.masked(f"customer {name} not found") == "customer … not found"
    assert KNOWN.masked(f"customer: {name} not found") == "customer: … not found"
    assert KNOWN.masked(f"firstname={name} is invalid") == "… is invalid"
    assert KNOWN.masked(f"the {name} not found") == f"the {name} not found"
    assert KNOWN.masked(f"customer {name.lower()} not found") == f"customer {name.lower()} not found"


@pytest.mark.parametrize(
    ("messages", "customers", "shown"),
    [
        ([], 0, ()),
        ([Sampled(""), Sampled(" ")], 0, ()),
        ([Sampled("customer Ann missing", 1)], 1, (WITHHELD,)),
        ([Sampled("customer Ann missing", 1), Sampled("customer Ann invalid", 1)], 1, (WITHHELD,)),
        ([Sampled("customer Ann missing")] * 2, 0, (WITHHELD,)),
        ([Sampled("customer Ann missing"), Sampled("customer Bo missing")], 0, ("customer … missing",)),
        ([Sampled("Ann", 1), Sampled("Bo", 2)], 2, (WITHHELD,)),
    ],
)
def test_a_single_message_or_customer_is_withheld(
    messages: list[Sampled], customers: int, shown: tuple[str, ...]
) -> None:
    assert KNOWN.samples(messages, customers) == shown


def test_what_is_kept_is_bounded_and_stands_for_the_whole_file() -> None:
    kept: list[Sampled] = []
    step = 1
    for number in range(100_000):
        if number % step == 0:
            kept.append(Sampled("", number))
            step = spread(kept, step)
    assert KEPT / 2 <= len(kept) <= KEPT
    assert kept[-1].customer is not None
    assert kept[-1].customer > 90_000


@pytest.mark.parametrize(
    "name",
    [
        "account-2026-11-30", "account_20261130_0615.dat", "JOB00417", "acme-cards.2026-11", "Email_Bills", "a.dat",
        "R1", "EX004120E", "account-b4b147bc-522e-4b16-8d1e-0c7b5e7f1f5e", "AccountName", "account 7", "",
    ],
)  # fmt: skip
def test_a_harmless_name_stays(name: str) -> None:
    assert KNOWN.shown(name) == name


@pytest.mark.parametrize(
    ("name", "begins"),
    [
        ("smith_john.dat", "….dat#"),
        ("account-4400012345", "account-…#"),
        ("account-44-00-01-23", "account-…#"),
        ("SmithJohnNoAddress", "…#"),
        ("js-account", "…-account#"),
        ("j-s-account", "…-account#"),
        ("account-1961-08-13", "account-…#"),
        ("account\n2026", "account…#"),
        ("Иванов.dat", "….dat#"),
        ("x" * 4000, "…#"),
        ("account_" * 100, "account_account_"),
    ],
)
def test_another_name_is_masked_and_can_be_found_again(name: str, begins: str) -> None:
    shown = KNOWN.shown(name)
    assert shown.startswith(begins)
    assert handle_in(shown) == handle(name)
    assert len(shown) < 100


def test_a_plain_name_has_no_handle() -> None:
    assert handle_in("account-2026-11-30") == handle_in("#12345") == ""


# --- word by word ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("", ""), ("account", "account"), ("account, address.", "account, address."), ("(account)", "(account)"),
        ("account Smith", "account …"), ("Smith Jones account", "… account"), ("Smith, Jones account", "… account"),
        # A known word with a capital behind a mask may be a name, unless a sentence has ended.
        ("Smith Address missing", "… missing"), ("Smith: Address missing", "… Address missing"),
        ("Dr. Address missing", "… missing"), ("Smithson. Address missing", "… Address missing"), ("Smith ADDRESS", "… ADDRESS"),
        # Links beside a mask are hidden, others stay.
        ("account of Smith", "account …"), ("Smith of account", "… account"), ("account of the address", "account of the address"),
        ("account of the", "account of the"), ("the account", "the account"), ("The account", "The account"),
        ("account The address", "account … address"), ("ACCOUNT THE ADDRESS", "ACCOUNT THE ADDRESS"), ("account Le address", "account … address"),
        ("account d'en address", "account d'en address"), ("account d’en address", "account d’en address"), ("a account", "a account"),
        ("a. account", "… account"), ("account a", "account a"),
        # What is quoted.
        ("account 'x y' missing", "account … missing"), ("account ‹x› missing", "account … missing"), ("account „x“ missing", "account … missing"),
        ("account “x” missing", "account … missing"), ("account <b>x</b> missing", "account … missing"), ('account "x missing', "account …"),
        ('account "x" y "z" missing', "account … missing"), ("customer's account", "customer's account"),
        # Values, numbers, codes.
        ("account=missing", "…"), ("account= missing", "account= missing"), ("a@b account", "… account"), ("account 7", "account …"),
        ("EX004120E: account", "EX004120E: account"), ("(EX004120E) account", "(EX004120E) account"), ("account ☎", "account …"),
        ("account !?", "account !?"), ("account … address", "account … address"), ("account_address", "account_address"), ("account-smith", "…"),
        ("l'account missing", "l'account missing"), ("x'account missing", "… missing"), ("account's missing", "account's missing"),
        ("account'x missing", "… missing"), ("FirstName", "FirstName"), ("First-Name missing", "First-Name missing"), ("Zip-Code missing", "… missing"),
        ("no zip", "no zip"), ("No zip", "… zip"), ("customer zip", "customer zip"), ("customer ZIP", "customer ZIP"), ("customer Zip", "customer …"),
        ("Kunde: Zip", "Kunde: …"), ("kunde=Zip", "…"), ("account Zip", "account Zip"),
    ],
)  # fmt: skip
def test_word_by_word(text: str, shown: str) -> None:
    assert KNOWN.masked(text) == shown


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("account-1", True), ("account-12345", True), ("account-123456", False), ("account_2026-11-30_061500", True),
        ("account-2019-11-30", False), ("account-20261130", True), ("account-202611", False), ("account-2026-11", True), ("a", True), ("ab", False),
        ("é", False), ("account-x", True), ("account-x-y", False), ("account~1", False), ("account 1:2#3=4/5", True), ("X12345", True),
        ("X123456", False), ("account-No", False), ("account-no", False), ("Missing", True), ("zip" + "." * 77, True), ("zip" + "." * 78, False),
        ("EX004120E", True), ("EX004120X", False), ("JOB12345", True), ("JOB1234567", False), ("acme-cardsx", False), ("ACME-CARDS-1", True),
    ],
)  # fmt: skip
def test_which_names_stay(name: str, shown: bool) -> None:
    assert (KNOWN.shown(name) == name) is shown


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("smith-account-jones", "…-account-…"), ("smith_jones", "…"), ("account-1234567-zip", "account-…-zip"), ("acme-cards-smith", "acme-cards-…"),
        ("2026-11-30-smith", "2026-11-30-…"), ("smith-b4b147bc-522e-4b16-8d1e-0c7b5e7f1f5e", "…-b4b147bc-522e-4b16-8d1e-0c7b5e7f1f5e"),
        ("smith2026-11-30", "…"),
    ],
)  # fmt: skip
def test_what_is_kept_of_another_name(name: str, kept: str) -> None:
    assert KNOWN.shown(name) == f"{kept}#{handle(name)}"
    assert handle("smith") == "6627835f"


def test_a_long_line_is_cut_at_its_limit() -> None:
    exact = " ".join(["zip"] * 40)
    assert len(exact) == 159
    assert KNOWN.masked(exact) == exact
    assert KNOWN.masked(f"{exact} zip") == exact + "…"
    assert KNOWN.masked("zip " * 39 + "missing") == "zip " * 39 + "mis…"


@pytest.mark.parametrize(
    ("customers", "others", "share", "common"),
    [(10, 10, 10, True), (9, 10, 9, False), (20, 20, 18, True), (20, 20, 17, False), (20, 9, 20, False)],
)
def test_how_many_customers_make_a_word_common(customers: int, others: int, share: int, common: bool) -> None:
    messages = [
        Sampled(f"Xy{n % others:02}Z {'conta' if n < share else 'Conta'} not found", n)
        for n in range(customers)
    ]
    assert ("conta" in KNOWN.common(messages)) is common


def test_three_samples_are_shown() -> None:
    messages = [Sampled(f"{word} Smith", n) for n, word in enumerate(("zip", "account", "address", "value"))]
    assert KNOWN.samples(messages, 4) == ("zip …", "account …", "address …")
    assert KNOWN.samples(messages[:2], 1) == (WITHHELD,)
    assert KNOWN.samples(messages[:2], 2) == ("zip …", "account …")
    assert KNOWN.samples([messages[0], Sampled("zip Jones", 2)], 2) == ("zip …",)
