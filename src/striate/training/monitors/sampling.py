"""Sampler: looks closely at one step: gradients, weights, updates, and what leaves the layers for a few images."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from striate.graph import Graph
from striate.graph.layers.activation import ReLU, Sigmoid, Tanh
from striate.graph.layers.clipped import ReLU6
from striate.graph.layers.convolution import Conv
from striate.graph.layers.dense import Dense
from striate.graph.layers.transposed_convolution import ConvTranspose
from striate.training.monitors.story import Sample

__all__ = ["IMAGES", "Sampler", "idle_units", "norms"]

#: Images of the batch whose activations are looked at.
IMAGES = 32
#: A unit is dead that was 0 on all images of so many samples in turn.
SAMPLES_DEAD = 3


class Sampler:
    """Watches single steps of a training.

    Between :meth:`open` and :meth:`close` the layers report what leaves them. Everything is computed from what the
    step computes anyway; nothing is drawn, written into or run a second time.

    Args:
        graph: the network that is trained.
        module: the same network.
        compiled: whether the steps are computed by a compiled copy, which does not report. Then a few images go through
            the network once more, in evaluation mode.
    """

    def __init__(self, graph: Graph, module: nn.Module, *, compiled: bool = False) -> None:
        self._module, self._compiled = module, compiled
        named = dict(module.named_parameters(remove_duplicate=False))
        self._names = [name for name, _ in graph.parameters() if name in named]
        self._parameters = [named[name] for name in self._names]
        weights = {name for name, parameter in graph.parameters() if parameter.role == "weight"}
        self._weights = [name in weights for name in self._names]
        self._watched: list[tuple[nn.Module, Callable[[torch.Tensor], None]]] = []
        for node in graph.nodes:
            if node.name in graph.outputs and not isinstance(node.layer, (Conv, ConvTranspose, Dense)):
                continue
            look = self._look(node.name, node.layer)
            if look is not None:
                self._watched.append((module.get_submodule(node.name), look))
        self._handles: list[Any] = []
        self._before: list[torch.Tensor] = []
        self._idle: dict[str, list[torch.Tensor]] = {}
        self._outputs: dict[str, torch.Tensor] = {}
        self._saturation: dict[str, torch.Tensor] = {}
        self._looked: set[int] = set()
        #: Spent by the layers' reports in the step that is looked at.
        self.seconds = 0.0

    @property
    def before(self) -> dict[str, torch.Tensor]:
        """The parameters before the newest step that was looked at, by name; empty before the first."""
        return dict(zip(self._names, self._before, strict=False))

    @torch.no_grad()
    def open(self, x_bchw: torch.Tensor) -> None:
        """From now on this step is looked at; it works on these images."""
        self.discard()
        self._outputs, self._saturation, self.seconds = {}, {}, 0.0
        self._looked = set()
        self._before = [parameter.detach().clone() for parameter in self._parameters]
        for module, look in self._watched:

            def report(caller: nn.Module, _: Any, output: Any, look: Callable[[torch.Tensor], None] = look) -> None:
                start = time.perf_counter()
                # A batch that is computed in parts comes here for each; the first will do.
                if isinstance(output, torch.Tensor) and id(caller) not in self._looked:
                    self._looked.add(id(caller))
                    with torch.no_grad(), torch.autocast(output.device.type, enabled=False):
                        look(output.detach()[:IMAGES].float())
                self.seconds += time.perf_counter() - start

            self._handles.append(module.register_forward_hook(report))
        if self._compiled:
            self._own_pass(x_bchw[:IMAGES])
            self.discard()

    def _own_pass(self, x_bchw: torch.Tensor) -> None:
        was_training = self._module.training
        with torch.random.fork_rng(devices=[]):
            self._module.eval()
            try:
                self._module(x_bchw)
            finally:
                self._module.train(was_training)
        # Not counted twice: whoever opens counts the time of opening.
        self.seconds = 0.0

    def discard(self) -> None:
        """Stop looking."""
        for handle in self._handles:
            handle.remove()
        self._handles = []

    @torch.no_grad()
    def close(self, epoch: int, step: int, rate: float, loss: float | None) -> Sample:
        """After the update: what was seen.

        Args:
            epoch, step, rate, loss: of the step, as :class:`Sample` has them.
        """
        self.discard()
        own = [parameter.grad for parameter in self._parameters]
        weighted = [
            (name, gradient)
            for name, gradient, is_weight in zip(self._names, own, self._weights, strict=True)
            if is_weight and gradient is not None
        ]
        changes = [now.detach() - then for now, then in zip(self._parameters, self._before, strict=True)]
        moved = zip(self._names, norms(changes), strict=True)
        trained = {name: p.requires_grad for name, p in zip(self._names, self._parameters, strict=True)}
        outputs = _lists(self._outputs)
        return Sample(
            epoch=epoch,
            step=step,
            rate=rate,
            loss=loss,
            gradients=dict(zip([name for name, _ in weighted], norms([grad for _, grad in weighted]), strict=True)),
            weights=dict(zip(self._names, norms(self._before), strict=True)),
            # What is fixed on purpose, as whitened filters are, is not expected to move.
            updates={name: norm for name, norm in moved if trained[name]},
            outputs={name: (pair[0], pair[1]) for name, pair in outputs.items()},
            dead=self._dead(),
            saturation={name: value[0] for name, value in _lists(self._saturation).items()},
        )

    def _look(self, name: str, layer: object) -> Callable[[torch.Tensor], None] | None:
        if isinstance(layer, (Conv, ConvTranspose, Dense)):

            def measure(output: torch.Tensor) -> None:
                std, mean = torch.std_mean(output, correction=0)
                self._outputs[name] = torch.stack([mean, std])

            return measure
        if isinstance(layer, (ReLU, ReLU6)):

            def activity(output: torch.Tensor) -> None:
                seen = self._idle.setdefault(name, [])
                seen.append(idle_units(output))
                del seen[:-SAMPLES_DEAD]

            return activity
        if isinstance(layer, (Tanh, Sigmoid)):
            scale = isinstance(layer, Sigmoid)

            def saturation(output: torch.Tensor) -> None:
                value = output.mul(2).sub_(1) if scale else output
                self._saturation[name] = value.abs().mean().reshape(1)

            return saturation
        return None

    def _dead(self) -> dict[str, float]:
        """Units that no image of the newest samples has moved, where there are samples enough."""
        return {
            name: float(torch.stack(seen).all(dim=0).float().mean())
            for name, seen in self._idle.items()
            if len(seen) == SAMPLES_DEAD
        }


def idle_units(output: torch.Tensor) -> torch.Tensor:
    """Which units (channels) are not above 0 for any image or position; (batch, units, …) → (units,) bool."""
    highest = output.transpose(0, 1).flatten(1).amax(dim=1)
    return highest <= 0


def norms(tensors: list[torch.Tensor]) -> list[float]:
    """The L2 norm of each tensor, brought over from the device at once."""
    if not tensors:
        return []
    return [float(value) for value in torch.stack([torch.linalg.vector_norm(t.float()) for t in tensors]).tolist()]


def _lists(values: dict[str, torch.Tensor]) -> dict[str, list[float]]:
    if not values:
        return {}
    return dict(zip(values, torch.stack(list(values.values())).tolist(), strict=True))
