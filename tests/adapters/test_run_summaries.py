"""Run summaries in any order, language and form; one in which nothing is known is refused."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exstream_notify.adapters.message_files import MessageFiles
from exstream_notify.adapters.rules import YamlRules
from exstream_notify.domain.composer_messages import RunSummary
from exstream_notify.domain.exceptions import Unusable

FILES = MessageFiles(YamlRules().messages)


def summary(text: str, encoding: str = "utf-8") -> RunSummary | None:
    return FILES.summary(io.BytesIO(text.encode(encoding)), "run.summary.txt")


def figures(text: str, encoding: str = "utf-8") -> tuple[int | None, int | None, int | None, bool]:
    found = summary(text, encoding)
    assert found is not None
    return found.exit_status, found.errors, found.customers, found.failed


SAID = [
    "BILLING customers=1234 pages=1450 errors=4 exit=8",
    "Customers: 1234\nPages: 200\nErrors: 4\nExit Code: 8\n",
    "EXIT CODE: 8\r\nERRORS: 4\r\nCUSTOMERS: 1,234\r\n",
    "exit status = 8; errors = 4; customers = 1.234",
    "Return Code 8\nErrors\t4\nCustomers     1 234",
    "RC=8, 4 errors, 1,234 customers",
    "RC=0008 ERRORS=0004 CUSTOMERS=00001234",
    "1'234 customers processed, 4 errors, run ended with return code 8.",
    "Run BILLING ended 2026-11-30 02:00:01 with exit code 8 after 12.5 seconds: 1,234 customers, 4 errors",
    "Customers processed ......... 1,234\nErrors found ................ 4\nExit status of the run ...... 8",
    "Total customers -> 1234\nTotal errors -> 4\nCompletion code -> 8",
    "| Customers | 1,234 |\n| Errors | 4 |\n| Exit code | 8 |",
    "Exit code,8\nErrors,4\nCustomers,\"1,234\"",
    # Tables: names above values.
    "Application | Customers | Errors | Exit Code\n------------|-----------|--------|----------\nBILLING     | 1,234     | 4      | 8",
    "|App|Customers|Errors|RC|\n|---|---:|---:|---:|\n|BILLING|1,234|4|8|",
    "app,customers,pages,errors,exit_status\nBILLING,1234,1450,4,8\n",
    "app;customers;errors;rc\nBILLING;1.234;4;8",
    "Customers\tPages\tErrors\tReturn Code\n1234\t1450\t4\t8",
    "Customers   Pages   Errors   Exit Status\n---------   -----   ------   -----------\n    1,234   1,450        4             8",
    "Step      Customers  Errors  RC\nCompose       1,234       4   0\nPackage           7       0   8",
    "customers pages errors rc\n1234 1450 4 8",
    # JSON and XML.
    '{"customers": 1234, "errors": 4, "exitCode": 8}',
    '{"run": {"totals": {"customersProcessed": "1,234", "errorCount": 4}, "exitStatus": {"code": 8}}}',
    '{\n "figures": [\n  {"name": "errors", "value": 4},\n  {"name": "customers", "value": 1234},\n  {"name": "return code", "value": 8}\n ]\n}',
    "<summary><customers>1234</customers><errors>4</errors><exitCode>8</exitCode></summary>",
    '<?xml version="1.0"?>\n<run customers="1234" errors="4" exit-status="8"/>',
    "<s:run xmlns:s='urn:x'>\n<s:returnCode>\n8\n</s:returnCode>\n<s:errors count='4'/>\n<s:customers processed='1234'/></s:run>",
    "<s><f><name>errors</name><value>4</value></f><f><name>customers</name><value>1234</value></f><f><name>exit code</name><value>8</value></f></s>",
    "Fehler 4, Kunden 1.234, Rückgabewert 8",
    "customers 1234 errors 4 rc 8",
    "Exit Code\n8\nErrors\n4\nCustomers\n1,234",
    # Other languages.
    "Kunden: 1.234\nSeiten: 1.450\nFehler: 4\nRückgabewert: 8",
    "RUECKGABEWERT = 8\nFEHLER = 4\nKUNDEN = 1 234",
    "1.234 Kunden verarbeitet, 4 Fehler, Exitcode 8",
    "Anzahl Kunden\tAnzahl Fehler\tRückgabecode\n1.234\t4\t8",
    "Clients : 1 234\nPages : 1 450\nErreurs : 4\nCode de retour : 8",
    "Clients traités : 1\u202f234\nErreurs : 4\nCode de sortie : 8",
    "Clientes: 1.234\nErrores: 4\nCódigo de salida: 8",
    "CLIENTES PROCESADOS = 1.234\nERRORES = 4\nCÓDIGO DE RETORNO = 8",
    "Clienti: 1.234\nErrori: 4\nCodice di uscita: 8",
    "顧客: 1,234\nエラー: 4\n終了コード: 8",
]  # fmt: skip


@pytest.mark.parametrize(
    "text",
    [
        "Customers Pages Errors Status\n100 200 0 8",
        "Status: 8",
        "Status\tCustomers\n8\t100",
        "The job ended with status 8.",
        "engine exited with code 8",
        "Das Programm wurde mit Code 8 beendet",
        "Le programme s'est terminé avec le code 8",
        "STEP1 - STEP WAS EXECUTED - COND CODE 0008",
        "MAXCC=8",
        "Errorlevel 8",
        "Result code : 8",
    ],
)
def test_a_status_that_is_a_number_is_the_exit_status(text: str) -> None:
    assert figures(text)[0] == 8


def test_an_exit_status_counts_before_any_other_status() -> None:
    assert figures("Status: 4\nExit code: 0\n")[0] == 0


@pytest.mark.parametrize("text", SAID)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-8-sig"])
def test_the_same_figures_in_any_form(text: str, encoding: str) -> None:
    assert figures(text, encoding) == (8, 4, 1234, False)


@pytest.mark.parametrize("text", [t for t in SAID if not any(c > "\xff" for c in t)])
@pytest.mark.parametrize("end", ["\r\n", "\r", "\x85"])
def test_the_same_figures_with_any_line_end(text: str, end: str) -> None:
    assert figures(text.replace("\r\n", "\n").replace("\n", end), "latin-1") == (8, 4, 1234, False)


@given(
    st.permutations([("Exit code", "8"), ("Errors", "4"), ("Customers", "1,234"), ("Pages", "77"), ("Seconds", "12.5")]),
    st.sampled_from([": ", "=", " = ", "\t", " | ", " ....... ", " -> "]),
    st.sampled_from(["\n", "\r\n", "; "]),
    st.sampled_from([str.lower, str.upper, str.title]),
)  # fmt: skip
def test_the_order_and_case_do_not_matter(pairs, between, end, case) -> None:  # type: ignore[no-untyped-def]
    text = end.join(f"{case(name)}{between}{value}" for name, value in pairs)
    assert figures(text) == (8, 4, 1234, False)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Customers: 7\nExit status: 0\n", (0, None, 7, False)),
        ("Exit code: -1", (-1, None, None, False)),
        ("Exit code: 0x8", (8, None, None, False)),
        ("Step 1 RC=0\nStep 2 RC=8\nStep 3 RC=4", (8, None, None, False)),
        ("Errors: 0\nSevere errors: 2", (None, 2, None, False)),
        ("Run completed. No errors.", (None, 0, None, False)),
        ("Keine Fehler, Rückgabewert 0", (0, 0, None, False)),
        ("Errors: none\nCustomers: 5", (None, 0, 5, False)),
        ("Error 1234 occurred before\nCustomers: 5", (None, None, 5, False)),
        ("Errors: none   Pages: 200\nCustomers: 5", (None, 0, 5, False)),
        ("Errors allowed: 10\nMax errors: 10\nErrors: 1", (None, 1, None, False)),
        ("Status: FAILED\nCustomers: 100", (None, None, 100, True)),
        ("Exit status: S0C4\nCustomers: 100", (None, None, 100, True)),
        ("Exit status: OK", (None, None, None, False)),
        ('{"status": "canceled", "customers": 3}', (None, None, 3, True)),
        ("<job><status>complete</status></job>", (None, None, None, False)),
        ("Ergebnis: fehlgeschlagen", (None, None, None, True)),
        ("Started 2026-11-30 02:00:01, ended 02:05:00; errors: 3", (None, 3, None, False)),
        ("\n" * 1500 + "x\n" * 3000 + "Exit code: 8", (8, None, None, False)),
    ],
)
def test_what_a_summary_says(text: str, found: tuple[int | None, int | None, int | None, bool]) -> None:
    assert figures(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "Customers: 1,234\nErrors (4)\nExit code [8]",
        "Customers <1234> Errors <4> RC <8>",
        "Customers: 1234.0\nErrors: 4.00\nExit code: 8.0",
        "BILLING 20261130 customers 1234 errors 4 exit 8",
        "Totals: Customers 1,234, Errors 4, Exit 8",
        "Le traitement s'est terminé avec le code de retour 8, 4 erreurs, 1 234 clients",
        "Kundenanzahl: 1.234\nFehlerzahl: 4\nEndecode: 8",
        "Nombre de clients : 1 234\nErreurs : 4\nCode de fin : 8",
        "Número de clientes: 1.234\nErrores: 4\nCódigo de finalización: 8",
        "<run><!-- exit code 99 --><exitCode>8</exitCode><errors>4</errors><customers>1234</customers></run>",
    ],
)
def test_brackets_decimals_titles_and_further_labels(text: str) -> None:
    assert figures(text) == (8, 4, 1234, False)


@pytest.mark.parametrize(
    "text",
    ["Run 20261130 exit code 0", "Job 4711 customers 5 errors 0 rc 0", "Errors: 0\nEngine 16.0.1 exit 0"],
)
def test_a_runs_number_is_no_figure(text: str) -> None:
    found = figures(text)
    assert (found[0], found[1] or 0, found[3]) == (0, 0, False)


@pytest.mark.parametrize(
    ("line", "failed"),
    [
        ("Run aborted.", True),
        ("The job has failed", True),
        ("JOB BILLING ENDED - ABEND S222", True),
        ("Lauf abgebrochen", True),
        ("Status: Completed with errors", True),
        ("Lauf beendet mit Fehlern: siehe Protokoll", True),
        ("Run completed successfully", False),
        ("Run completed without errors", False),
        ("No step failed.", False),
        ("If the run failed, call the desk.", False),
        ("Run  Failed  Completed", False),
    ],
)
def test_what_words_say_of_the_end(line: str, failed: bool) -> None:
    assert figures(f"Customers: 5\n{line}\n")[3] == failed
    assert figures(f"Exit code: 0\n{line}\n")[0] == 0


@pytest.mark.parametrize(
    "line",
    ["Status: incomplete", "Status: not successful", "Zustand: nicht erfolgreich", "Endekode: 8"],
)
def test_an_end_that_nobody_understands_is_told_beside_the_figures(line: str) -> None:
    found = summary(f"Customers: 5\n{line}\nErrors: 3\n")
    assert found is not None
    assert (found.customers, found.errors, found.unclear) == (5, 3, True)
    clear = summary(f"Customers: 5\n{line}\nReturn code: 0\n")
    assert clear is not None
    assert not clear.unclear


@pytest.mark.parametrize("text", ["", "\n \n", "\ufeff"])
def test_an_empty_summary_says_nothing(text: str) -> None:
    assert summary(text) is None


@pytest.mark.parametrize(
    "text", ["nothing of use", '{"pages": 200}', "<a><b>x</b></a>", "Ausgang: acht", "[]"]
)
def test_a_summary_in_which_nothing_is_known_is_refused(text: str) -> None:
    with pytest.raises(Unusable, match="summary_keys"):
        summary(text)
