"""What the layers bring is what the code uses: libraries, data of AWS services, and who has which layer."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import check_libraries
import pytest

import build_layer
from exstream_notify.adapters import countries
from tests.container.sam import functions, load_template
from tests.needs import ROOT

CODE = (ROOT / "layers" / "core" / "exstream_notify", ROOT / "functions")


def calls(name: str) -> Iterator[ast.Call]:
    """The calls of a method of that name, in what functions run."""
    for folder in CODE:
        for path in folder.rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Attribute)
                    and node.func.attr == name
                ) or (
                    isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
                ):
                    yield node


def test_the_layer_has_the_data_of_the_services_that_functions_call_and_of_no_other() -> None:
    made = [*calls("client"), *calls("create_client")]
    asked = {ast.unparse(call.args[0]) if call.args else ast.unparse(call) for call in made if _given(call)}

    # `Bootstrap._create` makes each client, of a `service` that the others name.
    assert asked - {"service"} == {repr(name) for name in build_layer.SERVICES}, (
        "a client of a service by its literal name, which is in build_layer.SERVICES"
    )
    assert [ast.unparse(call) for call in calls("create_client")] == [
        "self._session.create_client(service, config=config)"
    ], "ask `Bootstrap.client` for a client: it configures each"


def _given(call: ast.Call) -> bool:
    """Whether a call names something: a factory of one service's client takes nothing."""
    return bool(call.args or call.keywords)


def test_the_layer_has_the_paginators_and_waiters_that_functions_use() -> None:
    operations = [ast.unparse(call.args[0]) for call in calls("get_paginator")]

    assert set(operations) == {"'list_objects_v2'"}, "an operation of another service: build_layer.PAGINATED"
    assert build_layer.PAGINATED == ("s3",)
    assert not list(calls("get_waiter"))


def test_the_layer_has_the_names_of_countries_in_the_languages_that_are_read() -> None:
    assert set(build_layer.COUNTRY_NAMES) == set(countries._LANGUAGES)


def test_a_library_that_nobody_imports_is_a_fault_and_one_that_nobody_names_too() -> None:
    imports = {"yaml": {"adapters/rules.py"}, "lxml": {"adapters/xml.py"}}
    providers = {"yaml": ["PyYAML"], "lxml": ["lxml"], "apprise": ["apprise"]}

    assert check_libraries.faults(imports, {"pyyaml", "lxml"}, providers) == []
    assert check_libraries.faults(imports, {"pyyaml", "lxml", "apprise"}, providers) == [
        "a layer has apprise, which nobody imports"
    ]
    assert check_libraries.faults(imports, {"pyyaml"}, providers) == [
        "adapters/xml.py imports lxml, which no requirements.in of a layer names"
    ]


@pytest.mark.parametrize(
    "source",
    [
        "import lxml.etree",
        "def parse():\n    from lxml import etree",
        "importlib.import_module('lxml.etree')",
        "__import__('lxml')",
        "files('lxml')",
    ],
)
def test_an_import_is_found_however_it_is_written(
    source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(check_libraries, "ROOT", tmp_path)
    (tmp_path / "app.py").write_text(source)
    assert check_libraries.imported([tmp_path]) == {"lxml": {"app.py"}}


def _uses(tree: ast.AST, name: str) -> bool:
    return any(isinstance(node, ast.Attribute) and node.attr == name for node in ast.walk(tree))


def test_the_function_that_alerts_has_the_alert_libraries_and_no_other_has() -> None:
    """`Bootstrap.channel_ports` leads to them; their module imports them where a team has such an address."""
    alerts = check_libraries.named(ROOT / "layers" / "alerts" / "requirements.in")
    files = check_libraries.imported(CODE)
    assert {path for name in alerts for path in files[name]} == {
        "layers/core/exstream_notify/adapters/alert_channels.py"
    }

    template: dict[str, Any] = load_template(ROOT / "template.yaml")
    having = {
        name
        for name, properties in functions(template).items()
        if {"Ref": "AlertsLayer"} in properties.get("Layers", [])
    }
    alerting = {
        name
        for name, properties in functions(template).items()
        if _uses(
            ast.parse((ROOT / Path(properties["CodeUri"]) / "app.py").read_text("utf-8")), "channel_ports"
        )
    }

    assert having == alerting == {"AlertExceptionFunction"}
