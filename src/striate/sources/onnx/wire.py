"""Protobuf bytes without the numbers of large tensors, so that a file of any size is parsed in little memory.

An ONNX file is a ModelProto (onnx.proto3). On the wire a message is a list of fields: a varint ``number << 3 | type``
and a value (protobuf encoding guide). Only the messages on the way to a TensorProto are walked through; the numbers of
a tensor are left out where they are longer than :data:`KEPT`, and everything else is handed on as it is.
"""

from __future__ import annotations

from collections.abc import Mapping

from striate.errors import SourceError
from striate.sources.onnx.faults import damaged
from striate.units import format_bytes

__all__ = ["KEPT", "STRIPPED_LIMIT", "Stripper"]

KEPT = 64 * 1024
"""The most bytes of one tensor's numbers that are kept, since shapes may be computed from them."""
STRIPPED_LIMIT = 128 * 1024**2
"""The most bytes that may remain without the numbers of tensors."""

_DEPTH_LIMIT = 64

#: For each kind of message, the fields that hold messages to walk into.
_INSIDE: Mapping[str, Mapping[int, str]] = {
    "model": {7: "graph", 25: "function", 20: "training"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: "tensor", 2: "tensor"},
    "tensor": {},
}
#: The fields of a TensorProto that hold its numbers: float, int32, string, int64, raw, double, uint64.
_NUMBERS = frozenset({4, 5, 6, 7, 9, 10, 11})


class Stripper:
    """Walks over one file.

    Args:
        data: the bytes, such as a mapped file.
        where: what errors call it.
    """

    def __init__(self, data: memoryview, where: str) -> None:
        self._data = data
        self._where = where
        self._room = STRIPPED_LIMIT

    def strip(self) -> bytes:
        """The model without the numbers of large tensors.

        Raises:
            SourceError: these bytes are not a protobuf message, or too much remains.

        >>> Stripper(memoryview(bytes([0x08, 0x09])), "tiny.onnx").strip()
        b'\\x08\\t'
        """
        return b"".join(self._message("model", 0, len(self._data), 0))

    def _message(self, kind: str, start: int, end: int, depth: int) -> list[bytes | memoryview]:
        if depth > _DEPTH_LIMIT:
            raise damaged(self._where, f"graphs inside of graphs, more than {_DEPTH_LIMIT} deep")
        inside, kept, place, open_from = _INSIDE[kind], [], start, start
        while place < end:
            field = place
            key, place = self._varint(place, end)
            number, wire_type = key >> 3, key & 7
            body, place = self._value(wire_type, place, end)
            if wire_type != 2:
                continue
            drop = kind == "tensor" and number in _NUMBERS and place - body > KEPT
            if not drop and number not in inside:
                continue
            kept += self._keep(open_from, field)
            open_from = place
            if not drop:
                content = self._message(inside[number], body, place, depth + 1)
                kept += [_varint_bytes(key), _varint_bytes(sum(len(part) for part in content)), *content]
        return kept + self._keep(open_from, end)

    def _keep(self, start: int, end: int) -> list[bytes | memoryview]:
        self._room -= end - start
        if self._room < 0:
            raise SourceError(
                "this file is too large for a network",
                where=self._where,
                got=f"more than {format_bytes(STRIPPED_LIMIT)} besides the numbers of its tensors",
                needs="a file whose tensors make up its size",
            )
        return [self._data[start:end]] if end > start else []

    def _value(self, wire_type: int, place: int, end: int) -> tuple[int, int]:
        """Where a field's value begins and ends."""
        if wire_type == 0:
            return place, self._varint(place, end)[1]
        if wire_type == 2:
            length, place = self._varint(place, end)
        elif wire_type in (1, 5):
            length = 8 if wire_type == 1 else 4
        else:
            raise damaged(self._where, f"a field of the unknown type {wire_type} at byte {place}")
        if length > end - place:
            raise damaged(self._where, f"{length} bytes announced at byte {place}, where {end - place} are left")
        return place, place + length

    def _varint(self, place: int, end: int) -> tuple[int, int]:
        result = shift = 0
        while True:
            if place >= end or shift > 63:
                raise damaged(self._where, f"a number without an end at byte {place}")
            byte = self._data[place]
            place += 1
            result |= (byte & 127) << shift
            if byte < 128:
                return result, place
            shift += 7


def _varint_bytes(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)
