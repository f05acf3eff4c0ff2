"""Random modules: imported with torch's own shapes and counts, or refused with an error of ours."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from striate.analysis import cost, inspect, memory, misalignments
from striate.errors import StriateError
from striate.graph.layers.input import Input
from striate.sources.torch_module import import_module

Step = Callable[[nn.Module, Tensor], Any]


def _parameter(m: Any, x: Tensor) -> Tensor:
    return x + m.scale.view(1, -1, *(1,) * (x.dim() - 2))[:, : x.shape[1]]


def _into_a_slice(m: Any, x: Tensor) -> Tensor:
    x = x.clone()
    x[:, :1] = x[:, :1] * 2
    return x


#: Calls as people write them; many do not fit what arrives, which is the point.
STEPS: dict[str, Step] = {
    "conv": lambda m, x: m.conv(x),
    "strided": lambda m, x: m.strided(x),
    "grouped": lambda m, x: F.conv2d(x, m.grouped, groups=2),
    "transposed": lambda m, x: m.transposed(x),
    "norm": lambda m, x: m.norm(x),
    "groupnorm": lambda m, x: F.group_norm(x, 2),
    "layernorm": lambda m, x: F.layer_norm(x, x.shape[1:]),
    "last": lambda m, x: F.layer_norm(x, x.shape[-1:]),
    "relu": lambda m, x: F.relu(x),
    "relu in place": lambda m, x: F.relu_(x) if x.is_floating_point() else x,
    "gelu": lambda m, x: F.gelu(x),
    "pool": lambda m, x: F.max_pool2d(x, 2),
    "ceil": lambda m, x: F.avg_pool2d(x, 3, 2, 1, ceil_mode=True),
    "adaptive": lambda m, x: F.adaptive_avg_pool2d(x, (3, 2)),
    "global": lambda m, x: x.mean((2, 3), keepdim=True),
    "vector": lambda m, x: x.mean((-2, -1)),
    "flatten": lambda m, x: x.flatten(1),
    "view": lambda m, x: x.view(x.shape[0], -1),
    "halves": lambda m, x: torch.cat(x.chunk(2, 1)[::-1], 1),
    "channels last": lambda m, x: x.permute(0, 2, 3, 1),
    "channels first": lambda m, x: x.permute(0, 3, 1, 2),
    "transpose": lambda m, x: x.transpose(1, -1),
    "tokens": lambda m, x: x.flatten(2).transpose(1, 2),
    "groups": lambda m, x: x.view(x.shape[0], 2, x.shape[1] // 2, *x.shape[2:]),
    "join": lambda m, x: x.flatten(1, 2),
    "swap": lambda m, x: x.transpose(1, 2).contiguous(),
    "linear": lambda m, x: m.linear(x),
    "scale": lambda m, x: x * 0.5 + 1,
    "parameter": _parameter,
    "residual": lambda m, x: x + m.conv(x),
    "gate": lambda m, x: x * torch.sigmoid(x.mean((2, 3), keepdim=True)),
    "crop": lambda m, x: x[..., 1:-1],
    "every other": lambda m, x: x[:, :, ::2, ::2],
    "one channel": lambda m, x: x[:, 0],
    "new axis": lambda m, x: x[:, None],
    "pad": lambda m, x: F.pad(x, (1, 0, 2, 1)),
    "upsample": lambda m, x: F.interpolate(x, scale_factor=2),
    "resize": lambda m, x: F.interpolate(x, size=(5, 6), mode="bilinear", align_corners=True),
    "shuffle": lambda m, x: F.pixel_shuffle(x, 2),
    "unshuffle": lambda m, x: F.pixel_unshuffle(x, 2),
    "matmul": lambda m, x: x @ x.transpose(-1, -2),
    "einsum": lambda m, x: torch.einsum("bchw,bdhw->bcd", x, x),
    "softmax": lambda m, x: x.softmax(1),
    "softmax last": lambda m, x: x.softmax(-1),
    "sort": lambda m, x: x.sort(dim=1).values,
    "stack": lambda m, x: torch.stack([x, x], 2).flatten(1, 2),
    "slice": _into_a_slice,
    "in place": lambda m, x: x.add_(1) if x.is_floating_point() else x,
    "norm of x": lambda m, x: x / (x.norm(dim=1, keepdim=True) + 1e-6),
    "branch": lambda m, x: x if x.sum() > 0 else -x,
    "item": lambda m, x: x * x.max().item(),
    "first": lambda m, x: x[0],
    "fixed": lambda m, x: x.view(4, -1),
    "all": lambda m, x: x - x.mean(),
    "sum over the batch": lambda m, x: x.sum(0),
    "pair": lambda m, x: x.max(1),
    "error": lambda m, x: {}["nothing"],
    "half": lambda m, x: x.half(),
    "indices": lambda m, x: x.argmax(1),
    "fft": lambda m, x: torch.fft.rfft2(x).abs(),
}


def lax(error: Exception) -> bool:
    """Whether whole numbers cannot be pooled on this device, or an axis is not there, which torch checks late."""
    return "not implemented for" in str(error) or "out of range" in str(error)


class Chain(nn.Module):
    """Steps, one after the other."""

    def __init__(self, steps: list[str]) -> None:
        super().__init__()
        self.steps = steps
        self.conv = nn.Conv2d(8, 8, 3, padding=1)
        self.strided = nn.Conv2d(8, 16, (3, 2), stride=2, bias=False)
        self.transposed = nn.ConvTranspose2d(8, 4, 2, 2)
        self.grouped = nn.Parameter(torch.rand(8, 4, 1, 1))
        self.norm = nn.BatchNorm2d(8)
        self.linear = nn.Linear(8, 8)
        self.scale = nn.Parameter(torch.rand(16))

    def forward(self, x: Tensor) -> Any:
        for step in self.steps:
            x = STEPS[step](self, x)
            x = x[0] if isinstance(x, tuple) else x
        return x


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=7), st.sampled_from([(8, 8, 8), (8, 5, 6)]))
def test_a_chain_of_anything_is_imported_or_refused(steps: list[str], shape: tuple[int, ...]) -> None:
    module = Chain(steps).eval()
    before = {name: entry.clone() for name, entry in module.state_dict().items()}
    try:
        graph = import_module(module, shape)
    except StriateError:
        graph = None
    assert all(torch.equal(entry, before[name]) for name, entry in module.state_dict().items())
    if graph is None or {"half", "sum over the batch"} & set(steps):
        # Whether numbers of half precision can be computed depends on the device; without a batch torch checks less.
        return
    try:
        with torch.no_grad():
            out = module(torch.rand(3, *shape))
    except (RuntimeError, IndexError) as error:
        if not lax(error):
            raise
        return
    report = inspect(graph)
    for numbers in (cost, memory, misalignments):
        numbers(graph)
    assert report.parameters == sum(entry.numel() for entry in module.parameters())
    if out.shape[:1] == (3,) and out.dim() > 1 and not {"all", "sum over the batch", "fixed"} & set(steps):
        assert graph.output_shape == tuple(out.shape[1:])
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            module(torch.rand(3, *shape))
        assert report.uncounted or 2 * report.macs * 3 == counter.get_total_flops()


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.sampled_from(sorted(set(STEPS) - {"branch", "item", "error", "half", "sum over the batch"})),
        min_size=1,
        max_size=4,
    )
)
def test_what_an_output_reads_is_inside_its_receptive_field(steps: list[str]) -> None:
    """The gradient of one output number, against the field of its node."""
    shape = (8, 9, 9)
    module = Chain(steps).eval()
    try:
        graph = import_module(module, shape)
        report = inspect(graph)
    except StriateError:
        return
    node = report.nodes[[entry.name for entry in report.nodes].index(graph.outputs[0])]
    image = torch.rand(1, *shape, requires_grad=True)
    try:
        out = module(image.clone())
    except (RuntimeError, IndexError) as error:
        if not lax(error):
            raise
        return
    if out.shape[:1] != (1,) or not out.requires_grad or not node.field or len(node.shape) != 3:
        return
    if tuple(out.shape[1:]) != node.shape or isinstance(graph[node.name].layer, Input):
        return
    middle = tuple(size // 2 for size in node.shape[1:])
    try:
        out[(0, slice(None), *middle)].sum().backward()
    except RuntimeError:
        # Something was written in place that the gradient needs.
        return
    assert image.grad is not None
    for axis, place in enumerate(middle):
        seen = image.grad.abs().sum(tuple(other for other in range(4) if other != axis + 2)).nonzero().flatten()
        low, high = node.field[axis].at(place, shape[1 + axis])
        assert all(low <= int(index) <= high for index in seen), (node.name, axis, low, high, seen)
