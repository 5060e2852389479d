"""Every type in every language on both channels, with all values and with none."""

import itertools
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream_notify.adapters.rendering import Brand, Renderer
from exstream_notify.adapters.rendering.variables import clean
from exstream_notify.domain.documents import Channel, Document
from exstream_notify.domain.messages import Content
from exstream_notify.domain.sms_text import alphabet, parts

from .examples import (
    ACCOUNT,
    BRAND,
    CHANNELS,
    HOSTILE,
    LANGUAGES,
    LINK,
    PREFERENCES,
    RENDERER,
    TYPES,
    any_document,
    full,
    minimal,
)

ALL = list(itertools.product(TYPES, LANGUAGES))
SECRETS = (
    "SECRET",
    "secret",
    ACCOUNT,
    "7766",
    "1971",
    "+12025550142",
    "Email_Letters",
    "5ec2e7",
    "Europe/Madrid",
    "retail",
)
PROMOTIONAL = re.compile(
    r"\b(save|offer|deal|free|discount|win|now!|oferta|gratis|offre|promo\w*|angebot|rabatt)\b", re.I
)
THREATS = re.compile(
    r"\b(legal action|court|lawsuit|bailiff|seiz\w+|arrest|credit rating|tribunal\w*|embarg\w+"
    r"|demanda judicial|huissier|saisie|justice|gericht\w*|pfänd\w+|klage|schufa)\b",
    re.I,
)


def words(content: Content) -> list[str]:
    return [x for x in (content.subject, content.text, content.html) if x]


def visible(html: str) -> str:
    """Text that a person sees: no style, no comments, no attributes."""
    html = re.sub(r"<style>.*?</style>|<!--.*?-->|<title>.*?</title>", "", html, flags=re.S)
    return re.sub(r"<[^>]+>", " ", html)


@pytest.mark.parametrize(("name", "language"), ALL)
@pytest.mark.parametrize("channel", CHANNELS)
def test_nothing_is_missing_and_nothing_leaks(name: str, language: str, channel: Channel) -> None:
    for document, link in itertools.product((full(name, language), minimal(name, language)), (LINK, None)):
        content = RENDERER.render(name, channel, document, link=link)
        assert content.text.strip()
        for text in words(content):
            assert "None" not in text
            assert "{{" not in text
            assert "{%" not in text
            assert not any(secret in text for secret in SECRETS)
            assert not re.search("[\ue000-\uf8ff]", text)
        for text in (content.subject, content.text, visible(content.html)):
            assert not re.search(r"[a-zäé] ([.,;]|:\n)", text), "a hole where a value was expected"
            assert not re.search(r"\b(by|on|of|for|le|el|am|zum|spätestens|tard) ?\.", text)
        assert (link in content.text) if link else ("http" not in content.text)
        if channel == "email":
            assert content.subject
            assert "\n" not in content.subject
            assert (f'href="{link}"' in content.html) is bool(link)
        else:
            assert (content.subject, content.html) == ("", "")


@pytest.mark.parametrize(("name", "language"), ALL)
def test_subjects_tell_no_values_and_sell_nothing(name: str, language: str) -> None:
    content = RENDERER.render(name, "email", full(name, language), link=LINK)
    bare = RENDERER.render(name, "email", minimal(name, language), link=LINK)
    assert content.subject == bare.subject
    assert not re.search(r"\d|€|!", content.subject)
    opening = content.text.split("\n\n")[1]
    assert not PROMOTIONAL.search(content.subject)
    assert not PROMOTIONAL.search(opening)


@pytest.mark.parametrize("name", ["payment-reminder", "overdue-notice", "final-demand"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_demands_do_not_threaten_and_offer_help(name: str, language: str) -> None:
    content = RENDERER.render(name, "email", full(name, language), link=LINK)
    sms = RENDERER.render(name, "sms", full(name, language), link=LINK)
    assert not THREATS.search(content.subject + content.text + sms.text)
    told = {"en": "contact us", "es": "póngase en contacto", "fr": "contactez-nous", "de": "an uns"}
    assert told[language] in content.text or "bei uns" in content.text
    # 12 CFR 1006.6(e): each message about a debt says how to stop such messages.
    assert "STOP" in sms.text
    assert BRAND.support_contact in content.text


def test_a_site_that_cannot_receive_replies_promises_none() -> None:
    silent = Renderer(replace(BRAND, sms_opt_out=False))
    assert "STOP" not in silent.render("overdue-notice", "sms", full("overdue-notice"), link=LINK).text


@pytest.mark.parametrize(
    ("language", "amount", "day"),
    [
        ("en", "€2,375.99", "December 26, 2026"),
        ("es", "2.375,99\u00a0€", "26 de diciembre de 2026"),
        ("fr", "2\u202f375,99\u00a0€", "26 décembre 2026"),
        ("de", "2.375,99\u00a0€", "26. Dezember 2026"),
    ],
)
def test_amounts_and_dates_in_the_customers_way(language: str, amount: str, day: str) -> None:
    for name in (
        "statement",
        "invoice",
        "utility-bill",
        "overdue-notice",
        "renewal-notice",
        "policy-document",
    ):
        content = RENDERER.render(name, "email", full(name, language), link=LINK)
        for text in (content.text, content.html):
            assert amount in text
            assert day in text


def test_the_country_decides_between_dialects() -> None:
    def told(**changes: str) -> str:
        return RENDERER.render("invoice", "email", full("invoice", **changes), link=LINK).text

    assert "26 December 2026" in told(country="GB")
    assert "December 26, 2026" in told(country="US", language="en-GB")
    assert "26 December 2026" in told(language="en-GB")
    assert "EUR2,375.99" not in told(country="MX", language="es")
    assert "2,375.99" in told(country="MX", language="es")


@pytest.mark.parametrize("tag", ["pt-BR", "zz", "", None, "english"])
def test_another_language_falls_back_to_the_default_and_says_so(tag: str | None) -> None:
    german = Renderer(BRAND, default_language="de")
    assert german.language_for(tag) == "de"
    assert (
        "Ihre Rechnung" in german.render("invoice", "email", full("invoice", language=tag), link=LINK).subject
    )
    assert german.language_for("fr-CA") == "fr"


@pytest.mark.parametrize(
    ("changes", "gone"),
    [
        ({"amount_due": None}, "Amount due"),
        ({"amount_due": "0.00"}, "Due date"),
        ({"amount_due": "-5.00"}, "Amount due"),
        ({"amount_due": "-5.00"}, "Due date"),
        ({"amount_due": "twelve"}, "Amount due"),
        ({"due_date": "soon"}, "Due date"),
        ({"days_past_due": 0}, "Days past due"),
        ({"days_past_due": -3}, "Days past due"),
        ({"account_status": "X-17"}, "Account status"),
        ({"account_number": "1234"}, "Account:"),
        ({"reference_no": None}, "Reference"),
    ],
)
def test_what_a_record_does_not_give_is_not_spoken_of(changes: dict[str, Any], gone: str) -> None:
    whole = RENDERER.render("overdue-notice", "email", full("overdue-notice"), link=LINK)
    less = RENDERER.render("overdue-notice", "email", full("overdue-notice", **changes), link=LINK)
    assert gone in whole.text
    assert gone not in less.text
    assert gone not in visible(less.html)


def test_greetings_use_what_names_there_are() -> None:
    def greeting(**changes: Any) -> str:
        return RENDERER.render("statement", "email", full("statement", **changes), link=None).text.split(
            "\n"
        )[0]

    assert greeting() == "Dear Zoë O'Brien,"
    assert greeting(last_name=None) == "Dear Zoë,"
    assert greeting(first_name=None) == "Dear customer,"
    assert greeting(first_name="  Zoë \t Ann ", last_name="\u202eO'Brien") == "Dear Zoë Ann O'Brien,"
    # Mail programs make links of such names.
    assert greeting(first_name="www.evil.example.com") == "Dear customer,"
    assert greeting(first_name="evil.com") == "Dear customer,"
    assert greeting(first_name="A" * 61) == "Dear customer,"
    assert greeting(first_name="J.R.", last_name="Smith Jr.") == "Dear J.R. Smith Jr.,"


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        (None, ""), ("", ""), (" ", ""), ("a", "a"), (" a", "a"), ("a ", "a"), (" a b ", "a b"), ("a  b", "a b"),
        ("a\tb", "a b"), ("\na\r\n", "a"), ("a\u2028b", "a b"), ("a\u00a0b", "a b"), ("a\x00b", "a b"),
        ("a\u202eb", "ab"), ("\ue000a", "a"), ("\u0915\u200d", "\u0915\u200d"), ("x" * 5, "x" * 5), ("x" * 6, ""),
        ("x" * 5 + " ", "x" * 5),
    ],
)  # fmt: skip
def test_a_value_is_one_line_of_what_can_be_seen_or_nothing(given: str | None, shown: str) -> None:
    assert clean(given, 5) == shown


# --- account numbers and proofs of identity


@pytest.mark.parametrize("field", ["reference_no", "case_id", "first_name", "last_name", "statement_period"])
@pytest.mark.parametrize(
    "spelling", [ACCOUNT, "8792 1742 1809", "8792-1742-1809", f"REF/{ACCOUNT}/2", f"000{ACCOUNT}"]
)
@pytest.mark.parametrize("channel", CHANNELS)
def test_no_field_carries_the_account_number(field: str, spelling: str, channel: Channel) -> None:
    for name, link in itertools.product(("statement", "claim-letter"), (LINK, None)):
        document = full(name, **{field: spelling})
        content = RENDERER.render(name, channel, document, link=link)
        for text in words(content):
            assert ACCOUNT not in re.sub(r"[\s./_-]", "", visible(text) if text.startswith("<!") else text)


def test_leading_zeros_do_not_hide_the_account_number() -> None:
    document = full("statement", account_number="0033907579383", reference_no="33907579383")
    assert "33907579383" not in RENDERER.render("statement", "email", document, link=LINK).text


def test_in_the_place_of_the_account_number_stand_its_last_four_where_they_prove_nothing() -> None:
    def text(**changes: str) -> str:
        return RENDERER.render("statement", "email", full("statement", **changes), link=LINK).text

    assert "Ref" in text(reference_no="Ref 7")
    assert "\u20261809" in text(reference_no=f"Ref {ACCOUNT}").split()
    assert "1809" not in text(reference_no=f"Ref {ACCOUNT}", verify_last4="1809")


def test_the_last_four_are_shown_unless_they_prove_identity() -> None:
    def text(**changes: str) -> str:
        return RENDERER.render("statement", "email", full("statement", **changes), link=LINK).text

    assert "ending in 1809" in text()
    assert "1809" not in text(verify_last4="1809")
    assert "1809" not in text(verify_last4="1809", reference_no=f"R{ACCOUNT}")


# --- SMS


@pytest.mark.parametrize(("name", "language"), ALL)
def test_an_sms_has_no_personal_values(name: str, language: str) -> None:
    for link in (LINK, None):
        text = RENDERER.render(name, "sms", full(name, language), link=link).text
        told = text.replace(LINK, "").replace("REF-53171691", "")
        assert not re.search(r"\d", told), "an amount, a date or an account"
        for value in ("Zoë", "Zoe", "O'Brien", "CASE", "claim)"):
            assert value not in text
        assert alphabet(text) == "gsm"
        assert ("REF-53171691" in text) is (link is None)


@given(
    st.sampled_from(TYPES),
    st.sampled_from(LANGUAGES),
    st.text(
        alphabet="ABCDEFGHIJKLMNOPQRSTUVWXYZ abcdefghijklmnopqrstuvwxyzéèñ&", min_size=1, max_size=24
    ).filter(str.strip),
    st.text(alphabet="ABCDEFGHIJ0123456789-", min_size=1, max_size=20),
    st.decimals(0, 9_999_999_999, places=2),
    st.sampled_from(["USD", "EUR", "GBP", "INR", "PLN", ""]),
    st.dates(),
    st.booleans(),
    st.booleans(),
)
def test_an_sms_keeps_to_its_parts(
    name: str,
    language: str,
    company: str,
    reference: str,
    amount: object,
    currency: str,
    day: object,
    with_link: bool,
    details: bool,
) -> None:
    brand = Brand(company, sms_details=details)
    document = full(
        name,
        language,
        reference_no=reference,
        amount_due=str(amount),
        currency=currency,
        due_date=str(day),
        respond_by=str(day),
    )
    content = Renderer(brand).render(name, "sms", document, link=LINK if with_link else None)
    assert parts(content.text) <= (1 if language == "en" else 2)
    assert (LINK in content.text) is with_link
    assert not re.search("[\u00a0\u2000-\u200f\u202f\u2060]", content.text)
    assert alphabet(content.text) == "gsm"


def test_details_come_where_the_brand_allows_and_they_fit() -> None:
    open_brand = Renderer(replace(BRAND, sms_details=True))
    text = open_brand.render("invoice", "sms", full("invoice"), link=LINK).text
    assert "€2,375.99 due Dec 26, 2026" in text
    rupees = open_brand.render("invoice", "sms", full("invoice", currency="INR"), link=LINK).text
    assert "INR 2,375.99" in rupees
    assert "2,375" not in RENDERER.render("invoice", "sms", full("invoice"), link=LINK).text


@pytest.mark.parametrize(
    ("name", "sms_name", "short"),
    [
        ("Northwind Mutual Insurance Company of Springfield", "", "Northwind Mutual"),
        ("Northwind, Smith & Sons and Partners", "", "Northwind, Smith & Sons"),
        ("Donaudampfschifffahrtsgesellschaft", "", "Donaudampfschifffahrtsge"),
        ("Crédit Agricôle", "", "Crédit Agricole"),
        ("Northwind", "NWD", "NWD"),
        ("[[[[[[[[[[[[[[", "", "[[[[[[[[[[[["),
    ],
)
def test_the_company_name_in_an_sms(name: str, sms_name: str, short: str) -> None:
    assert Brand(name, sms_name=sms_name).short_name == short


# --- hostile values


@pytest.mark.parametrize("value", HOSTILE)
@pytest.mark.parametrize(
    "field",
    ["first_name", "last_name", "reference_no", "case_id", "statement_period", "stage", "account_number"],
)
def test_values_stay_text(field: str, value: str) -> None:
    for name in ("statement", "claim-letter"):
        content = RENDERER.render(name, "email", full(name, **{field: value}), link=LINK)
        assert "\r" not in content.subject + content.text
        assert "\n" not in content.subject
        assert "<script" not in content.html
        assert content.html.count("<a ") == RENDERER.render(name, "email", full(name), link=LINK).html.count(
            "<a "
        )
        assert "49" not in content.text.replace("REF", "")
        assert not re.search("[\u202a-\u202e\u2066-\u2069\x00-\x09\x0b-\x1f]", content.text + content.html)
        assert "evil.example.com" not in content.text
        assert "\nBcc:" not in content.text


def test_a_hostile_value_is_shown_as_it_is_written() -> None:
    document = full("statement", first_name="<b>{{7*7}}</b>", last_name="%s & “Co”")
    content = RENDERER.render("statement", "email", document, link=LINK)
    assert "Dear <b>{{7*7}}</b> %s & “Co”," in content.text
    assert "Dear &lt;b&gt;{{7*7}}&lt;/b&gt; %s &amp; “Co”," in content.html


@given(any_document(), st.sampled_from(CHANNELS), st.sampled_from([LINK, None]))
def test_no_record_breaks_rendering(document: Document, channel: Channel, link: str | None) -> None:
    content = RENDERER.render(document.document_type, channel, document, link=link)
    assert content.text
    assert "\n" not in content.subject
    assert "\r" not in content.text + content.html
    if channel == "sms":
        assert "\n" not in content.text
        if link is not None:
            assert parts(content.text) <= 2


def test_only_web_addresses_are_links() -> None:
    with pytest.raises(ValueError, match="web address"):
        RENDERER.render("statement", "email", full("statement"), link="javascript:alert(1)")
    with pytest.raises(ValueError, match="web address"):
        RENDERER.render("statement", "email", full("statement"), link=LINK, preferences_link="data:x")


def test_the_preferences_link_stands_in_the_footer() -> None:
    content = RENDERER.render(
        "statement", "email", full("statement"), link=LINK, preferences_link=PREFERENCES
    )
    assert PREFERENCES in content.text
    assert PREFERENCES.replace("&", "&amp;") in content.html
    assert (
        "Choose how we contact you"
        not in RENDERER.render("statement", "email", full("statement"), link=LINK).text
    )


# --- internal teams


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_team_copy_has_nothing_of_the_customer_but_the_reference(language: str) -> None:
    content = RENDERER.render("team-copy", "email", full("policy-document"), link=None, language=language)
    for text in words(content):
        assert "REF-53171691" in text or text == content.subject
        for value in ("Zoë", "Brien", "1809", "2375", "2,375", "2026-12", "CASE", "Dec", "SECRET", "secret"):
            assert value not in text
    assert RENDERER.files.language(language).document_name("policy-document") in content.subject


@pytest.mark.parametrize(
    ("language", "total", "name"),
    [
        ("en", "1,602", "Policy document"),
        ("de", "1.602", "Versicherungsunterlagen"),
        ("fr", "1\u202f602", "Documents d’assurance"),
    ],
)
def test_a_digest_counts_by_type(language: str, total: str, name: str) -> None:
    counts = {"policy-document": 1204, "contract-pack": 87, "site-made_type": 311}
    content = RENDERER.render_digest("legal-and-risk", "run-<7>", counts, language=language)
    assert total in content.subject
    assert "Legal and risk" in content.text
    assert re.search(f"^{name}\u00a0?: ", content.text, re.M)
    assert re.search("^Site made type\u00a0?: 311$", content.text, re.M)
    assert "run-<7>" in content.text
    assert "run-&lt;7&gt;" in content.html


def test_a_digest_speaks_the_default_language() -> None:
    assert (
        "Ausgestellte"
        in Renderer(BRAND, default_language="de").render_digest("t", "r", {"statement": 1}).subject
    )
