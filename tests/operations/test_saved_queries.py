"""The saved queries: CloudWatch Logs Insights takes them, and the fields that they read are logged."""

import ast
from collections.abc import Iterator

import pytest

from exnotify.local import ROOT
from exnotify.operations import watch
from tests.operations.insights import DISCOVERED, Query, QueryError

QUERIES: dict[str, str] = watch.data()["queries"]
BY_POWERTOOLS = {"level", "message", "service", "function_name"}
"""What the Logger writes in every line."""


def logged() -> Iterator[str]:
    """Keys that functions write in a line, beside the Logger's own: keywords and keys of dictionaries."""
    sources = [*ROOT.glob("functions/*/app.py"), *ROOT.glob("layers/core/**/adapters/observability.py")]
    for path in sources:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.keyword) and node.arg:
                yield node.arg
            elif isinstance(node, ast.Dict):
                yield from (key.value for key in node.keys if isinstance(key, ast.Constant))
            elif isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant):
                yield str(node.slice.value)


@pytest.mark.parametrize("name", QUERIES)
def test_a_saved_query_reads_what_is_logged(name: str) -> None:
    assert Query(QUERIES[name]).read <= DISCOVERED | BY_POWERTOOLS | set(logged())


def test_a_query_tells_what_it_reads() -> None:
    text = 'filter a = "x" and not b like /y|z/ | stats max(@duration / 10) as most by bin(5m), c | sort most desc'
    assert Query(text).read == {"a", "b", "@duration", "c"}


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("stats sum(1) as reports", "sum.. reads a field"),
        ("stats latest() as last", "'\\)' where"),
        ("stats pct(@duration) as p", "'\\)' where ',' belongs"),
        ("stats median(@duration)", "'median' is no function of stats"),
        ("stats count(*) as n by code | sort m desc", "'m' is not there after stats"),
        ("stats count(*) as n by code | filter domain = 'x'", "'domain' is not there after stats"),
        ("filter level = ERROR'", "cannot be read"),
        ("filter level == 'ERROR'", "'=' where"),
        ("filter @message like ERROR", "'ERROR' where a regex or string belongs"),
        ("where level = 'ERROR'", "'where' is no command"),
        ("fields @message sort @timestamp", "'sort' is left over"),
        ("fields nosuch(@message)", "'nosuch' is no function"),
        ("fields @message |", "'the end' where"),
    ],
)
def test_what_insights_does_not_take_is_found(query: str, says: str) -> None:
    with pytest.raises(QueryError, match=says):
        Query(query)
