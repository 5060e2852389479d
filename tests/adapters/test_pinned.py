"""Identities, tokens and seals as earlier releases stored and sent them: none may change its value.

A notice whose identity changed would be sent again, a link would open nothing, evidence could not be read.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from exstream_notify.adapters.encryption import EvidenceUnreadable, Sealer
from exstream_notify.domain import exceptions, identity, masking, passes, payments, references, second_step
from exstream_notify.domain.channels import alert_ref, fingerprint, team_mark
from exstream_notify.domain.form_tokens import make_form_token
from exstream_notify.domain.incidents import incident_id
from exstream_notify.domain.journeys import Cohort, Delay, JourneyRule, Step
from exstream_notify.domain.links import make_token
from exstream_notify.domain.notices import happened, head
from exstream_notify.domain.payments import Fact
from exstream_notify.domain.records import content_edition, content_identity
from exstream_notify.domain.responses import ResponseEvent
from exstream_notify.domain.runs import FoundFile, Seal, SealedFile, content_of
from exstream_notify.use_cases.change_preferences import _mac
from tests.fakes import a_document, a_notice

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)
NOTICE = "0123456789abcdef0123456789abcdef"
KEY = b"a key that never changes"


def paid(**changes: Any) -> ResponseEvent:
    values: dict[str, Any] = {
        "kind": "paid",
        "domain": "retail",
        "amount": "10.00",
        "currency": "USD",
        **changes,
    }
    return ResponseEvent(**values)


def event_chain() -> str:
    return head(happened(happened(a_notice(), NOW, "claimed", "1 email ses"), NOW, "sent", "1 m-1"))


PINNED: list[tuple[str, Callable[[], object], object]] = [
    ("notice", lambda: identity.notice_id("retail", "C0001", "D0001"), "3933f771a1e5519e9f810bbee465d59d"),
    (
        "notice with all",
        lambda: identity.notice_id(
            "retail",
            "C0001",
            "D0001",
            recipient="joint",
            document_type="statement",
            edition="e",
            purpose="step:x:1",
            audience="team:uw",
        ),
        "d5830db19bdf5c8393422941b21b0400",
    ),
    ("contact", lambda: identity.contact_key("C0001", "joint"), "C0001\x1fjoint"),
    ("contact alone", lambda: identity.contact_key("C0001", None), "C0001"),
    ("job", lambda: identity.job_id("retail/run-1", 3, "email", ["a", "b"]), "4d3c7e44f9006eb8b3e2872c"),
    (
        "address",
        lambda: identity.address_hash(KEY, "email", "anna@example.com"),
        "53c31286cff7c6d92b01b77b794daee3",
    ),
    (
        "mask",
        lambda: (identity.mask("+12025550142"), identity.mask("1234"), identity.mask("12345")),
        ("…42", "…", "…45"),
    ),
    ("incident", lambda: incident_id("retail", "run-1", "engine", "it"), "a162b3adbac80d90a682d90046f375c6"),
    ("handle", lambda: passes.handle_of("00" * 16), "48ce220eb28216ffa2e02469"),
    (
        "preferences",
        lambda: passes.preferences_id("00" * 16, date(2026, 11, 20)),
        "48ce220eb28216ffa2e02469000009d3",
    ),
    ("unsubscribe", lambda: passes.unsubscribe_id("00" * 16, "bills"), "48ce220eb28216ffa2e024695da06c96"),
    ("undo", lambda: passes.undo_id("00" * 16, "change-1"), "48ce220eb28216ffa2e02469f7b473d6"),
    ("link", lambda: make_token(NOTICE, 1, KEY), "ASNFZ4mrze8BI0VniavN7wGfGbFg1A"),
    ("incident link", lambda: make_token(NOTICE, 2, KEY, "incident"), "ASNFZ4mrze8BI0VniavN7wL6NIYBkA"),
    (
        "mail reference",
        lambda: references.made(NOTICE, 258, 1, KEY),
        "nraerukz4jvpg66ajdivtytk6n54aqeams2gftra3mgrva",
    ),
    ("form", lambda: make_form_token(KEY, "page", 7, NOW), "1795186800.7.3ef11c689f01b7ab274ee2b6fc000c1d"),
    ("code", lambda: _mac(KEY, "change-1", "123456"), "d1a1db4cde9c0d01b17ae48294bdcb91"),
    ("event chain", event_chain, "1dcbabcb17ad8f9323f6a1da"),
    ("payment", lambda: payments.hashed("payment", "p-1"), "426e57d09bce34b6"),
    (
        "payment by its id",
        lambda: paid(payment_id="p-1", event_id="e-1").fact,
        Fact(
            kind="payment",
            key="426e57d09bce34b6",
            of="",
            amount="10.00",
            currency="USD",
            loose=False,
            shared=False,
        ),
    ),
    (
        "payment by its event",
        lambda: paid(event_id="e-1").fact,
        Fact(
            kind="payment",
            key="fe2b8584895e78c5",
            of="",
            amount="10.00",
            currency="USD",
            loose=False,
            shared=False,
        ),
    ),
    (
        "payment by what it says",
        lambda: paid(said="wire", by="bank", at="2026").fact,
        Fact(
            kind="payment",
            key="bc4c99dc86c0f098",
            of="",
            amount="10.00",
            currency="USD",
            loose=False,
            shared=False,
        ),
    ),
    (
        "reversal of one",
        lambda: paid(reversal_of="p-1", event_id="e-2").fact,
        Fact(
            kind="reversal",
            key="dcf710fbf37e442b",
            of="426e57d09bce34b6",
            amount="10.00",
            currency="USD",
            loose=False,
            shared=False,
        ),
    ),
    (
        "reversal of all of one",
        lambda: paid(reversal_of="p-1", event_id="e-2", amount="").fact,
        Fact(
            kind="reversal",
            key="1d26c5044b98a19f",
            of="426e57d09bce34b6",
            amount="",
            currency="USD",
            loose=False,
            shared=False,
        ),
    ),
    (
        "reversal by amount",
        lambda: paid(amount="-10.00", event_id="e-3").fact,
        Fact(
            kind="reversal",
            key="4d419aae846d06c2",
            of="1e77367af592ff95",
            amount="10.00",
            currency="USD",
            loose=True,
            shared=False,
        ),
    ),
    (
        "second step",
        lambda: second_step.fingerprint("1", KEY, "retail", "C0001", "last4", "1809"),
        "1.8f6a2c0130bc388f72f03f56f8ff37ef",
    ),
    (
        "tries",
        lambda: second_step.Step("last4", "retail", "C0001", "n", "1.x").counted,
        ("tries:n", "tries:customer:cee05cc4a4fe8e9a96c55ef255424774"),
    ),
    (
        "content",
        lambda: content_identity({"customer_key": "C1", "document_type": "bill", "due_date": "x"}),
        "record-df1070387571dd22ada862ca36360288",
    ),
    (
        "edition",
        lambda: content_edition("AB" * 32),
        "content:abababababababababababababababababababababababababababababababab",
    ),
    ("name", lambda: masking.handle("run of Anna"), "272eb4dc"),
    ("mark", lambda: exceptions.mark("run of Anna"), "272eb4dc0de38fb1"),
    ("team", lambda: team_mark("operations"), "74de07c4"),
    (
        "alert",
        lambda: alert_ref(NOTICE, "operations", 3),
        "incident-0123456789abcdef0123456789abcdef-74de07c4:3",
    ),
    ("fingerprint", lambda: (fingerprint(" Ops@Example.com "), fingerprint("")), ("af3c8254", "")),
    ("journey", lambda: JourneyRule("dunning", ("bill",), (Step(Delay(days=7)),)).version, "998b9d0ccd14"),
    (
        "execution",
        lambda: Cohort("2026-11-27T15", "retail", "dunning äö/1", 2).execution(3),
        "2026-11-27T15-dunning----1-2-72aef0586ec3-3",
    ),
    ("debt of a case", lambda: payments.debt_key(a_document(1, case_id="K-1")), "case K-1"),
    ("debt", lambda: payments.debt_key(a_document(1, edition="e")), "document D0001\x1fe"),
    ("seal", lambda: SEAL.fingerprint, "507fe130281692e6dfdef1c33ec74abc"),
    (
        "files",
        lambda: content_of([FoundFile("b", 2, "e", "cd"), FoundFile("a", 1, "e", "ab")]),
        "26f96edff7a7f2b47778c3d8e8741334",
    ),
]
SEAL = Seal(
    "run-1",
    "retail",
    (SealedFile("b", 2, "cd", 1), SealedFile("a", 1, "ab", None)),
    customers_expected=3,
    customers_processed=2,
    documents=4,
)


@pytest.mark.parametrize(("name", "made", "expected"), PINNED, ids=[row[0] for row in PINNED])
def test_it_is_what_it_always_was(name: str, made: Callable[[], object], expected: object) -> None:
    assert made() == expected


# --- evidence ----------------------------------------------------------------------------------------------


def sealer(version: str = "2") -> Sealer:
    masters = {"1": b"an older master secret", "2": b"a master secret of evidence"}
    return Sealer(lambda: (version, masters), lambda: b"a nonce of twelve and more")


def test_evidence_that_was_sealed_before_opens_and_only_with_its_own_salt_and_attempt() -> None:
    sealed = "2.YSBub25jZSBvZiB04e5umAfyhMbQOd5443Ha5VcD8FP43hKreuK3EYQ="
    assert sealer().seal("salt", "n:1", b"what was said") == sealed
    assert sealer("1").open("salt", "n:1", sealed) == b"what was said"
    older = sealer("1").seal("salt", "n:1", b"what was said")
    assert older.startswith("1.")
    assert sealer().open("salt", "n:1", older) == b"what was said"
    for salt, ref, text in (
        ("other", "n:1", sealed),
        ("salt", "n:2", sealed),
        ("salt", "n:1", "3" + sealed[1:]),
        ("salt", "n:1", sealed[:-4] + "AAAA"),
    ):
        with pytest.raises(EvidenceUnreadable, match=f"evidence of {ref} does not open"):
            sealer().open(salt, ref, text)
