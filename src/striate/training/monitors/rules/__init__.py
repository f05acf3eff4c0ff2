"""The rules about a training: each file holds one function, with its documentation."""

from __future__ import annotations

__all__: list[str] = []
