"""After any verb a module is what it was, bit by bit."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules import module as hooks

import striate as st
from striate.errors import StriateError


class Helper:
    """An object that a module keeps its state in."""

    def __init__(self) -> None:
        self.last: Tensor | None = None
        self.seen: list[Tensor] = []


class Meddling(nn.Module):
    """A forward pass that leaves traces wherever it can."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm, self.drop = nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4, momentum=0.5), nn.Dropout()
        self.scale = nn.Parameter(torch.rand(4, 1, 1))
        self.frozen = nn.Parameter(torch.rand(2), requires_grad=False)
        self.register_buffer("seen", torch.zeros(()))
        self.register_buffer("queue", torch.rand(8, 16))
        self.register_buffer("pointer", torch.zeros(2, dtype=torch.long))
        self.register_buffer("table_of_codes", torch.rand(80, 80))
        self.plain = torch.rand(4, 1, 1)
        self.helper = Helper()
        self.kept: list[Tensor] = []
        self.table: dict[str, Any] = {"inner": []}
        self.calls = 0
        self.last: Tensor | None = None

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        self.seen += 1
        self.plain.mul_(2)
        x = self.drop(F.relu(self.norm(self.conv(x)), inplace=True)) * self.scale * self.plain
        if x.is_meta:
            self._write(x)
        self.kept.append(x)
        self.table["inner"].append(x)
        self.table["new"] = x
        self.last = x
        self.seen = self.seen * 0.5
        self.norm.running_mean.zero_()
        noise = torch.rand_like(x) * random.random() * float(np.random.rand())
        torch.randn(3)
        torch.set_grad_enabled(True)
        self.conv.weight.grad = None
        self.extra = 3
        self.drop.p = 0.1
        self.train()
        return (x + noise).mean((2, 3))

    def _write(self, x: Tensor) -> None:
        start = int(self.pointer[0])
        self.queue[:, start : start + 2] = 0.0
        self.pointer[0] = 3
        self.table_of_codes[1] = 2.0
        self.table_of_codes.data[2] = 5.0
        self.queue.data[0] = 5.0
        self.queue.numpy()[1] = 5.0
        np.asarray(self.pointer)[1] = 7
        F.batch_norm(self.queue, self.norm.running_mean.repeat(4), self.queue[0], training=True)
        torch.add(self.queue, 1, out=self.queue)
        self.queue[:4, 3] = x.mean((0, 2, 3))
        self.conv.requires_grad_(False)
        self.frozen.requires_grad = True
        self.helper.last = self.pointer + 1
        self.helper.seen.append(x)
        torch.set_default_device("meta")


class Failing(Meddling):
    """The same, and then it fails."""

    def forward(self, x: Tensor) -> Tensor:
        super().forward(x)
        raise ValueError("after everything was touched")


#: Everything that takes a module; a new verb is one more line.
VERBS: dict[str, Callable[[nn.Module], Any]] = {
    "load": lambda m: st.load(m, input=(3, 8, 8)),
    "inspect": lambda m: st.inspect(m, input=(3, 8, 8)),
    "derive": lambda m: st.derive(m, "conv", input=(3, 8, 8)),
    "compare": lambda m: st.compare(m, m, input=(3, 8, 8)),
    "cost": lambda m: st.cost(m, input=(3, 8, 8)),
    "memory": lambda m: st.memory(m, input=(3, 8, 8)),
    "edit": lambda m: st.edit(m, {"norm": {"epsilon": 0.1}}, input=(3, 8, 8)),
    "lint": lambda m: st.lint(m, input=(3, 8, 8)),
}


def everything(module: nn.Module) -> dict[str, Any]:
    """All that can be seen of a module and of its surroundings, tensors as bytes."""
    state: dict[str, Any] = {}
    for path, part in module.named_modules():
        for name, value in vars(part).items():
            state[f"{path}.{name}"] = frozen(value)
    for name, entry in (*module.named_parameters(), *module.named_buffers()):
        gradient = None if entry.grad is None else frozen(entry.grad)
        state[f"numbers {name}"] = frozen(entry)
        state[f"tensor {name}"] = (id(entry), entry.requires_grad, entry.device, entry._version, gradient)
    state["helper"] = frozen(vars(module.helper)) if isinstance(module, Meddling) else None
    state["global hooks"] = [
        dict(table) for name, table in vars(hooks).items() if name.startswith("_global") and isinstance(table, dict)
    ]
    state["random"] = (torch.get_rng_state().numpy().tobytes(), random.getstate(), str(np.random.get_state()))
    state["modes"] = (torch.is_grad_enabled(), torch.get_default_dtype(), torch.get_default_device())
    return state


def frozen(value: Any) -> Any:
    if isinstance(value, Tensor):
        return (id(value), value.dtype, value.device, tuple(value.shape), value.detach().numpy().tobytes())
    if isinstance(value, dict):
        return {key: frozen(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [frozen(entry) for entry in value]
    return value if isinstance(value, (int, float, str, bool, type(None))) else id(value)


@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("kind", [Meddling, Failing])
def test_a_module_is_the_same_afterwards(verb: str, training: bool, kind: type[Meddling]) -> None:
    module = kind().train(training)
    module.norm.eval()
    module(torch.rand(2, 3, 8, 8)) if kind is Meddling else None
    module.conv.weight.grad = torch.rand_like(module.conv.weight)
    module.conv.register_forward_hook(lambda m, args, out: None)
    with torch.enable_grad():
        before = everything(module)
        if kind is Failing:
            with pytest.raises(StriateError, match="forward pass fails"):
                VERBS[verb](module)
        else:
            VERBS[verb](module)
        assert everything(module) == before


def test_numbers_with_gradients_flow_as_before() -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(inplace=True))
    images = torch.rand(2, 3, 8, 8)
    st.inspect(module, input=(3, 8, 8))
    module(images).sum().backward()
    assert module[0].weight.grad is not None
    assert int(module[1].num_batches_tracked) == 1


def test_hooks_of_the_author_run_and_stay() -> None:
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
    seen: list[tuple[int, ...]] = []
    module[1].register_forward_hook(lambda m, args, out: seen.append(tuple(out.shape[1:])))
    st.inspect(module, input=(3, 8, 8))
    assert seen == [(4, 6, 6)]
    assert len(module[1]._forward_hooks) == 1
