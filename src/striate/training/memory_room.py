"""Whether a step will fit into memory, asked before the first one: the batch that does, or the parts it is taken in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from striate.analysis.memory_report import OPTIMIZERS, memory
from striate.data.memory import available_memory
from striate.graph.layers.normalization import BatchNorm
from striate.training.devices import CPU, free_memory
from striate.training.placing import are_resident
from striate.units import format_bytes

if TYPE_CHECKING:
    import torch

    from striate.graph import Graph
    from striate.training.recipe import Recipe

__all__ = ["Room", "can_be_divided", "room_for"]

#: A batch chosen by us is not made smaller than this where it can be taken in parts instead.
SMALLEST = 16


@dataclass(frozen=True)
class Room:
    """How a step is made to fit.

    Args:
        batch: images for each update.
        parts: in how many parts they are computed.
        notes: what was changed, or what is feared; empty where everything fits.
    """

    batch: int
    parts: int = 1
    notes: tuple[str, ...] = ()


def can_be_divided(graph: Graph) -> bool:
    """Whether the images of a batch are independent of each other, so that it may be computed in parts.

    Batch normalisation looks at the whole batch: in parts it would be another optimisation.

    >>> from striate.graph import network
    >>> net = network("n", (1, 8, 8)).conv(4, 3)
    >>> can_be_divided(net.relu().build()), can_be_divided(net.batchnorm().build())
    (True, False)
    """
    return not any(isinstance(node.layer, BatchNorm) for node in graph.nodes)


def room_for(graph: Graph, recipe: Recipe, batch: int, device: torch.device = CPU, images: int = 0) -> Room:
    """The batch and its parts, by the exact count of :func:`striate.analysis.memory` and what the system has to spare.

    Args:
        graph: the network.
        recipe: its ``batch`` says whether the batch may be changed, its ``optimizer`` what that remembers.
        batch: as it would be.
        device: what computes.
        images: bytes of the training images, which lie in its memory where that is not the processor's.
    """
    kind = "cuda" if device.type == "cuda" else "cpu"
    known = recipe.optimizer if recipe.optimizer in OPTIMIZERS else "adamw"
    report = memory(graph, batch, optimizer=known, device=kind)
    needed, free = report.training_peak.bytes, available_memory()
    if device.type == "cuda":
        free = free_memory(device) - (images if are_resident(images, device) else 0)
    if needed <= free:
        return Room(batch)
    largest = report.largest_batch(free)
    told = f"a step with {batch} images needs about {format_bytes(needed)}, and {format_bytes(free)} are free"
    if largest == 0:
        return Room(batch, notes=(f"{told}; not even one image fits, so memory will probably run out",))
    smaller = 1 << (largest.bit_length() - 1)
    divisible = can_be_divided(graph)
    if recipe.batch is None and (smaller >= SMALLEST or not divisible):
        return Room(smaller, notes=(f"{told}; the batch is {smaller}",))
    if not divisible:
        advice = f"--batch {smaller} fits; with batch normalisation a batch cannot be computed in parts"
        return Room(batch, notes=(f"{told}: memory will probably run out; {advice}",))
    parts = 1 << (-(-batch // largest) - 1).bit_length()
    how = f"an update takes them in {parts} parts and adds up their gradients, which is the same mean"
    return Room(batch, parts, (f"{told}; {how}",))
