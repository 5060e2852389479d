"""CloudFormation's intrinsic functions, resolved against parameters and resources that exist."""

import base64
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from .template import TemplateError

_FUNCTIONS = {
    "Fn::GetAtt", "Fn::Sub", "Fn::If", "Fn::Join", "Fn::Select", "Fn::Split", "Fn::FindInMap", "Fn::Equals",
    "Fn::And", "Fn::Or", "Fn::Not", "Fn::Base64",
}  # fmt: skip
_VARIABLE = re.compile(r"\$\{(!?)([^}]*)\}")
_DYNAMIC = re.compile(r"\{\{resolve:")


class _NoValue:
    """What AWS::NoValue stands for: the property is left out."""


NO_VALUE = _NoValue()


class Resolver:
    """Resolves values of one template.

    `ref(logical_id)` and `attribute(logical_id, name)` answer for resources that have been created.
    """

    def __init__(
        self,
        body: Mapping[str, Any],
        parameters: Mapping[str, Any],
        pseudo: Mapping[str, str],
        ref: Callable[[str], Any],
        attribute: Callable[[str, str], Any],
    ) -> None:
        self._mappings = body.get("Mappings", {})
        self._conditions = body.get("Conditions", {})
        self._values = {**parameters, **pseudo}
        self._ref = ref
        self._attribute = attribute

    def resolve(self, value: Any) -> Any:
        """The value with every function in it resolved, NO_VALUE if it is to be left out.

        Raises TemplateError.
        """
        if isinstance(value, dict):
            if len(value) == 1:
                name, argument = next(iter(value.items()))
                # Policies have a key Condition too, whose value is no name.
                is_condition = name == "Condition" and isinstance(argument, str)
                if is_condition or name == "Ref" or name.startswith("Fn::"):
                    return self._call(name, argument)
            resolved = {key: self.resolve(item) for key, item in value.items()}
            return {key: item for key, item in resolved.items() if item is not NO_VALUE}
        if isinstance(value, list):
            return [item for item in map(self.resolve, value) if item is not NO_VALUE]
        if isinstance(value, str) and _DYNAMIC.search(value):
            raise TemplateError(f"dynamic reference {value} is not known to the embedded cloud")
        return value

    def condition(self, name: str) -> bool:
        """Whether a named condition holds."""
        if name not in self._conditions:
            raise TemplateError(f"the template has no condition {name}")
        return self._truth(self._conditions[name])

    def _call(self, name: str, argument: Any) -> Any:
        if name == "Ref":
            return self._reference(str(argument))
        if name == "Condition":
            return self.condition(argument)
        if name not in _FUNCTIONS:
            raise TemplateError(f"{name} is not known to the embedded cloud")
        method: Callable[[Any], Any] = getattr(self, f"_{name.removeprefix('Fn::').lower()}")
        return method(argument)

    def _reference(self, name: str) -> Any:
        if name == "AWS::NoValue":
            return NO_VALUE
        return self._values[name] if name in self._values else self._ref(name)

    def _getatt(self, argument: Any) -> Any:
        logical_id, attribute = argument.split(".", 1) if isinstance(argument, str) else argument
        return self._attribute(logical_id, str(self.resolve(attribute)))

    def _sub(self, argument: Any) -> str:
        text, local = (argument, {}) if isinstance(argument, str) else argument
        values = {key: self.resolve(item) for key, item in local.items()}

        def replace(found: re.Match[str]) -> str:
            literal, name = found[1], found[2].strip()
            if literal:
                return f"${{{found[2]}}}"
            if name in values:
                return str(values[name])
            if "." in name:
                return str(self._getatt(name))
            return str(self._reference(name))

        return _VARIABLE.sub(replace, text)

    def _if(self, argument: Any) -> Any:
        name, yes, no = argument
        return self.resolve(yes if self.condition(name) else no)

    def _join(self, argument: Any) -> str:
        delimiter, items = argument
        return str(delimiter).join(str(item) for item in self.resolve(items))

    def _select(self, argument: Any) -> Any:
        index, items = argument
        return self.resolve(items)[int(self.resolve(index))]

    def _split(self, argument: Any) -> list[str]:
        delimiter, text = argument
        return str(self.resolve(text)).split(delimiter)

    def _findinmap(self, argument: Any) -> Any:
        mapping, first, second = (self.resolve(part) for part in argument)
        try:
            return self._mappings[mapping][first][second]
        except KeyError as error:
            raise TemplateError(f"no {first}/{second} in the mapping {mapping}") from error

    def _base64(self, argument: Any) -> str:
        return base64.b64encode(str(self.resolve(argument)).encode()).decode()

    def _equals(self, argument: Any) -> bool:
        left, right = (self.resolve(part) for part in argument)
        return str(left) == str(right)

    def _and(self, argument: Any) -> bool:
        return all(self._truth(part) for part in argument)

    def _or(self, argument: Any) -> bool:
        return any(self._truth(part) for part in argument)

    def _not(self, argument: Any) -> bool:
        return not self._truth(argument[0])

    def _truth(self, value: Any) -> bool:
        resolved = self.resolve(value)
        return resolved if isinstance(resolved, bool) else str(resolved).lower() == "true"


def references(value: Any) -> Iterator[str]:
    """Names that a value refers to: resources, parameters and pseudo parameters alike."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "Ref" and isinstance(item, str):
                yield item
            elif key == "Fn::GetAtt":
                yield item.split(".", 1)[0] if isinstance(item, str) else item[0]
            elif key == "Fn::Sub":
                text, local = (item, {}) if isinstance(item, str) else item
                yield from references(local)
                for literal, name in _VARIABLE.findall(text):
                    if not literal and name.strip() not in local:
                        yield name.strip().split(".", 1)[0]
            else:
                yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)
