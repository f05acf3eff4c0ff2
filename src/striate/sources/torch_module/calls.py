"""One call of a torch function, its arguments taken apart."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from torch import Tensor

from striate.sources.torch_module.functions import MIXING, OPERATORS, QUESTIONS
from striate.sources.torch_module.nodes import Nodes
from striate.sources.torch_module.values import Found, Place, Value

__all__ = ["Call", "Recording", "told_name"]


class Recording(Protocol):
    """A forward pass that is being recorded; :class:`striate.sources.torch_module.recorder.Recorder` is one."""

    batch: int
    nodes: Nodes

    def place(self) -> Place:
        """Where the call was made."""

    def value_of(self, tensor: Tensor) -> Value:
        """What is known of a tensor."""

    def run(self, call: Call) -> Any:
        """Compute a call on the device meta."""

    def view(self, call: Call, tensor: Tensor, layout: Any) -> Tensor:
        """A tensor with the numbers of the call's first value, in another arrangement."""

    def made(self, call: Call, found: Found, view: Tensor | None = None) -> Tensor | None:
        """The tensor that leaves a new node; None where the layer does not fit."""


class Call:
    """A call with what is known of each tensor in it.

    Args:
        func: the function.
        name: its name; underscores that only say "in place", "reversed" or "operator" are taken away.
        args, kwargs: as the author gave them.
        recorder: what records it.
    """

    def __init__(
        self,
        func: Callable[..., Any],
        name: str,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        recorder: Recording,
    ) -> None:
        self.func, self.args, self.kwargs, self.recorder = func, args, kwargs, recorder
        inner = name.strip("_") if name.startswith("__") and name not in QUESTIONS | MIXING else name
        if name.startswith("__i") and f"__{inner[1:]}__" in OPERATORS:
            inner, self.in_place = inner[1:], True
        elif name.startswith("__r") and f"__{inner[1:]}__" in OPERATORS:
            self.in_place = False
        else:
            self.in_place = (name.endswith("_") and not name.endswith("__")) or bool(kwargs.get("inplace"))
            inner = inner[:-1] if inner.endswith("_") and not inner.endswith("__") else inner
        self.name = inner if name != "__setitem__" else name
        self.values: list[Value] = []
        #: Whether it changes the numbers of a tensor that it is given.
        self.writes = self.in_place or name == "__setitem__" or kwargs.get("out") is not None
        self._known: dict[int, Value] = {}
        self._collect(args)
        self._collect(kwargs)
        #: Whether the inputs of the network reach it.
        self.depends = any(value.node is not None for value in self.values)

    def _collect(self, tree: Any) -> None:
        if isinstance(tree, Tensor):
            value = self.recorder.value_of(tree)
            self.values.append(value)
            self._known[id(tree)] = value
        elif isinstance(tree, (list, tuple)):
            for entry in tree:
                self._collect(entry)
        elif isinstance(tree, dict):
            for entry in tree.values():
                self._collect(entry)

    def tensors(self, tree: Any) -> Any:
        """The arguments with every tensor on the device meta, and no other device asked for."""
        if isinstance(tree, Tensor):
            return self._known[id(tree)].tensor
        return self._mapped(tree, self.tensors)

    def originals(self, tree: Any) -> Any:
        """The arguments with every tensor that has numbers."""
        if isinstance(tree, Tensor):
            value = self._known[id(tree)]
            return tree if value.real is None else value.real
        return self._mapped(tree, self.originals)

    def given(self, tree: Any) -> Any:
        """The arguments with what is known of every tensor in its place."""
        if isinstance(tree, Tensor):
            return self._known[id(tree)]
        return self._mapped(tree, self.given)

    def _mapped(self, tree: Any, change: Callable[[Any], Any]) -> Any:
        if type(tree) in (list, tuple):
            return type(tree)(change(entry) for entry in tree)
        if isinstance(tree, tuple) and hasattr(tree, "_fields"):
            return type(tree)(*(change(entry) for entry in tree))
        if isinstance(tree, dict):
            return {key: change(entry) for key, entry in tree.items()}
        return tree


def told_name(func: Callable[..., Any]) -> str:
    """What an author calls a function.

    >>> import torch
    >>> told_name(torch.nn.functional.relu), told_name(torch.flatten), told_name(torch.Tensor.view)
    ('F.relu', 'torch.flatten', 'Tensor.view')
    """
    name = getattr(func, "__name__", str(func))
    if name == "__get__":
        return f"Tensor.{getattr(getattr(func, '__self__', None), '__name__', '')}"
    home = getattr(func, "__module__", None) or ""
    if "functional" in home or home == "torch._C._nn":
        return f"F.{name}"
    if home == "torch._tensor" or "TensorBase" in getattr(func, "__qualname__", ""):
        return f"Tensor.{name}"
    for family in ("fft", "linalg", "special"):
        if name.startswith(f"{family}_"):
            return f"torch.{family}.{name[len(family) + 1 :]}"
    return f"torch.{name}"
