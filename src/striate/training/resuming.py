"""resume: an unfinished run goes on as if it had never stopped, to the last bit."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from striate.data import Dataset
from striate.errors import DataError, RunError, StriateError
from striate.runs import RunFolder, open_run
from striate.runs.atomic import remove_leftovers
from striate.runs.lock import alone_in
from striate.training.allocator import memory_as
from striate.training.bookkeeping import History
from striate.training.checkpointing import Checkpointer
from striate.training.devices import machine_name
from striate.training.events import Listener, Note, silent
from striate.training.fusing import workable
from striate.training.identity import Identity, check_data, check_identity, differences, fingerprint
from striate.training.interruption import Interruption
from striate.training.job import Job
from striate.training.measuring import read_again
from striate.training.network import logits_graph
from striate.training.randomness import isolated
from striate.training.recipe import Recipe, make_recipe
from striate.training.recording import Recorder
from striate.training.running import finished, first_module, run_job
from striate.training.stored_plan import stored_plan
from striate.training.trained import TrainedRun
from striate.training.versions import now, versions

if TYPE_CHECKING:
    from striate.graph import Graph
    from striate.runs.checkpoints import Found
    from striate.runs.records import RunRecord

__all__ = ["check_same_request", "has_begun", "resume", "unfinished_twin"]

_FINISHED = ("done", "out of time", "stopped early")


def resume(
    run: str | Path = "latest",
    data: str | Path | Dataset | None = None,
    *,
    runs: str | Path = "runs",
    checkpoint_every: float | None = None,
    listen: Listener = silent,
    interruption: Interruption | None = None,
) -> TrainedRun:
    """Go on with a run that was interrupted, killed or stopped by a full disk, from its newest whole checkpoint.

    On the same machine with the same versions every further number is the one that the uninterrupted run would have
    had; a time budget counts the time trained, not the time between.

    Args:
        run: its folder, its name under ``runs``, or ``latest``.
        data: where its images are now, or the Dataset it was trained on; None: where they were.
        runs: the folder of all runs.
        checkpoint_every: see :func:`striate.training.train`.
        listen: told of every step and epoch.
        interruption: for who wants to stop it from outside.

    Returns:
        The finished run, opened.

    Raises:
        RunError: there is nothing to go on with: the run is finished or diverged, another process is training it, all
            checkpoints are damaged, or its network or recipe was changed. Says which.
        DataError: the images are gone or have changed.
        DivergedError, InterruptedRun, StorageError: as :func:`striate.training.train`.
    """
    folder = open_run(run, runs)
    _check_unfinished(folder, folder.record())
    with alone_in(folder.checkpoint):
        for place in (folder.path, folder.weights):
            remove_leftovers(place)
        folder.checkpoints.clean()
        # Read again: another process may have finished it before the door was closed.
        record = folder.record()
        _check_unfinished(folder, record)
        _check_begun(folder, record)
        opened = TrainedRun(folder)
        began = time.perf_counter()
        dataset = _dataset(opened, data)
        reading = time.perf_counter() - began
        with interruption or Interruption() as interruption:
            recorder, job, history, checkpointer = _taken_up(opened, dataset, checkpoint_every, listen)
            history.spent.add("decode", reading)
            memory = memory_as(job.recipe.memory)
            own = isolated(job.plan.threads, job.plan.device, deterministic=job.recipe.deterministic)
            with own, memory, interruption.armed(), recorder.recording():
                ending = run_job(job, history, checkpointer, recorder, listen, interruption)
    return finished(recorder, ending, dataset, listen, interruption)


def check_same_request(folder: RunFolder, graph: Graph, dataset: Dataset, recipe: Recipe) -> None:
    """Whether the run in a folder was asked for in this way, so that asking again means going on.

    Raises:
        RunError: the network or an option is another.
        DataError: the images are others.
    """
    opened = TrainedRun(folder)
    write = "another --run-folder, or striate resume to go on with what is there"
    if fingerprint(graph) != fingerprint(opened.graph):
        raise RunError(
            "the run in this folder has another network", where=str(folder.path), got=opened.graph.name, write=write
        )
    # Options that a run from before did not know are as they are by themselves; where the pixels are kept and who
    # decodes them changes no number.
    before = {**Recipe().as_dict(), **opened.record.recipe}
    changed = [one for one in differences(recipe.as_dict(), before) if one[0] not in ("cache", "workers")]
    if changed:
        name, new, old = changed[0]
        raise RunError(
            "the run in this folder has another recipe",
            where=str(folder.path),
            got=f"{name}: {old}",
            needs=f"{name}: {new}",
            write=write,
        )
    check_data(dataset, opened.card)


def unfinished_twin(runs: str | Path, graph: Graph, dataset: Dataset, recipe: Recipe) -> str | None:
    """The newest run below ``runs``, where it was asked for in this way and can be resumed; else None.

    Never an error: whoever begins a new run may have damaged ones beside it.
    """
    try:
        folder = open_run("latest", runs)
        unfinished = folder.record().status not in (*_FINISHED, "diverged")
        if not (unfinished and any(folder.checkpoint.glob("*.json"))):
            return None
        check_same_request(folder, graph, dataset, recipe)
    except StriateError:
        return None
    return str(folder.path)


def _check_unfinished(folder: RunFolder, record: RunRecord) -> None:
    if record.status in _FINISHED:
        report = "" if folder.report_html.exists() else f"; striate report {folder.path} writes its page"
        raise RunError(
            "this run is finished; there is nothing to resume",
            where=str(folder.path),
            got=f"{record.status}: {record.reason}",
            needs="an unfinished run; more epochs or time are another recipe, whose schedule differs from the start",
            write=f"striate train with that recipe begins a new run{report}",
        )
    if record.status == "diverged":
        raise RunError(
            "this run diverged, and resuming is exact: it would diverge again",
            where=str(folder.path),
            got=record.reason,
            write="striate train with a smaller --learning-rate, or with --clip 1, begins a new run",
        )


def has_begun(folder: RunFolder) -> bool:
    """Whether there is a run to go on with: the network and the data card follow at once upon ``run.json``, unless the
    process is killed there.
    """
    if not folder.run_json.exists():
        return False
    return folder.metrics_jsonl.exists() or all(path.exists() for path in (folder.net_yaml, folder.data_json))


def _check_begun(folder: RunFolder, record: RunRecord) -> None:
    if not has_begun(folder):
        raise RunError(
            "this run was stopped before it began; there is nothing to resume",
            where=str(folder.path),
            write=record.command or "striate train",
        )


def _dataset(opened: TrainedRun, data: str | Path | Dataset | None) -> Dataset:
    """The images of the run, proven to be the same, with the preprocessing that travels with it."""
    card = opened.card
    if data is None and card.kind != "digits" and not Path(card.source).exists():
        raise DataError(
            "the images of the run are not where they were",
            where=card.source,
            needs="the same images, under any name",
            write="--data DATA; for images that were in memory, striate.resume(run, data) in Python",
        )
    dataset = data if isinstance(data, Dataset) else read_again(opened, data)
    check_data(dataset, card)
    return replace(dataset, preprocessing=card.preprocessing)


def _taken_up(
    opened: TrainedRun, dataset: Dataset, every: float | None, listen: Listener
) -> tuple[Recorder, Job, History, Checkpointer]:
    """Everything that training needs, made anew from what the folder says."""
    folder, record, card, graph = opened.folder, opened.record, opened.card, opened.graph
    recipe = make_recipe(dict(record.recipe), where=str(folder.run_json))
    plan, stored = stored_plan(record.resolved, len(dataset.train), str(folder.run_json))
    setting = workable(stored, listen)
    identity = Identity.of(graph, card, record.recipe, record.resolved)
    found = _checkpoint(folder, identity, listen)
    if (then := record.resolved.get("device_name")) not in (None, current := machine_name(plan.device)):
        listen(Note(f"it was trained on {then} and goes on on {current}: perhaps not to the last bit as before"))
    logits = logits_graph(graph, card.task)
    history = History(plan, recipe.early_stopping)
    with isolated(plan.threads):
        module = first_module(logits, recipe, setting, plan.device)
    job = Job(logits, module, dataset, recipe, plan, opened.loss, setting)
    again = record.model_copy(
        update={"status": "running", "reason": None, "finished": None, "resumed": (*record.resumed, now())}
    )
    return Recorder(folder, again), job, history, Checkpointer(folder, identity, module, history, every, found)


def _checkpoint(folder: RunFolder, identity: Identity, listen: Listener) -> Found | None:
    """The checkpoint to go on from; None where the run was stopped before its first step."""
    found = folder.checkpoints.find()
    if found is None:
        if folder.metrics_jsonl.exists() and folder.metrics().rows:
            raise RunError(
                "this run has no checkpoint",
                where=str(folder.checkpoint),
                needs="the folder checkpoint/ that was written while it was trained",
                write="striate train begins anew; the weights saved so far stay in the run",
            )
        listen(Note("it was stopped before its first step, and begins with that"))
        return None
    check_identity(identity, found.record, folder)
    for error in found.damaged:
        name = Path(error.where or "").name
        listen(Note(f"checkpoint/{name} cannot be used ({error.problem}); the one before it is used"))
    progress = found.record.progress
    listen(
        Note(
            f"resuming at epoch {progress.epochs + 1}, step {progress.meter.steps + 1}: {progress.steps} steps are"
            f" behind it (checkpoint {found.record.number}, {found.record.written})"
        )
    )
    for name, then in found.record.versions.items():
        if (current := versions().get(name)) != then:
            listen(Note(f"{name} was {then} and is {current}: it goes on, but perhaps not to the last bit as before"))
    return found
