"""Data sets in the form of MNIST: an IDX file of images and one of labels for each split."""

from __future__ import annotations

import os

import numpy as np

from striate.data.arrays import ArrayPart, collect_arrays
from striate.data.dataset import Images, Labels
from striate.data.idx import read_idx
from striate.data.integers import check_integers
from striate.data.options import Options
from striate.data.parts import WHOLE, Collected
from striate.errors import DataError

__all__ = ["collect_idx", "holds_idx", "is_idx_name"]

_PREFIXES = {"train": "train", "test": "t10k"}
_FORMS = ("{}-{}-idx{}-ubyte", "{}-{}.idx{}-ubyte")
_AXES = {"images": 3, "labels": 1}


def is_idx_name(name: str) -> bool:
    """Whether a file name is that of IDX images or labels: ``…-idx3-ubyte``, ``….idx1-ubyte.gz``.

    >>> is_idx_name("train-images-idx3-ubyte.gz"), is_idx_name("cats.jpg")
    (True, False)
    """
    plain = name.lower().removesuffix(".gz")
    return plain.endswith(("-ubyte", ".idx", ".idx1", ".idx3")) and "idx" in plain


def holds_idx(folder: str) -> bool:
    """Whether a folder holds one of the four classic files."""
    return any(_classic(folder, split, kind) for split in _PREFIXES for kind in _AXES)


def collect_idx(path: str, options: Options) -> Collected:
    """MNIST's four files in a folder (train and t10k, the second as test), or one file of images with its labels.

    Raises:
        DataError: a file is missing, is no IDX file of that kind, is damaged, or images and labels differ in number.
    """
    pairs = _folder_pairs(path) if os.path.isdir(path) else {WHOLE: _file_pair(path)}
    parts = {part: _read_pair(images, labels) for part, (images, labels) in pairs.items()}
    arrays = {
        part: ArrayPart(images[:, None], labels, "images" if part == WHOLE else part)
        for part, (images, labels) in parts.items()
    }
    origins = {part: labels for part, (_, labels) in pairs.items()}
    classes = check_integers({part: array.labels for part, array in arrays.items()}, None, origins, path)
    rule = "" if WHOLE in pairs else "given by files"
    return collect_arrays("idx", "classes", classes, arrays, rule, options, path)


def _classic(folder: str, split: str, kind: str) -> str | None:
    for form in _FORMS:
        plain = os.path.join(folder, form.format(_PREFIXES[split], kind, _AXES[kind]))
        for path in (plain, f"{plain}.gz"):
            if os.path.isfile(path):
                return path
    return None


def _folder_pairs(folder: str) -> dict[str, tuple[str, str]]:
    pairs = {}
    for split, prefix in _PREFIXES.items():
        images, labels = _classic(folder, split, "images"), _classic(folder, split, "labels")
        if images is not None and labels is not None:
            pairs[split] = (images, labels)
        elif images is not None or labels is not None or split == "train":
            lacking = "images" if images is None else "labels"
            raise DataError(
                f"the {split} {lacking} are missing",
                where=folder,
                got=os.path.basename(images or labels or "no training files"),
                needs=_FORMS[0].format(prefix, lacking, _AXES[lacking]) + " or the same with .gz",
            )
    return pairs


def _file_pair(path: str) -> tuple[str, str]:
    folder, name = os.path.split(path)
    beside = name.replace("images", "labels").replace("idx3", "idx1")
    if "images" not in name:
        raise DataError(
            "not a file of IDX images",
            where=path,
            got=name,
            needs="a name with the word images, and a file with the word labels in its place beside it",
            write=os.path.join(folder, name.replace("labels", "images").replace("idx1", "idx3")),
        )
    plain = beside.removesuffix(".gz")
    for candidate in (beside, plain, f"{plain}.gz"):
        labels = os.path.join(folder, candidate)
        if os.path.isfile(labels):
            return path, labels
    raise DataError("the labels are missing", where=path, got=name, needs=f"{beside} in the same folder")


def _read_pair(image_path: str, label_path: str) -> tuple[Images, Labels]:
    images, labels = read_idx(image_path), read_idx(label_path)
    for path, array, kind in ((image_path, images, "images"), (label_path, labels, "labels")):
        if array.ndim != _AXES[kind] or (kind == "images" and array.dtype != np.uint8) or array.dtype.kind == "f":
            raise DataError(
                f"not a file of {kind}",
                where=path,
                got=f"{array.dtype} {array.shape}",
                needs="uint8 (images, height, width)" if kind == "images" else "whole numbers (images,)",
            )
    if len(images) != len(labels) or not images.size:
        raise DataError(
            "images and labels differ in number" if images.size else "there are no images",
            where=image_path,
            got=f"{len(images):,} images of {images.shape[1]}×{images.shape[2]}, {len(labels):,} labels",
            needs="one label per image",
        )
    return images, labels.astype(np.int64)
