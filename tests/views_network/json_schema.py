"""As much of JSON Schema (draft 2020-12) as the schemas in docs/ use: what a value has against one."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["faults"]

KNOWN = {"$schema", "$defs", "title", "type", "required", "properties", "additionalProperties", "items", "minItems"} | {
    *("minimum", "pattern", "const", "enum", "anyOf", "$ref")
}
TYPES = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool, "null": type(None)}


def faults(value: Any, schema: dict[str, Any], root: dict[str, Any] | None = None, place: str = "$") -> list[str]:
    """What a value has against a schema, each fault with its place; empty where it follows it."""
    root = schema if root is None else root
    assert set(schema) <= KNOWN, set(schema) - KNOWN
    if "$ref" in schema:
        return faults(value, root["$defs"][schema["$ref"].rpartition("/")[2]], root, place)
    if "anyOf" in schema:
        return (
            [] if any(not faults(value, one, root, place) for one in schema["anyOf"]) else [f"{place}: none of anyOf"]
        )
    if "const" in schema or "enum" in schema:
        return [] if value in schema.get("enum", [schema.get("const")]) else [f"{place}: {value!r}"]
    if not isinstance(value, TYPES[schema["type"]]) or isinstance(value, bool) != (schema["type"] == "boolean"):
        return [f"{place}: {value!r} is no {schema['type']}"]
    found = [f"{place}: no {name}" for name in schema.get("required", ()) if name not in value]
    if _below(value, schema) or ("pattern" in schema and not re.search(schema["pattern"], value)):
        found.append(f"{place}: {value!r}")
    known = schema.get("properties", {})
    for name, inner in known.items():
        found += faults(value[name], inner, root, f"{place}.{name}") if name in value else []
    if "additionalProperties" in schema:
        others = {name: inner for name, inner in value.items() if name not in known}
        for name, inner in others.items():
            found += faults(inner, schema["additionalProperties"], root, f"{place}.{name}")
    if "items" in schema:
        found += [fault for n, one in enumerate(value) for fault in faults(one, schema["items"], root, f"{place}[{n}]")]
    return found


def _below(value: Any, schema: dict[str, Any]) -> bool:
    least = schema.get("minItems", schema.get("minimum"))
    return least is not None and (len(value) if isinstance(value, list) else value) < least
