"""The typed half of the client: a shape for each schema, a method for each route of the description."""

import json
import keyword
import re
import textwrap
from collections.abc import Iterator, Mapping
from typing import Any, Final

__all__ = ["operations", "shapes"]

_Node = Mapping[str, Any]
_WIDTH: Final = 108
_MADE: Final = (
    "Made by ``python -m tests.client.test_source`` from the API's description: never change it by hand."
)
_PLAIN: Final = {
    "string": "str",
    "integer": "int",
    "number": "float",
    "boolean": "bool",
    "null": "None",
    "object": "dict[str, Any]",
}


def shapes(described: _Node) -> str:
    """Return the module with a type for each schema."""
    found = described["components"]["schemas"]
    names = sorted(_name(one) for one in found)
    lines = [
        f'"""Shapes of what the REST API takes and answers.\n\n{_MADE}\n"""\n',
        "from __future__ import annotations\n",
        "from typing import Any, Literal, NotRequired, TypedDict\n",
        f"__all__ = {json.dumps(names)}\n",
        *(_shape(_name(name), found[name]) for name in sorted(found)),
    ]
    return "\n".join(lines)


def operations(described: _Node) -> str:
    """Return the module with a method for each operation."""
    schemas = described["components"]["schemas"]
    methods = [
        method
        for path, route in described["paths"].items()
        for verb, operation in route.items()
        for method in _methods(path, verb.upper(), operation, schemas)
    ]
    text = "\n".join(methods)
    return "\n".join(
        [
            f'"""A method for each operation of the REST API.\n\n{_MADE}\n"""\n',
            "from abc import ABC, abstractmethod",
            "from collections.abc import Callable, Iterator, Mapping",
            f"from typing import {'Any, Literal' if 'Literal[' in text else 'Any'}",
            "from urllib.parse import quote\n",
            "from doorstep.client import shapes\n",
            '__all__ = ["Operations"]\n',
            _HEAD,
            text,
            '\n\ndef _part(value: object) -> str:\n    return quote(str(value), safe="")\n',
        ]
    )


_HEAD: Final = '''
class Operations(ABC):
    """The operations, by their names in the description."""

    @abstractmethod
    def call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        content: tuple[str, bytes] | None = None,
        idempotency_key: str | None = None,
    ) -> Any:
        """Ask, and return the value of the answer."""

    @abstractmethod
    def pages(self, fetch: Callable[[str], Any]) -> Iterator[Any]:
        """Yield the items of every page that ``fetch`` gets by its cursor."""
'''


def _shape(name: str, schema: _Node) -> str:
    if "properties" not in schema:
        return f"{name} = {_type(schema, '')}\n"
    needed = set(schema.get("required", ()))
    fields = []
    for key, one in schema["properties"].items():
        kind = _type(one, "")
        fields.append(f"    {key}: {kind if key in needed else f'NotRequired[{kind}]'}")
        fields += _doc(one.get("description", ""), 4)
    about = _doc(schema.get("description", f"{name}."), 4)
    return "\n".join([f"\nclass {name}(TypedDict):", *about, "", *fields, ""])


def _methods(path: str, verb: str, operation: _Node, schemas: _Node) -> Iterator[str]:
    name = operation["operationId"]
    parameters = [one for one in operation["parameters"] if one["in"] in {"path", "query"}]
    inside = [one for one in parameters if one["in"] == "path"]
    asked = [one for one in parameters if one["in"] == "query"]
    places, given = _body(operation)
    positional = ["self", *(f"{_safe(one['name'])}: {_type(one['schema'])}" for one in inside), *places]
    named = [_option(one) for one in asked]
    key = ["idempotency_key: str | None = None"] if verb == "POST" else []
    kind = _answer(operation)
    url = "f" * bool(inside) + '"' + re.sub(r"\{(\w+)\}", lambda m: f"{{_part({_safe(m[1])})}}", path) + '"'
    query = "{" + ", ".join(f'"{one["name"]}": {_safe(one["name"])}' for one in asked) + "}"
    told = [
        f'"{verb}"',
        url,
        *([f"query={query}"] if asked else []),
        *given,
        *(["idempotency_key=idempotency_key"] if key else []),
    ]
    about = _doc(operation.get("description", operation["summary"]), 8)
    head = f"    def {name}({_signature(positional, [*named, *key])}) -> {kind}:"
    call = f"self.call({', '.join(told)})"
    end = (
        [f"        {call}"] if kind == "None" else [f"        found: {kind} = {call}", "        return found"]
    )
    yield "\n".join([head, *about, *end, ""])
    if any(one["name"] == "cursor" for one in asked) and kind.startswith("shapes."):
        listed = schemas[kind.removeprefix("shapes.")]["properties"]["items"]
        yield _each(operation, inside, [one for one in asked if one["name"] != "cursor"], listed)


def _each(operation: _Node, inside: list[_Node], asked: list[_Node], listed: _Node) -> str:
    """Return the method that goes through the pages of a list."""
    name = operation["operationId"]
    positional = ["self", *(f"{_safe(one['name'])}: {_type(one['schema'])}" for one in inside)]
    named = [_option(one) for one in asked]
    passed = [*(_safe(one["name"]) for one in inside), "cursor=cursor"]
    passed += [f"{_safe(one['name'])}={_safe(one['name'])}" for one in asked]
    head = f"    def each_{name.removeprefix('list_')}({_signature(positional, named)})"
    return "\n".join(
        [
            f"{head} -> Iterator[{_type(listed['items'])}]:",
            f'        """Go through all pages of `{name}`."""',
            f"        return self.pages(lambda cursor: self.{name}({', '.join(passed)}))",
            "",
        ]
    )


def _signature(positional: list[str], named: list[str]) -> str:
    return ", ".join([*positional, *(["*", *named] if named else [])])


def _option(parameter: _Node) -> str:
    schema = parameter["schema"]
    kind, name = _type(schema), _safe(parameter["name"])
    if parameter["required"]:
        return f"{name}: {kind}"
    if schema.get("default") is not None:
        return f"{name}: {kind} = {schema['default']!r}"
    return f"{name}: {kind if kind.endswith('None') else f'{kind} | None'} = None"


def _body(operation: _Node) -> tuple[list[str], list[str]]:
    """Return the parameters and arguments that carry a request's body."""
    if "requestBody" not in operation:
        return [], []
    [(media, told)] = operation["requestBody"]["content"].items()
    if media == "application/json":
        return [f"body: {_type(told['schema'])}"], ["body=body"]
    return ["body: bytes"], [f'content=("{media}", body)']


def _answer(operation: _Node) -> str:
    kinds = []
    for status, answer in operation["responses"].items():
        if int(status) >= 400:
            continue
        content = answer.get("content")
        if not content:
            kinds.append("None")
        elif "application/json" in content:
            kinds.append(_type(content["application/json"]["schema"]))
        else:
            kinds.append("bytes")
    return " | ".join(dict.fromkeys(kinds))


def _type(schema: _Node, module: str = "shapes.") -> str:  # noqa: PLR0911 - one for each form
    if "$ref" in schema:
        return module + _name(schema["$ref"].rsplit("/", 1)[1])
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(_type(one, module) for one in schema["anyOf"]))
    if "allOf" in schema:
        return _type(schema["allOf"][0], module)
    if "const" in schema:
        return f"Literal[{schema['const']!r}]"
    if "enum" in schema:
        return f"Literal[{', '.join(repr(one) for one in schema['enum'])}]"
    if schema.get("type") == "array":
        return f"list[{_type(schema.get('items', {}), module)}]"
    more = schema.get("additionalProperties")
    if schema.get("type") == "object" and isinstance(more, dict) and more:
        return f"dict[str, {_type(more, module)}]"
    return _PLAIN.get(schema.get("type", ""), "Any")


def _doc(text: str, indent: int) -> list[str]:
    if not text:
        return []
    space = " " * indent
    lines = [
        line
        for paragraph in text.strip().split("\n\n")
        for line in [*textwrap.wrap(" ".join(paragraph.split()), _WIDTH - indent - 6), ""]
    ][:-1]
    if lines and not lines[0].endswith((".", "?", "!", ":")) and len(lines) == 1:
        lines[0] += "."
    quoted = [line.replace("\\", "\\\\").replace('"""', "'''") for line in lines]
    if len(quoted) == 1:
        return [f'{space}"""{quoted[0]}"""']
    return [f'{space}"""{quoted[0]}', *((space + one).rstrip() for one in quoted[1:]), f'{space}"""']


def _safe(name: str) -> str:
    return f"{name}_" if keyword.iskeyword(name) else name


def _name(schema: str) -> str:
    return re.sub(r"\W", "_", schema)
