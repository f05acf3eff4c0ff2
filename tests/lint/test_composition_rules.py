"""The rules about composition, head, structure and weights: over random networks, and against torch and NumPy."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st

from lint.single_rules import OWN, found, numbers
from properties.running import node_values, random_inputs
from properties.strategies import ALL_KINDS, graphs
from striate.analysis import receptive_fields
from striate.backend import build_module
from striate.graph import Graph, Layer, Node, Parameter, network
from striate.graph.layers.activation import ReLU, Softmax
from striate.graph.layers.clipped import ReLU6
from striate.graph.layers.crop import Crop
from striate.graph.layers.input import Input
from striate.graph.layers.merge import Add
from striate.graph.layers.normalization import BatchNorm
from striate.graph.layers.opaque import Opaque
from striate.graph.layers.padding import Pad
from striate.graph.layers.pooling import AvgPool, MaxPool
from striate.graph.layers.resample import Upsample
from striate.graph.layers.reshape import Flatten
from striate.graph.layers.shuffle import ChannelShuffle, PixelShuffle
from striate.graph.layers.slicing import Slice
from striate.lint import Subject
from striate.lint.bounds import bounds
from striate.lint.mending import CannotEdit, apply_edits
from striate.lint.traits import DRAWS
from striate.sources import read_inline

WITHOUT_CHANCE = tuple(
    kind for kind in ALL_KINDS if kind not in ("dropout", "stochasticdepth", "stochasticpool", "fractionalmaxpool")
)


@given(graphs(), st.sampled_from((None, 1, 2, 8)), st.sampled_from((None, "cross-entropy", "bce", "mse")), st.data())
def test_no_rule_fails_on_any_network(net: Graph, batch: int | None, loss: str | None, data: st.DataObject) -> None:
    rng = np.random.default_rng(data.draw(st.integers(0, 9)))
    scale, kind = data.draw(st.sampled_from((0.0, 1e-30, 1.0, 1e30))), data.draw(st.sampled_from("efd"))
    with np.errstate(over="ignore"):
        weights = {name: (scale * rng.standard_normal(entry.shape)).astype(kind) for name, entry in net.parameters()}
    names = {node.name for node in net.nodes}
    for rule in OWN.values():
        for evidence in rule.check(Subject(net, weights, (), batch, loss)):
            assert evidence.node is None or evidence.node in names
            assert evidence.message
            assert not evidence.message.endswith(".")
            assert all(edit.node in names for edit in evidence.edits)
            assert not (evidence.edits and rule.fix == "none")


ON_VECTORS: tuple[Layer, ...] = (ReLU(), ReLU6(), Slice(), Flatten())
ON_MAPS: tuple[Layer, ...] = (
    *[ReLU(), ReLU6(), MaxPool(1), AvgPool(1), Pad(0), Crop(0), Upsample(1), Slice()],
    *[PixelShuffle(1), ChannelShuffle(1)],
)


def with_idle_layers(net: Graph, data: st.DataObject) -> Graph:
    """Layers that change nothing, or nothing of what arrives there, put behind nodes drawn at random."""
    nodes: list[Node] = []
    now: dict[str, str] = {}
    for node in net.nodes:
        nodes.append(replace(node, inputs=tuple(now[name] for name in node.inputs)))
        now[node.name] = node.name
        vector = len(net.shapes[node.name]) == 1
        for _ in range(data.draw(st.integers(0, 2))):
            layer = data.draw(st.sampled_from(ON_VECTORS if vector else ON_MAPS))
            name = f"idle_{len(nodes)}"
            nodes.append(Node(name, layer, (now[node.name],)))
            now[node.name] = name
    return Graph(net.name, tuple(nodes), tuple(now[name] for name in net.outputs), net.classes)


@given(graphs(max_nodes=6, kinds=WITHOUT_CHANCE), st.data())
@settings(max_examples=40)
def test_safe_edits_keep_every_output(net: Graph, data: st.DataObject) -> None:
    net = with_idle_layers(net, data)
    before = build_module(net)
    inputs = [2.0 * tensor - 1.5 for tensor in random_inputs(net)]
    for rule in OWN.values():
        edits = [edit for evidence in rule.check(Subject(net)) for edit in evidence.edits]
        if rule.fix != "safe" or not edits:
            continue
        try:
            changed = apply_edits(net, edits)
        except CannotEdit:
            continue
        assert len(changed) < len(net)
        after_edit = build_module(changed)
        state = before.state_dict()
        after_edit.load_state_dict({name: state[name] for name in after_edit.state_dict()})
        for train in (False, True):
            one, other = _outputs(before.train(train), net, inputs), _outputs(after_edit.train(train), changed, inputs)
            # A dead end that stopped training may be gone.
            for ours, theirs in zip(one, other if one else one, strict=True):
                torch.testing.assert_close(ours, theirs, rtol=1e-5, atol=1e-6, equal_nan=True)
        before.load_state_dict(state)


def _outputs(module: Any, graph: Graph, inputs: list[torch.Tensor]) -> list[torch.Tensor]:
    kept = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    try:
        with torch.no_grad():
            values = node_values(module, *inputs)
    except ValueError as error:
        # One value per channel: torch does not train such a network.
        if "more than 1" not in str(error):
            raise
        return []
    finally:
        module.load_state_dict(kept)
    return [values[name] for name in graph.outputs]


@given(graphs(max_nodes=8, kinds=WITHOUT_CHANCE))
def test_no_number_leaves_its_bounds(net: Graph) -> None:
    values = node_values(build_module(net).eval(), *(10.0 * tensor - 7.0 for tensor in random_inputs(net)))
    for name, known in bounds(net).items():
        value = values[name].detach().double()
        value = value[torch.isfinite(value)]
        if value.numel():
            slack = 1e-5 * max(1.0, float(value.abs().max()))
            assert known.low - slack <= float(value.min())
            assert float(value.max()) <= known.high + slack


@pytest.mark.parametrize(
    "text",
    [
        "conv 5 3 > conv 4 2",
        "conv 5 3 stride=2 > conv 4 3 stride=2",
        "conv 6 2x3 dilation=2 stride=3x1 > conv 4 3x2 dilation=1x2",
        "conv 8 1 > batchnorm > conv 4 3",
    ],
)
def test_two_convolutions_are_the_one_that_is_told(text: str) -> None:
    net = read_inline(text, input=(3, 16, 16))
    (evidence,) = found("N303", net)
    height, width, filters, parameters, _ = numbers(evidence.message.split("they are one ")[1])
    module = build_module(net).eval()
    # On one window the Jacobian is the weight of the merged convolution.
    fields = receptive_fields(net)[net.outputs[0]]
    assert [height, width] == [axis.size for axis in fields]
    window = torch.zeros(1, 3, int(height), int(width))
    small = build_module(net.with_input(tuple(window.shape[1:]))).eval()
    small.load_state_dict(module.state_dict())
    weight = torch.autograd.functional.jacobian(lambda x: small(x)[0, :, 0, 0], window)[:, 0]
    bias = small(window)[0, :, 0, 0]
    assert weight.numel() + bias.numel() == parameters
    assert len(bias) == filters
    x = torch.rand(2, 3, 16, 16)
    merged = F.conv2d(x, weight, bias, stride=tuple(int(axis.jump) for axis in fields))
    torch.testing.assert_close(merged, module(x), rtol=1e-4, atol=1e-5)


def test_a_classifier_without_activation_is_linear() -> None:
    net = read_inline("conv 8 3 > flatten > dense 5", input=(3, 8, 8))
    assert len(found("N303", net)) == 1
    module = build_module(net).double()
    x, y = torch.rand(2, 1, 3, 8, 8, dtype=torch.double)
    zero = module(torch.zeros_like(x))
    torch.testing.assert_close(module(x + y) + zero, module(x) + module(y))


@pytest.mark.parametrize("mean", [0.0, 1.0, -3.0])
def test_the_variance_behind_dropout(mean: float) -> None:
    net = read_inline("dropout 0.3 > batchnorm > conv 4 3")
    (evidence,) = found("N305", net)
    share = numbers(evidence.message.split("at most ")[1])[0] / 100
    x = mean + torch.randn(400_000, generator=torch.Generator().manual_seed(0))
    torch.manual_seed(0)
    assert float(x.var() / F.dropout(x, 0.3).var()) <= share * 1.01


def test_dropout_noise_and_lost_windows() -> None:
    (high,) = found("N307", read_inline("globalavgpool > dropout 0.7 > dense 10"))
    torch.manual_seed(0)
    noise = F.dropout(torch.ones(400_000), 0.7) - 1
    assert float(noise.square().mean()) == pytest.approx(numbers(high.message)[-1], rel=0.01)
    (pooled,) = found("N306", read_inline("relu > dropout 0.4 > maxpool 2 > globalavgpool > dense 10"))
    lost = F.max_pool2d(F.dropout(torch.ones(1, 1, 800, 800), 0.4), 2).eq(0).float().mean()
    assert float(lost) == pytest.approx(numbers(pooled.message)[-1] / 100, abs=0.002)


def test_batchnorm_of_one_and_of_two_values() -> None:
    net = read_inline("conv 4 3 > globalavgpool > batchnorm", input=(3, 8, 8))
    (one,) = found("N309", net, batch=1)
    assert OWN["N309"].severity != one.severity == "error"
    module = build_module(net).train()
    with pytest.raises(ValueError, match="more than 1 value per channel"):
        module(torch.rand(1, 3, 8, 8))
    (two,) = found("N309", net, batch=2)
    assert "-1 and 1" in two.message
    # At images far enough apart for epsilon not to count.
    torch.testing.assert_close(module(100 * torch.rand(2, 3, 8, 8)).abs(), torch.ones(2, 4), rtol=1e-2, atol=1e-2)


def test_the_average_behind_instance_normalisation_is_constant() -> None:
    net = read_inline("conv 4 3 > instancenorm affine=true > globalavgpool > dense 3", input=(3, 8, 8))
    (evidence,) = found("N313", net)
    averages = node_values(build_module(net), torch.rand(5, 3, 8, 8))[str(evidence.node)]
    torch.testing.assert_close(averages, torch.zeros(5, 4), rtol=0, atol=1e-5)


@pytest.mark.parametrize(("word", "function"), [("tanh", torch.tanh), ("sigmoid", torch.sigmoid)])
def test_how_sure_bounded_logits_can_be(word: str, function: Any) -> None:
    net = read_inline(f"globalavgpool > dense classes > {word}", classes=7)
    (evidence,) = found("N401", net, loss="cross-entropy")
    best = torch.full((7,), -100.0)
    best[0] = 100.0
    assert 100 * float(function(best).softmax(0)[0]) == pytest.approx(numbers(evidence.message)[-1], abs=0.06)


@pytest.mark.parametrize("count", [2, 10, 1000])
def test_the_least_loss_behind_softmax(count: int) -> None:
    (evidence,) = found("N402", read_inline(f"globalavgpool > dense {count} > softmax"), loss="cross-entropy")
    sure = F.one_hot(torch.tensor([0]), count).double()
    floor, best = numbers(evidence.message)[-2:]
    assert float(F.cross_entropy(sure, torch.tensor([0]))) == pytest.approx(floor, abs=6e-4)
    assert 100 * float(sure.softmax(1)[0, 0]) == pytest.approx(best, abs=0.06)


def test_the_least_loss_behind_sigmoid() -> None:
    (evidence,) = found("N403", read_inline("globalavgpool > dense 3 > sigmoid"), loss="bce")
    absent, present = numbers(evidence.message)[-2:]
    measure = F.binary_cross_entropy_with_logits
    assert float(measure(torch.tensor(0.0), torch.tensor(0.0))) == pytest.approx(absent, abs=6e-4)
    assert float(measure(torch.tensor(1.0), torch.tensor(1.0))) == pytest.approx(present, abs=6e-4)


def test_what_global_pooling_saves() -> None:
    body = "conv 16 3 same > relu > maxpool 2"
    net = read_inline(f"{body} > flatten > dense 100 > relu > dense 10")
    (evidence,) = found("N404", net)
    pooled = build_module(read_inline(f"{body} > globalavgpool > dense 100 > relu > dense 10"))
    assert numbers(evidence.message)[-1] == sum(tensor.numel() for tensor in pooled.parameters())
    assert numbers(evidence.message)[4] == sum(tensor.numel() for tensor in build_module(net).parameters())


def test_the_sizes_that_fit() -> None:
    net = read_inline("conv 64 3 stride=2 > maxpool 3 > conv 64 3 > relu > flatten > dense 10", input=(3, 30, 40))
    (evidence,) = found("N407", net)
    first, last, left, right = numbers(evidence.message.split("images of ")[1].replace("-", " "))
    module = build_module(net)

    def fits(height: int, width: int) -> bool:
        try:
            return bool(module(torch.zeros(1, 3, height, width)).numel())
        except RuntimeError:
            return False

    assert [size for size in range(24, 50) if fits(size, 40)] == list(range(int(first), int(last) + 1))
    assert [size for size in range(24, 60) if fits(30, size)] == list(range(int(left), int(right) + 1))


def test_the_rank_of_logits_behind_a_narrow_layer() -> None:
    net = read_inline("flatten > dense 4 > relu > dense 12", input=(1, 4, 4))
    (evidence,) = found("N409", net)
    logits = build_module(net).double()(torch.randn(50, 1, 4, 4, dtype=torch.double))
    assert np.linalg.matrix_rank(logits.detach().numpy()) <= numbers(evidence.message)[-1] == 5


@given(graphs(max_nodes=10))
def test_dead_ends_account_for_all_that_is_not_needed(net: Graph) -> None:
    needed, waiting = set(), list(net.outputs)
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += net[name].inputs
    dead = [node for node in net.nodes if node.name not in needed and node.layer.kind != "input"]
    evidence = found("N602", net)
    if not any(isinstance(node.layer, DRAWS) for node in dead):
        told = [edit.node for entry in evidence for edit in entry.edits]
        assert sorted(told) == sorted(node.name for node in dead)
    rest = replace(net, nodes=tuple(node for node in net.nodes if node not in dead))
    lost = [numbers(entry.message.split("output: ")[1]) for entry in evidence]
    assert sum(entry[0] for entry in lost) == net.parameter_count - rest.parameter_count


def test_a_call_with_parameters_that_nothing_reads_is_dead() -> None:
    own = (Parameter("weight_ih_l0", (32, 8), "weight"),)
    first = Node("l1", Opaque("torch.lstm", (4, 8), own), ("x",))
    last, end = Node("l2", Opaque("torch.lstm", (1, 8)), ("x",)), Node("end", Opaque("torch.abs", (4, 8)), ("x",))
    nodes = (Node("x", Input((4, 8))), first, last, end)
    (evidence,) = found("N602", Graph("n", nodes, ("end",)))
    assert evidence.message == "it reaches no output: 256 parameters and 0 MACs for nothing"
    assert found("N602", Graph("n", nodes, ("end", "l2"))) == []


@given(graphs(max_nodes=10))
def test_what_is_computed_twice_is_equal(net: Graph) -> None:
    evidence = found("N605", net)
    if evidence:
        values = node_values(build_module(net).eval(), *random_inputs(net))
        for entry in evidence:
            earlier = entry.message.split()[3]
            torch.testing.assert_close(values[str(entry.node)], values[earlier], equal_nan=True)


@given(graphs(max_nodes=6), st.data())
def test_operations_that_no_layer_describes_break_nothing(net: Graph, data: st.DataObject) -> None:
    names = [node.name for node in net.nodes]
    shapes = ((4,), (4, 8, 8), (2, 3, 4, 5, 6), (3, 0))
    nodes = list(net.nodes)
    for place in range(data.draw(st.integers(1, 3))):
        reads = tuple(data.draw(st.lists(st.sampled_from(names), max_size=3)))
        nodes.append(Node(f"opaque{place}", Opaque("torch.what", data.draw(st.sampled_from(shapes))), reads))
    last = nodes[-1].name
    nodes += [
        Node("behind", ReLU(), (last,)),
        Node("twice", ReLU(), ("behind",)),
        Node("probability", Softmax(), (last,)),
    ]
    whole = Graph("opaque", tuple(nodes), (*net.outputs, "twice"), net.classes)
    for rule in OWN.values():
        for evidence in rule.check(Subject(whole, batch=1, loss="cross-entropy")):
            assert evidence.node is None or evidence.node in whole.shapes


def twice(second: Any, **shares: str) -> Graph:
    """A chain with two convolutions, where some nodes use the tensors of others."""
    x = network("n", (4, 8, 8)).conv(4, 3, padding="same").batchnorm().relu().conv(4, 3, padding="same")
    net = second(x).build()
    return replace(net, nodes=tuple(replace(node, shares=shares.get(node.name)) for node in net.nodes))


def test_a_shared_bias_counts_where_one_place_uses_it() -> None:
    both = twice(lambda x: x.batchnorm(), conv2="conv1")
    (evidence,) = found("N301", both)
    assert evidence.node == "conv1"
    assert apply_edits(both, evidence.edits).parameter_count == both.parameter_count - 4
    assert found("N301", twice(lambda x: x.relu(), conv2="conv1")) == []


def test_twins_share_their_statistics_knowingly() -> None:
    inputs = tuple(Node(name, Input((4, 8, 8))) for name in ("left", "right"))
    twins = (Node("one", BatchNorm(), ("left",)), Node("other", BatchNorm(), ("right",), shares="one"))
    (evidence,) = found("N604", Graph("twins", (*inputs, *twins, Node("sum", Add(), ("one", "other")))))
    assert evidence.severity == "info"
    (mixed,) = found("N604", twice(lambda x: x.batchnorm(), batchnorm2="batchnorm1"))
    assert mixed.severity is None
