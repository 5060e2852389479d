"""Tries, early responses and what is found by document and case, on DynamoDB; presigned addresses."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from moto import mock_aws

from exstream_notify.adapters.bootstrap import Bootstrap
from exstream_notify.adapters.dynamodb.ledger import DynamoLedger
from exstream_notify.adapters.dynamodb.responses import (
    EARLY_PAYMENTS,
    DynamoEarlyResponses,
    DynamoTries,
)
from exstream_notify.adapters.rules import YamlRules
from exstream_notify.adapters.run_documents import OwnFiles
from exstream_notify.adapters.s3 import S3Documents
from exstream_notify.adapters.settings import Settings
from exstream_notify.domain.erased import Person
from exstream_notify.domain.links import LinkState, Look
from exstream_notify.domain.notices import Status, happened, opened
from exstream_notify.domain.payments import Debt
from exstream_notify.domain.responses import (
    EarlyPayment,
    EarlyResponse,
    ResponseEvent,
    customer_subject,
    revoked,
    shared_payment,
)
from exstream_notify.domain.values import ValueRefused
from tests.fakes import a_notice

from .conftest import Tables

NOW = datetime(2026, 11, 20, 15, tzinfo=UTC)


def test_tries_at_the_same_time_all_count(tables: Tables) -> None:
    tries = DynamoTries(tables.client, tables.notices, lambda: NOW)
    # moto lets writes at the same time overtake each other, which DynamoDB does not.
    at_once = 1 if "amazonaws" in tables.client.meta.endpoint_url else 8
    with ThreadPoolExecutor(at_once) as workers:
        found = list(workers.map(lambda _: tries.count(["tries:n", "tries:customer:c"]), range(20)))

    for counts in zip(*found, strict=True):
        assert sorted(counts) == list(range(1, 21))
    assert tries.highest(["tries:n", "tries:none"]) == 20
    tries.clear(["tries:n", "tries:customer:c"])
    assert tries.highest(["tries:n", "tries:customer:c"]) == 0


def test_early_responses_are_kept_by_subject(tables: Tables) -> None:
    early = DynamoEarlyResponses(tables.client, tables.notices)
    paid = EarlyResponse("paid", "10.00", "2026-11-20T15:00:00Z", "C1", "D1")
    early.keep("retail", "K-1", paid, NOW + timedelta(days=90))

    versions = ("2026-11", "ab" * 32)
    read = EarlyResponse("acknowledged", "", "2026-11-20T15:00:00Z", "C1", "D1", versions=versions)
    early.keep("retail", "document#D9", read, NOW + timedelta(days=90))

    assert early.on("retail", ["K-1", "K-2", "document#D9"]) == {"K-1": paid, "document#D9": read}
    assert early.on("claims", ["K-1"]) == {}


def test_early_payments_add_up_on_their_subject_and_each_once(tables: Tables) -> None:
    early, until = DynamoEarlyResponses(tables.client, tables.notices), NOW + timedelta(days=90)

    def payment(number: int, of: str = "") -> EarlyPayment:
        event = ResponseEvent("paid", "retail", amount="5.00", payment_id=f"P-{number}", reversal_of=of)
        return EarlyPayment(event.fact, "2026-11-20T15:00:00Z", "C1", "D1")

    kept = [payment(1), payment(2), payment(1), payment(3, of="P-2")]
    assert all(early.keep_payment("retail", "document#D1", one, until) for one in kept)
    found = early.on("retail", ["document#D1"])["document#D1"]
    assert (found.kind, found.at) == ("paid", "")
    assert set(found.payments) == set(kept)

    answered = EarlyResponse("responded", "by portal", "2026-11-20T16:00:00Z", "C1", "D1")
    early.keep("retail", "document#D1", answered, until)  # the payments stay beside it
    assert early.on("retail", ["document#D1"]) == {"document#D1": replace(answered, payments=found.payments)}

    for number in range(EARLY_PAYMENTS):
        early.keep_payment("retail", "document#D2", payment(number), until)
    assert not early.keep_payment("retail", "document#D2", payment(999), until)
    assert len(early.on("retail", ["document#D2"])["document#D2"].payments) == EARLY_PAYMENTS


def test_shared_payments_and_the_documents_that_came_after_them_are_kept_in_order(tables: Tables) -> None:
    early, until = DynamoEarlyResponses(tables.client, tables.notices), NOW + timedelta(days=400)
    subject = customer_subject("C9")
    event = ResponseEvent("paid", "retail", "C9", amount="5.00", currency="USD", payment_id="P-1")
    paid = shared_payment(event, "C9", NOW)
    early.keep_payment("retail", subject, paid, until)
    first = Debt("document D1", None, "USD", "", NOW, "2026-11-20T15:00:00Z", seen=("a", "b"))
    parts = (("a", "5.00", "USD"),)
    second = replace(first, key="case K", left=Decimal("10.50"), due_date="2026-12-01", any_payment=True)
    for debt in (first, second, replace(first, parts=parts)):
        early.register("retail", subject, debt)

    found = early.on("retail", [subject])[subject]
    assert found.payments == (paid,)
    assert found.debts == (first, second, replace(first, parts=parts))


def test_what_came_early_is_found_by_its_customer_and_forgotten_without_another_s(tables: Tables) -> None:
    early, until = DynamoEarlyResponses(tables.client, tables.notices), NOW + timedelta(days=90)

    def payment(customer: str) -> EarlyPayment:
        event = ResponseEvent("paid", "retail", amount="5.00", payment_id=f"P-{customer}")
        return EarlyPayment(event.fact, "2026-11-20T15:00:00Z", customer, "DE")

    signed = EarlyResponse("acknowledged", "by Ann", "2026-11-20T15:00:00Z", "E1", "DE")
    early.keep("retail", "mine", signed, until)
    early.keep("retail", "holder", replace(signed, recipient="B"), until)
    early.keep("retail", "later", replace(signed, at="2026-11-22T15:00:00Z"), until)
    early.keep("retail", "replaced", replace(signed, kind="superseded", detail=""), until)
    early.keep("retail", "nobody", replace(signed, customer_key=""), until)
    for customer in ("E2", "E1"):
        early.keep_payment("retail", "case", payment(customer), until)
    assert sorted(early.of_customer("retail", "E1")) == [
        f"early:retail#{name}" for name in ("case", "holder", "later", "mine", "replaced")
    ]
    for _ in range(2):  # it can be repeated
        early.forget(Person("retail", "E1", before="2026-11-21T00:00:00+00:00"))
    left = early.on("retail", ["mine", "holder", "later", "replaced", "nobody", "case"])
    assert sorted(left) == ["case", "holder", "later", "nobody", "replaced"]
    assert [paid.customer_key for paid in left["case"].payments] == ["E2"]


def test_debts_of_one_customer_are_forgotten_and_those_registered_meanwhile_stay(tables: Tables) -> None:
    early, until = DynamoEarlyResponses(tables.client, tables.notices), NOW + timedelta(days=90)
    event = ResponseEvent("paid", "retail", amount="5.00", payment_id="P-F2")
    of_another = EarlyPayment(event.fact, "2026-11-20T15:00:00Z", "F2", "DF")
    early.keep_payment("retail", "shared", of_another, until)
    mine = Debt("document D1", Decimal("5.00"), "USD", "", NOW)
    other, late = replace(mine, key="document D2"), replace(mine, key="document D3")
    for debt in (mine, other):
        early.register("retail", "shared", debt)
    coming = [late]

    def is_mine(debt: Debt) -> bool:
        while coming:
            early.register("retail", "shared", coming.pop())
        return debt.key == mine.key

    changed = [early.forget(Person("retail", "F1"), ["shared"], is_debt=is_mine) for _ in range(2)]
    assert changed == [1, 0]
    left = early.on("retail", ["shared"])["shared"]
    assert left.debts == (other, late)
    assert left.payments == (of_another,)


def test_a_notice_is_found_by_its_document_and_its_case(tables: Tables) -> None:
    ledger = DynamoLedger(tables.client, tables.notices)
    mine = opened(
        a_notice(notice_id="a1" * 16, document_id="DX", case_id="KX", audience="customer"), NOW, "x"
    )
    copy = replace(mine, notice_id="a2" * 16, audience="team:claims")
    ledger.put([mine, copy])

    assert ledger.of_document("retail", "DX") == [mine]
    assert ledger.of_case("retail", "KX") == [mine, copy]
    ended = revoked(mine, "sent to the wrong customer", NOW)
    assert ledger.put([ended]) == {}
    assert ledger.get([mine.notice_id])[mine.notice_id] == ended


def test_what_ends_on_paper_is_found_by_its_run_until_it_does_not(tables: Tables) -> None:
    ledger = DynamoLedger(tables.client, tables.notices)
    letters = [
        opened(a_notice(notice_id=f"{n:08x}" * 4, audience="customer", status=Status.PAPER), NOW, "paper")
        for n in range(40)
    ]
    letters = [replace(n, origin=replace(n.origin, run="retail/on-paper")) for n in letters]
    copy = replace(letters[0], notice_id="c1" * 16, audience="team:claims")
    ledger.put([*letters, copy])
    ids = {letter.notice_id for letter in letters}

    assert {n.notice_id for n in ledger.on_paper("retail/on-paper")} == ids
    assert ledger.on_paper("retail/on-pape") == []
    sent = happened(letters[0], NOW, "sent", status=Status.SENT)
    assert ledger.put([sent]) == {}
    assert {n.notice_id for n in ledger.on_paper("retail/on-paper")} == ids - {sent.notice_id}


@pytest.fixture
def documents(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Documents]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with mock_aws():
        client = Bootstrap(Settings.from_environment({})).client("s3")
        client.create_bucket(Bucket="drops")
        own = ("_COMPLETE.json", "b.index.csv", "ExstreamMessages.dat", "_STDDELIVERYFILE.xml", "out/_x.pdf")
        for name in ("out/D1.pdf", "out/page.html", "out/strange", *own):
            client.put_object(Bucket="drops", Key=f"drop/retail/run-1/{name}", Body=b"x")
        client.put_object(Bucket="drops", Key="drop/retail/run-2/D2.pdf", Body=b"x")
        yield S3Documents(client, "drops", OwnFiles(lambda: YamlRules().messages))


@pytest.mark.parametrize(
    ("path", "disposition"),
    [
        ("out/D1.pdf", 'inline; filename="statement-x.pdf"'),
        ("out/page.html", 'attachment; filename="statement-x.html"'),
        ("out/strange", 'attachment; filename="statement-x"'),
    ],
)
def test_an_address_lives_for_a_minute_and_shows_only_what_runs_nothing(
    documents: S3Documents, path: str, disposition: str
) -> None:
    address = documents.address("retail/run-1", path, 'statement"\r\nx', inline=True, language="en")
    assert address is not None
    query = parse_qs(urlsplit(address).query)

    assert unquote(urlsplit(address).path).endswith(f"drop/retail/run-1/{path}")
    assert query["X-Amz-Expires"] == ["60"]
    assert query["X-Amz-Algorithm"] == ["AWS4-HMAC-SHA256"]
    assert query["response-content-disposition"] == [disposition]
    assert query["response-cache-control"] == ["no-store"]
    assert address.startswith(documents.origin + "/")


def test_what_is_not_in_the_runs_folder_has_no_address(documents: S3Documents) -> None:
    assert documents.address("retail/run-1", "D2.pdf", "x", inline=True, language="en") is None
    with pytest.raises(ValueRefused):
        documents.address("retail/run-1", "../run-2/D2.pdf", "x", inline=True, language="en")


@pytest.mark.parametrize(
    "path",
    [
        "_COMPLETE.json", "b.index.csv", "ExstreamMessages.dat", "_STDDELIVERYFILE.xml", "out/_x.pdf",
        "./_COMPLETE.json", "B.INDEX.CSV", "%5fCOMPLETE.json", "out\\_x.pdf",
    ],
)  # fmt: skip
def test_a_runs_own_files_have_no_address_although_they_are_there(documents: S3Documents, path: str) -> None:
    with pytest.raises(ValueRefused, match="names a file of the run itself"):
        documents.address("retail/run-1", path, "x", inline=False, language="en")


#: A region, the suffix of its partition's hosts.
REGIONS = {
    "us-east-1": "amazonaws.com",
    "eu-central-1": "amazonaws.com",
    "eu-south-2": "amazonaws.com",  # opened in 2022: the global host does not serve it
    "il-central-1": "amazonaws.com",
    "us-gov-west-1": "amazonaws.com",
    "cn-north-1": "amazonaws.com.cn",
}


@pytest.mark.parametrize("region", REGIONS)
def test_an_address_names_the_buckets_host_in_its_own_region_and_the_page_may_lead_there(
    region: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", region)
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    host = f"drops-{region}.s3.{region}.{REGIONS[region]}"
    with mock_aws():
        app = Bootstrap(Settings.from_environment({"DROP_BUCKET": f"drops-{region}", "SITE_DIR": "none"}))
        place = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        app.client("s3").create_bucket(Bucket=f"drops-{region}", **place)
        app.client("s3").put_object(Bucket=f"drops-{region}", Key="drop/retail/run-1/D1.pdf", Body=b"x")
        address = app.documents.address("retail/run-1", "D1.pdf", "x", inline=True, language="en")
        page = app.link_pages.answer(Look(LinkState.READY, None, None, None, ("en",), None), "en")

    assert address is not None
    assert (urlsplit(address).scheme, urlsplit(address).netloc) == ("https", host)
    assert f"/{region}/s3/aws4_request" in parse_qs(urlsplit(address).query)["X-Amz-Credential"][0]
    policy = str(page.headers["Content-Security-Policy"])
    assert policy.rpartition("form-action ")[2] == f"'self' https://{host}"


def test_at_an_ip_address_the_bucket_is_in_the_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """The embedded cloud's."""
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:8140")
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")

    app = Bootstrap(Settings.from_environment({"DROP_BUCKET": "drops"}))

    assert app.documents.origin == "http://127.0.0.1:8140"
