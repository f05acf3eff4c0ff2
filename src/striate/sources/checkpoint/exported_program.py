"""A ``.pt2`` archive, as ``torch.export.save`` writes it: its weights are listed in JSON, its samples are pickles."""

from __future__ import annotations

import json
import math
from typing import Any

from striate.sources.checkpoint.faults import checked_shape, damaged, short
from striate.sources.checkpoint.listing import Contents, ListedTensor, PickleImport
from striate.sources.checkpoint.pickle_machine import PickleMachine
from striate.sources.checkpoint.torch_files import imports_of
from striate.sources.checkpoint.torch_tensors import find_tensors
from striate.sources.checkpoint.zip_archive import Archive

__all__ = ["is_exported_program", "read_exported_program"]

_CONFIGS = ("model_weights_config.json", "model_constants_config.json")
_NESTED_LIMIT = 64 * 1024**2
_WHAT = "exported program"
#: torch._export.serde.schema.ScalarType, with the bytes of a number.
_TYPES = {
    1: ("uint8", 1),
    2: ("int8", 1),
    3: ("int16", 2),
    4: ("int32", 4),
    5: ("int64", 8),
    6: ("float16", 2),
    7: ("float32", 4),
    8: ("float64", 8),
    9: ("complex32", 4),
    10: ("complex64", 8),
    11: ("complex128", 16),
    12: ("bool", 1),
    13: ("bfloat16", 2),
    28: ("uint16", 2),
    29: ("float8_e4m3fn", 1),
    30: ("float8_e5m2", 1),
}


def is_exported_program(archive: Archive) -> bool:
    """Whether an archive is one of ``torch.export``, of the present layout or the one before."""
    return bool(archive.named("archive_format") or archive.named("serialized_exported_program.json"))


def read_exported_program(archive: Archive, where: str) -> Contents:
    """The weights that the archive lists, and what the pickles beside them would import.

    Raises:
        WeightsError: the lists are no JSON, or name tensors that cannot be.
    """
    tensors: list[ListedTensor] = []
    imports: list[PickleImport] = []
    notes: list[str] = []
    for name in archive.parts:
        part = name.rpartition("/")[2]
        if any(part.endswith(config) for config in _CONFIGS):
            tensors += _listed(archive, name, where)
        elif name.endswith((".pt", ".pth", ".pkl")):
            found, inner, faults = _nested(archive, name, where)
            tensors += found if part in ("serialized_state_dict.pt", "serialized_constants.pt") else []
            imports += inner
            notes += faults
    versions = [entry for ending in ("archive_version", "version") for entry in archive.named(ending)[:1]]
    metadata = tuple(
        (short(name), short(archive.read(name, 4096).decode("utf-8", "replace").strip())) for name in versions
    )
    return Contents("torch.export", tuple(tensors), metadata, tuple(imports), tuple(notes))


def _listed(archive: Archive, name: str, where: str) -> list[ListedTensor]:
    try:
        config: Any = json.loads(archive.read(name))
        entries = config["config"].items()
        found = []
        for key, entry in entries:
            meta = entry.get("tensor_meta")
            if meta is None:
                continue
            sizes = [size["as_int"] for size in meta["sizes"]]
            shape, (dtype, each) = checked_shape(sizes), _TYPES.get(meta["dtype"], ("?", 0))
            if shape is None:
                raise ValueError(f"{short(key, 80)} of the sizes {short(sizes, 80)}")
            storage = f"{short(entry.get('path_name', ''), 80)}+0"
            group = "" if "weights" in name.rpartition("/")[2] else "constants"
            found.append(ListedTensor(short(key), shape, dtype, math.prod(shape) * each, group, storage))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise damaged(where, _WHAT, f"{short(name, 80)}: {error}") from None
    return found


def _nested(archive: Archive, name: str, where: str) -> tuple[list[ListedTensor], list[PickleImport], list[str]]:
    """A file of ``torch.save`` inside of the archive."""
    import io

    content = archive.read(name, _NESTED_LIMIT)
    if content.startswith(b"PK"):
        inner = Archive(io.BytesIO(content), f"{where}, {short(name, 80)}")
        pickles = [inner.read(part) for part in inner.parts if part.endswith(".pkl")]
    else:
        pickles = [content] if content else []
    tensors: list[ListedTensor] = []
    imports, notes = [], []
    for pickle in pickles:
        machine = PickleMachine()
        machine.run(io.BytesIO(pickle))
        imports += imports_of(machine, short(name, 80))
        tensors += find_tensors(machine.result)
        if machine.fault is not None:
            notes.append(f"a pickle in {short(name, 80)} could not be followed to its end: {machine.fault}")
    return tensors, imports, notes
