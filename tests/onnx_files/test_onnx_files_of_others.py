"""Files as other exporters write them: channels last, functions, shared and quantised tensors, graphs inside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import striate as st
from onnx_files.onnx_models import agree, imported, make_model, node, random, save
from striate.analysis import inspect
from striate.errors import SourceError, UsageError
from striate.sources.onnx import read_onnx


def ints(*values: int) -> Any:
    return np.array(values, np.int64)


def kinds(graph: Any) -> list[str]:
    return [entry.layer.kind for entry in graph.nodes]


def test_a_network_with_the_channels_last(tmp_path: Path) -> None:
    """What tf2onnx makes of Keras: a transpose before and behind, a padding of its own, biases added one by one."""
    tensors = {
        "c.weight": random(4, 3, 3, 3),
        "c.bias": random(1, 4, 1, 1),
        "pads": ints(0, 0, 1, 1, 0, 0, 1, 1),
        "shape": ints(-1, 4),
        "d.weight": random(4, 5),
        "d.bias": random(5),
        "mean": random(3),
    }
    nodes = [
        node("Sub", ["x", "mean"], ["s"]),
        node("Transpose", ["s"], ["t"], perm=[0, 3, 1, 2]),
        node("Pad", ["t", "pads"], ["p"]),
        node("Conv", ["p", "c.weight"], ["c"], strides=[2, 2]),
        node("Add", ["c", "c.bias"], ["b"]),
        node("Transpose", ["b"], ["l"], perm=[0, 2, 3, 1]),
        node("Relu", ["l"], ["r"]),
        node("ReduceMean", ["r"], ["m"], axes=[1, 2], keepdims=0),
        node("Reshape", ["m", "shape"], ["f"]),
        node("MatMul", ["f", "d.weight"], ["g"]),
        node("Add", ["g", "d.bias"], ["h"]),
        node("Softmax", ["h"], ["y"]),
    ]
    graph = imported(make_model(nodes, ["N", 8, 9, 3], tensors), tmp_path)
    assert graph.input_shape == (3, 8, 9)
    assert kinds(graph) == ["input", "opaque", "pad", "conv", "relu", "globalavgpool", "dense", "softmax"]
    assert graph.parameter_count == 3 + 4 * 27 + 4 + 25
    assert graph.shapes["c"] == (4, 4, 5)
    assert inspect(graph).macs == 4 * 27 * 4 * 5 + 20


def test_one_channel_is_moved_by_a_reshape(tmp_path: Path) -> None:
    tensors = {"c.weight": random(4, 1, 3, 3), "first": ints(-1, 1, 28, 28)}
    nodes = [node("Reshape", ["x", "first"], ["r"]), node("Conv", ["r", "c.weight"], ["y"])]
    graph = imported(make_model(nodes, ["N", 28, 28, 1], tensors), tmp_path)
    assert graph.input_shape == (1, 28, 28)
    assert kinds(graph) == ["input", "conv"]


def test_flattening_with_the_channels_last_is_told(tmp_path: Path) -> None:
    nodes = [node("Transpose", ["x"], ["t"], perm=[0, 2, 3, 1]), node("Flatten", ["t"], ["y"])]
    found = read_onnx(save(make_model(nodes, [1, 3, 4, 5]), tmp_path))
    assert kinds(found.graph) == ["input", "flatten"]
    assert [finding.code for finding in found.findings] == ["N935"]


def test_a_transpose_that_stays_is_shown(tmp_path: Path) -> None:
    nodes = [node("Transpose", ["x"], ["t"], perm=[0, 2, 3, 1]), node("Conv", ["t", "c.weight"], ["y"])]
    graph = agree(make_model(nodes, [1, 3, 4, 5], {"c.weight": random(2, 4, 1, 1)}), tmp_path, random(1, 3, 4, 5))
    assert kinds(graph) == ["input", "opaque", "conv"]
    assert graph.nodes[1].layer.operation == "Transpose"
    assert graph.output_shape == (2, 5, 3)


def test_a_shape_computed_on_the_way(tmp_path: Path) -> None:
    """What older exporters write for ``x.view(x.size(0), -1, 2)``."""
    tensors = {"zero": np.array(0), "two": ints(2), "rest": ints(-1), "axes": ints(0)}
    nodes = [
        node("Shape", ["x"], ["s"]),
        node("Gather", ["s", "zero"], ["n"], axis=0),
        node("Unsqueeze", ["n", "axes"], ["u"]),
        node("Concat", ["u", "rest", "two"], ["c"], axis=0),
        node("Reshape", ["x", "c"], ["y"]),
    ]
    assert imported(make_model(nodes, ["batch", 3, 4, 4], tensors), tmp_path).output_shape == (24, 2)


def test_tensors_used_twice_count_once(tmp_path: Path) -> None:
    tensors = {"c.weight": random(4, 4, 3, 3), "c.bias": random(4), "unused": random(7)}
    nodes = [
        node("Conv", ["x", "c.weight", "c.bias"], ["a"], pads=[1, 1, 1, 1]),
        node("Conv", ["a", "c.weight", "c.bias"], ["y"], pads=[1, 1, 1, 1], dilations=[1, 1]),
    ]
    found = read_onnx(save(make_model(nodes, [1, 4, 6, 6], tensors), tmp_path))
    assert found.graph.parameter_count == 4 * 36 + 4
    assert found.graph.nodes[2].shares == "c"
    assert inspect(found.graph).macs == 2 * 4 * 36 * 36
    assert [finding.message for finding in found.findings] == ["1 stored tensor is used by nothing: unused"]


def test_a_tensor_shared_in_part_is_told(tmp_path: Path) -> None:
    tensors = {"c.weight": random(4, 4, 1, 1), "c.bias": random(4), "other.bias": random(4)}
    nodes = [node("Conv", ["x", "c.weight", "c.bias"], ["a"]), node("Conv", ["a", "c.weight", "other.bias"], ["y"])]
    found = read_onnx(save(make_model(nodes, [1, 4, 6, 6], tensors), tmp_path))
    assert [finding.code for finding in found.findings] == ["N931"]


def test_functions_of_the_file_are_replaced_by_what_they_stand_for(tmp_path: Path) -> None:
    inner = [
        node("Conv", ["a", "w"], ["c"]),
        helper.make_node("LeakyRelu", ["c"], ["b"]),
    ]
    inner[1].attribute.append(onnx.AttributeProto(name="alpha", ref_attr_name="slope", type=onnx.AttributeProto.FLOAT))
    function = helper.make_function("own", "Block", ["a", "w"], ["b"], inner, [helper.make_opsetid("", 17)], ["slope"])
    nodes = [helper.make_node("Block", ["x", "c.weight"], ["y"], domain="own", slope=0.25)]
    model = make_model(nodes, [1, 3, 5, 5], {"c.weight": random(2, 3, 3, 3)}, functions=[function])
    graph = imported(model, tmp_path)
    assert kinds(graph) == ["input", "conv", "leakyrelu"]
    assert graph.nodes[2].layer.slope == 0.25


def test_a_function_that_calls_itself(tmp_path: Path) -> None:
    inner = [helper.make_node("Block", ["a"], ["b"], domain="own")]
    function = helper.make_function("own", "Block", ["a"], ["b"], inner, [helper.make_opsetid("own", 1)])
    model = make_model([helper.make_node("Block", ["x"], ["y"], domain="own")], [1, 3, 5, 5], functions=[function])
    with pytest.raises(SourceError, match="without an end"):
        imported(model, tmp_path)


def test_a_graph_inside_of_an_operation(tmp_path: Path) -> None:
    def branch(name: str, op: str) -> onnx.GraphProto:
        value = helper.make_tensor_value_info(f"{name}.y", TensorProto.FLOAT, None)
        return helper.make_graph([node(op, ["x"], [f"{name}.y"])], name, [], [value])

    condition = [
        node("ReduceSum", ["x"], ["s"], keepdims=0),
        node("Cast", ["s"], ["b"], to=TensorProto.BOOL),
        helper.make_node("If", ["b"], ["z"], then_branch=branch("a", "Relu"), else_branch=branch("c", "Neg")),
        node("Relu", ["z"], ["y"]),
    ]
    model = make_model(condition, [1, 3, 4, 4])
    with pytest.raises(SourceError, match="how large what leaves If is cannot be told"):
        imported(model, tmp_path)
    model.graph.value_info.append(helper.make_tensor_value_info("z", TensorProto.FLOAT, [1, 3, 4, 4]))
    graph = imported(model, tmp_path)
    assert kinds(graph) == ["input", "opaque", "opaque", "relu"]
    assert set(graph.nodes[2].inputs) == {graph.nodes[1].name, graph.nodes[0].name}
    assert graph.nodes[2].layer.cost is None


def test_a_quantised_network(tmp_path: Path) -> None:
    """Stored as whole numbers, computed as floats: the tensors are still the layer's."""
    tensors = {
        "c.weight": np.ones((4, 3, 3, 3), np.int8),
        "scale": np.array(0.1, np.float32),
        "zero": np.array(0, np.int8),
    }
    nodes = [
        node("DequantizeLinear", ["c.weight", "scale", "zero"], ["w"]),
        node("Conv", ["x", "w"], ["y"]),
    ]
    graph = imported(make_model(nodes, [1, 3, 5, 5], tensors), tmp_path)
    assert kinds(graph) == ["input", "conv"]
    assert graph.parameter_count == 108


def test_a_convolution_of_whole_numbers_is_counted(tmp_path: Path) -> None:
    tensors = {
        "c.weight": np.ones((4, 3, 3, 3), np.int8),
        "scale": np.array(0.1, np.float32),
        "zero": np.array(0, np.uint8),
        "z": np.array(0, np.int8),
    }
    nodes = [
        node("QuantizeLinear", ["x", "scale", "zero"], ["q"]),
        node("QLinearConv", ["q", "scale", "zero", "c.weight", "scale", "z", "scale", "zero"], ["r"]),
        node("DequantizeLinear", ["r", "scale", "zero"], ["y"]),
    ]
    graph = imported(make_model(nodes, [1, 3, 5, 5], tensors), tmp_path)
    assert graph.output_shape == (4, 3, 3)
    assert inspect(graph).macs == 4 * 9 * 27
    assert graph.parameter_count == 108


def test_an_operation_of_another_domain_is_not_counted(tmp_path: Path) -> None:
    own = helper.make_node("FusedConv", ["x", "c.weight"], ["y"], domain="com.microsoft")
    model = make_model([own], [1, 3, 5, 5], {"c.weight": random(2, 3, 3, 3)})
    model.graph.output[0].CopyFrom(helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 2, 3, 3]))
    graph = imported(model, tmp_path)
    assert (graph.nodes[1].layer.kind, graph.nodes[1].layer.cost, graph.output_shape) == ("opaque", None, (2, 3, 3))
    assert graph.parameter_count == 54


def test_group_norm_of_two_ways(tmp_path: Path) -> None:
    tensors = {"scale": random(2), "shift": random(2)}
    model = make_model(
        [node("GroupNormalization", ["x", *tensors], ["y"], num_groups=2)], [1, 4, 3, 3], tensors, opset=18
    )
    assert kinds(imported(model, tmp_path)) == ["input", "opaque"]


def test_what_the_file_states_must_follow(tmp_path: Path) -> None:
    model = make_model([node("Conv", ["x", "c.weight"], ["y"])], [1, 3, 5, 5], {"c.weight": random(2, 3, 3, 3)})
    model.graph.output[0].CopyFrom(helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 2, 4, 4]))
    with pytest.raises(SourceError) as error:
        imported(model, tmp_path)
    assert "the file states other sizes than follow from its operations" in str(error.value)
    assert "y: [1, 2, 4, 4] stated, [1, 2, 3, 3] computed" in str(error.value)


def test_sizes_that_are_left_open(tmp_path: Path) -> None:
    model = make_model([node("Relu", ["x"], ["y"])], ["N", 3, "H", "W"])
    with pytest.raises(SourceError) as error:
        imported(model, tmp_path)
    assert str(error.value).splitlines() == [
        f"{tmp_path}/net.onnx, input x: this file leaves sizes of its input open",
        "  got:   [N, 3, H, W]",
        "  needs: the size of one image, channels first",
        "  write: --input 3x224x224",
    ]
    assert imported(model, tmp_path, input=(3, 8, 9)).output_shape == (3, 8, 9)


def test_several_inputs(tmp_path: Path) -> None:
    model = make_model([node("Add", ["x", "z"], ["y"])], [1, 3, 4, 4])
    model.graph.input.append(helper.make_tensor_value_info("z", TensorProto.FLOAT, [1, 3, 4, 4]))
    graph = imported(model, tmp_path)
    assert kinds(graph) == ["input", "input", "add"]
    with pytest.raises(SourceError, match="one input shape is given for a network with several inputs"):
        imported(model, tmp_path, input=(3, 8, 8))
    larger = st.load(str(tmp_path / "net.onnx"), input=((3, 8, 8), (3, 8, 8)))
    assert larger.output_shape == (3, 8, 8)
    with pytest.raises(SourceError, match="3 input shapes are given for a network with several inputs"):
        st.load(str(tmp_path / "net.onnx"), input=((3, 8, 8),) * 3)


def test_older_operations_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError) as error:
        imported(make_model([node("Relu", ["x"], ["y"])], [1, 3, 4, 4], opset=10), tmp_path)
    assert (error.value.got, error.value.needs) == ("opset 10", "opset 11 to 30")


EXTERNAL = ["/etc/passwd", "../outside.bin", "sub/../../outside.bin", "", "c:\\x", "~/x", "link.bin", "folder"]


@pytest.mark.parametrize("location", EXTERNAL)
def test_numbers_outside_of_the_folder_are_refused(tmp_path: Path, location: str) -> None:
    folder = tmp_path / "net"
    (folder / "folder").mkdir(parents=True)
    (tmp_path / "outside.bin").write_bytes(bytes(1000))
    (folder / "link.bin").symlink_to(tmp_path / "outside.bin")
    model = external(location)
    with pytest.raises(SourceError, match="stand in a place that is not read"):
        imported(model, folder)


def external(location: str) -> onnx.ModelProto:
    model = make_model([node("Conv", ["x", "c.weight"], ["y"])], [1, 3, 5, 5], {"c.weight": random(2, 3, 3, 3)})
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value=location)
    return model


@pytest.mark.parametrize("there", [True, False])
def test_numbers_beside_the_file_are_not_needed(tmp_path: Path, there: bool) -> None:
    if there:
        (tmp_path / "net.data").write_bytes(bytes(216))
    assert imported(external("net.data"), tmp_path).parameter_count == 54


def test_a_shape_that_stands_beside_the_file(tmp_path: Path) -> None:
    model = make_model([node("Reshape", ["x", "s"], ["y"])], [1, 3, 4, 4], {"s": ints(1, 4, 12)})
    onnx.save(
        model, tmp_path / "net.onnx", save_as_external_data=True, location="net.data", size_threshold=0,
        convert_attribute=True,
    )  # fmt: skip
    assert (tmp_path / "net.data").stat().st_size
    assert read_onnx(tmp_path / "net.onnx").graph.output_shape == (4, 12)


def test_external_data_in_a_constant_of_a_subgraph_is_seen(tmp_path: Path) -> None:
    inner = helper.make_graph(
        [helper.make_node("Constant", [], ["k"], value=numpy_helper.from_array(random(3), "k"))],
        "inner",
        [],
        [helper.make_tensor_value_info("k", TensorProto.FLOAT, None)],
    )
    tensor = inner.node[0].attribute[0].t
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")
    model = make_model([helper.make_node("If", ["x"], ["y"], then_branch=inner, else_branch=inner)], [1, 3, 4, 4])
    with pytest.raises(SourceError, match="stand in a place that is not read"):
        imported(model, tmp_path)


def test_without_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(make_model([node("Relu", ["x"], ["y"])], [1, 3, 4, 4]), tmp_path)
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(UsageError) as error:
        read_onnx(path)
    assert error.value.write == "pip install 'striate[onnx]'"


def test_loading_by_name(tmp_path: Path) -> None:
    path = save(make_model([node("Relu", ["x"], ["y"])], ["N", 3, 4, "W"]), tmp_path)
    assert st.load(str(path), input=(3, 4, 5)).output_shape == (3, 4, 5)
    assert st.load(path, input=(3, 4, 5)).name == "net"
    assert st.inspect(path, input=(3, 4, 5)).nodes[1].name == "relu1"
    with pytest.raises(SourceError, match="there is no such file"):
        st.load(tmp_path / "none.onnx")
