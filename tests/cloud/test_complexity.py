"""The count of wildcards agrees with the values that aws/event-ruler publishes in its tests."""

from typing import Any

import pytest

from exnotify.cloud.complexity import complexity, count


@pytest.mark.parametrize(
    ("wildcards", "most"),
    [
        # One pattern.
        (["*"], 1),
        (["abc"], 1),
        (["*ab"], 2),
        (["*aa"], 3),
        (["a*b"], 2),
        (["aa*"], 2),
        (["a*bc"], 2),
        (["a*bb"], 3),
        (["a*bcb"], 3),
        (["a*bbb"], 4),
        (["*ab*ad"], 4),
        (["*ab*d"], 3),
        (["*aba*"], 4),
        (["a*b*bb"], 5),
        (["a*b*cb"], 4),
        (["a*b*cd"], 3),
        (["a*b*b"], 4),
        (["a*bb*"], 4),
        (["ab*b*"], 3),
        (["*ab*b*b*"], 7),
        (["*a*a*a*a*a*a*a*a*"], 17),
        # Several patterns.
        (["*", "ab*c"], 3),
        (["ab*c", "x*xx"], 3),
        (["*abc", "*abcde"], 4),
        (["a*bcd", "ab*cd"], 4),
        (["a*bc", "a*bcde"], 4),
        (["a*aaa", "aa*aa"], 7),
        (["a*bc", "abc*d"], 4),
        (["a*aaa", "aaa*a"], 6),
        (["a*aax", "aaa*x"], 5),
        (["a*bc", "abc*"], 4),
        (["a*aa", "aaa*"], 5),
        (["abc*", "abcde*"], 3),
        (["ab*cd", "ab*wx", "ab*yz"], 6),
        (["ab*c", "ab*c"], 2),
        (["F*eatureFeature", "Fe*atureFeature", "Fea*tureFeature"], 10),
    ],
)
def test_published_values(wildcards: list[str], most: int) -> None:
    assert count(set(wildcards)) == most


def on(*conditions: Any) -> dict[str, Any]:
    return {"detail": {"key": list(conditions)}}


@pytest.mark.parametrize(
    ("pattern", "most"),
    [
        # By hand: a rule's wildcards match JSON text, with its quotation marks.
        (on("exact", {"suffix": ".pdf"}, {"suffix": {"equals-ignore-case": ".csv"}}), 0),
        (on({"wildcard": "*"}), 2),  # `"` and `"*`
        (on({"wildcard": "*.index.*"}), 4),  # the value `".index.`: `"*`, `"*.`, `"*.index.`, `"*.index.*`
        (on({"wildcard": "a*"}, "abc", {"prefix": "a"}), 2),  # `"a` and `"a*`
        (on({"wildcard": r"\**"}), 2),  # an escaped star is a character
        # Published: the worst field counts, whatever the others say.
        ({"abc": [{"prefix": "a"}], "def": [{"wildcard": "a*a*a*a*a*a*"}, {"suffix": "c"}]}, 11),
        # What AWS refused, and what it accepted, in a public stack.
        (on(*({"wildcard": f"*:stack/{name}/*"} for name in ("Ada", "Bob", "Cyd", "Dot"))), 12),
        (on(*({"wildcard": f"*:stack/{name}/*"} for name in ("Ada", "Bob", "Cyd"))), 9),
        # Alternatives count together, and so does what `anything-but` names.
        ({"$or": [on({"wildcard": "a*b"}), on({"wildcard": "a*c"})]}, 4),
        (on({"anything-but": {"wildcard": "a*bb"}}), 3),
        (on({"anything-but": {"wildcard": ["a*aaa", "aa*aa"]}}), 7),
    ],
)
def test_the_count_of_a_rule(pattern: dict[str, Any], most: int) -> None:
    assert complexity(pattern) == most


@pytest.mark.parametrize(("wildcard", "reason"), [("a**b", "two stars"), (r"a\b", "a backslash")])
def test_wildcards_that_eventbridge_refuses(wildcard: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        complexity(on({"wildcard": wildcard}))
