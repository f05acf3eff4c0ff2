"""Images to Dataset: read, checked, split, decoded, measured. The names below load on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from striate.lazy import lazy_names

if TYPE_CHECKING:
    from striate.data.contract import class_contract
    from striate.data.dataset import Dataset, Split
    from striate.data.load import load_data
    from striate.data.preprocess import apply_preprocessing, read_image

__all__ = ["Dataset", "Split", "apply_preprocessing", "class_contract", "load_data", "read_image"]

_HOMES = {
    "contract": ("class_contract",),
    "dataset": ("Dataset", "Split"),
    "load": ("load_data",),
    "preprocess": ("apply_preprocessing", "read_image"),
}

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
