"""A safetensors file as NumPy arrays, each read when it is looked at; sizes are checked before memory is taken."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from striate.errors import WeightsError
from striate.units import format_bytes, format_shape

if TYPE_CHECKING:
    from striate.graph import Graph

__all__ = ["StoredArrays", "check_fit"]

_HEADER_LIMIT = 16 * 1024**2
_TOLD = 5
#: BF16 has no type in NumPy: its two bytes are the upper two of a float32.
_TYPES = {
    "F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2", "I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "<i1",
    "U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "<u1", "BOOL": "|b1",
}  # fmt: skip


class StoredArrays(Mapping[str, "np.ndarray[Any, Any]"]):
    """The tensors of a file by their names; what is not looked at is never read.

    Args:
        path: a ``.safetensors`` file.

    Raises:
        WeightsError: it is missing, no such file, or damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if not path.is_file():
            problem = "this is not a file" if path.exists() else "there is no such file of weights"
            raise WeightsError(problem, where=str(path), needs="a .safetensors file")
        try:
            size = path.stat().st_size
            with open(path, "rb") as stream:
                start = stream.read(9)
                length = int.from_bytes(start[:8], "little")
                if start[8:] != b"{" or length > min(size - 8, _HEADER_LIMIT):
                    raise _damaged(path, "no header, as safetensors files have one, at its beginning")
                header = json.loads(start[8:] + stream.read(length - 1))
        except OSError as error:
            raise WeightsError("these weights cannot be read", where=str(path), got=str(error)) from None
        except (ValueError, RecursionError) as error:
            raise _damaged(path, f"a header that is not JSON: {error}"[:200]) from None
        self._entries = {
            name: _entry(path, name, value, size - 8 - length)
            for name, value in header.items()
            if name != "__metadata__"
        }
        self._start = 8 + length

    def __getitem__(self, name: str) -> np.ndarray[Any, Any]:
        kind, shape, begin = self._entries[name]
        count = math.prod(shape)
        with open(self.path, "rb") as stream:
            stream.seek(self._start + begin)
            values = np.fromfile(stream, dtype=_TYPES[kind], count=count)
        if values.size != count:
            raise _damaged(self.path, f"{name} is cut off")
        if kind == "BF16":
            values = (values.astype("<u4") << 16).view("<f4")
        return values.reshape(shape)

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def shape(self, name: str) -> tuple[int, ...]:
        """The sizes of a tensor, which is not read."""
        return self._entries[name][1]


def check_fit(graph: Graph, weights: StoredArrays, names: Mapping[str, str] | None = None) -> None:
    """Check that a file has every trained tensor of a network, in its shape.

    Args:
        graph: the network.
        weights: the file.
        names: what tensors are called in the file, where that is not their name.

    Raises:
        WeightsError: it has not; the message tells the first differences.
    """
    differences = []
    for name, parameter in graph.parameters():
        stored = (names or {}).get(name, name)
        if stored not in weights:
            differences.append(f"{name} is missing")
        elif weights.shape(stored) != parameter.shape:
            here, there = format_shape(parameter.shape), format_shape(weights.shape(stored))
            differences.append(f"{name} is {there} in the file and {here} here")
    if differences:
        told = "; ".join(differences[:_TOLD]) + (
            f"; and {len(differences) - _TOLD} more" if len(differences) > _TOLD else ""
        )
        raise WeightsError(
            f"these are not the weights of {graph.name}",
            where=str(weights.path),
            got=told,
            needs="its trained tensors under their names, NODE.weight and so on",
            write="--classes N, where the last layer alone differs",
        )


def _entry(path: Path, name: str, value: object, room: int) -> tuple[str, tuple[int, ...], int]:
    """Kind, sizes and first byte of a tensor, once they agree with each other and with the file."""
    fields = value if isinstance(value, dict) else {}
    kind = fields.get("dtype")
    shape: Any = fields.get("shape")
    offsets: Any = fields.get("data_offsets")
    if not (_counts(shape) and _counts(offsets) and len(offsets) == 2 and isinstance(kind, str)):
        raise _damaged(path, f"a header that says nothing clear about {name!r}"[:200])
    if kind not in _TYPES:
        raise WeightsError("this kind of number is not read", where=str(path), got=f"{name}: {kind}"[:200])
    begin, end = offsets
    needed = math.prod(shape) * np.dtype(_TYPES[kind]).itemsize
    if end > room or end - begin != needed:
        raise _damaged(path, f"{name!r}"[:200] + f" of {format_bytes(needed)} from byte {begin} to {end} of {room}")
    return kind, tuple(shape), begin


def _counts(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= 16 and all(type(entry) is int and entry >= 0 for entry in value)


def _damaged(path: Path, got: str) -> WeightsError:
    return WeightsError(
        "this is not a safetensors file, or it is cut off or damaged",
        where=str(path),
        got=got if got.isprintable() else ascii(got),
        needs="a whole .safetensors file",
    )
