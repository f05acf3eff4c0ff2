"""What is said about a file of weights."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from striate.units import Shape

__all__ = ["Checkpoint", "Contents", "Guess", "ListedTensor", "PickleImport"]


@dataclass(frozen=True, slots=True)
class ListedTensor:
    """One tensor of a file, known without its numbers.

    Args:
        name: in its own group (``layer1.0.conv1.weight``).
        shape: its sizes.
        dtype: the type of its numbers, ``float32``.
        bytes: how much its numbers take.
        group: the part of the file it stands in (``state_dict``, ``optimizer.state.0``); empty: the file itself.
        storage: what holds its numbers; tensors with the same one share them. Empty: its own.
    """

    name: str
    shape: Shape
    dtype: str
    bytes: int
    group: str = ""
    storage: str = ""

    @property
    def count(self) -> int:
        """How many numbers it has."""
        return math.prod(self.shape)

    def as_dict(self) -> dict[str, Any]:
        """The tensor as JSON-ready data."""
        return {
            "name": self.name,
            "group": self.group,
            "shape": list(self.shape),
            "dtype": self.dtype,
            "bytes": self.bytes,
        }


@dataclass(frozen=True, slots=True)
class PickleImport:
    """A name that a pickle in the file would import if it were loaded.

    Args:
        name: ``module.name``.
        called: whether it would be called as well.
        expected: whether it is one of those that PyTorch's own tensors need.
        where: the part of the file.
    """

    name: str
    called: bool
    expected: bool
    where: str = ""

    def as_dict(self) -> dict[str, Any]:
        """The import as JSON-ready data."""
        return {"name": self.name, "called": self.called, "expected": self.expected, "where": self.where}


@dataclass(frozen=True, slots=True)
class Guess:
    """A network of the zoo that the tensors may be the weights of.

    Args:
        network: its name in the zoo.
        fit: ``names`` (every name and shape), ``shapes`` (every shape, in order, under other names) or ``part``.
        classes: the number of classes they were trained for, where the network has that; None: it has none.
        channels: of the images they were trained on.
        matched: how many tensors have a counterpart of the same name and shape (of the same shape in order, for
            ``shapes``).
        count: how many tensors the network has.
        prefix: what stands before every name in the file.
        group: the part of the file that was compared.
        differences: the first few tensors that differ, in words.
    """

    network: str
    fit: str
    classes: int | None
    channels: int
    matched: int
    count: int
    prefix: str = ""
    group: str = ""
    differences: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The guess as JSON-ready data."""
        return {
            "network": self.network,
            "fit": self.fit,
            "classes": self.classes,
            "channels": self.channels,
            "matched": self.matched,
            "count": self.count,
            "prefix": self.prefix,
            "group": self.group,
            "differences": list(self.differences),
        }


@dataclass(frozen=True)
class Contents:
    """What a reader finds in a file.

    Args:
        format: what kind of file it is.
        tensors: in the order of the file.
        metadata: texts and numbers beside the tensors, by name.
        imports: what pickles in it would import.
        notes: what is odd about it, in sentences.
    """

    format: str
    tensors: tuple[ListedTensor, ...] = ()
    metadata: tuple[tuple[str, str], ...] = ()
    imports: tuple[PickleImport, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Checkpoint(Contents):
    """A file of weights, listed without being loaded.

    Args:
        path: the file.
        file_bytes: how large it is.
        guesses: networks of the zoo that it fits, the best first; several where they have the same tensors.
    """

    path: str = ""
    file_bytes: int = 0
    guesses: tuple[Guess, ...] = ()

    @property
    def count(self) -> int:
        """How many numbers all tensors have, shared ones once."""
        return sum(tensor.count for tensor in _once(self.tensors))

    @property
    def bytes(self) -> int:
        """How many bytes all tensors take, shared ones once."""
        return sum(tensor.bytes for tensor in _once(self.tensors))

    @property
    def unexpected(self) -> tuple[PickleImport, ...]:
        """The imports that no tensor needs: what loading the file would run besides."""
        return tuple(entry for entry in self.imports if not entry.expected)

    def as_dict(self) -> dict[str, Any]:
        """The listing as JSON-ready data."""
        return {
            "path": self.path,
            "format": self.format,
            "file_bytes": self.file_bytes,
            "count": self.count,
            "bytes": self.bytes,
            "tensors": [tensor.as_dict() for tensor in self.tensors],
            "metadata": dict(self.metadata),
            "imports": [entry.as_dict() for entry in self.imports],
            "unexpected_imports": len(self.unexpected),
            "guesses": [guess.as_dict() for guess in self.guesses],
            "notes": list(self.notes),
        }


def _once(tensors: tuple[ListedTensor, ...]) -> list[ListedTensor]:
    found: dict[object, ListedTensor] = {}
    for position, tensor in enumerate(tensors):
        key: object = (tensor.storage, tensor.shape) if tensor.storage else position
        found.setdefault(key, tensor)
    return list(found.values())
