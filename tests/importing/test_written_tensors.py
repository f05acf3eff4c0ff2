"""Numbers written into a tensor, parts that cannot be seen, and images that are mixed."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import striate as st
from striate.errors import SourceError


class Writing(nn.Module):
    """``write`` puts the second convolution's result into a fresh tensor."""

    def __init__(self, write: Callable[[Tensor, Tensor], object]) -> None:
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)
        self.write = write

    def forward(self, x: Tensor) -> Tensor:
        y = self.first(x)
        out = torch.zeros_like(y)
        self.write(out, self.second(y))
        return y + out


def _slice(out: Tensor, new: Tensor) -> None:
    out[:, :4] = new[:, :4]


WRITES: dict[str, Callable[[Tensor, Tensor], object]] = {
    "slice": _slice,
    "whole": lambda out, new: out.copy_(new),
    "view": lambda out, new: out[:, 2:6].copy_(new[:, 2:6]),
    "index_copy": lambda out, new: out.index_copy_(1, torch.arange(8), new),
    "scatter": lambda out, new: out.scatter_(1, torch.zeros_like(new, dtype=torch.long), new),
    "out": lambda out, new: torch.add(new, 1, out=out),
    "out of a view": lambda out, new: torch.add(new, 1, out=out[:]),
    "sum": lambda out, new: out.add_(new),
}


@pytest.mark.parametrize("way", WRITES)
def test_what_is_written_into_a_fresh_tensor_is_read_from_it(way: str) -> None:
    graph = st.load(Writing(WRITES[way]), input=(3, 16, 16))
    reached, waiting = set(), list(graph.outputs)
    while waiting:
        name = waiting.pop()
        reached.add(name)
        waiting += graph[name].inputs
    assert {"first", "second"} <= reached
    # Torch agrees: the second convolution gets a gradient.
    if way not in ("out", "out of a view"):
        module = Writing(WRITES[way])
        module(torch.rand(1, 3, 8, 8)).sum().backward()
        assert module.second.weight.grad is not None


class Parts(nn.Module):
    def __init__(self, part: nn.Module) -> None:
        super().__init__()
        self.first, self.part = nn.Conv2d(3, 8, 3), part

    def forward(self, x: Tensor) -> Tensor:
        y = self.first(x)
        return y + self.part(y)


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
@pytest.mark.parametrize("way", ["script", "trace"])
def test_scripted_parts_are_refused_by_name_and_stay(way: str) -> None:
    plain = nn.Sequential(nn.Conv2d(8, 8, 1), nn.BatchNorm2d(8) if way == "script" else nn.ReLU())
    example = torch.zeros(2, 8, 4, 4)
    part = torch.jit.script(plain) if way == "script" else torch.jit.trace(plain, example)
    module = Parts(part)
    before = {name: entry.clone() for name, entry in module.state_dict().items()}
    with pytest.raises(SourceError, match="the part part is scripted or traced") as caught:
        st.load(module, input=(3, 8, 8))
    assert "test_written_tensors.py" in str(caught.value)
    assert all(torch.equal(entry, before[name]) for name, entry in module.state_dict().items())


class Rows(nn.Module):
    def __init__(self, *, again: bool) -> None:
        super().__init__()
        self.conv, self.head, self.again = nn.Conv2d(3, 8, 3, padding=1), nn.Linear(512, 10), again

    def forward(self, x: Tensor) -> Tensor:
        rows = self.head(self.conv(x).view(-1, 512))
        return rows.view(x.shape[0], -1, 10).mean(1) if self.again else rows


def test_several_rows_for_an_image_are_refused_unless_put_together_again() -> None:
    assert Rows(again=False)(torch.rand(2, 3, 16, 16)).shape == (8, 10)
    with pytest.raises(SourceError, match="the images of a batch are mixed") as caught:
        st.load(Rows(again=False), input=(3, 16, 16))
    assert "test_written_tensors.py" in str(caught.value.where)
    assert "Tensor.view makes" in str(caught.value.got)
    assert st.load(Rows(again=True), input=(3, 16, 16)).output_shape == (10,)


class Asking(nn.Module):
    def __init__(self, ask: Callable[[Tensor], object]) -> None:
        super().__init__()
        self.conv, self.ask = nn.Conv2d(3, 8, 3), ask

    def forward(self, x: Tensor) -> object:
        return self.ask(self.conv(x))


def _exit(x: Tensor) -> None:
    raise SystemExit(3)


@pytest.mark.parametrize(
    ("ask", "told"),
    [
        (lambda y: y[y > 0], r"torch\.where\(mask, x, 0\)"),
        (torch.vmap(lambda one: one * 2), "without vmap"),
        (lambda y: torch.sparse.mm(torch.eye(6).to_sparse(), y[:, 0, 0].T), "dense tensors"),
        (_exit, "SystemExit: 3"),
    ],
)
def test_what_needs_numbers_is_told_in_words(ask: Callable[[Tensor], object], told: str) -> None:
    with pytest.raises(SourceError, match=told) as caught:
        st.load(Asking(ask), input=(3, 8, 8))
    assert "test_written_tensors.py" in str(caught.value)
    assert "fake impl" not in str(caught.value)


FILE = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, fault):
        super().__init__()
        with open({log!r}, "a") as file:
            file.write(torch.get_default_device().type + "\\n")
        self.conv, self.fault = nn.Conv2d(3, 4, 3), fault
        self.kept = torch.ones(2)
        if fault == "init":
            raise ValueError("no")
        if fault == "init numbers":
            float(self.kept.sum())

    def forward(self, x):
        y = self.conv(x)
        if self.fault == "image" and y.sum() > 0:
            y = y * 2
        if self.fault == "shape":
            y = y @ torch.ones(999, 2)
        if self.fault == "numbers":
            y = y * float(self.kept[0])
        return y
"""


@pytest.mark.parametrize(
    ("fault", "made"),
    [
        ("none", ["meta"]),
        ("image", ["meta"]),
        ("shape", ["meta"]),
        ("init", ["meta"]),
        ("numbers", ["meta", "cpu"]),
        ("init numbers", ["meta", "cpu"]),
    ],
)
def test_real_weights_are_made_only_where_numbers_are_missing(fault: str, made: list[str], tmp_path: Path) -> None:
    log, file = tmp_path / "log", tmp_path / "net.py"
    file.write_text(FILE.format(log=str(log)))
    try:
        st.load(f"{file}:Net", input=(3, 8, 8), kwargs={"fault": fault})
    except SourceError:
        assert fault in ("image", "shape", "init")
    assert log.read_text().split() == made


@functools.lru_cache
def _table(size: int) -> Tensor:
    return torch.arange(size).float()


class Cached(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.conv(x) * _table(6)


def test_a_table_that_an_earlier_pass_kept_is_a_constant() -> None:
    first, second = (st.load(Cached(), input=(3, 8, 8)) for _ in range(2))
    assert first == second


def _mixed(x: Tensor, weight: Tensor) -> Tensor:
    return torch.matmul(weight, x.flatten(2)).view(x.shape)


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning")
def test_what_a_scripted_function_computes_is_refused() -> None:
    scripted = torch.jit.script(_mixed)
    weight = nn.Parameter(torch.rand(8, 8))
    with pytest.raises(SourceError, match="where no operation can be seen") as caught:
        st.load(Asking(lambda y: y + scripted(y, weight)), input=(3, 8, 8))
    assert "test_written_tensors.py" in str(caught.value.where)
