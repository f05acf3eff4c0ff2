"""--verify-resume compares what it says it compares, and would see a difference."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest
import torch

from striate.errors import UsageError
from striate.training import make_recipe, verify_resume
from striate.training.events import Event, StepDone
from training.samples import make_dataset, save_npz

NET = "conv 4 3 same > batchnorm > relu > dropout 0.5 > flatten > dense classes"


def recipe(**options: Any) -> Any:
    return make_recipe({"epochs": 3, "threads": 1, "batch": 10, **options})


def test_in_a_new_process(tmp_path: Path) -> None:
    proof = verify_resume(NET, save_npz(tmp_path / "data.npz"), recipe(shift=1))
    assert proof.equal
    assert proof.how == "a new process"
    assert (proof.steps, proof.more) == (7, 7)
    assert [(part.name, part.count) for part in proof.parts] == [
        ("weights", 9),
        ("optimizer", 18),  # two moments and a count for each of six parameters
        ("random state", 1),
        ("position and running means", 0),
    ]
    assert all(part.equal and len(part.straight) == 64 for part in proof.parts)
    assert not list(tmp_path.glob("runs*"))


def test_images_in_memory_are_verified_in_this_process() -> None:
    before = torch.get_rng_state()
    proof = verify_resume(NET, make_dataset(), recipe(optimizer="sgd"))
    assert proof.equal
    assert proof.how == "new objects in this process"
    assert torch.equal(torch.get_rng_state(), before)


def test_an_average_is_compared_too() -> None:
    proof = verify_resume(NET, make_dataset(), recipe(average="ema"))
    assert proof.equal
    assert [part.name for part in proof.parts][:2] == ["weights", "average"]


@pytest.mark.parametrize(
    ("name", "lost"),
    [
        ("restore_optimizer", {"weights", "optimizer", "random state", "position and running means"}),
        ("restore_module", {"weights", "optimizer", "position and running means"}),
    ],
)
def test_what_is_not_restored_is_seen(monkeypatch: pytest.MonkeyPatch, name: str, lost: set[str]) -> None:
    from striate.training import checkpointing

    monkeypatch.setattr(checkpointing, name, lambda *arguments: None)
    # One epoch alone: at the start of another the generator is seeded anew.
    proof = verify_resume(NET, make_dataset(), recipe(batch=2, epochs=1))
    assert not proof.equal
    assert {part.name for part in proof.parts if not part.equal} == lost


def test_what_cannot_be_verified() -> None:
    with pytest.raises(UsageError, match="no two trainings are the same"):
        verify_resume(NET, make_dataset(), make_recipe({"time": 5}))
    with pytest.raises(UsageError, match="one step only"):
        verify_resume(NET, make_dataset(), make_recipe({"epochs": 1, "batch": 48}))


def test_somebody_else_stops_it() -> None:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)

    def listen(event: Event) -> None:
        assert not isinstance(event, StepDone)  # the steps of a proof are not told
        signal.raise_signal(signal.SIGINT)

    try:
        with pytest.raises(KeyboardInterrupt):
            verify_resume(NET, make_dataset(), recipe(), listen=listen)
    finally:
        signal.signal(signal.SIGINT, before)
