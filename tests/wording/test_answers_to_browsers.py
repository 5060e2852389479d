"""What a browser is answered: headers, pages and their values, forms that are taken and those that are not."""

import base64
import hashlib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from exstream_notify.adapters.incident_page import name_in, show_incident
from exstream_notify.adapters.link_pages import LinkPages, answer_in
from exstream_notify.adapters.pages import Pages, page_response, redirect_response
from exstream_notify.adapters.preference_views import PostRefused, PreferenceViews, form_of, masked, shown
from exstream_notify.adapters.rendering.approvals import add_approvals, approvals_by_version, read_approvals
from exstream_notify.adapters.rendering.brand import Brand
from exstream_notify.adapters.rendering.colours import contrast, is_colour, luminance, readable, text_on
from exstream_notify.adapters.rendering.composing import best_fit, is_internal, palette
from exstream_notify.adapters.rendering.notes import Notes, named
from exstream_notify.adapters.rendering.texts import WordingError
from exstream_notify.adapters.rules import YamlRules
from exstream_notify.domain.approvals import Approval
from exstream_notify.domain.contacts import AddressChange, Consent
from exstream_notify.domain.decisions import Policy
from exstream_notify.domain.exceptions import ExceptionRaised
from exstream_notify.domain.form_tokens import make_form_token
from exstream_notify.domain.incidents import Head, IncidentStatus, Report, added_up
from exstream_notify.domain.links import LinkState, Look
from exstream_notify.domain.preferences import Topic
from exstream_notify.domain.second_step import Step
from tests.fakes import a_contact, a_notice, an_address

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
STRICT = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex, nofollow, noarchive",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Strict-Transport-Security": "max-age=31536000",
}


def test_the_headers_of_a_page() -> None:
    style = "body {\n}"
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    answer = page_response(
        201, f"<style>{style}</style><style>x</style>", leads_to=["https://a", "https://b"]
    )
    other = base64.b64encode(hashlib.sha256(b"x").digest()).decode()
    policy = (
        f"default-src 'none'; style-src 'sha256-{digest}' 'sha256-{other}'; img-src https:; base-uri 'none'; "
        "frame-ancestors 'none'; form-action 'self' https://a https://b"
    )
    assert (answer.status_code, answer.content_type) == (201, "text/html")
    headers = {name: value for name, value in answer.headers.items() if name != "Content-Type"}
    assert headers == {**STRICT, "Content-Security-Policy": policy}
    bare = page_response(200, "no style")
    assert "style-src 'none'; " in str(bare.headers["Content-Security-Policy"])
    assert str(bare.headers["Content-Security-Policy"]).endswith("form-action 'self'")


def test_the_way_on_is_a_get() -> None:
    answer = redirect_response("https://x.example.com/d")
    assert (answer.status_code, answer.content_type, answer.body) == (303, "text/plain", "")
    headers = {name: value for name, value in answer.headers.items() if name != "Content-Type"}
    assert headers == {**STRICT, "Location": "https://x.example.com/d"}


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("es;q=0.5, fr;q=0.9, de;q=0.7", "fr"),
        ("es;q=0.5, fr;q=0.5", "es"),
        ("xx, " * 9 + "fr", "fr"),
        ("xx, " * 10 + "fr", "en"),
        ("fr ; q=0.1", "fr"),
        ("fr;q=0, de;q=0.001", "de"),
        (";q=1, de", "de"),
        ("fr;q=high, de;q=0.1", "de"),
    ],
)
def test_the_language_that_is_wanted_most(header: str, language: str) -> None:
    assert Pages(Brand("Co")).language(header) == language


def test_a_default_language_without_pages_is_english() -> None:
    assert Pages(Brand("Co"), default_language="fr").language("xx") == "fr"
    assert Pages(Brand("Co"), default_language="it").language("xx") == "en"


class Kept:
    """Pages that keep what they are to render."""

    def __init__(self) -> None:
        self.rendered: list[tuple[str, str, dict[str, Any]]] = []

    def language(self, *wishes: str | None) -> str:
        return next((wish for wish in wishes if wish), "en")

    def texts(self, page: str, language: str) -> dict[str, Any]:
        return {"done": {"saved": "x"}, "topics": {"news": "News and offers"}}

    def render(self, page: str, language: str, **values: Any) -> str:
        self.rendered.append((page, language, values))
        return f"<p>{page}</p>"


def link_pages() -> tuple[Kept, LinkPages]:
    pages = Kept()
    words = SimpleNamespace(
        language=lambda tag: SimpleNamespace(document_name=lambda kind: f"{kind} in {tag}")
    )
    found = LinkPages(pages, words, ["https://s3"], lambda salt: f"https://p/{salt}")  # type: ignore[arg-type]
    return pages, found


@pytest.mark.parametrize(
    ("state", "status", "form"),
    [
        (LinkState.READY, 200, True),
        (LinkState.ASKS, 200, True),
        (LinkState.WRONG, 403, True),
        (LinkState.UNKNOWN, 404, False),
        (LinkState.MISSING, 404, False),
        (LinkState.EXPIRED, 410, False),
        (LinkState.REVOKED, 410, False),
        (LinkState.SUPERSEDED, 410, False),
        (LinkState.LOCKED, 423, False),
    ],
)
def test_the_page_behind_a_link(state: LinkState, status: int, form: bool) -> None:
    pages, found = link_pages()
    look = Look(state, a_notice(), languages=(None, "de"), salt="s1")
    answer = found.answer(look, "fr")
    assert answer.status_code == status
    assert pages.rendered == [
        (
            "document",
            "de",
            {
                "state": str(state),
                "kind": "statement in de",
                "form": form,
                "step": "",
                "autocomplete": "off",
                "preferences_link": "https://p/s1" if state == LinkState.READY else "",
            },
        )
    ]
    policy = str(answer.headers["Content-Security-Policy"])
    assert policy.endswith("form-action 'self' https://s3" if form else "form-action 'self'")


@pytest.mark.parametrize(
    ("kind", "autocomplete"), [("birth_date", "bday"), ("postcode", "postal-code"), ("last4", "off")]
)
def test_a_browser_knows_what_a_second_step_asks_for(kind: Any, autocomplete: str) -> None:
    pages, found = link_pages()
    found.answer(Look(LinkState.ASKS, step=Step(kind, "retail", "C1", "s", "x")), "fr")
    _, language, values = pages.rendered[0]
    assert (language, values["kind"], values["step"], values["autocomplete"]) == (
        "fr",
        "",
        kind,
        autocomplete,
    )


def test_a_link_that_was_opened_leads_on() -> None:
    pages, found = link_pages()
    answer = found.answer(Look(LinkState.OPENED, leads_to="https://s3/d"), None)
    assert (answer.status_code, answer.headers["Location"], pages.rendered) == (303, "https://s3/d", [])


class Unreadable:
    """An event whose body is no base64."""

    @property
    def decoded_body(self) -> str:
        raise ValueError("no base64")


@pytest.mark.parametrize(
    ("body", "answer", "name"),
    [
        ("answer=1234&name=Ann", "1234", "Ann (by link)"),
        ("answer=a&answer=b&name=x&name=y", "a", "x (by link)"),
        ("other=1", "", "somebody with the link"),
        (None, "", "somebody with the link"),
        ("&".join(f"a{n}=1" for n in range(11)), "", "somebody with the link"),
        ("answer=" + "x" * 5000, "x" * (4096 - 7), "somebody with the link"),
        ("name=" + "x" * 5000, "", "x" * 60 + " (by link)"),
    ],
)
def test_what_was_typed_into_a_form(body: str | None, answer: str, name: str) -> None:
    event = SimpleNamespace(decoded_body=body)
    assert (answer_in(event), name_in(event)) == (answer, name)
    assert (answer_in(Unreadable()), name_in(Unreadable())) == ("", "somebody with the link")


RAISED = ExceptionRaised(
    "EX000001E", "error", "retail", "run-1", "Field empty", count=1234, customers_in_run=(2, 7), samples=("Field …",),
    cured_by_rerun=True,
)  # fmt: skip
HEAD = Head(
    "1" * 32, "retail", "run-1", "operations", "composition",
    covered_by=(("retail/run-2", "1-3"),), history=tuple({"what": f"h{n}"} for n in range(25)),
)  # fmt: skip


def incident_page(head: Head, *raised: ExceptionRaised, rules: YamlRules | None = None) -> dict[str, Any]:
    pages = Kept()
    reports = [
        Report(one, f"2026-11-20T1{n}:00:00", f"2026-11-20T1{n}:30:00") for n, one in enumerate(raised)
    ]
    answer = show_incident(
        pages,  # type: ignore[arg-type]
        added_up(head, reports),
        rules or YamlRules(runbook=lambda: "book"),
        {"Accept-Language": "fr"},
    )
    assert answer.status_code == 200
    ((page, language, values),) = pages.rendered
    assert (page, language) == ("incident", "fr")
    found: dict[str, Any] = values["incident"]
    return found


def test_the_page_of_an_incident() -> None:
    found = incident_page(HEAD, RAISED)
    words = {name: found.pop(name) for name in ("means", "advice", "runbook")}
    assert all(words.values())
    assert words["runbook"].startswith("book#")
    assert found == {
        "severity": "error",
        "team": "operations",
        "run": "retail/run-1",
        "codes": "EX000001E",
        "count": "1,234",
        "first": "2026-11-20T10:00:00",
        "last": "2026-11-20T10:30:00",
        "texts": ("Field empty",),
        "samples": ("Field …",),
        "rerun": ["-CUSTOMERLIST=7"],
        "rerun_words": found["rerun_words"],
        "covered": ["retail/run-2: customers 1-3"],
        "status": "open",
        "open": True,
        "history": [{"what": f"h{n}"} for n in range(5, 25)],
    }
    over = incident_page(replace(HEAD, status=IncidentStatus.RESOLVED), RAISED)
    assert (over["rerun"], over["rerun_words"], over["open"], over["status"]) == ([], "", False, "resolved")
    taken = incident_page(replace(HEAD, status=IncidentStatus.ACKNOWLEDGED), RAISED)
    assert (taken["open"], taken["rerun"]) == (False, ["-CUSTOMERLIST=7"])


def test_the_page_of_a_large_incident_shows_the_first_of_it(tmp_path: Path) -> None:
    many = [
        replace(RAISED, code=f"EX{n:06}E", text=f"text {n}", part=f"p{n}", run_id=f"run-{n}", samples=())
        for n in range(15)
    ]
    found = incident_page(HEAD, *many)
    assert found["codes"] == ", ".join(f"EX{n:06}E" for n in range(12))
    assert found["texts"][:3] == ("text 0", "text 1", "text 2")
    assert [text.partition(":")[0] for text in found["texts"][3:]] == ["Runs"], "of a cause over several runs"
    (tmp_path / "alerts.yaml").write_text("rerun_chars: 40\nteams: {operations: {samples: none}}\n")
    numbers = tuple(range(1, 2001, 2))
    found = incident_page(
        replace(HEAD, covered_by=()), replace(RAISED, customers_in_run=numbers), rules=YamlRules(tmp_path)
    )
    assert (len(found["rerun"]), found["samples"], found["covered"]) == (20, (), [])


def test_there_is_a_page_where_there_is_no_incident() -> None:
    pages = Kept()
    answer = show_incident(pages, None, YamlRules(), {})  # type: ignore[arg-type]
    assert (answer.status_code, pages.rendered) == (404, [("incident", "en", {"incident": None})])


# --- preferences ----------------------------------------------------------------------------------------

SITE = "https://docs.example.com"
HEADERS = {"content-type": "application/x-www-form-urlencoded; charset=utf-8", "origin": SITE}


def test_a_post_of_our_own_page_is_taken() -> None:
    assert form_of("a=1&a=2&b=", HEADERS, SITE) == {"a": ["1", "2"], "b": [""]}
    assert form_of(None, HEADERS, SITE) == {}
    assert len(form_of("a=" + "x" * 19_998, HEADERS, SITE)["a"][0]) == 19_998
    assert len(form_of("&".join(f"a{n}=1" for n in range(200)), HEADERS, SITE)) == 200


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        ("a=1", {**HEADERS, "content-type": "application/json"}),
        ("a=1", {"origin": SITE}),
        ("a=1", {**HEADERS, "origin": "https://evil.example.com"}),
        ("a=" + "x" * 19_999, HEADERS),
        ("&".join(f"a{n}=1" for n in range(201)), HEADERS),
        ("a=%ff", HEADERS),
    ],
)
def test_a_post_of_another_page_is_refused(body: str, headers: dict[str, str]) -> None:
    with pytest.raises(PostRefused):
        form_of(body, headers, SITE)


TOPICS = (Topic("news", "marketing", ("email", "sms")), Topic("due-dates", "collections", ("sms",)))
CONTACT = a_contact(
    channel_order=("sms",),
    opt_outs={"news": ("email",)},
    consent=Consent(True, "all", "1", "t", "page"),
    paper_required=True,
    quiet_hours=("10:00", "18:00"),
    changing=(
        AddressChange("c1", "email", an_address("new@example.com"), "code", "t", "t", "page"),
        AddressChange(
            "c2", "sms", an_address("+12025550177"), "", "t", "t", "page",
            confirmed_at="t", effective_at="2026-11-28T12:00:00+00:00", review="asked",
        ),
    ),
)  # fmt: skip


def test_what_the_preference_page_shows() -> None:
    values = shown(
        CONTACT,
        TOPICS,
        "postcode",
        pages=Kept(),  # type: ignore[arg-type]
        language="de",
        policy=Policy(),
        now=NOW,
        form="token",
        done="saved",
        problem="wrong",
        field="email",
        typed={"opens": "11:00"},
    )
    window = Policy().window
    assert values == {
        "topics": [
            {"name": "news", "label": "News and offers", "stays": False, "channels": [("email", False), ("sms", True)]},
            {"name": "due-dates", "label": "Due dates", "stays": True, "channels": [("sms", True)]},
        ],
        "remain": ["Due dates"],
        "first": "sms",
        "languages": [
            ("en", "English", False), ("es", "Español", False), ("fr", "Français", False), ("de", "Deutsch", True),
        ],
        "opens": "10:00",
        "closes": "18:00",
        "earliest": window.opens.isoformat("minutes"),
        "latest": window.closes.isoformat("minutes"),
        "addresses": [("email", "c…@example.com"), ("sms", masked(CONTACT.mobile))],
        "asked": [("email", "n…@example.com")],
        "coming": [(masked(an_address("+12025550177")), "2026-11-28", True)],
        "asks": "postcode",
        "can_change": True,
        "consent": True,
        "withdrew": CONTACT.withdrew,
        "paper_required": True,
        "form": "token",
        "done": "saved",
        "problem": "wrong",
        "wrong_field": "email",
        "typed": {"opens": "11:00"},
    }  # fmt: skip
    bare = shown(
        a_contact(),
        (),
        "none",
        pages=Kept(),
        language="en",
        policy=Policy(),
        now=NOW,
        form="",  # type: ignore[arg-type]
    )
    assert [
        bare[name] for name in ("first", "asked", "coming", "can_change", "consent", "typed", "done")
    ] == [
        *("", [], [], False, False, {}, ""),
    ]
    assert masked(None) == ""
    assert "2025550177" not in masked(an_address("+12025550177"))


def test_the_preference_page_and_its_questions() -> None:
    pages = Kept()
    views = PreferenceViews(pages, TOPICS, Policy(), lambda: NOW, lambda: [b"key", b"old"])  # type: ignore[arg-type]
    answer = views.show(
        "tok", CONTACT, "fr", "none", done="saved", typed={"opens": ["11:00", "12:00"], "x": ["1"]}
    )
    assert answer.status_code == 200
    page, language, values = pages.rendered[0]
    assert (page, language, values["done"], values["problem"]) == ("preferences", "fr", "saved", "")
    assert values["typed"] == {"opens": "12:00"}
    assert values["form"] == make_form_token(b"key", "tok", CONTACT.version, NOW)
    wrong = SimpleNamespace(problem="too_late", field="closes")
    refused = views.show("tok", a_contact(language="de"), "fr", "none", wrong, done="nonsense")
    assert refused.status_code == 422
    _, language, values = pages.rendered[1]
    assert (language, values["done"], values["problem"], values["wrong_field"]) == (
        "de",
        "",
        "too_late",
        "closes",
    )
    asked = views.confirm("undo", "ask", "fr", 404)
    assert (asked.status_code, pages.rendered[2]) == (
        404,
        ("confirm", "fr", {"kind": "undo", "state": "ask"}),
    )
    form = {"form": [make_form_token(b"old", "tok", CONTACT.version, NOW)]}
    assert views.checked(form, "tok", CONTACT) == form
    for other in ({}, {"form": ["x"]}, {"form": [make_form_token(b"key", "tok", CONTACT.version + 1, NOW)]}):
        with pytest.raises(PostRefused):
            views.checked(other, "tok", CONTACT)


# --- looks ----------------------------------------------------------------------------------------------


def test_contrast_is_that_of_wcag() -> None:
    assert (luminance("#000000"), round(luminance("#ffffff"), 6)) == (0.0, 1.0)
    assert round(contrast("#000000", "#ffffff"), 3) == round(contrast("#ffffff", "#000000"), 3) == 21.0
    assert contrast("#777777", "#777777") == 1.0
    # Values of the contrast checker that WebAIM publishes.
    assert round(contrast("#767676", "#ffffff"), 2) == 4.54
    assert round(contrast("#777777", "#ffffff"), 2) == 4.48
    assert [round(luminance(c), 4) for c in ("#ff0000", "#00ff00", "#0000ff")] == [0.2126, 0.7152, 0.0722]
    assert round(luminance("#0a0a0a"), 6) == 0.003035
    assert [is_colour(c) for c in ("#12abEF", "#12abe", "12abef", "#12abeg", "#12abeff")] == [
        *(True, False, False, False, False),
    ]


def test_text_is_readable_on_any_colour() -> None:
    assert [text_on(c) for c in ("#ffffff", "#000000", "#1f4e79")] == ["#000000", "#ffffff", "#ffffff"]
    assert readable("#1f4e79", "#ffffff") == "#1f4e79"
    assert readable("#ffffff", "#ffffff") == "#737373"
    assert contrast(readable("#000000", "#000000"), "#000000") >= 4.5
    assert contrast(readable("#ffff00", "#ffffff"), "#ffffff") >= 4.5
    looks = palette(Brand("Co", colour="#ffee00"))
    assert looks["light"]["accent"] == looks["light"]["button"] == "#ffee00"
    assert looks["light"]["on_button"] == "#000000"
    for name, ground in (("link", "card"), ("dim_link", "page")):
        assert contrast(looks["light"][name], looks["light"][ground]) >= 4.5
    for ground in ("page", "card"):
        assert contrast(looks["dark"]["accent"], looks["dark"][ground]) >= 4.5


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"name": " "}, "brand: a company name is needed"),
        ({"colour": "red"}, "brand: colour 'red' is not written as #rrggbb"),
        ({"logo_url": "http://x/y"}, "brand: logo_url must be an https address, mail programs show no other"),
        (
            {"logo_url": "https://x/'y"},
            "brand: logo_url must be an https address, mail programs show no other",
        ),
        ({"logo_width": 0}, "brand: logo_width is 1 to 280 pixels"),
        ({"logo_width": 281}, "brand: logo_width is 1 to 280 pixels"),
    ],
)
def test_a_brand_that_no_mail_program_could_show(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(WordingError) as refused:
        Brand(**{"name": "Co", **changes})
    assert str(refused.value) == why
    assert [Brand("Co", logo_width=width).logo_width for width in (1, 280)] == [1, 280]


@pytest.mark.parametrize(
    ("given", "short"),
    [
        ("Example Company", "Example Company"),
        ("x" * 24, "x" * 24),
        ("x" * 25, "x" * 24),
        ("Example Company of the North", "Example Company of the"),
        ("Example Company of, the-North", "Example Company of"),
        ("  Two   blanks ", "Two blanks"),
    ],
)
def test_a_name_that_fits_an_sms(given: str, short: str) -> None:
    assert Brand(given).short_name == short
    assert Brand("Other", sms_name=given).short_name == short


@pytest.mark.parametrize(
    ("contact", "link"),
    [
        (" help@example.com ", "mailto:help@example.com"),
        ("https://example.com/help", "https://example.com/help"),
        ("https://example.com or call", ""),
        ("+1 (202) 555-0100", "tel:+12025550100"),
        ("555.0100/12", "tel:555010012"),
        ("1234", ""),
        ("our branches", ""),
        ("", ""),
    ],
)
def test_where_a_click_on_the_contact_leads(contact: str, link: str) -> None:
    assert Brand("Co", contact).support_link == link


def test_a_site_lays_its_brand_over_ours(tmp_path: Path) -> None:
    assert Brand("Co").overlaid(None) == Brand("Co").overlaid(tmp_path) == Brand("Co")
    place = tmp_path / "brand.yaml"
    place.write_text("name: Site\nlogo_width: 200\nsms_opt_out: false\n")
    assert Brand("Co", "help").overlaid(tmp_path) == Brand("Site", "help", logo_width=200, sms_opt_out=False)
    for text, why in (
        ("shade: x\n", "shade: not one of name, "),
        ("logo_width: '9'\n", "logo_width: int is needed"),
    ):
        place.write_text(text)
        with pytest.raises(WordingError, match=f"brand.yaml: {why}"):
            Brand("Co").overlaid(tmp_path)


ROW = {
    "wording": "statement", "channel": "email", "language": "en", "version": "0123456789ab", "who": "Ann",
    "when": "2026-11-20",
}  # fmt: skip


def approval_rows(folder: Path, **changes: str) -> Path:
    fields = {name: ROW.get(name, "x") for name in Approval.__dataclass_fields__}
    lines = [
        f"  {name}: {value}"
        for name, value in {**{n: repr(v) for n, v in fields.items()}, **changes}.items()
        if value
    ]
    text = "approved:\n-" + "\n".join(lines)[1:] + "\n"
    (folder / "approvals.yaml").write_text(text)
    return folder


def test_approvals_are_read_and_added(tmp_path: Path) -> None:
    assert read_approvals(None) == read_approvals(tmp_path) == ()
    (one,) = read_approvals(approval_rows(tmp_path))
    assert (one.wording, one.version, one.when) == ("statement", "0123456789ab", "2026-11-20")
    (dated,) = read_approvals(approval_rows(tmp_path, when="2026-11-20"))
    assert dated == one, "a date that YAML takes for one"
    later = Approval(**{**{n: getattr(one, n) for n in Approval.__dataclass_fields__}, "when": "2026-11-21"})
    add_approvals(tmp_path, (later,))
    assert read_approvals(tmp_path) == (one, later)
    assert approvals_by_version(tmp_path) == {("statement", "email", "en", "0123456789ab"): later}
    assert (
        (tmp_path / "approvals.yaml").read_text().startswith("# Who approved which version of the wording.")
    )
    (tmp_path / "approvals.yaml").write_text("approved:\n")
    assert read_approvals(tmp_path) == ()


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"version": "'0123456789a'"}, "entry 1: version is twelve hex characters, in quotes"),
        ({"version": "123456789012"}, "entry 1: version is twelve hex characters, in quotes"),
        ({"when": "soon"}, "entry 1: when is no date: 'soon'"),
        ({"language": "' '"}, "entry 1: language is empty"),
        ({"language": "null"}, "entry 1: language is empty"),
        ({"more": "x"}, "entry 1: needs "),
    ],
)
def test_an_approval_that_approves_nothing(tmp_path: Path, changes: dict[str, str], why: str) -> None:
    with pytest.raises(WordingError) as refused:
        read_approvals(approval_rows(tmp_path, **changes))
    assert str(refused.value).startswith(f"approvals.yaml: {why}")


@pytest.mark.parametrize("text", ["other: []\n", "approved: x\n", "approved: {a: 1}\n"])
def test_a_file_of_anything_but_approvals_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "approvals.yaml").write_text(text)
    with pytest.raises(WordingError, match="`approved` and a list below it is all that may stand here"):
        read_approvals(tmp_path)


# --- notes ----------------------------------------------------------------------------------------------


class Laid:
    """A composer that keeps what it lays out."""

    def __init__(self) -> None:
        self.said: list[tuple[str, dict[str, Any]]] = []

    def lay_out(self, name: str, said: dict[str, Any]) -> str:
        self.said.append((name, said))
        return name


def test_what_a_note_says_in_an_e_mail(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "texts.yaml").write_text(
        "en:\n  hello: {sms: 'x', subject: '{{ brand }}: hi', body: ['One {{ support }}', Two, Three], "
        "code: Your code, button: Open, why: 'since {{code}}'}\n"
    )
    notes, laid = Notes(Brand("Co", "help"), tmp_path), Laid()
    notes._composer = laid  # type: ignore[assignment]
    content = notes.render("hello", "email", None, {"code": "123", "link": "https://l"})
    assert (content.text, content.subject, content.html) == ("layout.txt", "Co: hi", "layout.html")
    assert [name for name, _ in laid.said] == ["layout.txt", "layout.html"]
    said = laid.said[0][1]
    common = notes._files.language("en").common
    assert said == {
        "language": "en",
        "subject": "Co: hi",
        "preheader": "One help",
        "heading": "Co: hi",
        "greeting": "",
        "opening": "One help",
        "paragraphs": ["Two", "Three"],
        "facts": [("Your code", "123")],
        "link": "https://l",
        "button": "Open",
        "link_hint": common["link_hint"],
        "no_link": "",
        "security": common["security"],
        "closing": "",
        "contact": common["contact"],
        "why": "since 123",
        "preferences": "",
        "preferences_link": None,
        "colon": common.get("colon", ":"),
    }
    assert named("hello") == "note:hello"


def test_the_version_of_a_note_changes_with_what_is_said() -> None:
    notes = Notes(Brand("Co"))
    versions = {
        (channel, name, brand): Notes(Brand(brand)).version(name, channel, "en")
        for channel in ("sms", "email")
        for name in ("code", "changed")
        for brand in ("Co", "Other")
    }
    assert len(set(versions.values())) == len(versions)
    assert notes.version("stop", "sms", "en-GB") == notes.version("stop", "sms", "xx")
    assert notes.version("stop", "sms", "de") != notes.version("stop", "sms", "en")
    assert notes.approval("stop", "sms", "en") is None


def test_a_note_is_approved_by_channel_language_and_version(tmp_path: Path) -> None:
    notes = Notes(Brand("Co"))
    row = {
        **dict.fromkeys(Approval.__dataclass_fields__, "x"),
        **ROW,
        "wording": "note:stop",
        "channel": "sms",
    }
    approved = Approval(**{**row, "version": notes.version("stop", "sms", "en")})
    add_approvals(tmp_path, (approved,))
    own = Notes(Brand("Co"), tmp_path)
    assert own.approval("stop", "sms", "en-GB") == approved
    assert own.approval("stop", "sms", "xx") == approved, "told in the default language"
    assert own.approval("stop", "sms", "de") is None
    assert own.approval("help", "sms", "en") is None
    assert Notes(Brand("Other"), tmp_path).approval("stop", "sms", "en") is None


def test_the_first_text_that_fits_else_the_shortest() -> None:
    def text(size: int) -> Any:
        return SimpleNamespace(fill=lambda values: "x" * size)

    candidates = [text(400), text(170), text(160)]
    assert best_fit(candidates, {}, 2)[1] == "x" * 170
    assert best_fit(candidates, {}, 1)[1] == "x" * 160
    assert best_fit(candidates[:2], {}, 1)[1] == "x" * 170
    assert best_fit([text(400), text(399)], {}, 1)[1] == "x" * 400, "as long: the better words"
    assert (is_internal("team-copy"), is_internal("statement-team-")) == (True, False)
