"""Modules as people write them: each computes something in a way that tools which watch modules miss."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

__all__ = ["PROBES", "Attention", "ChannelsLast", "Gated", "SharedConv", "TwoHeads"]


class Functional(nn.Module):
    """A convolution with a parameter of the author's own."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(16, 16, 3, 3))

    def forward(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight, padding=1)


class ChildForward(nn.Module):
    """A child whose forward is called by its name, past all hooks."""

    def __init__(self) -> None:
        super().__init__()
        self.child = nn.Conv2d(16, 16, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.child.forward(x)


class Product(nn.Module):
    """A product with a matrix, along the last axis."""

    def __init__(self) -> None:
        super().__init__()
        self.matrix = nn.Parameter(torch.zeros(8, 64))

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.matrix


class SharedConv(nn.Module):
    """One convolution three times."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(16, 16, 3, padding=1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        for _ in range(3):
            x = F.relu(self.conv(x))
        return x


class OwnAndChildren(nn.Module):
    """A parameter of its own beside two convolutions."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(16, 1, 1))
        self.first = nn.Conv2d(16, 16, 3, padding=1, bias=False)
        self.second = nn.Conv2d(16, 16, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.second(self.first(x) * self.scale)


#: Each: the module, the shape of one image, its multiply-adds by hand, its parameters by hand.
PROBES = {
    "conv": (lambda: nn.Conv2d(16, 16, 3, padding=1, bias=False), (16, 8, 8), 147_456, 2304),
    "conv with bias": (lambda: nn.Conv2d(16, 16, 3, padding=1), (16, 8, 8), 147_456, 2320),
    "transposed": (lambda: nn.ConvTranspose2d(16, 16, 4, 2, 1, bias=False), (16, 8, 8), 262_144, 4096),
    "transposed groups": (
        lambda: nn.ConvTranspose2d(16, 16, 2, 2, groups=4, bias=False),
        (16, 8, 8),
        16_384,
        256,
    ),
    "same": (lambda: nn.Conv2d(16, 16, 3, padding="same", bias=False), (16, 8, 8), 147_456, 2304),
    "batchnorm": (lambda: nn.BatchNorm2d(16), (16, 8, 8), 0, 32),
    "functional": (Functional, (16, 8, 8), 147_456, 2304),
    "child.forward": (ChildForward, (16, 8, 8), 147_456, 2304),
    "matmul": (Product, (16, 8, 8), 65_536, 512),
    "shared": (SharedConv, (16, 8, 8), 442_368, 2304),
    "own parameter": (OwnAndChildren, (16, 8, 8), 163_840, 2576),
    "depthwise": (lambda: nn.Conv2d(16, 16, 3, padding=1, groups=16, bias=False), (16, 8, 8), 9216, 144),
}


class Gated(nn.Module):
    """Squeeze and excitation, a shuffle of channels by views, slices, and a residual in place."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(16, 16, 3, padding=1)
        self.fc1, self.fc2 = nn.Linear(16, 4), nn.Linear(4, 16)

    def forward(self, x: Tensor) -> Tensor:
        y = self.conv(x)
        gate = y.mean((2, 3))
        gate = torch.sigmoid(self.fc2(F.relu(self.fc1(gate)))).view(x.size(0), -1, 1, 1)
        y = y * gate
        b, c, h, w = y.shape
        y = y.view(b, 4, c // 4, h, w).transpose(1, 2).contiguous().view(b, c, h, w)
        first, second = y.chunk(2, dim=1)
        y = torch.cat([second, first], 1)
        y += x
        return y[:, :8, 1:-1]


class ChannelsLast(nn.Module):
    """A block with its channels behind, as ConvNeXt is written."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(16)
        self.fc1, self.fc2 = nn.Linear(16, 64), nn.Linear(64, 16)
        self.gamma = nn.Parameter(torch.ones(16))

    def forward(self, x: Tensor) -> Tensor:
        y = self.norm(x.permute(0, 2, 3, 1))
        y = self.gamma * self.fc2(F.gelu(self.fc1(y)))
        return x + y.permute(0, 3, 1, 2)


class TwoHeads(nn.Module):
    """Two inputs, and outputs in a mapping."""

    def __init__(self) -> None:
        super().__init__()
        self.left, self.right = nn.Conv2d(3, 8, 3), nn.Conv2d(1, 8, 3)

    def forward(self, image: Tensor, depth: Tensor) -> dict[str, Tensor]:
        both = self.left(image) + self.right(depth)
        return {"map": both, "vector": both.amax(dim=(-2, -1))}


class Attention(nn.Module):
    """Patches, attention between them, and the mean of what comes out."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 32, 8, 8)
        self.position = nn.Parameter(torch.zeros(1, 16, 32))
        self.norm = nn.LayerNorm(32)
        self.qkv, self.out = nn.Linear(32, 96), nn.Linear(32, 32)
        self.head = nn.Linear(32, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.patches(x).flatten(2).transpose(1, 2) + self.position
        q, k, v = self.qkv(self.norm(x)).reshape(x.shape[0], -1, 3, 4, 8).permute(2, 0, 3, 1, 4)
        x = x + self.out(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).flatten(2))
        return self.head(x.mean(1))
