"""One random change of images a file; :class:`striate.training.augmentation.Augmentation` puts them together."""

from __future__ import annotations

__all__: list[str] = []
