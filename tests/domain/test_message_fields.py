"""A message from named fields, and messages of a line and of a code, row by row and as whole values."""

from typing import Any

import pytest

from exstream_notify.domain.composer_messages import (
    CODES,
    HEADS,
    ComposerMessage,
    Group,
    Grouped,
    RunSummary,
    messages_of,
    read_lines,
    time_of,
)
from exstream_notify.domain.masking import KEPT, LOOKED_AT, Sampled
from exstream_notify.domain.message_fields import (
    is_code,
    is_known,
    is_message_text,
    is_severity,
    message_of_fields,
    messages_of_object,
    squeezed,
)

WORDS: Any = {
    "severe": "severe",
    "fatal": "severe",
    "error": "error",
    "e": "error",
    "warning": "warning",
    "info": "info",
}


@pytest.mark.parametrize(
    ("name", "plain"),
    [
        ("Msg_No", "msgno"), ("x:Message-Code", "messagecode"), ("a:b:c", "c"), ("Gravité", "gravite"), ("Nº", "no"),
        ("Customer In Run", "customerinrun"),
    ],
)  # fmt: skip
def test_a_name_without_its_dress(name: str, plain: str) -> None:
    assert squeezed(name) == plain


NUMBERS = [
    "code",
    "msgcode",
    "messagecode",
    "errorcode",
    "eventcode",
    "msgno",
    "messageno",
    "msgnr",
    "msgnumber",
    "messagenumber",
    "msgid",
    "messageid",
    "errorno",
    "errornumber",
    "errorid",
    "number",
    "fehlercode",
    "msgnum",
    "fehlernummer",
    "meldungsnummer",
    "meldungsnr",
    "nummer",
    "numero",
    "codigo",
    "numeromessage",
]
SEVERITIES = [
    "severity",
    "sev",
    "severitycode",
    "severitylevel",
    "level",
    "loglevel",
    "errorlevel",
    "messagelevel",
    "msglevel",
    "messagetype",
    "msgtype",
    "msgsev",
    "msgseverity",
    "type",
    "class",
    "category",
    "kind",
    "priority",
    "schwere",
    "schweregrad",
    "stufe",
    "klasse",
    "art",
    "gravite",
    "severite",
    "niveau",
    "gravedad",
    "severidad",
    "nivel",
]
CUSTOMERS = [
    "customerinrun",
    "customernumber",
    "customerno",
    "customerseq",
    "sequence",
    "seq",
    "customer",
    "cust",
    "custinrun",
    "custno",
    "custnum",
    "custnumber",
    "custseq",
    "kunde",
    "cliente",
]
TEXTS = [
    "text",
    "message",
    "messagetext",
    "msgtext",
    "description",
    "msg",
    "value",
    "detail",
    "details",
    "meldung",
    "meldungstext",
    "beschreibung",
    "texte",
    "mensaje",
    "descripcion",
]
TIMES = [
    "time",
    "timestamp",
    "date",
    "datetime",
    "at",
    "when",
    "zeit",
    "zeitstempel",
    "datum",
    "heure",
    "fecha",
]


@pytest.mark.parametrize("name", [*NUMBERS, "no", "nr", "num", "id", *SEVERITIES, *CUSTOMERS, *TEXTS, *TIMES])
def test_every_name_that_says_something(name: str) -> None:
    assert is_known(name, "x")
    assert is_severity(name) is (name in SEVERITIES)
    assert is_message_text(name, "EX000001E x") is (name in TEXTS)
    assert is_code(name, "4120") is (name in NUMBERS or name in ("no", "nr", "num", "id"))
    assert is_code(name, " 412 ") is (name in NUMBERS)


@pytest.mark.parametrize(
    ("name", "value", "known", "code"),
    [
        ("colour", "red", False, False),
        ("colour", "EX004120E", True, True),
        ("colour", "[ex004120]", True, True),
        ("colour", "EX004120 - E", True, True),
        ("colour", "EX004120X", False, False),
        ("my customer", "x", True, False),
        ("code", "123456789", True, False),
        ("code", "12x", True, False),
    ],
)
def test_a_field_by_its_value(name: str, value: str, known: bool, code: bool) -> None:
    assert (is_known(name, value), is_code(name, value)) == (known, code)
    assert not is_message_text("text", "see EX004120E")
    assert not is_message_text("text", "no code")


def made(*fields: tuple[str, str], own: str = "") -> ComposerMessage | None:
    return message_of_fields(fields, own, WORDS)


@pytest.mark.parametrize(
    ("fields", "own", "message"),
    [
        ([("code", "EX004120E"), ("text", "Field empty")], "", ComposerMessage("EX004120E", "Field empty")),
        ([("code", "ex004120 w")], "own text", ComposerMessage("EX004120W", "own text")),
        ([("code", "EX004120"), ("severity", "Error")], "", ComposerMessage("EX004120E", "")),
        ([("code", "EX004120")], "", ComposerMessage("EX004120", "")),
        ([("number", "4120"), ("severity", "fatal")], "", ComposerMessage("EX004120S", "")),
        ([("number", "0004120")], "t", ComposerMessage("EX004120", "t")),
        ([("number", "412"), ("severity", "warning")], "", ComposerMessage("EX000412W", "")),
        ([("number", "412")], "", None),  # a running number, perhaps
        ([("id", "4120")], "", None),
        ([("id", "4120"), ("level", "info")], "", ComposerMessage("EX004120I", "")),
        ([("id", "412"), ("level", "info")], "", None),
        ([("number", "0000")], "", None),
        ([("number", "1234567"), ("severity", "error")], "", None),
        # The severity given is the worse of the letter's and the field's.
        ([("code", "EX004120W"), ("severity", "severe")], "", ComposerMessage("EX004120W", "", severity="severe")),
        ([("code", "EX004120S"), ("severity", "info")], "", ComposerMessage("EX004120S", "")),
        ([("sev", "code 7, error")], "EX004120 x", None),
        ([("level", "unknown"), ("severity", "-"), ("type", "warning")], "EX000001E x", ComposerMessage("EX000001E", "x")),
        # A field for codes comes before any other; a text in which a message begins has it all.
        ([("colour", "EX000001E"), ("msgid", "EX000002E")], "", ComposerMessage("EX000002E", "")),
        (
            [("text", "2026-11-20 04:01:17 EX004120E (12) Field empty")],
            "",
            ComposerMessage("EX004120E", "Field empty", "2026-11-20 04:01:17", 12),
        ),
        (
            [("code", "EX000001E"), ("text", "EX004120E (12) Field empty")],
            "",
            ComposerMessage("EX000001E", "EX004120E (12) Field empty"),
        ),
        (
            [("time", "2026-11-20 04:01:17"), ("customer", "7"), ("text", "EX004120E (12) Field empty")],
            "",
            ComposerMessage("EX004120E", "Field empty", "2026-11-20 04:01:17", 12),
        ),
        (
            [("date", "2026-11-20"), ("time", "04:01:17"), ("code", "EX004120E"), ("cust", " 7 ")],
            "",
            ComposerMessage("EX004120E", "", "", 7),
        ),
        (
            [("at", "2026-11-20 04:01:17"), ("code", "EX004120E")],
            "",
            ComposerMessage("EX004120E", "", "2026-11-20 04:01:17"),
        ),
        ([("code", "EX004120E"), ("detail", "more"), ("message", "text")], "", ComposerMessage("EX004120E", "text")),
        ([], "EX004120E (3) x", ComposerMessage("EX004120E", "x", customer=3)),
        ([], "nothing", None),
        ([], "", None),
        ([("text", "")], "", None),
    ],
)  # fmt: skip
def test_the_message_that_fields_make(
    fields: list[tuple[str, str]], own: str, message: ComposerMessage | None
) -> None:
    assert made(*fields, own=own) == message


@pytest.mark.parametrize(
    ("fields", "customer"),
    [
        ([("customer", "7")], 7),
        ([("customer", "C7"), ("seq", "8")], 8),
        ([("seq", "8"), ("customerinrun", "9")], 9),  # the first name of the list
        ([("customer", "1234567890")], None),
        ([("customer", "٧")], None),
        ([("mycustomernumber", "7")], 7),
        *(
            ([(name, "7")], None)
            for name in ("customerid", "customerkey", "customeraccount", "customercount", "customername")
        ),
        *(([(name, "7")], None) for name in ("customeremail", "customerref", "colour")),
    ],
)
def test_the_customer_that_fields_name(fields: list[tuple[str, str]], customer: int | None) -> None:
    found = made(("code", "EX004120E"), *fields)
    assert found is not None
    assert found.customer == customer


def test_messages_in_a_value_of_json() -> None:
    value: Any = {
        "run": "r",
        "count": 3,
        "ok": True,
        "messages": [
            {"code": "EX000001E", "customer": 7, "more": {"code": "EX000009E"}},
            "EX000002W (8) x\nEX000003I y\nnothing",
            {"deep": {"list": [["EX000004S z"]]}},
            17,
            None,
        ],
    }
    found = list(messages_of_object(value, WORDS))
    assert [(m.code, m.customer, m.text) for m in found] == [
        ("EX000001E", 7, ""),
        ("EX000002W", 8, "x"),
        ("EX000003I", None, "y"),
        ("EX000004S", None, "z"),
    ]
    assert list(messages_of_object({"code": True, "text": "x"}, WORDS)) == []


# --- lines ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-11-20 04:01:17", "2026-11-20 04:01:17"), ("2026.11.20T04:01", "2026.11.20 04:01"), ("20/11/26, 4:01:17 pm", "20/11/26 4:01:17 pm"),
        ("20. Nov. 2026 04:01:17", ""), ("20.Nov.2026 04:01:17.123+01:00", "20.Nov.2026 04:01:17"), ("Nov 20, 2026 04:01:17 A.M.", "Nov 20, 2026 04:01:17 A.M."),
        ("Nov 20 04:01:17 amen", "Nov 20 04:01:17"), ("04:01:17", ""), ("2026-11-20", ""), ("", ""),
        ("x 2026-11-20 04:01:17 y 2026-11-21 05:01:17", "2026-11-20 04:01:17"),
    ],
)  # fmt: skip
def test_the_first_day_and_time_of_a_text(text: str, at: str) -> None:
    assert time_of(text) == at


@pytest.mark.parametrize(
    ("line", "messages"),
    [
        ("EX004120E", [ComposerMessage("EX004120E", "")]),
        ("EX004120E: text", [ComposerMessage("EX004120E", "text")]),
        ("EX004120E (0) text", [ComposerMessage("EX004120E", "text", "", 0)]),
        ("EX004120E (1234567890) text", [ComposerMessage("EX004120E", "(1234567890) text")]),
        (
            "2026-11-20 04:01:17 EX004120E (3) text \0",
            [ComposerMessage("EX004120E", "text", "2026-11-20 04:01:17", 3)],
        ),
        (
            "2026-11-20 04:01:17 EX004120E a 2026-11-20 04:01:18 EX000001W b",
            [
                ComposerMessage("EX004120E", "a", "2026-11-20 04:01:17"),
                ComposerMessage("EX000001W", "b", "2026-11-20 04:01:18"),
            ],
        ),
        (
            "EX004120E a [2026-11-20 04:01:18] EX000001W b",
            [ComposerMessage("EX004120E", "a ["), ComposerMessage("EX000001W", "b", "2026-11-20 04:01:18")],
        ),
        ("a EX004120E b EX000001W", [ComposerMessage("EX004120E", "b EX000001W")]),
        ("refer to EX004120E", []),
        ("Siehe »EX004120E", [ComposerMessage("EX004120E", "")]),
        ("voir (EX004120E", []),
        ("x. EX004120E", [ComposerMessage("EX004120E", "")]),
        ("1EX004120E x", [ComposerMessage("EX004120E", "x")]),
        ("2EX004120E x", []),
        ("11EX004120E x", []),
        ("no code", []),
    ],
)
def test_the_messages_of_a_line_are_compared_as_a_whole(line: str, messages: list[ComposerMessage]) -> None:
    assert messages_of(line) == messages


def test_an_indented_line_begins_a_message_by_marks_or_a_time_alone() -> None:
    for before, begins in (("  ", 1), (" - [", 1), (" 2026-11-20 04:01:17 ", 1), (" word ", 0), (" 7 ", 0)):
        assert len(messages_of(f"{before}EX004120E x", goes_on=True)) == begins


def test_a_mark_tells_a_message_by_customer_and_beginning() -> None:
    plain = ComposerMessage("EX004120E", "Field, empty!\nmore", "t", 7)
    assert plain.mark == "2af895c3"
    same = (
        ComposerMessage("EX000001W", "field EMPTY\nother", "", 7),
        ComposerMessage("x", "  Field empty", "", 7),
        ComposerMessage("x", "fieldempty", "", 7, "severe"),
    )
    assert {one.mark for one in same} == {plain.mark}
    others = {ComposerMessage("x", "Field empty", "", n).mark for n in (None, 8)}
    assert len(others | {plain.mark, ComposerMessage("x", "Field emptyx", "", 7).mark}) == 4
    long = ["y" * 80 + end for end in ("a", "b")]
    assert len({ComposerMessage("x", text).mark for text in long}) == 1
    assert len({ComposerMessage("x", "y" * 79 + end).mark for end in ("a", "b")}) == 2


# --- groups ---------------------------------------------------------------------------------------------------


def test_a_group_has_count_times_customers_samples_and_marks_of_the_first() -> None:
    group = Group("EX004120E", "error")
    messages = [
        ComposerMessage("EX004120E", f"text {n}", f"t{n}" if n in (1, 2, 4) else "", n % 3 or None)
        for n in range(10)
    ]
    for message in messages:
        group.add(message)
    assert (group.count, group.first, group.last) == (10, "t1", "t4")
    assert list(group.customers.ranges()) == [(1, 2)]
    assert group.heads == [m.mark for m in messages[:HEADS]]
    assert group.sampled == [Sampled(m.text, m.customer) for m in messages]
    assert HEADS == 8


def test_samples_stand_for_the_whole_file_and_are_cut() -> None:
    group = Group("EX004120E", "error")
    for number in range(KEPT + 5):
        group.add(ComposerMessage("EX004120E", f"{number} " + "x" * 900))
    numbers = [int(s.text.split()[0]) for s in group.sampled]
    assert numbers == [*range(0, KEPT + 1, 2), *range(KEPT + 2, KEPT + 5, 2)]
    assert {len(s.text) for s in group.sampled} == {LOOKED_AT + 1}


def grouped(**severities: Any) -> Grouped:
    """Severities by code where the rules say another one than the message."""
    return Grouped(lambda code, said: severities.get(code, said))


def test_messages_are_grouped_by_code_and_queue_and_each_group_is_given_out_once() -> None:
    found = grouped(EX000003W=None)
    first = found.add(ComposerMessage("EX000001E", "a"), "Q1")
    assert first is not None
    assert (first.code, first.severity, first.queue, first.count) == ("EX000001E", "error", "Q1", 1)
    assert found.add(ComposerMessage("EX000001E", "b"), "Q1") is None
    assert found.add(ComposerMessage("EX000001E", "c"), "Q2") is not None
    assert found.add(ComposerMessage("EX000003W", "d")) is None, "the rules pass over it"
    assert {key: group.count for key, group in found.groups.items()} == {
        ("EX000001E", "Q1"): 2,
        ("EX000001E", "Q2"): 1,
    }
    assert found.messages == 4


def test_a_severe_message_of_a_known_code_is_given_out_again() -> None:
    found = grouped()
    assert found.add(ComposerMessage("EX000001W", "a")) is not None
    assert found.add(ComposerMessage("EX000001W", "b", severity="info")) is None
    assert found.add(ComposerMessage("EX000001W", "c", severity="error")) is None
    group = found.groups["EX000001W", ""]
    assert (group.severity, group.count) == ("error", 3)
    again = found.add(ComposerMessage("EX000001W", "d", severity="severe"))
    assert again is group
    assert (group.severity, group.count) == ("severe", 4)
    assert found.add(ComposerMessage("EX000001W", "e", severity="severe")) is None
    other = grouped(OTHER="warning")
    assert other.add(ComposerMessage("OTHER", "x")) is not None
    assert other.groups["OTHER", ""].severity == "warning"
    assert grouped().add(ComposerMessage("OTHER", "x")).severity == "error"  # type: ignore[union-attr]


def test_codes_beyond_the_limit_share_a_group_except_severe_ones() -> None:
    found = grouped()
    for number in range(CODES):
        found.add(ComposerMessage(f"EX{number:06}E", "x"), "Q")
    assert found.add(ComposerMessage("EX900000E", "x"), "Q") is not None
    assert found.add(ComposerMessage("EX900001E", "x"), "Q") is None
    assert found.groups["engine_messages", ""].count == 2
    assert found.add(ComposerMessage("EX900002S", "x"), "Q") is not None
    assert ("EX900002S", "Q") in found.groups
    assert CODES == 500


def test_lines_that_are_no_message_are_counted_with_the_first_number() -> None:
    found = grouped()
    lines = [
        (1, "hello"),
        (2, "  indented, below nothing"),
        (3, "EX000001E x"),
        (4, "\tgoes on"),
        (4, "a further piece of the line"),
        (5, " \t\0"),
        (6, "world"),
        (7, "  below no message"),
        (8, "EX000001E y"),
        (8, "a further piece of the message"),
        (9, "end"),
    ]
    groups = list(read_lines(lines, found))
    assert [group.code for group in groups] == ["EX000001E"]
    assert (found.messages, found.unmatched, found.first_unmatched) == (2, 5, 1)
    found.is_unmatched(20, 3)
    assert (found.unmatched, found.first_unmatched) == (8, 1)
    for number in (5, 9):
        found.is_open(number)
        found.is_disputed(number + 1)
    assert (found.open_quotes, found.first_open_quote, found.disputed, found.first_disputed) == (2, 5, 2, 6)
    assert (found.passed, RunSummary()) == (0, RunSummary(None, None, None, failed=False, unclear=False))
