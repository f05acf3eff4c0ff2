"""Feature maps against torch's own forward hooks."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from striate.errors import DataError
from striate.insight import feature_maps
from striate.insight.activations import MOST_CHANNELS, MOST_NODES, node_values
from striate.training import TrainedRun
from training.samples import make_dataset, quick_run

NETS = {
    "plain": "conv 20 3 same > batchnorm > relu > maxpool 2 > conv 4 3 same > tanh > flatten > dense classes",
    "softmax": "conv 4 3 same > relu > globalavgpool > dense classes > softmax",
    "deep": " > ".join(["conv 2 3 same > relu"] * 11) + " > flatten > dense classes",
}


@pytest.fixture(scope="module", params=NETS)
def run(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> TrainedRun:
    dataset = make_dataset(shape=(3, 6, 6))
    return quick_run(tmp_path_factory.mktemp("maps"), dataset, NETS[request.param], epochs=1)


def image() -> np.ndarray:
    return make_dataset(shape=(3, 6, 6)).test.images[3]  # type: ignore[union-attr]


def hooked(run: TrainedRun) -> dict[str, torch.Tensor]:
    """Every module's output, by hand."""
    seen: dict[str, torch.Tensor] = {}
    hooks = [
        module.register_forward_hook(lambda m, i, output, name=name: seen.update({name: output[0].detach().clone()}))
        for name, module in run.module.named_modules()
        if name
    ]
    form = run.card.preprocessing
    x = torch.from_numpy(image()).float()[None] / 255
    x = (x - torch.tensor(form.mean).view(1, 3, 1, 1)) / torch.tensor(form.std).view(1, 3, 1, 1)
    with torch.no_grad():
        run.module(x)
    for hook in hooks:
        hook.remove()
    return seen


def test_the_values_are_those_of_forward_hooks(run: TrainedRun) -> None:
    values, seen = node_values(run, image()), hooked(run)
    nodes = [node.name for node in run.graph.nodes if node.layer.kind != "softmax"]
    assert list(values) == nodes
    for name, tensor in seen.items():
        torch.testing.assert_close(values[name], tensor, rtol=1e-5, atol=1e-6)
    assert len(seen) == len(values) - 1  # the input is no module
    for name, tensor in values.items():
        assert tuple(tensor.shape) == run.graph.shapes[name]


def test_nothing_is_left_on_the_module(run: TrainedRun) -> None:
    before = {name: tensor.clone() for name, tensor in run.module.state_dict().items()}
    node_values(run, image())
    assert all(torch.equal(before[name], tensor) for name, tensor in run.module.state_dict().items())
    assert not any(module._forward_hooks for module in run.module.modules())
    assert not run.module.training


def test_the_maps_are_the_ends_of_stages_each_scaled_on_its_own(run: TrainedRun) -> None:
    values = node_values(run, image())
    shown = feature_maps(run, image())
    assert 1 <= len(shown) <= MOST_NODES
    order = [node.name for node in run.graph.nodes]
    assert sorted((maps.node for maps in shown), key=order.index) == [maps.node for maps in shown]
    for maps in shown:
        assert run.graph[maps.node].layer.kind in ("relu", "tanh", "maxpool")
        assert maps.shape == run.graph.shapes[maps.node]
        assert len(maps.maps) == min(maps.shape[0], MOST_CHANNELS)
        for channel, picture in enumerate(maps.maps):
            truth = values[maps.node][channel].numpy()
            assert picture.caption == f"channel {channel} of {maps.node}"
            if truth.max() > truth.min():
                assert (picture.pixels.min(), picture.pixels.max()) == (0, 255)
                expected = (truth - truth.min()) / (truth.max() - truth.min()) * 255
                assert np.abs(picture.pixels - expected).max() <= 0.5 + 1e-3
            else:
                assert not picture.pixels.any()


def test_many_layers_are_thinned_out_evenly(tmp_path: Path) -> None:
    run = quick_run(tmp_path, make_dataset(shape=(3, 6, 6)), NETS["deep"], epochs=1)
    assert [maps.node for maps in feature_maps(run, image())] == [f"relu{i}" for i in (1, 2, 4, 5, 7, 8, 10, 11)]


@pytest.mark.parametrize("wrong", [np.zeros((1, 6, 6), np.uint8), np.zeros((3, 5, 6), np.uint8), np.zeros((3, 6, 6))])
def test_an_image_of_another_form_is_refused(run: TrainedRun, wrong: np.ndarray) -> None:
    with pytest.raises(DataError, match="the images do not have the form of the run"):
        node_values(run, wrong)
