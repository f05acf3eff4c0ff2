"""Files that ``torch.save`` writes: a zip archive since PyTorch 1.6, plain pickles before."""

from __future__ import annotations

import io
from collections.abc import Iterable
from typing import Any, BinaryIO

from striate.errors import WeightsError
from striate.sources.checkpoint.bounded_stream import BoundedStream
from striate.sources.checkpoint.faults import damaged, short
from striate.sources.checkpoint.listing import Contents, ListedTensor, PickleImport
from striate.sources.checkpoint.pickle_machine import OPCODE_LIMIT, PickleMachine
from striate.sources.checkpoint.torch_tensors import expected_import, find_metadata, find_tensors
from striate.sources.checkpoint.zip_archive import Archive

__all__ = ["imports_of", "read_torch_pickles", "read_torch_zip"]

_PICKLES_LIMIT = 256 * 1024**2
#: What is followed of further pickles in an archive, which hold no weights.
_PICKLES_IN_ARCHIVE = 64
_OPCODES_BESIDE = 100_000
#: What the file before PyTorch 1.6 begins with (torch.serialization.MAGIC_NUMBER).
_MAGIC = 0x1950A86A20F9469CFC6C


def read_torch_zip(archive: Archive, where: str) -> Contents:
    """The tensors that the pickle of an archive would rebuild, and what all its pickles would import.

    Raises:
        WeightsError: there is no pickle of PyTorch's in it, or it is damaged.
    """
    main = archive.named("data.pkl")
    if not main:
        raise _another_archive(archive, where)
    code = any("/code/" in f"/{name}" for name in archive.parts)
    machine = _followed(archive.read(main[0]))
    imports, notes = imports_of(machine, ""), []
    others = [name for name in archive.parts if name.endswith((".pkl", ".pickle", ".pt", ".pth")) and name != main[0]]
    if code:
        notes.append("a TorchScript archive: besides its tensors it holds a program, which loading it would run")
    for name in others[:_PICKLES_IN_ARCHIVE]:
        inner = _followed(archive.read(name), _OPCODES_BESIDE)
        imports += imports_of(inner, short(name, 80))
        notes += _told(inner, short(name, 80))
    if len(others) > _PICKLES_IN_ARCHIVE:
        notes.append(f"{len(others) - _PICKLES_IN_ARCHIVE} more pickles in it were not looked at")
    tensors = tuple(find_tensors(machine.result))
    if machine.fault is not None and not tensors and not imports:
        raise damaged(where, "PyTorch file", machine.fault)
    notes += [*_told(machine, "the pickle"), *_sizes_told(archive, main[0], tensors)]
    kind = "TorchScript" if code else "PyTorch, zip"
    return Contents(kind, tensors, tuple(find_metadata(machine.result)), tuple(imports), tuple(notes))


def read_torch_pickles(stream: BinaryIO, size: int, where: str) -> Contents:
    """A file of the format before PyTorch 1.6, or any other pickle.

    It is a row of pickles: a magic number, a version, the system, the object, the keys of its storages; then numbers.

    Raises:
        WeightsError: these are no pickles.
    """
    bounded = BoundedStream(stream, min(size, _PICKLES_LIMIT))
    first = _followed(bounded)
    machines = [first]
    legacy = first.result == _MAGIC and type(first.result) is int
    if legacy:
        for _ in range(4):
            machines.append(_followed(bounded))
            if machines[-1].fault is not None:
                break
    main = machines[3] if len(machines) > 3 else machines[-1]
    imports = [entry for machine in machines for entry in imports_of(machine, "")]
    tensors = tuple(find_tensors(main.result))
    faults = [note for machine in machines for note in _told(machine, "the pickle")]
    if faults and not tensors and not imports:
        raise damaged(where, "pickle", faults[0])
    kind = "PyTorch, before 1.6" if legacy else "pickle"
    return Contents(kind, tensors, tuple(find_metadata(main.result)), tuple(_once(imports)), tuple(faults))


def imports_of(machine: PickleMachine, where: str) -> list[PickleImport]:
    """What a followed pickle would import, what is not expected first."""
    found = [PickleImport(name, called, expected_import(name), where) for name, called in machine.names.items()]
    return sorted(found, key=lambda entry: entry.expected)


def _followed(content: bytes | BinaryIO | BoundedStream, limit: int = OPCODE_LIMIT) -> PickleMachine:
    machine = PickleMachine(limit)
    stream: Any = io.BytesIO(content) if isinstance(content, bytes) else content
    machine.run(stream)
    return machine


def _once(imports: Iterable[PickleImport]) -> list[PickleImport]:
    found: dict[str, PickleImport] = {}
    for entry in imports:
        if entry.name not in found or entry.called:
            found[entry.name] = entry
    return sorted(found.values(), key=lambda entry: entry.expected)


def _told(machine: PickleMachine, what: str) -> list[str]:
    return [] if machine.fault is None else [f"{what} could not be followed to its end: {machine.fault}"]


def _sizes_told(archive: Archive, main: str, tensors: Iterable[ListedTensor]) -> list[str]:
    """Tensors whose storages are missing, or too small for them."""
    folder, faults = main.removesuffix("data.pkl"), []
    for tensor in tensors:
        key = f"{folder}data/{tensor.storage.partition('+')[0]}"
        if tensor.storage and (key not in archive.parts or archive.size(key) < tensor.bytes):
            held = f"{archive.size(key)} bytes" if key in archive.parts else "nothing"
            faults.append(f"{tensor.name} needs {tensor.bytes} bytes, and the archive holds {held} for it")
    return [*faults[:5], *([f"{len(faults) - 5} more tensors lack their numbers"] if len(faults) > 5 else [])]


def _another_archive(archive: Archive, where: str) -> WeightsError:
    if any(name.endswith(".npy") for name in archive.parts):
        got = "arrays of NumPy (.npz)"
    elif any(name.endswith("keras_metadata.pb") or name.endswith("model.weights.h5") for name in archive.parts):
        got = "a model of Keras"
    else:
        got = f"an archive of {len(archive.parts)} parts, such as {short(', '.join(list(archive.parts)[:3]), 120)}"
    return WeightsError(
        "this archive holds no weights of PyTorch's",
        where=where,
        got=got,
        needs="safetensors, or what torch.save or torch.export.save writes",
    )
