"""Run + images → what the network sees. Imported when first used: torch comes with it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from striate.insight.activations import feature_maps
    from striate.insight.filters import first_filters
    from striate.insight.mistakes import worst_mistakes
    from striate.insight.page import write_report

__all__ = ["feature_maps", "first_filters", "worst_mistakes", "write_report"]

_HOMES = {
    "feature_maps": "activations",
    "first_filters": "filters",
    "worst_mistakes": "mistakes",
    "write_report": "page",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
