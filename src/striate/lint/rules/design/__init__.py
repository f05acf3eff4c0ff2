"""Rules about a network as it is written: no weights needed."""

from __future__ import annotations

__all__: list[str] = []
