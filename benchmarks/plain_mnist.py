"""The script people write: a Dataset that turns one PIL image at a time into a tensor, a DataLoader, Adam, 3 epochs.

It follows the usual PyTorch MNIST introduction step by step (torchvision's ToTensor and Normalize are written out, so
that torchvision is not needed) and is what ``benchmarks.mnist`` measures Striate against.
"""

from __future__ import annotations

import gzip
import time
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image
from torch import nn
from torch.utils.data import DataLoader, Dataset

__all__ = ["run"]


class MNIST(Dataset[tuple[torch.Tensor, int]]):
    def __init__(self, folder: Path, part: str) -> None:
        with gzip.open(folder / f"{part}-images-idx3-ubyte.gz") as stream:
            self.data = torch.from_numpy(np.frombuffer(stream.read(), np.uint8)[16:].reshape(-1, 28, 28).copy())
        with gzip.open(folder / f"{part}-labels-idx1-ubyte.gz") as stream:
            self.targets = torch.from_numpy(np.frombuffer(stream.read(), np.uint8)[8:].astype(np.int64))

    def __len__(self) -> int:
        return len(self.data)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, int]:
        image = Image.fromarray(self.data[index].numpy())
        return normalize(to_tensor(image)), int(self.targets[index])


def to_tensor(image: Image.Image) -> torch.Tensor:
    pixels = torch.from_numpy(np.array(image, np.uint8, copy=True))
    pixels = pixels.view(image.size[1], image.size[0], 1).permute(2, 0, 1).contiguous()
    return pixels.to(torch.float32).div(255)


def normalize(image: torch.Tensor) -> torch.Tensor:
    mean, std = torch.as_tensor([0.1307]), torch.as_tensor([0.3081])
    return image.clone().sub_(mean.view(-1, 1, 1)).div_(std.view(-1, 1, 1))


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


def run(folder: Path, epochs: int, seed: int) -> tuple[float, float]:
    """Train; the mean seconds of a training epoch (testing left out) and the final test accuracy."""
    torch.manual_seed(seed)
    train_loader = DataLoader(MNIST(folder, "train"), batch_size=64, shuffle=True)
    test_loader = DataLoader(MNIST(folder, "t10k"), batch_size=1000, shuffle=False)
    model = Net()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.001)
    criterion = nn.CrossEntropyLoss()
    seconds, accuracy = 0.0, 0.0
    for _ in range(epochs):
        start = time.perf_counter()
        model.train()
        running_loss = 0.0
        for data, target in train_loader:
            optimizer.zero_grad()
            loss = criterion(model(data), target)
            loss.backward()
            optimizer.step()
            running_loss += loss.item()
        seconds += time.perf_counter() - start
    model.eval()
    with torch.no_grad():
        right = sum(int((model(data).argmax(dim=1) == target).sum()) for data, target in test_loader)
    accuracy = right / 10_000
    return seconds / epochs, accuracy
