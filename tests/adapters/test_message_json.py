"""Message files as JSON: an array, an object with a list, an object a line; whole or cut off."""

import io
import json
import tracemalloc
from collections.abc import Iterator

import pytest

from exstream_notify.adapters.message_files import MessageFiles
from exstream_notify.adapters.message_json import OBJECT_CHARS, JsonMessages
from exstream_notify.adapters.rules import YamlRules
from exstream_notify.domain.composer_messages import Grouped
from exstream_notify.domain.customer_ranges import to_text
from exstream_notify.domain.exceptions import Unusable

FILES = MessageFiles(YamlRules().messages)
APART = [
    {"number": "003004", "severity": "Warning", "customer": 4, "text": "Color"},
    {"number": "004120", "severity": "Error", "customer": 9, "text": "see \"EX009999S\""},
    {"number": "002608", "severity": "Severe", "customer": 11, "text": "Stop"},
]  # fmt: skip
WHOLE = [
    {"code": "EX003004W", "customer": 4, "message": "EX003004W (4) Color"},
    {"code": "EX004120E", "customer": 9, "message": "Missing"},
    {"code": "EX002608S", "customer": 11, "message": "Stop"},
]
LINES = ["EX003004W (4) Color", "EX004120E (9) Missing", "EX002608S (11) Stop"]
SAID = {"EX003004W": (1, "4"), "EX004120E": (1, "9"), "EX002608S": (1, "11")}


def read(text: str, grouped: Grouped | None = None) -> tuple[dict[str, tuple[int, str]], Grouped]:
    """Count and customers by code, also where the file is refused in the end."""
    grouped = grouped or Grouped(lambda _, said: said)
    list(FILES.read(io.BytesIO(text.encode()), "ExstreamMessages.dat", "messages", grouped))
    return told(grouped), grouped


def told(grouped: Grouped) -> dict[str, tuple[int, str]]:
    return {g.code: (g.count, to_text(g.customers.ranges())) for g in grouped.groups.values()}


@pytest.mark.parametrize("messages", [APART, WHOLE, LINES, [{"log": f"{line}\n"} for line in LINES]])
@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("form", ["array", "object", "nested", "lines"])
def test_every_message_is_read_in_any_form(messages: list[object], indent: int | None, form: str) -> None:
    text = {
        "array": json.dumps(messages, indent=indent),
        "object": json.dumps({"run": "r-1", "count": 3, "messages": messages}, indent=indent),
        "nested": json.dumps([{"app": "BILLING", "log": {"entries": messages}}], indent=indent),
        "lines": "".join(json.dumps({"entry": m}, indent=indent) + "\n" for m in messages),
    }[form]
    found, grouped = read(text)
    assert (found, grouped.unmatched) == (SAID, 0)


def test_lines_of_text_between_objects_are_read_and_counted() -> None:
    found, grouped = read(f"{json.dumps(WHOLE[0])}\n{LINES[1]}\nhello\n{json.dumps(WHOLE[2])}\n")
    assert (found, grouped.unmatched, grouped.first_unmatched) == (SAID, 1, 3)


def test_a_text_of_several_lines_is_as_many_messages() -> None:
    assert read(json.dumps({"log": "\n".join(LINES)}))[0] == SAID


@pytest.mark.parametrize("indent", [None, 1])
def test_a_file_that_is_cut_off_is_reported_and_counts_as_far_as_it_goes(indent: int | None) -> None:
    text = json.dumps({"run": "r-1", "messages": APART}, indent=indent)
    grouped = Grouped(lambda _, said: said)
    with pytest.raises(Unusable, match="not well-formed JSON"):
        read(text[: text.rindex("Severe")], grouped)
    assert told(grouped) == {"EX003004W": (1, "4"), "EX004120E": (1, "9")}


@pytest.mark.parametrize("indent", [None, 1])
def test_a_large_file_is_read_whole_in_little_memory(indent: int | None) -> None:
    many = [
        {"number": "004120", "severity": "Error", "customer": n, "text": "x" * 60} for n in range(1, 20_001)
    ]
    text = json.dumps({"run": "r-1", "messages": [*many, APART[2]]}, indent=indent)
    tracemalloc.start()
    found, _ = read(text)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == {"EX004120E": (20_000, "1-20000"), "EX002608S": (1, "11")}
    assert peak < 30 * 1024 * 1024


@pytest.mark.parametrize(("chars", "at_once"), [(OBJECT_CHARS - 1, False), (OBJECT_CHARS, True)])
def test_the_list_of_an_object_is_read_before_its_end_where_the_object_is_large(
    chars: int, at_once: bool
) -> None:
    head = '{"messages": [' + ",".join(json.dumps(m) for m in WHOLE) + ', {"note": "'
    given: list[int] = []

    def pieces() -> Iterator[str]:
        for piece in (head + "x" * (chars - len(head)), '"}]}'):
            given.append(len(piece))
            yield piece

    grouped = Grouped(lambda _, said: said)
    groups = JsonMessages("a.dat", grouped, YamlRules().messages.severities).read(pieces())
    assert next(groups).code == "EX003004W"
    assert (given == [chars]) is at_once
    list(groups)
    assert told(grouped).items() >= SAID.items()


@pytest.mark.parametrize(
    "text",
    [
        '{"a":\n' * 20_000,
        '{"a":' * 20_000,
        '{"a":' * 900 + "1" + "}" * 900,
        '["x\n' * 20_000,
        '{"a": 1}',
        "[{}, {}]",
    ],
)
def test_hostile_files_and_such_without_a_message_are_refused(text: str) -> None:
    with pytest.raises(Unusable):
        read(text)
