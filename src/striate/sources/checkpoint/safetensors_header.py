"""The header of a safetensors file: eight bytes of length, then JSON (the format's specification, version 0.4)."""

from __future__ import annotations

import json
import math
from typing import BinaryIO

from striate.errors import WeightsError
from striate.sources.checkpoint.faults import checked_shape, damaged, short
from striate.sources.checkpoint.listing import Contents, ListedTensor
from striate.units import format_bytes

__all__ = ["HEADER_LIMIT", "read_safetensors"]

HEADER_LIMIT = 64 * 1024**2
"""The largest header that is read; the format itself allows 100 MB."""

_WHAT = "safetensors file"
#: The bits of a number of each type, and its name elsewhere.
_TYPES = {
    "BOOL": (8, "bool"),
    "U8": (8, "uint8"),
    "I8": (8, "int8"),
    "F8_E5M2": (8, "float8_e5m2"),
    "F8_E4M3": (8, "float8_e4m3fn"),
    "F8_E8M0": (8, "float8_e8m0fnu"),
    "F4": (4, "float4_e2m1fn_x2"),
    "I16": (16, "int16"),
    "U16": (16, "uint16"),
    "F16": (16, "float16"),
    "BF16": (16, "bfloat16"),
    "I32": (32, "int32"),
    "U32": (32, "uint32"),
    "F32": (32, "float32"),
    "I64": (64, "int64"),
    "U64": (64, "uint64"),
    "F64": (64, "float64"),
    "C64": (64, "complex64"),
}


def read_safetensors(stream: BinaryIO, size: int, where: str) -> Contents:
    """The tensors that a header lists, with their places checked: inside of the file, no gaps, no overlaps.

    Args:
        stream: the file, at its beginning.
        size: of the file in bytes.
        where: the file, for errors.

    Raises:
        WeightsError: the header is too long, no JSON, or places tensors where they cannot be.
    """
    start = stream.read(8)
    length = int.from_bytes(start, "little")
    if len(start) < 8 or length > size - 8:
        claim = f"a header of {format_bytes(length)} in a file of {format_bytes(size)}"
        raise damaged(where, _WHAT, claim if len(start) == 8 else f"{size} bytes")
    if length > HEADER_LIMIT:
        raise WeightsError(
            "the header of this safetensors file is too long",
            where=where,
            got=format_bytes(length),
            needs=f"at most {format_bytes(HEADER_LIMIT)}",
        )
    try:
        header = json.loads(stream.read(length).decode("utf-8"), object_pairs_hook=_unrepeated)
    except (ValueError, RecursionError) as error:
        raise damaged(where, _WHAT, str(error)) from None
    if not isinstance(header, dict):
        raise damaged(where, _WHAT, f"a header that is a {type(header).__name__}")
    metadata = header.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        raise damaged(where, _WHAT, "metadata that are no texts")
    tensors = [_tensor(name, entry, where) for name, entry in header.items()]
    _check_places(tensors, size - 8 - length, where)
    return Contents(
        "safetensors",
        tuple(tensor for tensor, _, _ in sorted(tensors, key=lambda entry: entry[1])),
        tuple((short(key), short(value, 1000)) for key, value in metadata.items()),
    )


def _unrepeated(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name that stands in the header twice")
    return found


def _tensor(name: str, entry: object, where: str) -> tuple[ListedTensor, int, int]:
    """A tensor with the bytes it begins and ends at."""
    fields = entry if isinstance(entry, dict) else {}
    shape, kind, place = checked_shape(fields.get("shape")), fields.get("dtype"), fields.get("data_offsets")
    bits, dtype = _TYPES.get(kind, (0, "")) if isinstance(kind, str) else (0, "")
    good = isinstance(place, list) and len(place) == 2 and all(type(edge) is int and edge >= 0 for edge in place)
    if shape is None or not bits or not good or not isinstance(place, list):
        raise damaged(where, _WHAT, f"{short(name, 80)}: {short(json.dumps(entry), 100)}")
    start, stop = place
    if (stop - start) * 8 != math.prod(shape) * bits:
        raise damaged(where, _WHAT, f"{short(name, 80)}: {stop - start} bytes for {list(shape)} of {dtype}")
    return ListedTensor(short(name), shape, dtype, stop - start), start, stop


def _check_places(tensors: list[tuple[ListedTensor, int, int]], room: int, where: str) -> None:
    end = 0
    for tensor, start, stop in sorted(tensors, key=lambda entry: entry[1:]):
        if start != end:
            fault = "overlaps the tensor before it" if start < end else "leaves a gap before it"
            raise damaged(where, _WHAT, f"{tensor.name} {fault}: bytes {start} to {stop}, expected from {end}")
        end = stop
    if end != room:
        raise damaged(where, _WHAT, f"tensors of {end} bytes in {room} bytes of the file")
