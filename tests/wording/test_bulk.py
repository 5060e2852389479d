"""One content for many: filling a bulk job's inserts gives each customer's own message, to the letter."""

import re
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream_notify.adapters.rendering import Renderer
from exstream_notify.adapters.rendering.forms import Pattern
from exstream_notify.domain.documents import Channel, Document
from exstream_notify.domain.messages import Content

from .examples import BRAND, CHANNELS, LANGUAGES, LINK, RENDERER, TYPES, any_document, full


def insert(text: str, values: Sequence[str]) -> str:
    """As the provider does: each mark replaced once, marks in values not looked at again."""
    return re.sub(r"\(i(\d+)\)", lambda m: values[int(m[1]) - 1], text)


def insert_one_after_another(text: str, values: Sequence[str]) -> str:
    """As a careless provider might: number by number, over what is already filled in."""
    for number, value in enumerate(values, 1):
        text = text.replace(f"(i{number})", value)
    return text


def assert_same_as_single(
    name: str,
    channel: Channel,
    documents: Sequence[Document],
    links: Sequence[str | None],
    language: str,
    renderer: Renderer = RENDERER,
) -> int:
    """How many had to go by themselves."""
    rendering = renderer.render_bulk(name, channel, documents, links, language)
    assert len(rendering.inserts) == len(documents)
    for document, link, values in zip(documents, links, rendering.inserts, strict=True):
        if values is None:
            continue
        single = renderer.render(name, channel, document, link=link, language=language)
        for fill in (insert, insert_one_after_another):
            c = rendering.content
            assert Content(fill(c.text, values), fill(c.subject, values), fill(c.html, values)) == single
    return sum(values is None for values in rendering.inserts)


def many(name: str, count: int = 16) -> list[Document]:
    return [
        replace(
            full(name),
            customer_key=f"K{n}",
            first_name=f"Ann{n}" if n % 3 else "O'Neil & <Co>",
            reference_no=f"REF-{n:08}",
            account_number=f"55500000{n:04}",
            amount_due=f"{n * 971}.{n % 100:02}",
            due_date=f"2026-12-{n % 28 + 1:02}",
        )
        for n in range(1, count + 1)
    ]


@pytest.mark.parametrize("name", TYPES)
@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("channel", CHANNELS)
def test_a_usual_run_is_one_job(name: str, language: str, channel: Channel) -> None:
    documents = many(name)
    links = [LINK[:-4] + f"{n:04}" for n in range(len(documents))]
    assert {RENDERER.bulk_key(d) for d in documents} == {RENDERER.bulk_key(documents[0])}
    assert assert_same_as_single(name, channel, documents, links, language) == 0
    assert assert_same_as_single(name, channel, documents, [None] * len(documents), language) == 0


def test_a_value_has_a_second_number_only_where_escaping_changes_it() -> None:
    plain = [replace(d, first_name="Ann", last_name="Lee") for d in many("statement")]
    content = RENDERER.render_bulk("statement", "email", plain, [LINK] * 16, "en")
    assert len(content.inserts[0] or ()) == 8
    mixed = RENDERER.render_bulk("statement", "email", many("statement"), [LINK] * 16, "en")
    assert len(mixed.inserts[0] or ()) == 10  # first and last name once more
    assert "(i9)" in mixed.content.html
    assert "(i9)" not in mixed.content.text


@given(
    st.lists(any_document(), min_size=1, max_size=6),
    st.sampled_from(CHANNELS),
    st.sampled_from(LANGUAGES),
    st.booleans(),
)
def test_any_records_come_out_as_if_alone(
    documents: list[Document], channel: Channel, language: str, with_link: bool
) -> None:
    links = [LINK if with_link else None] * len(documents)
    assert_same_as_single(documents[0].document_type, channel, documents, links, language)


@pytest.mark.parametrize("value", ["(i1)", "x (i12) y", "REF(i", "REF-(", "i1)", "12)", "1) x", ")"])
def test_what_could_be_taken_for_an_insert_goes_alone(value: str) -> None:
    documents = [*many("statement", 3), replace(full("statement"), reference_no=value)]
    rendering = RENDERER.render_bulk("statement", "email", documents, [LINK] * 4, "en")
    assert [values is None for values in rendering.inserts] == [False, False, False, True]


def test_harmless_brackets_stay_in_the_job() -> None:
    documents = [*many("statement", 3), replace(full("statement"), last_name="Lee (Jr.) (in trust)")]
    assert assert_same_as_single("statement", "email", documents, [LINK] * 4, "en") == 0


def test_a_document_with_other_values_goes_alone() -> None:
    documents = [*many("invoice", 3), replace(full("invoice"), due_date=None)]
    assert RENDERER.bulk_key(documents[0]) != RENDERER.bulk_key(documents[3])
    rendering = RENDERER.render_bulk("invoice", "email", documents, [LINK] * 4, "en")
    assert [values is None for values in rendering.inserts] == [False, False, False, True]
    # A value that the type does not show makes no difference.
    same = [*many("secure-correspondence", 3), replace(full("secure-correspondence"), due_date=None)]
    assert assert_same_as_single("secure-correspondence", "email", same, [LINK] * 4, "en") == 0


def test_a_document_that_needs_a_shorter_sms_goes_alone() -> None:
    renderer = Renderer(replace(BRAND, sms_details=True))
    usual = many("invoice", 5)
    long = replace(full("invoice"), amount_due="9999999999999.99", currency="KWD")
    rendering = renderer.render_bulk("invoice", "sms", [*usual, long], [LINK] * 6, "en")
    assert [values is None for values in rendering.inserts] == [False] * 5 + [True]
    assert_same_as_single("invoice", "sms", [*usual, long], [LINK] * 6, "en", renderer)


def test_an_empty_group_is_an_empty_job() -> None:
    rendering = RENDERER.render_bulk("invoice", "email", [], [], "en")
    assert (rendering.content, rendering.inserts) == (Content(""), ())


def test_each_document_needs_its_link() -> None:
    with pytest.raises(ValueError, match="zip"):
        RENDERER.render_bulk("invoice", "email", many("invoice", 2), [LINK], "en")


def test_a_company_whose_name_is_an_insert_mark_gets_no_bulk_jobs() -> None:
    renderer = Renderer(replace(BRAND, name="Bank (i1)"))
    rendering = renderer.render_bulk("invoice", "email", many("invoice", 2), [LINK] * 2, "en")
    assert rendering.inserts == (None, None)


@pytest.mark.parametrize(
    ("marked", "form", "names", "safe"),
    [
        ("plain", "plain", (), True),
        ("100 %", "100 %%", (), True),
        ("a \ue000amount\ue001 b", "a %s b", ("amount",), True),
        ("\ue000amount\ue001\ue000due_date\ue001", "%s%s", ("amount", "due_date"), True),
        ("a \ue000amount\ue001 b (i1)", "a %s b (i1)", ("amount",), False),
        ("(i1 \ue000amount\ue001", "(i1 %s", ("amount",), False),
        ("a \ue000x\ue001 b \ue000y\ue001 (i12)", "a %s b %s (i12)", ("x", "y"), False),
        ("(in \ue000x\ue001) (i \ue000y\ue001)", "(in %s) (i %s)", ("x", "y"), True),
    ],
)
def test_a_text_is_cut_at_its_values_and_an_insert_mark_of_its_own_is_seen_wherever_it_stands(
    marked: str, form: str, names: tuple[str, ...], safe: bool
) -> None:
    assert Pattern.cut(marked) == Pattern(form, names, safe)
