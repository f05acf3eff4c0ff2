"""Modules as people write them, imported: against counts by hand, torch's counter, and torch's own shapes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint
from torch.utils.flop_counter import FlopCounterMode

from importing.modules import PROBES, Attention, ChannelsLast, Gated, SharedConv, TwoHeads
from striate.analysis import cost, inspect, memory
from striate.analysis.receptive_field import receptive_fields
from striate.graph import Graph
from striate.sources.torch_module import import_module


class Lambda(nn.Module):
    """A forward pass written in one line."""

    def __init__(self, compute: Any, **children: nn.Module) -> None:
        super().__init__()
        self.compute = compute
        for name, child in children.items():
            self.add_module(name, child)

    def forward(self, *inputs: Tensor) -> Any:
        return self.compute(self, *inputs)


def kinds(graph: Graph) -> list[str]:
    return [node.layer.kind for node in graph.nodes[1:]]


@pytest.mark.parametrize("name", PROBES)
def test_the_probe_table(name: str) -> None:
    make, shape, macs, parameters = PROBES[name]
    report = inspect(import_module(make(), shape))
    assert (report.macs, report.parameters, report.uncounted) == (macs, parameters, ())


@pytest.mark.parametrize(
    ("make", "shape"),
    [(Gated, (16, 8, 8)), (ChannelsLast, (16, 8, 8)), (TwoHeads, ((3, 8, 8), (1, 8, 8))), (Attention, (3, 32, 32))],
)
def test_macs_parameters_and_outputs_of_composed_modules(make: type[nn.Module], shape: Any) -> None:
    with torch.device("meta"):
        module = make().eval()
    graph = import_module(module, shape)
    report = inspect(graph)
    shapes = shape if isinstance(shape[0], tuple) else (shape,)
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        out = module(*(torch.empty(1, *entry, device="meta") for entry in shapes))
    assert 2 * report.macs == counter.get_total_flops()
    assert report.parameters == sum(entry.numel() for entry in module.parameters())
    outputs = list(out.values()) if isinstance(out, dict) else [out]
    assert [graph.shapes[name] for name in graph.outputs] == [tuple(entry.shape[1:]) for entry in outputs]
    assert report.uncounted == ()


def test_a_shuffle_by_views_and_a_gate_are_layers() -> None:
    graph = import_module(Gated(), (16, 8, 8))
    assert kinds(graph)[:7] == ["conv", "globalavgpool", "dense", "relu", "dense", "sigmoid", "opaque"]
    assert kinds(graph)[7:] == ["multiply", "channelshuffle", "slice", "slice", "concat", "add", "slice", "slice"]
    assert graph["channelshuffle1"].layer.groups == 4  # type: ignore[attr-defined]


def test_channels_behind_are_the_same_maps_as_channels_in_front() -> None:
    graph = import_module(ChannelsLast(), (16, 8, 8))
    assert set(graph.shapes.values()) == {(16, 8, 8), (64, 8, 8)}
    assert all(field.size == 1 for fields in receptive_fields(graph).values() for field in fields)


def test_several_inputs_and_outputs_have_their_names() -> None:
    graph = import_module(TwoHeads(), ((3, 8, 8), (1, 8, 8)))
    assert [node.name for node in graph.inputs] == ["image", "depth"]
    assert graph.outputs == ("add1", "globalmaxpool1")


def test_a_shared_convolution_counts_its_weights_once_and_its_work_each_time() -> None:
    module = SharedConv()
    graph = import_module(module, (16, 8, 8))
    assert [node.shares for node in graph.nodes if node.layer.kind == "conv"] == [None, "conv", "conv"]
    assert [node.parameters for node in inspect(graph).nodes if node.kind == "conv"] == [2304, 0, 0]
    assert memory(graph).weights == 4 * 2304


def test_parameters_tied_between_modules_are_one() -> None:
    first, second = nn.Conv2d(8, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1, dilation=1)
    second.weight, second.bias = first.weight, first.bias
    graph = import_module(nn.Sequential(first, second), (8, 8, 8))
    assert graph.parameter_count == 8 * 8 * 9 + 8
    assert graph.nodes[2].shares == "layer0"


def test_weights_that_are_tied_in_part_count_once_too() -> None:
    first, second = nn.Conv2d(8, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)
    second.weight = first.weight
    module = nn.Sequential(first, second)
    report = inspect(import_module(module, (8, 8, 8)))
    assert report.parameters == sum(entry.numel() for entry in module.parameters()) == 8 * 8 * 9 + 16
    assert report.macs == 2 * 64 * 576
    assert [field.size for field in report.nodes[-1].field] == [5, 5]


def test_parameters_that_nothing_uses_stand_at_the_end() -> None:
    module = Lambda(lambda m, x: m.used(x), used=nn.Conv2d(3, 4, 1), spare=nn.Linear(5, 6))
    graph = import_module(module, (3, 8, 8))
    assert graph.outputs == ("used",)
    assert graph.nodes[-1].name == "spare"
    assert graph.nodes[-1].layer.operation == "unused parameters"  # type: ignore[attr-defined]
    assert graph.parameter_count == sum(entry.numel() for entry in module.parameters())


def test_weights_that_are_computed_or_not_trained_work_like_their_layer() -> None:
    def standardised(m: nn.Module, x: Tensor) -> Tensor:
        weight = m.conv.weight
        weight = (weight - weight.mean((1, 2, 3), keepdim=True)) / weight.std((1, 2, 3), keepdim=True)
        return F.conv2d(x, weight, m.conv.bias, padding=1)

    report = inspect(import_module(Lambda(standardised, conv=nn.Conv2d(3, 4, 3)), (3, 8, 8)))
    assert (report.parameters, report.macs, report.nodes[-1].field[0].size) == (112, 6912, 3)
    blur = torch.ones(3, 1, 3, 3) / 9
    report = inspect(import_module(Lambda(lambda m, x: F.conv2d(x, blur, groups=3, stride=2)), (3, 9, 9)))
    assert (report.parameters, report.macs, report.nodes[-1].field[0].size) == (0, 432, 3)


def test_parametrisations_are_followed() -> None:
    module = nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 4, 3)))
    graph = import_module(module, (3, 8, 8))
    assert graph.parameter_count == sum(entry.numel() for entry in module.parameters()) == 4 + 4 * 27 + 4
    assert inspect(graph).macs == 36 * 4 * 27


@pytest.mark.parametrize(
    ("compute", "expected"),
    [
        (lambda x: x.flatten(1), ["flatten"]),
        (lambda x: x.view(x.size(0), -1), ["flatten"]),
        (lambda x: x.reshape(len(x), -1), ["flatten"]),
        (lambda x: x.mean([-1, -2], keepdim=True), ["globalavgpool"]),
        (lambda x: x.flatten(2).mean(-1), ["globalavgpool"]),
        (lambda x: F.adaptive_avg_pool2d(x, 1).squeeze(-1).squeeze(-1), ["globalavgpool", "flatten"]),
        (lambda x: F.pixel_shuffle(x, 2), ["pixelshuffle"]),
        (lambda x: x.view(-1, 2, 2, 2, 8, 8).permute(0, 1, 4, 2, 5, 3).reshape(-1, 2, 16, 16), ["pixelshuffle"]),
        (lambda x: torch.stack(x.chunk(2, 1), 2).flatten(1, 2), ["slice", "slice", "concat", "channelshuffle"]),
        (lambda x: x + 0, ["identity"]),
        (lambda x: sum([x, x]), ["add"]),
        (lambda x: x[..., ::2], ["slice"]),
        (lambda x: F.interpolate(x, scale_factor=2, mode="bilinear"), ["upsample"]),
        (lambda x: F.interpolate(x, size=(5, 7)), ["resize"]),
        (lambda x: F.pad(x, (1, 2, 3, 4), mode="reflect"), ["pad"]),
        (lambda x: F.pad(x, (-1, -1)), ["crop"]),
        (lambda x: F.pad(x, (0, 0, 0, 0, 0, 3)), ["channelpad"]),
        (lambda x: torch.cat([x, torch.zeros_like(x)], 1), ["channelpad"]),
        (lambda x: x.softmax(1), ["softmax"]),
        (lambda x: x.permute(0, 2, 3, 1).softmax(-1).permute(0, 3, 1, 2), ["softmax"]),
        (lambda x: F.relu(x, inplace=True), ["relu"]),
        (lambda x: x.relu_().add_(x), ["relu", "add"]),
        (lambda x: F.max_pool2d(x, 3, 2, 1, ceil_mode=True), ["maxpool"]),
        (lambda x: F.hardtanh(x, 0, 6), ["relu6"]),
        (lambda x: x.clone().contiguous().float().to("cpu"), ["identity"]),
        (lambda x: F.dropout2d(x, 0.2, training=True), ["dropout"]),
        (lambda x: x.repeat_interleave(2, 2), ["upsample"]),
        (lambda x: F.group_norm(x, 4), ["groupnorm"]),
        (lambda x: F.layer_norm(x, (8, 8, 8)), ["layernorm"]),
        (lambda x: x * torch.sigmoid(x), ["sigmoid", "multiply"]),
    ],
)
def test_calls_that_are_layers(compute: Any, expected: list[str]) -> None:
    module = Lambda(lambda m, x: compute(x))
    graph = import_module(module, (8, 8, 8))
    out = compute(torch.rand(2, 8, 8, 8))
    assert graph.output_shape == tuple(out.shape[1:])
    assert kinds(graph) == (expected if expected != ["identity"] else [])


@pytest.mark.parametrize(
    ("compute", "macs", "counted"),
    [
        (lambda x: torch.fft.fft2(x).real, 0, False),
        (lambda x: x * 2.5 - 1, 0, True),
        (lambda x: x.sort(1).values, 0, True),
        (lambda x: torch.einsum("bchw,bdhw->bcd", x, x), 8 * 8 * 64, True),
        (lambda x: torch.bmm(x.flatten(2), x.flatten(2).transpose(1, 2)), 8 * 8 * 64, True),
        (lambda x: x.cumsum(2), 0, True),
        (lambda x: x / x.norm(dim=1, keepdim=True), 0, True),
        (lambda x: F.unfold(x, 3), 0, True),
        (lambda x: F.interpolate(x, scale_factor=2, mode="bicubic"), 0, True),
    ],
)
def test_calls_that_no_layer_describes(compute: Any, macs: int, counted: bool) -> None:
    graph = import_module(Lambda(lambda m, x: compute(x)), (8, 8, 8))
    report = inspect(graph)
    assert graph.output_shape == tuple(compute(torch.rand(2, 8, 8, 8)).shape[1:])
    assert (report.macs, report.uncounted == ()) == (macs, counted)
    assert bool(cost(graph).uncounted) or counted


def test_what_is_written_in_place_reaches_whoever_reads_it_later() -> None:
    def forward(m: nn.Module, x: Tensor) -> Tensor:
        y = m.conv(x)
        y[:, :2] = m.other(x)
        return y

    module = Lambda(forward, conv=nn.Conv2d(3, 4, 1), other=nn.Conv2d(3, 2, 3, padding=1))
    graph = import_module(module, (3, 8, 8))
    assert [field.size for field in receptive_fields(graph)[graph.outputs[0]]] == [10, 10]

    def through_a_view(m: nn.Module, x: Tensor) -> Tensor:
        y = m.conv(x)
        y.view(-1, 4, 64)[:, :, :3].mul_(m.other(x).mean())
        return y

    graph = import_module(Lambda(through_a_view, conv=module.conv, other=module.other), (3, 8, 8))
    reached, waiting = set(), list(graph.outputs)
    while waiting:
        name = waiting.pop()
        reached.add(name)
        waiting += graph[name].inputs
    assert {"conv", "other", "input"} <= reached


def test_names_and_origins_lead_to_the_authors_code() -> None:
    graph = import_module(Gated(), (16, 8, 8))
    origins = {node.name: node.origin for node in graph.nodes}
    assert origins["input"] is None
    assert all(origin and "importing/modules.py:" in origin for name, origin in origins.items() if name != "input")
    assert {"conv", "fc1", "fc2", "relu1", "add1"} <= set(origins)


def test_a_hundred_gigabytes_of_weights_take_no_memory() -> None:
    import resource

    with torch.device("meta"):
        module = nn.Sequential(nn.Flatten(), nn.Linear(3 * 1000 * 1000, 8192), nn.ReLU(), nn.Linear(8192, 100_000))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    graph = import_module(module, (3, 1000, 1000))
    assert 4 * graph.parameter_count > 100 * 10**9 * 0.9
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_modules_of_any_type(dtype: torch.dtype) -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Flatten(), nn.Linear(144, 2)).to(dtype)
    assert inspect(import_module(module, (3, 8, 8))).macs == 36 * 108 + 288


def test_modules_of_one_and_three_dimensions() -> None:
    line = nn.Sequential(nn.Conv1d(2, 4, 3, padding=2, dilation=2), nn.AvgPool1d(2), nn.ConvTranspose1d(4, 2, 4, 2, 1))
    assert import_module(line, (2, 16)).output_shape == (2, 16)
    volume = nn.Sequential(nn.Conv3d(1, 4, 3), nn.InstanceNorm3d(4, affine=True), nn.MaxPool3d(2), nn.PReLU(4))
    assert kinds(import_module(volume, (1, 8, 8, 8))) == ["conv", "instancenorm", "maxpool", "prelu"]


def test_evaluation_is_what_is_imported_whatever_the_mode() -> None:
    def forward(m: nn.Module, x: Tensor) -> Any:
        return (m.conv(x), m.spare(x)) if m.training else m.conv(x)

    module = Lambda(forward, conv=nn.Conv2d(3, 4, 1), spare=nn.Conv2d(3, 4, 3)).train()
    assert import_module(module, (3, 8, 8)).outputs == ("conv",)
    assert module.training


class Doubled(torch.autograd.Function):
    """A function of the author's own."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        return x.clamp(min=0) * 2

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        return gradients[0]


def tokens(x: Tensor) -> Tensor:
    return x.flatten(2).transpose(1, 2)


ODD: dict[str, Callable[[], nn.Module]] = {
    "attention": lambda: Lambda(lambda m, x: m.a(*[tokens(x)] * 3)[0], a=nn.MultiheadAttention(8, 2, batch_first=True)),
    "encoder": lambda: Lambda(lambda m, x: m.a(tokens(x)), a=nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)),
    "recurrent": lambda: Lambda(lambda m, x: m.a(tokens(x))[0], a=nn.LSTM(8, 6, batch_first=True)),
    "own function": lambda: Lambda(lambda m, x: Doubled.apply(m.c(x)), c=nn.Conv2d(8, 8, 1)),
    "checkpoint": lambda: Lambda(lambda m, x: checkpoint(m.c, x, use_reentrant=False), c=nn.Conv2d(8, 8, 1)),
    "spectral norm": lambda: nn.Sequential(nn.utils.parametrizations.spectral_norm(nn.Conv2d(8, 4, 3))),
    "data parallel": lambda: nn.DataParallel(nn.Conv2d(8, 4, 3)),
    "where": lambda: Lambda(lambda m, x: torch.where(x > 0, x, x * 0.1)),
    "grid": lambda: Lambda(
        lambda m, x: F.grid_sample(
            x,
            F.affine_grid(torch.eye(2, 3).repeat(len(x), 1, 1), list(x.shape), align_corners=False),
            align_corners=False,
        )
    ),
    "embedding": lambda: Lambda(lambda m, x: x + m.e(torch.arange(16)).T.reshape(1, 8, 4, 4), e=nn.Embedding(16, 8)),
    "windows": lambda: Lambda(
        lambda m, x: m.l(x.view(-1, 8, 2, 2, 2, 2).permute(0, 2, 4, 3, 5, 1).reshape(-1, 4, 8)).view(-1, 16, 8),
        l=nn.Linear(8, 8),
    ),
    "traced": lambda: torch.fx.symbolic_trace(nn.Sequential(nn.Conv2d(8, 8, 1), nn.ReLU())),
    "nothing": nn.Identity,
    "again": lambda: nn.Sequential(*[nn.Conv2d(8, 8, 1)] * 2),
}


@pytest.mark.parametrize("name", ODD)
def test_odd_modules(name: str) -> None:
    module = ODD[name]().eval()
    graph = import_module(module, (8, 4, 4))
    with torch.no_grad():
        out = module(torch.rand(3, 8, 4, 4))
    assert graph.output_shape == tuple(out.shape[1:])
    assert graph.parameter_count == sum(entry.numel() for entry in module.parameters())
    cost(graph)
    memory(graph)


def test_parameters_that_are_not_registered_are_told() -> None:
    stray = [nn.Conv2d(8, 4, 1)]
    graph = import_module(Lambda(lambda m, x: stray[0](x)), (8, 4, 4))
    assert graph.parameter_count == 0
    assert graph.nodes[-1].layer.operation == "torch.conv2d with unregistered parameters"  # type: ignore[attr-defined]
