"""Run + images → what the network sees. Imported when first used: torch comes with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from striate.lazy import lazy_names

if TYPE_CHECKING:
    from striate.insight.activations import feature_maps
    from striate.insight.filters import first_filters
    from striate.insight.mistakes import worst_mistakes
    from striate.insight.page import write_report

__all__ = ["feature_maps", "first_filters", "worst_mistakes", "write_report"]

_HOMES = {
    "activations": ("feature_maps",),
    "filters": ("first_filters",),
    "mistakes": ("worst_mistakes",),
    "page": ("write_report",),
}

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
