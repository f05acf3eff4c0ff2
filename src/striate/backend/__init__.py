"""Graph to torch: the module, its first weights, and weights in and out. torch is imported at the first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from striate.lazy import lazy_names

if TYPE_CHECKING:
    from striate.backend.initialization import initialize
    from striate.backend.module import build_module
    from striate.backend.schemes import SCHEMES, Scheme
    from striate.backend.weights import load_weights, save_weights

__all__ = ["SCHEMES", "Scheme", "build_module", "initialize", "load_weights", "save_weights"]

_HOMES = {
    "initialization": ("initialize",),
    "module": ("build_module",),
    "schemes": ("SCHEMES", "Scheme"),
    "weights": ("load_weights", "save_weights"),
}

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
