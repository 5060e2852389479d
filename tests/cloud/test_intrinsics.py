"""Parameters, conditions and intrinsic functions of CloudFormation."""

from typing import Any

import pytest

from exnotify.cloud import TemplateError
from exnotify.cloud.intrinsics import NO_VALUE, Resolver, references
from exnotify.cloud.template import resolve_parameters

BODY: dict[str, Any] = {
    "Mappings": {"Sizes": {"small": {"n": 1}}},
    "Conditions": {
        "Yes": {"Fn::Equals": [{"Ref": "P"}, "p"]},
        "No": {"Fn::Not": [{"Condition": "Yes"}]},
        "Both": {"Fn::And": [{"Condition": "Yes"}, {"Condition": "No"}]},
        "Either": {"Fn::Or": [{"Condition": "Yes"}, {"Condition": "No"}]},
    },
}
RESOLVER = Resolver(
    BODY,
    {"P": "p", "L": ["x", "y"]},
    {"AWS::Region": "here"},
    lambda name: f"ref-{name}",
    lambda name, attribute: f"{attribute}-of-{name}",
)


@pytest.mark.parametrize(
    ("value", "resolved"),
    [
        ({"Ref": "P"}, "p"),
        ({"Ref": "AWS::Region"}, "here"),
        ({"Ref": "R"}, "ref-R"),
        ({"Fn::GetAtt": ["R", "Arn"]}, "Arn-of-R"),
        ({"Fn::GetAtt": "R.Outputs.X"}, "Outputs.X-of-R"),
        ({"Fn::Sub": "${P}/${R}/${R.Arn}/${!literal}/${AWS::Region}"}, "p/ref-R/Arn-of-R/${literal}/here"),
        ({"Fn::Sub": ["${a}-${P}", {"a": {"Ref": "R"}}]}, "ref-R-p"),
        ({"Fn::Join": [",", ["a", {"Ref": "P"}]]}, "a,p"),
        ({"Fn::Join": [",", {"Ref": "L"}]}, "x,y"),
        ({"Fn::Select": ["1", {"Fn::Split": ["/", "a/b/c"]}]}, "b"),
        ({"Fn::FindInMap": ["Sizes", "small", "n"]}, 1),
        ({"Fn::If": ["Yes", "y", "n"]}, "y"),
        ({"Fn::If": ["No", "y", {"Fn::If": ["Both", "b", {"Fn::If": ["Either", "e", "x"]}]}]}, "e"),
        ({"Fn::Base64": {"Ref": "P"}}, "cA=="),
        ({"a": {"Ref": "AWS::NoValue"}, "b": [1, {"Ref": "AWS::NoValue"}]}, {"b": [1]}),
        ({"Ref": "AWS::NoValue"}, NO_VALUE),
        ({"Condition": {"Bool": {"k": "v"}}}, {"Condition": {"Bool": {"k": "v"}}}),
    ],
)
def test_a_function_resolves(value: Any, resolved: Any) -> None:
    assert RESOLVER.resolve(value) == resolved


@pytest.mark.parametrize(
    "value",
    [{"Fn::Cidr": []}, {"Fn::If": ["Missing", 1, 2]}, {"Fn::FindInMap": ["Sizes", "large", "n"]}],
)
def test_a_function_that_cannot_be_resolved_is_refused(value: Any) -> None:
    with pytest.raises(TemplateError):
        RESOLVER.resolve(value)


def test_references_are_found_wherever_they_hide() -> None:
    value = [
        {"a": {"Ref": "A"}},
        {"Fn::GetAtt": "B.Arn"},
        {"Fn::GetAtt": ["C", "Arn"]},
        {"Fn::Sub": "${D}${E.Arn}${!no}${local}"},
        {"Fn::Sub": ["${x}", {"x": {"Ref": "F"}}]},
    ]
    assert set(references(value)) == {"A", "B", "C", "D", "E", "local", "F"}


def test_parameters_have_types_and_bounds() -> None:
    declared: dict[str, dict[str, Any]] = {
        "Text": {"Type": "String", "Default": 5},
        "List": {"Type": "CommaDelimitedList", "Default": "a, b"},
        "Short": {"Type": "String", "MaxLength": 3, "AllowedPattern": "[a-z]+"},
    }
    assert resolve_parameters(declared, {"Short": "abc"}) == {"Text": "5", "List": ["a", "b"], "Short": "abc"}
    for value, says in (("abcd", "above 3 characters"), ("AB", "does not match"), (None, "neither a value")):
        with pytest.raises(TemplateError, match=says):
            resolve_parameters(declared, {} if value is None else {"Short": value})
    with pytest.raises(TemplateError, match="type AWS::SSM::Parameter::Value<String>"):
        resolve_parameters({"P": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "x"}}, {})
