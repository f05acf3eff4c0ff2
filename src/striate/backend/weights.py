"""Weights in and out, as safetensors: a header in JSON and raw numbers, nothing that can run."""

from __future__ import annotations

import json
from pathlib import Path

import safetensors.torch
import torch
from torch import Tensor, nn

from striate.backend.sharing import names_once
from striate.backend.tensors import matched_tensors
from striate.backend.weights_file import StoredTensor, open_weights, shown
from striate.backend.weights_mismatch import explain_mismatch
from striate.errors import UsageError, WeightsError
from striate.graph import Graph
from striate.runs.atomic import write_bytes

__all__ = ["FORMAT_VERSION", "load_weights", "save_weights"]

FORMAT_VERSION = 1


def save_weights(module: nn.Module, path: Path, graph: Graph) -> None:
    """Write every parameter and buffer of a network's module to a safetensors file, atomically.

    The names are those of the state dict, the dtypes those of the module; any reader of safetensors can load the file.
    Its metadata are ``format`` = ``pt``, ``striate_format`` and ``network``. Equal weights make equal files.

    Args:
        module: what :func:`striate.backend.build_module` made of ``graph``; neither moved nor changed.
        path: the file, replaced if it exists.
        graph: the network.

    Raises:
        UsageError: when the module is not of this graph (wrapped or compiled modules hold it inside).
        StorageError: when the file cannot be written.
    """
    tensors = matched_tensors(module, graph)
    metadata = {"format": "pt", "striate_format": str(FORMAT_VERSION), "network": graph.name}
    write_bytes(Path(path), _with_sorted_metadata(safetensors.torch.save(_detached(tensors), metadata)))


def _with_sorted_metadata(data: bytes) -> bytes:
    """The same file with the metadata in order: safetensors shuffles them, and equal weights should be equal bytes."""
    end = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:end])
    header["__metadata__"] = dict(sorted(header["__metadata__"].items()))
    text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
    text += b" " * (-len(text) % 8)
    return b"".join((len(text).to_bytes(8, "little"), text, memoryview(data)[end:]))


def _detached(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Plain contiguous tensors on the CPU, none sharing memory with another: that is all safetensors stores."""
    plain: dict[str, Tensor] = {}
    seen: set[int] = set()
    for name, tensor in tensors.items():
        if tensor.is_meta:
            raise UsageError("a module on the device 'meta' has no numbers to save", where=name)
        entry = tensor.cpu().contiguous()
        place = entry.untyped_storage().data_ptr()
        if place in seen or entry.untyped_storage().nbytes() != entry.nbytes:
            entry = entry.clone()
        seen.add(entry.untyped_storage().data_ptr())
        plain[name] = entry
    return plain


def load_weights(module: nn.Module, path: Path) -> None:
    """Fill a module from a safetensors file: all of it, or nothing.

    Names and shapes must be the module's own, no more and no less; a tensor that several nodes share stands in the file
    under one of its names. Floats of any width are converted to the module's
    dtype; whole numbers must be whole numbers. Nothing is read before the header fits the file's length, and nothing is
    changed before every number has been read and found finite. The module keeps its device, dtypes and memory layout.

    Args:
        module: a network's module, on any device.
        path: the file.

    Raises:
        WeightsError: when the file is missing, damaged, of another kind, or does not fit; up to five differences and
            what they probably mean are told.
        UsageError: when the module is on the device ``meta``.
    """
    path = Path(path)
    held = module.state_dict(keep_vars=True)
    if any(target.is_meta for target in held.values()):
        raise UsageError("a module on the device 'meta' has no numbers to set", where=str(path))
    with open_weights(path) as stored:
        targets = {name: held[name].detach() for name in names_once(held, stored.tensors)}
        if (newer := stored.metadata.get("striate_format", "1")) != str(FORMAT_VERSION):
            raise WeightsError(
                "these weights were written by another version of Striate",
                where=str(path),
                got=f"format {shown(newer)}",
                needs=f"format {FORMAT_VERSION}",
            )
        if mismatch := explain_mismatch(path, stored, targets):
            raise mismatch
        values = {name: _converted(path, stored.tensors[name], name, target) for name, target in targets.items()}
    with torch.no_grad():
        for name, target in targets.items():
            target.copy_(values[name])


def _converted(path: Path, stored: StoredTensor, name: str, target: Tensor) -> Tensor:
    """One tensor in the module's dtype, still on the CPU."""
    tensor = stored.read()
    value = tensor.to(target.dtype)
    if target.is_floating_point() and not bool(torch.isfinite(value).all()):
        count = int((~torch.isfinite(value)).sum())
        fits = bool(torch.isfinite(tensor).all())
        raise WeightsError(
            f"{name} does not fit into {target.dtype}" if fits else f"{name} is not finite",
            where=str(path),
            got=f"{count} of {value.numel()} numbers are NaN or infinite" + (f" in {target.dtype}" if fits else ""),
            needs="finite numbers" if fits else "finite numbers: this network diverged, or the file is damaged",
        )
    return value
