"""DCGAN against the modules of the PyTorch tutorial."""

from __future__ import annotations

import pytest
from torch import Tensor, nn

from striate import zoo
from striate.errors import ShapeError
from zoo_networks.matching import assert_same_outputs, assert_same_structure


class Generator(nn.Module):
    def __init__(self, nz: int, classes: int, ngf: int = 64, nc: int = 3) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.ConvTranspose2d(nz, ngf * 8, 4, 1, 0, bias=False),
            nn.BatchNorm2d(ngf * 8),
            nn.ReLU(True),
            nn.ConvTranspose2d(ngf * 8, ngf * 4, 4, 2, 1, bias=False),
            nn.BatchNorm2d(ngf * 4),
            nn.ReLU(True),
            nn.ConvTranspose2d(ngf * 4, ngf * 2, 4, 2, 1, bias=False),
            nn.BatchNorm2d(ngf * 2),
            nn.ReLU(True),
            nn.ConvTranspose2d(ngf * 2, ngf, 4, 2, 1, bias=False),
            nn.BatchNorm2d(ngf),
            nn.ReLU(True),
            nn.ConvTranspose2d(ngf, nc, 4, 2, 1, bias=False),
            nn.Tanh(),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.main(x)


class Discriminator(nn.Module):
    def __init__(self, nc: int, classes: int, ndf: int = 64) -> None:
        super().__init__()
        self.main = nn.Sequential(
            nn.Conv2d(nc, ndf, 4, 2, 1, bias=False),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(ndf, ndf * 2, 4, 2, 1, bias=False),
            nn.BatchNorm2d(ndf * 2),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(ndf * 2, ndf * 4, 4, 2, 1, bias=False),
            nn.BatchNorm2d(ndf * 4),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(ndf * 4, ndf * 8, 4, 2, 1, bias=False),
            nn.BatchNorm2d(ndf * 8),
            nn.LeakyReLU(0.2, inplace=True),
            nn.Conv2d(ndf * 8, 1, 4, 1, 0, bias=False),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        return self.main(x)


def test_numbers_of_parameters_and_shapes() -> None:
    generator, discriminator = zoo.build("DCGAN-generator"), zoo.build("DCGAN-discriminator")
    layers = [(100, 512), (512, 256), (256, 128), (128, 64), (64, 3)]
    norms = 2 * (512 + 256 + 128 + 64)
    assert generator.parameter_count == sum(16 * i * o for i, o in layers) + norms == 3_576_704
    layers = [(3, 64), (64, 128), (128, 256), (256, 512), (512, 1)]
    assert discriminator.parameter_count == sum(16 * i * o for i, o in layers) + norms - 2 * 64 == 2_765_568
    # Figure 1: 4, 8, 16, 32, 64 pixels.
    assert [generator.shapes[f"main.{place}"][1] for place in (0, 3, 6, 9, 12)] == [4, 8, 16, 32, 64]
    assert discriminator.input_shape == generator.output_shape == (3, 64, 64)
    assert discriminator.output_shape == (1, 1, 1)


def test_tensors_have_the_names_and_order_of_the_tutorial() -> None:
    assert_same_structure("dcgan_generator", Generator)
    assert_same_structure("dcgan_discriminator", Discriminator)


@pytest.mark.parametrize(
    ("name", "oracle", "input"),
    [
        ("dcgan_generator", Generator, (100, 1, 1)),
        ("dcgan_generator", Generator, (7, 2, 1)),
        ("dcgan_discriminator", Discriminator, (3, 64, 64)),
        ("dcgan_discriminator", Discriminator, (1, 64, 97)),
    ],
)
def test_outputs_are_those_of_the_tutorial(name: str, oracle: type[nn.Module], input: tuple[int, ...]) -> None:
    assert_same_outputs(name, oracle, input, None)


@pytest.mark.parametrize("pixels", [1, 2, 5])
def test_more_noise_is_a_larger_image(pixels: int) -> None:
    assert zoo.build("dcgan_generator", (10, pixels, 1)).output_shape == (3, 16 * (pixels + 3), 64)


def test_the_discriminator_needs_a_whole_window() -> None:
    assert zoo.build("dcgan_discriminator", (3, 79, 80)).output_shape == (1, 1, 2)
    with pytest.raises(ShapeError, match=r"node 'main\.11': the window of conv is larger") as caught:
        zoo.build("dcgan_discriminator", (3, 64, 63))
    assert caught.value.write == "input=(3, 64, 64)"
