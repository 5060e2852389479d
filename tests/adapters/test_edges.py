"""What comes in at the edges: triggers, seals, secrets, time, settings."""

import io
import json
import time
from datetime import UTC, datetime
from typing import Any

import botocore.session
import pytest
from botocore.exceptions import ClientError
from botocore.stub import Stubber
from hypothesis import given
from hypothesis import strategies as st

from exstream_notify.adapters.account_statuses import status_change_of
from exstream_notify.adapters.clock import SystemClock
from exstream_notify.adapters.customer_events import portal_change_of, reply_of
from exstream_notify.adapters.index.schema import RecordSchema
from exstream_notify.adapters.responses import response_of
from exstream_notify.adapters.rules import YamlRules
from exstream_notify.adapters.seal import parse_seal
from exstream_notify.adapters.secrets import KEEP, Secret
from exstream_notify.adapters.settings import Settings, provider_choice
from exstream_notify.adapters.sqs import SqsQueue
from exstream_notify.adapters.staging import S3Staging
from exstream_notify.adapters.triggers import as_exception, document_of, event_body, exception_of, run_of
from exstream_notify.domain.exceptions import ExceptionRaised, Unusable
from exstream_notify.domain.preferences import Topic
from exstream_notify.domain.replies import meaning_of


@pytest.mark.parametrize(
    "detail",
    [
        {"domain": "retail", "customer_key": "", "document_id": "D1", "DOB": "1957-03-29"},
        {"expctr": {}, "exstreamJob": {}, "user": {"document_id": "D1", "verify_birth_date": "1957-03-29"}},
    ],
)
def test_an_event_that_is_rejected_is_kept_without_the_answers_to_a_second_step(detail: Any) -> None:
    class Bucket:
        kept = b""

        def put_object(self, *, Body: bytes, **_: Any) -> None:  # noqa: N803 - S3's name
            self.kept = Body

    bucket = Bucket()
    staging = S3Staging(bucket, "work", "drop", YamlRules())
    pointers, staged = staging.stage_record("retail", "event-1", "parts/x/", {"detail": detail})
    assert (pointers, sum(staged.rejected.values())) == ([], 1)
    kept = json.loads(bucket.kept)["raw"]
    assert "1957" not in kept
    assert "D1" in kept


@pytest.mark.parametrize(
    ("path", "rejected"),
    [
        ("output/q/D1.pdf", {}),
        ("_COMPLETE.json", {"output_uri: names a file of the run itself": 1}),
        ("output%5C_STDDELIVERYFILE.xml", {"output_uri: names a file of the run itself": 1}),
        ("x.INDEX.csv", {"output_uri: names a file of the run itself": 1}),
    ],
)
def test_an_events_document_may_come_later_but_is_not_one_of_a_runs_own_files(
    path: str, rejected: dict[str, int]
) -> None:
    class Bucket:
        def put_object(self, **_: Any) -> None:
            pass

    staging = S3Staging(Bucket(), "work", "drop", YamlRules())
    detail = {"domain": "retail", "customer_key": "C1", "document_type": "statement", "output_uri": path}
    _, staged = staging.stage_record("retail", "event-1", "parts/x/", {"detail": detail})
    assert staged.rejected == rejected


@pytest.mark.parametrize("body", ["STOP \ud83d", "Stop\udc4d", "STOP \U0001f621"])
def test_a_reply_with_half_a_character_is_understood_by_the_rest(body: str) -> None:
    inbound = {"originationNumber": "+12025550100", "messageBody": body, "inboundMessageId": "in-1"}
    reply = reply_of({"Message": json.dumps(inbound)})
    assert meaning_of(reply.text) == "stop"
    assert reply.text.encode()


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("exceptions.psv", True),
        ("a.exceptions.psv.gz", True),
        ("ErrorReport.csv", True),
        ("ExstreamReport.dat", True),
        ("x.index.txt", False),
        ("billing.psv", False),
    ],
)
def test_a_message_file_is_not_taken_for_a_misnamed_index(name: str, told: bool) -> None:
    assert S3Staging(None, "work", "drop", YamlRules()).is_message_file(name) is told


def test_output_in_queues_that_no_rule_maps_is_counted_but_for_the_one_that_prints() -> None:
    queues = ("Email_Statements", "Email_Statments", "PRINT", "Email_Statments")
    customers = "".join(
        f'<customer><key name="CISNumber">C{n}</key><queueName>{queue}</queueName></customer>'
        for n, queue in enumerate(queues)
    )
    manifest = f'<outputList customersProcessed="4">{customers}</outputList>'.encode()

    class Bucket:
        def put_object(self, **_: Any) -> None:
            pass

    class Folder:
        def open(self, name: str) -> io.BytesIO:
            return io.BytesIO(manifest)

    folder: Any = Folder()
    staging = S3Staging(Bucket(), "work", "drop", YamlRules())
    (staged,) = staging.stage(folder, "retail", "r1", "parts/x/", ["_STDDELIVERYFILE.xml"])
    assert (staged.composed, staged.unmapped) == (1, {"Email_Statments": 2})


def payment(**detail: Any) -> dict[str, Any]:
    """A "Payment Received" event."""
    about = {"domain": "retail", "customer_key": "C1", "document_id": "D1"}
    return {"id": "e1", "source": "billing", "detail-type": "Payment Received", "detail": {**about, **detail}}


@pytest.mark.parametrize(
    ("detail", "amount", "currency"),
    [
        ({"amount": "1,234.50", "currency": "usd"}, "1234.50", "USD"),
        ({"amount": 99.5}, "99.50", ""),
        ({"amount": 0, "currency": "EUR"}, "0", "EUR"),
        ({}, "", ""),
    ],
)
def test_a_payment_says_how_much(detail: dict[str, Any], amount: str, currency: str) -> None:
    event = response_of(payment(**detail), RecordSchema({}))
    assert (event.kind, event.amount, event.currency) == ("paid", amount, currency)


@pytest.mark.parametrize(
    ("detail", "place"), [({"amount": "a lot"}, "amount"), ({"amount": "5", "currency": "$"}, "currency")]
)
def test_a_payment_that_cannot_be_read_is_told_and_counts_as_none(detail: dict[str, Any], place: str) -> None:
    with pytest.raises(Unusable, match=f"event e1: {place}: "):
        response_of(payment(**detail), RecordSchema({}))


@pytest.mark.parametrize(
    "text",
    [
        '{"id": "e1", "detail-type": "Payment Received", "detail": {"domain": "retail", "customer_key": "C1", "customer_key": "C2"}}',
        '{"id": "e1", "detail-type": "Preferences Changed", "detail": {"domain": "retail", "customer_key": "C1", "customer_key": "C2"}}',
    ],
)
def test_an_event_that_names_two_customers_under_one_name_is_refused(text: str) -> None:
    body = event_body(text)
    with pytest.raises(Unusable, match="event e1: the name 'customer_key' stands twice in an object"):
        response_of(body, RecordSchema({}))
    with pytest.raises(Unusable, match="event e1: the name 'customer_key' stands twice in an object"):
        portal_change_of(body, [])


def changed(**detail: Any) -> dict[str, Any]:
    """A portal's event."""
    detail = {"domain": "retail", "customer_key": "C1", **detail}
    return {"id": "e1", "time": "2026-11-24T10:00:00Z", "detail": detail}


@pytest.mark.parametrize(
    ("at", "said"),
    [
        ("2026-11-24T09:00:00.250-01:00", "2026-11-24T10:00:00+00:00"),
        ("2026-11-24T09:59:59.250Z", "2026-11-24T09:59:59.250+00:00"),
        ("2030-01-01T00:00:00Z", "2026-11-24T10:00:00+00:00"),
        (None, "2026-11-24T10:00:00+00:00"),
    ],
)
def test_a_portal_s_word_is_never_later_than_its_event(at: str | None, said: str) -> None:
    """Else the same event would be newer each time that it comes."""
    assert portal_change_of(changed(at=at), []).at == said


@pytest.mark.parametrize(
    ("detail", "place"),
    [
        ({"at": "0001-01-01T00:00:00+14:00"}, "at"),
        ({"quiet_hours": ["09:00+02:00", "18:00"]}, "quiet_hours"),
        ({"quiet_hours": ["09:00Z", "18:00Z"]}, "quiet_hours"),
        ({"quiet_hours": ["09:00:10", "09:00:50"]}, "quiet_hours"),
        ({"quiet_hours": ["09:00"]}, "quiet_hours"),
    ],
)
def test_a_portal_s_time_that_no_decision_can_be_made_with_is_refused(
    detail: dict[str, Any], place: str
) -> None:
    with pytest.raises(Unusable, match=f"event e1: {place}: "):
        portal_change_of(changed(**detail), [])


def test_a_portal_gives_the_hours_back_with_an_empty_list() -> None:
    assert portal_change_of(changed(quiet_hours=[]), []).quiet_hours == ()
    assert portal_change_of(changed(quiet_hours=None), []).quiet_hours is None


def reversal(**detail: Any) -> dict[str, Any]:
    """A "Payment Reversed" event."""
    return {**payment(**detail), "detail-type": "Payment Reversed"}


@pytest.mark.parametrize(
    ("detail", "payment_id"),
    [
        ({"payment_id": "P-1"}, "P-1"),
        ({"PaymentId": "P-1"}, "P-1"),
        ({"payment-reference": "P-1"}, "P-1"),
        ({"transactionId": 4711}, "4711"),
        ({"TransactionReference": "T", "payment_id": "P-1"}, "P-1"),
        ({"payment_id": "", "transaction_id": "T"}, "T"),
        ({"payment_id": None}, ""),
        ({"payment_id": "N/A", "transaction_id": "NULL"}, ""),
        ({"payment_id": "000000", "transaction_id": "0-7"}, "0-7"),
        ({}, ""),
    ],
)
def test_a_payment_has_an_identity_under_the_names_that_systems_use(
    detail: dict[str, Any], payment_id: str
) -> None:
    event = response_of(payment(amount="5.00", **detail), RecordSchema({}))
    assert (event.payment_id, event.event_id, event.reverses) == (payment_id, "e1", False)


def same_payment(*bodies: dict[str, Any]) -> bool:
    facts = {(f.kind, f.key) for f in (response_of(body, RecordSchema({})).fact for body in bodies)}
    return len(facts) == 1


def test_payments_are_told_apart_by_their_id_else_by_the_events() -> None:
    one, two = payment(amount="5.00", payment_id="P-1"), payment(amount="5.00", payment_id="P-2")
    assert same_payment(one, {**one, "id": "e2"}, {**one, "time": "2026-11-21T10:00:00Z"})
    assert not same_payment(one, two)
    plain = payment(amount="5.00")
    assert same_payment(plain, plain)
    assert not same_payment(plain, {**plain, "id": "e2"})


@pytest.mark.parametrize(
    ("body", "of", "amount"),
    [
        (reversal(payment_id="P-1"), "P-1", ""),
        (reversal(payment_id="P-1", amount="20.00"), "P-1", "20.00"),
        (reversal(reversal_of="P-1", payment_id="R-1", amount="-20.00"), "P-1", "20.00"),
        (reversal(originalPaymentId="P-1", reversalId="R-1"), "P-1", ""),
        (payment(reversal_of="P-1", amount="20.00"), "P-1", "20.00"),
        (payment(payment_id="P-1", amount="-20.00"), "P-1", "20.00"),
        (payment(payment_id="P-1", amount="-1,020.00"), "P-1", "1020.00"),
    ],
)
def test_a_reversal_names_the_payment_that_it_takes_back(body: dict[str, Any], of: str, amount: str) -> None:
    event = response_of(body, RecordSchema({}))
    paid = response_of(payment(payment_id=of, amount="50.00"), RecordSchema({})).fact
    assert event.reverses
    assert (event.fact.kind, event.fact.of, event.fact.amount) == ("reversal", paid.key, amount)


def test_a_reversal_of_nothing_and_an_id_that_is_no_text_are_reported() -> None:
    with pytest.raises(Unusable, match="neither the payment that is reversed nor an amount"):
        response_of(reversal(), RecordSchema({}))
    with pytest.raises(Unusable, match="event e1: payment_id: "):
        response_of(payment(payment_id={"id": "P-1"}), RecordSchema({}))
    loose = response_of(reversal(amount="20.00"), RecordSchema({}))
    assert (loose.fact.kind, loose.fact.loose, loose.amount) == ("reversal", True, "-20.00")


# --- triggers --------------------------------------------------------------------------------------


def landed(key: str) -> dict[str, Any]:
    """An "Object Created" event."""
    return {"detail": {"bucket": {"name": "drop"}, "object": {"key": key}}}


@pytest.mark.parametrize(
    ("body", "run"),
    [
        (landed("drop/retail/run-1/_COMPLETE.json"), ("retail", "run-1", "seal")),
        (landed("drop/retail/run-1/_STDDELIVERYFILE.xml"), ("retail", "run-1", "manifest")),
        (
            landed("drop/retail/2026-11-20T04.12_a=b/_COMPLETE.json"),
            ("retail", "2026-11-20T04.12_a=b", "seal"),
        ),
        (landed("drop/retail/run-1/_STDDELIVERYFILE.xml.gz"), ("retail", "run-1", "manifest")),
        (landed("drop/retail/run-1/BILLING.INDEX.CSV.GZ"), ("retail", "run-1", "index")),
        (landed("drop/retail/run-1/b+c d.index.psv"), ("retail", "run-1", "index")),
        ({"stage": {"domain": "retail", "run_id": "run-1"}}, ("retail", "run-1", "again")),
    ],
)
def test_a_message_says_which_run(body: dict[str, Any], run: tuple[str, str, str]) -> None:
    assert run_of(body) == run


@pytest.mark.parametrize(
    "name",
    ["x.csv", "x.index.txt", "old_COMPLETE.json", "output/q/table.csv", "a.pdf", "ExstreamMessages.xml"],
)
def test_a_file_that_starts_nothing_is_passed_over(name: str) -> None:
    assert run_of(landed(f"drop/retail/run-1/{name}")) is None


@pytest.mark.parametrize(
    ("key", "code"),
    [
        ("Drop/retail/run-1/_COMPLETE.json", "drop_misplaced"),
        ("drop/retail/x.index.csv", "drop_misplaced"),
        ("retail/run-1/x.index.jsonl.gz", "drop_misplaced"),
        ("drop/retail/run-1/sub/x.index.csv", "drop_misplaced"),
        ("drop/retail/run-1/_complete.json", "drop_misplaced"),
        ("drop/retail/run-1/_StdDeliveryFile.xml", "drop_misplaced"),
        ("drop/retail/23m%2E1/_COMPLETE.json", "name_unusable"),
        ("drop/retail/a+b/x.index.csv", "name_unusable"),
        ("drop/retail/_COMPLETE.json", "drop_misplaced"),
        ("drop/retail/run-1/output/_COMPLETE.json", "drop_misplaced"),
        ("elsewhere/retail/run-1/_COMPLETE.json", "drop_misplaced"),
        ("_COMPLETE.json", "drop_misplaced"),
        ("drop/retail/../_COMPLETE.json", "name_unusable"),
        ("drop/retail/run 1/_COMPLETE.json", "name_unusable"),
        ("drop//run-1/_COMPLETE.json", "name_unusable"),
        ("drop/retail/" + "r" * 200 + "/_COMPLETE.json", "name_unusable"),
        ("drop/re#tail/run-1/_COMPLETE.json", "name_unusable"),
        ("drop/retail/r%C3%A9sum%C3%A9/_COMPLETE.json", "name_unusable"),
    ],
)
def test_what_lies_in_the_wrong_place_is_told(key: str, code: str) -> None:
    with pytest.raises(Unusable) as unusable:
        run_of(landed(key))

    assert unusable.value.code == code
    raised = as_exception(unusable.value)
    assert (raised.code, raised.run_id) == (code, "none")
    folder = key.rpartition("/")[0]
    assert folder[:160] in raised.text
    assert raised.part.startswith(folder[:160] or "drop bucket")


def test_each_folder_is_a_report_of_its_own_and_a_hostile_key_is_made_readable() -> None:
    keys = [f"drop/retail/Run {letter}/_COMPLETE.json" for letter in "ABC"]
    keys += [f"drop/retail/{'r' * 300}{n}/_COMPLETE.json" for n in (1, 2)]
    keys += ["drop/retail/a\x1b[31m/_COMPLETE.json", "drop/retail/a\u202e[31m/_COMPLETE.json"]
    raised = []
    for key in keys:
        with pytest.raises(Unusable) as unusable:
            run_of(landed(key))
        raised.append(as_exception(unusable.value))

    assert len({e.part for e in raised}) == len(keys)
    assert all(len(e.part) <= 200 and e.part.isprintable() for e in raised)
    assert all(len(e.text) <= 400 and e.text.isprintable() for e in raised)


def test_a_single_document_says_its_domain_itself_or_in_exstreams_words() -> None:
    ours = {"id": "e-1", "detail": {"domain": "retail", "customer_key": "C"}}
    theirs = {"id": "e-1", "detail": {"exstreamJob": {"domain": "retail"}}}

    assert document_of(ours) == ("e-1", "retail", ours)
    assert document_of(theirs) == ("e-1", "retail", theirs)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"id": "e-1"},
        {"id": "e-1", "detail": "text"},
        {"detail": {"domain": "retail"}},
        {"id": "e-1", "detail": {}},
        {"id": "e-1", "detail": {"exstreamJob": "text"}},
        {"id": "e 1", "detail": {"domain": "retail"}},
        {"id": "e-1", "detail": {"domain": "a/b"}},
        {"id": "e-1", "detail": {"domain": ["retail"]}},
    ],
)
def test_an_event_that_is_no_document_is_told(body: dict[str, Any]) -> None:
    with pytest.raises(Unusable) as unusable:
        document_of(body)

    assert unusable.value.code in ("event_unusable", "name_unusable")


def test_an_exception_comes_over_the_bus_as_it_was_raised() -> None:
    raised = ExceptionRaised(
        "no_channel", "error", "retail", "run-1", "text", "slice 1", 2, (7, 9), {"field": "email"}
    )

    assert exception_of({"detail": json.loads(json.dumps(raised.to_detail()))}) == raised


# --- the seal --------------------------------------------------------------------------------------

SEAL: dict[str, Any] = {
    "schema_version": "1.0",
    "run_id": "run-1",
    "domain": "retail",
    "app": "billing",
    "exit_status": 4,
    "customers_expected": 3,
    "customers_processed": 2,
    "documents": 2,
    "errors": 1,
    "files": [{"name": "billing.index.csv", "bytes": 10, "sha256": "AB" * 32, "records": 2}],
    "anything else": True,
}


def parsed(data: bytes | dict[str, Any], limit: int = 10_000) -> Any:
    """The seal of retail/run-1."""
    return parse_seal(
        data if isinstance(data, bytes) else json.dumps(data).encode(), "retail", "run-1", limit=limit
    )


def test_a_seal_is_read_whole() -> None:
    seal = parsed(SEAL)

    assert (seal.app, seal.exit_status, seal.documents, seal.errors) == ("billing", 4, 2, 1)
    assert (seal.customers_expected, seal.customers_processed) == (3, 2)
    (file,) = seal.files
    assert (file.name, file.bytes, file.sha256, file.records) == ("billing.index.csv", 10, "AB" * 32, 2)
    assert parsed(b"\xef\xbb\xbf" + json.dumps(SEAL).encode()) == seal, "with a byte-order mark"


@pytest.mark.parametrize(
    ("stated", "read"),
    [("2026-11-20T04:00:00Z", "2026-11-20T04:00:00Z"), ("last night", ""), (17, ""), (None, "")],
)
def test_a_start_that_cannot_be_read_refuses_no_seal(stated: object, read: str) -> None:
    assert parsed({**SEAL, "started_at": stated}).started_at == read


def test_a_seal_may_say_little() -> None:
    seal = parsed({"run_id": "run-1", "domain": "retail", "files": [{"name": "a.index.jsonl"}]})

    assert (seal.files[0].sha256, seal.documents, seal.exit_status) == (None, None, 0)


@pytest.mark.parametrize(
    ("change", "place"),
    [
        ({"run_id": "run-2"}, "run_id"),
        ({"domain": "claims"}, "run_id"),
        ({"schema_version": "2.0"}, "schema_version"),
        ({"files": []}, "files"),
        ({"files": [{"name": "a"}, {"name": "a"}]}, "files"),
        ({"files": [{"name": ""}]}, "files.0.name"),
        ({"files": [{"name": "../other/a.index.csv"}]}, "files.0.name"),
        ({"files": [{"name": "a/../../b"}]}, "files.0.name"),
        ({"files": [{"name": "..\\b"}]}, "files.0.name"),
        ({"files": [{"name": "/etc/passwd"}]}, "files.0.name"),
        ({"files": [{"name": "C:\\a"}]}, "files.0.name"),
        ({"files": [{"name": "s3://other/a"}]}, "files.0.name"),
        ({"files": [{"name": "a//b"}]}, "files.0.name"),
        ({"files": [{"name": "all.ZIP"}]}, "files.0.name"),
        ({"files": [{"name": "a", "sha256": "xyz"}]}, "files.0.sha256"),
        ({"files": [{"name": "a", "bytes": -1}]}, "files.0.bytes"),
        ({"documents": -1}, "documents"),
        ({"documents": "many"}, "documents"),
    ],
)
def test_a_seal_that_cannot_be_used_says_where(change: dict[str, Any], place: str) -> None:
    with pytest.raises(Unusable) as unusable:
        parsed({**SEAL, **change})

    assert unusable.value.code == "seal_unreadable"
    assert unusable.value.place == f"_COMPLETE.json {place}"


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b"null", b'"text"', b"\xff\xfe\x00", b"[" * 100_000, b"{}" * 6000]
)
def test_a_seal_that_is_none_is_refused(data: bytes) -> None:
    with pytest.raises(Unusable):
        parsed(data, limit=200_000)
    with pytest.raises(Unusable):
        parsed(data + b" " * 10_001)


@given(st.binary(max_size=60) | st.dictionaries(st.sampled_from(sorted(SEAL)), st.none() | st.integers()))
def test_no_seal_whatever_breaks_the_reader(data: bytes | dict[str, Any]) -> None:
    with pytest.raises(Unusable):
        parsed(data)


# --- secrets, time, settings -----------------------------------------------------------------------


class Vault:
    """A Secrets Manager with one secret; `read` counts."""

    def __init__(self, **fields: str) -> None:
        self.value = fields
        self.read = 0

    def get_secret_value(self, SecretId: str) -> dict[str, str]:  # noqa: N803 - the service's name
        """As the service does."""
        self.read += 1
        return {"SecretString": json.dumps(self.value)}


def test_a_secret_is_read_when_needed_and_again_after_a_while() -> None:
    vault, now = Vault(current="1", **{"1": "first"}), [0.0]
    secret = Secret(lambda: vault, "keys", lambda: now[0])
    assert vault.read == 0
    for at in (0.0, KEEP - 1):
        now[0] = at
        assert secret.keys() == ("1", {"1": b"first"})
    assert vault.read == 1

    vault.value = {"current": "2", "1": "first", "2": "second"}
    now[0] = KEEP
    assert secret.keys() == ("2", {"1": b"first", "2": b"second"})
    assert secret.fresh()["current"] == "2"
    assert vault.read == 3


def test_time_is_the_machines_own_unless_the_embedded_cloud_plays_another() -> None:
    assert abs((SystemClock("").now() - datetime.now(UTC)).total_seconds()) < 5

    setting = json.dumps({"real": time.time(), "virtual": 1_800_000_000.0, "rate": 3600.0})
    played = SystemClock(setting)
    first = played.now().timestamp()
    assert 1_800_000_000 <= first < 1_800_000_000 + 3600 * 30
    assert abs(played.machine_time() - time.time()) < 5, "leases and pace keep to real seconds"


def test_ids_are_128_bits_and_never_the_same() -> None:
    found = {SystemClock("").random_id() for _ in range(100)}

    assert len(found) == 100
    assert {len(bytes.fromhex(one)) for one in found} == {16}


def test_settings_come_from_the_environment_by_name() -> None:
    settings = Settings.from_environment({"EMAIL_RATE": "2.5", "NOTICES_TABLE": "n", "PATH": "/bin"})

    assert (settings.email_rate, settings.notices_table, settings.runs_table) == (2.5, "n", "")
    with pytest.raises(ValueError, match="email_rate"):
        Settings.from_environment({"EMAIL_RATE": "0"})


def test_a_provider_is_chosen_by_channel_and_class() -> None:
    choose = provider_choice(
        Settings.from_environment(
            {"SMS_PROVIDER": "sms", "PROVIDER_OVERRIDES": "email/marketing=ses, sms/regulated=opentext,"}
        )
    )

    assert choose("email", "transactional") == "opentext"
    assert choose("email", "marketing") == "ses"
    assert choose("sms", "collections") == "sms"
    assert choose("sms", "regulated") == "opentext"


@pytest.mark.parametrize("text", ["email/marketing", "email/marketing=pigeon", "=", "email=ses=ses"])
def test_a_choice_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="PROVIDER_OVERRIDES"):
        provider_choice(Settings.from_environment({"PROVIDER_OVERRIDES": text}))


# --- messages that come back ------------------------------------------------------------------------


@pytest.mark.parametrize("code", ["AWS.SimpleQueueService.MessageNotInflight", "InvalidParameterValue"])
def test_a_message_that_is_another_workers_by_now_is_left_alone(code: str) -> None:
    refused(code).come_back("a receipt", 30)


def test_any_other_refusal_to_bring_a_message_back_is_an_error() -> None:
    with pytest.raises(ClientError, match="AccessDenied"):
        refused("AccessDenied").come_back("a receipt", 30)


def refused(code: str) -> SqsQueue:
    """A queue whose service refuses every change of visibility."""
    client = botocore.session.get_session().create_client("sqs", region_name="us-east-1")
    stubber = Stubber(client)
    stubber.add_client_error("change_message_visibility", code)
    stubber.activate()
    return SqsQueue(client, "https://sqs.us-east-1.amazonaws.com/123456789012/queue")


@pytest.mark.parametrize(
    ("kind", "detail", "stated"),
    [
        ("Account Status Changed", {"account_status": "Chapter 7"}, "Chapter 7"),
        ("Account Status Changed", {"accountStatus": " deceased "}, "deceased"),
        ("Payment Received", {"AccountStatus": "disputed", "amount": "5.00"}, "disputed"),
        ("Document Acknowledged", {"Account_Status": "paid"}, "paid"),
    ],
)
def test_any_event_about_a_customer_may_state_the_accounts_status(
    kind: str, detail: dict[str, str], stated: str
) -> None:
    body = {"id": "e1", "detail-type": kind, "detail": {"domain": "retail", "customer_key": "C1", **detail}}
    change = status_change_of(body)
    assert change is not None
    assert (change.status, change.customer_key, change.who) == (stated, "C1", "event e1")


def test_an_event_that_states_no_status_changes_none() -> None:
    about = {"domain": "retail", "customer_key": "C1"}
    for kind, more in (("Payment Received", {}), ("Customer Responded", {"account_status": "null"})):
        assert status_change_of({"id": "e1", "detail-type": kind, "detail": {**about, **more}}) is None
    said = status_change_of(
        {"id": "e1", "detail-type": "Customer Responded", "detail": {**about, "response": "dispute"}}
    )
    assert said is not None
    assert (said.status, said.said) == ("", "dispute")


@pytest.mark.parametrize(
    "detail",
    [{"account_status": "dead"}, {"customer_key": "C1", "account_status": ""}, {"customer_key": "C1"}, {}],
)
def test_a_change_of_status_that_names_nobody_or_nothing_is_unusable(detail: dict[str, str]) -> None:
    body = {"id": "e1", "detail-type": "Account Status Changed", "detail": {"domain": "retail", **detail}}
    with pytest.raises(Unusable):
        status_change_of(body)


@pytest.mark.parametrize(
    ("detail", "versions"),
    [
        ({}, ()),
        ({"version": "null"}, ()),
        ({"version": "2026-11"}, ("2026-11",)),
        ({"version": 3, "content_sha256": "ab" * 32}, ("3", "ab" * 32)),
        ({"document_version": "v1", "version": "v1"}, ("v1",)),
    ],
)
def test_an_acknowledgement_names_its_versions_and_who_gave_it_only_where_that_was_said(
    detail: dict[str, object], versions: tuple[str, ...]
) -> None:
    about = {"domain": "retail", "customer_key": "C1", "document_id": "D1"}
    body = {"id": "e1", "detail-type": "Document Acknowledged", "detail": {**about, **detail}}
    event = response_of(body, RecordSchema({}))
    assert (event.versions, event.by) == (versions, "")


def test_what_a_portal_switches_off_is_of_known_channels_in_our_order() -> None:
    topics = [Topic("bills", "transactional", ("email", "sms"))]
    outs = portal_change_of(changed(opt_outs={"bills": ["sms"], "*": ["sms", "email"]}), topics).opt_outs
    assert outs == {"bills": ("sms",), "*": ("email", "sms")}
    assert portal_change_of(changed(opt_outs={"bills": []}), topics).opt_outs == {"bills": ()}
    with pytest.raises(Unusable, match="opt_outs: 2 topics are not known"):
        portal_change_of(changed(opt_outs={"a": ["sms"], "bills": [], "b": []}), topics)
