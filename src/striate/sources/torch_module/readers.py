"""Which function recognises which layer in a call. The files in ``operations/`` register themselves here."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from striate.errors import NetworkError, SourceError
from striate.graph.layer import Layer
from striate.sources.torch_module.calls import Call
from striate.sources.torch_module.layout import Layout
from striate.sources.torch_module.values import Found, Value

__all__ = ["Reader", "arranged", "is_map", "on_map", "reader_of", "reads", "sizes"]

Reader = Callable[[Call], Any]
_READERS: dict[str, Reader] = {}


def reads(*names: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Register the decorated function for calls of that name.

    It takes the call and then the torch function's own arguments, with a :class:`Value` for each tensor. It returns a
    :class:`Found`, finished tensors, or None where no layer describes the call. Arguments it does not list mean None.
    """

    def register(function: Callable[..., Any]) -> Callable[..., Any]:
        signature = inspect.signature(function)

        def read(call: Call) -> Any:
            try:
                bound = signature.bind(call, *call.given(call.args), **call.given(call.kwargs))
            except TypeError:
                return None
            try:
                return function(*bound.args, **bound.kwargs)
            except SourceError:
                raise
            except NetworkError:
                # An attribute that the layer refuses: torch may still compute it.
                return None

        for name in names:
            if name in _READERS:
                raise TypeError(f"two readers for {name}")
            _READERS[name] = read
        return function

    return register


def reader_of(name: str) -> Reader | None:
    """The function that recognises a layer in calls of that name."""
    return _READERS.get(name)


def is_map(value: object, rank: int | None = None) -> bool:
    """Whether something is a tensor from the inputs with the batch in front (and so many spatial axes)."""
    if not isinstance(value, Value) or value.node is None or value.layout is None:
        return False
    return rank is None or len(value.layout.axes) == rank + 1


def on_map(call: Call, layer: Layer, value: Value, *weights: Value | None) -> Found:
    """A layer that reads a value as it lies."""
    return Found(layer, (call.recorder.nodes.plain(value),), tuple(entry for entry in weights if entry is not None))


def arranged(value: Value) -> Layout | None:
    """The layout that a layer which works number by number may keep; None where the map comes first.

    A flatten, a shuffle of channels or of pixels is a layer of its own, and comes before what follows it.
    """
    layout = value.layout
    if layout is None or layout.is_plain or value.stale or layout.layer() is not None or layout.in_order:
        return None
    return layout


def sizes(value: Any, rank: int) -> tuple[int, ...]:
    """One number for each axis, from one for all or a list."""
    if isinstance(value, (list, tuple)):
        return tuple(int(entry) for entry in value) * (rank if len(value) == 1 else 1)
    return (int(value),) * rank
