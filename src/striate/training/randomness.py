"""Randomness of our own: generators by key, and the caller's torch left as it was."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator

import torch

from striate.training.devices import CPU
from striate.training.kernels import kernels_as

__all__ = ["forked", "isolated", "random_states", "seed_of", "seed_torch", "seeded", "set_random_states"]


def seed_of(seed: int, epoch: int, purpose: str) -> int:
    """The seed of one use: the first four bytes, little-endian, of the sha256 of ``seed/epoch/purpose``.

    More would be in vain: torch's generator takes the lower 32 bits alone.

    >>> seed_of(0, 1, "order") == seed_of(0, 1, "order") != seed_of(0, 2, "order")
    True
    """
    return int.from_bytes(hashlib.sha256(f"{seed}/{epoch}/{purpose}".encode()).digest()[:4], "little")


def seeded(seed: int, epoch: int, purpose: str) -> torch.Generator:
    """A generator of its own; the global one is not touched. It draws on the processor, whatever the device.

    >>> torch.equal(torch.rand(3, generator=seeded(1, 2, "order")), torch.rand(3, generator=seeded(1, 2, "order")))
    True
    """
    return torch.Generator().manual_seed(seed_of(seed, epoch, purpose))


def seed_torch(seed: int, device: torch.device) -> None:
    """Seed torch's own generators, of the processor and of a device; layers such as dropout draw from the latter."""
    torch.default_generator.manual_seed(seed)
    if device.type == "cuda":
        torch.cuda.default_generators[device.index or 0].manual_seed(seed)
    elif device.type == "mps":
        torch.mps.manual_seed(seed)


def random_states(device: torch.device) -> dict[str, torch.Tensor]:
    """The states of torch's own generators by the kind of their device: ``cpu``, and that of the device."""
    states = {"cpu": torch.get_rng_state()}
    if device.type == "cuda":
        states["cuda"] = torch.cuda.get_rng_state(device)
    elif device.type == "mps":
        states["mps"] = torch.mps.get_rng_state()
    return states


def set_random_states(states: dict[str, torch.Tensor], device: torch.device) -> None:
    """Put back what :func:`random_states` gave.

    Raises:
        RuntimeError, KeyError: they are no states of these generators.
    """
    torch.set_rng_state(states["cpu"])
    if device.type == "cuda":
        torch.cuda.set_rng_state(states["cuda"], device)
    elif device.type == "mps":
        torch.mps.set_rng_state(states["mps"])


@contextlib.contextmanager
def forked(device: torch.device) -> Iterator[None]:
    """Whatever is drawn in the block, torch's own generators stand where they stood."""
    states = random_states(device)
    try:
        yield
    finally:
        set_random_states(states, device)


@contextlib.contextmanager
def isolated(threads: int, device: torch.device = CPU, *, deterministic: bool = False) -> Iterator[None]:
    """Compute with gradients, so many threads and arithmetic of our own, whatever torch is set to outside.

    Afterwards torch's random state, threads and settings are those of the caller again.

    Args:
        threads: of the processor.
        device: where is computed, beside the processor.
        deterministic: see :func:`striate.training.kernels.kernels_as`.
    """
    before = torch.get_num_threads()
    try:
        torch.set_num_threads(threads)
        kernels = kernels_as(device, deterministic=deterministic)
        with forked(device), torch.inference_mode(False), torch.enable_grad(), _on_cpu(), kernels:
            yield
    finally:
        torch.set_num_threads(before)


def _on_cpu() -> contextlib.AbstractContextManager[object]:
    """The processor as default device, where it is another: as a context it slows down every call of torch."""
    return contextlib.nullcontext() if torch.get_default_device().type == "cpu" else torch.device("cpu")
