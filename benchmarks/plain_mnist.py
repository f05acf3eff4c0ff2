"""The script people write: torchvision's MNIST with ToTensor and Normalize, a DataLoader, Adam, batches of 64.

It follows the usual PyTorch MNIST introduction step by step; ``benchmarks.mnist`` and ``benchmarks.digits_in_time``
measure Striate against it. torchvision is not needed: the tensor operations of its 0.28 for each image are written out
here, its checks of arguments and types are not, so that the script is rather too fast than too slow.
"""

from __future__ import annotations

import gzip
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset

__all__ = ["IMAGES", "Epoch", "epochs"]

#: In an epoch.
IMAGES = 60_000


@dataclass(frozen=True)
class Epoch:
    """Seconds of its training, testing left out, and the test accuracy after it."""

    seconds: float
    accuracy: float


class MNIST(Dataset[tuple[torch.Tensor, int]]):
    def __init__(self, folder: Path, part: str, transform: nn.Module) -> None:
        with gzip.open(folder / f"{part}-images-idx3-ubyte.gz") as stream:
            self.data = torch.from_numpy(np.frombuffer(stream.read(), np.uint8)[16:].reshape(-1, 28, 28).copy())
        with gzip.open(folder / f"{part}-labels-idx1-ubyte.gz") as stream:
            self.targets = torch.from_numpy(np.frombuffer(stream.read(), np.uint8)[8:].astype(np.int64))
        self.transform = transform

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        image = Image.fromarray(self.data[index].numpy())
        return self.transform(image), int(self.targets[index])


class ToTensor(nn.Module):
    def forward(self, image: Image.Image) -> torch.Tensor:
        pixels = torch.from_numpy(np.array(image, np.uint8, copy=True))
        pixels = pixels.view(image.size[1], image.size[0], 1).permute(2, 0, 1).contiguous()
        return pixels.to(torch.float32).div(255)


class Normalize(nn.Module):
    def __init__(self, mean: tuple[float], std: tuple[float]) -> None:
        super().__init__()
        self.mean, self.std = mean, std

    def forward(self, image: torch.Tensor) -> torch.Tensor:
        image = image.clone()
        mean, std = torch.as_tensor(self.mean), torch.as_tensor(self.std)
        if (std == 0).any():
            raise ValueError("std is zero")
        return image.sub_(mean.view(-1, 1, 1)).div_(std.view(-1, 1, 1))


class Net(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 32, kernel_size=3, padding=1)
        self.conv2 = nn.Conv2d(32, 64, kernel_size=3, padding=1)
        self.fc1 = nn.Linear(64 * 7 * 7, 128)
        self.fc2 = nn.Linear(128, 10)
        self.pool = nn.MaxPool2d(2, 2)
        self.dropout = nn.Dropout(0.25)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.pool(F.relu(self.conv1(x)))
        x = self.pool(F.relu(self.conv2(x)))
        x = x.view(-1, 64 * 7 * 7)
        x = self.dropout(F.relu(self.fc1(x)))
        return torch.as_tensor(self.fc2(x))


def epochs(folder: Path, seed: int) -> Iterator[Epoch]:
    """Train, an epoch for each that is asked for."""
    torch.manual_seed(seed)
    transform = nn.Sequential(ToTensor(), Normalize((0.1307,), (0.3081,)))
    train_loader = DataLoader(MNIST(folder, "train", transform), batch_size=64, shuffle=True)
    test_loader = DataLoader(MNIST(folder, "t10k", transform), batch_size=1000, shuffle=False)
    model = Net()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
    criterion = nn.CrossEntropyLoss()
    while True:
        start = time.perf_counter()
        model.train()
        running_loss = 0.0
        for data, target in train_loader:
            optimizer.zero_grad()
            loss = criterion(model(data), target)
            loss.backward()
            optimizer.step()
            running_loss += loss.item()
        seconds = time.perf_counter() - start
        model.eval()
        with torch.no_grad():
            right = sum(int((model(data).argmax(dim=1) == target).sum()) for data, target in test_loader)
        yield Epoch(seconds, right / 10_000)
