"""Feature maps: what each layer makes of one image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from torch import fx

from striate.views import FeatureMaps, Picture

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from striate.training import TrainedRun

__all__ = ["feature_maps", "node_values"]

#: Layers and channels shown on a page.
MOST_NODES, MOST_CHANNELS = 8, 16


def node_values(run: TrainedRun, image: NDArray[np.uint8]) -> dict[str, torch.Tensor]:
    """What leaves every node for one image, in eval mode; the module's weights and hooks are not touched.

    Args:
        run: trained.
        image: uint8 (channels, height, width), in the run's form.

    Returns:
        By node name, without the batch axis. A softmax or sigmoid at the end is not among them: a run stops at its
        logits.

    Raises:
        DataError: when the image has another form.
    """
    recorder = _Recorder(run.module)
    with torch.inference_mode(), torch.autocast("cpu", enabled=False):
        recorder.run(run.inputs(image[None]))
    return recorder.values


class _Recorder(fx.Interpreter):
    """Runs a module node by node and keeps what leaves each."""

    def __init__(self, module: fx.GraphModule) -> None:
        super().__init__(module)
        self.values: dict[str, torch.Tensor] = {}

    def run_node(self, n: fx.Node) -> Any:
        value = super().run_node(n)
        name = n.meta.get("node")
        if name is not None:
            self.values[name] = value[0].detach()
        return value


def feature_maps(run: TrainedRun, image: NDArray[np.uint8]) -> tuple[FeatureMaps, ...]:
    """The maps of the layers that end a stage: activations and poolings with more than one position.

    Each map is scaled on its own: black is its smallest value, white its largest.
    """
    values = node_values(run, image)
    graph = run.graph
    shown = [
        node.name
        for node in graph.nodes
        if node.name in values
        and values[node.name].ndim == 3
        and min(values[node.name].shape[1:]) > 1
        and (node.layer.nonlinearity is not None or "pool" in node.layer.kind)
    ]
    if len(shown) > MOST_NODES:
        picked = np.linspace(0, len(shown) - 1, MOST_NODES).round().astype(int)
        shown = [shown[index] for index in picked]
    result = []
    for name in shown:
        maps = values[name][:MOST_CHANNELS].float().numpy()
        pictures = tuple(Picture(_scaled(one), f"channel {index} of {name}") for index, one in enumerate(maps))
        result.append(FeatureMaps(name, tuple(values[name].shape), pictures))
    return tuple(result)


def _scaled(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    low, high = float(values.min()), float(values.max())
    if high == low:
        return np.zeros(values.shape, np.uint8)
    levels: NDArray[np.uint8] = np.rint(255 * (values - low) / (high - low)).astype(np.uint8)
    return levels
