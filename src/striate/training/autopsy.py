"""Autopsy: why a loss or a weight was not finite. The step is computed again in fp32, layer by layer.

What it worked on is kept in the run's ``autopsy/``, so that anybody can compute it again: :func:`replay`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from striate.errors import RunError
from striate.graph.layers.input import Input
from striate.training.autopsy_bundle import read_bundle
from striate.training.losses import Loss

if TYPE_CHECKING:
    from striate.graph import Graph

__all__ = ["Autopsy", "Peak", "examine", "replay"]

#: Images and layers that are named.
NAMED = 5


@dataclass(frozen=True)
class Peak:
    """The largest number of a tensor.

    Args:
        name: of the layer or parameter.
        largest: absolute value; NaN or infinite where one of its numbers is.
    """

    name: str
    largest: float

    @property
    def finite(self) -> bool:
        """Whether all its numbers are finite."""
        return math.isfinite(self.largest)


@dataclass(frozen=True)
class Autopsy:
    """What computing a step again showed.

    Args:
        stage: where the first number that is not finite appeared: in the ``inputs``, the ``weights``, the ``outputs``
            of a layer, the ``loss``, a ``gradient``; or ``nowhere`` in fp32.
        layer: the layer or parameter it was; None for inputs and loss. Where nothing is: the layer with the largest.
        largest: the largest absolute number there, or on the way there.
        outputs: of each layer in order, up to the first that is not finite.
        gradients: of each parameter, the last layer's first.
        images: places in the batch of the images involved, the worst first: those whose own numbers are not finite at
            that layer, else those with the largest loss.
        loss: of the batch in fp32.
    """

    stage: str
    layer: str | None
    largest: float
    outputs: tuple[Peak, ...]
    gradients: tuple[Peak, ...]
    images: tuple[int, ...]
    loss: float

    def told(self) -> str:
        """The cause in one sentence.

        >>> Autopsy("outputs", "conv2", math.inf, (Peak("conv1", 3e38),), (), (4,), math.nan).told()
        'conv2 is the first layer with a number that is not finite; before it, conv1 reaches 3e+38'
        """
        if self.stage == "inputs":
            return "the images themselves hold a number that is not finite"
        if self.stage == "weights":
            return f"{self.layer} holds a number that is not finite"
        if self.stage == "outputs":
            before = [peak for peak in self.outputs if peak.finite]
            rest = f"; before it, {before[-1].name} reaches {before[-1].largest:.3g}" if before else ""
            return f"{self.layer} is the first layer with a number that is not finite{rest}"
        if self.stage == "loss":
            return f"every layer is finite, the loss is {self.loss}; the largest output is {self.largest:.3g}"
        if self.stage == "gradient":
            return f"the loss is {self.loss:.3g}, and the gradient of {self.layer} is the first that is not finite"
        return f"in fp32 everything is finite; {self.layer} reaches {self.largest:.3g}"

    def as_dict(self) -> dict[str, Any]:
        """The autopsy as JSON-ready data."""
        return {
            "stage": self.stage,
            "layer": self.layer,
            "largest": self.largest,
            "told": self.told(),
            "loss": self.loss,
            "outputs": {peak.name: peak.largest for peak in self.outputs},
            "gradients": {peak.name: peak.largest for peak in self.gradients},
            "images": list(self.images),
        }


def examine(
    graph: Graph, module: nn.Module, x_bchw: torch.Tensor, target: torch.Tensor, loss: Loss, random: torch.Tensor
) -> Autopsy:
    """Compute a step again in fp32 and look at every number of it; the random state is put back afterwards.

    Args:
        graph: the network.
        module: the same, with the weights to begin from; its gradients and statistics are changed.
        x_bchw, target: the batch as the network saw it.
        loss: as in training.
        random: torch's random state before the step, which dropout draws from.
    """
    if not bool(x_bchw.isfinite().all()):
        bad = ~x_bchw.isfinite().flatten(1).all(dim=1)
        return Autopsy("inputs", None, math.nan, (), (), _places(bad), math.nan)
    for name, parameter in module.named_parameters():
        if not bool(parameter.isfinite().all()):
            return Autopsy("weights", name, _largest(parameter), (), (), (), math.nan)
    with torch.random.fork_rng(devices=[]):
        torch.set_rng_state(random)
        outputs, peaks, places = _forward(graph, module.train(), x_bchw)
        value = loss(outputs.float(), target)
    number = float(value.detach())
    if places is not None:
        return Autopsy("outputs", peaks[-1].name, peaks[-1].largest, tuple(peaks), (), _places(places), number)
    worst = _worst(outputs.detach().float(), target, loss)
    if not math.isfinite(number):
        return Autopsy("loss", None, _largest(outputs), tuple(peaks), (), worst, number)
    module.zero_grad()
    torch.autograd.backward(value)
    gradients = tuple(_gradients(graph, module))
    broken = next((peak for peak in gradients if not peak.finite), None)
    if broken is not None:
        return Autopsy("gradient", broken.name, broken.largest, tuple(peaks), gradients, worst, number)
    top = max((*peaks, *gradients), key=lambda peak: peak.largest)
    return Autopsy("nowhere", top.name, top.largest, tuple(peaks), gradients, worst, number)


def replay(run: str | Path) -> Autopsy:
    """Compute the step again that a run ended with, from what is in its ``autopsy/``.

    Args:
        run: the run folder.

    Raises:
        RunError: there is no autopsy in it, or it is damaged.
    """
    from striate.backend import build_module
    from striate.runs import RunFolder
    from striate.training.network import logits_graph
    from striate.training.trained import TrainedRun

    opened = TrainedRun(RunFolder(Path(run)))
    bundle = read_bundle(opened.folder.path / "autopsy")
    graph = logits_graph(opened.graph, opened.card.task)
    module = build_module(graph, seed=None)
    try:
        module.load_state_dict(bundle.weights)
    except RuntimeError as error:
        problem = "these are not the weights of the run's network"
        raise RunError(problem, where=str(opened.folder.path / "autopsy"), got=str(error).splitlines()[0]) from None
    module = module.to(memory_format=opened.layout)  # type: ignore[call-overload]
    x_bchw = bundle.inputs.contiguous(memory_format=opened.layout)
    return examine(graph, module, x_bchw, bundle.target, opened.loss, bundle.random)


def _forward(
    graph: Graph, module: nn.Module, x_bchw: torch.Tensor
) -> tuple[torch.Tensor, list[Peak], torch.Tensor | None]:
    """The outputs, the largest number of each layer up to the first that is not finite, and its images."""
    peaks: list[Peak] = []
    bad: list[torch.Tensor] = []
    handles = []
    for node in graph.nodes:
        if not isinstance(node.layer, Input):

            def report(_: nn.Module, __: Any, output: torch.Tensor, name: str = node.name) -> None:
                if not bad:
                    peaks.append(Peak(name, _largest(output)))
                    if not peaks[-1].finite:
                        bad.append(~output.detach().isfinite().flatten(1).all(dim=1))

            handles.append(module.get_submodule(node.name).register_forward_hook(report))
    try:
        with torch.autocast(x_bchw.device.type, enabled=False):
            outputs: torch.Tensor = module(x_bchw.float())
    finally:
        for handle in handles:
            handle.remove()
    return outputs, peaks, bad[0] if bad else None


def _gradients(graph: Graph, module: nn.Module) -> list[Peak]:
    """As the backward pass meets them: the last layer first."""
    named = dict(module.named_parameters(remove_duplicate=False))
    found = [(name, named[name].grad) for name, _ in reversed(list(graph.parameters()))]
    return [Peak(name, _largest(gradient)) for name, gradient in found if gradient is not None]


def _worst(outputs: torch.Tensor, target: torch.Tensor, loss: Loss) -> tuple[int, ...]:
    """The images with the largest loss of their own; one that is not finite counts as the largest."""
    with torch.no_grad():
        own = [float(loss(outputs[place : place + 1], target[place : place + 1])) for place in range(len(outputs))]
    order = sorted(range(len(own)), key=lambda place: -own[place] if math.isfinite(own[place]) else -math.inf)
    return tuple(order[:NAMED])


def _places(bad: torch.Tensor) -> tuple[int, ...]:
    return tuple(int(place) for place in bad.nonzero().flatten().tolist())


def _largest(tensor: torch.Tensor) -> float:
    """NaN where there is one; else the largest absolute number."""
    return float(tensor.detach().float().abs().max()) if tensor.numel() else 0.0
