"""What was measured, as sheets and verdicts."""

from __future__ import annotations

from collections.abc import Sequence

from . import bill, messages, notices, prices, staging, startup, supply
from .report import Sheet, Verdict
from .template import functions

MEMORY_GROWTH = 20.0
"""MB that staging may grow by from 10 thousand to 1 million records and count as flat: a part has 8 MB, is
held twice while it is put, and 10 thousand records do not fill one."""

CALLS_WHY = (
    "Calls: in bulk, a slice writes one entry in the watch for receipts and one row in a journey, which is "
    "what lies over the limit; both are once a slice, whatever its size."
)
CPU_WHY = (
    "CPU: what is left in bulk is done once for each customer whatever the calls: words for the inserts, "
    "evidence compressed and encrypted under the customer's own key, two ledger items written and hashed."
)
START_WHY = (
    "Start: Powertools, pydantic and the rules' YAML reader are imported by every handler, and the package's "
    "own dataclasses, protocols and settings are made anew; most of the rest is what a handler needs itself: "
    "templates for pages, HTTP for providers and channels."
)
BILL_WHY = (
    "Bill: the ledger's writes, with its indexes, are half of it. Claims and records are transactions, which "
    "DynamoDB bills twice, because one call then claims a hundred notices or ten; single conditional "
    "writes would cost less and break the limit of calls. One by one, a year of each mail as sent adds "
    "a dollar."
)
FIT_WHY = (
    "Ten million: seconds are of this machine's core, half again as many for safety; how fast it is, the "
    "bare client's start tells. On one that needs so long, a run of that size is dropped as two."
)
"""Why a target may be missed; shown only when it is."""


def of_messages(rows: Sequence[messages.Row]) -> tuple[Sheet, list[Verdict]]:
    """The reading of message files: the table, and whether memory stays flat and codes are few alerts."""
    columns = ("encoding", "lines", "file MB", "lines/s of CPU", "grown by MB", "codes", "reports")
    cells = [
        (
            row["encoding"],
            f"{row['lines']:,}",
            f"{row['file_mb']:,}",
            f"{row['cpu_rate']:,}",
            f"{row['grown_mb']}",
            f"{row['codes']}",
            f"{row['reports']}",
        )
        for row in rows
    ]
    notes = (
        f"A file of {messages.CODES} codes, every line with a customer, read and grouped as `read_messages` "
        "does, bus and clock in memory. A code is an incident at most; further reports hold the rest of a "
        "long list of customers. Small files mostly measure the imports.",
    )
    largest = max(row["lines"] for row in rows)
    grown = max(row["grown_mb"] for row in rows) - min(row["grown_mb"] for row in rows)
    codes = max(row["codes"] for row in rows)
    enough = largest >= 1_000_000
    verdicts = [
        Verdict(
            "Message lines: memory from 10 thousand to 1 million",
            f"flat (at most {MEMORY_GROWTH} MB more)",
            f"{grown:.1f} MB more",
            grown <= MEMORY_GROWTH if enough else None,
        ),
        Verdict(
            "Message lines: first alerts of a million lines",
            f"at most {messages.CODES}",
            f"{codes}",
            codes <= messages.CODES if enough else None,
        ),
    ]
    return Sheet("Message files", columns, cells, notes), verdicts


def of_staging(
    rows: Sequence[staging.Row], variants: Sequence[staging.Row] = ()
) -> tuple[Sheet, list[Verdict]]:
    """Records a second and peak memory by index form and size; `variants` are only listed."""
    sheet = Sheet(
        "Staging",
        ("form", "records", "file MB", "records/s of CPU", "records/s of wall", "peak MB", "grown by MB"),
        [
            (
                row["form"],
                f"{row['records']:,}",
                f"{row['file_mb']:,.1f}",
                f"{row['cpu_rate']:,}",
                f"{row['wall_rate']:,}",
                f"{row['peak_mb']:.1f}",
                f"{row['grown_mb']:.1f}",
            )
            for row in (*rows, *variants)
        ],
        (
            "Each row is a fresh process that reads, hashes, validates and normalises a file from disk and "
            "drops the parts instead of uploading them. `grown by` is the peak over that of a process that "
            "has staged one record.",
        ),
    )
    largest = max(row["records"] for row in rows)
    slowest = min((row for row in rows if row["records"] == largest), key=lambda row: row["cpu_rate"])
    verdicts = [
        Verdict(
            f"records staged a second of one core, slowest form ({slowest['form']}, {largest:,} records)",
            f"at least {staging.TARGET_RATE:,}",
            f"{slowest['cpu_rate']:,}",
            slowest["cpu_rate"] >= staging.TARGET_RATE if largest >= 100_000 else None,
        )
    ]
    smallest = min(row["records"] for row in rows)
    if largest >= 100 * smallest:
        peaks = {(row["form"], row["records"]): row["peak_mb"] for row in rows}
        form, growth = max(
            (
                (form, peak - peaks[form, smallest])
                for (form, records), peak in peaks.items()
                if records == largest and (form, smallest) in peaks
            ),
            key=lambda pair: pair[1],
        )
        verdicts.append(
            Verdict(
                f"peak memory at {largest:,} over {smallest:,} records, worst form ({form})",
                f"flat: at most {MEMORY_GROWTH:.0f} MB",
                f"{growth:+.1f} MB",
                growth <= MEMORY_GROWTH,
            )
        )
    return sheet, verdicts


def of_notices(results: Sequence[notices.Result]) -> tuple[list[Sheet], list[Verdict]]:
    """Calls, CPU and wall a notice, and the calls by operation."""
    figures = Sheet(
        "Deciding and sending, per notice",
        (
            "scenario",
            "calls",
            "decide µs",
            "send µs",
            "CPU µs",
            "wall µs",
            "plain: calls",
            "plain: CPU µs",
            "ratio",
        ),
        [
            (
                result.scenario.name,
                f"{result.calls:.3f}",
                f"{result.decide.cpu / result.notices * 1e6:,.0f}",
                f"{result.send.cpu / result.notices * 1e6:,.0f}",
                f"{result.cpu * 1e6:,.0f}",
                f"{(result.decide.wall + result.send.wall) / result.notices * 1e6:,.0f}",
                f"{result.plain_calls:.2f}",
                f"{result.plain_cpu * 1e6:,.0f}",
                f"{result.cpu_ratio:.3f}",
            )
            for result in results
        ],
        (
            "; ".join(f"*{result.scenario.name}*: {result.scenario.title}" for result in results) + ".",
            f"{results[0].notices:,} notices each, in slices of a hundred, by warm functions without pacing; "
            "customers are known from an earlier run but for *new*. Microseconds are of CPU but for the "
            "wall's. Calls include the provider's, the queueing of slices, and what event source mappings "
            "call to receive and delete. The plain handler (`bench/plain_handler.py`) is the same job as the "
            "Powertools documentation shows it: five calls a notice, and two tenths for its queue. It takes "
            "its turn after each slice; the ratio is the median over the slices. *mixed* is a bulk run's "
            "worst case: each slice holds twenty kinds of notice, and each kind is a job of its own.",
        ),
    )
    operations = sorted({name for result in results for name in result.usage.calls})
    calls = Sheet(
        "Service calls by operation, per hundred notices",
        ("operation", *(result.scenario.name for result in results)),
        [
            (name, *(f"{100 * result.usage.calls[name] / result.notices:.1f}" for result in results))
            for name in operations
        ],
    )
    units = (
        ("DynamoDB write units", "dynamodb_write"),
        ("DynamoDB read units", "dynamodb_read"),
        ("bytes of log", "log_bytes"),
        ("bytes to OpenText", "transfer_out_bytes"),
    )
    stored = (
        ("bytes of a ledger item", "notice"),
        ("bytes of a contact", "contact"),
        ("bytes of evidence", "evidence"),
        ("bytes of stored bulk jobs", "jobs"),
        ("bytes of staged parts", "parts"),
    )
    sizes = Sheet(
        "Capacity units and bytes, per notice",
        ("what", *(result.scenario.name for result in results)),
        [
            *(
                (what, *(f"{r.usage.units.get(unit, 0.0) / r.notices:,.2f}" for r in results))
                for what, unit in units
            ),
            *((what, *(f"{r.stored[name]:,.0f}" for r in results)) for what, name in stored),
        ],
    )
    verdicts = []
    for result in results:
        scenario = result.scenario
        if scenario.calls is not None:
            verdicts.append(
                Verdict(
                    f"service calls a notice: {scenario.name}",
                    f"at most {scenario.calls}",
                    f"{result.calls:.3f}",
                    result.calls <= scenario.calls if result.notices >= 1000 else None,
                    CALLS_WHY,
                )
            )
        if scenario.cpu_ratio is not None:
            verdicts.append(
                Verdict(
                    f"CPU a notice over the plain handler's: {scenario.name}",
                    f"at most {scenario.cpu_ratio}",
                    f"{result.cpu_ratio:.3f}",
                    result.cpu_ratio <= scenario.cpu_ratio if result.notices >= 1000 else None,
                    CPU_WHY,
                )
            )
    return [figures, calls, sizes], verdicts


def of_startup(python: startup.Python, starts: Sequence[startup.Start]) -> tuple[Sheet, list[Verdict]]:
    """Milliseconds and ratios to the bare client."""
    what = (
        f"Python {python.version} with the layer as it is built and its bytecode"
        if python.as_deployed
        else f"Python {python.version} with this machine's libraries, for want of the runtime's own version"
    )
    sheet = Sheet(
        "Start of the handlers",
        ("handler", "wall ms", "CPU ms", "wall over bare", "CPU over bare"),
        [
            (
                start.name,
                f"{start.wall * 1e3:,.0f}",
                f"{start.cpu * 1e3:,.0f}",
                f"{start.wall_ratio:.2f}",
                f"{start.cpu_ratio:.2f}",
            )
            for start in starts
        ],
        (
            f"{what}. Fresh processes in turn, medians; the ratio is the median of the rounds' own ratios to "
            f'`import boto3; boto3.client("dynamodb")`. What is timed is the import of the handler, which is '
            "what Lambda does before the first event; clients are made at first use.",
        ),
    )
    slowest = max(
        (start for start in starts if start.name != startup.BARE), key=lambda start: start.cpu_ratio
    )
    verdict = Verdict(
        f"start over a bare client's, slowest handler ({slowest.name}), CPU",
        f"at most {startup.TARGET}",
        f"{slowest.cpu_ratio:.2f}",
        slowest.cpu_ratio <= startup.TARGET,
        START_WHY,
    )
    return sheet, [verdict]


def of_supply(found: supply.Supply | None) -> list[Sheet]:
    """The libraries that ship, with their licences; nothing where no layer could be built."""
    if found is None:
        return []
    return [
        Sheet(
            "What ships in the layer",
            ("library", "version", "licence"),
            [(row.name, row.version, row.licence) for row in found.libraries],
            (
                f"{len(found.libraries)} libraries, {found.unzipped:.0f} MiB unzipped with bytecode of the "
                f"{supply.SIZE_LIMIT:.0f} that are allowed, {found.zipped:.0f} MiB zipped; the package "
                "itself is not counted. Licences as the libraries' own metadata tell them.",
            ),
        )
    ]


def of_bill(
    results: Sequence[notices.Result], rows: Sequence[staging.Row]
) -> tuple[list[Sheet], list[Verdict]]:
    """The bill by line, its total by scenario, what a month costs beside it, ten million, and the prices."""
    largest = max(row["records"] for row in rows)
    staged = [row for row in rows if row["records"] == largest]
    rate = min(row["cpu_rate"] for row in staged)
    bills = [bill.bill(result, rate) for result in results]
    lines = Sheet(
        "Bill for a million notices, US dollars",
        ("line", *(result.scenario.name for result in results)),
        [
            (first.what, *(f"{column[number].usd:.3f}" for column in bills))
            for number, first in enumerate(bills[0])
        ]
        + [("**together**", *(f"**{bill.total(column):.2f}**" for column in bills))],
        (
            "Without the provider's fee. From the counts, item sizes, bytes and CPU measured here; a Lambda "
            f"core is taken to need {bill.CORE_FACTOR} times that CPU, and a function waits for answers as "
            "long as `ASSUMED_WAITS` in `bench/bill.py` says (an e-mail 60 ms by SES, 150 ms by OpenText). "
            "Not paced: where the account's rate is so low that workers wait for it, a second of waiting for "
            f"each notice costs {_waiting():.2f} dollars more. A receipt is one more write and read of the "
            "ledger and its share of a queue.",
        ),
    )
    standing = Sheet(
        "Beside the bill, a month",
        ("what", "quantity", "unit", "US dollars"),
        [
            (line.what, f"{line.quantity:,.0f}", line.unit, f"{line.usd:.2f}")
            for line in bill.standing(results[0])
        ],
        ("What a stack costs while nothing is sent, and a million notices while the ledger keeps them.",),
    )
    part_bytes = results[0].stored["parts"]
    fits = [
        bill.ten_million(
            row["form"], row["cpu_rate"], row["file_mb"] * 1e6 / row["records"], row["peak_mb"], part_bytes
        )
        for row in staged
    ]
    ten = Sheet(
        "Ten million documents in one run",
        ("form", "records/s of CPU", "seconds", "of", "MB", "of", "slices", "calls to queue them"),
        [
            (
                fit.form,
                f"{fit.rate:,.0f}",
                f"{fit.seconds:,.0f}",
                f"{fit.seconds_allowed}",
                f"{fit.memory:.0f}",
                f"{fit.memory_allowed}",
                f"{fit.messages:,}",
                f"{fit.queue_calls:,}",
            )
            for fit in fits
        ],
        (
            f"Computed from the rates at {largest:,} records: CPU times {bill.CORE_FACTOR} for safety, "
            f"reading at {bill.READ_BYTES_PER_SECOND / 1e6:.0f} MB a second, putting parts and queueing "
            "slices one after the other. Memory is the measured peak, which does not grow with the run.",
        ),
    )
    listed = Sheet(
        f"Prices ({prices.REGION}, list, {prices.AS_OF})",
        ("what", "US dollars", "per", "unit"),
        [
            (price.what, f"{price.usd:.10f}".rstrip("0"), f"{price.per:,.0f}", price.unit)
            for price in prices.PRICES.values()
        ],
    )
    verdicts = [
        Verdict(
            f"a million notices: {result.scenario.name}",
            f"below {bill.TARGET:.2f} dollars",
            f"{bill.total(column):.2f}",
            bill.total(column) < bill.TARGET if result.notices >= 1000 else None,
            BILL_WHY,
        )
        for result, column in zip(results, bills, strict=True)
        if result.scenario.name in ("one by one", "bulk")
    ]
    number, usd = bill.alarms_bill()
    verdicts.append(
        Verdict(
            "a stack's alarms, a month",
            f"at most {bill.ALARMS} for {bill.ALARMS_USD:.2f} dollars",
            f"{number} for {usd:.2f}",
            number <= bill.ALARMS and usd <= bill.ALARMS_USD,
        )
    )
    worst = max(fits, key=lambda fit: fit.seconds)
    verdicts.append(
        Verdict(
            f"ten million documents in one run, slowest form ({worst.form})",
            f"{worst.seconds_allowed} s, {worst.memory_allowed} MB",
            f"{worst.seconds:,.0f} s, {max(fit.memory for fit in fits):.0f} MB",
            all(fit.fits for fit in fits) if largest >= 100_000 else None,
            FIT_WHY,
        )
    )
    return [lines, standing, ten, listed], verdicts


def _waiting() -> float:
    """What a million seconds of a waiting send worker cost, in US dollars."""
    memory = functions()["send_notices"].memory / 1024
    return prices.PRICES["lambda_gb_seconds"].of(memory * bill.MILLION)
