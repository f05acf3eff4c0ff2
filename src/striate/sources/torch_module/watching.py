"""What an operation that no layer describes does, seen from the operations it is made of."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from striate.graph.layers.opaque import Nature
from striate.sources.torch_module.functions import MOVES, WITHOUT_PRODUCTS

__all__ = ["Seen", "watch"]


@dataclass(frozen=True, slots=True)
class Seen:
    """What was seen of an operation.

    Args:
        macs: multiply-adds for the whole batch; None where a part of it is not known.
        nature: see :class:`striate.graph.layers.opaque.Opaque`.
    """

    macs: int | None
    nature: Nature


class _Watcher(TorchDispatchMode):  # type: ignore[no-untyped-call]
    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.flops = 0
        self.known = True
        self.pointwise = self.moves = self.views = True

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__ if hasattr(func, "overloadpacket") else str(func)
        base = name[:-1] if name.endswith("_") and not name.endswith("__") else name
        view, pointwise = bool(getattr(func, "is_view", False)), torch.Tag.pointwise in getattr(func, "tags", ())
        moves = view or name in MOVES or base in MOVES
        rule = _flop_rules().get(getattr(func, "overloadpacket", None))
        if rule is not None:
            self.flops += int(rule(*args, **(kwargs or {}), out_val=result))
        elif not (moves or pointwise or name in WITHOUT_PRODUCTS):
            self.known = False
        self.views = self.views and view
        self.moves = self.moves and moves
        copies = name in ("clone", "_to_copy", "detach", "alias", "lift_fresh", "copy_")
        self.pointwise = self.pointwise and (pointwise or copies)
        return result


def _flop_rules() -> dict[Any, Callable[..., int]]:
    from torch.utils.flop_counter import flop_registry

    return flop_registry


def watch(compute: Callable[[], Any]) -> tuple[Seen, Any]:
    """Compute something on the device meta, and tell what it did."""
    with _Watcher() as watcher:
        result = compute()
    nature: Nature = "unknown"
    if watcher.flops == 0 and watcher.known:
        if watcher.views:
            nature = "view"
        elif watcher.moves:
            nature = "moves"
        elif watcher.pointwise:
            nature = "pointwise"
    return Seen(watcher.flops // 2 if watcher.known else None, nature), result
