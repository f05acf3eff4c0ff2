"""train: a network and images in, a run folder out."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from striate.backend import build_module, initialize, load_weights
from striate.data import Dataset
from striate.graph import Graph
from striate.runs import create_run
from striate.training.bookkeeping import History
from striate.training.evaluation import evaluate_outputs
from striate.training.events import Listener, Note, Started, silent
from striate.training.fitting import fit_network
from striate.training.inputs import to_input, to_tensor
from striate.training.interruption import Interruption
from striate.training.keeper import Keeper
from striate.training.loop import Ending, Job, train_epochs
from striate.training.losses import Loss, make_loss
from striate.training.network import check_fits, logits_graph
from striate.training.plan import Plan, make_plan
from striate.training.precision import Choice, choose_precision
from striate.training.randomness import isolated
from striate.training.recipe import Recipe
from striate.training.recording import Recorder
from striate.training.trained import TrainedRun

__all__ = ["train"]


def train(
    net: str | Path | Graph = "simple-cnn",
    data: str | Path | Dataset = "digits",
    recipe: Recipe | None = None,
    *,
    runs: str | Path = "runs",
    listen: Listener = silent,
    command: str | None = None,
) -> TrainedRun:
    """Train a network on images and write everything into a new run folder.

    Args:
        net: a zoo name, a YAML file, inline text or a Graph.
        data: ``digits``, a folder, a CSV, IDX or ``.npz`` file, or a Dataset.
        recipe: how; the default needs no option.
        runs: the folder of all runs.
        listen: told of every step and epoch; see :mod:`striate.training.events`.
        command: the command line, for the record.

    Returns:
        The finished run, opened.

    Raises:
        NetworkError, DataError, UsageError: before anything is written.
        DivergedError, InterruptedRun, StorageError: after saving what was good; the run folder says how it ended.
    """
    recipe = recipe or Recipe()
    graph, dataset = fit_network(net, data, recipe)
    check_fits(graph, dataset)
    plan = make_plan(recipe, graph, dataset)
    loss_name, loss = make_loss(recipe, dataset.task, dataset.classes, dataset.card.splits["train"].counts)
    logits = logits_graph(graph, dataset.task)
    if logits is not graph:
        listen(Note(f"{graph[graph.outputs[0]].layer.kind} at the end is left out while training: the loss has it"))
    for note in (*plan.notes, *(finding.line() for finding in dataset.findings)):
        listen(Note(note))
    with isolated(plan.threads):
        module = _first_module(logits, recipe, plan)
        choice = _choose(recipe, plan, module, logits, dataset, loss)
        listen(Note(f"arithmetic: {choice.name} ({choice.reason})"))
        job = Job(logits, module, dataset, recipe, plan, loss, choice.dtype)
        resolved = {"loss": loss_name, "precision": choice.name, "precision_reason": choice.reason, "device": "cpu"}
        with Interruption() as interruption:
            folder = create_run(runs, f"{_stem(dataset)}-{graph.name}")
            recorder = Recorder(folder, graph, recipe, plan, resolved, command)
            with interruption.armed(), recorder.recording(dataset):
                ending = _train(job, recorder, listen, interruption)
    if ending == "interrupted":
        raise recorder.interrupted()
    interruption.pass_on()
    return TrainedRun(folder, dataset=dataset)


def _train(job: Job, recorder: Recorder, listen: Listener, interruption: Interruption) -> Ending:
    """Train, measure the best weights, and write how it ended."""
    dataset, plan, folder = job.dataset, job.plan, recorder.folder
    listen(Started(str(folder.path), plan.epochs, plan.steps, len(dataset.train)))
    history = History(plan, job.recipe.early_stopping)
    try:
        with Keeper(folder, job.graph, job.module) as keeper:
            ending = train_epochs(job, history, keeper, listen, interruption)
            if history.epochs == 0:
                # No epoch was finished, so the newest weights are the best there are.
                keeper.save_best()
    finally:
        recorder.results.update(history.results())
    if ending != "interrupted":
        try:
            with interruption.cutting_short():
                load_weights(job.module, folder.best_weights)
                _evaluate_best(job, recorder)
        except KeyboardInterrupt:
            ending = "interrupted"
    recorder.end(ending, _reason(ending, history, job.recipe.early_stopping))
    return ending


def _first_module(graph: Graph, recipe: Recipe, plan: Plan) -> nn.Module:
    """The network with its first weights, in the memory order of the plan."""
    module = build_module(graph, seed=None)
    initialize(module, graph, recipe.init, recipe.seed)
    return module.to(memory_format=plan.layout)  # type: ignore[call-overload, no-any-return]


def _choose(recipe: Recipe, plan: Plan, module: nn.Module, graph: Graph, dataset: Dataset, loss: Loss) -> Choice:
    """Measure the arithmetic on the first batch."""
    batch = to_input(to_tensor(dataset.train.images[: plan.batch]), dataset.preprocessing, plan.layout)
    labels = to_tensor(dataset.train.labels[: plan.batch])
    macs = sum(node.layer.macs(graph.input_shapes(node), graph.shapes[node.name]) for node in graph.nodes)
    # A backward pass costs about twice a forward pass; a time budget alone counts as a long training.
    work = 3.0 * macs * len(dataset.train) * plan.epochs if plan.epochs else float("inf")
    return choose_precision(recipe.precision, module, batch, labels, loss, work)


def _evaluate_best(job: Job, recorder: Recorder) -> None:
    """Measure validation and test in fp32, and store both."""
    dataset = job.dataset
    for name, split in dataset.splits.items():
        if name == "train":
            continue
        evaluation = evaluate_outputs(job.outputs(split), split, name, dataset.task, dataset.classes, job.loss)
        recorder.folder.write_evaluation(evaluation)
        recorder.results[f"{name}_loss"] = evaluation.loss
        if evaluation.accuracy is not None:
            recorder.results[f"{name}_accuracy"] = evaluation.accuracy
        if evaluation.rmse is not None:
            recorder.results[f"{name}_rmse"] = evaluation.rmse


def _reason(ending: Ending, history: History, patience: int | None) -> str:
    return {
        "done": "the one epoch was trained" if history.epochs == 1 else f"all {history.epochs} epochs were trained",
        "out of time": f"the time was up in epoch {history.epochs}",
        "stopped early": f"no better validation in {patience} epochs; stopped after {history.epochs}",
        "interrupted": f"stopped by the user after {history.epochs} whole epochs",
    }[ending]


def _stem(dataset: Dataset) -> str:
    return Path(dataset.card.source).name.split(".")[0] or "data"
