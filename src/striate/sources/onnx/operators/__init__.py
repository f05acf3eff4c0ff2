"""What each operation of ONNX becomes: one file for each family, found by themselves.

A rule is a function of the importer and an operation, under the operation's name in its file's ``RULES``. It answers
with the value of the first output, or of several; None means that no layer describes the operation as it stands here.
"""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from striate.sources.onnx.importer import Importer
    from striate.sources.onnx.maps import Value
    from striate.sources.onnx.model import Operation

__all__ = ["Rule", "rules"]

Rule = Callable[["Importer", "Operation"], "Value | tuple[Value | None, ...] | None"]


@functools.cache
def rules() -> Mapping[str, Rule]:
    """The rule for each operation of ONNX that a layer may describe."""
    found: dict[str, Rule] = {}
    for module in pkgutil.iter_modules(__path__):
        found.update(importlib.import_module(f"{__name__}.{module.name}").RULES)
    return MappingProxyType(found)
