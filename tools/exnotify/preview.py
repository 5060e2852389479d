"""All wording on one page, as customers see it: `exnotify preview`.

The page needs nothing but itself: each mail stands in a frame of its own at the width of a desktop
and of a phone, beside its subject, its text version and the SMS with its length in parts.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from html import escape
from pathlib import Path

from exstream_notify.adapters.rendering import Brand, Renderer
from exstream_notify.domain.documents import Document
from exstream_notify.domain.messages import Content
from exstream_notify.domain.sms_text import alphabet, parts, units

LINK = "https://documents.example.com/d/" + "EjRWeJCrze8SNFZ4kKvN7wEAAAAAAA"
PREFERENCES_LINK = "https://documents.example.com/p/EjRWeJCrze8"
EXAMPLE = Brand("Example Company", "support@example.com", "1 Example Street\nExample Town")
DIGEST_COUNTS = {"policy-document": 1204, "contract-pack": 87, "account-opening": 311}

_WIDTHS = {"desktop": 680, "phone": 375}  # pixels
_COUNTRIES = {"en": "US", "es": "ES", "fr": "FR", "de": "DE"}
_CURRENCIES = {"en": "USD"}
_NAMES = {
    "en": ("Maya", "Collins"),
    "es": ("Lucía", "Ortega"),
    "fr": ("Chloé", "Dubois"),
    "de": ("Jörg", "Weiß"),
}


@dataclass(frozen=True, slots=True)
class _Case:
    """One message to show: with all that a record can give, or only with what it must."""

    title: str
    mail: Content | None
    sms: Content | None


def sample(document_type: str, language: str) -> Document:
    """A record with every value that wording can use."""
    first, last = _NAMES.get(language, _NAMES["en"])
    return Document(
        domain="retail",
        customer_key="C0100001",
        document_id="D0100001",
        document_type=document_type,
        language=language,
        country=_COUNTRIES.get(language),
        produced_at="2026-11-20T04:12:09Z",
        first_name=first,
        last_name=last,
        reference_no="REF-53171691",
        account_number="879217421809",
        amount_due="2375.99",
        currency=_CURRENCIES.get(language, "EUR"),
        due_date="2026-12-26",
        statement_period="2026-11",
        account_status="late",
        stage="2",
        days_past_due=18,
        case_id="CASE-378190",
        case_type="claim",
        respond_by="2026-12-18",
    )


def bare(document_type: str, language: str) -> Document:
    """A record with nothing but what it must have, and a reference."""
    return Document("retail", "C1", "D1", document_type, language=language, reference_no="REF-53171691")


def write_preview(path: Path, renderer: Renderer | None = None) -> None:
    """Write the page: every type in every language that the renderer has. Raises WordingError.

    Without a renderer, the package's own wording is shown, of an example company.
    """
    renderer = renderer or Renderer(EXAMPLE)
    texts = [renderer.files.language(language) for language in renderer.languages]
    types = list(dict.fromkeys(name for language in texts for name in language.types))
    body = "\n".join(_type(renderer, name) for name in types)
    contents = "".join(f'<a href="#{escape(name)}">{escape(name)}</a>' for name in types)
    filters = "".join(
        f'<label><input type="checkbox" checked data-language="{escape(code)}"> {escape(code)}</label>'
        for code in renderer.languages
    )
    page = _PAGE.format(
        style=_STYLE,
        script=_SCRIPT,
        brand=escape(renderer.brand.name),
        contents=contents,
        filters=filters,
        body=body,
    )
    path.write_text(page, "utf-8")


def _type(renderer: Renderer, name: str) -> str:
    # A language without these words reads those of the default one.
    spoken = [language for language in renderer.languages if _speaks(renderer, name, language)]
    rows = "\n".join(_language(renderer, name, language) for language in spoken)
    return f'<section id="{escape(name)}"><h2>{escape(name)}</h2>\n{rows}</section>'


def _speaks(renderer: Renderer, name: str, language: str) -> bool:
    return name in renderer.files.language(language).types


def _language(renderer: Renderer, name: str, language: str) -> str:
    cases = list(_cases(renderer, name, language))
    version = renderer.version(name, "email", language)
    full, *rest = (_case(case, name, language) for case in cases)
    others = "".join(
        f"<details><summary>{escape(case.title)}</summary>{shown}</details>"
        for case, shown in zip(cases[1:], rest, strict=True)
    )
    return (
        f'<article data-language="{escape(language)}"><h3><b>{escape(language)}</b> {escape(name)} '
        f"<small>version {version}</small></h3>{full}{others}</article>"
    )


def _cases(renderer: Renderer, name: str, language: str) -> Iterator[_Case]:
    if name == "team-digest":
        mail = renderer.render_digest("compliance", "20261120T041209Z", DIGEST_COUNTS, language=language)
        yield _Case("digest", mail, None)
        return
    if name == "team-copy":
        document = sample("policy-document", language)
        yield _Case("copy", renderer.render(name, "email", document, link=None, language=language), None)
        return
    document, least = sample(name, language), bare(name, language)
    for title, record, link, preferences in (
        ("all values", document, LINK, PREFERENCES_LINK),
        ("no values but the reference", least, LINK, None),
        ("reference, no link", replace(document, respond_by=None), None, None),
    ):
        # A type that goes out on one channel alone has no words for the other.
        texts = renderer.files.language(language)
        shown: Content | None = None
        sms: Content | None = None
        if not texts.lacks(name, "email"):
            shown = renderer.render(
                name, "email", record, link=link, preferences_link=preferences, language=language
            )
        if not texts.lacks(name, "sms"):
            sms = renderer.render(name, "sms", record, link=link, language=language)
        yield _Case(title, shown, sms)


def _case(case: _Case, name: str, language: str) -> str:
    title = f"{name} {language} {case.title}"
    sms = "" if case.sms is None else _sms(case.sms.text)
    mails = text = ""
    if case.mail is not None:
        mails = "".join(_mail(case.mail, title, device, width) for device, width in _WIDTHS.items())
        text = f"<h4>Text version</h4><pre>{escape(case.mail.text)}</pre>"
    return f'<div class="case">{mails}<div class="plain">{sms}{text}</div></div>'


def _mail(mail: Content, title: str, device: str, width: int) -> str:
    # Scripts stay off in the frame; same origin, so that this page can fit the frame to the mail.
    return (
        f'<div class="mail {device}"><p class="subject"><span>Subject</span> {escape(mail.subject)}</p>\n'
        f'<iframe title="{escape(title)}, {device}" width="{width}" loading="lazy" '
        f'sandbox="allow-same-origin" srcdoc="{escape(mail.html)}"></iframe></div>\n'
    )


def _sms(text: str) -> str:
    count = parts(text)
    unit = "septets" if alphabet(text) == "gsm" else "UCS-2 units"
    told = f"{units(text)} {unit}, {count} {'part' if count == 1 else 'parts'}"
    return f'<h4>SMS <small>{told}</small></h4><p class="sms">{escape(text)}</p>'


_STYLE = """
:root { font-family: system-ui, "Segoe UI", Roboto, Arial, sans-serif; color: #1d2733; background: #f7f8fa; }
body { margin: 0; }
header { position: sticky; top: 0; z-index: 1; background: #fff; border-bottom: 1px solid #d5dbe3;
  padding: 12px 24px; }
h1 { font-size: 18px; margin: 0 0 8px; }
nav { display: flex; flex-wrap: wrap; gap: 4px 14px; font-size: 13px; }
nav a { color: #1f4e79; }
nav label { margin-right: 6px; }
section { padding: 8px 24px 24px; scroll-margin-top: 110px; }
h2 { font-size: 22px; margin: 24px 0 8px; }
h3 { font-size: 15px; margin: 24px 0 10px; font-weight: normal; }
h4 { font-size: 13px; margin: 0 0 6px; }
small { color: #4a5766; font-weight: normal; }
.case { display: flex; flex-wrap: wrap; gap: 24px; align-items: flex-start; }
.mail { background: #fff; border: 1px solid #d5dbe3; border-radius: 10px; overflow: hidden; max-width: 100%; }
.subject { margin: 0; padding: 10px 14px; border-bottom: 1px solid #d5dbe3; font-size: 14px; font-weight: 600;
  max-width: 100%; box-sizing: border-box; }
.phone .subject { width: 375px; }
.subject span { color: #4a5766; font-weight: normal; margin-right: 6px; }
@media (max-width: 700px) { header { position: static; } }
iframe { display: block; border: 0; height: 900px; max-width: 100%; }
.plain { flex: 1 1 340px; min-width: 300px; max-width: 520px; }
.sms { background: #e2edf8; border-radius: 14px 14px 14px 3px; padding: 10px 14px; margin: 0 0 20px;
  font-size: 15px; line-height: 21px; max-width: 320px; overflow-wrap: anywhere; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; font-size: 12px; line-height: 18px; background: #fff;
  border: 1px solid #d5dbe3; border-radius: 8px; padding: 12px; margin: 0; }
details { margin: 14px 0; }
summary { cursor: pointer; font-size: 13px; margin-bottom: 10px; color: #1f4e79; }
"""

_SCRIPT = """
const fit = frame => {
  const page = frame.contentDocument;
  if (page && page.body) frame.style.height = page.documentElement.scrollHeight + "px";
};
for (const frame of document.querySelectorAll("iframe")) {
  frame.addEventListener("load", () => fit(frame));
  fit(frame);
}
for (const box of document.querySelectorAll("input[data-language]")) {
  box.addEventListener("change", () => {
    for (const part of document.querySelectorAll(`article[data-language="${box.dataset.language}"]`)) {
      part.hidden = !box.checked;
    }
  });
}
"""

_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Wording of {brand}</title>
<style>{style}</style>
</head>
<body>
<header><h1>Wording of {brand}</h1><nav>{filters}{contents}</nav></header>
<main>
{body}
</main>
<script>{script}</script>
</body>
</html>
"""
