"""The numbers of small stored tensors: sizes, factors, paddings. Large ones are never read."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.sources.onnx.external import read_external
from striate.sources.onnx.faults import fault, short

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from striate.sources.onnx.model import StoredTensor

__all__ = ["FLOATING", "NUMBERS_LIMIT", "numbers_of", "type_of"]

NUMBERS_LIMIT = 8192
"""The most numbers of one tensor that are read or computed."""

#: TensorProto.DataType, for those whose numbers are read.
_TYPES: dict[int, np.dtype[Any]] = {
    1: np.dtype("<f4"),
    2: np.dtype("u1"),
    3: np.dtype("i1"),
    5: np.dtype("<i2"),
    6: np.dtype("<i4"),
    7: np.dtype("<i8"),
    9: np.dtype("?"),
    10: np.dtype("<f2"),
    11: np.dtype("<f8"),
    12: np.dtype("<u4"),
    13: np.dtype("<u8"),
}
#: Types of parameters: floating-point numbers of 32, 16, 64 bits, bfloat16, of 8 bits; and what they are quantised to.
FLOATING = frozenset({1, 10, 11, 16, 17, 18, 19, 20, 2, 3, 21, 22, 23})


def type_of(kind: int) -> np.dtype[Any] | None:
    """NumPy's type for an ONNX one; None for those whose numbers are not read."""
    return _TYPES.get(kind)


def numbers_of(tensor: StoredTensor, folder: Path | None) -> NDArray[Any] | None:
    """The numbers of a small tensor; None where it is large, of another type, or they cannot be had.

    Raises:
        SourceError: there are more or fewer numbers than its sizes say.
    """
    kind, count, proto = _TYPES.get(tensor.kind), math.prod(tensor.sizes), tensor.content
    if kind is None or count > NUMBERS_LIMIT or proto is None:
        return None
    if tensor.external is not None:
        content = None if folder is None else read_external(proto, folder, tensor.external, count * kind.itemsize)
        return None if content is None else _shaped(np.frombuffer(content, kind), tensor)
    if proto.HasField("raw_data"):
        if len(proto.raw_data) % kind.itemsize:
            raise _wrong(tensor, f"{len(proto.raw_data)} bytes")
        return _shaped(np.frombuffer(proto.raw_data, kind), tensor)
    if tensor.kind == 1:
        return _shaped(np.array(proto.float_data, kind), tensor)
    if tensor.kind == 7:
        return _shaped(np.array(proto.int64_data, kind), tensor)
    if tensor.kind == 11:
        return _shaped(np.array(proto.double_data, kind), tensor)
    if tensor.kind in (12, 13):
        return _shaped(_narrowed(proto.uint64_data, kind), tensor)
    if tensor.kind == 10:
        return _shaped(_narrowed(proto.int32_data, np.dtype("<u2")).view(kind), tensor)
    return _shaped(_narrowed(proto.int32_data, kind), tensor)


def _narrowed(values: Any, kind: np.dtype[Any]) -> NDArray[Any]:
    # Numbers that do not fit are cut to their lowest bits, as a damaged file may hold them.
    return np.array(values, np.uint64 if kind.kind == "u" and kind.itemsize == 8 else np.int64).astype(kind)


def _shaped(array: NDArray[Any], tensor: StoredTensor) -> NDArray[Any]:
    if array.size != math.prod(tensor.sizes):
        raise _wrong(tensor, f"{array.size} numbers")
    return array.reshape(tensor.sizes)


def _wrong(tensor: StoredTensor, got: str) -> Exception:
    return fault(
        "a stored tensor holds another amount of numbers than its sizes say",
        got=f"{short(tensor.name)}: {got} for the sizes {list(tensor.sizes)}",
        needs=f"{math.prod(tensor.sizes)} numbers",
    )
