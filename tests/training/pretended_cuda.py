"""A GPU for tests on machines without one: it computes on the processor and fails where CUDA would fail.

Inside :func:`pretended_cuda` torch says that there are two CUDA devices. A tensor that is moved to one, or made there,
stays in the processor's memory but is known to be on the device, and so is everything that is computed from it. As on
CUDA, an operation fails that takes tensors from both sides, unless that of the processor is a single number; and so
does `numpy()`. Layers that draw draw from the device's own generator. All numbers are those of the processor.

Stricter than CUDA: indices must be on the device of what they pick from, for CUDA would wait for the copy.

:func:`pretended_mps` is the same for MPS, which moreover has no float64.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

__all__ = ["NAME", "PretendedCuda", "pretended_cuda", "pretended_mps"]

NAME = "Pretended GPU"
GIGABYTE = 1024**3
#: Operations that copy from one side to the other.
COPIES = (torch.ops.aten.copy_.default,)


class PretendedCuda:
    """Which tensors are on the device.

    Attributes:
        device: as torch calls it.
        free: bytes of its memory that are said to be free.
        waits: how often somebody waited for it.
        generators: of the two devices.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self.free, self.waits = 100 * GIGABYTE, 0
        self.generators = tuple(torch.Generator().manual_seed(number) for number in (7, 8))
        # The storages themselves are kept, so that no address is ever used again.
        self._here: dict[int, torch.UntypedStorage] = {}
        #: Whether each function of torch that is under way was given a tensor on the device, innermost last.
        self.given: list[bool] = []

    def has(self, tensor: torch.Tensor) -> bool:
        return tensor.untyped_storage()._cdata in self._here

    def put(self, value: Any) -> Any:
        for tensor in _tensors(value):
            if self.device.type == "mps" and tensor.dtype == torch.float64:
                raise TypeError("Cannot convert a MPS Tensor to float64 dtype as MPS doesn't support float64")
            storage = tensor.untyped_storage()
            self._here[storage._cdata] = storage
        return value


class _Functions(TorchFunctionMode):
    """What Python sees: the device of a tensor, and moving and making tensors."""

    def __init__(self, cuda: PretendedCuda) -> None:
        super().__init__()
        self._cuda = cuda

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs, cuda = dict(kwargs or {}), self._cuda
        here = any(cuda.has(tensor) for tensor in _tensors((args, kwargs)))
        if getattr(func, "__self__", None) is torch.Tensor.device:
            return cuda.device if here else func(*args)
        if func in (torch.Tensor.numpy, torch.Tensor.__array__) and here:
            raise TypeError(f"can't convert {cuda.device} device type tensor to numpy")
        if func is torch.Tensor.pin_memory:
            assert not here, "only the processor's memory can be pinned"
            return args[0].clone()
        if func is torch.Tensor.cpu:
            return _home(args[0]) if here else args[0]
        if func is torch.Tensor.to:
            return self._to(here, *args, **kwargs)
        wanted = kwargs.get("device")
        makes = wanted is not None and func is not torch._C._nn._parse_to
        if makes and torch.device(wanted).type == cuda.device.type:
            kwargs["device"] = "cpu"
            return cuda.put(func(*args, **kwargs))
        cuda.given.append(here)
        try:
            return func(*args, **kwargs)
        finally:
            cuda.given.pop()

    def _to(self, here: bool, tensor: torch.Tensor, *args: Any, **kwargs: Any) -> Any:
        if args and isinstance(args[0], torch.Tensor):
            place = self._cuda.device if self._cuda.has(args[0]) else args[0].device
            args = (place, args[0].dtype, *args[1:])
        copy = kwargs.pop("copy", False)
        device, dtype, _, layout = torch._C._nn._parse_to(*args, **kwargs)
        form = {"dtype": tensor.dtype if dtype is None else dtype, "memory_format": layout or torch.preserve_format}
        there = here if device is None else device.type == self._cuda.device.type
        moved = tensor.to(copy=copy or here != there, **form)
        if there:
            return self._cuda.put(moved)
        return _home(moved) if here else moved


class _Operations(TorchDispatchMode):
    """What is computed: nothing from tensors of both sides, and results on the side of what they are computed from."""

    def __init__(self, cuda: PretendedCuda) -> None:
        super().__init__()
        self._cuda = cuda

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs, cuda = kwargs or {}, self._cuda
        tensors = [tensor for tensor in _tensors((args, kwargs)) if not tensor.is_meta]
        here = [tensor for tensor in tensors if cuda.has(tensor)]
        away = [tensor for tensor in tensors if not cuda.has(tensor) and tensor.ndim]
        if func in COPIES:
            return func(*args, **kwargs)
        if here and away:
            raise RuntimeError(
                f"{func}: expected all tensors to be on the same device, but found at least two devices,"
                f" {cuda.device} and cpu! {tuple(away[0].shape)} {away[0].dtype} is on the processor"
            )
        made_for_device = not tensors and (cuda.given[-1] if cuda.given else False)
        if torch.Tag.nondeterministic_seeded in func.tags and here:
            result = self._drawn(func, args, kwargs)
        else:
            result = func(*args, **kwargs)
        return cuda.put(result) if here or made_for_device else result

    def _drawn(self, func: Any, args: Any, kwargs: Any) -> Any:
        outer, own = torch.get_rng_state(), self._cuda.generators[0]
        torch.set_rng_state(own.get_state())
        result = func(*args, **kwargs)
        own.set_state(torch.get_rng_state())
        torch.set_rng_state(outer)
        return result


@contextlib.contextmanager
def pretended_cuda(monkeypatch: pytest.MonkeyPatch) -> Iterator[PretendedCuda]:
    """A pretended GPU in the block."""
    cuda = PretendedCuda(torch.device("cuda", 0))

    def waited(device: object = None) -> None:
        cuda.waits += 1

    def generator(device: Any) -> torch.Generator:
        return cuda.generators[torch.device(device).index or 0]

    fakes = {
        "is_available": lambda: True,
        "device_count": lambda: 2,
        "synchronize": waited,
        "empty_cache": lambda: None,
        "mem_get_info": lambda device: (cuda.free, 100 * GIGABYTE),
        "memory_reserved": lambda device: 0,
        "memory_allocated": lambda device: 0,
        "is_bf16_supported": lambda including_emulation=True: False,
        "get_device_properties": lambda device: SimpleNamespace(name=NAME, major=9, minor=0),
        "default_generators": cuda.generators,
        "get_rng_state": lambda device: generator(device).get_state(),
        "set_rng_state": lambda state, device: generator(device).set_state(state),
    }
    with monkeypatch.context() as patch:
        for name, fake in fakes.items():
            patch.setattr(torch.cuda, name, fake)
        with _Operations(cuda), _Functions(cuda):
            yield cuda


@contextlib.contextmanager
def pretended_mps(monkeypatch: pytest.MonkeyPatch) -> Iterator[PretendedCuda]:
    """A pretended Mac in the block."""
    mps = PretendedCuda(torch.device("mps"))
    fakes = {
        "synchronize": lambda: None,
        "empty_cache": lambda: None,
        "manual_seed": mps.generators[0].manual_seed,
        "get_rng_state": mps.generators[0].get_state,
        "set_rng_state": mps.generators[0].set_state,
    }
    with monkeypatch.context() as patch:
        patch.setattr(torch.backends.mps, "is_available", lambda: True)
        for name, fake in fakes.items():
            patch.setattr(torch.mps, name, fake)
        with _Operations(mps), _Functions(mps):
            yield mps


def _tensors(value: Any) -> list[torch.Tensor]:
    return [leaf for leaf in tree_leaves(value) if isinstance(leaf, torch.Tensor)]


def _home(tensor: torch.Tensor) -> torch.Tensor:
    """A copy on the processor; torch's own copy of what is on the device would be known to be there too."""
    return torch.from_numpy(tensor.detach().numpy().copy(order="K"))
