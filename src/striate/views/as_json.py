"""Results as JSON text (``--json``)."""

from __future__ import annotations

import json

from striate.runs.plain import plain

__all__ = ["json_text"]

_LINE = 100


def json_text(data: object) -> str:
    """Data as indented JSON, the same text for the same data.

    Keys keep their order. A list of plain values stands in one line where it fits. A number that is not finite, which
    JSON cannot hold, becomes ``null``.

    Args:
        data: JSON's own types, tuples, paths and NumPy scalars, a result with ``as_dict()``, or a stored record.

    Raises:
        ValueError: for anything else.

    >>> print(json_text({"name": "é", "shape": (3, 32, 32), "loss": float("nan"), "nodes": [{"macs": 1}], "notes": []}))
    {
      "name": "é",
      "shape": [3, 32, 32],
      "loss": null,
      "nodes": [
        {
          "macs": 1
        }
      ],
      "notes": []
    }
    """
    if hasattr(data, "as_dict"):
        data = data.as_dict()
    elif hasattr(data, "model_dump"):
        data = data.model_dump()
    return _written(plain(data), "")


def _written(value: object, indent: str) -> str:
    inner = indent + "  "
    if isinstance(value, dict) and value:
        entries = [f"{inner}{_flat(key)}: {_written(entry, inner)}" for key, entry in value.items()]
        return "{\n" + ",\n".join(entries) + f"\n{indent}}}"
    if isinstance(value, list) and value:
        scalars = not any(isinstance(entry, dict | list) for entry in value)
        if scalars and len(indent) + len(line := _flat(value)) <= _LINE:
            return line
        return "[\n" + ",\n".join(inner + _written(entry, inner) for entry in value) + f"\n{indent}]"
    return _flat(value)


def _flat(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)
