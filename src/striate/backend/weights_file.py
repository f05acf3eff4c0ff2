"""Opening a safetensors file that may be anything: sizes are checked before memory is taken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from torch import Tensor

from striate.errors import WeightsError
from striate.units import Shape, format_bytes

__all__ = ["StoredTensor", "StoredWeights", "open_weights", "shown"]

# Every tensor takes about a hundred bytes of header; the largest networks have some ten thousand.
_HEADER_LIMIT = 16 * 1024**2

_LONGEST_SHOWN = 120

_FOREIGN = {
    b"PK\x03\x04": "a zip archive, as torch.save writes it",
    b"\x80": "a Python pickle, as old versions of torch.save write it",
    b"\x89HDF": "an HDF5 file, as Keras writes it",
    b"GGUF": "a GGUF file",
}
_CONVERT = (
    "safetensors.torch.save_file(torch.load(FILE, weights_only=True), 'weights.safetensors'), if you trust the file"
)


@dataclass(frozen=True, slots=True)
class StoredTensor:
    """One tensor of a file, known by its header and not yet read.

    Args:
        shape: its sizes.
        dtype: as safetensors names it (``F32``, ``I64``).
        read: reads its numbers, on the CPU.
    """

    shape: Shape
    dtype: str
    read: Callable[[], Tensor]

    @property
    def is_float(self) -> bool:
        """Whether it holds floats of a width a module can hold."""
        return self.dtype in ("F16", "BF16", "F32", "F64")


@dataclass(frozen=True, slots=True)
class StoredWeights:
    """A file's tensors by name, and its metadata."""

    tensors: dict[str, StoredTensor]
    metadata: dict[str, str]


@contextmanager
def open_weights(path: Path) -> Iterator[StoredWeights]:
    """Open a file of weights; tensors can be read while it is open.

    Raises:
        WeightsError: when it is missing, damaged or of another kind.
    """
    _check_start(path)
    try:
        with safe_open(path, framework="pt", device="cpu") as file:
            tensors = {name: _stored(file, name) for name in file.keys()}  # noqa: SIM118
            yield StoredWeights(tensors, dict(file.metadata() or {}))
    except SafetensorError as error:
        raise _damaged(path, shown(str(error))) from error
    except OSError as error:
        raise WeightsError("these weights cannot be read", where=str(path), got=str(error)) from error


def _stored(file: Any, name: str) -> StoredTensor:
    part = file.get_slice(name)
    return StoredTensor(tuple(part.get_shape()), str(part.get_dtype()), lambda: file.get_tensor(name))


def _check_start(path: Path) -> None:
    """The first eight bytes are the header's length, which must fit into the file."""
    if not path.exists():
        raise WeightsError("there is no such file of weights", where=str(path), write="the path of a .safetensors file")
    if not path.is_file():
        raise WeightsError("this is not a file", where=str(path), needs="a .safetensors file")
    try:
        size = path.stat().st_size
        with path.open("rb") as stream:
            start = stream.read(9)
    except OSError as error:
        raise WeightsError("these weights cannot be read", where=str(path), got=str(error)) from error
    if not start:
        raise _damaged(path, "an empty file")
    for signature, what in _FOREIGN.items():
        # A safetensors header is JSON: byte 8 is its brace, whatever the eight bytes of length before it look like.
        if start.startswith(signature) and start[8:9] != b"{":
            raise WeightsError(
                "this is not a safetensors file", where=str(path), got=what, needs="safetensors", write=_CONVERT
            )
    length = int.from_bytes(start[:8], "little")
    if len(start) < 9 or length > size - 8:
        claim = (
            f"a header of {format_bytes(length)} in a file of {format_bytes(size)}" if len(start) >= 8 else start.hex()
        )
        raise _damaged(path, claim)
    if length > _HEADER_LIMIT:
        raise _damaged(path, f"a header of {format_bytes(length)}; at most {format_bytes(_HEADER_LIMIT)} are read")


def shown(text: str) -> str:
    """Text from a file that may be anything, safe to print: no control characters, and not endless.

    >>> shown("conv1.weight"), shown("a\\x1b[2Jb")
    ('conv1.weight', "'a\\\\x1b[2Jb'")
    """
    safe = text if text.isprintable() else ascii(text)
    return safe if len(safe) <= _LONGEST_SHOWN else safe[:_LONGEST_SHOWN] + "…"


def _damaged(path: Path, got: str) -> WeightsError:
    return WeightsError(
        "this is not a safetensors file, or it is cut off or damaged",
        where=str(path),
        got=got,
        needs="a whole .safetensors file",
    )
