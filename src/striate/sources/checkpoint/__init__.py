"""What a file of weights holds, without running it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from striate.lazy import lazy_names

if TYPE_CHECKING:
    from striate.sources.checkpoint.file_names import is_checkpoint
    from striate.sources.checkpoint.listing import Checkpoint, Guess, ListedTensor, PickleImport
    from striate.sources.checkpoint.matching import guess_networks
    from striate.sources.checkpoint.reading import read_checkpoint

__all__ = ["Checkpoint", "Guess", "ListedTensor", "PickleImport", "guess_networks", "is_checkpoint", "read_checkpoint"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "file_names": ("is_checkpoint",),
        "listing": ("Checkpoint", "Guess", "ListedTensor", "PickleImport"),
        "matching": ("guess_networks",),
        "reading": ("read_checkpoint",),
    },
)
