"""train: a network and images in, a run folder out."""

from __future__ import annotations

import contextlib
import datetime
import platform
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch

from striate.backend import build_module, initialize, load_weights
from striate.data import Dataset
from striate.errors import DivergedError, InterruptedRun, StriateError
from striate.graph import Graph
from striate.runs import RunFolder, create_run
from striate.runs.records import RunRecord
from striate.sources import to_yaml
from striate.training.evaluation import evaluate_outputs, network_outputs
from striate.training.events import Listener, Note, Started, silent
from striate.training.fitting import fit_network
from striate.training.inputs import to_input
from striate.training.interruption import Interruption
from striate.training.keeper import Keeper
from striate.training.loop import Job, Outcome, train_epochs
from striate.training.losses import make_loss
from striate.training.network import check_fits, logits_graph
from striate.training.plan import Plan, make_plan
from striate.training.precision import Choice, choose_precision
from striate.training.recipe import Recipe
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
    plan = make_plan(recipe, dataset)
    trained_graph = logits_graph(graph, dataset.task)
    if trained_graph is not graph:
        listen(Note(f"{graph[graph.outputs[0]].layer.kind} at the end is left out while training: the loss has it"))
    loss_name, loss = make_loss(recipe, dataset.task, dataset.classes, dataset.card.splits["train"].counts)
    for finding in dataset.findings:
        listen(Note(finding.line()))
    # Our randomness must not move the caller's, and his thread count is his.
    with _threads(plan.threads), torch.random.fork_rng(devices=[]):
        torch.manual_seed(recipe.seed)
        module = build_module(trained_graph)
        initialize(module, trained_graph, recipe.init, recipe.seed)
        module.to(memory_format=plan.layout)  # type: ignore[call-overload]
        choice = _choose(recipe, plan, module, trained_graph, dataset, loss)
        listen(Note(f"arithmetic: {_name(choice.dtype)} ({choice.reason})"))
        folder = create_run(runs, f"{_stem(dataset)}-{graph.name}")
        record = _new_record(folder, graph, recipe, plan, choice, loss_name, command)
        with _recording(folder, record, graph, dataset) as finish, Interruption() as interruption:
            listen(Started(str(folder.path), plan.epochs, plan.steps, len(dataset.train)))
            job = Job(trained_graph, module, dataset, recipe, plan, loss, choice.dtype)
            with Keeper(folder, trained_graph, module) as keeper:
                outcome = train_epochs(job, keeper, listen, interruption)
            results = _results(outcome)
            load_weights(module, folder.best_weights)
            results.update(_final_evaluations(job, folder))
            finish(outcome.ending, _reason(outcome), results)
    if outcome.ending == "interrupted":
        raise InterruptedRun(
            f"interrupted after {outcome.epochs} whole epochs; everything so far is saved",
            where=str(folder.path),
            write=f"striate evaluate {folder.path}",
        )
    return TrainedRun(folder)


def _choose(recipe: Recipe, plan: Plan, module: torch.nn.Module, graph: Graph, dataset: Dataset, loss: Any) -> Choice:
    """Measure the arithmetic on the first batch."""
    images = torch.from_numpy(dataset.train.images[: plan.batch])
    batch = to_input(images, dataset.preprocessing).contiguous(memory_format=plan.layout)
    macs = sum(node.layer.macs(graph.input_shapes(node), graph.shapes[node.name]) for node in graph.nodes)
    # A backward pass costs about twice a forward pass; a time budget alone counts as a long training.
    work = 3.0 * macs * plan.steps * plan.batch * plan.epochs if plan.epochs else float("inf")
    return choose_precision(
        recipe.precision, module, batch, torch.from_numpy(dataset.train.labels[: plan.batch]), loss, work
    )


def _final_evaluations(job: Job, folder: RunFolder) -> dict[str, float | int | str | None]:
    """Measure the best weights on validation and test, in fp32, and store both."""
    results: dict[str, float | int | str | None] = {}
    dataset = job.dataset
    for name, split in dataset.splits.items():
        if name == "train":
            continue
        outputs = network_outputs(job.module, split.images, dataset.preprocessing, job.plan.layout)
        evaluation = evaluate_outputs(outputs, split, name, dataset.task, dataset.classes, job.loss)
        folder.write_evaluation(evaluation)
        results[f"{name}_loss"] = evaluation.loss
        if evaluation.accuracy is not None:
            results[f"{name}_accuracy"] = evaluation.accuracy
        if evaluation.rmse is not None:
            results[f"{name}_rmse"] = evaluation.rmse
    return results


def _results(outcome: Outcome) -> dict[str, float | int | str | None]:
    return {
        "epochs_done": outcome.epochs,
        "steps_done": outcome.steps,
        "best_epoch": outcome.best_epoch,
        "seconds": outcome.seconds,
        "images_per_second": outcome.images_per_second,
    }


def _reason(outcome: Outcome) -> str:
    return {
        "done": f"all {outcome.epochs} epochs were trained",
        "out of time": f"the time was up after {outcome.epochs} epochs",
        "stopped early": f"no better validation since epoch {outcome.best_epoch}",
        "interrupted": f"stopped by the user after {outcome.epochs} whole epochs",
    }[outcome.ending]


def _new_record(
    folder: RunFolder,
    graph: Graph,
    recipe: Recipe,
    plan: Plan,
    choice: Choice,
    loss_name: str,
    command: str | None,
) -> RunRecord:
    from striate import __version__

    return RunRecord(
        name=folder.name,
        command=command,
        created=_now(),
        status="running",
        network=graph.name,
        parameters=graph.parameter_count,
        asked=recipe.model_dump(mode="json", exclude_unset=True),
        recipe=recipe.as_dict(),
        resolved={
            **plan.as_dict(),
            "loss": loss_name,
            "precision": _name(choice.dtype),
            "precision_reason": choice.reason,
            "device": "cpu",
        },
        versions={
            "striate": __version__,
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
            "platform": platform.platform(),
        },
        seed=recipe.seed,
    )


@contextlib.contextmanager
def _recording(folder: RunFolder, record: RunRecord, graph: Graph, dataset: Dataset) -> Iterator[Any]:
    """Write what is known at the start, and how it ended, whatever happens in between."""
    folder.write_record(record)
    folder.write_net_text(to_yaml(graph))
    folder.write_data_card(dataset.card)
    folder.write_findings(dataset.findings)

    def finish(status: str, reason: str, results: dict[str, float | int | str | None] | None = None) -> None:
        update = {"status": status, "reason": reason, "finished": _now(), "results": results or {}}
        folder.write_record(record.model_copy(update=update))

    try:
        yield finish
    except KeyboardInterrupt:
        finish("interrupted", "stopped by the user")
        raise InterruptedRun("interrupted; everything so far is saved", where=str(folder.path)) from None
    except DivergedError as error:
        finish("diverged", f"{error.problem} ({error.where})")
        raise
    except BaseException as error:
        # A full disk may refuse this too; the first error is the one to tell.
        with contextlib.suppress(StriateError):
            finish("failed", error.problem if isinstance(error, StriateError) else repr(error))
        raise


@contextlib.contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _name(dtype: torch.dtype) -> str:
    return "bf16" if dtype == torch.bfloat16 else "fp32"


def _stem(dataset: Dataset) -> str:
    return Path(dataset.card.source).name.split(".")[0] or "data"


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
