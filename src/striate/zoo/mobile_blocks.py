"""What the mobile networks share: convolution, normalisation and activation in one, and the rounding of widths.

Nodes are named as in torchvision's ``Conv2dNormActivation``, whose members are 0, 1 and 2.
"""

from __future__ import annotations

from striate.graph import Chain

__all__ = ["conv_norm_activation", "divisible"]


def divisible(channels: float, divisor: int = 8) -> int:
    """The nearest multiple of ``divisor``, at least ``divisor`` and never less than nine tenths of ``channels``.

    From the authors' code of MobileNetV2; MobileNetV3 and EfficientNet round with it too.

    >>> divisible(32 * 2.0), divisible(40 * 1.1), divisible(3), divisible(11.9)
    (64, 48, 8, 16)
    """
    rounded = max(divisor, int(channels + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * channels else rounded


def conv_norm_activation(
    x: Chain,
    filters: int,
    kernel: int,
    name: str,
    *,
    stride: int = 1,
    groups: int = 1,
    activation: str | None = "relu",
    epsilon: float = 1e-5,
    momentum: float = 0.1,
) -> Chain:
    """A convolution without bias, a batch norm and, unless it is None, an activation.

    The padding is half the kernel: at stride 1 the size stays, at stride 2 it is halved and rounded up.
    """
    x = x.conv(filters, kernel, stride=stride, padding=kernel // 2, groups=groups, bias=False, name=f"{name}.0")
    x = x.batchnorm(epsilon=epsilon, momentum=momentum, name=f"{name}.1")
    return x if activation is None else getattr(x, activation)(name=f"{name}.2")
