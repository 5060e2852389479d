"""Message files as sites write them: any encoding, any language, any line end; nothing is dropped."""

import gzip
import io
import tracemalloc

import pytest

from exstream_notify.adapters.message_files import MessageFiles
from exstream_notify.adapters.rules import YamlRules
from exstream_notify.domain.composer_messages import Grouped
from exstream_notify.domain.customer_ranges import to_text
from exstream_notify.domain.exceptions import Severity, Unusable

FILES = MessageFiles(YamlRules().messages)

LOG = (
    "11/20/2026 04:00:01 EX000001I Run started: application BILLING\n"
    "11/20/2026 04:01:17 EX003004W (4) Farbraum im Bild paßt nicht\n"
    "EX003004W (5) without a time\n"
    "    continued: rule owner LEGAL\n"
    "*** something else ***\n"
    "\n"
    "11/20/2026 04:05:59 EX002608S Licence\n"
)


def read(data: bytes, name: str = "ExstreamMessages.dat", **overrides: Severity | None) -> Grouped:
    """A file, grouped; warnings and worse are kept, `overrides` say otherwise by code."""

    def severity_of(code: str, said: Severity) -> Severity | None:
        return overrides.get(code, None if said == "info" else said)

    grouped = Grouped(severity_of)
    kind = FILES.kind(name)
    assert kind is not None
    list(FILES.read(io.BytesIO(data), name, kind, grouped))
    return grouped


def told(grouped: Grouped) -> dict[str, tuple[int, str]]:
    """Count and customers by code."""
    return {g.code: (g.count, to_text(g.customers.ranges())) for g in grouped.groups.values()}


@pytest.mark.parametrize("name", ["engine.dat", "engine.dat.gz", "x_messages.xml"])
@pytest.mark.parametrize(
    "data", [b"\0" * 7, b"\0" * 300_000, b"\0" * 99 + b"\r\n" + b"\0" * 99, b"\xff\xfe" + b"\0\0" * 9]
)
def test_a_file_of_which_only_the_length_was_kept_is_reported(name: str, data: bytes) -> None:
    """What lay in it when its system went down is lost."""
    with pytest.raises(Unusable, match="nothing but zero bytes"):
        read(gzip.compress(data) if name.endswith(".gz") else data, name)
    assert told(read(b"\0" * 9000 + b"EX002608S (3) Licence\n" + b"\0" * 9000)) == {"EX002608S": (1, "3")}


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8", "utf-8-sig", "latin-1"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("packed", [False, True])
def test_a_file_in_any_encoding_says_the_same(encoding: str, ending: str, packed: bool) -> None:
    data = LOG.replace("\n", ending).encode(encoding)
    name = "ExstreamMessages.dat.gz" if packed else "anything.dat"
    grouped = read(gzip.compress(data) if packed else data, name)

    assert told(grouped) == {"EX003004W": (2, "4-5"), "EX002608S": (1, "")}
    assert (grouped.messages, grouped.unmatched, grouped.first_unmatched) == (4, 1, 5)
    texts = [message.text for message in grouped.groups["EX003004W", ""].sampled]
    assert texts == ["Farbraum im Bild paßt nicht", "without a time"]
    assert grouped.groups["EX003004W", ""].first == "11/20/2026 04:01:17"


def test_a_site_sets_a_severity_and_silences_a_code() -> None:
    grouped = read(LOG.encode(), EX003004W="severe", EX002608S=None)

    assert {g.code: g.severity for g in grouped.groups.values()} == {"EX003004W": "severe"}
    assert grouped.messages == 4


def test_what_is_no_utf_8_is_windows_1252() -> None:
    grouped = read(b"EX003004W (4) caf\xe9 \x80 5\x92s \x81\n")
    assert [g.count for g in grouped.groups.values()] == [1]


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b"\r\n\r\n", b"\x1a"])
def test_an_empty_file_says_nothing(data: bytes) -> None:
    assert read(data).messages == 0


@pytest.mark.parametrize(
    "xml",
    [
        '<?xml version="1.0"?><messages><message code="EX004120E" customer="7"><text>Leer</text></message></messages>',
        '<m:log xmlns:m="urn:x"><m:msg><m:code>EX004120E</m:code><m:customerNumber>7</m:customerNumber>'
        "<m:text>Leer</m:text></m:msg></m:log>",
        "<log><line>11/20/2026 04:02:40 EX004120E (7) Leer</line></log>",
        '<log><msg><head code="EX004120E"/><customer>7</customer>Leer</msg></log>',
    ],
)
def test_the_xml_form_is_read_whatever_its_elements_are_called(xml: str) -> None:
    for encoding in ("utf-8", "utf-16"):
        grouped = read(xml.replace('<?xml version="1.0"?>', "").encode(encoding), "ExstreamMessages.xml")
        assert grouped.groups["EX004120E", ""].count == 1, xml


def test_xml_that_could_expand_is_refused_and_what_is_cut_off_counts_as_far_as_it_goes() -> None:
    with pytest.raises(Unusable, match="refused"):
        read(b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', "ExstreamMessages.xml")

    grouped = Grouped(lambda code, said: said)
    cut = b'<log><m code="EX004120E" customer="7"/><m code="EX0041'
    with pytest.raises(Unusable, match="not well-formed"):
        list(FILES.read(io.BytesIO(cut), "ExstreamMessages.xml", "xml_messages", grouped))
    assert told(grouped) == {"EX004120E": (1, "7")}


def test_exception_rows_by_any_names_of_their_columns() -> None:
    rows = (
        "CustomerInRun,Customer Key,Queue Name,Exception Code,Level,Message\r\n"
        '12,C1,Compliance_Hold,APR_DISCLOSURE,ERR,"missing, for NY"\r\n'
        "19,C2,Compliance_Hold,APR_DISCLOSURE,Critical,again\r\n"
        "x,C3,Address_Queue,,warn,no rule\r\n"
        ",,,,,\r\n"
        "20,C4,,,error,neither\r\n"
    )
    grouped = read(rows.encode("utf-16"), "billing.exceptions.csv")

    found = {key: (g.severity, g.count, to_text(g.customers.ranges())) for key, g in grouped.groups.items()}
    assert found == {
        ("APR_DISCLOSURE", "Compliance_Hold"): ("severe", 2, "12,19"),
        ("Address_Queue", "Address_Queue"): ("warning", 1, ""),
    }
    assert grouped.unmatched == 1


def test_the_severity_of_a_row_may_be_words_and_is_never_less_than_its_codes() -> None:
    rows = "seq,rule,severity\n1,NoAddr,FATAL ERROR\n2,Late,2 - Warning\n3,EX002608S,warning\n4,EX003004W,error\n"
    grouped = read(rows.encode(), "exceptions.csv")
    assert {code: g.severity for (code, _), g in grouped.groups.items()} == {
        "NoAddr": "severe", "Late": "warning", "EX002608S": "severe", "EX003004W": "error",
    }  # fmt: skip


def test_a_quote_that_is_not_closed_on_its_line_joins_and_swallows_no_row() -> None:
    rows = (
        "customer_in_run|queue|rule|text\n"
        '1|Hold|APR|"over\n'
        'two lines, with a bar"\n'
        '2|Hold|APR|"Rig\n'
        '3|Hold|APR|Pipe 12"\n'
        '4|Hold|APR|"misplaced" quotes\n'
        '5|Hold|APR|"quoted | bar"\n'
        '6|"Hold|APR|never closed\n'
        "7|Hold|APR|last\n"
    )
    grouped = read(rows.encode(), "exceptions.psv")

    assert to_text(grouped.groups["APR", "Hold"].customers.ranges()) == "1-7"
    assert (grouped.groups["APR", "Hold"].count, grouped.unmatched, grouped.first_unmatched) == (7, 1, 3)
    assert (grouped.open_quotes, grouped.first_open_quote) == (3, 2)


def test_two_columns_of_one_field_that_differ_are_counted_and_name_no_customer() -> None:
    rows = (
        "Customer In Run,customer_in_run,rule,Rule,text,message\n"
        "1,1,APR,APR,a,b\n2,3,APR,APR,a,a\n4,,APR,,a,a\n5,5,APR,APX,a,a\n"
    )
    grouped = read(rows.encode(), "exceptions.csv")

    assert told(grouped) == {"APR": (4, "1,4-5")}
    assert (grouped.disputed, grouped.first_disputed) == (2, 3)


REPORT = "Account|Method|Status|CustomerInRun\n"


@pytest.mark.parametrize(
    "name", ["ErrorReport.csv", "ERRORREPORT.CSV", "billing_ErrorReport.csv.gz", "error_report.csv"]
)
def test_deliveries_that_did_not_succeed_are_exceptions_by_status(name: str) -> None:
    rows = REPORT + (
        "A1|email|SUCCESS|1\nA2|email|FAILED|2\nA3|sms|Partial|3\nA4|print|failed|4\nA5|email|LOST|5\n"
        "A6|email||6\nA7|email|Success|7\n\x1a"
    )
    data = rows.replace("\n", "\r\n").encode("utf-16")
    grouped = read(gzip.compress(data) if name.endswith(".gz") else data, name)

    assert told(grouped) == {"delivery_failed": (3, "2,4-5"), "delivery_partial": (1, "3")}
    assert (grouped.unmatched, grouped.first_unmatched) == (1, 7)
    said = [message.text for group in grouped.groups.values() for message in group.sampled]
    assert not [text for text in said for account in ("A2", "A3", "A4", "A5") if account in text]


def test_a_report_of_deliveries_without_customers_lists_none() -> None:
    grouped = read(b"ACCOUNT|NAME|METHOD|STATUS\nA1|Ann Lee|email|FAILED\n", "ErrorReport.csv")
    (group,) = grouped.groups.values()
    assert (group.code, group.count, to_text(group.customers.ranges())) == ("delivery_failed", 1, "")
    assert [message.text for message in group.sampled] == ["email"]


def test_a_report_without_a_status_cannot_be_read() -> None:
    with pytest.raises(Unusable, match="no column names a status"):
        read(b"account|method\nA1|email\n", "ErrorReport.csv")


def test_rows_without_a_rule_or_a_queue_are_no_exception_rows() -> None:
    with pytest.raises(Unusable, match="no column"):
        read(b"a|b\n1|2\n", "exceptions.psv")


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("ExstreamMessages.dat", "messages"),
        ("ENGINE.DAT", "messages"),
        ("ExstreamReport.dat", None),
        ("exstreamreport_20261129.DAT.gz", None),
        ("ExstreamTracking.dat", None),
        ("nightly_TRACKING_7.dat", None),
        ("billing.trk", None),
        ("reports-ExstreamMessages.dat", "messages"),
        ("TrackingMessages.dat", "messages"),
        ("JOBSUMMARY.TXT", "summary"),
        ("run.summary.json", "summary"),
        ("EXSTREAMMESSAGES_20261129.XML", "xml_messages"),
        ("exstreammessages.TXT.GZ", "messages"),
        ("ExstreamMessages.gz", "messages"),
        ("nightly.messages", "messages"),
        ("ExstreamMessages.json", "messages"),
        ("Messages_2.JSONL.gz", "messages"),
        ("messages.err", "messages"),
        ("messages.index.jsonl", "started"),
        ("RUNSUMMARY", "summary"),
        ("exceptions.psv", "exceptions"),
        ("billing.exceptions.csv.gz", "exceptions"),
        ("run.summary.txt", "summary"),
        ("ExstreamMessages.xml", "xml_messages"),
        ("b.index.xml", "started"),
        ("ErrorReport.csv", "deliveries"),
        ("nightly-errorreport.csv", "deliveries"),
        ("_STDDELIVERYFILE.xml", "started"),
        ("letter.pdf", None),
    ],
)
def test_what_a_file_is_its_name_tells(name: str, kind: str | None) -> None:
    assert FILES.kind(name) == kind


def test_memory_does_not_grow_with_hostile_files() -> None:
    many_codes = "".join(f"EX{n:06d}E ({n}) x\n" for n in range(5000)).encode()
    one_line = b"EX000001E (1) " + b"x" * 8_000_000
    tracemalloc.start()
    grouped = read(many_codes)
    read(one_line)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 8_000_000
    assert len(grouped.groups) == 501
    assert sum(g.count for g in grouped.groups.values()) == 5000


def test_no_limit_of_codes_hides_a_severe_one_nor_that_others_are_errors() -> None:
    warnings = "".join(f"EX{n:06d}W ({n}) x\n" for n in range(1000))
    rest = "".join(f"EX{n:06d}S ({n}) x\n" for n in range(1000, 1700)) + "EX009999E x\n"
    groups = read((warnings + rest).encode()).groups

    assert [code for code, _ in groups if code.endswith("S")] == [f"EX{n:06d}S" for n in range(1000, 1700)]
    assert (groups["engine_messages", ""].severity, groups["engine_messages", ""].count) == ("error", 501)


def test_a_code_that_becomes_severe_is_given_out_again() -> None:
    rows = b"rule,severity,customer_in_run\nAPR,warning,1\nAPR,error,2\nAPR,severe,3\nAPR,severe,4\n"
    grouped = Grouped(lambda code, said: said)
    given = [g.severity for g in FILES.read(io.BytesIO(rows), "exceptions.csv", "exceptions", grouped)]
    assert (given, grouped.groups["APR", ""].count) == (["warning", "severe"], 4)


def test_of_two_columns_of_a_field_the_more_trusted_counts_and_good_rows_are_passed() -> None:
    rows = "Exception Code,rule,customer_in_run\nLATER,FIRST,1\n,SECOND,2\n"
    grouped = read(rows.encode(), "exceptions.csv")
    first = {code for code, _ in grouped.groups}
    assert first == {"FIRST", "SECOND"}
    rows = "rule,Exception Code,customer_in_run\nFIRST,LATER,1\nSECOND,,2\n"
    assert {code for code, _ in read(rows.encode(), "exceptions.csv").groups} == first


def test_deliveries_that_succeeded_are_counted_as_passed() -> None:
    grouped = Grouped(lambda code, said: said)
    rows = b"status,method,customer_in_run\nDelivered,email,1\nFailed,email,2\nDelivered,sms,3\nSent,sms,4\n"
    list(FILES.read(io.BytesIO(rows), "deliveries.csv", "deliveries", grouped))
    assert (grouped.passed, grouped.messages) == (2, 2)
