"""The advice on a training's time: each rule on a case where it has to speak, and below its limit."""

from __future__ import annotations

import re
from typing import Any

import pytest

from striate.cli.flags import flag_of
from striate.runs.spent_record import Part, SpentRecord
from striate.training import Recipe
from striate.training.spent_advice import LIMITS, Training, advise

#: Nothing to be said about: 60 of 100 seconds are computing.
HEALTHY: dict[Part, float] = {
    "wait": 5,
    "augment": 10,
    "forward": 25,
    "backward": 35,
    "optimizer": 15,
    "validation": 10,
}


def spent(changes: dict[str, float] | None = None, **seconds: float) -> SpentRecord:
    """The rest of 100 seconds goes to the backward pass."""
    return SpentRecord(seconds={**seconds, "backward": 100 - sum(seconds.values())}, changes=changes or {})


MUON = Training({"optimizer": "muon"})
#: What was measured, of which training, and what has to be in the sentence.
CASES: dict[str, tuple[SpentRecord, Training, tuple[str, ...]]] = {
    "waiting": (spent(wait=11), Training({"channels": None}), ("waits for images 11 %", "--size", "--channels 1")),
    "waiting for grey images": (spent(wait=30), Training({"channels": 1}), ("30 %", "a smaller --size leaves")),
    "waiting for the disk, as asked": (
        spent(wait=30),
        Training({"cache": "disk"}, on_disk=True),
        ("30 %", "--cache memory keeps"),
    ),
    "waiting for the disk": (
        spent(wait=30),
        Training({"cache": "auto", "channels": 1}, on_disk=True),
        ("30 %", "in a file on the disk", "a smaller --size lets them fit into memory"),
    ),
    "waiting for a stream, as asked": (
        spent(wait=30),
        Training({"cache": "stream"}, streamed=True),
        ("30 %", "--cache auto decodes them once"),
    ),
    "waiting for a stream": (
        spent(wait=30),
        Training({"cache": "auto"}, streamed=True),
        ("30 %", "decoded anew in each epoch", "a smaller --size lets their pixels be kept"),
    ),
    "augmenting": (
        spent({"flips": 1, "warp": 19, "color": 5}, augment=25),
        Training({"flip": "both", "rotate": 10.0, "scale": 0.0, "crop": 1.0, "color": 0.1}),
        ("augmentation takes 25 %", "of that, 76 % is --rotate;"),
    ),
    "augmenting by two options in one": (
        spent({"flips": 1, "mixing": 19}, augment=40),
        Training({"flip": "both", "mixup": 0.2, "cutmix": 1.0}),
        ("augmentation takes 40 %", "95 % is --mixup and --cutmix;"),
    ),
    "zooming": (
        spent({"warp": 1}, augment=40),
        Training({"rotate": 0.0, "scale": 0.0, "crop": 0.8}),
        ("100 % is --crop;",),
    ),
    "validating": (spent(validation=26), Training(), ("validation takes 26 %", "a smaller --val")),
    "validating what the data bring": (
        spent(validation=26),
        Training(divided=True),
        ("validation takes 26 %", "fewer images in the data's validation split"),
    ),
    "validating with many views": (
        spent(validation=60),
        Training({"tta": "flip", "epochs": 1}),
        ("validation takes 60 %", "--tta none"),
    ),
    "updating by muon": (spent(optimizer=21), MUON, ("take 21 %", "muon", "--optimizer adamw", "--batch")),
    "updating an average": (
        spent(optimizer=21),
        Training({"optimizer": "sgd", "average": "ema"}),
        ("take 21 %", "--batch", "--average none"),
    ),
    "updating": (spent(optimizer=21), Training({"optimizer": "adamw"}), ("take 21 %", "a larger --batch")),
    "saving": (spent(checkpoints=12), Training(), ("takes 12 %", "--runs")),
    "saving as asked": (
        spent(checkpoints=12),
        Training(checkpoint_every=0.5),
        ("takes 12 %", "a longer --checkpoint-every than 0.5s"),
    ),
    "looking": (spent(monitors=15), Training(), ("checks and monitors took 15 %", "a longer training")),
    "reading": (spent(decode=30), Training(), ("reading the images took 30 %", "a longer training")),
    "choosing": (spent(probe=30), Training({"probe": "auto"}), ("took 30 %", "--probe off")),
    "choosing again": (spent(probe=30), Training({"probe": "again"}), ("took 30 %", "--probe auto")),
    "computing": (
        SpentRecord(seconds=HEALTHY),
        Training(images_per_second=1234.4, run="runs/x"),
        ("computing is the bound (60 % forward and backward, 1,234 images/s)", "striate bench runs/x"),
    ),
    "nothing": (SpentRecord(), Training(), ("no part stands out", "striate bench")),
    "other things": (spent(other=80, forward=10), Training(), ("no part stands out", "striate bench")),
    "the worst of two": (spent(wait=30, validation=45), Training({"channels": 1}), ("waits for images 30 %",)),
    "the other of two": (spent(wait=11, validation=60), Training({"channels": 1}), ("validation takes 60 %",)),
}


@pytest.mark.parametrize("name", CASES)
def test_it_speaks(name: str) -> None:
    measured, training, parts = CASES[name]
    told = advise(measured, training)
    for part in parts:
        assert part in told, told
    assert "\n" not in told


@pytest.mark.parametrize("part", LIMITS)
def test_it_is_silent_up_to_the_limit(part: Part) -> None:
    at = 100 * LIMITS[part]
    assert advise(spent(**{part: at - 0.01}), Training()).startswith("computing is the bound")
    assert not advise(spent(**{part: at + 0.01}), Training()).startswith("computing is the bound")


def test_only_options_that_exist_are_named() -> None:
    options = {flag_of(name) for name in Recipe.model_fields} | {"--runs", "--checkpoint-every"}
    for measured, training, _ in CASES.values():
        assert set(re.findall(r"--[a-z][a-z-]*", advise(measured, training))) <= options


def test_the_values_that_are_named_are_values_of_their_options() -> None:
    said: dict[str, Any] = {"optimizer": "adamw", "average": "none", "tta": "none", "channels": 1}
    said |= {"probe": "off", "cache": "memory"}
    assert Recipe.model_validate(said)
    assert Recipe.model_validate({"probe": "auto"})
