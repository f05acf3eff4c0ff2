"""Bringing a network and images together: the zoo is sized for the images, a written network keeps its own size."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from striate.data import Dataset, load_data
from striate.errors import UsageError
from striate.graph import Graph
from striate.sources import leaves_open, load
from striate.zoo import find

if TYPE_CHECKING:
    from striate.training.recipe import Recipe

__all__ = ["fit_network"]

#: Recipe options that say how images are read.
DATA_OPTIONS = ("val", "test", "size", "channels", "fit", "broken")


def fit_network(net: str | Path | Graph, data: str | Path | Dataset, recipe: Recipe) -> tuple[Graph, Dataset]:
    """A network and the images it is trained on, in one size and with one set of classes.

    A zoo network is built for the images. A network written by hand keeps the input it is written with, and the
    images are brought to it; where it leaves input or classes open, the data decide.

    Raises:
        NetworkError, DataError, UsageError: when they cannot be brought together.
    """
    if isinstance(net, str) and find(net) is not None and not Path(net).exists():
        dataset = _images(data, recipe, None)
        return load(net, input=dataset.shape, classes=len(dataset.classes)), dataset
    open_input, open_classes = _left_open(net)
    if open_input or open_classes:
        known = None if open_input else load(net, classes=1 if open_classes else None)
        dataset = _images(data, recipe, known)
        graph = load(
            net,
            input=dataset.shape if open_input else None,
            classes=len(dataset.classes) if open_classes else None,
        )
        return graph, dataset
    graph = load(net)
    return graph, _images(data, recipe, graph)


def _left_open(net: str | Path | Graph) -> tuple[bool, bool]:
    """Whether text leaves its input and its number of classes to the data."""
    if isinstance(net, Graph):
        return False, False
    return leaves_open(net)


def _images(data: str | Path | Dataset, recipe: Recipe, graph: Graph | None) -> Dataset:
    """The images, in the size the recipe asks for, else in that of the network, else in their own."""
    if isinstance(data, Dataset):
        for option in DATA_OPTIONS:
            if option in recipe.model_fields_set:
                raise UsageError(
                    f"{option} has no effect on images that are already loaded", where=option, write=f"no {option}"
                )
        return data
    size, channels = _size(recipe.size), recipe.channels
    if graph is not None:
        shape = graph.input_shape
        if len(shape) != 3 or shape[0] not in (1, 3):
            raise UsageError(
                "this network does not take images",
                where=graph.name,
                got=f"input {'×'.join(map(str, shape))}",
                needs="1 or 3 channels, height and width",
            )
        size = size or (shape[1], shape[2])
        channels = channels or (1 if shape[0] == 1 else 3)
    return load_data(
        data,
        size=size,
        channels=channels,
        fit=recipe.fit,
        seed=recipe.seed,
        val=recipe.val,
        test=recipe.test,
        broken=recipe.broken,
    )


def _size(text: str | None) -> tuple[int, int] | None:
    """``32`` or ``24x48`` (height × width) as numbers."""
    if text is None:
        return None
    match = re.fullmatch(r"(\d{1,5})(?:[x×](\d{1,5}))?", text.strip())
    if match is None or int(match[1]) == 0:
        raise UsageError(
            "this is not an image size",
            where="size",
            got=text,
            needs="pixels: a side, or height x width",
            write="24x48",
        )
    return int(match[1]), int(match[2] or match[1])
