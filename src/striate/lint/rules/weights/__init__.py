"""Rules about the values of the weights."""

from __future__ import annotations

__all__: list[str] = []
