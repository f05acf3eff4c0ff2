"""A run that was stopped and goes on ends as one that was not: weights, moments, metrics, evaluations, bit for bit."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from striate.data import Dataset
from striate.errors import InterruptedRun, RunError, StriateError
from striate.runs import RunFolder
from striate.training import TrainedRun
from striate.training.events import EpochDone, Event, Note, StepDone
from striate.training.resuming import resume
from training.samples import make_dataset, quick_run

#: Everything that draws random numbers, and every kind of state.
RANDOM_NET = "conv 4 3 same > batchnorm > relu > dropout 0.5 > maxpool 2 > flatten > dense classes"
RANDOM = {"flip": "both", "shift": 1, "crop": 0.8, "rotate": 20.0, "color": 0.3}
#: Three layers with weights and more; and one that takes any size.
DEEP = "conv 6 2 > relu > conv 4 3 same > batchnorm > relu > conv 4 3 same > relu > flatten > dense classes"
POOLED = "conv 6 2 > relu > conv 4 3 same > batchnorm > relu > globalmaxpool > dense classes"
TIMES = {"seconds", "images_per_second", "checkpoint_seconds", "spent"}
Listener = Callable[[Event], None]


@pytest.fixture(autouse=True)
def usual_handlers() -> Iterator[None]:
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


class Killed(BaseException):
    """Stands for a process that is gone: nothing of Striate handles it as a stop."""


def stop_at(epoch: int, step: int) -> Listener:
    def listen(event: Event) -> None:
        if isinstance(event, StepDone) and (event.epoch, event.step) == (epoch, step):
            signal.raise_signal(signal.SIGINT)

    return listen


def lose_at(epoch: int, step: int) -> Listener:
    def listen(event: Event) -> None:
        if isinstance(event, StepDone) and (event.epoch, event.step) == (epoch, step):
            raise Killed

    return listen


def start(runs: Path, listen: Listener, expected: type[BaseException], **options: Any) -> RunFolder:
    with pytest.raises(expected):
        quick_run(runs, listen=listen, **options)
    return RunFolder(next(path for path in runs.iterdir() if not path.is_symlink()))


def without_times(rows: list[dict[str, object]]) -> list[dict[str, object]]:
    return [{name: value for name, value in row.items() if name not in TIMES} for row in rows]


def assert_same_end(ours: RunFolder, whole: RunFolder) -> None:
    """Weights byte for byte; metrics, results and evaluations but for what a clock measured."""
    for name in ("best.safetensors", "last.safetensors"):
        assert (ours.weights / name).read_bytes() == (whole.weights / name).read_bytes(), name
    assert without_times(ours.metrics().rows) == without_times(whole.metrics().rows)
    assert ours.evaluated_splits() == whole.evaluated_splits()
    for split in whole.evaluated_splits():
        assert ours.evaluation(split) == whole.evaluation(split)
    first, second = ours.record(), whole.record()
    assert (first.status, first.reason) == (second.status, second.reason)
    assert {k: v for k, v in first.results.items() if k not in TIMES} == {
        k: v for k, v in second.results.items() if k not in TIMES
    }


OPTIONS: dict[str, dict[str, Any]] = {
    "adamw": {**RANDOM, "net": RANDOM_NET},
    "adam, contiguous": {"optimizer": "adam", "layout": "contiguous", "net": RANDOM_NET},
    "sgd": {"optimizer": "sgd", "max_norm": 1.0, "l1": 0.001},
    "sgd without momentum": {"optimizer": "sgd", "momentum": 0.0},
    "balanced": {"class_weights": {"cat": 3.0}, "label_smoothing": 0.1},
    "bf16": {"precision": "bf16", **RANDOM},
    "cosine": {"schedule": "cosine", "clip": 0.5, "early_stopping": 2, "epochs": 6},
    "muon and ema": {
        "optimizer": "muon",
        "average": "ema",
        "average_decay": 0.9,
        "net": "conv 4 3 same > relu > conv 6 3 same > batchnorm > relu > conv 4 1 > flatten > dense classes",
    },
    "muon beside sgd": {"optimizer": "muon", "rest": "sgd", "net": DEEP, "bias_rate": 8.0, "tta": "shift"},
    "lookahead": {"average": "lookahead", "optimizer": "sgd", "schedule": "triangular", "epochs": 5},
    "ema and patience": {"average": "ema", "average_decay": 0.5, "epochs": 5, "early_stopping": 2},
    "whitened": {"whiten": True, "init": "dirac", "net": DEEP, "average": "lookahead", "max_norm": 1.0},
    "progressive": {"sizes": "progressive", "net": POOLED, "average": "ema", **RANDOM},
    "within an epoch": {"epochs": 2.6, "average": "ema"},
    "groups": {
        "net": "conv 8 3 same > relu > conv 8 3 same groups=8 > relu > conv 4 1 > globalavgpool > dense classes"
    },
}


@pytest.mark.parametrize("name", OPTIONS)
def test_stopped_in_the_middle_of_an_epoch(tmp_path: Path, name: str) -> None:
    options = {"epochs": 3, "batch": 10, **OPTIONS[name]}
    dataset = make_dataset(shape=(3, 6, 6))
    whole = quick_run(tmp_path / "whole", dataset, **options)
    folder = start(tmp_path / "runs", stop_at(2, 3), InterruptedRun, data=dataset, **options)
    torch.manual_seed(99)
    state = torch.get_rng_state()
    run = resume(folder.path, dataset)
    assert torch.equal(torch.get_rng_state(), state)
    assert_same_end(run.folder, whole.folder)
    assert len(run.record.resumed) == 1
    # What resuming needed is gone: the run is over.
    assert not folder.checkpoint.exists()


@pytest.mark.parametrize("place", [(1, 1), (1, 5), (2, 1), (3, 4), (3, 5)])
@pytest.mark.parametrize("how", ["stopped", "lost"])
def test_stopped_anywhere(tmp_path: Path, place: tuple[int, int], how: str) -> None:
    dataset, options = make_dataset(), {"epochs": 3, "batch": 10, "net": RANDOM_NET, "shift": 1}
    whole = quick_run(tmp_path / "whole", dataset, **options)
    listen, error = (stop_at(*place), InterruptedRun) if how == "stopped" else (lose_at(*place), Killed)
    folder = start(tmp_path / "runs", listen, error, data=dataset, **options)
    assert_same_end(resume(folder.path, dataset).folder, whole.folder)


def test_stopped_at_every_step(tmp_path: Path) -> None:
    dataset, options = make_dataset(), {"epochs": 3, "batch": 16, "net": RANDOM_NET, **RANDOM}
    whole = quick_run(tmp_path / "whole", dataset, **options)
    folder = start(tmp_path / "runs", stop_at(1, 1), InterruptedRun, data=dataset, **options)

    def each_step(event: Event) -> None:
        if isinstance(event, StepDone):
            signal.raise_signal(signal.SIGINT)

    for _ in range(8):
        with pytest.raises(InterruptedRun):
            resume(folder.path, dataset, listen=each_step)
    run = resume(folder.path, dataset)
    assert_same_end(run.folder, whole.folder)
    assert len(run.record.resumed) == 9


def test_the_running_means_of_the_epoch_go_on(tmp_path: Path) -> None:
    def keep(into: list[StepDone]) -> Listener:
        return lambda event: into.append(event) if isinstance(event, StepDone) else None

    dataset, options = make_dataset(), {"epochs": 2, "batch": 10}
    whole, after = [], []  # type: list[StepDone], list[StepDone]
    quick_run(tmp_path / "whole", dataset, listen=keep(whole), **options)
    folder = start(tmp_path / "runs", stop_at(2, 2), InterruptedRun, data=dataset, **options)
    resume(folder.path, dataset, listen=keep(after))
    assert [(e.epoch, e.step, e.loss, e.accuracy) for e in after] == [
        (e.epoch, e.step, e.loss, e.accuracy) for e in whole[7:]
    ]


def test_moments_and_random_state_are_those_of_the_uninterrupted_run(tmp_path: Path) -> None:
    """Both stop at the same step; one was stopped and went on before."""
    dataset, options = make_dataset(), {"epochs": 3, "batch": 10, "net": RANDOM_NET, **RANDOM}
    straight = start(tmp_path / "straight", stop_at(3, 2), InterruptedRun, data=dataset, **options)
    broken = start(tmp_path / "broken", stop_at(1, 4), InterruptedRun, data=dataset, **options)
    with pytest.raises(InterruptedRun):
        resume(broken.path, dataset, listen=stop_at(3, 2))
    ours, theirs = (folder.checkpoints.find() for folder in (broken, straight))
    assert ours is not None
    assert theirs is not None
    first, second = load_file(ours.tensors), load_file(theirs.tensors)
    assert {name.split(".")[0] for name in first} >= {"weights", "optimizer", "random"}
    assert set(first) == set(second)
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert ours.record.strides == theirs.record.strides
    assert ours.record.progress.meter.model_copy(update={"seconds": 0.0}) == (
        theirs.record.progress.meter.model_copy(update={"seconds": 0.0})
    )
    assert ours.record.progress.best == theirs.record.progress.best


def test_the_best_weights_are_those_of_the_checkpoint(tmp_path: Path) -> None:
    """A best epoch behind the checkpoint is not yet trained when it goes on."""
    dataset, options = make_dataset(), {"epochs": 5, "batch": 16}
    best: list[bytes] = []

    def listen(event: Event) -> None:
        if isinstance(event, EpochDone) and event.epoch == 1:
            best.append((next(tmp_path.glob("*/*-1")) / "weights" / "best.safetensors").read_bytes())
        stop_at(2, 2)(event)

    folder = start(tmp_path / "runs", listen, InterruptedRun, data=dataset, **options)
    assert folder.best_weights.read_bytes() == best[0]
    # As if a later epoch had been the best before the process was killed.
    folder.best_weights.write_bytes(folder.last_weights.read_bytes())
    with pytest.raises(InterruptedRun):
        resume(folder.path, dataset, listen=stop_at(2, 3))
    assert folder.best_weights.read_bytes() == best[0] != folder.last_weights.read_bytes()


def test_a_run_stopped_in_its_final_evaluation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from striate.training import running

    dataset = make_dataset()
    whole = quick_run(tmp_path / "whole", dataset)
    evaluate = running.evaluate_outputs

    def interrupted(*arguments: Any) -> Any:
        signal.raise_signal(signal.SIGINT)
        return evaluate(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(running, "evaluate_outputs", interrupted)
        folder = start(tmp_path / "runs", lambda event: None, InterruptedRun, data=dataset)
    steps: list[Event] = []
    run = resume(folder.path, dataset, listen=steps.append)
    assert not any(isinstance(event, StepDone) for event in steps)
    assert_same_end(run.folder, whole.folder)


def test_a_run_stopped_before_its_first_step(tmp_path: Path) -> None:
    from striate.training.events import Started

    def listen(event: Event) -> None:
        if isinstance(event, Started):
            raise Killed

    dataset = make_dataset()
    whole = quick_run(tmp_path / "whole", dataset)
    folder = start(tmp_path / "runs", listen, Killed, data=dataset)
    notes: list[Event] = []
    run = resume(folder.path, dataset, listen=notes.append)
    assert Note("it was stopped before its first step, and begins with that") in notes
    assert_same_end(run.folder, whole.folder)


def test_rows_behind_the_checkpoint_are_dropped(tmp_path: Path) -> None:
    dataset, options = make_dataset(), {"epochs": 3, "batch": 10}
    whole = quick_run(tmp_path / "whole", dataset, **options)
    folder = start(tmp_path / "runs", lose_at(3, 5), Killed, data=dataset, **options)
    with open(folder.metrics_jsonl, "ab") as stream:
        stream.write(b'{"kind":"step","epoch":3,"step":15,"loss":1.0,"learning_rate":0.1}\n{"kind":"st')
    assert_same_end(resume(folder.path, dataset).folder, whole.folder)


def test_what_is_told(tmp_path: Path) -> None:
    dataset = make_dataset()
    with pytest.raises(InterruptedRun) as raised:
        quick_run(tmp_path, dataset, batch=10, epochs=3, listen=stop_at(2, 3))
    (folder,) = (RunFolder(path) for path in tmp_path.iterdir() if not path.is_symlink())
    assert f"write: striate resume {folder.path}" in str(raised.value)
    events: list[Event] = []
    resume("latest", dataset, runs=tmp_path, listen=events.append)
    assert isinstance(events[0], Note)
    assert events[0].text.startswith("resuming at epoch 2, step 4: 8 steps are behind it (checkpoint ")


def test_the_time_trained_is_carried_over_and_the_time_between_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import types

    from striate.training import bookkeeping

    hand = types.SimpleNamespace(now=100.0)
    monkeypatch.setattr(bookkeeping, "time", types.SimpleNamespace(perf_counter=lambda: hand.now))

    def pass_time(until: tuple[int, int] | None) -> Listener:
        def listen(event: Event) -> None:
            if isinstance(event, StepDone):
                hand.now += 1.0
                if until == (event.epoch, event.step):
                    signal.raise_signal(signal.SIGINT)

        return listen

    dataset, options = make_dataset(), {"time": 8, "batch": 16, "precision": "fp32", "schedule": "cosine"}
    whole = quick_run(tmp_path / "whole", dataset, listen=pass_time(None), **options)
    assert whole.record.results["steps_done"] == 8
    folder = start(tmp_path / "runs", pass_time((2, 1)), InterruptedRun, data=dataset, **options)
    hand.now += 1e6
    run = resume(folder.path, dataset, listen=pass_time(None))
    assert run.record.status == "out of time"
    assert run.record.results["seconds"] == whole.record.results["seconds"] == 8.0
    # With a clock that stands still between the steps even the schedule by time is the same.
    assert_same_end(run.folder, whole.folder)


def test_the_same_request_goes_on_in_the_same_folder(tmp_path: Path) -> None:
    from striate.training import make_recipe, train

    dataset, recipe = make_dataset(), make_recipe({"epochs": 3, "threads": 1, "batch": 10})

    def ask(listen: Listener, **other: Any) -> TrainedRun:
        given = {"net": RANDOM_NET, "data": dataset, "recipe": recipe, **other}
        return train(**given, runs=tmp_path / "runs", folder="mine", listen=listen)

    whole = quick_run(tmp_path / "whole", dataset, RANDOM_NET, epochs=3, batch=10)
    with pytest.raises(InterruptedRun):
        ask(stop_at(2, 2))
    for other, words in (
        ({"recipe": make_recipe({"epochs": 4, "threads": 1, "batch": 10})}, "another recipe"),
        ({"net": "flatten > dense classes"}, "another network"),
        ({"data": make_dataset(seed=5)}, "the train images are not those of the run"),
    ):
        with pytest.raises(StriateError, match=words):
            ask(lambda event: None, **other)
    run = ask(lambda event: None)
    assert run.folder.path == tmp_path / "runs" / "mine"
    assert_same_end(run.folder, whole.folder)
    with pytest.raises(RunError, match="this run is finished"):
        ask(lambda event: None)
    (tmp_path / "runs" / "other").mkdir()
    (tmp_path / "runs" / "other" / "letter.txt").write_text("mine")
    with pytest.raises(RunError, match="not empty"):
        train(RANDOM_NET, dataset, recipe, runs=tmp_path / "runs", folder="other")
    assert (tmp_path / "runs" / "latest").resolve() == run.folder.path.resolve()


def test_beginning_anew_beside_an_unfinished_run_is_said(tmp_path: Path) -> None:
    dataset, options = make_dataset(), {"epochs": 3, "batch": 10, "net": RANDOM_NET}
    folder = start(tmp_path, stop_at(2, 2), InterruptedRun, data=dataset, **options)
    words = f"{folder.path} was asked for in the same way and is not finished: striate resume {folder.path}"
    notes: list[Event] = []
    quick_run(tmp_path, dataset, listen=notes.append, **{**options, "epochs": 2})
    assert Note(words) not in notes
    (tmp_path / "latest").unlink()
    (tmp_path / "latest").symlink_to(folder.name)
    run = quick_run(tmp_path, dataset, listen=notes.append, **options)
    assert Note(words) in notes
    assert run.folder.path != folder.path
    assert folder.record().status == "interrupted"


def test_a_dataset_is_not_needed_where_the_images_can_be_read_again(tmp_path: Path) -> None:
    from training.samples import save_npz

    source = save_npz(tmp_path / "data.npz")
    whole = quick_run(tmp_path / "whole", source, batch=10)
    folder = start(tmp_path / "runs", stop_at(1, 2), InterruptedRun, data=source, batch=10)
    moved: Dataset | Path = source.rename(tmp_path / "moved.npz")
    with pytest.raises(StriateError, match="not where they were"):
        resume(folder.path)
    assert_same_end(resume(folder.path, moved).folder, whole.folder)


def test_a_network_whose_nodes_share_weights(tmp_path: Path) -> None:
    from dataclasses import replace

    from striate.graph import Graph, network

    plain = network("shared", (1, 6, 6), 3).conv(4, 3, padding="same").relu().conv(4, 3, padding="same", name="again")
    graph: Graph = plain.relu().conv(4, 3, padding="same", name="third").flatten().dense(3).build()
    nodes = tuple(replace(node, shares="again") if node.name == "third" else node for node in graph.nodes)
    graph = replace(graph, nodes=nodes)
    dataset, options = make_dataset(), {"epochs": 3, "batch": 10, "net": graph}
    whole = quick_run(tmp_path / "whole", dataset, **options)
    folder = start(tmp_path / "runs", stop_at(2, 3), InterruptedRun, data=dataset, **options)
    assert_same_end(resume(folder.path, dataset).folder, whole.folder)
