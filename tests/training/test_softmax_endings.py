"""A softmax or sigmoid at the end is left out while training, and applied when predicting."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.torch import load_file

from striate.graph import Graph, Node, network
from striate.graph.layers.activation import ReLU, Sigmoid, Softmax
from striate.training.network import logits_graph
from training.samples import make_dataset, quick_run

PLAIN = "conv 4 3 > relu > flatten > dense classes"


@pytest.mark.parametrize(("task", "ending"), [("classes", "softmax"), ("tags", "sigmoid")])
def test_the_network_trains_the_same_as_without(tmp_path: Path, task: str, ending: str) -> None:
    dataset = make_dataset(task)  # type: ignore[arg-type]
    notes: list[object] = []
    with_ending = quick_run(tmp_path, dataset, f"{PLAIN} > {ending}", listen=notes.append)
    without = quick_run(tmp_path, dataset, PLAIN)
    ours, theirs = (load_file(run.folder.best_weights) for run in (with_ending, without))
    assert ours.keys() == theirs.keys()
    assert all((ours[name] == theirs[name]).all() for name in ours)
    assert with_ending.folder.evaluation("test") == without.folder.evaluation("test")
    assert any(f"{ending} at the end is left out while training" in str(note) for note in notes)
    # What the user wrote is what is stored.
    assert isinstance(with_ending.graph.nodes[-1].layer, Softmax | Sigmoid)


def test_predictions_are_probabilities_that_sum_to_1(tmp_path: Path) -> None:
    dataset = make_dataset()
    run = quick_run(tmp_path, dataset, f"{PLAIN} > softmax")
    path = tmp_path / "image.png"
    Image.fromarray(dataset.train.images[0, 0]).save(path)
    (prediction,) = run.predict([path])
    values = [value for _, value in prediction.top]
    assert sum(values) == pytest.approx(1, abs=1e-6)
    expected = np.exp(run.outputs(dataset.train.images[:1])[0].double().numpy())
    np.testing.assert_allclose(values, sorted(expected / expected.sum(), reverse=True), rtol=1e-5)


def test_only_the_ending_that_the_loss_has_is_left_out() -> None:
    start = network("n", (1, 4, 4)).flatten().dense(3)
    softmax, sigmoid = start.softmax().build(), start.sigmoid().build()
    assert logits_graph(softmax, "classes").output_shape == (3,)
    assert len(logits_graph(softmax, "classes")) == len(softmax) - 1
    assert len(logits_graph(sigmoid, "tags")) == len(sigmoid) - 1
    for graph, task in ((softmax, "tags"), (softmax, "values"), (sigmoid, "classes"), (sigmoid, "values")):
        assert logits_graph(graph, task) is graph  # type: ignore[arg-type]


def test_a_softmax_that_something_else_reads_stays() -> None:
    nodes = network("n", (1, 4, 4)).flatten().dense(3).softmax().build().nodes
    graph = Graph("n", (*nodes, Node("after", ReLU(), (nodes[-1].name,))), outputs=(nodes[-1].name,))
    assert logits_graph(graph, "classes") is graph


def test_a_softmax_inside_stays() -> None:
    graph = network("n", (1, 4, 4)).flatten().dense(3).softmax().dense(3).build()
    assert logits_graph(graph, "classes") is graph
