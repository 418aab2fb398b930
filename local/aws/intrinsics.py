"""CloudFormation's intrinsic functions.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/intrinsic-function-reference.html
"""

import re
from collections.abc import Callable, Mapping

from local.aws.template import TemplateError, Value

_NO_VALUE = object()


class Resolver:
    """Replaces intrinsic functions by their values.

    `parameters` hold the pseudo parameters (`AWS::Region`, ...) too. `ref` and `attribute` answer for resources: they
    take a logical id, and a logical id with an attribute's name.
    """

    def __init__(
        self,
        parameters: Mapping[str, Value],
        conditions: Mapping[str, Value],
        ref: Callable[[str], Value],
        attribute: Callable[[str, str], Value],
    ) -> None:
        self._parameters = {**parameters, "AWS::NoValue": _NO_VALUE}
        self._conditions = conditions
        self._ref_resource = ref
        self._attribute = attribute
        self._functions: Mapping[str, Callable[[Value], Value]] = {
            "Ref": self._ref,
            "Condition": self.condition,
            "Fn::And": lambda operands: all(self.resolve(operands)),
            "Fn::Equals": self._equals,
            "Fn::GetAtt": self._get_attribute,
            "Fn::If": self._if,
            "Fn::Join": self._join,
            "Fn::Not": lambda operands: not self.resolve(operands[0]),
            "Fn::Or": lambda operands: any(self.resolve(operands)),
            "Fn::Select": self._select,
            "Fn::Split": self._split,
            "Fn::Sub": self._substitute,
        }

    def resolve(self, value: Value) -> Value:
        """A copy of a value without intrinsic functions. Raises TemplateError for a function that is not known here."""
        match value:
            case list():
                return [item for item in map(self.resolve, value) if item is not _NO_VALUE]
            case dict() if function := self._function(value):
                (argument,) = value.values()
                return function(argument)
            case dict():
                resolved = {key: self.resolve(item) for key, item in value.items()}
                return {key: item for key, item in resolved.items() if item is not _NO_VALUE}
            case _:
                return value

    def condition(self, name: str) -> bool:
        """Whether a named condition of the template holds."""
        return bool(self.resolve(self._conditions[name]))

    def _function(self, value: Mapping[str, Value]) -> Callable[[Value], Value] | None:
        if len(value) != 1:
            return None
        ((key, argument),) = value.items()
        # An IAM statement has a property of this name; the function's argument is a text.
        if key == "Condition" and not isinstance(argument, str):
            return None
        if key.startswith("Fn::") and key not in self._functions:
            raise TemplateError(f"the intrinsic function {key} is not known to the local world")
        return self._functions.get(key)

    def _ref(self, name: str) -> Value:
        return self._parameters[name] if name in self._parameters else self._ref_resource(name)

    def _get_attribute(self, path: str | list[str]) -> Value:
        logical_id, name = path.split(".", 1) if isinstance(path, str) else path
        return self._attribute(logical_id, self.resolve(name))

    def _if(self, branches: list[Value]) -> Value:
        name, yes, no = branches
        return self.resolve(yes if self.condition(name) else no)

    def _equals(self, operands: list[Value]) -> bool:
        left, right = self.resolve(operands)
        return bool(left == right)

    def _join(self, argument: list[Value]) -> str:
        separator, items = self.resolve(argument)
        return str(separator).join(str(item) for item in items)

    def _split(self, argument: list[Value]) -> list[str]:
        separator, text = self.resolve(argument)
        return str(text).split(separator)

    def _select(self, argument: list[Value]) -> Value:
        index, items = self.resolve(argument)
        return items[int(index)]

    def _substitute(self, argument: str | list[Value]) -> str:
        text, own = (argument, {}) if isinstance(argument, str) else argument
        variables = self.resolve(own)

        def value(match: re.Match[str]) -> str:
            name = match[1]
            if name.startswith("!"):
                return f"${{{name[1:]}}}"
            if name in variables:
                return str(variables[name])
            return str(self._get_attribute(name) if "." in name else self._ref(name))

        return re.sub(r"\$\{([^}]+)\}", value, text)
