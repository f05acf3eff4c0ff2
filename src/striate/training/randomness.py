"""Randomness of our own: generators by key, and the caller's torch left as it was."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator

import torch

__all__ = ["isolated", "seed_of", "seeded"]


def seed_of(seed: int, epoch: int, purpose: str) -> int:
    """The seed of one use: the first four bytes, little-endian, of the sha256 of ``seed/epoch/purpose``.

    More would be in vain: torch's generator takes the lower 32 bits alone.

    >>> seed_of(0, 1, "order") == seed_of(0, 1, "order") != seed_of(0, 2, "order")
    True
    """
    return int.from_bytes(hashlib.sha256(f"{seed}/{epoch}/{purpose}".encode()).digest()[:4], "little")


def seeded(seed: int, epoch: int, purpose: str) -> torch.Generator:
    """A generator of its own; the global one is not touched.

    >>> torch.equal(torch.rand(3, generator=seeded(1, 2, "order")), torch.rand(3, generator=seeded(1, 2, "order")))
    True
    """
    return torch.Generator().manual_seed(seed_of(seed, epoch, purpose))


@contextlib.contextmanager
def isolated(threads: int) -> Iterator[None]:
    """Compute on the processor, with gradients and so many threads, whatever torch is set to outside.

    Afterwards torch's random state, threads and settings are those of the caller again.
    """
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(threads)
        with torch.random.fork_rng(devices=[]), torch.inference_mode(False), torch.enable_grad(), _on_cpu():
            yield
    finally:
        torch.set_num_threads(before)


def _on_cpu() -> contextlib.AbstractContextManager[object]:
    """The processor as default device, where it is another: as a context it slows down every call of torch."""
    return contextlib.nullcontext() if torch.get_default_device().type == "cpu" else torch.device("cpu")
