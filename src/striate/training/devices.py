"""Devices: which one a training computes on, and what each of them does in its own way.

``auto`` is CUDA where torch can use it, and else the processor. MPS is used only where it is asked for: it has no
float64, and no test of ours has ever run on one.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import torch

from striate.data.memory import available_memory
from striate.errors import RunError, UsageError
from striate.training.processors import processor_name

if TYPE_CHECKING:
    from torch import nn

__all__ = [
    "CPU",
    "cuda_has_bf16",
    "cuda_has_compiler",
    "device_of",
    "find_device",
    "find_device_again",
    "free_memory",
    "machine_name",
    "moved",
    "release_memory",
    "synchronize",
]

CPU = torch.device("cpu")
_NAME = re.compile(r"cuda:(\d{1,3})")


def find_device(asked: str, where: str = "device") -> torch.device:
    """The device behind the name that a recipe asks for.

    Args:
        asked: ``auto``, ``cpu``, ``cuda``, ``cuda:N`` or ``mps``.
        where: what errors call the place it comes from.

    Raises:
        UsageError: torch cannot use it on this machine; says why, and what it can use.

    >>> find_device("cpu")
    device(type='cpu')
    """
    if asked == "auto":
        return torch.device("cuda", 0) if torch.cuda.is_available() else CPU
    if asked == "mps":
        if not torch.backends.mps.is_available():
            raise _absent("there is no MPS device that torch can use here", where, asked, "a Mac with Apple silicon")
        return torch.device("mps")
    if asked == "cpu":
        return CPU
    if asked != "cuda" and not _NAME.fullmatch(asked):
        raise UsageError("this is no device", where=where, got=asked, needs="auto, cpu, cuda, cuda:N or mps")
    if not torch.cuda.is_available():
        needs = "an NVIDIA GPU with its driver, and a torch that is built for CUDA"
        raise _absent("there is no CUDA device that torch can use here", where, asked, needs)
    match = _NAME.fullmatch(asked)
    number, count = 0 if match is None else int(match[1]), torch.cuda.device_count()
    if number >= count:
        last = "" if count == 1 else f" to cuda:{count - 1}"
        raise UsageError(
            f"there is no device {asked}",
            where=where,
            got=f"device: {asked}",
            needs=f"cuda:0{last}, which this machine has",
            write=f"device: cuda:{count - 1}",
        )
    return torch.device("cuda", number)


def find_device_again(resolved: str, where: str) -> torch.device:
    """The device that a run was trained on, so that it goes on there.

    The number of a GPU says nothing about its arithmetic: where this machine has fewer, the first one goes on.

    Args:
        resolved: as ``run.json`` has it.
        where: that file, for errors.

    Raises:
        RunError: this machine has no such device. Another one rounds differently, and resuming is exact.
    """
    try:
        kind = resolved.partition(":")[0]
        number = resolved if _NAME.fullmatch(resolved) and _number(resolved) < torch.cuda.device_count() else kind
        return find_device(number)
    except UsageError as error:
        raise RunError(
            f"this run was trained on {resolved}, and resuming is exact: no other device has the same rounding",
            where=where,
            got=f"{error.problem} (torch {torch.__version__})",
            needs=error.needs or f"a machine with {resolved}",
            write="striate resume on such a machine; striate train --device auto begins a new run here",
        ) from None


def machine_name(device: torch.device) -> str:
    """What computes, as measurements have to be told apart: the processor, or the GPU and what it can do."""
    if device.type == "cpu":
        return processor_name()
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        return f"{properties.name}, compute capability {properties.major}.{properties.minor}"
    return f"{device.type} of {processor_name()}"


def device_of(module: nn.Module) -> torch.device:
    """Where a module's weights are; the processor for one without any."""
    return next((tensor.device for tensor in module.parameters()), CPU)


def free_memory(device: torch.device) -> int:
    """Bytes that can be taken there now. MPS shares its memory with the processor."""
    if device.type != "cuda":
        return available_memory()
    kept = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return torch.cuda.mem_get_info(device)[0] + kept


def release_memory(device: torch.device) -> None:
    """Give back what torch keeps for the next step, so that another division of it fits."""
    if device.type == "cuda":
        torch.cuda.empty_cache()
    elif device.type == "mps":
        torch.mps.empty_cache()


def synchronize(device: torch.device) -> None:
    """Wait until everything asked of the device is done; the processor never lags behind."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()


def moved(tensor: torch.Tensor, device: torch.device) -> torch.Tensor:
    """The tensor on a device: itself where it is there already, else a copy; to CUDA without waiting for it."""
    if device.type == "cuda" and tensor.device.type == "cpu":
        # Only from pinned memory can a copy run beside the computation.
        return tensor.pin_memory().to(device, non_blocking=True)
    return tensor.to(device)


def cuda_has_bf16(device: torch.device) -> bool:
    """Whether the GPU multiplies bf16 itself; elsewhere than on CUDA bf16 is not tried."""
    return device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)


def cuda_has_compiler(device: torch.device) -> bool:
    """Whether torch.compile can make kernels for the GPU, which needs Triton."""
    if device.type != "cuda":
        return False
    from torch.utils._triton import has_triton

    return bool(has_triton())


def _number(name: str) -> int:
    return int(name.partition(":")[2])


def _absent(problem: str, where: str, asked: str, needs: str) -> UsageError:
    return UsageError(
        problem,
        where=where,
        got=f"device: {asked}, and torch {torch.__version__}",
        needs=needs,
        write="device: cpu, or device: auto",
    )
