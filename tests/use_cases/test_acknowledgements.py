"""An acknowledgement counts for the document, the customer and the version that it names, and for nothing else."""

from typing import Any

import pytest

from exstream_notify.domain.documents import Document
from exstream_notify.domain.exceptions import mark
from tests.fakes import a_document
from tests.scenarios.shipped import shipped
from tests.use_cases.world import World

HASH, OTHER = "ab" * 32, "cd" * 32


def a_policy(number: int = 1, **changes: Any) -> Document:
    return a_document(
        number, **{"document_type": "policy-document", "requires_ack": True, "country": "US", **changes}
    )


def told(*documents: Document) -> World:
    world = shipped()
    world.drop("run-1", *documents)
    world.drain()
    return world


def acknowledged(world: World) -> list[tuple[str, str]]:
    """Customer and document of every notice that has the acknowledgement."""
    return sorted(
        (n.customer_key, n.document_id)
        for n in world.ledger.notices.values()
        if "acknowledged" in n.responses and n.purpose == "notice"
    )


def proofs(world: World) -> list[dict[str, Any]]:
    return [dict(row.body) for row in world.evidence.lines.values() if row.ref.endswith(":acknowledged")]


def reported(world: World) -> list[str]:
    return [e.text for e in world.exceptions.raised if e.code == "acknowledgement_unassigned"]


@pytest.mark.parametrize(
    ("about", "fault"),
    [
        ({"document_id": "T"}, "no customer, and several"),
        ({"customer_key": "C0001"}, "no document"),
        ({"customer_key": "C0003"}, "no document"),  # one document waits for one: nothing is assumed
        ({"case_id": "K-1"}, "no document"),
        ({"case_id": "K-1", "customer_key": "C0003"}, "no document"),
        ({"document_id": "unknown"}, "nobody is known"),
        ({"document_id": "D0003", "customer_key": "C0001"}, "another customer's"),
        ({"document_id": "D0003", "customer_key": "C0003", "versions": (OTHER,)}, "another version"),
        ({"document_id": "D0003", "customer_key": "C0003", "versions": ("2026-10",)}, "another version"),
        (
            {"document_id": "D0003", "customer_key": "C0003", "versions": ("2026-11", OTHER)},
            "another version",
        ),
        ({"document_id": "T", "customer_key": "C0001", "versions": ("2026-11",)}, "another version"),
    ],
)
def test_what_leaves_in_doubt_what_it_is_about_counts_for_none_and_is_reported(
    about: dict[str, Any], fault: str
) -> None:
    world = told(
        a_policy(1, document_id="T"),
        a_policy(2, document_id="T"),
        a_policy(3, case_id="K-1", content_sha256=HASH, document_version="2026-11"),
    )
    assert world.respond("acknowledged", **about) == {"unassigned": 1}
    assert acknowledged(world) == []
    assert proofs(world) == []
    (text,) = reported(world)
    assert fault in text
    assert not world.early_responses.kept


@pytest.mark.parametrize(
    "about",
    [
        {"document_id": "D0001"},
        {"document_id": "D0001", "customer_key": "C0001"},
        {"document_id": "D0001", "versions": (HASH,)},
        {"document_id": "D0001", "versions": (f"sha256:{HASH.upper()}",)},
        {"document_id": "D0001", "versions": (HASH[:12],)},
        {"document_id": "D0001", "versions": ("V. 2026_11",)},
        {"document_id": "D0001", "versions": ("v 2026-11", HASH)},
    ],
)
def test_what_names_one_document_counts_for_it_and_is_proved(about: dict[str, Any]) -> None:
    world = told(a_policy(1, content_sha256=HASH, document_version="v-2026-11"), a_policy(2))
    assert world.respond("acknowledged", **about) == {"recorded": 1}
    assert world.respond("acknowledged", **about) == {"known": 1}
    assert acknowledged(world) == [("C0001", "D0001")]
    (line,) = proofs(world)
    assert line["acknowledged_by"] == ""  # nobody said who
    assert (line["content_sha256"], line["document_version"]) == (HASH, "v-2026-11")
    assert line["versions"] == list(about.get("versions", ()))
    assert reported(world) == []


def test_of_a_document_of_several_customers_it_is_the_one_that_is_named() -> None:
    world = told(a_policy(1, document_id="T"), a_policy(2, document_id="T"))
    assert world.respond("acknowledged", document_id="T", customer_key="C0002", by="Ann") == {"recorded": 1}
    assert acknowledged(world) == [("C0002", "T")]
    assert [line["acknowledged_by"] for line in proofs(world)] == ["Ann"]
    # A third customer may well have acknowledged it before the notice: it is a document of many.
    assert world.respond("acknowledged", document_id="T", customer_key="C0003") == {"early": 1}
    world.drop("run-2", a_policy(3, document_id="T"), a_policy(4, document_id="T"))
    world.drain()
    assert world.outcomes("run-2") == {"notified": 1, "suppressed": 1}


def test_by_another_customer_it_is_never_kept_for_somebody_else() -> None:
    world = told(a_policy(1))
    assert world.respond("acknowledged", document_id="D0001", customer_key="C0002") == {"unassigned": 1}
    world.drop("run-2", a_policy(2, document_id="D0001"))
    world.drain()
    assert world.outcomes("run-2") == {"notified": 1}


@pytest.mark.parametrize(
    ("versions", "outcome"), [((), "suppressed"), ((HASH,), "suppressed"), ((OTHER,), "notified")]
)
def test_before_its_notice_the_version_must_match_too(versions: tuple[str, ...], outcome: str) -> None:
    world = shipped()
    about: dict[str, Any] = {"document_id": "D0001", "customer_key": "C0001", "versions": versions}
    assert world.respond("acknowledged", **about) == {"early": 1}
    world.drop("run-1", a_policy(content_sha256=HASH))
    world.drain()
    assert world.outcomes("run-1") == {outcome: 1}
    assert len(reported(world)) == (outcome == "notified")


def test_one_of_several_recipients_has_to_be_named() -> None:
    world = told(a_policy(document_id="J", recipient="A"), a_policy(document_id="J", recipient="B"))
    assert world.respond("acknowledged", document_id="J", customer_key="C0001") == {"unassigned": 1}
    assert world.respond("acknowledged", document_id="J", customer_key="C0001", recipient="B") == {
        "recorded": 1
    }
    assert [n.recipient for n in world.ledger.notices.values() if "acknowledged" in n.responses] == ["B"]


def test_of_several_editions_the_version_says_which() -> None:
    world = told(a_policy(edition="one", content_sha256=HASH))
    world.drop("run-2", a_policy(edition="two", content_sha256=OTHER))
    world.drain()
    assert world.respond("acknowledged", document_id="D0001", customer_key="C0001") == {"unassigned": 1}
    about: dict[str, Any] = {"document_id": "D0001", "customer_key": "C0001", "versions": (OTHER,)}
    assert world.respond("acknowledged", **about) == {"recorded": 1}
    (notice,) = [n for n in world.ledger.notices.values() if "acknowledged" in n.responses]
    assert notice.origin.run == "retail/run-2"


def test_a_version_of_a_record_that_is_gone_cannot_be_compared() -> None:
    world = told(a_policy(content_sha256=HASH))
    world.records.slices.clear()
    about: dict[str, Any] = {"document_id": "D0001", "customer_key": "C0001"}
    assert world.respond("acknowledged", **about, versions=(HASH,)) == {"unassigned": 1}
    assert "not stored any more" in reported(world)[0]
    assert world.respond("acknowledged", **about) == {"recorded": 1}


def test_the_reminders_of_an_unassigned_one_go_on_and_the_end_comes() -> None:
    world = told(a_policy(1, document_id="T"), a_policy(2, document_id="T"))
    world.respond("acknowledged", document_id="T")
    world.follow()
    assert len([n for n in world.ledger.notices.values() if n.status == "paper"]) == 2


def test_the_proof_says_who_acknowledged_what_and_when_and_the_notice_names_it() -> None:
    world = told(
        a_policy(1, content_sha256=HASH, document_version="2026-11"), a_policy(2, recipient="spouse")
    )
    world.clock.advance(minutes=1)
    now = world.clock.now().isoformat(timespec="milliseconds")
    about: dict[str, Any] = {
        "at": "2026-11-20T10:00:00+00:00",
        "by": "Ann",
        "said": "I agree",
    }
    assert world.respond("acknowledged", document_id="D0001", versions=("2026-11",), **about) == {
        "recorded": 1
    }
    assert world.respond("acknowledged", document_id="D0002") == {"recorded": 1}
    first, second = world.notice("D0001"), world.notice("D0002")
    proof, bare = (row for row in world.evidence.lines.values() if row.ref.endswith(":acknowledged"))
    assert proof.ref == f"{first.notice_id}:acknowledged"
    (contact,) = world.contacts.get("retail", ["C0001"]).values()
    assert (proof.salt, proof.at) == (contact.salt, now)
    assert proof.body == {
        "acknowledged_by": "Ann",
        "acknowledged_at": "2026-11-20T10:00:00+00:00",
        "recorded_at": now,
        "source": "portal",
        "said": "I agree",
        "versions": ["2026-11"],
        "document_id": "D0001",
        "document_type": "policy-document",
        "document_version": "2026-11",
        "content_sha256": HASH,
        "customer_key": "C0001",
        "notice_id": first.notice_id,
    }
    assert bare.body["acknowledged_at"] == now, "nobody said when"
    assert {
        bare.body[name] for name in ("document_version", "content_sha256", "said", "acknowledged_by")
    } == {""}
    assert bare.body["recipient"] == "spouse"
    assert [e.detail for e in first.events if e.what == "acknowledged"] == [
        f"by Ann, at 2026-11-20T10:00:00+00:00, I agree, portal, evidence ack-{first.notice_id}/{_write_of(world, proof)}#0"
    ]
    assert [e.detail for e in second.events if e.what == "acknowledged"] == [
        f"portal, evidence ack-{second.notice_id}/{_write_of(world, bare)}#0"
    ]


def _write_of(world: World, line: Any) -> str:
    (name,) = (name for name, row in world.evidence.lines.items() if row is line)
    return name.rpartition("/")[2].partition("#")[0]


def test_what_counts_for_none_is_reported_once_with_the_notices_of_its_document() -> None:
    world = told(a_policy(1, document_id="T"), a_policy(2, document_id="T"))
    notices = sorted(
        n.notice_id
        for n in world.ledger.notices.values()
        if (n.purpose, n.audience) == ("notice", "customer")
    )
    world.respond("acknowledged", document_id="T", event_id="e-1")
    world.respond("acknowledged", customer_key="C0001")
    world.respond("acknowledged", customer_key="C0001", at="2026-11-20T10:00:00+00:00")
    world.respond("acknowledged", case_id="C0001")
    raised = [e for e in world.exceptions.raised if e.code == "acknowledgement_unassigned"]
    assert [(e.severity, e.domain, e.run_id, e.count) for e in raised] == [
        ("warning", "retail", "none", 1)
    ] * 4
    assert all(e.text.startswith("an acknowledgement counts for no document: it names no ") for e in raised)
    assert [e.detail for e in raised] == [{"notices": " ".join(notices)}, {}, {}, {}]
    assert raised[0].part == "event e-1"
    others = [e.part for e in raised[1:]]
    assert len(set(others)) == 3, "each is an acknowledgement of its own"
    assert others == [f"event {mark(' '.join(words))}" for words in (
        ("C0001", "", "", ""), ("C0001", "", "", "2026-11-20T10:00:00+00:00"), ("", "", "C0001", ""),
    )]  # fmt: skip
