"""Small images and folders of them, made on the spot."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

Picture = Callable[..., Image.Image]
Folders = Callable[..., Path]


def make_picture(width: int = 12, height: int = 10, mode: str = "RGB", seed: int = 0) -> Image.Image:
    """A picture of random pixels, not symmetric under any turn."""
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    return Image.fromarray(pixels).convert(mode)


@pytest.fixture(scope="session")
def picture() -> Picture:
    return make_picture


@pytest.fixture
def folders(tmp_path: Path) -> Folders:
    """``folders({"train/cat": 3})`` makes three PNG pictures in that folder; returns the folder of all."""

    def make(layout: Mapping[str, int], name: str = "images", **options: object) -> Path:
        root = tmp_path / name
        for number, (folder, count) in enumerate(layout.items()):
            (root / folder).mkdir(parents=True, exist_ok=True)
            for index in range(count):
                make_picture(seed=1000 * number + index, **options).save(root / folder / f"img{index}.png")  # type: ignore[arg-type]
        return root

    return make


def make_photograph(seed: int, side: int = 48) -> Image.Image:
    """Something like a photograph: smooth at every scale, different for every seed."""
    generator = np.random.default_rng(seed)
    pixels = np.zeros((side, side, 3))
    for grid in (2, 4, 8, 16):
        noise = Image.fromarray(generator.integers(0, 256, (grid, grid, 3), dtype=np.uint8))
        pixels += np.asarray(noise.resize((side, side), Image.Resampling.BICUBIC), np.float64) / grid
    return Image.fromarray((pixels * 255 / pixels.max()).astype(np.uint8))


@pytest.fixture(scope="session")
def photograph() -> Picture:
    return make_photograph
