"""Rules about the comments beside a network."""

from __future__ import annotations

__all__: list[str] = []
