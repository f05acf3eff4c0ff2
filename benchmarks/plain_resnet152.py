"""ResNet-152 out of torch alone, looked at by one tool; prints seconds and peak memory as JSON.

    python benchmarks/plain_resnet152.py striate 224
    python benchmarks/plain_resnet152.py torchinfo 224 [cpu|meta]

It is what ``benchmarks.importing`` runs, each tool in an interpreter of its own, with torch and that tool alone.
"""

from __future__ import annotations

import json
import resource
import sys
import time

from torch import Tensor, nn

__all__: list[str] = []


class Bottleneck(nn.Module):
    def __init__(self, inputs: int, width: int, stride: int) -> None:
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inputs, width, 1, bias=False), nn.BatchNorm2d(width)
        self.conv2, self.bn2 = nn.Conv2d(width, width, 3, stride, 1, bias=False), nn.BatchNorm2d(width)
        self.conv3, self.bn3 = nn.Conv2d(width, 4 * width, 1, bias=False), nn.BatchNorm2d(4 * width)
        self.relu, self.downsample = nn.ReLU(inplace=True), nn.Sequential()
        if stride > 1 or inputs != 4 * width:
            shortcut = nn.Conv2d(inputs, 4 * width, 1, stride, bias=False)
            self.downsample = nn.Sequential(shortcut, nn.BatchNorm2d(4 * width))

    def forward(self, x: Tensor) -> Tensor:
        y = self.relu(self.bn1(self.conv1(x)))
        y = self.bn3(self.conv3(self.relu(self.bn2(self.conv2(y)))))
        y += self.downsample(x)
        out: Tensor = self.relu(y)
        return out


def resnet152() -> nn.Sequential:
    layers: list[nn.Module] = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(inplace=True)]
    layers.append(nn.MaxPool2d(3, 2, 1))
    channels = 64
    for stage, (width, depth) in enumerate(((64, 3), (128, 8), (256, 36), (512, 3))):
        for index in range(depth):
            layers.append(Bottleneck(channels, width, 2 if stage > 0 and index == 0 else 1))
            channels = 4 * width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 1000))


def peak() -> int:
    """The most memory that this process had so far, in bytes (Linux counts in KiB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def look(tool: str, size: int, device: str) -> dict[str, float]:
    """Seconds of the look alone, the tool's own import included, and the peak memory before and after it."""
    module = resnet152().eval()
    before, start = peak(), time.perf_counter()
    if tool == "striate":
        import striate

        report = striate.inspect(module, input=(3, size, size))
        parameters = report.parameters
    else:
        from torchinfo import summary  # type: ignore[import-not-found, unused-ignore]

        if device == "meta":
            module = module.to("meta")
        found = summary(module, input_size=(1, 3, size, size), device=device, verbose=0)
        parameters = found.total_params
    return {"seconds": time.perf_counter() - start, "before": before, "peak": peak(), "parameters": parameters}


if __name__ == "__main__":
    print(json.dumps(look(sys.argv[1], int(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else "cpu")))
