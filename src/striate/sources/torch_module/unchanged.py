"""A module is the same afterwards, whatever its forward pass does to itself."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy

__all__ = ["unchanged"]

#: Tensors with at most so many numbers are copied.
_SMALL = 4096
#: What has attributes but keeps no state for a forward pass, or has it kept elsewhere.
_OTHERS = (nn.Module, Tensor, type, ModuleType, FunctionType, MethodType, BuiltinFunctionType)


@contextmanager
def unchanged(module: nn.Module) -> Iterator[None]:
    """Inside, every part of a module is in evaluation mode; afterwards all is as it was before.

    That is: the attributes of every part (and what is in their lists, sets and mappings), those of plain objects among
    them, its mode, the hooks, the gradients and whether they are wanted, the random state of torch, NumPy and Python,
    whether gradients are recorded, the default type and device. Of tensors only small ones are copied: nothing that
    the recorder sees writes into any, and what it does not see (a pointer, an extension) is undone for those.
    """
    parts = [(part, dict(vars(part))) for part in module.modules()]
    helpers = [(helper, dict(vars(helper))) for helper in _helpers([attributes for _, attributes in parts])]
    held = [(box, _copied(box)) for _, attributes in (*parts, *helpers) for box in _containers(attributes)]
    tensors = [(entry, entry.grad, entry.requires_grad) for entry in (*module.parameters(), *module.buffers())]
    numbers = _small(module)
    states = _random_states()
    device, threads = torch.get_default_device(), torch.get_num_threads()
    default, deterministic = torch.get_default_dtype(), torch.are_deterministic_algorithms_enabled()
    try:
        for part, _ in parts:
            vars(part)["training"] = False
        with torch.no_grad():
            yield
    finally:
        for owner, attributes in (*parts, *helpers):
            vars(owner).clear()
            vars(owner).update(attributes)
        for box, content in held:
            _refill(box, content)
        for tensor, gradient, wanted in tensors:
            if tensor.requires_grad != wanted:
                tensor.requires_grad_(wanted)
            if tensor.grad is not gradient:
                tensor.grad = gradient
        _restore_numbers(numbers)
        torch.set_default_dtype(default)
        if torch.get_default_device() != device:
            torch.set_default_device(None)
            if torch.get_default_device() != device:
                torch.set_default_device(device)
        if torch.get_num_threads() != threads:
            torch.set_num_threads(threads)
        if torch.are_deterministic_algorithms_enabled() != deterministic:
            torch.use_deterministic_algorithms(deterministic)
        _restore_random(states)


def _helpers(attributes: list[dict[str, Any]]) -> list[Any]:
    """Plain objects among the attributes, or in their containers: whatever keeps attributes of its own."""
    entries = [entry for own in attributes for entry in own.values()]
    for box in (box for own in attributes for box in _containers(own)):
        entries += box.values() if isinstance(box, dict) else box
    found: dict[int, Any] = {}
    for entry in entries:
        plain = isinstance(getattr(entry, "__dict__", None), dict) and not isinstance(entry, _OTHERS)
        if plain and not isinstance(entry, (list, dict, set)):
            found[id(entry)] = entry
    return list(found.values())


def _small(module: nn.Module) -> list[tuple[Tensor, Tensor]]:
    return [
        (entry, entry.detach().clone())
        for entry in (*module.parameters(), *module.buffers())
        if not entry.is_meta and entry.layout == torch.strided and not is_lazy(entry) and entry.numel() <= _SMALL
    ]


def _restore_numbers(numbers: list[tuple[Tensor, Tensor]]) -> None:
    for tensor, before in numbers:
        now = tensor.detach()
        same = now.shape == before.shape and torch.equal(_bits(now), _bits(before))
        if not same:
            now.copy_(before)


def _bits(tensor: Tensor) -> Tensor:
    """Bytes: a NaN equals itself there, and 0 is not -0."""
    return tensor.contiguous().reshape(-1).view(torch.uint8)


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
