"""CIFAR-10 as JPEG files in class folders."""

from __future__ import annotations

import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from striate.data import load_data, read_image


@pytest.mark.data
def test_cifar_10_in_folders(shared_data: Path, tmp_path: Path) -> None:
    """The first hundred test images of each class; unpacking all 60,000 would take too long for a test."""
    with tarfile.open(shared_data / "cifar10" / "cifar10-jpeg.tar.xz") as archive:
        for member in archive:
            if member.name.startswith("cifar10/train"):
                break
            if member.isfile() and Path(member.name).stem < "0100":
                archive.extract(member, tmp_path, filter="data")
    root = tmp_path / "cifar10" / "test"
    dataset = load_data(root)
    assert dataset.shape == (3, 32, 32)
    assert len(dataset.classes) == 10
    assert dataset.classes[:3] == ("airplane", "automobile", "bird")
    assert {name: len(split) for name, split in dataset.splits.items()} == {"train": 720, "val": 80, "test": 200}
    assert all(set(card.counts.values()) == {card.count // 10} for card in dataset.card.splits.values())
    assert {finding.code for finding in dataset.findings} == {"D027"}, "few images, and nothing else"
    assert np.allclose(dataset.preprocessing.mean, (0.4914, 0.4822, 0.4465), atol=0.03)
    for index in range(0, 720, 97):
        path = root / dataset.train.ids[index]
        with Image.open(path) as image:
            assert (dataset.train.images[index] == np.asarray(image).transpose(2, 0, 1)).all()
        assert (read_image(path, dataset.preprocessing) == dataset.train.images[index]).all()
        assert dataset.classes[dataset.train.labels[index]] == path.parent.name
