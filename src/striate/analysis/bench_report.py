"""How fast a network is trained on a machine, beside its exact cost: the numbers of ``striate bench``."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from typing import Any

__all__ = ["BenchReport", "BenchRow"]


@dataclass(frozen=True)
class BenchRow:
    """One setting.

    Args:
        name: in words.
        precision: ``fp32`` or ``bf16``.
        layout: ``channels-last`` or ``contiguous``.
        pooling_first, fused_pooling, compiled: whether.
        seconds: of each timed step (forward, backward, no update).
        images: in a step.
        flops: of a step, twice its multiply-adds.
        peak: floating-point operations a second of a matrix product in that precision.
        difference: of the outputs from those of the first setting, relative; None for that one.
        cosine: between the gradients; likewise.
        reason: why it cannot be used; empty where it can.
    """

    name: str
    precision: str
    layout: str
    pooling_first: bool
    fused_pooling: bool
    compiled: bool
    seconds: tuple[float, ...]
    images: int
    flops: int
    peak: float
    difference: float | None
    cosine: float | None
    reason: str

    @property
    def median(self) -> float | None:
        """Seconds of the step in the middle; None where none was timed."""
        return statistics.median(self.seconds) if self.seconds else None

    @property
    def images_per_second(self) -> float | None:
        """By the median."""
        return self.images / self.median if self.median else None

    @property
    def flops_per_second(self) -> float | None:
        """By the median; what is not a multiply-add takes time and is not counted."""
        return self.flops / self.median if self.median else None

    @property
    def share_of_peak(self) -> float | None:
        """0..1, or more where a kernel beats the product of two square matrices."""
        return self.flops_per_second / self.peak if self.flops_per_second else None

    def as_dict(self) -> dict[str, Any]:
        """The row as JSON-ready data."""
        return {
            "setting": self.name,
            "precision": self.precision,
            "layout": self.layout,
            "pooling_first": self.pooling_first,
            "fused_pooling": self.fused_pooling,
            "compiled": self.compiled,
            "step_seconds": {
                "median": self.median,
                "fastest": min(self.seconds, default=None),
                "slowest": max(self.seconds, default=None),
                "all": self.seconds,
            },
            "images_per_second": self.images_per_second,
            "flops_per_second": self.flops_per_second,
            "share_of_peak": self.share_of_peak,
            "output_difference": self.difference,
            "gradient_cosine": self.cosine,
            "reason": self.reason or None,
        }


@dataclass(frozen=True)
class BenchReport:
    """What was measured.

    Args:
        network: its name.
        input: shape of one image.
        batch: images in a step.
        threads: processor threads.
        machine: the processor, or the GPU.
        macs: multiply-adds of a step for one image, forward and backward.
        uncounted: layers whose multiply-adds are in no total, as no rule describes them.
        peaks: floating-point operations a second of a matrix product, by precision.
        rows: one for each setting; the first is what the others are compared with.
        device: what computed, as torch calls it.
    """

    network: str
    input: tuple[int, ...]
    batch: int
    threads: int
    machine: str
    macs: int
    uncounted: tuple[str, ...]
    peaks: dict[str, float]
    rows: tuple[BenchRow, ...]
    device: str = "cpu"

    def as_dict(self) -> dict[str, Any]:
        """The report as JSON-ready data."""
        return {
            "format": 1,
            "network": self.network,
            "input": self.input,
            "batch": self.batch,
            "threads": self.threads,
            "device": self.device,
            "machine": self.machine,
            "training_macs_per_image": self.macs,
            "uncounted": self.uncounted,
            "peak_flops_per_second": self.peaks,
            "settings": [row.as_dict() for row in self.rows],
        }
