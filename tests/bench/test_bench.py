"""The bench runs, counts what it says it counts, and writes what it found."""

import platform
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench import bill, notices, prices, report, sheets, startup, template
from bench.__main__ import main
from bench.usage import Usage


@pytest.fixture(scope="module")
def results():
    wanted = ("one by one", "bulk")
    return {s.name: notices.run_scenario(s, 1, 1) for s in notices.SCENARIOS if s.name in wanted}


def test_one_by_one_makes_a_provider_call_for_each_notice_and_few_others(results):
    result = results["one by one"]
    assert result.notices == 100
    assert result.usage.calls["ses.SendEmail"] == 100
    assert result.usage.calls["dynamodb.TransactWriteItems"] == 20
    assert result.calls <= 3.1


def test_a_bulk_job_takes_a_slice_in_one_provider_call(results):
    calls = results["bulk"].usage.calls
    assert calls["opentext.emails"] == 1
    assert calls.total() < 25


def test_the_plain_handler_makes_five_calls_a_notice_and_its_queues_share(results):
    for result in results.values():
        calls = result.plain_usage.calls
        of_queue = calls["sqs.ReceiveMessage"] + calls["sqs.DeleteMessageBatch"]
        assert calls.total() - of_queue == 500
        assert of_queue == 20


def test_cpu_is_less_than_the_plain_handlers_by_far(results):
    # Loose, since other work on the machine disturbs it: the bench itself looks at the targets.
    assert 0 < results["bulk"].cpu_ratio < 0.5
    assert 0 < results["one by one"].cpu_ratio < 1


def test_every_ledger_write_is_billed_at_its_size_with_its_index(results):
    for result in results.values():
        units = result.usage.units
        # Claim and record in transactions, two units each, one for the index by customer and one for that by
        # document, and a job's share of words, watch and journey.
        assert 6 <= units["dynamodb_write"] / result.notices < 6.5
        assert result.stored["notice"] < 1024


def test_the_bill_is_the_sum_of_quantities_times_prices(results):
    lines = bill.bill(results["bulk"], staging_rate=40_000)
    writes = next(line for line in lines if line.what.startswith("Ledger") and "writes" in line.what)
    assert writes.quantity == results["bulk"].usage.units["dynamodb_write"] * 10_000
    assert writes.usd == pytest.approx(writes.quantity * 0.625e-6)
    assert bill.total(lines) == pytest.approx(sum(line.usd for line in lines))
    assert all(line.quantity >= 0 for line in lines)


def test_every_unit_that_is_counted_has_a_price(results):
    counted = {unit for result in results.values() for unit in result.usage.units}
    elsewhere = {"invocations", "log_bytes"}  # `lambda_requests`, and `logs` with the platform's own lines
    assert counted - elsewhere <= set(prices.PRICES)


def test_ten_million_documents_are_computed_from_rate_and_memory():
    fast = bill.ten_million("csv", 50_000, 400, 80, 740)
    assert fast.seconds == pytest.approx(
        10e6 / 50_000 * bill.CORE_FACTOR + 4e9 / 60e6 + 7.4e9 / 8e6 * 0.16 + 10_000 * 0.010
    )
    assert fast.fits
    assert not bill.ten_million("csv", 10_000, 400, 80, 740).fits
    assert not bill.ten_million("csv", 50_000, 400, 4000, 740).fits


def test_usage_adds_and_subtracts():
    first, second = Usage(), Usage()
    first.call("dynamodb.PutItem", 3)
    first.bill("dynamodb_write", 4)
    second.call("dynamodb.PutItem")
    second.bill("s3_put", 2)
    both = first + second
    assert (both.calls["dynamodb.PutItem"], both.units) == (4, {"dynamodb_write": 4, "s3_put": 2})
    rest = both - first
    assert (rest.calls, rest.units) == ({"dynamodb.PutItem": 1}, {"s3_put": 2})


def test_the_template_tells_tables_and_functions():
    notices_table = template.tables()[template.physical_name("NoticesTable")]
    assert (notices_table.key, notices_table.indexes) == (
        ("pk",),
        (("cust",), ("doc",), ("case",), ("due_slot", "due_at"), ("paper",)),
    )
    send = template.functions()["send_notices"]
    assert send.environment["EMAIL_QUEUE_URL"].endswith("/EmailQueue")
    assert send.environment["POWERTOOLS_SERVICE_NAME"] == "exstream-notify"
    assert {path.parent.name for path in Path("functions").glob("*/app.py")} == set(template.functions())


def test_the_bill_of_a_stack_at_rest_names_its_alarms(results):
    lines = {line.what: line for line in bill.standing(results["one by one"])}
    alarms = lines["Metrics that alarms read"]
    assert alarms.quantity > template.alarms(), "an alarm on an expression reads several"
    assert alarms.usd == pytest.approx(alarms.quantity / 10)
    assert lines["Composite alarms"].usd == pytest.approx(template.composite_alarms() / 2)
    assert lines["Dashboard"].usd == 3
    number, usd = bill.alarms_bill()
    assert number <= bill.ALARMS
    assert usd == pytest.approx(alarms.usd + lines["Composite alarms"].usd)
    assert usd <= bill.ALARMS_USD


def test_a_start_is_timed_in_a_fresh_process_and_may_not_connect():
    python = startup.Python(startup.sys.executable, "", (), as_deployed=False)
    wall, cpu = startup._start(python, (), {}, "import json")
    assert 0 <= cpu <= wall + 0.1
    connects = "import socket; socket.create_connection(('127.0.0.1', 9))"
    with pytest.raises(RuntimeError, match="connects to"):
        startup._start(python, (), {}, connects)


def test_the_document_names_no_machine_and_shows_what_is_missed(results):
    found, verdicts = sheets.of_notices(list(results.values()))
    verdicts.append(report.Verdict("a figure", "at most 1", "2", reached=False, why="Two is too many."))
    verdicts.append(report.Verdict("another", "at most 1", "1", reached=True, why="Never said."))
    text = report.markdown([report.verdicts(verdicts), *found], datetime(2026, 11, 24, tzinfo=UTC))
    assert "| a figure | at most 1 | 2 | **no** |" in text
    assert "Two is too many." in text
    assert "Never said." not in text
    assert "**canned**" in text
    assert "2026-11-24" in text
    assert platform.node() not in text
    assert str(template.ROOT) not in text


def test_a_new_document_keeps_what_other_mails_were_measured_on(tmp_path):
    path = tmp_path / "RESULTS.md"
    report.write([report.verdicts([])], path)
    path.write_text(path.read_text() + report.KEPT + "\nFigures.\n")
    report.write([report.verdicts([])], path)
    assert path.read_text().endswith("\n\n## Bounce mails\n\nFigures.\n")


def test_an_unknown_part_is_refused(capsys):
    with pytest.raises(SystemExit):
        main(["nothing"])
    assert "there is no part nothing" in capsys.readouterr().err
