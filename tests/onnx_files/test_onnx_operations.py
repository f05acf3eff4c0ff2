"""Every operation that becomes a layer computes what ONNX's reference implementation computes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import torch

from onnx_files.onnx_models import agree, imported, make_model, node, random, weights_in
from striate.backend import build_module
from striate.sources.onnx import read_onnx


def ints(*values: int) -> Any:
    return np.array(values, np.int64)


def floats(*values: float) -> Any:
    return np.array(values, np.float32)


CONV = {"c.weight": random(6, 2, 3, 3)}
CONVOLUTIONS = [
    ({"group": 2, "pads": [1, 1, 1, 1]}, 6),
    ({"group": 2, "strides": [2, 1], "pads": [0, 1, 2, 1]}, 6),
    ({"group": 2, "dilations": [2, 2], "auto_pad": "SAME_UPPER"}, 6),
    ({"group": 2, "strides": [2, 2], "auto_pad": "SAME_UPPER"}, 6),
    ({"group": 2, "strides": [2, 3], "auto_pad": "SAME_LOWER"}, 6),
    ({"group": 2, "auto_pad": "VALID"}, 6),
]


@pytest.mark.parametrize(("attributes", "filters"), CONVOLUTIONS)
@pytest.mark.parametrize("bias", [False, True])
def test_conv(tmp_path: Path, attributes: dict[str, Any], filters: int, bias: bool) -> None:
    tensors = {**CONV, **({"c.bias": random(filters)} if bias else {})}
    model = make_model([node("Conv", ["x", *tensors], ["y"], **attributes)], [2, 4, 9, 10], tensors)
    graph = agree(model, tmp_path, random(2, 4, 9, 10, seed=1))
    assert [entry.layer.kind for entry in graph.nodes] == ["input", "conv"]
    assert graph.nodes[1].name == "c"


@pytest.mark.parametrize("rank", [1, 3])
def test_conv_of_other_ranks(tmp_path: Path, rank: int) -> None:
    sizes = (7, 6, 5)[:rank]
    tensors = {"c.weight": random(4, 3, *(2,) * rank), "c.bias": random(4)}
    model = make_model([node("Conv", ["x", *tensors], ["y"], strides=[2] * rank)], [1, 3, *sizes], tensors)
    agree(model, tmp_path, random(1, 3, *sizes))


@pytest.mark.parametrize(
    "attributes",
    [
        {"strides": [2, 2]},
        {"strides": [2, 2], "pads": [1, 1, 1, 1], "output_padding": [1, 1]},
        {"strides": [2, 2], "pads": [1, 0, 1, 0], "dilations": [2, 1]},
        {"strides": [2, 2], "pads": [1, 1, 0, 0]},
        {"strides": [2, 2], "pads": [0, 0, 1, 1]},
        {"strides": [2, 2], "auto_pad": "SAME_UPPER"},
    ],
)
def test_conv_transpose(tmp_path: Path, attributes: dict[str, Any]) -> None:
    tensors = {"c.weight": random(4, 3, 3, 3), "c.bias": random(3 * attributes.get("group", 1))}
    model = make_model([node("ConvTranspose", ["x", *tensors], ["y"], **attributes)], [2, 4, 5, 5], tensors)
    agree(model, tmp_path, random(2, 4, 5, 5))


def test_conv_transpose_of_a_given_size(tmp_path: Path) -> None:
    # The reference implementation does not heed output_shape; the specification says that this is the size.
    tensors = {"c.weight": random(4, 3, 3, 3)}
    model = make_model([node("ConvTranspose", ["x", *tensors], ["y"], strides=[3, 2], output_shape=[12, 10])],
                       [2, 4, 5, 5], tensors)  # fmt: skip
    assert imported(model, tmp_path).output_shape == (3, 12, 10)


def test_conv_transpose_in_groups_computes_what_torch_does(tmp_path: Path) -> None:
    # The reference implementation fails for groups.
    tensors = {"c.weight": random(4, 3, 3, 3)}
    model = make_model([node("ConvTranspose", ["x", *tensors], ["y"], group=2, strides=[1, 2])], [2, 4, 5, 5], tensors)
    graph = imported(model, tmp_path)
    module = build_module(graph, seed=None)
    module.load_state_dict(weights_in(model, graph))
    image, weight = torch.from_numpy(random(2, 4, 5, 5)), torch.from_numpy(tensors["c.weight"])
    expected = torch.nn.functional.conv_transpose2d(image, weight, stride=(1, 2), groups=2)
    torch.testing.assert_close(module(image), expected)


def test_negative_padding_is_a_crop(tmp_path: Path) -> None:
    # NumPy, on which the reference implementation stands, cannot pad by negative amounts.
    model = make_model([node("Pad", ["x", "p"], ["y"])], [2, 4, 6, 5], {"p": ints(0, 0, -1, 0, 0, 0, 0, -2)})
    graph = imported(model, tmp_path)
    assert graph.nodes[1].layer.kind == "crop"
    image = random(2, 4, 6, 5)
    np.testing.assert_array_equal(build_module(graph)(torch.from_numpy(image)).numpy(), image[:, :, 1:, :-2])


def test_local_response_normalization(tmp_path: Path) -> None:
    # As many images as channels: the reference implementation normalises as many channels as there are images.
    model = make_model([node("LRN", ["x"], ["y"], size=3, alpha=0.01, beta=0.5, bias=2.0)], [8, 8, 5, 4])
    assert agree(model, tmp_path, 4 * random(8, 8, 5, 4)).nodes[1].layer.kind == "localresponsenorm"
    model = make_model([node("LRN", ["x"], ["y"], size=4)], [8, 8, 5, 4])
    assert agree(model, tmp_path, random(8, 8, 5, 4)).nodes[1].layer.kind == "opaque"


POOLS: list[tuple[str, dict[str, Any], str]] = [
    ("MaxPool", {"kernel_shape": [3, 3], "strides": [2, 2], "pads": [1, 1, 1, 1]}, "maxpool"),
    ("MaxPool", {"kernel_shape": [2, 3], "pads": [0, 1, 1, 0]}, "maxpool"),
    ("MaxPool", {"kernel_shape": [3, 3], "dilations": [2, 2]}, "maxpool"),
    ("MaxPool", {"kernel_shape": [3, 3], "strides": [2, 2], "ceil_mode": 1}, "maxpool"),
    ("MaxPool", {"kernel_shape": [3, 3], "strides": [2, 2], "auto_pad": "SAME_UPPER"}, "maxpool"),
    ("AveragePool", {"kernel_shape": [2, 2], "strides": [2, 2]}, "avgpool"),
    ("AveragePool", {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1], "count_include_pad": 1}, "avgpool"),
    ("AveragePool", {"kernel_shape": [3, 3], "pads": [1, 1, 1, 1]}, "avgpool"),
    ("LpPool", {"kernel_shape": [2, 2], "p": 2}, "lppool"),
    ("GlobalAveragePool", {}, "globalavgpool"),
    ("GlobalMaxPool", {}, "globalmaxpool"),
    ("ReduceMean", {"axes": [2, 3]}, "globalavgpool"),
    ("ReduceMean", {"axes": [-1, -2], "keepdims": 0}, "globalavgpool"),
    ("ReduceMax", {"axes": [2, 3], "keepdims": 0}, "globalmaxpool"),
]


@pytest.mark.parametrize(("op", "attributes", "kind"), POOLS)
def test_pooling(tmp_path: Path, op: str, attributes: dict[str, Any], kind: str) -> None:
    graph = agree(make_model([node(op, ["x"], ["y"], **attributes)], [2, 3, 9, 8]), tmp_path, random(2, 3, 9, 8))
    assert [entry.layer.kind for entry in graph.nodes] == ["input", kind]


ACTIVATIONS: list[tuple[str, dict[str, Any], str, int]] = [
    ("Relu", {}, "relu", 17),
    ("LeakyRelu", {"alpha": 0.2}, "leakyrelu", 17),
    ("Elu", {"alpha": 0.7}, "elu", 17),
    ("Sigmoid", {}, "sigmoid", 17),
    ("Tanh", {}, "tanh", 17),
    ("HardSwish", {}, "hardswish", 17),
    ("HardSigmoid", {"alpha": 1 / 6, "beta": 0.5}, "hardsigmoid", 17),
    ("Softplus", {}, "softplus", 17),
    ("Mish", {}, "mish", 18),
    ("Gelu", {}, "gelu", 20),
    ("Gelu", {"approximate": "tanh"}, "gelu", 20),
    ("Softmax", {"axis": 1}, "softmax", 17),
    ("Identity", {}, "identity", 17),
    ("Flatten", {}, "flatten", 17),
    ("DepthToSpace", {"blocksize": 2, "mode": "CRD"}, "pixelshuffle", 17),
]


@pytest.mark.parametrize(("op", "attributes", "kind", "opset"), ACTIVATIONS)
def test_without_tensors(tmp_path: Path, op: str, attributes: dict[str, Any], kind: str, opset: int) -> None:
    model = make_model([node(op, ["x"], ["y"], **attributes)], [2, 8, 5, 4], opset=opset)
    graph = agree(model, tmp_path, 4 * random(2, 8, 5, 4))
    assert [entry.layer.kind for entry in graph.nodes] == ["input", kind]


@pytest.mark.parametrize(
    ("low", "high", "kind"), [(0.0, 6.0, "relu6"), (0.0, None, "relu"), (-1.0, 1.0, "opaque"), (0.0, 1.0, "opaque")]
)
def test_clip(tmp_path: Path, low: float, high: float | None, kind: str) -> None:
    tensors = {"low": np.float32(low).reshape(()), **({} if high is None else {"high": np.float32(high).reshape(())})}
    model = make_model([node("Clip", ["x", *tensors], ["y"])], [1, 2, 4, 4], tensors)
    assert agree(model, tmp_path, 5 * random(1, 2, 4, 4)).nodes[1].layer.kind == kind


NORMS: list[tuple[str, tuple[str, ...], dict[str, Any], str, int]] = [
    ("BatchNormalization", ("weight", "bias", "running_mean", "running_var"), {"epsilon": 1e-3}, "batchnorm", 15),
    ("InstanceNormalization", ("weight", "bias"), {"epsilon": 1e-4}, "instancenorm", 17),
    ("GroupNormalization", ("weight", "bias"), {"num_groups": 2}, "groupnorm", 21),
]


@pytest.mark.parametrize(("op", "names", "attributes", "kind", "opset"), NORMS)
def test_normalization(
    tmp_path: Path, op: str, names: tuple[str, ...], attributes: dict[str, Any], kind: str, opset: int
) -> None:
    tensors = {f"n.{name}": np.abs(random(6, seed=place)) + 0.1 for place, name in enumerate(names)}
    model = make_model([node(op, ["x", *tensors], ["y"], **attributes)], [2, 6, 5, 4], tensors, opset=opset)
    graph = agree(model, tmp_path, random(2, 6, 5, 4))
    assert [entry.layer.kind for entry in graph.nodes] == ["input", kind]


def test_layer_norm_over_everything(tmp_path: Path) -> None:
    tensors = {"n.weight": random(3, 4, 5), "n.bias": random(3, 4, 5)}
    model = make_model([node("LayerNormalization", ["x", *tensors], ["y"], axis=1)], [2, 3, 4, 5], tensors)
    assert agree(model, tmp_path, random(2, 3, 4, 5)).nodes[1].layer.kind == "layernorm"


def test_layer_norm_with_the_channels_last(tmp_path: Path) -> None:
    tensors = {"n.weight": random(3), "n.bias": random(3)}
    nodes = [
        node("Transpose", ["x"], ["a"], perm=[0, 2, 3, 1]),
        node("LayerNormalization", ["a", *tensors], ["b"], axis=-1),
        node("Transpose", ["b"], ["y"], perm=[0, 3, 1, 2]),
    ]
    graph = agree(make_model(nodes, [2, 3, 4, 5], tensors), tmp_path, random(2, 3, 4, 5))
    assert [entry.layer.kind for entry in graph.nodes] == ["input", "layernorm"]


@pytest.mark.parametrize("sizes", [(3, 1, 1), (1,), (1, 1, 1)])
def test_prelu(tmp_path: Path, sizes: tuple[int, ...]) -> None:
    tensors = {"p.weight": np.abs(random(*sizes))}
    graph = agree(
        make_model([node("PRelu", ["x", *tensors], ["y"])], [2, 3, 4, 5], tensors), tmp_path, random(2, 3, 4, 5)
    )
    assert graph.parameter_count == tensors["p.weight"].size


DENSE: list[tuple[list[Any], dict[str, Any]]] = [
    ([node("Gemm", ["f", "d.weight", "d.bias"], ["y"], transB=1)], {"d.weight": random(5, 12), "d.bias": random(5)}),
    ([node("Gemm", ["f", "d.weight"], ["y"])], {"d.weight": random(12, 5)}),
    ([node("MatMul", ["f", "d.weight"], ["y"])], {"d.weight": random(12, 5)}),
    (
        [node("MatMul", ["f", "d.weight"], ["m"]), node("Add", ["m", "d.bias"], ["y"])],
        {"d.weight": random(12, 5), "d.bias": random(5)},
    ),
    (
        [node("MatMul", ["f", "d.weight"], ["m"]), node("Add", ["d.bias", "m"], ["y"])],
        {"d.weight": random(12, 5), "d.bias": random(1, 5)},
    ),
]


@pytest.mark.parametrize(("nodes", "tensors"), DENSE)
def test_dense(tmp_path: Path, nodes: list[Any], tensors: dict[str, Any]) -> None:
    model = make_model([node("Flatten", ["x"], ["f"]), *nodes], [2, 3, 2, 2], tensors)
    graph = agree(model, tmp_path, random(2, 3, 2, 2))
    assert [entry.layer.kind for entry in graph.nodes] == ["input", "flatten", "dense"]
    assert graph.parameter_count == sum(array.size for array in tensors.values())


def test_matrix_on_the_last_axis_is_a_pointwise_dense_layer(tmp_path: Path) -> None:
    tensors = {"d.weight": random(3, 7)}
    nodes = [
        node("Transpose", ["x"], ["a"], perm=[0, 2, 3, 1]),
        node("MatMul", ["a", "d.weight"], ["b"]),
        node("Transpose", ["b"], ["y"], perm=[0, 3, 1, 2]),
    ]
    graph = agree(make_model(nodes, [2, 3, 4, 5], tensors), tmp_path, random(2, 3, 4, 5))
    assert [entry.layer.kind for entry in graph.nodes] == ["input", "dense"]
    assert graph.nodes[1].layer.macs(((3, 4, 5),), (7, 4, 5)) == 4 * 5 * 3 * 7


SHAPING: list[tuple[list[Any], dict[str, Any], str]] = [
    ([node("Pad", ["x", "p"], ["y"])], {"p": ints(0, 0, 1, 0, 0, 0, 2, 1)}, "pad"),
    ([node("Pad", ["x", "p"], ["y"], mode="reflect")], {"p": ints(0, 0, 1, 1, 0, 0, 2, 2)}, "pad"),
    ([node("Pad", ["x", "p"], ["y"], mode="edge")], {"p": ints(0, 0, 1, 1, 0, 0, 1, 1)}, "pad"),
    ([node("Slice", ["x", "s", "e", "a"], ["y"])], {"s": ints(1), "e": ints(2**63 - 1), "a": ints(1)}, "slice"),
    (
        [node("Slice", ["x", "s", "e", "a", "t"], ["y"])],
        {"s": ints(-4), "e": ints(-1), "a": ints(-1), "t": ints(2)},
        "slice",
    ),
    ([node("Resize", ["x", "", "s"], ["y"], mode="nearest")], {"s": floats(1, 1, 2, 3)}, "upsample"),
    (
        [node("Resize", ["x", "", "s"], ["y"], mode="linear", coordinate_transformation_mode="align_corners")],
        {"s": floats(1, 1, 2, 2)},
        "upsample",
    ),
    ([node("Resize", ["x", "", "", "z"], ["y"], mode="linear")], {"z": ints(2, 4, 9, 7)}, "resize"),
    (
        [
            node(
                "Resize",
                ["x", "", "", "z"],
                ["y"],
                mode="nearest",
                coordinate_transformation_mode="asymmetric",
                nearest_mode="floor",
            )
        ],
        {"z": ints(2, 4, 9, 7)},
        "resize",
    ),
    ([node("Resize", ["x", "", "", "z"], ["y"], mode="cubic")], {"z": ints(2, 4, 9, 7)}, "opaque"),
    ([node("Concat", ["x", "x"], ["y"], axis=1)], {}, "concat"),
    ([node("Concat", ["x", "x"], ["y"], axis=2)], {}, "opaque"),
    ([node("Add", ["x", "x"], ["y"])], {}, "add"),
    ([node("Sum", ["x", "x", "x"], ["y"])], {}, "add"),
    ([node("Mul", ["x", "x"], ["y"])], {}, "multiply"),
    ([node("Mul", ["x", "l.scale"], ["y"])], {"l.scale": random(4, 1, 1)}, "layerscale"),
]


@pytest.mark.parametrize(("nodes", "tensors", "kind"), SHAPING)
def test_shaping_and_joining(tmp_path: Path, nodes: list[Any], tensors: dict[str, Any], kind: str) -> None:
    graph = agree(make_model(nodes, [2, 4, 6, 5], tensors, opset=18), tmp_path, random(2, 4, 6, 5))
    assert [entry.layer.kind for entry in graph.nodes] == ["input", kind]


def test_split(tmp_path: Path) -> None:
    model = make_model(
        [node("Split", ["x", "s"], ["a", "b", "c"], axis=1), node("Concat", ["c", "a", "b"], ["y"], axis=1)],
        [1, 6, 3, 3],
        {"s": ints(1, 2, 3)},
    )
    graph = agree(model, tmp_path, random(1, 6, 3, 3))
    assert [entry.layer.kind for entry in graph.nodes] == ["input", "slice", "slice", "slice", "concat"]


def test_channel_shuffle_in_three_steps(tmp_path: Path) -> None:
    nodes = [
        node("Reshape", ["x", "a"], ["p"]),
        node("Transpose", ["p"], ["q"], perm=[0, 2, 1, 3, 4]),
        node("Reshape", ["q", "b"], ["y"]),
    ]
    tensors = {"a": ints(2, 3, 2, 4, 4), "b": ints(2, -1, 4, 4)}
    graph = agree(make_model(nodes, [2, 6, 4, 4], tensors), tmp_path, random(2, 6, 4, 4))
    assert [entry.layer.kind for entry in graph.nodes] == ["input", "channelshuffle"]


def test_pixel_shuffle_in_three_steps(tmp_path: Path) -> None:
    nodes = [
        node("Reshape", ["x", "a"], ["p"]),
        node("Transpose", ["p"], ["q"], perm=[0, 1, 4, 2, 5, 3]),
        node("Reshape", ["q", "b"], ["y"]),
    ]
    tensors = {"a": ints(2, 2, 2, 2, 3, 4), "b": ints(2, 2, 6, 8)}
    graph = agree(make_model(nodes, [2, 8, 3, 4], tensors), tmp_path, random(2, 8, 3, 4))
    assert [entry.layer.kind for entry in graph.nodes] == ["input", "pixelshuffle"]


ROOT = floats(2**0.5)
TAKEN_APART: list[tuple[list[Any], dict[str, Any], str]] = [
    ([node("Sigmoid", ["x"], ["s"]), node("Mul", ["s", "x"], ["y"])], {}, "silu"),
    ([node("Softplus", ["x"], ["s"]), node("Tanh", ["s"], ["t"]), node("Mul", ["x", "t"], ["y"])], {}, "mish"),
    ([node("HardSigmoid", ["x"], ["s"], alpha=1 / 6, beta=0.5), node("Mul", ["x", "s"], ["y"])], {}, "hardswish"),
    ([node("HardSigmoid", ["x"], ["s"], alpha=0.2, beta=0.5), node("Mul", ["x", "s"], ["y"])], {}, "multiply"),
    (
        [
            node("Div", ["x", "r"], ["d"]),
            node("Erf", ["d"], ["e"]),
            node("Add", ["e", "one"], ["a"]),
            node("Mul", ["x", "a"], ["m"]),
            node("Mul", ["m", "half"], ["y"]),
        ],
        {"r": ROOT, "one": floats(1), "half": floats(0.5)},
        "gelu",
    ),
    (
        [
            node("Mul", ["x", "half"], ["h"]),
            node("Pow", ["x", "three"], ["p"]),
            node("Mul", ["k", "p"], ["q"]),
            node("Add", ["x", "q"], ["i"]),
            node("Mul", ["i", "f"], ["j"]),
            node("Tanh", ["j"], ["t"]),
            node("Add", ["t", "one"], ["a"]),
            node("Mul", ["h", "a"], ["y"]),
        ],
        {
            "half": floats(0.5),
            "three": floats(3),
            "k": floats(0.044715),
            "f": floats((2 / np.pi) ** 0.5),
            "one": floats(1),
        },
        "gelu",
    ),
    (
        [
            node("Add", ["x", "three"], ["a"]),
            node("Clip", ["a", "zero", "six"], ["c"]),
            node("Mul", ["x", "c"], ["m"]),
            node("Div", ["m", "six"], ["y"]),
        ],
        {"three": floats(3), "zero": np.float32(0).reshape(()), "six": np.float32(6).reshape(())},
        "hardswish",
    ),
]


@pytest.mark.parametrize(("nodes", "tensors", "kind"), TAKEN_APART)
def test_functions_taken_apart(tmp_path: Path, nodes: list[Any], tensors: dict[str, Any], kind: str) -> None:
    graph = agree(make_model(nodes, [2, 3, 4, 4], tensors), tmp_path, 3 * random(2, 3, 4, 4))
    assert graph.nodes[-1].layer.kind == kind
    assert (len(graph.nodes) == 2) == (kind != "multiply")
    assert not read_onnx(tmp_path / "net.onnx").findings


OTHERS: list[tuple[list[Any], dict[str, Any]]] = [
    ([node("Exp", ["x"], ["y"])], {}),
    ([node("Sub", ["x", "m"], ["y"])], {"m": random(4, 1, 1)}),
    ([node("ReduceSum", ["x", "a"], ["y"], keepdims=0)], {"a": ints(1)}),
    ([node("ArgMax", ["x"], ["y"], axis=1)], {}),
    ([node("Tile", ["x", "t"], ["y"])], {"t": ints(1, 2, 1, 3)}),
    ([node("ReduceMean", ["x"], ["r"], axes=[1]), node("Expand", ["r", "e"], ["y"])], {"e": ints(2, 7, 6, 5)}),
    ([node("Gather", ["x", "g"], ["y"], axis=2)], {"g": ints(0, 3)}),
    ([node("Reshape", ["x", "s"], ["y"])], {"s": ints(0, 2, -1, 15)}),
    ([node("Slice", ["x", "s", "e", "a"], ["c"]), node("SpaceToDepth", ["c"], ["y"], blocksize=2)],
     {"s": ints(0), "e": ints(4), "a": ints(3)}),
    ([node("DepthToSpace", ["x"], ["y"], blocksize=2)], {}),
    ([node("CumSum", ["x", "a"], ["y"])], {"a": np.array(1)}),
    ([node("Softmax", ["x"], ["y"], axis=3)], {}),
    ([node("LogSoftmax", ["x"], ["y"], axis=1)], {}),
    ([node("Transpose", ["x"], ["t"], perm=[0, 1, 3, 2]), node("MatMul", ["x", "t"], ["y"])], {}),
    ([node("Einsum", ["x", "x"], ["y"], equation="bchw,bdhw->bcd")], {}),
    ([node("TopK", ["x", "k"], ["y", "i"], axis=1)], {"k": ints(2)}),
    ([node("Greater", ["x", "m"], ["g"]), node("Where", ["g", "x", "m"], ["y"])], {"m": random(1, 4, 1, 1)}),
    ([node("ReduceMax", ["x"], ["r"], axes=[1, 2]), node("Squeeze", ["r"], ["y"])], {}),
    ([node("MaxPool", ["x"], ["y"], kernel_shape=[2, 2], pads=[0, 0, 1, 1], strides=[2, 2], ceil_mode=1)], {}),
]  # fmt: skip


@pytest.mark.parametrize(
    ("nodes", "tensors"), OTHERS, ids=lambda value: value[0].op_type if isinstance(value, list) else ""
)
def test_sizes_of_what_no_layer_describes(tmp_path: Path, nodes: list[Any], tensors: dict[str, Any]) -> None:
    graph = agree(make_model(nodes, [2, 4, 6, 5], tensors), tmp_path, random(2, 4, 6, 5))
    assert any(entry.layer.kind == "opaque" for entry in graph.nodes)


def test_products_of_two_maps_are_counted(tmp_path: Path) -> None:
    nodes = [node("Transpose", ["x"], ["t"], perm=[0, 1, 3, 2]), node("MatMul", ["x", "t"], ["y"])]
    graph = agree(make_model(nodes, [2, 4, 6, 5]), tmp_path, random(2, 4, 6, 5))
    costs = [entry.layer.macs(graph.input_shapes(entry), graph.shapes[entry.name]) for entry in graph.nodes]
    assert costs[-1] == 4 * 6 * 6 * 5
    graph = agree(
        make_model([node("Einsum", ["x", "x"], ["y"], equation="bchw,bdhw->bcd")], [2, 4, 6, 5]),
        tmp_path,
        random(2, 4, 6, 5),
    )
    assert graph.nodes[-1].layer.macs((), ()) == 4 * 4 * 6 * 5


def test_group_norm_as_exporters_write_it(tmp_path: Path) -> None:
    tensors = {
        "groups": ints(0, 2, -1),
        "ones": np.ones(2, np.float32),
        "zeros": np.zeros(2, np.float32),
        "shape": ints(2, 4, 3, 5),
        "n.weight": random(4, 1, 1),
        "n.bias": random(4, 1, 1),
    }
    nodes = [
        node("Reshape", ["x", "groups"], ["g"]),
        node("InstanceNormalization", ["g", "ones", "zeros"], ["i"], epsilon=1e-3),
        node("Reshape", ["i", "shape"], ["r"]),
        node("Mul", ["r", "n.weight"], ["m"]),
        node("Add", ["m", "n.bias"], ["y"]),
    ]
    graph = agree(make_model(nodes, [2, 4, 3, 5], tensors), tmp_path, random(2, 4, 3, 5))
    assert [entry.layer.kind for entry in graph.nodes] == ["input", "groupnorm"]


def test_matrix_products_behind_other_axes_are_counted(tmp_path: Path) -> None:
    # Tokens in front, the one image behind them, as attention has it.
    tensors = {"w": random(4, 7), "v": random(4, 5), "rows": ints(30, 4)}
    nodes = [
        node("Reshape", ["x", "s"], ["r"]),
        node("Transpose", ["r"], ["t"], perm=[2, 0, 1]),
        node("MatMul", ["t", "w"], ["m"]),
        node("Reshape", ["t", "rows"], ["f"]),
        node("Gemm", ["f", "v"], ["n"]),
        node("ReduceSum", ["m"], ["y"], keepdims=1),
        node("ReduceSum", ["n"], ["z"], keepdims=1),
    ]
    model = make_model(nodes, ["N", 4, 6, 5], {**tensors, "s": ints(1, 4, 30)}, outputs=("y", "z"))
    graph = agree(model, tmp_path, random(1, 4, 6, 5))
    costs = {entry.layer.operation: entry.layer.cost for entry in graph.nodes[1:]}
    assert (costs["MatMul"], costs["Gemm"]) == (30 * 4 * 7, 30 * 4 * 5)


def test_a_transposed_batch_is_no_batch(tmp_path: Path) -> None:
    # Height, as large as the batch, comes to the front: what leaves is told whole.
    nodes = [node("Transpose", ["x"], ["t"], perm=[2, 1, 0, 3]), node("Conv", ["t", "c.weight"], ["y"])]
    model = make_model(nodes, [2, 4, 2, 5], {"c.weight": random(3, 4, 1, 1)})
    sizes = [onnx.TensorShapeProto.Dimension(dim_value=size) for size in (2, 3, 2, 5)]
    model.graph.output[0].type.tensor_type.shape.dim.extend(sizes)
    graph = imported(model, tmp_path)
    assert graph.shapes["transpose1"] == (2, 4, 2, 5)
    assert graph.nodes[-1].layer.kind == "opaque"
