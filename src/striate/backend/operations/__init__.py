"""The layers in PyTorch: one file for each family, found by themselves.

To compute a new layer, add a file with a function under ``@operation(YourLayer)`` that returns its ``nn.Module``.
"""

from __future__ import annotations

import importlib
import pkgutil

from striate.backend.registry import operation_of

__all__ = ["operation_of"]

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
