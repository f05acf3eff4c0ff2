"""train: a network and images in, a run folder out."""

from __future__ import annotations

import shlex
import time
from dataclasses import replace
from pathlib import Path

import torch

from striate.data import Dataset
from striate.graph import Graph
from striate.runs import RunFolder, create_run
from striate.runs.folder import create_run_at, run_path
from striate.runs.lock import alone_in
from striate.training.allocator import memory_as
from striate.training.bookkeeping import History
from striate.training.checkpointing import Checkpointer
from striate.training.devices import machine_name
from striate.training.events import Listener, Note, silent
from striate.training.fitting import fit_network
from striate.training.identity import Identity
from striate.training.interruption import Interruption
from striate.training.job import Job
from striate.training.losses import Loss, make_loss
from striate.training.network import check_fits, logits_graph
from striate.training.plan import Plan, make_plan
from striate.training.probe import Question
from striate.training.probe_cache import decide
from striate.training.randomness import isolated
from striate.training.recipe import Recipe
from striate.training.recording import Recorder, first_record
from striate.training.resuming import check_same_request, has_begun, resume, unfinished_twin
from striate.training.running import finished, first_module, run_job
from striate.training.settings import in_setting
from striate.training.trained import TrainedRun
from striate.training.usual_setting import default_setting

__all__ = ["train"]


def train(
    net: str | Path | Graph = "simple-cnn",
    data: str | Path | Dataset = "digits",
    recipe: Recipe | None = None,
    *,
    runs: str | Path = "runs",
    folder: str | Path | None = None,
    checkpoint_every: float | None = None,
    listen: Listener = silent,
    command: str | None = None,
    interruption: Interruption | None = None,
) -> TrainedRun:
    """Train a network on images and write everything into a new run folder.

    Args:
        net: a zoo name, a YAML file, inline text or a Graph.
        data: ``digits``, a folder, a CSV, IDX or ``.npz`` file, or a Dataset.
        recipe: how; the default needs no option.
        runs: the folder of all runs.
        folder: of this run, as a name below ``runs`` or a path; None: a new one with a number. Where an unfinished run
            is in it that was asked for in the same way, that one goes on.
        checkpoint_every: seconds between two checkpoints inside an epoch; None: 60, and seldomer where checkpoints
            would take more than 5 % of the time.
        listen: told of every step and epoch; see :mod:`striate.training.events`.
        command: the command line, for the record.
        interruption: for who wants to stop it from outside.

    Returns:
        The finished run, opened.

    Raises:
        NetworkError, DataError, UsageError: before anything is written.
        RunError: the folder holds another run, or a finished one, or another process is training it.
        DivergedError, InterruptedRun, StorageError: after saving what was good; the run folder says how it ended.
    """
    recipe = recipe or Recipe()
    began = time.perf_counter()
    graph, dataset = fit_network(net, data, recipe)
    reading = time.perf_counter() - began
    check_fits(graph, dataset)
    if folder is not None and has_begun(begun := RunFolder(run_path(folder, runs))):
        check_same_request(begun, graph, dataset, recipe)
        return resume(begun.path, dataset, checkpoint_every=checkpoint_every, listen=listen, interruption=interruption)
    plan = make_plan(recipe, graph, dataset)
    if folder is None and (twin := unfinished_twin(runs, graph, dataset, recipe)) is not None:
        listen(Note(f"{twin} was asked for in the same way and is not finished: striate resume {shlex.quote(twin)}"))
    loss_name, loss = make_loss(recipe, dataset.task, dataset.classes, dataset.card.splits["train"].counts)
    logits = logits_graph(graph, dataset.task)
    if logits is not graph:
        listen(Note(f"{graph[graph.outputs[0]].layer.kind} at the end is left out while training: the loss has it"))
    if dataset.kept:
        listen(Note(f"images: {dataset.kept}"))
    for note in (*plan.notes, *(finding.line() for finding in dataset.findings)):
        listen(Note(note))
    own = isolated(plan.threads, plan.device, deterministic=recipe.deterministic)
    with own, memory_as(recipe.memory) as told:
        history = History(plan, recipe.early_stopping)
        history.spent.add("decode", reading)
        job, decided = _first_job(recipe, plan, logits, dataset, loss, listen)
        history.spent.mark("probe")
        for note in told:
            listen(Note(note))
        resolved = {"loss": loss_name, **decided, "device_name": machine_name(plan.device)}
        with interruption or Interruption() as interruption:
            run = _new_folder(runs, folder, dataset, graph)
            recorder = Recorder(run, first_record(run, graph, recipe, job.plan, resolved, command))
            with alone_in(run.checkpoint), interruption.armed(), recorder.recording():
                recorder.write_beginning(graph, dataset)
                identity = Identity.of(graph, dataset.card, recorder.record.recipe, recorder.record.resolved)
                checkpointer = Checkpointer(run, identity, job.module, history, checkpoint_every)
                ending = run_job(job, history, checkpointer, recorder, listen, interruption)
    return finished(recorder, ending, dataset, listen, interruption)


def _new_folder(runs: str | Path, folder: str | Path | None, dataset: Dataset, graph: Graph) -> RunFolder:
    if folder is None:
        return create_run(runs, f"{Path(dataset.card.source).name.split('.')[0] or 'data'}-{graph.name}")
    return create_run_at(folder, runs)


def _first_job(
    recipe: Recipe, plan: Plan, graph: Graph, dataset: Dataset, loss: Loss, listen: Listener
) -> tuple[Job, dict[str, object]]:
    """The job with its first weights, and what was decided about it; the threads are set from here on."""
    plain = replace(default_setting(recipe, plan, graph), rewritten=False, fused=False)
    module = first_module(graph, recipe, plain, plan.device)
    decision = decide(Question(recipe, plan, graph, module, dataset, loss), listen)
    setting = decision.setting
    module = in_setting(graph, module.to(memory_format=setting.layout), setting)  # type: ignore[call-overload]
    threads = setting.threads or plan.threads
    torch.set_num_threads(threads)
    plan = replace(plan, layout=setting.layout, threads=threads)
    return Job(graph, module, dataset, recipe, plan, loss, setting), decision.as_dict()
