"""Memory of a network: what it takes to run it, and what it takes to train it.

Measured with torch 2.13 on CPU, batch 2, networks of the zoo at half their size:

- kept activations: equal to the byte (the storages that autograd holds when the forward pass is over). Up to one more
  copy of a map is kept where a flatten, an instance normalisation or, on lines, a group normalisation reads a map whose
  numbers are not in their usual order: behind a layer normalisation over channels, a slice or a crop, and possibly
  under ``channels_last`` (of six networks of the zoo, none). A transposed convolution in 3-D may lie in more memory
  than its numbers need;
- peak at inference: equal to the byte to the live storages. What the allocator has given out is 0 to 10 % more for
  most networks, and up to 40 % where a kernel unfolds its input (AlexNet-like first layers, large dilations);
- peak of a training step: the allocator has given out 0 to 2 % more for most networks, and up to 25 % for the same
  reason. The sum of weights, gradients, state and activations is 15 % too high to 20 % too low.

Nothing was measured on a GPU. For CUDA the masks of dropout and the statistics of normalisations are counted as
PyTorch's source has them; all else is taken to be as on CPU.
Nodes that lead to no output are taken to keep nothing. Of a ReLU in place, see :func:`memory`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from striate.analysis.memory_plan import BatchBytes, Plan, number_bytes, plan
from striate.analysis.memory_timeline import Moment, inference_moments, training_moments
from striate.errors import UsageError, near_miss
from striate.graph import Graph

__all__ = ["OPTIMIZERS", "MemoryReport", "NodeMemory", "Peak", "memory"]

#: For each optimizer, how many numbers it remembers for each trained number, and how many bytes for each tensor.
OPTIMIZERS = {"sgd": (0, 0), "sgd-momentum": (1, 0), "adam": (2, 4), "adamw": (2, 4)}

Purpose = Literal["training", "inference"]


@dataclass(frozen=True)
class NodeMemory:
    """The memory of one node, in bytes for the whole batch.

    Args:
        name: the node.
        kind: its layer's kind.
        output: its value; 0 where that is a view of another node's memory.
        kept_for: the nodes whose backward step reads that memory again; empty where it is dropped.
        kept_output: ``output`` where it is kept, else 0.
        extras: what it keeps besides, with its bytes: indices of a max pooling, statistics of a normalisation.
    """

    name: str
    kind: str
    output: int
    kept_for: tuple[str, ...]
    kept_output: int
    extras: tuple[tuple[str, int], ...]

    @property
    def kept(self) -> int:
        """All that is kept for the backward pass."""
        return self.kept_output + sum(size for _, size in self.extras)


@dataclass(frozen=True)
class Peak:
    """The moment at which most memory is in use.

    Args:
        bytes: how much.
        phase: ``forward``, ``backward`` or ``update``.
        node: the node that is computed then; empty for ``update``.
    """

    bytes: int
    phase: str
    node: str


@dataclass(frozen=True)
class MemoryReport:
    """The memory of a network, in bytes.

    Args:
        network: its name.
        batch: images in a batch.
        dtype: of weights and activations alike.
        optimizer: one of :data:`OPTIMIZERS`.
        device: ``cpu`` or ``cuda``.
        weights: the trained numbers.
        buffers: the running statistics.
        gradients: of the trained numbers; those that no output depends on have none.
        optimizer_state: what the optimizer remembers of them.
        nodes: one entry for each node, in order.
        inference: the moments of a forward pass without gradients.
        training: the moments of a training step.
        assumed: nodes that do not say what they keep; taken to keep their inputs and output.
    """

    network: str
    batch: int
    dtype: str
    optimizer: str
    device: str
    weights: int
    buffers: int
    gradients: int
    optimizer_state: int
    nodes: tuple[NodeMemory, ...]
    inference: tuple[Moment, ...] = field(repr=False)
    training: tuple[Moment, ...] = field(repr=False)
    assumed: tuple[str, ...]

    @property
    def activations(self) -> int:
        """All that a forward pass keeps for the backward pass, images included."""
        return sum(node.kept for node in self.nodes)

    @property
    def training_sum(self) -> int:
        """Weights, buffers, gradients, optimizer state and kept activations, as if all were there at once."""
        return self.weights + self.buffers + self.gradients + self.optimizer_state + self.activations

    @property
    def inference_peak(self) -> Peak:
        """The most that a forward pass without gradients has in use at once."""
        return _peak(self.inference, self.batch)

    @property
    def training_peak(self) -> Peak:
        """The most that a training step has in use at once.

        Less than :attr:`training_sum` where the activations are gone before the last gradients come.
        """
        return _peak(self.training, self.batch)

    def largest_batch(self, budget: int, purpose: Purpose = "training") -> int:
        """The largest batch whose peak fits into a budget; 0 where not even one image does.

        ``min over all moments of floor((budget - fixed) / per image)``.

        Args:
            budget: bytes.
            purpose: ``training`` or ``inference``.

        Raises:
            UsageError: when the budget is negative.
        """
        if budget < 0:
            raise UsageError("a budget of memory cannot be negative", got=f"{budget} bytes", needs="bytes, 0 or more")
        moments = self.training if purpose == "training" else self.inference
        if any(moment.alive.fixed > budget for moment in moments):
            return 0
        return min(
            (budget - moment.alive.fixed) // moment.alive.per_image for moment in moments if moment.alive.per_image
        )

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON-ready data."""
        peaks = {"inference_peak": self.inference_peak, "training_peak": self.training_peak}
        return {
            "format": 1,
            "network": self.network,
            "batch": self.batch,
            "dtype": self.dtype,
            "optimizer": self.optimizer,
            "device": self.device,
            "totals": {
                "weights": self.weights,
                "buffers": self.buffers,
                "gradients": self.gradients,
                "optimizer_state": self.optimizer_state,
                "activations": self.activations,
                "training_sum": self.training_sum,
                **{name: {"bytes": peak.bytes, "phase": peak.phase, "node": peak.node} for name, peak in peaks.items()},
            },
            "assumed": list(self.assumed),
            "nodes": [
                {
                    "name": node.name,
                    "kind": node.kind,
                    "output": node.output,
                    "kept": node.kept,
                    "kept_for": list(node.kept_for),
                    "extras": dict(node.extras),
                }
                for node in self.nodes
            ],
        }


def memory(
    graph: Graph,
    batch: int = 1,
    *,
    dtype: str = "float32",
    optimizer: str = "adamw",
    device: str = "cpu",
    in_place: bool = False,
) -> MemoryReport:
    """What running and training a network takes of memory, as PyTorch 2.11 to 2.13 uses it.

    See the module's documentation for what was measured and where it deviates. Not in any number: workspace inside
    kernels, the loss, what the allocator rounds up, and (on CUDA) the context.

    Args:
        graph: the network.
        batch: images in a batch.
        dtype: of weights and activations alike: ``float64``, ``float32``, ``bfloat16`` or ``float16``. Automatic mixed
            precision is none of these: its weights stay in float32, and a cast copy of each is kept besides.
        optimizer: ``sgd``, ``sgd-momentum``, ``adam`` or ``adamw``.
        device: ``cpu``, or ``cuda`` (masks of dropout take one byte for each number, statistics at least four; read
            from PyTorch's source, not measured).
        in_place: compute ReLU, leaky ReLU and ELU in the memory of their input where nothing else needs it. That lowers
            the peak at inference; what is kept it changes for the latter two, which keep their input else. ReLU6 keeps
            a copy of its input in place, and gains nothing.

    Raises:
        UsageError: for a batch below 1, or an unknown type, optimizer or device.

    >>> from striate.graph import network
    >>> net = network("n", (3, 8, 8)).conv(4, 3, bias=False).relu().maxpool(2).flatten().dense(10).build()
    >>> report = memory(net, batch=2, optimizer="sgd")
    >>> report.weights, report.activations, {node.name: node.kept for node in report.nodes if node.kept}
    (1912, 3552, {'input': 1536, 'relu1': 1152, 'maxpool1': 864})
    """
    if batch < 1:
        raise UsageError("a batch has at least one image", got=f"batch {batch}", write="batch 1")
    if optimizer not in OPTIMIZERS:
        raise UsageError(
            f"the memory of the optimizer {optimizer!r} is not known",
            got=optimizer,
            needs=f"one of {', '.join(OPTIMIZERS)}",
            write=near_miss(optimizer, OPTIMIZERS),
        )
    laid_out = plan(graph, dtype, device, in_place=in_place)
    at_inference = plan(graph, dtype, device, in_place=in_place, training=False)
    size = number_bytes(dtype)
    numbers, bytes_each = OPTIMIZERS[optimizer]
    weights = size * graph.parameter_count
    gradients, tensors = _gradients(laid_out, size)
    trained = sum(entry.fixed for entry in gradients)
    state = numbers * trained + bytes_each * tensors
    # Counters of batches are integers of 8 bytes, whatever the network's type.
    buffers = sum(
        (size if buffer.shape else 8) * buffer.count for node in graph.nodes for buffer in graph.own_buffers(node)
    )
    return MemoryReport(
        graph.name,
        batch,
        dtype,
        optimizer,
        device,
        weights,
        buffers,
        trained,
        state,
        tuple(_node(laid_out, index, batch) for index in range(len(graph))),
        inference_moments(at_inference, BatchBytes(weights + buffers)),
        training_moments(laid_out, BatchBytes(weights + buffers + state), gradients),
        laid_out.assumed,
    )


def _gradients(laid_out: Plan, size: int) -> tuple[tuple[BatchBytes, ...], int]:
    """For each node the bytes of its parameters' gradients, and how many tensors they are.

    Those of shared parameters belong to the last node that uses them: its backward step is the first to make them.
    """
    graph, tensors = laid_out.graph, 0
    found = [BatchBytes()] * len(graph)
    done: set[str] = set()
    for index in reversed(range(len(graph))):
        node = graph.nodes[index]
        owner = node.name if node.shares is None else node.shares
        if laid_out.needs[index] is None or owner in done:
            continue
        done.add(owner)
        parameters = node.layer.parameters(graph.input_shapes(node))
        found[index] = BatchBytes(size * sum(parameter.count for parameter in parameters))
        tensors += len(parameters)
    return tuple(found), tensors


def _node(laid_out: Plan, index: int, batch: int) -> NodeMemory:
    nodes = laid_out.graph.nodes
    extras = () if laid_out.needs[index] is None else laid_out.extras[index]
    return NodeMemory(
        nodes[index].name,
        nodes[index].layer.kind,
        laid_out.output[index].at(batch),
        tuple(nodes[keeper].name for keeper in laid_out.keepers[index]),
        laid_out.kept_output(index).at(batch),
        tuple((extra.name, size.at(batch)) for extra, size in extras if extra.kept),
    )


def _peak(moments: Sequence[Moment], batch: int) -> Peak:
    highest = max(moments, key=lambda moment: moment.alive.at(batch))
    return Peak(highest.alive.at(batch), highest.phase, highest.node)
