"""Which kind of file it is, and its reader."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO

from striate.errors import WeightsError
from striate.sources.checkpoint.exported_program import is_exported_program, read_exported_program
from striate.sources.checkpoint.listing import Checkpoint, Contents, Guess
from striate.sources.checkpoint.safetensors_header import read_safetensors
from striate.sources.checkpoint.torch_files import read_torch_pickles, read_torch_zip
from striate.sources.checkpoint.zip_archive import Archive

__all__ = ["read_checkpoint"]

_FOREIGN = {
    b"\x89HDF": "an HDF5 file, as Keras writes it",
    b"GGUF": "a GGUF file",
    b"\x93NUMPY": "an array of NumPy",
    b"ustar": "a tar archive",
}

#: The length of a header of safetensors and its first letter; no pickle that holds a tensor is shorter.
_SHORTEST = 9


def read_checkpoint(path: str | Path, *, guess: bool = True) -> Checkpoint:
    """What a file of weights holds, without running anything in it and without reading its numbers.

    Args:
        path: a ``.safetensors``, ``.pth``, ``.pt``, ``.bin``, ``.ckpt`` or ``.pt2`` file; what is in it decides.
        guess: whether to look for the network of the zoo that it fits.

    Raises:
        WeightsError: there is no such file, it is of another kind, or damaged.
    """
    path = Path(path)
    where = str(path)
    try:
        # A pipe would be waited for; whether this is a file is asked once it is open.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        with open(descriptor, "rb") as stream:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                raise WeightsError("this is not a file", where=where, needs="a file of weights")
            contents = _contents(stream, status.st_size, where)
    except FileNotFoundError:
        raise WeightsError("there is no such file of weights", where=where) from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else None
        raise WeightsError("this file cannot be read", where=where, got=reason or str(error)) from None
    guesses: tuple[Guess, ...] = ()
    if guess:
        from striate.sources.checkpoint.matching import guess_networks

        guesses = guess_networks(contents.tensors)
    return Checkpoint(
        contents.format,
        contents.tensors,
        contents.metadata,
        contents.imports,
        contents.notes,
        where,
        status.st_size,
        guesses,
    )


def _contents(stream: BinaryIO, size: int, where: str) -> Contents:
    start = stream.read(9)
    stream.seek(0)
    if len(start) < _SHORTEST:
        got = "an empty file" if not start else f"{size} byte{'' if size == 1 else 's'}"
        raise WeightsError(
            "this is no file of weights, or it is cut off", where=where, got=got, needs="safetensors or PyTorch's"
        )
    if start.startswith(b"PK\x03\x04") and start[8:] != b"{":
        archive = Archive(stream, where)
        return read_exported_program(archive, where) if is_exported_program(archive) else read_torch_zip(archive, where)
    for signature, what in _FOREIGN.items():
        if start.startswith(signature) and start[8:] != b"{":
            raise WeightsError(
                "this is no file of weights that is read", where=where, got=what, needs="safetensors or PyTorch's"
            )
    if start[8:] == b"{" or where.lower().endswith(".safetensors"):
        return read_safetensors(stream, size, where)
    return read_torch_pickles(stream, size, where)
