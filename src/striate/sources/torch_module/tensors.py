"""What is known of every tensor that a forward pass has met, and which of them lie in one memory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from striate.sources.torch_module.faults import unseen_tensor
from striate.sources.torch_module.layout import plain_layout
from striate.sources.torch_module.nodes import Nodes
from striate.sources.torch_module.places import Places
from striate.sources.torch_module.values import Value, image_shape

__all__ = ["READABLE", "Tensors"]

#: Constants with at most so many numbers are computed for real, so that the forward may read them.
READABLE = 4096


class Tensors:
    """The tensors so far.

    Args:
        parameters: the module's parameters by their full names.
        others: further tensors of the author's: buffers and attributes.
        batch: how many images the pass runs with.
        nodes: the nodes so far.
        places: says where a call comes from.
    """

    def __init__(
        self, parameters: Mapping[str, Tensor], others: Iterable[Tensor], batch: int, nodes: Nodes, places: Places
    ) -> None:
        self._batch, self._nodes, self._places = batch, nodes, places
        self._names = {id(entry): name for name, entry in reversed(list(parameters.items()))}
        self._authors = {id(entry): entry for entry in others}
        self._values: dict[int, Value] = {}
        #: What stands for a tensor of the author's, and that tensor, so that its id stays its own.
        self._stand_ins: dict[int, tuple[Tensor, Value]] = {}
        #: Values that lie in one memory, by that memory.
        self._memory: dict[int, list[Value]] = {}

    def known(self, tensor: Tensor) -> Value | None:
        """What is known of a tensor on the device meta that was met before."""
        return self._values.get(id(tensor))

    def of(self, tensor: Tensor) -> Value:
        """What is known of a tensor; of one never seen before, what its memory tells.

        Raises:
            SourceError: it was computed where no call can be seen.
        """
        value = self._found(tensor)
        if value.node is None and value.stale:
            self._filled(value)
        return value

    def _found(self, tensor: Tensor) -> Value:
        known = self._values.get(id(tensor))
        if known is not None:
            return known
        if id(tensor) in self._stand_ins:
            return self._stand_ins[id(tensor)][1]
        if tensor.device.type == "meta" and id(tensor) not in self._names:
            for other in reversed(self._memory.get(memory_of(tensor), [])):
                if other.tensor.shape == tensor.shape and other.tensor.stride() == tensor.stride():
                    return other
            # Without the batch it is a constant: a table that was kept from an earlier pass, for instance.
            batched = any(size and size % self._batch == 0 for size in tensor.shape)
            if batched and id(tensor) not in self._authors and not isinstance(tensor, nn.Parameter):
                raise unseen_tensor(tuple(tensor.shape), self._places.here())
        return self._stand_in(tensor)

    def _stand_in(self, tensor: Tensor) -> Value:
        name = self._names.get(id(tensor))
        empty = torch.empty_strided(tensor.size(), tensor.stride(), dtype=tensor.dtype, device="meta")
        weights = frozenset() if name is None else frozenset((name,))
        readable = name is None and tensor.device.type != "meta" and tensor.numel() <= READABLE
        stray = name is None and isinstance(tensor, nn.Parameter)
        # A copy: the forward may write into it.
        real = tensor.detach().clone() if readable else None
        value = Value(empty, weights=weights, parameter=name, real=real, stray=stray)
        self._stand_ins[id(tensor)] = (tensor, value)
        self.register(value)
        return value

    def register(self, value: Value) -> Tensor:
        """Take note of a value; its tensor."""
        self._values[id(value.tensor)] = value
        self._memory.setdefault(memory_of(value.tensor), []).append(value)
        return value.tensor

    def written(self, value: Value, node: int, layout: Any) -> Tensor:
        """The same tensor with other numbers, from a node: whatever else lies in its memory has changed too."""
        for other in self._memory.get(memory_of(value.tensor), []):
            if other is not value:
                other.stale.append(node)
                other.real, other.zero = None, False
        value.node, value.layout, value.place, value.stale = node, layout, None, []
        value.real, value.zero = None, False
        return self.register(value)

    def overwritten(self, value: Value, weights: frozenset[str], numbers: bool) -> None:
        """The same for numbers that the inputs do not reach; ``numbers``: those of the value were written too."""
        for other in self._memory.get(memory_of(value.tensor), []):
            if other.node is None:
                other.weights |= weights
                other.real, other.zero = other.real if numbers else None, False

    def _filled(self, value: Value) -> None:
        """A constant into whose memory numbers were written that depend on the inputs, through another view of it."""
        shape, regular, _ = image_shape(tuple(value.tensor.shape), self._batch)
        writers, value.stale = tuple(dict.fromkeys(value.stale)), []
        place = self._places.current()
        value.node = self._nodes.opaque(
            "written in place", shape, writers, place, value.weights, cost=0, nature="moves"
        )
        value.layout = plain_layout(shape) if regular else None


def memory_of(tensor: Tensor) -> int:
    """A number that tensors in one memory have in common."""
    return int(tensor.untyped_storage()._cdata)
