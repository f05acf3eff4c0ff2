"""A module is the same afterwards, whatever its forward pass does to itself."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import nn

__all__ = ["unchanged"]


@contextmanager
def unchanged(module: nn.Module) -> Iterator[None]:
    """Inside, every part of a module is in evaluation mode; afterwards all is as it was before.

    That is: the attributes of every part (and what is in their lists, sets and mappings), its mode, the hooks, the
    gradients, the random state of torch, NumPy and Python, whether gradients are recorded, and the default type.
    Tensors themselves are not copied: nothing writes into them.
    """
    parts = [(part, dict(vars(part))) for part in module.modules()]
    held = [(box, _copied(box)) for _, attributes in parts for box in _containers(attributes)]
    gradients = [(parameter, parameter.grad) for parameter in module.parameters()]
    states = _random_states()
    default, deterministic = torch.get_default_dtype(), torch.are_deterministic_algorithms_enabled()
    try:
        for part, _ in parts:
            vars(part)["training"] = False
        with torch.no_grad():
            yield
    finally:
        for part, attributes in parts:
            vars(part).clear()
            vars(part).update(attributes)
        for box, content in held:
            _refill(box, content)
        for parameter, gradient in gradients:
            if parameter.grad is not gradient:
                parameter.grad = gradient
        torch.set_default_dtype(default)
        if torch.are_deterministic_algorithms_enabled() != deterministic:
            torch.use_deterministic_algorithms(deterministic)
        _restore_random(states)


def _containers(attributes: dict[str, Any]) -> list[Any]:
    """Lists, sets and mappings among the attributes, and inside of each other."""
    found: list[Any] = []
    waiting = list(attributes.values())
    seen: set[int] = set()
    while waiting:
        entry = waiting.pop()
        if id(entry) in seen or not isinstance(entry, (list, dict, set)):
            continue
        seen.add(id(entry))
        found.append(entry)
        waiting += entry.values() if isinstance(entry, dict) else entry
    return found


def _copied(box: Any) -> Any:
    return list(box.items()) if isinstance(box, dict) else list(box)


def _refill(box: Any, content: Any) -> None:
    now = list(box.items()) if isinstance(box, dict) else list(box)
    if len(now) == len(content) and all(_same(a, b) for a, b in zip(now, content, strict=True)):
        return
    box.clear()
    if isinstance(box, list):
        box.extend(content)
    else:
        box.update(content)


def _same(now: Any, before: Any) -> bool:
    if isinstance(now, tuple) and isinstance(before, tuple) and len(now) == len(before):
        return all(a is b for a, b in zip(now, before, strict=True))
    return now is before


def _random_states() -> tuple[Any, ...]:
    numpy = sys.modules.get("numpy")
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else None  # type: ignore[no-untyped-call]
    return torch.get_rng_state(), cuda, None if numpy is None else numpy.random.get_state(), random.getstate()


def _restore_random(states: tuple[Any, ...]) -> None:
    cpu, cuda, numpy, python = states
    torch.set_rng_state(cpu)
    if cuda is not None:
        torch.cuda.set_rng_state_all(cuda)
    if numpy is not None:
        sys.modules["numpy"].random.set_state(numpy)
    random.setstate(python)
