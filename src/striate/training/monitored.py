"""Around the loop: the checks before the first step, the monitors while it runs, and the autopsy where it diverges."""

from __future__ import annotations

import contextlib
import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING

import safetensors.torch
import torch
from safetensors import SafetensorError

from striate.backend import build_module
from striate.errors import DataError, DivergedError, StorageError
from striate.training.autopsy import NAMED, Autopsy, examine
from striate.training.autopsy_bundle import Bundle, write_bundle
from striate.training.events import Listener, Note
from striate.training.monitors.rows import monitor_rows
from striate.training.monitors.watch import Watch
from striate.training.preflight import is_short, preflight
from striate.training.versions import versions

if TYPE_CHECKING:
    from striate.runs import RunFolder
    from striate.training.bookkeeping import History
    from striate.training.job import Job
    from striate.training.monitors.watch import Step
    from striate.training.recording import Recorder

__all__ = ["monitored"]


@contextlib.contextmanager
def monitored(job: Job, history: History, recorder: Recorder, listen: Listener) -> Iterator[Watch]:
    """Monitors for the training in the block; they see each step by ``watch.before_step`` and ``watch.listening()``.

    Args:
        job: with the first weights, unless the run goes on from a checkpoint.
        history: how far it is.
        recorder: of the run.
        listen: told of what is found.

    Raises:
        DivergedError: of the block, with what the autopsy found.
        StorageError: when the disk is full.
    """
    watch = Watch(job, history, recorder.folder, recorder.record, listen)
    try:
        history.spent.mark("other")
        if _is_first(recorder.folder):
            short = is_short(job)
            if short:
                listen(Note("no batch is overfitted as a check beforehand: the training takes only seconds"))
            watch.preflight(preflight(job, overfitting=not short))
        history.spent.mark("monitors")
        yield watch
    except DivergedError as error:
        step = watch.step
        told = error if step is None else _examined(error, job, recorder.folder, watch, step)
        with contextlib.suppress(StorageError):
            watch.end()
        raise told from None
    except BaseException:
        # What is told is the error of the block, not that a full disk took the monitors' last row too.
        with contextlib.suppress(StorageError):
            watch.end()
        raise
    watch.end()


def _is_first(folder: RunFolder) -> bool:
    """Whether no step was taken yet; a run that goes on was looked at when it began."""
    if any(folder.checkpoint.glob("*.json")):
        return False
    return not any(row.get("kind") == "start" for row in monitor_rows(folder))


def _examined(error: DivergedError, job: Job, folder: RunFolder, watch: Watch, step: Step) -> DivergedError:
    """The same error with its cause; the same error alone where the disk or the memory refuse the autopsy."""
    try:
        weights, origin, broken = _good_weights(job, folder, watch)
        module = build_module(job.graph, seed=None)
        module.load_state_dict(weights)
        module = module.to(memory_format=job.plan.layout)  # type: ignore[call-overload]
        # On the processor, where anybody can compute it again.
        x_bchw, target = step.x_bchw.cpu(), step.target.cpu()
        found = examine(job.graph, module, x_bchw, target, job.loss, step.random)
        place = folder.path / "autopsy"
        names = [job.dataset.train.ids[int(index)] for index in step.picked]
        images = [names[index] for index in found.images[:NAMED] if index < len(names)]
        how = f"from striate.training.autopsy import replay; print(replay({str(folder.path)!r}).told())"
        facts = {
            "problem": error.problem,
            "where": error.where,
            "weights": origin,
            "not finite before the step": broken,
            **found.as_dict(),
            "images": [{"place": index, "name": names[index]} for index in found.images if index < len(names)],
            "batch": names,
            "precision": "bf16" if job.dtype == torch.bfloat16 else "fp32",
            "device": str(job.plan.device),
            "versions": versions(),
            "again": f"python -c {shlex.quote(how)}",
        }
        bundle = Bundle(weights, x_bchw, target, step.random)
        write_bundle(place, bundle, facts, job.dataset.train.images[step.picked.numpy()], names)
    except (DataError, StorageError, MemoryError, RuntimeError, SafetensorError, OSError):
        return error
    return DivergedError(
        error.problem,
        where=error.where,
        got=f"{error.got}; {_cause(found, broken, origin)}" + (f"; images {', '.join(images)}" if images else ""),
        needs=f"{error.needs}; {place} holds the batch, the weights and what was found",
        write=_write(error, found, job),
    )


def _cause(found: Autopsy, broken: tuple[str, ...], origin: str) -> str:
    if broken:
        more = f" and {len(broken) - 1} more" if len(broken) > 1 else ""
        return f"before this step {broken[0]}{more} held a number that is not finite; with the {origin}, {found.told()}"
    return f"computed again in fp32 with the {origin}, {found.told()}"


def _write(error: DivergedError, found: Autopsy, job: Job) -> str | None:
    if found.stage == "nowhere" and job.dtype == torch.bfloat16:
        return f"--precision fp32; {error.write}"
    return error.write


def _good_weights(job: Job, folder: RunFolder, watch: Watch) -> tuple[dict[str, torch.Tensor], str, tuple[str, ...]]:
    """Finite weights to begin from, newest first; what they are; and what is not finite in the newest of all."""
    now = {name: tensor.detach().cpu().clone() for name, tensor in job.module.state_dict().items()}
    parameters = [name for name, _ in job.graph.parameters() if name in now]
    broken = tuple(name for name in parameters if not bool(now[name].isfinite().all()))
    if not broken:
        return now, "weights before the step", ()
    sampled = {name: tensor.cpu() for name, tensor in watch.snapshot.items()}
    if sampled and all(bool(tensor.isfinite().all()) for tensor in sampled.values()):
        return {**now, **sampled}, f"weights of step {watch.snapshot_step}", broken
    stored = safetensors.torch.load_file(folder.last_weights)
    return {**now, **stored}, "weights of the last whole epoch", broken
