"""Documents, brands and links that the tests of the wording share."""

from dataclasses import fields, replace
from typing import Any

from hypothesis import strategies as st

from exstream_notify.adapters.rendering import Brand, Renderer
from exstream_notify.adapters.rendering.check import LONGEST_LINK
from exstream_notify.adapters.rules import YamlRules
from exstream_notify.adapters.words_needed import words_needed
from exstream_notify.domain.documents import Channel, Document

LANGUAGES = ("en", "es", "fr", "de")
REQUIRED_TYPES = tuple(dict.fromkeys(need.wording for need in words_needed(YamlRules())))
TYPES = tuple(name for name in REQUIRED_TYPES if not name.startswith("team-"))
CHANNELS: tuple[Channel, ...] = ("email", "sms")

LINK = LONGEST_LINK
PREFERENCES = "https://documents.example.com/p/abc?x=1&y=2"
ACCOUNT = "879217421809"

BRAND = Brand("Northwind Mutual", "support@example.com", "1 High Street\nSpringfield")
RENDERER = Renderer(BRAND)


def full(document_type: str, language: str | None = "en", **changes: Any) -> Document:
    """A document with all that a record can have."""
    document = Document(
        domain="retail",
        customer_key="K-4711-SECRET",
        document_id="D-0815-SECRET",
        document_type=document_type,
        customer_in_run=3,
        queue_name="Email_Letters",
        delivery_channel="email",
        output_uri="output/Email_Letters/secret.pdf",
        archive_ref="archive-secret",
        content_sha256="5ec2e7" * 10,
        produced_at="2026-11-20T04:12:09Z",
        language=language,
        time_zone="Europe/Madrid",
        postcode="SW1A-SECRET",
        first_name="Zoë",
        last_name="O'Brien",
        email="zoe.secret@example.com",
        mobile="+12025550142",
        reference_no="REF-53171691",
        account_number=ACCOUNT,
        amount_due="2375.99",
        currency="EUR",
        due_date="2026-12-26",
        statement_period="2026-11",
        account_status="late",
        stage="2",
        days_past_due=18,
        case_id="CASE-378190",
        case_type="claim",
        respond_by="2026-12-18",
        internal_teams=("compliance",),
        verify_last4="7766",
        verify_birth_date="1971-03-14",
    )
    return replace(document, **changes)


def minimal(document_type: str, language: str | None = "en") -> Document:
    """A document with nothing but what it must have."""
    return Document("retail", "K-4711-SECRET", "D-0815-SECRET", document_type, language=language)


HOSTILE = (
    "<script>alert(1)</script>",
    "\"onmouseover='x'",
    "a\r\nBcc: everyone@example.com",
    "\u202eevil\u2066",
    "{{7*7}}{% if 1 %}",
    "${x} %s %(a)d %%",
    "\ue000link\ue001",
    "(i1) and (i2)",
    "&amp;&lt;",
    "None",
    "\x00\x1b[31m",
    "https://evil.example.com/x",
    "]]><!--",
)

_OPTIONAL_TEXT = (
    "first_name",
    "last_name",
    "reference_no",
    "account_number",
    "currency",
    "due_date",
    "statement_period",
    "account_status",
    "stage",
    "case_id",
    "case_type",
    "respond_by",
    "country",
    "language",
    "amount_due",
    "produced_at",
)

_words = st.one_of(
    st.none(),
    st.text(max_size=30),
    st.sampled_from(HOSTILE),
    st.from_regex(r"[A-Z]{2,4}-[0-9]{3,8}", fullmatch=True),
)


@st.composite
def any_document(draw: st.DrawFn) -> Document:
    """A record as wild as the outside can make it, with usable amounts and dates now and then."""
    changes: dict[str, Any] = {name: draw(_words) for name in _OPTIONAL_TEXT}
    if draw(st.booleans()):
        changes["amount_due"] = str(draw(st.decimals(-10, 10**12, places=2)))
        changes["currency"] = draw(st.sampled_from(["USD", "EUR", "GBP", "JPY", "PLN", "INR", "KWD"]))
    if draw(st.booleans()):
        changes["due_date"] = draw(st.dates()).isoformat()
    changes["days_past_due"] = draw(st.one_of(st.none(), st.integers(-5, 4000)))
    known = {f.name for f in fields(Document)}
    assert known.issuperset(changes)
    return replace(minimal(draw(st.sampled_from(TYPES))), **changes)
