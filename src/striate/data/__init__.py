"""Images to Dataset: read, checked, split, decoded, measured. The names below load on first use."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from striate.data.contract import class_contract
    from striate.data.dataset import Dataset, Split
    from striate.data.load import load_data
    from striate.data.preprocess import apply_preprocessing, read_image

__all__ = ["Dataset", "Split", "apply_preprocessing", "class_contract", "load_data", "read_image"]

_HOMES = {
    "Dataset": "dataset",
    "Split": "dataset",
    "apply_preprocessing": "preprocess",
    "class_contract": "contract",
    "load_data": "load",
    "read_image": "preprocess",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
