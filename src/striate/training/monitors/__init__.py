"""What is watched while a network is trained: rules over what was measured, without torch, and the measuring itself."""

from __future__ import annotations

__all__: list[str] = []
