"""The choice of arithmetic: measured on the real network and images, and checked against fp32.

bf16 halves memory traffic and doubles the multiply-adds on processors that have it. Elsewhere it is many times slower,
and some convolution shapes are slow or wrong on some builds (pytorch issues 183815, 163347, 169688), so it is used only
where it is measured to be faster here and its outputs and gradients agree with fp32.
"""

from __future__ import annotations

import copy
import time
from dataclasses import dataclass

import torch
from torch import nn

from striate.training.losses import Loss

__all__ = ["Choice", "choose_precision"]

#: A step in bf16 must take less than this share of a step in fp32.
WORTH = 0.9
#: Largest relative difference of the outputs, and smallest cosine between the gradients, that still count as equal.
OUTPUT_TOLERANCE = 0.05
GRADIENT_COSINE = 0.99
#: Multiply-adds of a whole training below which measuring costs more than it can save (about ten seconds of work).
SHORT = 3e11


@dataclass(frozen=True)
class Choice:
    """The arithmetic chosen, and why, in one sentence."""

    dtype: torch.dtype
    reason: str


def choose_precision(
    asked: str, module: nn.Module, batch: torch.Tensor, labels: torch.Tensor, loss: Loss, work: float
) -> Choice:
    """fp32 or bf16.

    Args:
        asked: ``auto``, ``fp32`` or ``bf16``.
        module: the network, initialised; it is not changed.
        batch: a training batch as the network sees it.
        labels: of that batch.
        loss: as in training.
        work: multiply-adds of the whole training, forward and backward.
    """
    if asked != "auto":
        return Choice(torch.float32 if asked == "fp32" else torch.bfloat16, "as asked")
    if work < SHORT:
        return Choice(torch.float32, "the training is too short for a measurement to pay")
    capability = torch.backends.cpu.get_cpu_capability()
    if not torch.ops.mkldnn._is_mkldnn_bf16_supported():
        return Choice(torch.float32, f"this processor ({capability}) has no bf16")
    with torch.random.fork_rng(devices=[]):
        plain, plain_time = _measure(module, batch, labels, loss, torch.float32)
        half, half_time = _measure(module, batch, labels, loss, torch.bfloat16)
    timings = f"bf16 {half_time * 1e3:.1f} ms a step, fp32 {plain_time * 1e3:.1f} ms"
    difference = float((half[0] - plain[0]).norm() / plain[0].norm().clamp_min(1e-12))
    cosine = float(torch.nn.functional.cosine_similarity(half[1], plain[1], dim=0))
    if not difference < OUTPUT_TOLERANCE or not cosine > GRADIENT_COSINE:
        return Choice(
            torch.float32, f"bf16 disagrees with fp32 (outputs {difference:.3f} apart, gradient cosine {cosine:.3f})"
        )
    if half_time > WORTH * plain_time:
        return Choice(torch.float32, f"bf16 is not faster here: {timings}")
    return Choice(torch.bfloat16, f"{timings}; gradient cosine {cosine:.4f}")


def _measure(
    module: nn.Module, batch: torch.Tensor, labels: torch.Tensor, loss: Loss, dtype: torch.dtype
) -> tuple[tuple[torch.Tensor, torch.Tensor], float]:
    """Outputs and gradient in eval mode (dropout would hide a difference), and the median time of a training step."""
    copied = copy.deepcopy(module).eval()

    def step() -> torch.Tensor:
        copied.zero_grad(set_to_none=True)
        with torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.bfloat16):
            outputs: torch.Tensor = copied(batch)
        torch.autograd.backward(loss(outputs.float(), labels))
        return outputs.detach().float()

    outputs = step()
    gradient = torch.cat([p.grad.flatten() for p in copied.parameters() if p.grad is not None])
    copied.train()
    times = []
    for _ in range(4):
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    return (outputs, gradient), sorted(times)[1]
