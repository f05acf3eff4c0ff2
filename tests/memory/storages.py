"""What PyTorch really keeps and has in use, measured by the lifetime of its storages."""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from typing import Any

from torch import Tensor, nn
from torch.autograd.graph import saved_tensors_hooks
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from striate.graph import Graph

__all__ = ["ORDERLY", "LiveBytes", "copies_disorder", "kept_bytes"]

#: Layers that copy a map first where its numbers are not in their usual order, and layers that leave them so.
ORDERLY = frozenset(("flatten", "instancenorm", "groupnorm"))
DISORDERLY = frozenset(("layernorm", "crop", "croplike", "slice"))


def copies_disorder(graph: Graph) -> bool:
    """Whether some layer may copy a map because its numbers are not in their usual order, which no rule counts."""
    kinds = {node.layer.kind for node in graph.nodes}
    return bool(kinds & ORDERLY and kinds & DISORDERLY)


class _Held:
    """A tensor that autograd holds; dies with the step of the backward pass that holds it."""

    __slots__ = ("__weakref__", "tensor")

    def __init__(self, tensor: Tensor) -> None:
        self.tensor = tensor


def kept_bytes(module: nn.Module, inputs: Iterable[Tensor]) -> tuple[int, Any]:
    """The bytes that a forward pass in train mode keeps for the backward pass, and what it returned.

    Each storage counts once and as a whole; parameters and buffers do not count.
    """
    own = {tensor.untyped_storage().data_ptr() for tensor in (*module.parameters(), *module.buffers())}
    held: list[weakref.ref[_Held]] = []

    def pack(tensor: Tensor) -> _Held:
        # Detached: with its history, an output that its own operation keeps would never be freed.
        entry = _Held(tensor.detach())
        held.append(weakref.ref(entry))
        return entry

    module.train()
    with saved_tensors_hooks(pack, lambda entry: entry.tensor):
        outputs = module(*inputs)
    storages = {}
    for reference in held:
        entry = reference()
        if entry is not None:
            storage = entry.tensor.untyped_storage()
            if storage.data_ptr() not in own:
                storages[storage._cdata] = storage.nbytes()
    return sum(storages.values()), outputs


class LiveBytes(TorchDispatchMode):
    """The bytes of all storages that operations made and that are still there, and the most there ever were."""

    def __init__(self, *known: Tensor) -> None:
        super().__init__()
        self.now = self.peak = 0
        self._known: dict[int, weakref.ref[Any]] = {}
        for tensor in known:
            self._add(tensor)

    def _add(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        key, size = storage._cdata, storage.nbytes()
        if key in self._known:
            return

        def gone(_: object) -> None:
            del self._known[key]
            self.now -= size

        self._known[key] = weakref.ref(storage, gone)
        self.now += size
        self.peak = max(self.peak, self.now)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, Tensor):
                self._add(leaf)
        return result
