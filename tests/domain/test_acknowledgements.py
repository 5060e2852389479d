"""What an acknowledgement counts for: each way in which it names too little, the wrong one, or another version."""

from dataclasses import replace
from typing import Any

import pytest

from exstream_notify.domain.acknowledgements import Named, early_ones_reported, named_by, of_version
from exstream_notify.domain.exceptions import ExceptionRaised
from exstream_notify.domain.responses import EarlyResponse, ResponseEvent, document_subject
from exstream_notify.domain.versions import is_version
from exstream_notify.domain.work import SlicePointer
from tests.fakes import a_document, a_notice

SAID = ResponseEvent("acknowledged", "retail", "C0001", "D0001")
MINE = a_notice()
TEAM = a_notice(notice_id="b" * 32, purpose="step:x:1")
OTHER = a_notice(notice_id="c" * 32, customer_key="C0002")
ANN, BEN = (a_notice(notice_id=r * 32, recipient=r) for r in ("a", "b"))


@pytest.mark.parametrize(
    ("said", "found", "named"),
    [
        ({}, [MINE, TEAM], Named((MINE, TEAM))),
        ({}, [], Named()),  # its notice may still come
        ({}, [OTHER, MINE], Named((MINE,))),
        ({}, [OTHER], Named(fault="the document is another customer's")),
        ({}, [OTHER, replace(OTHER, customer_key="C0003")], Named()),
        ({"document_id": ""}, [MINE], Named(fault="it names no document")),
        ({"customer_key": ""}, [MINE, TEAM], Named((MINE, TEAM))),
        (
            {"customer_key": ""},
            [],
            Named(fault="it names no customer, and nobody is known to have the document"),
        ),
        (
            {"customer_key": ""},
            [MINE, OTHER],
            Named(fault="it names no customer, and several have the document"),
        ),
        ({"recipient": "a"}, [ANN, BEN], Named((ANN,))),
        ({"recipient": "x"}, [ANN, BEN], Named()),
        ({"recipient": "a"}, [MINE], Named()),
        ({}, [ANN], Named((ANN,))),
        ({}, [ANN, BEN], Named(fault="it names none of several recipients")),
        ({}, [ANN, MINE], Named((MINE,))),
    ],
)
def test_which_notices_an_acknowledgement_names(said: dict[str, Any], found: list[Any], named: Named) -> None:
    assert named_by(replace(SAID, **said), iter(found)) == named


FIRST = a_document(1, document_version="1", content_sha256="ab" * 32)


@pytest.mark.parametrize(
    ("versions", "mine", "document", "named"),
    [
        ((), [MINE, TEAM], FIRST, Named((MINE, TEAM))),
        (
            (),
            [MINE, a_notice(notice_id="d" * 32)],
            FIRST,
            Named(fault="it names no version, and the document has several"),
        ),
        (("1",), [MINE], FIRST, Named((MINE,))),
        (("2",), [MINE], FIRST, Named(fault="it names another version")),
        (("1",), [MINE], None, Named(fault="its record is not stored any more")),
    ],
)
def test_of_which_version_it_is(
    versions: tuple[str, ...], mine: list[Any], document: Any, named: Named
) -> None:
    documents = {MINE.origin: document}
    assert of_version(replace(SAID, versions=versions), mine, documents) == named


def test_of_several_notices_those_of_the_version_count() -> None:
    later = a_notice(notice_id="d" * 32, origin=replace(MINE.origin, position=2))
    documents = {MINE.origin: FIRST, later.origin: replace(FIRST, document_version="2")}
    assert of_version(replace(SAID, versions=("2",)), [MINE, later], documents) == Named((later,))
    gone = {MINE.origin: FIRST, later.origin: None}
    assert of_version(replace(SAID, versions=("2",)), [MINE, later], gone) == Named(
        fault="its record is not stored any more"
    )


@pytest.mark.parametrize(
    ("versions", "has"),
    [
        ((), True),
        (("1",), True),
        ((" 1 ",), True),
        (("v1",), False),
        (("1", "ab" * 32), True),
        (("1", "2"), False),
        (("SHA256:" + "AB" * 32,), True),
        (("ab" * 6,), True),  # twelve characters of it
        (("ab" * 5 + "a",), False),
        (("ab" * 6 + "x",), False),
        (("b" + "ab" * 6,), False),
        (("",), False),
    ],
)
def test_a_version_is_a_number_or_a_hash(versions: tuple[str, ...], has: bool) -> None:
    assert is_version(FIRST, versions) is has


def test_a_record_that_states_no_version_has_none() -> None:
    assert not is_version(a_document(1), ("1",))
    assert not is_version(None, ())
    assert is_version(a_document(1), ())
    assert not is_version(a_document(1, document_version="--"), ("--",))


def test_early_ones_of_another_version_are_reported_by_record() -> None:
    pointer = SlicePointer("retail", "run-1", 7, "p", 0, 1, 4, 1)
    documents = [
        (n, a_document(n, document_version="1", customer_in_run=number))
        for n, number in ((1, 11), (2, None), (3, 13), (4, 14), (5, 15))
    ]
    subjects = {n: document_subject(document) for n, document in documents}

    def early(number: int, **changes: Any) -> EarlyResponse:
        values = {"customer_key": f"C{number:04}", "document_id": f"D{number:04}", "versions": ("2",)}
        return EarlyResponse("acknowledged", "", "2026-11-20", **{**values, **changes})

    kept = {
        subjects[1]: early(1),
        subjects[2]: early(2),
        subjects[3]: early(3, versions=("1",)),
        subjects[4]: replace(early(4), kind="responded"),
        subjects[5]: early(5, document_id="D0009"),
    }
    assert early_ones_reported(pointer, documents, kept) == [
        ExceptionRaised(
            "acknowledgement_unassigned",
            "warning",
            "retail",
            "run-1",
            "acknowledgements that came before their documents count for none: they name another version",
            part="slice 7",
            count=2,
            customers_in_run=(11,),
        )
    ]
    assert early_ones_reported(pointer, documents[2:], kept) == []
