"""Files that are wrong give an error that says so: never another exception, never a hang, never much memory."""

from __future__ import annotations

import contextlib
import tempfile
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper, numpy_helper

from onnx_files.onnx_models import imported, make_model, node, random, save
from striate.errors import NetworkError, SourceError
from striate.sources.onnx import read_onnx
from striate.sources.onnx.wire import KEPT, Stripper


def network() -> onnx.ModelProto:
    tensors: dict[str, Any] = {
        "c.weight": random(4, 3, 3, 3),
        "n.weight": random(4),
        "n.bias": random(4),
        "n.mean": random(4),
        "n.var": random(4),
        "shape": np.array([0, -1], np.int64),
        "d.weight": random(144, 5),
    }
    nodes = [
        node("Conv", ["x", "c.weight"], ["c"], pads=[1, 1, 1, 1]),
        node("BatchNormalization", ["c", "n.weight", "n.bias", "n.mean", "n.var"], ["n"]),
        node("Relu", ["n"], ["r"]),
        node("Reshape", ["r", "shape"], ["f"]),
        node("MatMul", ["f", "d.weight"], ["y"]),
    ]
    return make_model(nodes, [1, 3, 6, 6], tensors)


def test_it_is_read_when_it_is_whole(tmp_path: Path) -> None:
    assert imported(network(), tmp_path).parameter_count == 108 + 8 + 720


def changed(**changes: Any) -> onnx.ModelProto:
    model = network()
    graph = model.graph
    if "dims" in changes:
        del graph.initializer[0].dims[:]
        graph.initializer[0].dims.extend(changes["dims"])
    if "attribute" in changes:
        del graph.node[0].attribute[:]
        graph.node[0].attribute.extend(changes["attribute"])
    if "input" in changes:
        graph.node[0].input[0] = changes["input"]
    if "output" in changes:
        graph.node[1].output[0] = changes["output"]
    if "sizes" in changes:
        graph.input[0].CopyFrom(helper.make_tensor_value_info("x", TensorProto.FLOAT, changes["sizes"]))
    if "shape" in changes:
        graph.initializer[5].CopyFrom(numpy_helper.from_array(np.array(changes["shape"], np.int64), "shape"))
    return model


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"dims": [-4, 3, 3, 3]}, "cut off or damaged"),
    ({"dims": [2**40, 2**40, 3, 3]}, "cut off or damaged"),
    ({"dims": [4, 2, 3, 3]}, "another amount of numbers than its sizes say"),
    ({"dims": [0, 3, 3, 3]}, "another amount of numbers than its sizes say"),
    ({"dims": [108]}, "the weight of Conv does not fit its input"),
    ({"attribute": [helper.make_attribute("pads", "same")]}, "Conv cannot use this pads"),
    ({"attribute": [helper.make_attribute("pads", [1, 1])]}, "Conv cannot use this pads"),
    ({"attribute": [helper.make_attribute("strides", [0, 0])]}, "the window of Conv is impossible"),
    ({"attribute": [helper.make_attribute("strides", [1.5, 2.5])]}, "Conv cannot use this strides"),
    ({"attribute": [helper.make_attribute("pads", [-1, 0, 0, 0])]}, "the window of Conv is impossible"),
    ({"attribute": [helper.make_attribute("group", 0)]}, "the weight of Conv does not fit its input"),
    ({"attribute": [helper.make_attribute("auto_pad", "SOME")]}, "Conv cannot use this auto_pad"),
    ({"attribute": [helper.make_attribute("dilations", [9, 9])]}, "the window of conv is larger than its input"),
    ({"input": "nowhere"}, "a value is read that nothing makes"),
    ({"input": "y"}, "this network goes in a circle"),
    ({"output": "c"}, "cut off or damaged"),
    ({"sizes": [1, 3]}, "this input does not take images"),
    ({"sizes": [1, 3, 2, 2, 2, 2]}, "this input does not take images"),
    ({"sizes": [1, 3, 0, 6]}, "this file leaves sizes of its input open"),
    ({"sizes": [1, 4, 6, 6]}, "the weight of Conv does not fit its input"),
    ({"sizes": [1, 3, 2**40, 2**40]}, "a map is too large for any machine"),
    ({"shape": [0, 7]}, "Reshape does not fit what it is given"),
    ({"shape": [-1, -1]}, "Reshape does not fit what it is given"),
]


@pytest.mark.parametrize(("changes", "message"), WRONG)
def test_wrong_in_one_place(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises(NetworkError, match=message) as error:
        imported(changed(**changes), tmp_path)
    assert isinstance(error.value, SourceError)
    assert str(error.value).startswith(f"{tmp_path}/net.onnx")


def test_the_place_is_told(tmp_path: Path) -> None:
    model = changed(sizes=[1, 4, 6, 6])
    model.graph.node[0].name = "/features/conv"
    with pytest.raises(SourceError) as error:
        imported(model, tmp_path)
    assert str(error.value).splitlines() == [
        f"{tmp_path}/net.onnx, Conv '/features/conv': the weight of Conv does not fit its input",
        "  got:   a weight of [4, 3, 3, 3], group 1, an input of [1, 4, 6, 6]",
        "  needs: input channels = channels of the weight × group, filters a multiple of group",
    ]


@pytest.mark.parametrize(
    "content", [b"", b"\0", b"\x08", b"hello", b"PK\x03\x04" + bytes(99), bytes(1000), b"\x0a" * 99]
)
def test_no_onnx_at_all(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(content)
    with pytest.raises(SourceError, match="this is not an ONNX file, or it is cut off or damaged"):
        read_onnx(tmp_path / "net.onnx")


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="this file cannot be read"):
        read_onnx(tmp_path / "none.onnx")
    with pytest.raises(SourceError, match="this file cannot be read"):
        read_onnx(tmp_path)


def test_graphs_inside_of_graphs(tmp_path: Path) -> None:
    inner = b""
    for _ in range(5000):
        attribute = b"\x32" + _varint(len(inner)) + inner
        of_node = b"\x2a" + _varint(len(attribute)) + attribute
        inner = b"\x0a" + _varint(len(of_node)) + of_node
    (tmp_path / "net.onnx").write_bytes(b"\x3a" + _varint(len(inner)) + inner)
    with pytest.raises(SourceError, match="cut off or damaged"):
        read_onnx(tmp_path / "net.onnx")


def _varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def test_large_constants_are_not_made(tmp_path: Path) -> None:
    tensors = {"huge": np.array([2**40], np.int64), "axes": np.array([0], np.int64)}
    nodes = [
        node("ConstantOfShape", ["huge"], ["k"]),
        node("ReduceSum", ["k", "axes"], ["s"]),
        node("Add", ["x", "s"], ["y"]),
    ]
    with pytest.raises(SourceError, match="cannot be told"):
        imported(make_model(nodes, [1, 3, 4, 4], tensors), tmp_path)


def test_a_division_by_zero_on_the_way(tmp_path: Path) -> None:
    tensors = {"a": np.array([6], np.int64), "b": np.array([0], np.int64)}
    nodes = [node("Div", ["a", "b"], ["s"]), node("Reshape", ["x", "s"], ["y"])]
    with pytest.raises(SourceError, match="Div cannot be computed for what it is given"):
        imported(make_model(nodes, [1, 3, 4, 4], tensors), tmp_path)


def test_long_rows_of_views_take_no_time(tmp_path: Path) -> None:
    nodes, value = [], "x"
    for place in range(4000):
        kind, more = ("Transpose", []) if place % 2 else ("Reshape", ["shape"])
        nodes.append(node(kind, [value, *more], [f"v{place}"]))
        value = f"v{place}"
    nodes.append(node("Relu", [value], ["y"]))
    shape = np.array([2, 3, 8], np.int64)
    assert len(imported(make_model(nodes, [1, 3, 4, 4], {"shape": shape}), tmp_path).nodes) > 3000


def test_weights_take_no_memory(tmp_path: Path) -> None:
    weight = np.zeros((2048, 2048, 3, 3), np.float32)
    path = save(make_model([node("Conv", ["x", "c.weight"], ["y"])], [1, 2048, 5, 5], {"c.weight": weight}), tmp_path)
    assert path.stat().st_size > 144 * 1024**2
    del weight
    tracemalloc.start()
    try:
        assert read_onnx(path).graph.parameter_count == 2048 * 2048 * 9
        assert tracemalloc.get_traced_memory()[1] < 1024**2
    finally:
        tracemalloc.stop()


def test_what_is_stripped_is_numbers_alone() -> None:
    model = network()
    whole = model.SerializeToString()
    assert onnx.load_from_string(Stripper(memoryview(whole), "x").strip()) == model
    large = np.zeros(KEPT, np.float32)
    model.graph.initializer.append(numpy_helper.from_array(large, "large"))
    expected = onnx.ModelProto()
    expected.CopyFrom(model)
    expected.graph.initializer[-1].ClearField("raw_data")
    assert onnx.load_from_string(Stripper(memoryview(model.SerializeToString()), "x").strip()) == expected


WHOLE = network().SerializeToString()


def attempt(content: bytes) -> None:
    """Any outcome is right but an exception of another kind."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "net.onnx"
        path.write_bytes(content)
        with contextlib.suppress(NetworkError):
            read_onnx(path)


@given(content=st.binary(max_size=300))
def test_random_bytes(content: bytes) -> None:
    attempt(content)


@given(place=st.integers(0, len(WHOLE)))
def test_cut_off(place: int) -> None:
    attempt(WHOLE[:place])


@settings(max_examples=300)
@given(edits=st.lists(st.tuples(st.integers(0, len(WHOLE) - 1), st.integers(0, 255)), min_size=1, max_size=6))
def test_changed_bytes(edits: list[tuple[int, int]]) -> None:
    content = bytearray(WHOLE)
    for place, value in edits:
        content[place] = value
    attempt(bytes(content))


NAMES = ["x", "c", "n", "r", "f", "y", "c.weight", "n.bias", "shape", ""]
OPERATIONS = (
    "Conv Relu Reshape MatMul Gemm Concat Slice Split Pad Resize Transpose Flatten Squeeze Unsqueeze Gather Einsum"
    " BatchNormalization LayerNormalization GroupNormalization InstanceNormalization MaxPool AveragePool ReduceMean"
    " ConvTranspose Softmax Dropout PRelu Clip LRN TopK Tile Expand Where Add Mul Identity Shape ConstantOfShape Range"
    " DepthToSpace Loop QLinearConv Cast GridSample Constant"
)
ATTRIBUTES = st.dictionaries(
    st.sampled_from(
        ["axis", "axes", "perm", "pads", "strides", "group", "kernel_shape", "alpha", "mode", "split", "to", "value",
         "equation", "auto_pad", "blocksize", "num_groups", "keepdims", "epsilon", "ratio", "output_shape", "ceil_mode"]
    ),
    st.one_of(
        st.integers(-(2**63), 2**63 - 1),
        st.integers(-3, 5),
        st.floats(width=32),
        st.lists(st.integers(-3, 2**62), min_size=1, max_size=5),
        st.text(max_size=4),
        st.just("SAME_UPPER"),
    ),
    max_size=4,
)  # fmt: skip


@settings(max_examples=300)
@given(data=st.data())
def test_random_operations(data: st.DataObject) -> None:
    model = network()
    for place in range(data.draw(st.integers(1, 3))):
        inputs = data.draw(st.lists(st.sampled_from(NAMES), min_size=0, max_size=4))
        entry = node(data.draw(st.sampled_from(OPERATIONS.split())), inputs, [f"o{place}"], **data.draw(ATTRIBUTES))
        model.graph.node.append(entry)
        model.graph.output.append(helper.make_tensor_value_info(f"o{place}", TensorProto.FLOAT, None))
    attempt(model.SerializeToString())
