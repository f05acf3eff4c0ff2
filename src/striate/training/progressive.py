"""Progressive resizing: smaller images at first, which cost less, and whole ones towards the end."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F

from striate.backend import build_module
from striate.errors import NetworkError, UsageError
from striate.graph import Graph
from striate.graph.layers.input import Input
from striate.units import Shape, format_shape

if TYPE_CHECKING:
    from striate.training.recipe import Recipe

__all__ = ["FULL_AT", "SMALLEST", "ImageSizes", "check_sizes", "side_shares"]

#: Where the sizes begin, and the share of the training after which images are whole, unless the recipe says otherwise.
SMALLEST, FULL_AT = 0.625, 0.6
#: Sizes grow by about this share of the side, so that there are few of them: each new one has to be prepared for.
STEP = 1 / 8


def side_shares(smallest: float) -> tuple[float, ...]:
    """The sizes of a training, as shares of the full side: from the smallest to 1 in even steps of about 1/8.

    >>> side_shares(0.625)
    (0.625, 0.75, 0.875, 1.0)
    """
    steps = max(round((1 - smallest) / STEP), 1)
    return (*(smallest + (1 - smallest) * number / steps for number in range(steps)), 1.0)


class ImageSizes:
    """How large the images of a step are. Every size but the last is used for an equal share of the time before the
    images are whole (Howard, fast.ai in DAWNBench, 2018; Composer's progressive resizing has the same form).

    Args:
        recipe: with ``sizes``, ``smallest_size`` and ``full_size_at``.

    >>> from striate.training.recipe import Recipe
    >>> sizes = ImageSizes(Recipe(sizes="progressive"))
    >>> [sizes.resized(torch.zeros(1, 3, 32, 32), progress).shape[-1] for progress in (0.0, 0.25, 0.5, 0.6)]
    [20, 24, 28, 32]
    """

    def __init__(self, recipe: Recipe) -> None:
        self._shares = _shares(recipe)
        self._full_at = FULL_AT if recipe.full_size_at is None else recipe.full_size_at

    def resized(self, images_bchw: torch.Tensor, progress: float) -> torch.Tensor:
        """The images in the size for that share of the training: bilinear with antialiasing, in their memory order.

        Args:
            images_bchw: as the network sees them, float32 (batch, channels, height, width).
            progress: 0..1.
        """
        share = self._share(progress)
        if share == 1.0:
            return images_bchw
        size = [_pixels(side, share) for side in images_bchw.shape[-2:]]
        return F.interpolate(images_bchw, size, mode="bilinear", align_corners=False, antialias=True)

    def _share(self, progress: float) -> float:
        small = len(self._shares) - 1
        if progress >= self._full_at:
            return 1.0
        # A little more, so that a size begins at its share although a quotient is rounded.
        return self._shares[min(int(progress / self._full_at * small + 1e-9), small - 1)]


def check_sizes(recipe: Recipe, graph: Graph) -> None:
    """Whether a network takes every size that a recipe will show it, as the same network.

    Raises:
        UsageError: it does not, or there would be one size only.
    """
    channels, *sides = graph.input_shape
    full = repr(build_module(graph, device="meta", seed=None))
    smaller = {tuple(_pixels(side, share) for side in sides) for share in _shares(recipe)} - {tuple(sides)}
    if not smaller:
        raise UsageError(
            "progressive sizes have no effect: every size is the full one",
            where="smallest_size",
            got=f"smallest_size: {recipe.smallest_size}",
            write="smallest_size: 0.625, or sizes: full",
        )
    for sizes in sorted(smaller):
        try:
            same = repr(build_module(_for_size(graph, (channels, *sizes)), device="meta", seed=None)) == full
            reason = "its layers would be others there"
        except NetworkError as error:
            same, reason = False, error.problem
        if not same:
            raise UsageError(
                "sizes: progressive needs a network that takes images of any size, and this one does not",
                where="sizes",
                got=f"{graph.name} at {format_shape((channels, *sizes))}: {reason}",
                needs="global pooling before the dense layers instead of flatten, and room for the smallest size",
                write="globalavgpool in place of flatten, or sizes: full",
            )


def _shares(recipe: Recipe) -> tuple[float, ...]:
    return side_shares(SMALLEST if recipe.smallest_size is None else recipe.smallest_size)


def _pixels(side: int, share: float) -> int:
    return max(round(side * share), 1)


def _for_size(graph: Graph, shape: Shape) -> Graph:
    nodes = tuple(
        replace(node, layer=replace(node.layer, shape=shape)) if isinstance(node.layer, Input) else node
        for node in graph.nodes
    )
    return replace(graph, nodes=nodes)
