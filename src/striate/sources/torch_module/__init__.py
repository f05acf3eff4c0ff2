"""Any ``nn.Module`` → Graph. torch is imported at the first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from striate.lazy import lazy_names

if TYPE_CHECKING:
    from striate.sources.torch_module.importing import import_module

__all__ = ["import_module"]

__getattr__, __dir__ = lazy_names(__name__, {"importing": ("import_module",)})
