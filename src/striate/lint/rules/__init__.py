"""One rule, one file."""

from __future__ import annotations

__all__: list[str] = []
