"""The effective receptive field of a unit: how much each pixel really moves it, measured by gradients."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor, fx

from striate.analysis.coverage import view_unit
from striate.analysis.effective_field import EffectiveField, effective_field_of
from striate.backend import build_module, load_weights
from striate.errors import UsageError, WeightsError
from striate.training.measuring import run_split
from striate.training.trained import TrainedRun, open_trained

if TYPE_CHECKING:
    from collections.abc import Iterator

    from striate.graph import Graph

__all__ = ["MOST_IMAGES", "effective_field"]

#: Images that a field can be averaged over.
MOST_IMAGES = 1024


def effective_field(
    graph: Graph,
    node: str,
    position: tuple[int, ...] | None = None,
    *,
    weights: TrainedRun | str | Path | None = None,
    seed: int = 0,
    count: int = 16,
    runs: str | Path = "runs",
) -> EffectiveField:
    """The mean size of a unit's gradient at each pixel, and how far it reaches within the theoretical field.

    For each image the sum of the unit's channels is differentiated by the image; the sizes of the derivatives are
    added up over the image's channels and averaged over the images (Luo et al. 2016, sections 1 and 4). The network is
    in evaluation: no dropout, stored statistics. One image is computed at a time. No random state, weight or mode of
    the caller is touched.

    Args:
        graph: the network; where it has several inputs, the first is looked at.
        node: the unit's node.
        position: its index along each spatial axis, counted from 0, and ``()`` for a vector, whose units are taken
            together; default: the middle of the map.
        weights: a safetensors file, or a run: opened, or its folder or name; default: fresh weights.
        seed: of fresh weights, and of the images.
        count: how many images are averaged over. A run's own are used, of its test, else validation, else training,
            all of them where there are fewer; otherwise they are drawn, each number from the standard normal
            distribution.
        runs: the folder of all runs.

    Raises:
        UsageError: there is no such node or unit, or ``count`` is not from 1 to 1024.
        WeightsError: the weights cannot be read, are of another network, or make a gradient that is not finite.
        RunError, DataError: the run or its images cannot be read.

    >>> from striate.graph import network
    >>> net = network("n", (1, 9, 9)).conv(4, 3, padding=1, name="a").conv(4, 3, padding=1, name="b").build()
    >>> found = effective_field(net, "b")
    >>> found.position, found.theory, found.touched, found.outside
    ((4, 4), 25, 25, 0)
    """
    if not 1 <= count <= MOST_IMAGES:
        raise UsageError("a field is averaged over images", got=f"count={count}", needs=f"1 to {MOST_IMAGES} of them")
    place = tuple(size // 2 for size in graph.shapes[graph[node].name][1:]) if position is None else position
    view_unit(graph, node, place)  # before anything is computed: is there such a unit?
    source = _source(graph, weights, seed, count, runs)
    module = _up_to(source.module, node)
    total = np.zeros(graph.shapes[graph.inputs[0].name][1:])
    for images in source.images:
        gradient = _gradient(module, images, place)
        if not bool(torch.isfinite(gradient).all()):
            raise WeightsError(
                f"the gradient of {node} is not finite",
                where=graph.name,
                got="NaN or infinity at some pixel",
                needs="weights that keep the maps finite",
            )
        total += gradient.abs().double().sum(dim=0).numpy()
    return effective_field_of(graph, node, place, total / source.count, weights=source.weights, images=source.words)


@dataclass(frozen=True)
class _Source:
    """A network with weights in evaluation, images one by one (a tensor for each input), and both in words."""

    module: fx.GraphModule
    images: Iterator[tuple[Tensor, ...]]
    count: int
    weights: str
    words: str


def _source(graph: Graph, weights: TrainedRun | str | Path | None, seed: int, count: int, runs: str | Path) -> _Source:
    if isinstance(weights, (str, Path)) and not _is_file(Path(weights)):
        weights = open_trained(weights, root=runs)
    module = build_module(graph, seed=seed if weights is None else None).eval().requires_grad_(False)
    if isinstance(weights, TrainedRun):
        path = weights.folder.best_weights if weights.weights == "best" else weights.folder.last_weights
        load_weights(module, path)
        name = next(name for name in ("test", "val", "train") if name in weights.card.splits)
        images = run_split(weights, name).images[:count]
        words = f"{_counted(len(images))} of the run, {name}"
        own = ((weights.inputs(images[index : index + 1]),) for index in range(len(images)))
        return _Source(module, own, len(images), f"run {weights.folder.path.name}", words)
    words = f"{_counted(count)} of random numbers, normal, seed {seed}"
    drawn = _drawn(graph, seed, count)
    if weights is None:
        return _Source(module, drawn, count, f"fresh weights, seed {seed}", words)
    load_weights(module, Path(weights))
    return _Source(module, drawn, count, f"file {Path(weights).name}", words)


def _is_file(path: Path) -> bool:
    return path.suffix == ".safetensors" or path.is_file()


def _counted(count: int) -> str:
    return "1 image" if count == 1 else f"{count} images"


def _drawn(graph: Graph, seed: int, count: int) -> Iterator[tuple[Tensor, ...]]:
    generator = torch.Generator().manual_seed(seed)
    for _ in range(count):
        yield tuple(torch.randn((1, *graph.shapes[node.name]), generator=generator) for node in graph.inputs)


def _up_to(module: fx.GraphModule, node: str) -> fx.GraphModule:
    """The module cut off behind a node; its parts are the same objects."""
    cut = fx.Graph()
    values: dict[fx.Node, fx.Node] = {}
    for entry in module.graph.nodes:
        if entry.op == "output":
            break
        values[entry] = cut.node_copy(entry, values.__getitem__)
        if entry.meta.get("node") == node and entry.op != "placeholder":
            break
    last = next(entry for entry in values if entry.meta.get("node") == node)
    cut.output(values[last])
    return fx.GraphModule(module, cut)


def _gradient(module: fx.GraphModule, images: tuple[Tensor, ...], position: tuple[int, ...]) -> Tensor:
    """The gradient of the sum of a unit's channels at one image, (channels, \\*spatial)."""
    first = images[0].detach().requires_grad_(True)
    with torch.enable_grad(), torch.autocast("cpu", enabled=False):
        unit = module(first, *images[1:])[(0, slice(None), *position)].sum()
        found = torch.autograd.grad(unit, first, allow_unused=True)[0] if unit.requires_grad else None
    return torch.zeros_like(first[0]) if found is None else found[0].detach()
