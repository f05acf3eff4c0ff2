"""What a source gives before splitting: files still to decode (Listing), or images in memory (Collected)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from striate.data.dataset import Labels, Split

if TYPE_CHECKING:
    from striate.data.target import Target
    from striate.findings import Finding
    from striate.runs.records import Task

__all__ = ["SPLIT_NAMES", "WHOLE", "Collected", "Files", "Kind", "Listing", "split_name"]

Kind = Literal["digits", "idx", "folder", "csv", "npz"]
WHOLE = "all"
"""Key of the only part when the source gives no split."""
SPLIT_NAMES: tuple[Literal["train"], Literal["val"], Literal["test"]] = ("train", "val", "test")

_ALIASES = {
    "train": "train",
    "training": "train",
    "val": "val",
    "valid": "val",
    "validation": "val",
    "test": "test",
    "testing": "test",
}


def split_name(word: str) -> str | None:
    """The split a folder name or table cell means, or None.

    >>> split_name("Valid"), split_name("cat")
    ('val', None)
    """
    return _ALIASES.get(word.strip().casefold())


@dataclass(frozen=True, eq=False)
class Files:
    """Image files of one part, not opened yet.

    Args:
        paths: where to open each.
        ids: how each is called.
        labels: as in Split.
    """

    paths: tuple[str, ...]
    ids: tuple[str, ...]
    labels: Labels


@dataclass(frozen=True, eq=False)
class Listing:
    """What a folder or table names, before any image is opened.

    Args:
        kind: of the source.
        task: of the labels.
        classes: names, in the order of the contract.
        files: by split name, or under ``WHOLE`` when no split is given.
        rule: how the splits came about, such as "given by folders"; empty when none is given.
        findings: what was left out.
    """

    kind: Kind
    task: Task
    classes: tuple[str, ...]
    files: dict[str, Files]
    rule: str
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, eq=False)
class Collected:
    """Images in memory, in their final form, before val and test are taken from them.

    Args:
        kind: of the source.
        task: of the labels.
        classes: names, in the order of the contract.
        parts: by split name, or under ``WHOLE``.
        rule: how the splits came about; empty when none is given.
        target: the form of the images.
        findings: what was decided or left out.
        skipped: (id, reason) of every image that could not be read.
        kept: where the decoded pixels of image files are, and why there, in one sentence.
    """

    kind: Kind
    task: Task
    classes: tuple[str, ...]
    parts: dict[str, Split]
    rule: str
    target: Target
    findings: tuple[Finding, ...] = ()
    skipped: tuple[tuple[str, str], ...] = ()
    kept: str = ""
