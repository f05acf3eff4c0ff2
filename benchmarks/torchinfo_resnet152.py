"""The script people write: ResNet-152 out of torch alone, and torchinfo's summary of it; a size, and a device.

    python benchmarks/torchinfo_resnet152.py 224 cpu

It is what ``benchmarks.inspecting`` measures Striate against, and needs torch and torchinfo only.
"""

from __future__ import annotations

import sys

import torch
from torch import Tensor, nn
from torchinfo import summary  # type: ignore[import-not-found, unused-ignore]

__all__: list[str] = []


class Bottleneck(nn.Module):
    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.relu = nn.ReLU(inplace=True)
        self.downsample: nn.Module = nn.Identity()
        if stride > 1 or inputs != 4 * width:
            shortcut = nn.Conv2d(inputs, 4 * width, 1, stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(4 * width))

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn3(self.conv3(self.relu(self.bn2(self.conv2(y)))))
        return torch.relu(y + self.downsample(x))


def resnet152() -> nn.Sequential:
    layers: list[nn.Module] = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(inplace=True)]
    layers.append(nn.MaxPool2d(3, 2, 1))
    channels = 64
    for stage, (width, depth) in enumerate(((64, 3), (128, 8), (256, 36), (512, 3))):
        for index in range(depth):
            layers.append(Bottleneck(channels, width, 2 if stage > 0 and index == 0 else 1))
            channels = 4 * width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 1000))


if __name__ == "__main__":
    size, device = int(sys.argv[1]), sys.argv[2]
    with torch.device(device):
        model = resnet152()
    summary(model, input_size=(1, 3, size, size), device=device)
