"""Several inputs, from the command line and from Python."""

from __future__ import annotations

from pathlib import Path

import pytest
from torch import Tensor, nn

import striate as st
from striate.cli.program import run
from striate.errors import SourceError, UsageError

FILE = """
import torch
from torch import nn

class Two(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 4, 3), nn.Conv2d(1, 4, 3)

    def forward(self, x, y):
        return self.a(x) + self.b(y)
"""


@pytest.fixture
def reference(tmp_path: Path) -> str:
    (tmp_path / "two.py").write_text(FILE)
    return f"{tmp_path / 'two.py'}:Two"


def test_a_reference_takes_one_shape_for_each_argument(reference: str) -> None:
    graph = st.load(reference, input=((3, 32, 32), (1, 32, 32)))
    assert [node.name for node in graph.nodes if node.layer.kind == "input"] == ["x", "y"]
    # 2 convolutions at 30×30, 4 filters of 3×3 over 3 and 1 channels.
    assert st.inspect(graph).macs == 30 * 30 * 4 * 9 * (3 + 1)


def test_the_command_line_takes_shapes_with_commas_between(reference: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["inspect", reference, "--input", "3x32x32,1x32x32", "--json"]) == 0
    assert '"macs": 129600' in capsys.readouterr().out


def test_an_input_that_is_given_twice_is_an_error(reference: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["inspect", reference, "--input", "3x32x32", "--input", "1x32x32"]) == 2
    told = capsys.readouterr().err
    assert "--input is given twice" in told
    assert "--input 3x32x32,1x32x32" in told


def test_several_shapes_for_a_zoo_network_are_an_error() -> None:
    with pytest.raises(UsageError, match="several shapes are for a module, or an ONNX file"):
        st.load("simple-cnn", input=((3, 32, 32), (1, 32, 32)))


class Mapped(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, data: dict[str, Tensor]) -> Tensor:
        return self.conv(data["image"])


def test_a_mapping_as_input_is_told_in_words() -> None:
    with pytest.raises(SourceError, match="takes a mapping") as caught:
        st.load(Mapped(), input=(3, 8, 8))
    assert caught.value.got == "['image'] of its input"
    assert "test_several_inputs.py" in str(caught.value.where)


FACTORY = """
from torch import nn


def make():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
"""


def test_what_a_factory_puts_together_has_its_line(tmp_path: Path) -> None:
    file = tmp_path / "factory.py"
    file.write_text(FACTORY)
    graph = st.load(f"{file}:make", input=(3, 8, 8))
    assert [node.origin for node in graph.nodes] == [None, f"{file}:5", f"{file}:5"]
