"""What lay in a folder and was not used, said."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence

from striate.data.headers import IMAGE_SUFFIXES
from striate.data.naming import count_of, examples, folded, natural_sort, printable
from striate.data.walking import Walk
from striate.findings import Finding

__all__ = ["leftover_findings", "same_but_for_case", "unused_files"]

Name = tuple[str, ...]

_OTHER_IMAGES = frozenset(
    {".heic", ".heif", ".avif", ".jxl", ".jp2", ".j2k", ".svg", ".psd", ".exr", ".hdr", ".tga", ".dng", ".cr2", ".cr3"}
    | {".nef", ".arw", ".raw", ".dcm", ".ico", ".eps", ".pdf", ".pcx"}
)


def unused_files(names: Sequence[Name]) -> list[Name]:
    """The files whose name does not end like that of an image that is read here."""
    return [name for name in names if os.path.splitext(name[-1])[1].lower() not in IMAGE_SUFFIXES]


def leftover_findings(
    stray: Sequence[Name], others: Sequence[Name], found: Walk, classes: Sequence[str]
) -> tuple[Finding, ...]:
    """Findings on what was left out.

    Args:
        stray: images outside class folders.
        others: files that are no images by their name.
        found: the walk, with its links and what could not be read.
        classes: names, in order.
    """
    said = []
    foreign = [name for name in others if _suffix(name) in _OTHER_IMAGES]
    plain = [name for name in others if _suffix(name) not in _OTHER_IMAGES]
    if foreign:
        text = f"{count_of(len(foreign), 'image')} of a kind that is not read here ({_kinds(foreign)}) left out"
        said.append(Finding("D002", "warning", f"{text}: {_named(foreign)}", fix="save them as PNG or JPEG"))
    if plain:
        text = f"{count_of(len(plain), 'file')} that {_are(plain)} no image ({_kinds(plain)}) left out"
        said.append(Finding("D002", "info", f"{text}: {_named(plain)}"))
    if stray:
        text = f"{count_of(len(stray), 'image')} outside class folders left out"
        said.append(Finding("D002", "warning", f"{text}: {_named(stray)}", fix="move them into the folder of a class"))
    if found.links:
        text = f"{count_of(len(found.links), 'link')} to a folder, out of the source or to nothing not followed"
        fix = "copy what it points to, or name the files in a CSV"
        said.append(Finding("D012", "warning", f"{text}: {examples(natural_sort(found.links))}", fix=fix))
    if found.unreadable:
        text = f"{len(found.unreadable):,} of the folder's entries cannot be read"
        said.append(Finding("D012", "warning", f"{text}: {examples(natural_sort(found.unreadable))}"))
    return (*said, *same_but_for_case(classes))


def same_but_for_case(classes: Sequence[str]) -> tuple[Finding, ...]:
    """A finding when two classes have nearly the same name: often one class, written in two ways."""
    seen: dict[str, str] = {}
    pairs = []
    for name in classes:
        other = seen.setdefault(folded(name), name)
        if other != name:
            pairs.append(f"{other!r} and {name!r}")
    if not pairs:
        return ()
    text = f"classes whose names differ only in case, spaces or hyphens: {examples(pairs)}"
    return (Finding("D017", "warning", text, fix="if they are one class, give them one name"),)


def _suffix(name: Name) -> str:
    return os.path.splitext(name[-1])[1].lower()


def _kinds(names: Sequence[Name]) -> str:
    counts = Counter(printable(_suffix(name)) or "no suffix" for name in names)
    return examples([f"{suffix} {count:,}" for suffix, count in counts.most_common()])


def _named(names: Sequence[Name]) -> str:
    return examples(natural_sort(printable("/".join(name)) for name in names))


def _are(names: Sequence[Name]) -> str:
    return "is" if len(names) == 1 else "are"
