"""The first layer's filters as pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from striate.graph.layers.convolution import Conv
from striate.views import Picture

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from striate.training import TrainedRun

__all__ = ["first_filters", "signed_picture"]

#: More filters than this say no more to the eye.
MOST = 64


def first_filters(run: TrainedRun) -> tuple[str | None, tuple[Picture, ...]]:
    """The filters of the first two-dimensional convolution.

    Returns:
        Its node's name and one picture a filter; (None, ()) where there is no such layer. Three input channels are
        shown as colours, any other number as the mean over the channels; 0 is mid-grey, and the largest weight of
        the layer is black or white, so that filters can be compared.
    """
    node = next((node for node in run.graph.nodes if isinstance(node.layer, Conv)), None)
    if node is None:
        return None, ()
    weight = run.module.get_parameter(f"{node.name}.weight").detach().numpy()
    if weight.ndim != 4:
        return None, ()
    largest = float(np.abs(weight).max()) or 1.0
    pictures = []
    for number, kernel in enumerate(weight[:MOST], 1):
        shown = kernel.transpose(1, 2, 0) if kernel.shape[0] == 3 else kernel.mean(axis=0)
        pictures.append(Picture(signed_picture(shown, largest), f"filter {number} of {node.name}"))
    return node.name, tuple(pictures)


def signed_picture(values: NDArray[np.floating], largest: float) -> NDArray[np.uint8]:
    """Numbers in -largest..largest as uint8 grey levels, 0 at 128."""
    levels: NDArray[np.uint8] = np.clip(np.rint(127.5 + 127.5 * values / largest), 0, 255).astype(np.uint8)
    return levels
