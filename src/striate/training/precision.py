"""The choice of arithmetic: measured on the real network and images, and checked against fp32.

bf16 halves memory traffic and doubles the multiply-adds on processors that have it. Elsewhere it is many times slower,
and some convolution shapes are slow or wrong on some builds (pytorch issues 183815, 163347, 169688), so it is used only
where it is measured to be faster here and its outputs and gradients agree with fp32.
"""

from __future__ import annotations

import copy
import math
import time
from dataclasses import dataclass

import torch
from torch import nn

from striate.training.losses import Loss

__all__ = ["Choice", "Measurement", "choose_precision", "measure"]

#: A step in bf16 must take less than this share of a step in fp32.
WORTH = 0.9
#: Largest relative difference of the outputs, and smallest cosine between the gradients, that still count as equal.
OUTPUT_TOLERANCE = 0.05
GRADIENT_COSINE = 0.99
#: Multiply-adds of a whole training below which measuring costs more than it can save (about ten seconds of work).
SHORT = 3e11
#: Timed steps of each arithmetic; the fastest counts, since everything else on a machine only slows down.
STEPS = 4
#: A step in bf16 that takes so many times as long is emulated, and not worth a second look.
HOPELESS = 3.0


@dataclass(frozen=True)
class Choice:
    """The arithmetic chosen, and why, in one sentence."""

    dtype: torch.dtype
    reason: str

    @property
    def name(self) -> str:
        """``fp32`` or ``bf16``."""
        return "bf16" if self.dtype == torch.bfloat16 else "fp32"


@dataclass(frozen=True)
class Measurement:
    """One arithmetic on one batch.

    Args:
        outputs: of the network in eval mode, since dropout would hide a difference; float32.
        gradient: of the loss by all parameters, in eval mode too; one vector, float32.
        seconds: of a forward and backward pass in training mode.
    """

    outputs: torch.Tensor
    gradient: torch.Tensor
    seconds: float


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
    if not _may_have_bf16():
        return Choice(torch.float32, "this processor has no bf16")
    plain = measure(module, batch, labels, loss, torch.float32)
    try:
        half = measure(module, batch, labels, loss, torch.bfloat16, hopeless=HOPELESS * plain.seconds)
    except (RuntimeError, NotImplementedError) as error:
        return Choice(torch.float32, f"bf16 does not work here: {str(error).splitlines()[0]}")
    return _judge(plain, half)


def _judge(plain: Measurement, half: Measurement) -> Choice:
    """bf16 where it agrees and pays."""
    difference = float((half.outputs - plain.outputs).norm() / plain.outputs.norm().clamp_min(1e-12))
    cosine = float(torch.nn.functional.cosine_similarity(half.gradient, plain.gradient, dim=0))
    # Written so that NaN disagrees.
    if not (difference < OUTPUT_TOLERANCE and cosine > GRADIENT_COSINE):
        return Choice(
            torch.float32, f"bf16 disagrees with fp32 (outputs {difference:.3f} apart, gradient cosine {cosine:.3f})"
        )
    timings = f"bf16 {half.seconds * 1e3:.1f} ms a step, fp32 {plain.seconds * 1e3:.1f} ms"
    if half.seconds > WORTH * plain.seconds:
        return Choice(torch.float32, f"bf16 is not faster here: {timings}")
    return Choice(torch.bfloat16, f"{timings}; gradient cosine {cosine:.4f}")


def _may_have_bf16() -> bool:
    """False where torch knows that bf16 would be emulated; where it cannot say, the measurement decides.

    The question has no public name in torch, so it may be missing in another build.
    """
    asked = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", None)
    try:
        return asked is None or bool(asked())
    except RuntimeError:
        return True


def measure(
    module: nn.Module,
    batch: torch.Tensor,
    labels: torch.Tensor,
    loss: Loss,
    dtype: torch.dtype,
    hopeless: float = math.inf,
) -> Measurement:
    """Compute and time a few steps on a copy of the module; neither it nor the random state is changed.

    A step longer than ``hopeless`` seconds is the last one.
    """
    copied = copy.deepcopy(module).eval()

    def step() -> torch.Tensor:
        copied.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=dtype == torch.bfloat16):
            outputs: torch.Tensor = copied(batch)
        torch.autograd.backward(loss(outputs.float(), labels))
        return outputs.detach().float()

    with torch.random.fork_rng(devices=[]):
        outputs = step()
        gradient = torch.cat([p.grad.flatten() for p in copied.parameters() if p.grad is not None])
        copied.train()
        step()
        times = []
        for _ in range(STEPS):
            start = time.perf_counter()
            step()
            times.append(time.perf_counter() - start)
            if times[-1] > hopeless:
                break
    return Measurement(outputs, gradient, min(times))
