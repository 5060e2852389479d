"""How sites write values, row by row, and the one form that we keep."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream_notify.domain.records import (
    RunFolder,
    content_identity,
    own_identity,
    path_in_run,
    queue_of,
    stem,
)
from exstream_notify.domain.values import (
    ValueRefused,
    calendar_date,
    clean_text,
    instant,
    language_tag,
    plain_amount,
    team_names,
    truth,
    type_key,
)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("1204.50", "1204.50"),
        ("0", "0"),
        ("0.00", "0.00"),
        ("1200", "1200"),
        ("12.5", "12.50"),
        (".5", "0.50"),
        ("+7", "7"),
        ("-3.00", "-3.00"),
        ("-0.00", "0.00"),
        ("0012.50", "12.50"),
        ("1,234.50", "1234.50"),
        ("-1,234.50", "-1234.50"),
        ("1,234,567", "1234567"),
        ("1,234,567.8", "1234567.80"),
        ("1.234,50", "1234.50"),
        ("1.234.567", "1234567"),
        ("1.234.567,89", "1234567.89"),
        ("12,34", "12.34"),
        ("1234,5", "1234.50"),
        ("1 234,50", "1234.50"),
        ("1\u00a0234,50", "1234.50"),
        ("1\u202f234.50", "1234.50"),
        ("1'234.50", "1234.50"),
        ("1’234.50", "1234.50"),
        ("12,34,567.00", "1234567.00"),
        ("999999999999999.9999", "999999999999999.9999"),
    ],
)
def test_an_amount_that_can_be_read_in_one_way_is_kept_as_a_plain_decimal(written, kept):
    assert plain_amount(written) == kept
    assert plain_amount(kept) == kept


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        ("1,234", "thousands or decimals"),
        ("-12,345", "thousands or decimals"),
        ("1,23,45", "not a plain"),
        ("1.234.5", "not a plain"),
        ("1,2345.6", "not a plain"),
        ("12.34567", "not a plain"),
        ("1234567890123456", "not a plain"),
        ("12.", "not a plain"),
        ("--1", "not a plain"),
        ("NaN", "not a plain"),
        ("", "not a plain"),
    ],
)
def test_an_amount_that_is_in_doubt_is_refused(written, reason):
    with pytest.raises(ValueRefused, match=reason):
        plain_amount(written)


@pytest.mark.parametrize(
    ("written", "order", "kept"),
    [
        ("2026-12-07", "iso", "2026-12-07"),
        ("20261207", "iso", "2026-12-07"),
        ("2026-12-07T00:00:00", "iso", "2026-12-07"),
        ("2026-12-07 08:15", "iso", "2026-12-07"),
        ("2024-02-29", "iso", "2024-02-29"),
        ("12/07/2026", "mdy", "2026-12-07"),
        ("12/7/2026", "mdy", "2026-12-07"),
        ("2026-12-07", "mdy", "2026-12-07"),
        ("07.12.2026", "dmy", "2026-12-07"),
        ("7-12-2026", "dmy", "2026-12-07"),
    ],
)
def test_a_date_is_kept_as_iso_8601(written, order, kept):
    assert calendar_date(written, order) == kept


@pytest.mark.parametrize(
    ("written", "order", "reason"),
    [
        ("12/07/2026", "iso", "needs the dates setting"),
        ("07.12.2026", "iso", "needs the dates setting"),
        ("2026-02-30", "iso", "no such day"),
        ("20261301", "iso", "no such day"),
        ("13/01/2026", "mdy", "no such day"),
        ("12/07/26", "mdy", "not a date"),
        ("12/07-2026", "mdy", "not a date"),
        ("2026-12", "iso", "not an ISO 8601 date"),
        ("2026-W49-1", "iso", "not an ISO 8601 date"),
        ("tomorrow", "iso", "not an ISO 8601 date"),
        ("2026-12-07Tnoon", "iso", "not an ISO 8601 time"),
        ("２０２６-12-07", "iso", "not an ISO 8601 date"),
    ],
)
def test_a_date_that_is_in_doubt_is_refused(written, order, reason):
    with pytest.raises(ValueRefused, match=reason):
        calendar_date(written, order)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("2026-11-20T04:12:09Z", "2026-11-20T04:12:09Z"),
        ("2026-11-20T04:12:09.123Z", "2026-11-20T04:12:09Z"),
        ("2026-11-20T05:12:09+01:00", "2026-11-20T04:12:09Z"),
        ("2026-11-19T20:12:09-0800", "2026-11-20T04:12:09Z"),
        ("2026-11-20 04:12:09", "2026-11-20T04:12:09Z"),
        ("20261120T041209Z", "2026-11-20T04:12:09Z"),
        ("2026-11-20", "2026-11-20T00:00:00Z"),
    ],
)
def test_a_moment_is_kept_in_utc(written, kept):
    assert instant(written) == kept


@pytest.mark.parametrize(
    "written", ["2026-11-20T25:00", "2026-11-20T04:12:09+99:00", "yesterday", "20 Nov 2026"]
)
def test_a_moment_that_is_none_is_refused(written):
    with pytest.raises(ValueRefused):
        instant(written)


def test_a_moment_follows_the_sites_order_of_dates():
    assert instant("11/20/2026 04:12:09", "mdy") == "2026-11-20T04:12:09Z"


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("en", "en"),
        ("EN", "en"),
        ("en-gb", "en-GB"),
        ("en_GB", "en-GB"),
        ("zh-hant-tw", "zh-Hant-TW"),
        ("es-419", "es-419"),
        ("ENG", "en"),
        ("German", "de"),
        ("Français", "fr"),
        ("ger-AT", "de-AT"),
    ],
)
def test_a_language_is_kept_as_a_tag(written, kept):
    assert language_tag(written) == kept


@pytest.mark.parametrize(
    "written", ["e", "english-uk", "en_US.UTF-8", "12", "en--GB", "en-GB-GB-GB", "Klingon!"]
)
def test_a_language_that_is_no_tag_is_refused(written):
    with pytest.raises(ValueRefused):
        language_tag(written)


@pytest.mark.parametrize("written", ["Y", "yes", "TRUE", "t", "1", "On", "x"])
def test_yes_in_its_forms(written):
    assert truth(written) is True


@pytest.mark.parametrize("written", ["N", "no", "False", "F", "0", "off"])
def test_no_in_its_forms(written):
    assert truth(written) is False


@pytest.mark.parametrize("written", ["maybe", "2", "", "ja"])
def test_neither_yes_nor_no_is_refused(written):
    with pytest.raises(ValueRefused):
        truth(written)


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("underwriting;compliance", ["underwriting", "compliance"]),
        ("Credit Risk, Legal", ["credit-risk", "legal"]),
        ("legal;;Legal; LEGAL ", ["legal"]),
        ('["Legal", "credit_risk"]', ["legal", "credit-risk"]),
        ("", []),
    ],
)
def test_teams_are_listed_once_under_their_key(written, kept):
    assert team_names(written) == kept


@pytest.mark.parametrize(
    "written", ["[1]", "[not json", ";".join(map(str, range(21))), "x" * 65, "[" * 100_000]
)
def test_teams_that_are_none_are_refused(written):
    with pytest.raises(ValueRefused):
        team_names(written)


@pytest.mark.parametrize("written", ["Utility_Bill", "utility-bill", "UTILITY BILL", " utility__bill "])
def test_names_of_types_are_compared_by_key(written):
    assert type_key(written) == "utility-bill"


def test_text_keeps_one_line():
    assert clean_text(" Van\r\n  der\tBerg ") == "Van der Berg"
    assert clean_text("a\u2028b") == "a b"
    assert clean_text("Nguyễn\u00a0Ó") == "Nguyễn Ó"


@pytest.mark.parametrize("character", ["\x00", "\x1b", "\x7f", "\x9f", "\ud800", "\ufffe"])
def test_control_characters_are_refused(character):
    with pytest.raises(ValueRefused, match="control"):
        clean_text(f"a{character}b")


RUN = RunFolder("drop-bucket", "drop/retail/r1/")


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("output/Email/D1.pdf", "output/Email/D1.pdf"),
        ("./output/./Email/D1.pdf", "output/Email/D1.pdf"),
        ("output//Email///D1.pdf", "output/Email/D1.pdf"),
        ("output\\Email\\D1.pdf", "output/Email/D1.pdf"),
        ("output/Ümläut/D 1 (final).pdf", "output/Ümläut/D 1 (final).pdf"),
        ("output/Email/D%201.pdf", "output/Email/D%201.pdf"),
        ("output/100%/D1.pdf", "output/100%/D1.pdf"),
        ("output/a..b/D1..pdf", "output/a..b/D1..pdf"),
        ("s3://drop-bucket/drop/retail/r1/output/Email/D1.pdf", "output/Email/D1.pdf"),
        (".hidden/D1.pdf", ".hidden/D1.pdf"),
    ],
)
def test_a_path_within_the_run_is_kept_relative_to_it(written, kept):
    assert path_in_run(written, RUN) == kept


@pytest.mark.parametrize(
    "written",
    [
        "../other/D1.pdf",
        "output/../../D1.pdf",
        "output/..",
        "..",
        "/etc/passwd",
        "//host/share/D1.pdf",
        "\\\\host\\share\\D1.pdf",
        "..\\D1.pdf",
        "C:\\out\\D1.pdf",
        "C:D1.pdf",
        "file:///D1.pdf",
        "https://example.com/D1.pdf",
        "s3://other-bucket/drop/retail/r1/D1.pdf",
        "s3://drop-bucket/drop/retail/r2/D1.pdf",
        "s3://drop-bucket/drop/retail/r1/../r2/D1.pdf",
        "s3://drop-bucket/drop/retail/r1/",
        "%2e%2e/D1.pdf",
        "output/%2e%2e%2f%2e%2e/D1.pdf",
        "%252e%252e%252fD1.pdf",
        "output/..%5cD1.pdf",
        "%2fetc/passwd",
        "%68ttps://example.com/D1.pdf",
        "%2525252525252e./D1.pdf",
        "output/",
        "output/D1%00.pdf",
        ".",
        "./",
    ],
)
def test_a_path_that_leaves_the_run_is_refused(written):
    with pytest.raises(ValueRefused):
        path_in_run(written, RUN)


def test_a_full_path_needs_a_run():
    with pytest.raises(ValueRefused):
        path_in_run("s3://drop-bucket/drop/retail/r1/D1.pdf")


@given(st.text(alphabet="./\\%25efEF:sC a", max_size=24))
def test_no_path_leaves_the_run(written):
    from urllib.parse import unquote

    try:
        seen = path_in_run(written, RUN)
    except ValueRefused:
        return
    for _ in range(6):
        assert not seen.startswith("/")
        assert ".." not in seen.replace("\\", "/").split("/")
        seen = unquote(seen)


@pytest.mark.parametrize(
    ("path", "queue"),
    [
        ("output/Email_Invoices/D1.pdf", "Email_Invoices"),
        ("Output/Email_Invoices/2026/D1.pdf", "Email_Invoices"),
        ("output/D1.pdf", None),
        ("elsewhere/Email_Invoices/D1.pdf", None),
    ],
)
def test_the_queue_is_the_folder_of_the_output(path, queue):
    assert queue_of(path) == queue


@pytest.mark.parametrize(
    ("path", "name"),
    [("a/D1.pdf", "D1"), ("a/D1.v2.pdf", "D1.v2"), ("D1", "D1"), ("a/.pdf", ".pdf"), ("a.b/D1", "D1")],
)
def test_the_stem_is_the_name_without_its_extension(path, name):
    assert stem(path) == name


def test_identity_is_the_best_that_the_record_gives():
    record = {"document_id": "D1", "output_uri": "a/D2.pdf", "archive_ref": "A3", "content_sha256": "c4"}
    found = []
    for field in ("document_id", "output_uri", "archive_ref", "content_sha256"):
        found.append(own_identity(record))
        del record[field]
    assert found == ["D1", "D2", "A3", "c4"]
    assert own_identity(record) is None


def test_identity_by_content_forgets_who_when_and_how():
    record = {"customer_key": "C1", "document_type": "invoice", "amount_due": "12.00"}
    same = {
        **record,
        "email": "other@example.com",
        "produced_at": "2026-11-20T00:00:00Z",
        "customer_in_run": 7,
    }
    assert content_identity(same) == content_identity(record)
    assert content_identity({**record, "amount_due": "13.00"}) != content_identity(record)
    assert content_identity({**record, "customer_key": "C2"}) != content_identity(record)
