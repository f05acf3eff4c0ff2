"""Small ONNX files written with onnx.helper, and what onnx.reference computes of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from onnx.reference import ReferenceEvaluator

from striate.backend import build_module
from striate.graph import Graph
from striate.sources.onnx import read_onnx

__all__ = ["agree", "imported", "make_model", "node", "random", "save", "weights_in"]

Array = NDArray[Any]


def random(*sizes: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(sizes).astype(np.float32)


def node(op: str, inputs: Sequence[str], outputs: Sequence[str], **attributes: Any) -> onnx.NodeProto:
    return helper.make_node(op, list(inputs), list(outputs), **attributes)


def make_model(
    nodes: Sequence[onnx.NodeProto],
    input: Sequence[int | str | None],
    tensors: Mapping[str, Array] | None = None,
    *,
    opset: int = 17,
    outputs: Sequence[str] = ("y",),
    functions: Sequence[onnx.FunctionProto] = (),
) -> onnx.ModelProto:
    """A model with the input ``x`` and the outputs, whose shapes are not stated."""
    graph = helper.make_graph(
        list(nodes),
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, list(input))],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs],
        [numpy_helper.from_array(array, name) for name, array in (tensors or {}).items()],
    )
    domains = {function.domain for function in functions}
    imports = [helper.make_opsetid("", opset), *(helper.make_opsetid(domain, 1) for domain in domains)]
    return helper.make_model(graph, opset_imports=imports, functions=list(functions), ir_version=8)


def save(model: onnx.ModelProto, folder: Path, name: str = "net.onnx") -> Path:
    path = folder / name
    path.write_bytes(model.SerializeToString())
    return path


def imported(model: onnx.ModelProto, folder: Path, **options: Any) -> Graph:
    return read_onnx(save(model, folder), **options).graph


def agree(model: onnx.ModelProto, folder: Path, image: Array) -> Graph:
    """Import a model, and check shape by shape and number by number against ONNX's own reference.

    Its tensors must be called ``<node>.weight`` and so on, as the imported network calls them.
    """
    graph = imported(model, folder)
    expected = ReferenceEvaluator(model).run(None, {"x": image})
    assert [graph.shapes[name] for name in graph.outputs] == [tuple(array.shape[1:]) for array in expected]
    if any(entry.layer.kind == "opaque" for entry in graph.nodes):
        return graph
    module = build_module(graph, seed=None).eval()
    missing, unexpected = module.load_state_dict(weights_in(model, graph), strict=False)
    assert not unexpected
    assert not [name for name in missing if not name.endswith("num_batches_tracked")]
    with torch.inference_mode():
        found = module(torch.from_numpy(image))
    found = found if isinstance(found, tuple) else (found,)
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours.numpy(), theirs, rtol=1e-4, atol=1e-5)
    return graph


def weights_in(model: onnx.ModelProto, graph: Graph) -> dict[str, torch.Tensor]:
    """The stored tensors that are the network's, as PyTorch stores them."""
    shapes = {name: parameter.shape for name, parameter in graph.parameters()}
    for entry in graph.nodes:
        shapes.update({f"{entry.name}.{buffer.name}": buffer.shape for buffer in graph.own_buffers(entry)})
    found = {}
    for tensor in model.graph.initializer:
        if tensor.name in shapes:
            # Copied: PyTorch warns of arrays that it may not write to.
            array = np.array(numpy_helper.to_array(tensor))
            # A matrix that is applied from the right stands transposed; a slope stands as wide as its map.
            turned = array.T if array.ndim == 2 and array.shape != shapes[tensor.name] else array
            found[tensor.name] = torch.from_numpy(turned.reshape(shapes[tensor.name]).copy())
    return found
