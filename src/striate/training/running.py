"""One job from its first weights, or its checkpoint, to its evaluation: for a new run and for one that goes on."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

import torch
from torch import nn

from striate.backend import build_module, initialize, load_weights
from striate.data.image_source import release
from striate.errors import StorageError
from striate.training.devices import CPU
from striate.training.evaluation import evaluate_outputs, loss_and_accuracy
from striate.training.events import Note, Started
from striate.training.first_layer import whiten
from striate.training.keeper import Keeper
from striate.training.loop import train_epochs
from striate.training.monitored import monitored
from striate.training.settings import in_setting
from striate.training.spent_advice import Training, advise
from striate.training.trained import TrainedRun
from striate.views.time_spent import time_spent_line

if TYPE_CHECKING:
    from striate.data import Dataset
    from striate.graph import Graph
    from striate.training.bookkeeping import Ending, History
    from striate.training.checkpointing import Checkpointer
    from striate.training.events import Listener
    from striate.training.interruption import Interruption
    from striate.training.job import Job
    from striate.training.plan import Plan
    from striate.training.recipe import Recipe
    from striate.training.recording import Recorder
    from striate.training.settings import Setting

__all__ = ["finished", "first_module", "run_job"]


def first_module(graph: Graph, recipe: Recipe, setting: Setting, device: torch.device = CPU) -> nn.Module:
    """The network with its first weights, as a setting computes it: rewritten or not, in its memory order.

    The weights are drawn on the processor, so that they are the same on every device.
    """
    module = build_module(graph, seed=None)
    initialize(module, graph, recipe.init, recipe.seed)
    module = module.to(device=device, memory_format=setting.layout)  # type: ignore[call-overload]
    return in_setting(graph, module, setting)


def run_job(
    job: Job,
    history: History,
    checkpointer: Checkpointer,
    recorder: Recorder,
    listen: Listener,
    interruption: Interruption,
) -> Ending:
    """Train, measure the best weights, and write how it ended.

    Raises:
        DivergedError, StorageError, RunError: as :func:`striate.training.loop.train_epochs`.
    """
    dataset, plan, folder = job.dataset, job.plan, recorder.folder
    if job.recipe.whiten:
        whiten(job.module, job.graph, dataset)
    listen(Started(str(folder.path), plan.whole_epochs, plan.steps_in(1), len(dataset.train)))
    try:
        with Keeper(folder, job, history, checkpointer) as keeper, monitored(job, history, recorder, listen) as watch:
            ending = train_epochs(job, history, keeper, watch, watch.listening(), interruption)
            if history.epochs == 0:
                # No epoch was finished, so the newest weights are the best there are.
                keeper.save_best()
    finally:
        history.spent.mark("other")
        recorder.results.update(history.results())
        recorder.spent = history.spent.as_record()
    if ending != "interrupted":
        try:
            with interruption.cutting_short():
                load_weights(job.module, folder.best_weights)
                _evaluate_best(job, recorder)
                _tell_spent(job, history, checkpointer, recorder, listen)
        except KeyboardInterrupt:
            ending = "interrupted"
    recorder.end(ending, _reason(ending, history, plan, job.recipe.early_stopping))
    return ending


def finished(
    recorder: Recorder, ending: Ending, dataset: Dataset, listen: Listener, interruption: Interruption
) -> TrainedRun:
    """The run that is over, opened; its checkpoints are removed, for it is never resumed.

    Raises:
        InterruptedRun: it was interrupted.
    """
    for split in dataset.splits.values():
        release(split.images)
    if ending == "interrupted":
        raise recorder.interrupted(interruption.number)
    try:
        recorder.folder.checkpoints.remove()
    except StorageError as error:
        # The run is whole without it; only room on the disk is lost.
        listen(Note(f"the checkpoints, which are not needed any more, could not be removed: {error.problem}"))
    interruption.pass_on()
    return TrainedRun(recorder.folder, dataset=dataset)


def _evaluate_best(job: Job, recorder: Recorder) -> None:
    """Measure validation and test in fp32, and store both; with test-time augmentation, the accuracy without it too."""
    dataset = job.dataset
    for name, split in dataset.splits.items():
        if name == "train":
            continue
        outputs = job.outputs(split, job.recipe.tta)
        evaluation = evaluate_outputs(outputs, split, name, dataset.task, dataset.classes, job.loss)
        recorder.folder.write_evaluation(evaluation)
        if job.recipe.tta != "none" and evaluation.accuracy is not None:
            plain = loss_and_accuracy(job.outputs(split), split, dataset.task, job.loss)[1]
            recorder.results[f"{name}_accuracy_without_tta"] = plain
        recorder.results[f"{name}_loss"] = evaluation.loss
        if evaluation.accuracy is not None:
            recorder.results[f"{name}_accuracy"] = evaluation.accuracy
        if evaluation.rmse is not None:
            recorder.results[f"{name}_rmse"] = evaluation.rmse


def _tell_spent(job: Job, history: History, checkpointer: Checkpointer, recorder: Recorder, listen: Listener) -> None:
    """Where the time went, and what to do about it: told, and kept."""
    history.spent.mark("validation")
    spent = history.spent.as_record()
    training = Training(
        recipe=recorder.record.recipe,
        images_per_second=float(recorder.results.get("images_per_second") or 0.0),
        divided=job.dataset.card.split_seed is None,
        on_disk="in a file on the disk" in job.dataset.kept,
        streamed="whenever they are needed" in job.dataset.kept,
        epochs=history.epochs,
        checkpoint_every=checkpointer.every,
        run=shlex.quote(str(recorder.folder.path)),
    )
    recorder.spent = spent.model_copy(update={"advice": advise(spent, training)})
    listen(Note(time_spent_line(spent)))
    listen(Note(f"advice: {recorder.spent.advice}"))


def _reason(ending: Ending, history: History, plan: Plan, patience: int | None) -> str:
    whole = plan.epochs is None or plan.epochs == plan.whole_epochs
    every = "the one epoch was trained" if history.epochs == 1 else f"all {history.epochs} epochs were trained"
    return {
        "done": every if whole else f"{plan.epochs:g} epochs were trained",
        "out of time": f"the time was up in epoch {history.epochs}",
        "stopped early": f"no better validation in {patience} epochs; stopped after {history.epochs}",
        "interrupted": f"stopped by the user after {history.epochs} whole epochs",
    }[ending]
