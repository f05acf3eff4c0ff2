"""A folder of class folders, with ``train/``, ``val/`` and ``test/`` above them or without."""

from __future__ import annotations

import functools
import os
from collections.abc import Iterable, Mapping

import numpy as np

from striate.data.contract import class_contract
from striate.data.leftovers import leftover_findings, unused_files
from striate.data.naming import and_list, examples, natural_key, natural_sort, printable
from striate.data.parts import SPLIT_NAMES, WHOLE, Files, Listing, split_name
from striate.data.walking import Walk, walk
from striate.errors import DataError

__all__ = ["list_folder"]

Name = tuple[str, ...]
ByClass = dict[str, list[Name]]


def list_folder(root: str) -> Listing:
    """The images in the class folders under ``root``.

    A folder that holds ``train`` holds splits (``val``, ``valid``, ``validation`` and ``test`` beside it); otherwise
    its folders are the classes. Classes and images are in natural order. Images in folders below a class folder
    belong to that class.

    Raises:
        DataError: no class folders, a class folder without images, splits that do not have the same classes, or a
            layout that can be read in two ways.
    """
    found = walk(root)
    folders_of = _split_folders(found, root)
    depth = 1 if folders_of else 0
    part_of = {folder: part for part, folder in folders_of.items()} if folders_of else None
    images: dict[str, ByClass] = {part: {} for part in (folders_of or (WHOLE,))}
    stray, others = [], []
    for name in found.files:
        if unused_files([name]):
            others.append(name)
        elif len(name) < depth + 2 or (part_of is not None and name[0] not in part_of):
            stray.append(name)
        else:
            part = WHOLE if part_of is None else part_of[name[0]]
            images[part].setdefault(name[depth], []).append(name)
    _check_folders(found, images, folders_of, stray, root)
    names = {part: natural_sort(printable(name) for name in classes) for part, classes in images.items()}
    class_contract(names, where=root)
    classes = tuple(next(iter(names.values())))
    files = {part: _files(root, by_class, classes) for part, by_class in images.items()}
    findings = leftover_findings(stray, others, found, classes)
    return Listing("folder", "classes", classes, files, "given by folders" if folders_of else "", findings)


def _tops(found: Walk) -> list[str]:
    return natural_sort(name[0] for name in found.folders if len(name) == 1)


def _split_folders(found: Walk, root: str) -> dict[str, str]:
    """The folder of each split, in the order train, val, test; empty when the folders are classes."""
    tops = _tops(found)
    meant: dict[str, list[str]] = {}
    for top in tops:
        part = split_name(top)
        if part is not None:
            meant.setdefault(part, []).append(top)
    twice = next((folders for folders in meant.values() if len(folders) > 1), None)
    if twice:
        raise DataError(
            "two folders mean the same split", where=root, got=and_list(twice), needs="one", write="rename one of them"
        )
    if meant and "train" not in meant:
        given = and_list([folders[0] for folders in meant.values()])
        raise DataError(
            "there is no training split",
            where=root,
            got=f"{given}, but no folder named train",
            needs="train/CLASS/image.jpg beside it",
            write="put the training images into train/, or rename the folder if it is a class",
        )
    return {part: meant[part][0] for part in SPLIT_NAMES if part in meant}


def _check_folders(
    found: Walk, images: Mapping[str, ByClass], folders_of: Mapping[str, str], stray: Iterable[Name], root: str
) -> None:
    needs = "CLASS/image.jpg, or train/CLASS/image.jpg, with two classes or more"
    for part, by_class in images.items():
        place = root if part == WHOLE else os.path.join(root, folders_of[part])
        if not by_class:
            raise DataError(
                "there are no images in class folders",
                where=place,
                got=_seen(found, stray),
                needs=needs,
                write=_hint(root),
            )
        if part in (WHOLE, "train"):
            depth = 1 if part == WHOLE else 2
            names = {name[-1] for name in found.folders if len(name) == depth and name[:-1] == _above(part, folders_of)}
            empty = natural_sort(names - by_class.keys())
            if empty:
                raise DataError(
                    f"class folder{'s' if len(empty) > 1 else ''} without an image",
                    where=place,
                    got=examples([printable(name) for name in empty]),
                    needs="at least one image in every class folder",
                    write="add images to it, or remove it",
                )
    if len(images) == 1 and WHOLE in images and len(images[WHOLE]) == 1:
        (only,) = images[WHOLE]
        inner = {name[1] for name in images[WHOLE][only] if len(name) > 2}
        if len(inner) > 1:
            raise DataError(
                "there is only one class",
                where=root,
                got=f"the folder {printable(only)!r}, which holds {examples(natural_sort(map(printable, inner)))}",
                needs=needs,
                write=os.path.join(root, printable(only)),
            )


def _above(part: str, folders_of: Mapping[str, str]) -> Name:
    return () if part == WHOLE else (folders_of[part],)


def _seen(found: Walk, stray: Iterable[Name]) -> str:
    facts = []
    loose = ["/".join(name) for name in stray]
    if loose:
        facts.append(f"images outside class folders: {examples([printable(name) for name in sorted(loose)])}")
    if found.links:
        facts.append(f"links that are not followed: {examples(sorted(found.links))}")
    if found.unreadable:
        facts.append(f"unreadable: {examples(sorted(found.unreadable))}")
    tops = [printable(name) for name in _tops(found)]
    if tops:
        facts.append(f"folders: {examples(tops)}")
    return "; ".join(facts) or "an empty folder"


def _hint(root: str) -> str | None:
    """A table or array file in the folder, which may be what was meant."""
    names = natural_sort(name for name in os.listdir(root) if name.lower().endswith((".csv", ".npz")))
    return os.path.join(root, names[0]) if len(names) == 1 else None


def _files(root: str, by_class: Mapping[str, list[Name]], classes: tuple[str, ...]) -> Files:
    number = {name: index for index, name in enumerate(classes)}
    key = functools.cache(natural_key)  # the folders' names come again with every file
    labelled = [
        (name, number[printable(folder)])
        for folder in sorted(by_class, key=key)
        for name in sorted(by_class[folder], key=lambda name: tuple(map(key, name)))
    ]
    return Files(
        tuple(os.path.join(root, *name) for name, _ in labelled),
        tuple(printable("/".join(name)) for name, _ in labelled),
        np.array([label for _, label in labelled], np.int64),
    )
