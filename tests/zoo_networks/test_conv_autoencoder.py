"""The convolutional autoencoder against a plain module in the layers of the Keras tutorial."""

from __future__ import annotations

import pytest
import torch.nn.functional as F
from torch import Tensor, nn

from striate import zoo
from striate.errors import ShapeError
from zoo_networks.matching import assert_same_outputs, assert_same_structure


class Autoencoder(nn.Module):
    """Keras pads an odd map behind before pooling; ``valid`` says whether the last but one convolution is unpadded."""

    def __init__(self, channels: int, classes: int, valid: bool = True) -> None:
        super().__init__()
        self.padding = 0 if valid else 1
        self.encoder = nn.ModuleDict({"conv1": nn.Conv2d(channels, 16, 3, padding=1)})
        self.encoder["conv2"] = nn.Conv2d(16, 8, 3, padding=1)
        self.encoder["conv3"] = nn.Conv2d(8, 8, 3, padding=1)
        self.decoder = nn.ModuleDict({"conv1": nn.Conv2d(8, 8, 3, padding=1), "conv2": nn.Conv2d(8, 8, 3, padding=1)})
        self.decoder["conv3"] = nn.Conv2d(8, 16, 3, padding=self.padding)
        self.decoder["output"] = nn.Conv2d(16, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        for layer in self.encoder.values():
            x = layer(x).relu()
            x = F.pad(x, (0, x.shape[3] % 2, 0, x.shape[2] % 2), value=-float("inf"))
            x = F.max_pool2d(x, 2)
        for name in ("conv1", "conv2", "conv3"):
            x = self.decoder[name](x).relu()
            x = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
        return self.decoder["output"](x).sigmoid()


def padded(channels: int, classes: int) -> nn.Module:
    return Autoencoder(channels, classes, valid=False)


def test_parameters_by_hand_and_the_tutorials_sizes() -> None:
    graph = zoo.build("cae")
    pairs = [(1, 16), (16, 8), (8, 8), (8, 8), (8, 8), (8, 16), (16, 1)]
    assert graph.parameter_count == sum((9 * i + 1) * o for i, o in pairs) == 4_385
    sizes = [graph.shapes[f"encoder.pool{number}"][1] for number in (1, 2, 3)]
    sizes += [graph.shapes[f"decoder.{name}"][1] for name in ("up1", "up2", "conv3", "up3", "output")]
    assert sizes == [14, 7, 4, 8, 16, 14, 28, 28]
    assert graph.shapes["encoder.pool3"] == (8, 4, 4)


def test_tensors_have_the_names_and_order_of_a_plain_module() -> None:
    assert_same_structure("conv_autoencoder", Autoencoder)


@pytest.mark.parametrize(
    ("oracle", "input"),
    [(Autoencoder, (1, 28, 28)), (padded, (3, 32, 32)), (padded, (2, 24, 8)), (Autoencoder, (1, 4, 12))],
)
def test_outputs_are_those_of_a_plain_module(oracle: type[nn.Module], input: tuple[int, ...]) -> None:
    assert_same_outputs("conv_autoencoder", oracle, input, None)


@pytest.mark.parametrize("shape", [(1, 28, 32), (3, 36), (1, 4, 8, 12), (1, 4, 4)])
def test_the_image_comes_back_at_its_size(shape: tuple[int, ...]) -> None:
    assert zoo.build("conv_autoencoder", shape).output_shape == shape


@pytest.mark.parametrize(("shape", "write"), [((1, 30, 28), "1×32×28"), ((3, 1, 29), "3×4×28")])
def test_other_sizes_are_refused(shape: tuple[int, ...], write: str) -> None:
    with pytest.raises(ShapeError, match="cannot give this image back") as caught:
        zoo.build("conv_autoencoder", shape)
    assert (caught.value.where, caught.value.write) == (
        "conv_autoencoder",
        f"input={tuple(int(size) for size in write.split('×'))}",
    )
    zoo.build("conv_autoencoder", tuple(int(size) for size in write.split("×")))
