"""Which files are files of weights, by their names; loads nothing else."""

from __future__ import annotations

from pathlib import Path

__all__ = ["SUFFIXES", "is_checkpoint"]

SUFFIXES = (".safetensors", ".pth", ".pt", ".pt2", ".bin", ".ckpt", ".pth.tar")
"""How the names of files of weights end."""


def is_checkpoint(source: str | Path) -> bool:
    """Whether a source is a file of weights, by its name.

    >>> is_checkpoint("resnet50.pth"), is_checkpoint("net.yaml")
    (True, False)
    """
    return str(source).strip().lower().endswith(SUFFIXES)
