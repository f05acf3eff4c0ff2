"""WaveNet against a plain module with causal padding by hand; what a sample's scores read."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from striate import zoo
from striate.analysis import unit_field
from striate.backend import build_module
from striate.errors import ShapeError
from zoo_networks.matching import assert_same_outputs, assert_same_structure


class Layer(nn.Module):
    def __init__(self, dilation: int, last: bool) -> None:
        super().__init__()
        self.dilation = dilation
        self.filter = nn.Conv1d(32, 32, 2, dilation=dilation)
        self.gate = nn.Conv1d(32, 32, 2, dilation=dilation)
        if not last:
            self.residual = nn.Conv1d(32, 32, 1)
        self.skip = nn.Conv1d(32, 512, 1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        padded = F.pad(x, (self.dilation, 0))
        z = self.filter(padded).tanh() * self.gate(padded).sigmoid()
        return (x + self.residual(z) if hasattr(self, "residual") else x), self.skip(z)


class WaveNet(nn.Module):
    stacks = 2

    def __init__(self, channels: int, classes: int) -> None:
        super().__init__()
        dilations = [2**power for _ in range(self.stacks) for power in range(10)]
        self.causal = nn.Conv1d(channels, 32, 2)
        self.layers = nn.ModuleList(Layer(d, place == len(dilations) - 1) for place, d in enumerate(dilations))
        self.post1 = nn.Conv1d(512, 512, 1)
        self.post2 = nn.Conv1d(512, classes, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.causal(F.pad(x, (1, 0)))
        total: Tensor | float = 0.0
        for layer in self.layers:
            x, skip = layer(x)
            total = total + skip
        return self.post2(self.post1(total.relu()).relu())


class OneStack(WaveNet):
    stacks = 1


def test_parameters_by_hand() -> None:
    layer = 2 * 32 * (32 * 2 + 1) + 32 * 33 + 512 * 33
    ends = 32 * (256 * 2 + 1) + 512 * 513 + 256 * 513
    assert zoo.build("WaveNet").parameter_count == ends + 20 * layer - 32 * 33 == 851_584
    assert zoo.build("wavenet_1stack").parameter_count == ends + 10 * layer - 32 * 33 == 630_464


def test_tensors_have_the_names_and_order_of_a_plain_module() -> None:
    assert_same_structure("wavenet", WaveNet)
    assert_same_structure("wavenet_1stack", OneStack)


@pytest.mark.parametrize(
    ("name", "oracle", "input", "classes"),
    [
        ("wavenet", WaveNet, (256, 50), 256),
        ("wavenet", WaveNet, (1, 1200), 5),
        ("wavenet_1stack", OneStack, (3, 1), 2),
    ],
)
def test_outputs_are_those_of_a_plain_module(
    name: str, oracle: type[nn.Module], input: tuple[int, ...], classes: int
) -> None:
    assert_same_outputs(name, oracle, input, classes)


@pytest.mark.parametrize(("name", "samples"), [("wavenet", 2048), ("wavenet_1stack", 1025)])
def test_a_stack_reads_1024_samples_and_none_that_comes_later(name: str, samples: int) -> None:
    graph = zoo.build(name, (1, 3000), 2)
    for place in (2999, 2500, 10):
        assert unit_field(graph, graph.outputs[0], (place,)) == ((max(place - samples + 1, 0), place),)
    # The stack alone, behind the first convolution, reads one sample less: 1024 each, which overlap in one.
    assert (samples - 2) % 1023 == 0


def test_no_score_changes_with_a_later_sample() -> None:
    torch.manual_seed(0)
    module = build_module(zoo.build("wavenet_1stack", (1, 60), 3)).eval()
    sound = torch.rand(1, 1, 60)
    other = sound.clone()
    other[..., 30:] += 1.0
    with torch.inference_mode():
        changed = (module(sound) != module(other)).any(dim=1)[0]
    assert not changed[:30].any()
    assert changed[30:].any()


def test_sound_has_one_axis() -> None:
    with pytest.raises(ShapeError, match="wavenet is made for images with one spatial axis") as caught:
        zoo.build("wavenet", (1, 28, 28))
    assert caught.value.needs == "channels and one size of at least 1"
    assert caught.value.write == "input=(1, 28)"
