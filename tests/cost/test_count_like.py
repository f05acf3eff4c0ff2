"""What other tools print, as measured with torchinfo 1.8.0, thop 0.1.1, ptflops 0.7.5, fvcore 0.1.5 and torch 2.13.

The numbers here are facts about those tools: each was run on the module people would write for the network (torchvision
0.28 for the named ones). The tools themselves are not needed.
"""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass

import pytest
from hypothesis import given

from properties.strategies import graphs
from striate import zoo
from striate.analysis.counting import TOOLS, count_like
from striate.errors import UsageError
from striate.graph import Graph, Layer, Node, network
from striate.units import Shape

ORDER = ("torchinfo", "thop", "ptflops", "ptflops-aten", "fvcore", "torch", "paper")


def three_convolutions() -> Graph:
    x = network("n", (16, 8, 8))
    for _ in range(3):
        x = x.conv(16, 3, padding=1, bias=False).relu()
    return x.build()


MAP = network("n", (16, 8, 8))
PROBES = {
    "conv": (MAP.conv(16, 3, padding=1, bias=False).build(), (), (147456,) * 5),
    "conv with bias": (
        network("n", (16, 8, 8)).conv(16, 3, padding=1).build(),
        (),
        (148480, 147456, 148480, 148480, 147456),
    ),
    "transposed convolution": (
        network("n", (16, 8, 8)).convtranspose(16, 4, stride=2, padding=1, bias=False).build(),
        (),
        (1048576, 1048576, 262144, 262144, 262144),
    ),
    "transposed convolution in groups": (
        network("n", (16, 8, 8)).convtranspose(32, 2, stride=2, groups=4, bias=False).build(),
        (),
        (131072, 131072, 32768, 32768, 32768),
    ),
    "padding same": (
        network("n", (16, 8, 8)).conv(16, 3, padding="same", bias=False).build(),
        (),
        (147456, 147456, 147456, 147456, 0),
    ),
    "batch normalisation": (network("n", (16, 8, 8)).batchnorm().build(), (), (32, 4096, 2048, 0, 2048)),
    "a convolution as a function": (
        network("n", (16, 8, 8)).conv(16, 3, padding=1, bias=False, name="f").build(),
        ("f",),
        (0, 0, 0, 147456, 147456),
    ),
    "a matrix product": (
        network("n", (4, 8, 8)).flatten().dense(256, bias=False, name="f").build(),
        ("f",),
        (0, 0, 0, 65536, 65536),
    ),
    "three convolutions, relu as a function": (
        three_convolutions(),
        ("relu1", "relu2", "relu3"),
        (442368, 442368, 445440, 442368, 442368),
    ),
    "all as functions": (
        network("n", (16, 8, 8)).conv(16, 3, padding=1).relu().adaptiveavgpool(2).flatten().dense(7).build(),
        ("conv1", "relu1", "adaptiveavgpool1", "dense1"),
        (0, 0, 2048, 148935, 148928),
    ),
    "depthwise": (network("n", (16, 8, 8)).conv(16, 3, groups=16, bias=False).build(), (), (5184,) * 5),
    "local response normalisation": (
        network("n", (8, 6, 6)).localresponsenorm(3).build(),
        (),
        (0, 0, 1224, 0, 0),
    ),
}

#: Networks with modules throughout, batch 1, 224 pixels (GoogLeNet without its auxiliary heads, U-Net of 572 pixels).
#: ConvNeXt's normalisations over channels as functions, which is how torchvision has some of them: thop and ptflops
#: count 8,580,096 and 2,145,024 more where they are modules.
NETWORKS = {
    "resnet18": (1814083944, 1824033792, 1825313768, 1814074344, 1819065856, 3628146688, 1814073344),
    "mobilenet_v3_large": (216621520, 234838456, 231316416, 216597120, 226033824, 433179520, 216589760),
    "googlenet": (1498391752, 1511332032, 1517133608, 1498377192, 1504878688, 2996752384, 1498376192),
    "alexnet": (714682664, 714206912, 716441128, 714682664, 714197696, 1428376960, 714188480),
    "unet": (167456910112, 167322556672, 150867255072, 150562777888, 150428424448, 300856848896, 150428424448),
    "convnext_tiny": (322371592, 4455569664, 4486202344, 4468966888, 4470437376, 8911062528, 4455531264),
    "efficientnet_b0": (385867108, 415145024, 410196896, 385825092, 401659392, 771629504, 385814752),
    "shufflenet_v2_x1_0": (144925172, 152759992, 152487920, 144908992, 148858568, 289815984, 144907992),
    "squeezenet1_1": (351741288, 349321936, 359982728, 351741288, 349320936, 698303872, 349151936),
}


@pytest.mark.parametrize(("graph", "functions", "counts"), PROBES.values(), ids=PROBES)
def test_probes(graph: Graph, functions: tuple[str, ...], counts: tuple[int, ...]) -> None:
    assert tuple(count_like(graph, tool, functions).count for tool in ORDER[:5]) == counts
    exact = count_like(graph, "paper").count
    assert count_like(graph, "torch", functions).count == 2 * exact


@pytest.mark.parametrize("name", NETWORKS)
def test_networks(name: str) -> None:
    graph = zoo.build(name)
    assert tuple(count_like(graph, tool).count for tool in ORDER) == NETWORKS[name]


@pytest.mark.parametrize(
    ("name", "functions", "counts"),
    [
        ("mobilenet_v2", 1, (300809384, 327486720, 320300008, 300775272, 314193216)),
        ("densenet121", 2, (2834246312, 2897007104, 2899843048, 2834162664, 2865546752)),
    ],
)
def test_torchvisions_networks_that_pool_by_a_function(name: str, functions: int, counts: tuple[int, ...]) -> None:
    """MobileNet V2 calls ``adaptive_avg_pool2d`` and DenseNet ``relu`` before it, instead of modules."""
    graph = zoo.build(name)
    last = [node.name for node in graph.nodes if node.layer.kind in ("relu", "globalavgpool")][-functions:]
    assert tuple(count_like(graph, tool, last).count for tool in ORDER[:5]) == counts


TORCHVISION = {
    "mobilenet_v2": (300809384, 327486720, 320300008, 300775272, 314193216),
    "densenet121": (2834246312, 2897007104, 2899843048, 2834162664, 2865546752),
}


@pytest.mark.parametrize("name", TORCHVISION)
def test_the_zoo_knows_how_torchvision_writes_it(name: str) -> None:
    graph = zoo.build(name)
    written = zoo.architectures()[name].written(graph)
    counts = tuple(count_like(graph, tool, writing=written).count for tool in ORDER[:5])
    assert counts == TORCHVISION[name]


#: Numbers behind each ReLU of GoogLeNet at 224 pixels (table 1 of the paper): places · the widths there, the widths of
#: the reductions included.
GOOGLENET_RELUS = (
    112**2 * 64
    + 56**2 * (64 + 192)
    + 28**2 * ((64 + 96 + 128 + 16 + 32 + 32) + (128 + 128 + 192 + 32 + 96 + 64))
    + 14**2
    * (
        (192 + 96 + 208 + 16 + 48 + 64)
        + (160 + 112 + 224 + 24 + 64 + 64)
        + (128 + 128 + 256 + 24 + 64 + 64)
        + (112 + 144 + 288 + 32 + 64 + 64)
        + (256 + 160 + 320 + 32 + 128 + 128)
    )
    + 7**2 * ((256 + 160 + 320 + 32 + 128 + 128) + (384 + 192 + 384 + 48 + 128 + 128))
)


@pytest.mark.parametrize(
    ("name", "tool", "change"),
    [
        # F.relu is seen once, nn.ReLU twice.
        ("googlenet", "ptflops", -GOOGLENET_RELUS),
        ("googlenet", "thop", 0),
        # x.mean instead of a pooling of 1024 maps of 7×7.
        ("shufflenet_v2_x1_0", "thop", -1024 * (49 + 1)),
        ("shufflenet_v2_x1_0", "ptflops", -2 * 1024 * 49),
        ("shufflenet_v2_x1_0", "fvcore", -1024 * 49),
        # nn.LayerNorm inside the blocks: measured with torchvision 0.28.
        ("convnext_tiny", "thop", 8_580_096),
        ("convnext_tiny", "ptflops", 2_145_024),
        ("convnext_tiny", "fvcore", 0),
        ("resnet18", "ptflops", 0),
    ],
)
def test_what_the_writing_changes(name: str, tool: str, change: int) -> None:
    graph = zoo.build(name)
    written = zoo.architectures()[name].written(graph)
    assert count_like(graph, tool, writing=written).count - count_like(graph, tool).count == change


@pytest.mark.parametrize("name", [name for name, entry in zoo.architectures().items() if entry.writing])
def test_every_pattern_names_a_layer(name: str) -> None:
    entry = zoo.architectures()[name]
    graph = entry.build()
    for pattern in entry.writing:
        assert any(fnmatch.fnmatchcase(node.name, pattern) for node in graph.nodes)


@given(graphs())
def test_the_reasons_add_up(graph: Graph) -> None:
    exact = sum(node.layer.macs(graph.input_shapes(node), graph.shapes[node.name]) for node in graph.nodes)
    for tool in TOOLS:
        like = count_like(graph, tool)
        assert like.macs == exact
        assert like.count == exact + sum(entry.amount for entry in like.differences)
        assert all(entry.amount and entry.nodes for entry in like.differences)
        assert count_like(graph, "paper").differences == ()


def test_a_reason_names_its_nodes_and_the_largest_stands_first() -> None:
    like = count_like(zoo.build("resnet18"), "ptflops")
    assert [(entry.reason.split(":")[0], len(entry.nodes)) for entry in like.differences] == [
        ("normalisation", 20),
        ("activation", 17),
        ("pooling", 2),
        ("the bias is counted, one for each output", 1),
    ]
    assert "counted at the module, and again at the function it calls" in like.differences[1].reason
    data = like.as_dict()
    assert data["count"] == like.count
    assert data["version"] == "0.7.5"
    assert data["unknown"] == []


def test_a_trace_leaves_out_what_leads_nowhere() -> None:
    x = network("n", (3, 8, 8))
    x.conv(4, 3, name="nowhere")
    graph = x.conv(4, 3, name="last").build()
    assert count_like(graph, "fvcore").count == 3888
    assert count_like(graph, "fvcore").differences[0].nodes == ("nowhere",)
    assert count_like(graph, "thop").count == 2 * 3888


@dataclass(frozen=True)
class Unheard(Layer):
    def output_shape(self, inputs: tuple[Shape, ...]) -> Shape:
        return inputs[0]


def test_a_layer_no_tool_was_measured_on_is_listed() -> None:
    before = network("n", (3, 8, 8)).conv(4, 3, name="first").build()
    graph = Graph("n", (*before.nodes, Node("last", Unheard(), ("first",))))
    assert all(count_like(graph, tool).unknown == ("last",) for tool in TOOLS)


def test_an_unknown_tool_and_an_unknown_node() -> None:
    with pytest.raises(UsageError) as caught:
        count_like(zoo.build("simple-cnn"), "torchinf")
    assert str(caught.value) == (
        "how 'torchinf' counts is not known\n"
        "  got:   torchinf\n"
        "  needs: one of torchinfo, thop, ptflops, ptflops-aten, fvcore, torch, paper\n"
        "  write: torchinfo"
    )
    with pytest.raises(UsageError, match="has no node 'conv9'"):
        count_like(zoo.build("simple-cnn"), "thop", ["conv9"])
