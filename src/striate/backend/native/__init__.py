"""Operations of our own for processors, compiled while the program runs; optional, with the numbers torch gives."""

from __future__ import annotations

from typing import TYPE_CHECKING

from striate.lazy import lazy_names

if TYPE_CHECKING:
    from striate.backend.native.fusing import can_fuse, can_use_team, fused, why_not_fused

__all__ = ["can_fuse", "can_use_team", "fused", "why_not_fused"]

_HOMES = {"fusing": ("can_fuse", "can_use_team", "fused", "why_not_fused")}

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
