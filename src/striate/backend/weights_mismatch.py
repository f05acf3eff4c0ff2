"""Why a file of weights does not fit a module, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from torch import Tensor

from striate.backend.weights_file import StoredWeights, shown
from striate.errors import WeightsError
from striate.units import format_shape

__all__ = ["explain_mismatch"]

_TOLD = 5


def explain_mismatch(path: Path, stored: StoredWeights, targets: Mapping[str, Tensor]) -> WeightsError | None:
    """The error for a file whose names, shapes or kinds of numbers are not the module's; None when all agree."""
    differences = list(_differences(stored, targets))
    if not differences:
        return None
    told = "; ".join(differences[:_TOLD])
    if len(differences) > _TOLD:
        told += f"; and {len(differences) - _TOLD} more"
    problem, write = _diagnosis(stored, targets, differences[0])
    needs = f"the {len(targets)} tensors of this network"
    return WeightsError(problem, where=str(path), got=told, needs=needs, write=write)


def _differences(stored: StoredWeights, targets: Mapping[str, Tensor]) -> Iterator[str]:
    for name, target in targets.items():
        entry = stored.tensors.get(name)
        if entry is None:
            yield f"{name} is missing"
        elif entry.shape != tuple(target.shape):
            yield f"{name} is {_sizes(entry.shape)} in the file and {_sizes(tuple(target.shape))} here"
        elif entry.is_float != target.is_floating_point() or not (entry.is_float or entry.dtype == "I64"):
            yield f"{name} holds {entry.dtype}, which is not {target.dtype}"
    for name in stored.tensors:
        if name not in targets:
            yield f"{shown(name)} is not in this network"


def _diagnosis(stored: StoredWeights, targets: Mapping[str, Tensor], first: str) -> tuple[str, str | None]:
    """What probably happened, and what to do about it."""
    network = stored.metadata.get("network")
    of = f" ({shown(network)})" if network else ""
    if prefix := _wrapping_prefix(stored, targets):
        return (
            f"the names in this file begin with {prefix!r}: a wrapped module was saved",
            f"save the module inside, or cut {prefix!r} off the names",
        )
    if not stored.tensors.keys() & targets.keys():
        return f"these are the weights of another network{of}: no name is the same", None
    if stored.tensors.keys() != targets.keys():
        return f"these are the weights of another network{of}; the first difference: {first}", None
    wrong = {
        name: (stored.tensors[name].shape, tuple(target.shape))
        for name, target in targets.items()
        if stored.tensors[name].shape != tuple(target.shape)
    }
    nodes = {name.rpartition(".")[0] for name in wrong}
    if len(nodes) == 1 and all(theirs and ours and theirs[1:] == ours[1:] for theirs, ours in wrong.values()):
        theirs, ours = next(iter(wrong.values()))
        return (
            f"{nodes.pop()} has {theirs[0]} outputs in the file and {ours[0]} here: trained for other classes?{of}",
            f"a network with {theirs[0]} there",
        )
    return f"these weights do not fit; the first difference: {first}", None


def _wrapping_prefix(stored: StoredWeights, targets: Mapping[str, Tensor]) -> str | None:
    """What data-parallel and compiled modules put before every name."""
    for prefix in ("module._orig_mod.", "_orig_mod.module.", "module.", "_orig_mod."):
        if {prefix + name for name in targets} == set(stored.tensors):
            return prefix
    return None


def _sizes(shape: tuple[int, ...]) -> str:
    return format_shape(shape) if shape else "one number"
