"""Identities never change, and no two things share one."""

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from exstream_notify.domain.identity import address_hash, job_id, mask, notice_id

_NAME = st.text(st.sampled_from("ab|:/# \0é"), max_size=6)
_FIELDS = st.tuples(_NAME, _NAME, _NAME, _NAME, _NAME, _NAME)


def identity(fields: Sequence[str]) -> str:
    """The id of a notice made of six fields."""
    domain, customer, document, edition, purpose, audience = fields
    return notice_id(domain, customer, document, edition=edition, purpose=purpose, audience=audience)


def test_identities_are_as_they_ever_were() -> None:
    """A changed one would notify everybody again: these never change."""
    assert notice_id("retail", "C0001", "D0001") == "3933f771a1e5519e9f810bbee465d59d"
    assert job_id("retail/run-1", 0, "documents/email", ["a:1:0"]) == "bda70f9dd3e7b4f9aa2af5eb"
    assert address_hash(b"pepper", "email", "c0001@example.com") == "85a772849bb2c7025a5da7e676f4ddf5"


def test_every_part_of_an_identity_tells_notices_apart() -> None:
    plain = {"domain": "retail", "customer_key": "C1", "document_id": "77"}
    others = ("recipient", "document_type", "edition", "purpose", "audience")
    found = {notice_id(**plain)} | {notice_id(**plain, **{name: "x"}) for name in others}
    assert len(found) == 6


def test_a_notice_id_is_128_bits_in_hexadecimal() -> None:
    found = notice_id("retail", "C0001", "D0001")

    assert len(found) == 32
    assert len(bytes.fromhex(found)) == 16
    assert len(job_id("retail/run-1", 0, "g", [])) == 24


@given(_FIELDS, _FIELDS)
def test_no_two_notices_share_an_identity(one: tuple[str, ...], other: tuple[str, ...]) -> None:
    assume(one != other)

    assert identity(one) != identity(other)


@given(st.text(max_size=8), st.integers(0, 8))
def test_text_cannot_move_over_a_field_boundary(text: str, cut: int) -> None:
    cut = min(cut, len(text))
    left, right = text[:cut], text[cut:]
    assume(right)

    assert notice_id("d", left, right) != notice_id("d", text, "")
    assert notice_id("d" + left, right, "x") != notice_id("d", text, "x") or not left


@given(st.lists(_NAME, max_size=5), st.lists(_NAME, max_size=5))
def test_the_same_members_give_the_same_job_and_others_another(one: list[str], other: list[str]) -> None:
    assert (job_id("r", 1, "g", one) == job_id("r", 1, "g", other)) is (one == other)


@pytest.mark.parametrize("change", [{"run": "x"}, {"slice_number": 2}, {"group": "x"}, {"members": ["y"]}])
def test_a_job_is_of_its_run_slice_group_and_members(change: dict[str, Any]) -> None:
    arguments: dict[str, Any] = {"run": "r", "slice_number": 1, "group": "g", "members": ["x"]}

    assert job_id(**arguments) != job_id(**{**arguments, **change})


def test_an_address_hash_is_of_pepper_channel_and_address() -> None:
    found = {
        address_hash(pepper, channel, value)
        for pepper in (b"one", b"two")
        for channel in ("email", "sms")
        for value in ("a", "b")
    }

    assert len(found) == 8
    assert all("a@" not in h and len(h) == 32 for h in found)


@pytest.mark.parametrize(
    ("value", "shown"), [("", "…"), ("1234", "…"), ("12345", "…45"), ("c0001@example.com", "…om")]
)
def test_a_mask_shows_two_characters_at_most(value: str, shown: str) -> None:
    assert mask(value) == shown
