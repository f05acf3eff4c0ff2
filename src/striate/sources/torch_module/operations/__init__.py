"""The layers in calls of torch functions: one file for each family, found by themselves.

To recognise another function, add a reader under ``@reads("its_name")``.
"""

from __future__ import annotations

import importlib
import pkgutil

from striate.sources.torch_module.readers import reader_of

__all__ = ["reader_of"]

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")
