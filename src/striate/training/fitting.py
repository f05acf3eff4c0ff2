"""Bringing a network and images together: the zoo is sized for the images, a written network keeps its own size."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

from striate.data import Dataset, load_data
from striate.errors import NetworkError, UsageError
from striate.graph import Graph
from striate.sources import leaves_open, load
from striate.sources.recognition import NET_FILE, recognise
from striate.training.idle_options import refuse_idle_data_options
from striate.training.recipe_values import parse_size
from striate.units import Shape, format_shape
from striate.zoo import find

if TYPE_CHECKING:
    from striate.training.recipe import Recipe

__all__ = ["fit_network"]


def fit_network(net: str | Path | Graph, data: str | Path | Dataset, recipe: Recipe) -> tuple[Graph, Dataset]:
    """A network and the images it is trained on, in one size and with one set of classes.

    A zoo network is built for the images. A network written by hand keeps the input it is written with, and the
    images are brought to it; where it leaves input or classes open, the data decide.

    Raises:
        NetworkError, DataError, UsageError: when they cannot be brought together.
    """
    _refuse_data_as_network(net)
    if not isinstance(net, Graph) and recognise(net).kind == "zoo":
        dataset = _images(data, recipe, None)
        return load(net, input=dataset.shape, classes=len(dataset.classes)), dataset
    open_input, open_classes = leaves_open(net)
    if open_input:
        dataset = _images(data, recipe, None)
        return load(net, input=dataset.shape, classes=len(dataset.classes) if open_classes else None), dataset
    # Its input is known whatever the number of classes will be.
    graph = load(net, classes=2 if open_classes else None)
    dataset = _images(data, recipe, graph)
    return load(net, classes=len(dataset.classes)) if open_classes else graph, dataset


def _refuse_data_as_network(net: str | Path | Graph) -> None:
    """``striate train photos/`` means the images, and says so."""
    if isinstance(net, Graph) or "\n" in str(net):
        return
    text = str(net)
    # os.path takes any text; a Path of a long network would be refused by the system.
    folder = os.path.isdir(text) and not os.path.exists(os.path.join(text, NET_FILE)) and find(text) is None
    if text == "digits" or os.path.splitext(text)[1].lower() in (".csv", ".npz") or folder:
        raise UsageError(
            "these are images, and a network is asked for here",
            where="NET",
            got=text,
            needs="a zoo name, a YAML file or inline text",
            write=f"striate train --data {shlex.quote(text)}",
        )


def _images(data: str | Path | Dataset, recipe: Recipe, graph: Graph | None) -> Dataset:
    """The images, in the size the recipe asks for, else in that of the network, else in their own."""
    if isinstance(data, Dataset):
        refuse_idle_data_options(recipe)
        return data
    size = None if recipe.size is None else parse_size(recipe.size)
    channels = recipe.channels
    if graph is not None:
        shape = _image_shape(graph)
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
        cache=recipe.cache,
        workers=recipe.workers,
    )


def _image_shape(graph: Graph) -> Shape:
    shapes = [graph.shapes[node.name] for node in graph.inputs]
    if len(shapes) == 1 and len(shapes[0]) == 3 and shapes[0][0] in (1, 3):
        return shapes[0]
    raise NetworkError(
        "this network does not take images",
        where=graph.name,
        got=f"input {' and '.join(format_shape(shape) for shape in shapes)}",
        needs="one input of 1 or 3 channels, height and width",
        write="input: [3, 32, 32]",
    )
