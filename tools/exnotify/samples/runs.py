"""The sample runs: where each comes from, how it is written, and what must become of it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ..seal import seal_folder, write_seal
from .forms import csv_gz, json_objects, native, psv_utf16, xml_latin1
from .pdf import page
from .records import CASES, COLLECTIONS, POLICIES, RENEWALS, STATEMENTS, Record

AT = "2026-11-20T15:00:00+00:00"
"""When the samples are dropped: ten in the morning in New York, seven in Los Angeles."""


@dataclass(frozen=True, slots=True)
class SampleRun:
    """One run. `outcomes` are what its records must come to, `customers_expected` what the seal says;
    `needs_look` is what is wrong with it on purpose (values of `Look`), empty where it ends clean."""

    use_case: str
    title: str
    domain: str
    run_id: str
    index: str
    written: str
    records: Sequence[Record]
    form: Callable[[Sequence[Record]], bytes]
    outcomes: Mapping[str, int]
    customers_expected: int
    needs_look: frozenset[str] = frozenset()

    @property
    def complete(self) -> bool:
        """Whether every expected customer is in it."""
        return self.customers_expected == len(self.records)


SAMPLES: Sequence[SampleRun] = (
    SampleRun(
        "uc1", "statements, bills", "retail", "uc1-statements",
        "_STDDELIVERYFILE.xml", "native manifest",
        STATEMENTS, native,
        {"notified": 5, "suppressed": 2, "deferred": 1, "paper": 1, "duplicate": 1}, 10,
        frozenset({"not_notified"}),
    ),
    SampleRun(
        "uc2", "policies, contracts", "insurance", "uc2-policies",
        "policies.index.jsonl", "JSON objects, UTF-8",
        POLICIES, json_objects, {"notified": 6, "paper": 1}, 7,
    ),
    SampleRun(
        "uc3", "reminders, demands", "lending", "uc3-collections",
        "collections.index.psv", "pipe-separated, UTF-16",
        COLLECTIONS, psv_utf16, {"notified": 4, "suppressed": 1, "unconfirmed": 1}, 6,
        frozenset({"unconfirmed", "incident"}),
    ),
    SampleRun(
        "uc4", "claims, case letters", "claims", "uc4-cases",
        "cases.index.xml", "XML, Latin-1",
        CASES, xml_latin1, {"notified": len(CASES)}, len(CASES) + 2,
        frozenset({"not_composed"}),
    ),
    SampleRun(
        "uc6", "access prompts", "insurance", "uc6-renewals",
        "renewals.index.csv.gz", "CSV, gzipped",
        RENEWALS, csv_gz, {"notified": 5, "rejected": 1}, 6,
        frozenset({"rejected"}),
    ),
)  # fmt: skip


def write_samples(folder: Path) -> list[Path]:
    """Write the sample runs below a folder, sealed, with their documents; the runs' folders, in order."""
    return [write_sample(folder / sample.run_id, sample) for sample in SAMPLES]


def write_sample(folder: Path, sample: SampleRun) -> Path:
    """Write one run: documents, index, seal."""
    for record in sample.records:
        path = folder / record["output_uri"]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(page(record["document_id"]))
    (folder / sample.index).write_bytes(sample.form(sample.records))
    seal, _ = seal_folder(
        folder,
        domain=sample.domain,
        run_id=sample.run_id,
        app="samples",
        started_at="2026-11-20T04:00:00Z",
        ended_at="2026-11-20T04:12:10Z",
        customers_expected=sample.customers_expected,
        customers_processed=len(sample.records),
    )
    write_seal(folder, seal)
    return folder
