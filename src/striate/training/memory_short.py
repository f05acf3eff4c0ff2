"""When memory runs out: how that is recognised, whatever says it."""

from __future__ import annotations

import torch

__all__ = ["out_of_memory"]

#: What torch says on the processor and on MPS, and what libraries of CUDA say, where it raises no class of its own.
_SAID = (
    "can't allocate memory",
    "not enough memory",
    "DefaultCPUAllocator",
    "could not allocate",
    "out of memory",
    "ALLOC_FAILED",
)


def out_of_memory(error: BaseException) -> bool:
    """Whether an exception says that memory ran out.

    >>> out_of_memory(RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory"))
    True
    >>> out_of_memory(RuntimeError("mat1 and mat2 shapes cannot be multiplied")), out_of_memory(MemoryError())
    (False, True)
    """
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(text in str(error) for text in _SAID)
