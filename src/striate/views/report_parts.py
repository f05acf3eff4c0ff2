"""What a report page is made of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from striate.units import Shape

if TYPE_CHECKING:
    from striate.analysis.report import Report
    from striate.findings import Finding
    from striate.runs.records import DataCard, Evaluation, RunRecord

__all__ = ["FeatureMaps", "Mistake", "Picture", "ReportPage"]


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """An image to be shown.

    Args:
        pixels: uint8, ``(height, width)`` for grey or ``(height, width, 3)`` for RGB.
        caption: what stands below it, and is read aloud in its place.

    Raises:
        ValueError: another type or shape.
    """

    pixels: NDArray[np.uint8]
    caption: str

    def __post_init__(self) -> None:
        shape = self.pixels.shape
        if self.pixels.dtype != np.uint8 or len(shape) not in (2, 3) or shape[2:] not in ((), (3,)) or 0 in shape:
            got = f"{self.pixels.dtype} of shape {shape}"
            raise ValueError(f"a picture is uint8 of shape (height, width) or (height, width, 3), got {got}")


@dataclass(frozen=True, slots=True, eq=False)
class Mistake:
    """An image that the network answered wrongly.

    Args:
        picture: the image.
        true: its class.
        predicted: what the network said.
        confidence: of that answer, 0..1.
        id: of the image in its data.
    """

    picture: Picture
    true: str
    predicted: str
    confidence: float
    id: str


@dataclass(frozen=True, slots=True, eq=False)
class FeatureMaps:
    """What one node makes of an image.

    Args:
        node: the node.
        shape: what leaves it, ``(channels, height, width)``.
        maps: some or all of its channels.
    """

    node: str
    shape: Shape
    maps: tuple[Picture, ...]


@dataclass(frozen=True, slots=True, eq=False)
class ReportPage:
    """Everything on a report page; what is empty or None is said to be missing.

    Args:
        record: the run.
        card: its data.
        network: the numbers of its network.
        metrics: the rows of ``metrics.jsonl``.
        evaluations: on any splits; the headline is test, else val.
        mistakes: the worst first.
        filters: kernels of the first convolution.
        filters_node: its name.
        image: the one that the feature maps are of.
        feature_maps: of several nodes, in the network's order.
        findings: about the network, the data and the run.
    """

    record: RunRecord
    card: DataCard
    network: Report
    metrics: tuple[dict[str, Any], ...] = ()
    evaluations: tuple[Evaluation, ...] = ()
    mistakes: tuple[Mistake, ...] = ()
    filters: tuple[Picture, ...] = ()
    filters_node: str | None = None
    image: Picture | None = None
    feature_maps: tuple[FeatureMaps, ...] = ()
    findings: tuple[Finding, ...] = ()
