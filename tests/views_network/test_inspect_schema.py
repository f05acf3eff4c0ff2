"""What ``inspect --json`` writes is what its schema says, for every network of the zoo."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from striate import zoo
from striate.analysis import inspect
from striate.views import json_text

DOCS = Path(__file__).parents[2] / "docs"
SCHEMA = json.loads((DOCS / "inspect.schema.json").read_text(encoding="utf-8"))
KNOWN = {"$schema", "$defs", "title", "type", "required", "properties", "items", "minItems", "minimum", "pattern"} | {
    *("const", "enum", "anyOf", "$ref")
}
TYPES = {"object": dict, "array": list, "string": str, "integer": int}


def faults(value: Any, schema: dict[str, Any], place: str = "$") -> list[str]:
    """What a value has against a schema; of JSON Schema as much as this one uses."""
    assert set(schema) <= KNOWN, set(schema) - KNOWN
    if "$ref" in schema:
        return faults(value, SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]], place)
    if "anyOf" in schema:
        return [] if any(not faults(value, one, place) for one in schema["anyOf"]) else [f"{place}: none of anyOf"]
    if "const" in schema or "enum" in schema:
        return [] if value in schema.get("enum", [schema.get("const")]) else [f"{place}: {value!r}"]
    if not isinstance(value, TYPES[schema["type"]]) or isinstance(value, bool):
        return [f"{place}: {value!r} is no {schema['type']}"]
    found = [f"{place}: no {name}" for name in schema.get("required", ()) if name not in value]
    if value_below(value, schema) or ("pattern" in schema and not re.search(schema["pattern"], value)):
        found.append(f"{place}: {value!r}")
    for name, inner in schema.get("properties", {}).items():
        found += faults(value[name], inner, f"{place}.{name}") if name in value else []
    if "items" in schema:
        found += [fault for n, one in enumerate(value) for fault in faults(one, schema["items"], f"{place}[{n}]")]
    return found


def value_below(value: Any, schema: dict[str, Any]) -> bool:
    size = len(value) if isinstance(value, list) else value
    least = schema.get("minItems", schema.get("minimum"))
    return least is not None and size < least


@pytest.mark.parametrize("name", zoo.names())
def test_the_zoo_follows_the_schema(name: str) -> None:
    data = json.loads(json_text(inspect(zoo.build(name))))
    assert faults(data, SCHEMA) == []
    assert data["totals"]["macs"] == sum(node["macs"] for node in data["nodes"])


def test_faults_are_found() -> None:
    good = json.loads(json_text(inspect(zoo.build("lenet-5"))))
    for place, wrong in (("format", 2), ("input", []), ("nodes", [{}]), ("name", 3)):
        assert faults({**good, place: wrong}, SCHEMA)
    assert faults({key: value for key, value in good.items() if key != "totals"}, SCHEMA)


def test_the_page_names_every_field() -> None:
    text = (DOCS / "inspect-json.md").read_text(encoding="utf-8")
    for part in (SCHEMA, SCHEMA["$defs"]["node"], SCHEMA["$defs"]["axis"], SCHEMA["properties"]["totals"]):
        for name in part["properties"]:
            assert re.search(rf"[`.]{name}[`.\[]", text), name


def test_the_example_on_the_page_is_a_report() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", (DOCS / "inspect-json.md").read_text(encoding="utf-8"), re.DOTALL)
    assert faults(json.loads(example), SCHEMA) == []
