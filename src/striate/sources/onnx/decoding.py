"""A ModelProto → :class:`OnnxModel`: every type and bound checked."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from striate.errors import SourceError
from striate.sources.onnx.external import external_location
from striate.sources.onnx.faults import damaged, short
from striate.sources.onnx.functions import inlined
from striate.sources.onnx.model import (
    DEFAULT_DOMAINS,
    Attribute,
    Dimension,
    OnnxModel,
    Operation,
    StoredTensor,
    Subgraph,
)
from striate.sources.onnx.ordering import needed_in_order
from striate.units import format_count

__all__ = ["OPERATION_LIMIT", "OPSETS", "decode"]

OPERATION_LIMIT = 100_000
"""The most operations in one file."""
OPSETS = (11, 30)
"""The first and last version of ONNX's operations that is read."""

_RANK_LIMIT = 16
_SIZE_LIMIT = 2**48
_LIST_LIMIT = 65_536
# AttributeProto.AttributeType
_FLOAT, _INT, _STRING, _TENSOR, _GRAPH, _FLOATS, _INTS, _STRINGS = 1, 2, 3, 4, 5, 6, 7, 8


def decode(proto: Any, where: str, folder: Path | None) -> OnnxModel:
    """What stands in a file.

    Args:
        proto: the ModelProto.
        where: the file, for errors.
        folder: the file's, where tensors may have their numbers; None: they may not.

    Raises:
        SourceError: something in it is missing, contradicts itself or crosses a bound.
    """
    return _Decoder(proto, where, folder).model()


class _Decoder:
    def __init__(self, proto: Any, where: str, folder: Path | None) -> None:
        self._proto, self._where, self._folder = proto, where, folder
        self._depth = 0
        self._reference: dict[str, str] = {}

    def model(self) -> OnnxModel:
        graph = self._proto.graph
        if len(graph.node) > OPERATION_LIMIT or len(graph.initializer) > OPERATION_LIMIT:
            raise self._too_many(max(len(graph.node), len(graph.initializer)))
        tensors = {}
        for tensor in graph.initializer:
            if tensor.name in tensors:
                raise damaged(self._where, f"two tensors are called {short(tensor.name)}")
            tensors[tensor.name] = self._tensor(tensor)
        for sparse in graph.sparse_initializer:
            sizes = self._sizes(sparse.dims, sparse.values.name)
            tensors[sparse.values.name] = StoredTensor(sparse.values.name, sizes, sparse.values.data_type, None)
        operations = self._operations(graph)
        inputs = {entry.name: self._stated(entry) for entry in graph.input if entry.name not in tensors}
        outputs = tuple(entry.name for entry in graph.output)
        if not outputs:
            raise damaged(self._where, "a graph without outputs")
        notes = ((entry.name, self._stated(entry)) for entry in (*graph.value_info, *graph.output))
        stated = {name: axes for name, axes in notes if axes is not None}
        ordered, dead = needed_in_order(operations, outputs, {*inputs, *tensors}, self._where)
        opset = self._opset()
        return OnnxModel(graph.name, opset, ordered, inputs, outputs, tensors, stated, dead)

    def _opset(self) -> int:
        versions = [entry.version for entry in self._proto.opset_import if entry.domain in DEFAULT_DOMAINS]
        first, last = OPSETS
        if not versions or not first <= max(versions) <= last:
            got = f"opset {max(versions)}" if versions else "no version of ONNX's operations is named"
            raise SourceError(
                "the operations in this file are of a version that is not read",
                where=self._where,
                got=got,
                needs=f"opset {first} to {last}",
                write=f"onnx.version_converter.convert_version(model, {max(first, 17)})",
            )
        return int(max(versions))

    def _operations(self, graph: Any) -> list[Operation]:
        functions = {(entry.domain, entry.name): entry for entry in self._proto.functions}
        if not functions:
            return [self.operation(node) for node in graph.node]
        found = []
        for position, node in enumerate(graph.node):
            found += inlined(node, functions, self, f"f{position}", self._where)
            if len(found) > OPERATION_LIMIT:
                raise self._too_many(len(found))
        return found

    def operation(self, node: Any) -> Operation:
        """One NodeProto.

        Raises:
            SourceError: it has no operation, or an attribute of an unknown type.
        """
        if not node.op_type:
            raise damaged(self._where, f"an operation without a kind, called {short(node.name) or 'nothing'}")
        attributes = {entry.name: self.attribute(entry) for entry in node.attribute}
        scopes = _scopes(node)
        return Operation(
            node.op_type, node.domain, node.name, tuple(node.input), tuple(node.output), attributes, scopes
        )

    def attribute(self, entry: Any) -> Attribute:
        """The value of one AttributeProto."""
        kind = entry.type
        if kind == _INT:
            return int(entry.i)
        if kind == _FLOAT:
            return float(entry.f)
        if kind == _STRING:
            return str(entry.s.decode("utf-8", "replace"))
        if kind == _TENSOR:
            return self._tensor(entry.t)
        if kind in (_INTS, _FLOATS, _STRINGS):
            values = {_INTS: entry.ints, _FLOATS: entry.floats, _STRINGS: entry.strings}[kind]
            if len(values) > _LIST_LIMIT:
                raise damaged(self._where, f"an attribute with {format_count(len(values))} values")
            return tuple(value.decode("utf-8", "replace") if isinstance(value, bytes) else value for value in values)
        if kind == _GRAPH:
            return self._subgraph(entry.g)
        return None

    def _subgraph(self, graph: Any) -> Subgraph:
        """What a graph inside of an operation takes from outside."""
        self._depth += 1
        if self._depth > _RANK_LIMIT:
            raise damaged(self._where, "graphs inside of graphs without an end")
        inner = {entry.name for entry in (*graph.input, *graph.initializer)}
        for tensor in graph.initializer:
            self._tensor(tensor)
        reads: dict[str, None] = {}
        for node in graph.node:
            operation = self.operation(node)
            reads.update(dict.fromkeys(name for name in operation.reads() if name not in inner))
            inner.update(operation.outputs)
        reads.update(dict.fromkeys(entry.name for entry in graph.output if entry.name not in inner))
        self._depth -= 1
        return Subgraph(tuple(reads))

    def _tensor(self, tensor: Any) -> StoredTensor:
        location = external_location(tensor, tensor.name, self._folder, self._where)
        sizes = self._sizes(tensor.dims, tensor.name)
        return StoredTensor(tensor.name, sizes, tensor.data_type, tensor, location)

    def _sizes(self, sizes: Iterable[int], name: str) -> tuple[int, ...]:
        found = tuple(int(size) for size in sizes)
        total = 1
        for size in found:
            total *= max(size, 1)
        if len(found) > _RANK_LIMIT or min(found, default=0) < 0 or total > _SIZE_LIMIT:
            raise damaged(self._where, f"the tensor {short(name)} of the sizes {short(found)}")
        return found

    def _stated(self, entry: Any) -> tuple[Dimension, ...] | None:
        """The sizes that a ValueInfoProto states; None where it states none."""
        if not entry.type.HasField("tensor_type") or not entry.type.tensor_type.HasField("shape"):
            return None
        found: list[Dimension] = []
        for dimension in entry.type.tensor_type.shape.dim:
            if dimension.HasField("dim_value"):
                size = int(dimension.dim_value)
                if abs(size) > _SIZE_LIMIT:
                    raise damaged(self._where, f"{short(entry.name)} has an axis of {size}")
                # Some exporters write 0 or -1 for a size that is left open.
                found.append(size if size > 0 else None)
            else:
                found.append(dimension.dim_param or None)
        if len(found) > _RANK_LIMIT:
            raise damaged(self._where, f"{short(entry.name)} has {len(found)} axes")
        return tuple(found)

    def _too_many(self, count: int) -> SourceError:
        return SourceError(
            "this network is too large",
            where=self._where,
            got=f"{format_count(count)} operations or tensors",
            needs=f"at most {format_count(OPERATION_LIMIT)}",
        )


def _scopes(node: Any) -> tuple[str, ...]:
    """The modules that PyTorch's exporter notes for a node: ``['', 'layer1', 'layer1.relu', 'relu_1']``."""
    for entry in node.metadata_props:
        if entry.key == "pkg.torch.onnx.name_scopes" and len(entry.value) < 10_000:
            try:
                value = ast.literal_eval(entry.value)
            except (ValueError, SyntaxError, MemoryError, RecursionError):
                return ()
            if isinstance(value, list) and all(isinstance(part, str) for part in value):
                return tuple(value)
    return ()
