"""Networks and images brought together: who decides about sizes and classes, and what cannot be brought together."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from striate.errors import DataError, NetworkError, StriateError, UsageError
from striate.graph import Graph, network
from striate.graph.graph import Node
from striate.graph.layers.input import Input
from striate.sources import load
from striate.training import make_recipe
from striate.training.fitting import fit_network
from striate.training.network import check_fits
from training.samples import make_dataset, quick_run, save_npz

YAML_NET = """
name: mine
input: [1, 12, 9]
layers:
  - conv: {filters: 4, kernel: 3}
  - relu
  - globalavgpool
  - dense: CLASSES
"""


def fit(net: object, data: object, **options: object) -> tuple[Graph, object]:
    return fit_network(net, data, make_recipe(options))  # type: ignore[arg-type]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Colour photographs of 20×16 pixels in three classes."""
    for number, name in enumerate(("cat", "dog", "eel")):
        (tmp_path / "photos" / name).mkdir(parents=True)
        for index in range(6):
            pixels = np.random.default_rng(10 * number + index).integers(0, 256, (20, 16, 3)).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "photos" / name / f"{index}.png")
    return tmp_path / "photos"


def refused(error: type[StriateError], net: object, data: object, **options: object) -> str:
    def bring_together() -> None:
        graph, dataset = fit(net, data, **options)
        check_fits(graph, dataset)  # type: ignore[arg-type]

    with pytest.raises(error) as raised:
        bring_together()
    return str(raised.value)


def test_a_zoo_network_is_built_for_the_images(folder: Path) -> None:
    graph, dataset = fit("simple-cnn", folder)
    assert graph.input_shape == dataset.shape == (3, 20, 16)  # type: ignore[attr-defined]
    assert graph.output_shape == (3,)
    assert fit("Simple_CNN", folder, size="24x32", channels=1)[0].input_shape == (1, 24, 32)


def test_a_folder_called_like_a_zoo_network_does_not_matter(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder.parent / "simple-cnn").mkdir()
    monkeypatch.chdir(folder.parent)
    assert fit("simple-cnn", folder)[0].input_shape == (3, 20, 16)


def test_a_written_network_keeps_its_input_and_the_images_are_brought_to_it(folder: Path) -> None:
    path = folder.parent / "mine.yaml"
    path.write_text(YAML_NET.replace("CLASSES", "3"))
    graph, dataset = fit(path, folder)
    assert graph.input_shape == dataset.shape == (1, 12, 9)  # type: ignore[attr-defined]
    # and that is said
    assert any("12" in finding.message for finding in dataset.findings)  # type: ignore[attr-defined]


def test_open_classes_are_those_of_the_data(folder: Path) -> None:
    path = folder.parent / "mine.yaml"
    path.write_text(YAML_NET.replace("CLASSES", "classes"))
    graph, dataset = fit(str(path), folder)
    assert graph.output_shape == (3,)
    assert graph.classes == 3
    assert dataset.shape == (1, 12, 9)  # type: ignore[attr-defined]


def test_inline_text_takes_input_and_classes_from_the_data(folder: Path) -> None:
    graph, _ = fit("conv 4 3 > relu > flatten > dense classes", folder)
    assert (graph.input_shape, graph.output_shape) == ((3, 20, 16), (3,))
    graph, _ = fit("conv 4 3 > relu > flatten > dense 3", folder, size="8")
    assert (graph.input_shape, graph.output_shape) == ((3, 8, 8), (3,))


def test_a_graph_is_taken_as_it_is(folder: Path) -> None:
    given = network("mine", (3, 10, 10)).flatten().dense(3).build()
    graph, dataset = fit(given, folder)
    assert graph is given
    assert dataset.shape == (3, 10, 10)  # type: ignore[attr-defined]


def test_images_in_memory_are_taken_as_they_are() -> None:
    dataset = make_dataset()
    graph, same = fit("simple-cnn", dataset)
    assert same is dataset
    assert (graph.input_shape, graph.output_shape) == ((1, 6, 6), (3,))


@pytest.mark.parametrize(
    "options",
    [{"val": 0.1}, {"test": 0.0}, {"size": "8"}, {"channels": 1}, {"fit": "crop"}, {"broken": "error"}],
)
def test_options_on_reading_have_no_effect_on_images_in_memory(options: dict[str, object]) -> None:
    (name,) = options
    text = refused(UsageError, "simple-cnn", make_dataset(), **options)
    assert f"{name} has no effect on images that are already loaded" in text
    assert f"write: no {name}" in text


def test_the_other_number_of_classes_is_told(folder: Path) -> None:
    text = refused(NetworkError, network("mine", (3, 8, 8), 10).flatten().dense(10).build(), folder)
    assert "the network's outputs do not match the classes of the data" in text
    assert "got:   10 out, 3 classes (cat, dog, eel)" in text
    assert "write: classes: 3" in text
    text = refused(NetworkError, "input 3x8x8 > flatten > dense 4", folder)
    assert "write: dense: classes" in text


def test_outputs_that_are_maps_are_told(folder: Path) -> None:
    text = refused(NetworkError, "input 3x8x8 > conv 3 3", folder)
    assert "got:   3×6×6 out, 3 classes" in text
    assert "needs: a vector of 3" in text


def test_another_size_of_images_in_memory_is_told() -> None:
    text = refused(NetworkError, network("mine", (1, 8, 8)).flatten().dense(3).build(), make_dataset())
    assert "got:   input 1×8×8, images 1×6×6" in text
    assert "write: input: [1, 6, 6]" in text


def test_options_against_the_written_input_are_told(folder: Path) -> None:
    text = refused(NetworkError, network("mine", (1, 8, 8)).flatten().dense(3).build(), folder, channels=3)
    assert "got:   input 1×8×8, images 3×8×8" in text


@pytest.mark.parametrize("shape", [(3, 8), (4, 8, 8), (3, 8, 8, 8)])
def test_a_network_that_does_not_take_images(folder: Path, shape: tuple[int, ...]) -> None:
    graph = network("odd", shape).flatten().dense(3).build()
    text = refused(NetworkError, graph, folder)
    assert "this network does not take images" in text
    assert "needs: one input of 1 or 3 channels, height and width" in text


def test_several_inputs_or_outputs_are_refused(folder: Path) -> None:
    one = network("one", (1, 6, 6), 3).flatten().dense(3, name="a").build()
    two = Graph("two", (*one.nodes, Node("b", one["a"].layer, (one["a"].inputs[0],))), ("a", "b"))
    assert "one input and one output" in refused(NetworkError, two, make_dataset())
    entry = Graph("entry", (*one.nodes, Node("second", Input((1, 6, 6)))), ("a",))
    assert "one input and one output" in refused(NetworkError, entry, make_dataset())
    assert "this network does not take images" in refused(NetworkError, entry, folder)


def test_a_network_without_weights_is_refused(tmp_path: Path) -> None:
    graph = Graph("none", network("n", (3, 6, 6)).globalavgpool().build().nodes)
    text = refused(NetworkError, graph, make_dataset(shape=(3, 6, 6)))
    assert "this network has nothing to train" in text


def test_a_zoo_network_too_large_for_the_images_is_told() -> None:
    text = refused(NetworkError, "lenet-5", make_dataset())
    assert "lenet-5" in text


@pytest.mark.parametrize("net", ["digits", "table.csv", "images.NPZ", "photos"])
def test_data_in_the_place_of_the_network_are_recognised(
    folder: Path, monkeypatch: pytest.MonkeyPatch, net: str
) -> None:
    monkeypatch.chdir(folder.parent)
    text = refused(UsageError, net, "digits")
    assert "these are images, and a network is asked for here" in text
    assert f"write: striate train --data {net}" in text


def test_a_network_may_be_long(tmp_path: Path) -> None:
    assert len(fit(" > ".join(["conv 2 3 same > relu"] * 300) + " > flatten > dense classes", make_dataset())[0]) > 600


def test_a_run_is_a_network_too(tmp_path: Path) -> None:
    run = quick_run(tmp_path, epochs=1)
    graph, _ = fit(str(run.folder.path), make_dataset())
    assert graph == run.graph


@pytest.mark.parametrize(("net", "error"), [("simple-cn", NetworkError), ("conv 4 3 > den 3", NetworkError)])
def test_what_is_no_network_is_told(net: str, error: type[StriateError]) -> None:
    refused(error, net, make_dataset())


def test_what_is_no_data_is_told() -> None:
    refused(DataError, "simple-cnn", "digist")


def test_nothing_is_written_when_they_do_not_fit(tmp_path: Path) -> None:
    for net, data in (("flatten > dense 4", make_dataset()), ("simple-cn", "digits"), ("simple-cnn", "digist")):
        with pytest.raises(StriateError):
            quick_run(tmp_path / "runs", data, net)
    assert not (tmp_path / "runs").exists()


def test_the_name_of_a_run_is_that_of_its_data_and_network(tmp_path: Path) -> None:
    path = save_npz(tmp_path / "my images.v2.npz")
    run = quick_run(tmp_path / "runs", path, load("input 1x6x6 > flatten > dense 3"), epochs=1)
    assert run.folder.name == "my-images-inline-1"
