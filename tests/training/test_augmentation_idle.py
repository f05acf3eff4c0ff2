"""Augmentation without effect is refused, and says what to write."""

from __future__ import annotations

from typing import Any

import pytest

from striate.errors import UsageError
from striate.training.augmentations.idle import refuse_idle_augmentation
from striate.training.recipe import make_recipe
from training.samples import make_dataset


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"shift_fill": "zero"}, ["shift_fill has no effect without shift", "got:   shift_fill: zero", "shift: 2, or"]),
        (
            {"magnitude": 0},
            ["magnitude has no effect without randaugment", "got:   magnitude: 0", "randaugment: 2, or"],
        ),
        ({"mix_share": 0.5}, ["mix_share has no effect without mixup or cutmix", "write: mixup: 0.2, or no mix_share"]),
        ({"flip": "alternating"}, ["alternating flips need a second epoch", "write: flip: horizontal, or epochs: 2"]),
        ({"shift": 6}, ["shift: the shift is as large as the image", "got:   6", "needs: less than 6"]),
        ({"cutout": 6}, ["cutout: the square to cut out is as large as the image", "needs: less than 6"]),
        (
            {"hue": 0.1},
            ["hue has no effect on images without colour", "got:   images with 1 channel", "needs: 3 channels"],
        ),
    ],
)
def test_what_would_change_nothing_is_refused(options: dict[str, Any], words: list[str]) -> None:
    with pytest.raises(UsageError) as raised:
        refuse_idle_augmentation(make_recipe(options), make_dataset(), 1)
    for word in words:
        assert word in str(raised.value)


@pytest.mark.parametrize("option", ["mixup", "cutmix"])
def test_values_and_a_single_image_are_not_mixed(option: str) -> None:
    with pytest.raises(UsageError, match=f"{option} mixes classes or tags, and these images have values"):
        refuse_idle_augmentation(make_recipe({option: 1}), make_dataset("values"), 2)
    with pytest.raises(UsageError, match=f"{option} has no effect on a single image"):
        refuse_idle_augmentation(make_recipe({option: 1}), make_dataset(train=1), 2)


@pytest.mark.parametrize("epochs", [2, None])
def test_what_changes_something_is_not_refused(epochs: int | None) -> None:
    options: dict[str, Any] = {"flip": "alternating", "shift": 5, "shift_fill": "reflect", "cutout": 5, "hue": 0.1}
    options |= {"randaugment": 1, "magnitude": 3, "mixup": 1, "cutmix": 1, "mix_share": 0.5}
    for task in ("classes", "tags"):
        refuse_idle_augmentation(make_recipe(options), make_dataset(task, shape=(3, 6, 6)), epochs)  # type: ignore[arg-type]
    refuse_idle_augmentation(make_recipe({}), make_dataset("values"), epochs)
