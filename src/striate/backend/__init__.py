"""Graph to torch: the module, its first weights, and weights in and out. torch is imported at the first use."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from striate.backend.initialization import initialize
    from striate.backend.module import build_module
    from striate.backend.schemes import SCHEMES, Scheme
    from striate.backend.weights import load_weights, save_weights

__all__ = ["SCHEMES", "Scheme", "build_module", "initialize", "load_weights", "save_weights"]

_HOMES = {
    "SCHEMES": "schemes",
    "Scheme": "schemes",
    "build_module": "module",
    "initialize": "initialization",
    "load_weights": "weights",
    "save_weights": "weights",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
