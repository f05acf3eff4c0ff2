"""One seed, one result; and what the caller does with torch has no part in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from striate.training.events import Event
from training.samples import NET, make_dataset, quick_run

#: Everything that draws random numbers at once.
RANDOM_NET = "conv 4 3 same > relu > dropout 0.5 > flatten > dense classes"
RANDOM = {"flip": "both", "shift": 1, "crop": 0.8, "rotate": 20.0, "color": 0.3, "init": "orthogonal"}
RANDOM |= {"scale": 0.2, "randaugment": 2, "cutout": 2, "mixup": 0.3, "cutmix": 1.0}


def weights(runs: Path, net: str = RANDOM_NET, **options: object) -> bytes:
    return quick_run(runs, make_dataset(), net, **{**RANDOM, **options}).folder.last_weights.read_bytes()


def test_two_runs_with_one_seed_have_the_same_bytes(tmp_path: Path) -> None:
    first = quick_run(tmp_path, net=RANDOM_NET, **RANDOM)
    second = quick_run(tmp_path, net=RANDOM_NET, **RANDOM)
    assert first.folder.path != second.folder.path
    for ours, theirs in zip(first.folder.weights.iterdir(), second.folder.weights.iterdir(), strict=True):
        assert ours.read_bytes() == theirs.read_bytes()
    assert first.folder.evaluation("test") == second.folder.evaluation("test")


def test_another_seed_is_another_training(tmp_path: Path) -> None:
    assert weights(tmp_path, NET, seed=1) != weights(tmp_path, NET, seed=2)


def test_the_global_random_state_has_no_part_in_it(tmp_path: Path) -> None:
    torch.manual_seed(1)
    np.random.seed(1)
    first = weights(tmp_path)
    torch.manual_seed(2)
    torch.rand(7)
    np.random.seed(2)
    assert weights(tmp_path) == first


def test_a_listener_that_draws_random_numbers_changes_only_the_rest_of_its_epoch(tmp_path: Path) -> None:
    def greedy(event: Event) -> None:
        torch.rand(11)

    dataset = make_dataset()
    plain = quick_run(tmp_path, dataset, NET, shift=1).folder.last_weights.read_bytes()
    assert quick_run(tmp_path, dataset, NET, listen=greedy, shift=1).folder.last_weights.read_bytes() == plain


def test_the_settings_of_torch_have_no_part_in_it(tmp_path: Path) -> None:
    plain = weights(tmp_path)
    before = torch.get_default_dtype()
    try:
        torch.set_default_dtype(torch.float64)
        assert weights(tmp_path) == plain
    finally:
        torch.set_default_dtype(before)
    with torch.no_grad():
        assert weights(tmp_path) == plain
    with torch.inference_mode():
        assert weights(tmp_path) == plain
    with torch.device("meta"):
        assert weights(tmp_path) == plain
