"""Addresses are read whole, as RFC 5322 and RFC 6531 write them, or not at all."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream_notify.domain.mail_addresses import (
    PLACES,
    Place,
    address_in,
    addresses_in,
    forms_of,
    places,
    without_addresses,
)
from exstream_notify.domain.reasons import scrubbed

WHOLE = [
    "ann@example.com",
    "o'brien@example.com",
    "d'angelo`s@example.com",
    "ann+bills@example.com",
    "!#$%&'*+-/=?^_`{|}~@example.com",
    '"ann lee"@example.com',
    '"a\\"b"@example.com',
    "ann@bücher.example",
    "ann@xn--bcher-kva.example",
    "dörte@example.com",
    "анна@почта.example",
    "用户@例子.example",
    "ann@भारत.example",
    "ann@[192.0.2.1]",
    "ann@localhost",
    "a..n.@mobile.example",
    "a" * 64 + "@example.com",
]


@pytest.mark.parametrize("address", WHOLE)
@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "<{}>",
        "<{}>: host said",
        "({})",
        "[{}]",
        "rfc822; {}",
        "mailto:{}",
        "To: {}, x",
        "'{}'",
        "see {}.",
    ],
)
def test_an_address_is_read_whole_whatever_stands_around_it(address: str, text: str) -> None:
    assert addresses_in(text.format(address)) == [address]


@pytest.mark.parametrize(
    "text",
    [
        "ann@",
        "@example.com",
        "ann@b@example.com",
        "ann@example.com@relay.example",
        "a" * 65 + "@example.com",
        "ann@" + "b" * 256,
        "ann at example.com",
        "ü" * 33 + "@example.com",
    ],
)
def test_what_is_no_address_is_not_read_in_part(text: str) -> None:
    assert addresses_in(text) == []


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("您发给ann@example.com的邮件", ["ann@example.com"]),
        ("ann@example.comへのメール", ["ann@example.com"]),
        ("ann@example.com으로 보낸", ["ann@example.com"]),
        ("（ann@example.com）。", ["ann@example.com"]),
        ("«ann@example.com»", ["ann@example.com"]),
        ("*ann@example.com*", ["ann@example.com"]),
        ("`ann@example.com'", ["ann@example.com"]),
        ("...ann@example.com...", ["ann@example.com"]),
        ("to=ann@example.com, delay=1", ["ann@example.com"]),
        ("<@a.example,@b.example:ann@example.com>", ["ann@example.com"]),
        (
            "one@example.com;two@example.com,three@example.com",
            [f"{n}@example.com" for n in ("one", "two", "three")],
        ),
    ],
)
def test_a_sentence_around_an_address_is_not_part_of_it(text: str, found: list[str]) -> None:
    assert addresses_in(text) == found


def test_angle_brackets_decide_which_address_a_field_names() -> None:
    assert address_in("old@example.com <new@example.com>") == "new@example.com"
    assert address_in('"Lee, Ann" <o\'lee@example.com>') == "o'lee@example.com"
    assert address_in("nobody") == ""


@pytest.mark.parametrize(
    ("address", "stands_for"),
    [
        ("prvs=1234abcdef=ann@example.com", "ann@example.com"),
        ("SRS0=HHHH=TT=example.com=ann@relay.example", "ann@example.com"),
        ("SRS1=HH=fwd.example==HHHH=TT=example.com=ann@relay.example", "ann@example.com"),
        ("ann%example.com@relay.example", "ann@example.com"),
        ("ann+2Bbills@example.com", "ann+bills@example.com"),
        ("IMCEASMTP-ann+40example+2Ecom@x.example", "ann@example.com"),
        (r"\x{4E2D}@example.com", "中@example.com"),
    ],
)
def test_an_encoded_or_routed_address_stands_for_the_mailbox_in_it(address: str, stands_for: str) -> None:
    assert forms_of(address) == (stands_for,)


@pytest.mark.parametrize("address", ["ann@example.com", "ann+bills@example.com", "o'brien@example.com"])
def test_a_plain_address_stands_for_itself_alone(address: str) -> None:
    assert forms_of(address) == ()


@given(st.sampled_from(WHOLE), st.text(max_size=20).filter(lambda t: "@" not in t))
def test_masking_leaves_nothing_of_an_address(address: str, around: str) -> None:
    masked = without_addresses(f"{around} <{address}> {around}", "(address)")
    assert "@" not in masked
    assert address.rpartition("@")[0] not in masked or address.rpartition("@")[0] in around + "(address)"


@given(st.text(alphabet="ab.@'\"<> ü的-_\\", max_size=120))
def test_places_are_in_order_and_apart_and_cover_every_at(text: str) -> None:
    found = list(places(text))
    assert all(one.end <= other.start for one, other in pairwise(found))
    assert all(place.address in text for place in found)
    assert not any(sign in without_addresses(text, "") for sign in ("a@a", "a@b", "b@a", "b@b"))


def test_a_reason_is_masked_by_the_same_reader_also_where_it_is_cut() -> None:
    assert scrubbed("<o'brien@bücher.example>: no such user") == "<(address)>: no such user"
    for long in ("x " * 395 + "somebody@example.com and more", "y@z.example " * 66 + "somebody@example.com"):
        assert "somebody" not in scrubbed(long)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("@", []), ("@@", []), ("@ a@b", ["a@b"]), ("a@", []), ("@b", []), ("a@b", ["a@b"]), ("a@b c@d", ["a@b", "c@d"]), ("a@b,c@d", ["a@b", "c@d"]),
        ("a@b@c", []), ("a@b a@b", ["a@b"]), ("-a@b-", ["-a@b"]), (".a@b", ["a@b"]), ("a@b_", ["a@b"]), ("a@b.-", ["a@b"]), ("a@b..c", ["a@b"]),
        ("'a@b'", ["a@b"]), ("`a@b`", ["a@b"]), ("|a@b|", ["a@b"]), ("{a@b}", ["a@b"]), ("/a@b/", ["a@b"]), ("=a@b=", ["a@b"]), ("~a@b~", ["a@b"]),
        ("**a@b**", ["a@b"]), ("'*a@b*'", ["'*a@b"]), ("'a@b", ["'a@b"]), ("{a@b", ["{a@b"]),
        ("to=a@b", ["a@b"]), ("from=a@b", ["a@b"]), ("rcpt=a@b", ["a@b"]), ("RCPTTO=a@b", ["a@b"]), ("recipient=a@b", ["a@b"]), ("email=a@b", ["a@b"]),
        ("addr=a@b", ["a@b"]), ("address=a@b", ["a@b"]), ("e-mail=a@b", ["a@b"]), ("mailto=a@b", ["a@b"]), ("orig_to=a@b", ["a@b"]), ("smtp=a@b", ["a@b"]),
        ("user=a@b", ["a@b"]), ("x=a@b", ["x=a@b"]), ("<to=a@b>", ["to=a@b"]), ("<a@b.>", ["a@b"]), ("a@[1.2.3.4]", ["a@[1.2.3.4]"]), ("a@[1", []),
        ('"a b"@c', ['"a b"@c']), ('"a\\"b"@c', ['"a\\"b"@c']), ('x"a b"@c', ['"a b"@c']),
        ("a" * 64 + "@b", ["a" * 64 + "@b"]), ("a@" + "b" * 255, ["a@" + "b" * 255]), ("a@" + "b" * 256, []), ("é" * 32 + "@b", ["é" * 32 + "@b"]),
        ("é" * 33 + "@b", []), ('"' + "a" * 64 + '"@b', ['"' + "a" * 64 + '"@b']), ('"' + "a" * 65 + '"@b', []),
        ("中a@b.com", ["a@b.com"]), ("中@b.com", ["中@b.com"]), ("a@b.com中", ["a@b.com"]), ("a@中.com", ["a@中.com"]), ("a@bcom中", ["a@bcom中"]),
    ],
)  # fmt: skip
def test_every_border_of_an_address(text: str, found: list[str]) -> None:
    assert addresses_in(text) == found


@pytest.mark.parametrize(
    ("field", "address"),
    [
        ("a@b", "a@b"), ("a@b <c@d>", "c@d"), ("<@x,@y:c@d>", "c@d"), ("<@x,c@d>", "c@d"), ("a@b c@d>", "a@b"), ("<c@d a@b", "c@d"), ("", ""), ("x", ""),
        ("rfc822; a@b", "a@b"), ("<>", ""),
    ],
)  # fmt: skip
def test_the_address_of_a_field(field: str, address: str) -> None:
    assert address_in(field) == address


@pytest.mark.parametrize(
    ("address", "forms"),
    [
        ("prvs=ann/1234abcdef@example.com", ("ann@example.com",)), ("PRVS=1234=ann@example.com", ("ann@example.com",)),
        ("btv1==0123==ann@example.com", ("ann@example.com",)), ("msprvs1=0123=ann@example.com", ("ann@example.com",)),
        ("SRS0+HHHH=TT=example.com=ann@relay.example", ("ann@example.com",)), ("srs0-HHHH=TT=example.com=ann@relay.example", ("ann@example.com",)),
        ("SRS1=HH=f.example==HHHH=TT=example.com=ann@r.example", ("ann@example.com",)), ("ann%example@relay.example", ()),
        ("mail.example!ann@relay.example", ("ann@mail.example",)), ("mail!ann@relay.example", ()), ("a+2Bb+2Bc@x.example", ("a+b+c@x.example",)),
        ("a+2bb@x.example", ()), ("a+40b@x.example", ()), (r"\x{00E9}@x.example", ("é@x.example",)), (r"\x{D800}a@x.example", ()), (r"\x{D7FF}@x.example", ("\ud7ff@x.example",)),
        (r"\x{20}a@x.example", ()), (r"\x{21}a@x.example", ("!a@x.example",)), (r"\x{10FFFF}a@x.example", ()), (r"\x{110000}a@x.example", ()),
        ("IMCEASMTP-ann+40x+2Eexample@y.example", ("ann@x.example",)), ("IMCEASMTP-ann@y.example", ()),
    ],
)  # fmt: skip
def test_every_form_that_stands_for_another(address: str, forms: tuple[str, ...]) -> None:
    assert forms_of(address) == forms


def test_so_many_signs_are_looked_at_and_places_do_not_overlap() -> None:
    assert PLACES == 2000
    many = " ".join(f"a{n}@b" for n in range(5))
    assert [place.address for place in places(many, 3)] == ["a0@b", "a1@b", "a2@b"]
    assert [(p.start, p.end, p.address) for p in places("x a@b, c@d@e y")] == [
        (2, 5, "a@b"),
        (7, 10, ""),
        (10, 12, ""),
    ]
    assert list(places("@ x")) == []
    assert without_addresses("x a@b y @ c@d@e", "#") == "x # y @ ##"
    assert "a@b" not in repr(Place(0, 3, "a@b"))
