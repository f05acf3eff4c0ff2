"""verify_resume: the proof, on the user's own network and images, that a resumed training is the same training."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import safetensors.torch
import torch

from striate.data import Dataset
from striate.errors import InterruptedRun, RunError, UsageError
from striate.runs import RunFolder
from striate.runs.spent_record import SpentRecord
from striate.training.events import Event, Listener, Note, StepDone, silent
from striate.training.fitting import fit_network
from striate.training.interruption import Interruption
from striate.training.plan import make_plan
from striate.training.probe import as_decided
from striate.training.recipe import Recipe
from striate.training.resuming import resume
from striate.training.state import has_part
from striate.training.trainer import train

if TYPE_CHECKING:
    from striate.graph import Graph
    from striate.runs.checkpoints import Found

__all__ = ["ProvenPart", "ResumeProof", "continue_until", "verify_resume"]

#: Steps before the stop, and as many behind it.
STEPS = 20

_PARTS = {"weights": "weights.", "average": "average.", "optimizer": "optimizer.", "random state": "random."}
_CONTINUE = "import sys; from striate.training.verifying import continue_until as go; go(sys.argv[1], int(sys.argv[2]))"


@dataclass(frozen=True)
class ProvenPart:
    """One part of the state after the last step, both ways.

    Args:
        name: such as ``weights``.
        count: tensors in it; 0 where it is not made of tensors.
        straight, resumed: sha256 in hexadecimal, of names, shapes and every bit.
    """

    name: str
    count: int
    straight: str
    resumed: str

    @property
    def equal(self) -> bool:
        """Whether every bit is the same."""
        return self.straight == self.resumed


@dataclass(frozen=True)
class ResumeProof:
    """A training straight on, and one stopped and resumed, compared.

    Args:
        steps: before the stop.
        more: behind it.
        how: ``a new process``, or ``new objects in this process`` for images that are only in memory.
        parts: what was compared.
    """

    steps: int
    more: int
    how: str
    parts: tuple[ProvenPart, ...]

    @property
    def equal(self) -> bool:
        """Whether everything is."""
        return all(part.equal for part in self.parts)


def verify_resume(
    net: str | Path | Graph = "simple-cnn",
    data: str | Path | Dataset = "digits",
    recipe: Recipe | None = None,
    *,
    listen: Listener = silent,
) -> ResumeProof:
    """Train a few steps straight on; as many with a stop in the middle and a resumption; compare what came of it.

    Both are written into a temporary folder, which is removed. The second takes what the probe decided for the first,
    as a resumed run does.

    Args:
        net, data, recipe: as :func:`striate.training.train` takes them.
        listen: told what is done.

    Raises:
        UsageError: the recipe ends by the clock, or after one step.
        NetworkError, DataError, StorageError, DivergedError: as :func:`striate.training.train`.
        RunError: the second process failed.
    """
    recipe = recipe or Recipe()
    if recipe.time is not None:
        raise UsageError(
            "with a time budget the learning rate follows the clock, and no two trainings are the same",
            where="--verify-resume",
            got=f"time: {recipe.time:g}",
            write="--epochs instead of --time, to verify",
        )
    graph, dataset = fit_network(net, data, recipe)
    plan = make_plan(recipe, graph, dataset)
    total = plan.total_steps or plan.steps
    if total < 2:
        raise UsageError("there is one step only, and nothing to resume", where="--verify-resume", write="--epochs 2")
    half = min(STEPS, total // 2)
    with tempfile.TemporaryDirectory(prefix="striate-verify-") as place:
        listen(Note(f"{2 * half} steps straight on"))
        straight = _stopped(net, data, recipe, Path(place) / "straight", 2 * half)
        same = recipe.model_copy(update=as_decided(straight.record().resolved))
        listen(Note(f"{half} steps, a stop, and {half} more"))
        broken = _stopped(net, data, same, Path(place) / "broken", half)
        how = _continued(broken, data, 2 * half)
        parts = _compared(_newest(straight), _newest(broken))
    return ResumeProof(half, half, how, parts)


def continue_until(folder: str | Path, steps: int, data: Dataset | None = None) -> None:
    """Resume a run and stop it after so many steps altogether, as Ctrl-C would."""
    interruption = Interruption()
    try:
        resume(Path(folder), data, listen=_stop_after(steps, interruption), interruption=interruption)
    except InterruptedRun:
        _refuse_signal(interruption)


def _stopped(
    net: str | Path | Graph, data: str | Path | Dataset, recipe: Recipe, folder: Path, steps: int
) -> RunFolder:
    """A run that was stopped after so many steps."""
    interruption = Interruption()
    try:
        train(net, data, recipe, folder=folder, listen=_stop_after(steps, interruption), interruption=interruption)
    except InterruptedRun:
        _refuse_signal(interruption)
        return RunFolder(folder)
    raise RuntimeError("the training ended before its last step")


def _refuse_signal(interruption: Interruption) -> None:
    """Somebody else stopped it: then there is nothing to compare."""
    if interruption.signalled:
        raise KeyboardInterrupt


def _stop_after(steps: int, interruption: Interruption) -> Listener:
    def listen(event: Event) -> None:
        if isinstance(event, StepDone) and event.done >= steps:
            interruption.requested = True

    return listen


def _continued(folder: RunFolder, data: str | Path | Dataset, steps: int) -> str:
    """Go on until there were so many steps; in which way."""
    if isinstance(data, Dataset):
        continue_until(folder.path, steps, data)
        return "new objects in this process"
    done = subprocess.run(
        [sys.executable, "-c", _CONTINUE, str(folder.path), str(steps)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise RunError("the process that resumed has failed", got=said[-1] if said else f"exit code {done.returncode}")
    return "a new process"


def _newest(folder: RunFolder) -> Found:
    found = folder.checkpoints.find()
    if found is None:
        raise RuntimeError("a stopped run has a checkpoint")
    return found


def _compared(straight: Found, resumed: Found) -> tuple[ProvenPart, ...]:
    ours, theirs = (safetensors.torch.load_file(found.tensors) for found in (straight, resumed))
    parts = [
        ProvenPart(name, sum(key.startswith(prefix) for key in ours), _digest(ours, prefix), _digest(theirs, prefix))
        for name, prefix in _PARTS.items()
        if name != "average" or has_part(ours, prefix)
    ]
    return (*parts, ProvenPart("position and running means", 0, _position(straight), _position(resumed)))


def _digest(tensors: dict[str, torch.Tensor], prefix: str) -> str:
    digest = hashlib.sha256()
    for name in sorted(name for name in tensors if name.startswith(prefix)):
        tensor = tensors[name].contiguous()
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()


def _position(found: Found) -> str:
    """All that is known but for what a clock measured."""
    progress = found.record.progress
    meter = progress.meter.model_copy(update={"seconds": 0.0})
    none: dict[str, object] = {"spent": SpentRecord(), "spent_in_epochs": SpentRecord()}
    timeless = {"seconds": 0.0, "training_seconds": 0.0, "checkpoint_seconds": 0.0, "meter": meter, **none}
    return hashlib.sha256(progress.model_copy(update=timeless).json_bytes()).hexdigest()
