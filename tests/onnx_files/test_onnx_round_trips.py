"""Networks of the zoo, exported by PyTorch and read back: the same parameters, shapes, MACs and receptive fields."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import onnx
import pytest
import torch

from striate import zoo
from striate.analysis import inspect
from striate.analysis.report import NodeReport
from striate.backend import build_module
from striate.graph import Graph
from striate.sources.onnx import ImportedOnnx, read_onnx
from striate.units import Shape

SMALL = (3, 64, 64)
NETWORKS: list[tuple[str, Shape]] = [
    ("convnext_tiny", (3, 32, 32)),
    ("dcgan_generator", (100, 1, 1)),
    ("densenet121", (3, 32, 32)),
    ("efficientnet_b0", SMALL),
    ("espcn", (1, 16, 16)),
    ("googlenet", SMALL),
    ("lenet-5", (1, 32, 32)),
    ("mobilenet_v3_small", SMALL),
    ("resnet18", (3, 48, 80)),
    ("shufflenet_v1", SMALL),
    ("shufflenet_v2_x0_5", SMALL),
    ("squeezenet1_1", SMALL),
    ("unet_same", (1, 32, 32)),
    ("mobilenet_v1", SMALL),
    ("nin", (3, 39, 39)),
    ("simple-cnn", (3, 32, 32)),
    ("srcnn", (1, 32, 32)),
]


def exported(graph: Graph, path: Path, *, dynamo: bool, **options: Any) -> Path:
    """The network's module, written by one of PyTorch's two exporters, with its batch normalisation as it is."""
    module = build_module(graph).eval()
    images = torch.zeros(2, *graph.input_shape)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if dynamo:
            program = torch.onnx.export(module, (images,), dynamo=True, optimize=False, verbose=False, **options)
            assert program is not None
            onnx.save(program.model_proto, path)
        else:
            stream = io.BytesIO()
            # Asked for evaluation this exporter folds batch normalisation; told to keep the modes it does not.
            kept = torch.onnx.TrainingMode.PRESERVE
            torch.onnx.export(module, (images,), stream, dynamo=False, training=kept, **options)
            path.write_bytes(stream.getvalue())
    return path


def counted(graph: Graph) -> tuple[dict[str, Shape], dict[str, Shape], dict[str, int]]:
    """Parameters and buffers by name, and the MACs of each node that has parameters.

    A dense layer at each position is exported as a 1×1 convolution: the ones are left out.
    """
    parameters = {name: p.shape[:2] if p.shape[2:] == (1, 1) else p.shape for name, p in graph.parameters()}
    buffers = {f"{node.name}.{b.name}": b.shape for node in graph.nodes for b in graph.own_buffers(node)}
    macs = {
        node.name: node.layer.macs(graph.input_shapes(node), graph.shapes[node.name])
        for node in graph.nodes
        if graph.own_parameters(node)
    }
    return parameters, buffers, macs


def fields(graph: Graph, names: set[str]) -> dict[str, Any]:
    def told(node: NodeReport) -> Any:
        return node.shape, [(axis.size, axis.jump, axis.kind) for axis in node.field]

    return {node.name: told(node) for node in inspect(graph).nodes if node.name in names}


def assert_same(ours: Graph, found: ImportedOnnx) -> None:
    theirs = found.graph
    assert not [node.layer for node in theirs.nodes if node.layer.kind == "opaque"]
    assert counted(theirs) == counted(ours)
    names = {name.rpartition(".")[0] for name, _ in ours.parameters()}
    assert fields(theirs, names) == fields(ours, names)
    assert [theirs.shapes[name] for name in theirs.outputs] == [ours.shapes[name] for name in ours.outputs]
    report, expected = inspect(theirs), inspect(ours)
    assert (report.parameters, report.macs) == (expected.parameters, expected.macs)


@pytest.mark.parametrize(("name", "size"), NETWORKS)
def test_torchscript_exporter(name: str, size: Shape, tmp_path: Path) -> None:
    graph = zoo.build(name, input=size)
    assert_same(graph, read_onnx(exported(graph, tmp_path / "net.onnx", dynamo=False)))


@pytest.mark.parametrize(
    ("name", "size"), [("simple-cnn", (3, 32, 32)), ("squeezenet1_1", (3, 32, 32)), ("espcn", (1, 16, 16))]
)
def test_dynamo_exporter(name: str, size: Shape, tmp_path: Path) -> None:
    graph = zoo.build(name, input=size)
    assert_same(graph, read_onnx(exported(graph, tmp_path / "net.onnx", dynamo=True)))


@pytest.mark.parametrize("opset", [11, 13, 18])
def test_opsets(opset: int, tmp_path: Path) -> None:
    graph = zoo.build("mobilenet_v3_small", input=(3, 32, 32))
    found = read_onnx(exported(graph, tmp_path / "net.onnx", dynamo=False, opset_version=opset))
    assert found.opset == opset
    assert_same(graph, found)


def test_an_open_batch(tmp_path: Path) -> None:
    graph = zoo.build("shufflenet_v2_x0_5", input=(3, 32, 32))
    axes = {"input": {0: "batch"}, "output": {0: "batch"}}
    options = {"input_names": ["input"], "output_names": ["output"], "dynamic_axes": axes}
    assert_same(graph, read_onnx(exported(graph, tmp_path / "net.onnx", dynamo=False, **options)))


def test_open_sizes_need_an_input(tmp_path: Path) -> None:
    graph = zoo.build("resnet18", input=(3, 64, 64))
    axes = {"input": {0: "batch", 2: "height", 3: "width"}}
    options = {"input_names": ["input"], "output_names": ["output"], "dynamic_axes": axes}
    path = exported(graph, tmp_path / "net.onnx", dynamo=False, **options)
    assert_same(graph.with_input((3, 48, 96)), read_onnx(path, input=(3, 48, 96)))


def test_another_input_than_the_exported_one(tmp_path: Path) -> None:
    graph = zoo.build("resnet18", input=(3, 64, 64))
    path = exported(graph, tmp_path / "net.onnx", dynamo=False)
    assert_same(graph.with_input((3, 96, 32)), read_onnx(path, input=(3, 96, 32)))


def test_batch_normalisation_that_was_folded_is_gone(tmp_path: Path) -> None:
    # The exporter multiplies it into the convolution before it, whose bias is all that is left of it.
    graph = zoo.build("resnet18", input=(3, 32, 32))
    module = build_module(graph).eval()
    # Zeros and ones would be left out.
    vectors = [entry for entry in module.state_dict().values() if entry.dim() == 1]
    for place, vector in enumerate(vectors):
        vector.add_(torch.rand(vector.shape, generator=torch.Generator().manual_seed(place)))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(module, (torch.zeros(2, *graph.input_shape),), dynamo=True, verbose=False)
    assert program is not None
    onnx.save(program.model_proto, tmp_path / "net.onnx")
    found = read_onnx(tmp_path / "net.onnx").graph
    assert not [node for node in found.nodes if node.layer.kind == "batchnorm"]
    scales = sum(p.count for name, p in graph.parameters() if p.role == "scale")
    assert found.parameter_count == graph.parameter_count - scales
    assert inspect(found).macs == inspect(graph).macs
