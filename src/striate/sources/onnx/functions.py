"""Functions of a model: operations that the file defines itself, replaced by what they stand for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from striate.errors import SourceError
from striate.sources.onnx.faults import short
from striate.sources.onnx.model import Attribute, Operation, Subgraph

__all__ = ["Reader", "inlined"]

_DEPTH_LIMIT = 16
_COUNT_LIMIT = 100_000


class Reader(Protocol):
    """What turns protobuf into data."""

    def operation(self, node: Any) -> Operation:
        """One NodeProto."""

    def attribute(self, entry: Any) -> Attribute:
        """The value of one AttributeProto."""


def inlined(
    node: Any, functions: Mapping[tuple[str, str], Any], reader: Reader, prefix: str, where: str
) -> list[Operation]:
    """A node as the operations it stands for; itself where no function bears its name.

    Raises:
        SourceError: functions that call each other without an end, or too many operations.
    """
    return _expanded(reader.operation(node), functions, reader, prefix, where, 0, [0])


def _expanded(
    operation: Operation,
    functions: Mapping[tuple[str, str], Any],
    reader: Reader,
    prefix: str,
    where: str,
    depth: int,
    made: list[int],
) -> list[Operation]:
    function = functions.get((operation.domain, operation.op))
    if function is None:
        return [operation]
    made[0] += len(function.node)
    if depth >= _DEPTH_LIMIT or made[0] > _COUNT_LIMIT:
        raise SourceError(
            "the functions in this file call each other without an end",
            where=where,
            got=short(operation.label),
            needs=f"at most {_DEPTH_LIMIT} functions inside of each other",
        )
    names = {"": ""}
    names.update(zip(function.input, (*operation.inputs, *[""] * len(function.input)), strict=False))
    names.update(zip(function.output, operation.outputs, strict=False))
    given = {**{entry.name: reader.attribute(entry) for entry in function.attribute_proto}, **operation.attributes}
    found = []
    for position, node in enumerate(function.node):
        inner = reader.operation(node)
        attributes = dict(inner.attributes)
        for entry in node.attribute:
            if entry.ref_attr_name:
                attributes.pop(entry.name, None)
                if given.get(entry.ref_attr_name) is not None:
                    attributes[entry.name] = given[entry.ref_attr_name]
        attributes = {name: _renamed(value, names, prefix) for name, value in attributes.items()}
        inner = replace(
            inner,
            inputs=tuple(_name(name, names, prefix) for name in inner.inputs),
            outputs=tuple(_name(name, names, prefix) for name in inner.outputs),
            attributes=attributes,
            scopes=inner.scopes or operation.scopes,
        )
        found += _expanded(inner, functions, reader, f"{prefix}.{position}", where, depth + 1, made)
    return found


def _name(name: str, names: Mapping[str, str], prefix: str) -> str:
    return names.get(name, f"{prefix}/{name}")


def _renamed(value: Attribute, names: Mapping[str, str], prefix: str) -> Attribute:
    if isinstance(value, Subgraph):
        return Subgraph(tuple(_name(name, names, prefix) for name in value.reads))
    return value
