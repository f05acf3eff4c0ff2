"""Checkpointer: writes a training into ``checkpoint/`` so that it can go on to the last bit, and brings it back.

When: before the first step, at the end of each epoch, and every minute inside one. The time a checkpoint takes is
measured, and the next one waits until they take no more than 5 % of the training; only the last epoch, and where an
interrupted training stands, are written in any case.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import nn

from striate.errors import RunError
from striate.runs.checkpoint_record import CheckpointRecord, sealed
from striate.training.state import WEIGHTS, optimizer_strides, restore_module, restore_optimizer, state_of
from striate.training.versions import now, versions

if TYPE_CHECKING:
    from striate.runs import RunFolder
    from striate.runs.checkpoint_record import MeterRecord
    from striate.runs.checkpoints import Found
    from striate.training.averaged import Averaged
    from striate.training.bookkeeping import History, Meter
    from striate.training.identity import Identity

__all__ = ["EVERY", "Checkpointer", "Resumed"]

#: Seconds between two checkpoints inside an epoch, unless the user says otherwise.
EVERY = 60.0
#: Checkpoints take at most this share of the time, measured on the one before.
SHARE = 0.05


@dataclass(frozen=True, eq=False)
class Resumed:
    """What a checkpoint held.

    Args:
        tensors: see :mod:`striate.training.state`.
        meter: of the epoch that is not over.
        where: the file.
    """

    tensors: dict[str, torch.Tensor]
    meter: MeterRecord
    where: str


class Checkpointer:
    """The checkpoints of one training.

    Args:
        folder: of the run.
        identity: what the checkpoints belong to.
        module: the network.
        history: how far it has come.
        every: seconds between two checkpoints inside an epoch, exactly as asked; None: every minute, and seldomer
            where that would take more than 5 % of the time.
        found: the checkpoint to go on from; None: from the first step.
    """

    def __init__(
        self,
        folder: RunFolder,
        identity: Identity,
        module: nn.Module,
        history: History,
        every: float | None = None,
        found: Found | None = None,
    ) -> None:
        self._folder, self._identity, self._module, self._history = folder, identity, module, history
        self._store = folder.checkpoints
        if found is not None:
            self._store.keep(found)
        self._every, self._found = every, found
        self._optimizer: torch.optim.Optimizer | None = None
        self._average: Averaged | None = None
        self._cost = 0.0
        self._last = time.perf_counter()

    @property
    def every(self) -> float | None:
        """Seconds between two checkpoints inside an epoch, as asked."""
        return self._every

    @property
    def rows(self) -> int:
        """Lines of ``metrics.jsonl`` when the checkpoint was written that is gone on from."""
        return 0 if self._found is None else self._found.record.rows

    def begin(self, optimizer: torch.optim.Optimizer, average: Averaged) -> Resumed | None:
        """Bring module, optimizer, average, random generators and history to where the checkpoint stands.

        Args:
            optimizer, average: fresh; they are written from now on.

        Returns:
            what else there is to go on with; None at the first step.

        Raises:
            RunError: the checkpoint does not fit the network.
        """
        self._optimizer, self._average = optimizer, average
        if self._found is None:
            return None
        record, where = self._found.record, str(self._found.tensors)
        try:
            tensors = safetensors.torch.load_file(self._found.tensors)
        except (SafetensorError, OSError) as error:
            raise RunError("cannot be read", where=where, got=str(error)) from error
        restore_module(self._module, tensors, WEIGHTS, where)
        restore_optimizer(self._module, optimizer, tensors, record.strides, where)
        average.restore(tensors, record.progress.steps, where)
        self._history.carry_on(record.progress)
        return Resumed(tensors, record.progress.meter, where)

    def due(self, *, epoch_over: bool) -> bool:
        """Whether it is time for another one."""
        since = time.perf_counter() - self._last
        spare = self._cost * (1 / SHARE - 1)
        if epoch_over:
            return since >= spare
        return since >= (max(EVERY, spare) if self._every is None else self._every)

    def save(self, meter: Meter, rows: int) -> None:
        """Write a checkpoint.

        Args:
            meter: of the epoch that is not over; fresh between two epochs.
            rows: lines of ``metrics.jsonl``.

        Raises:
            StorageError: the one before is still there.
        """
        if self._optimizer is None or self._average is None:
            raise RuntimeError("a checkpointer begins before it saves")
        self._history.spent.mark("other")
        start = time.perf_counter()
        tensors = state_of(self._module, self._optimizer, self._best(meter), self._average.tensors)
        content = safetensors.torch.save({name: tensor.cpu().contiguous() for name, tensor in tensors.items()})
        record = CheckpointRecord(
            number=self._store.next_number,
            written=now(),
            tensors_hash=hashlib.sha256(content).hexdigest(),
            tensors_bytes=len(content),
            strides=optimizer_strides(self._module, self._optimizer),
            progress=self._history.as_record(meter),
            rows=rows,
            network=self._identity.network,
            data=dict(self._identity.data),
            recipe=dict(self._identity.recipe),
            plan=dict(self._identity.plan),
            versions=versions(),
        )
        self._store.write(sealed(record), content)
        self._last = time.perf_counter()
        self._cost = self._last - start
        self._history.checkpoint_seconds += self._cost
        self._history.spent.mark("checkpoints")

    def _best(self, meter: Meter) -> dict[str, torch.Tensor] | None:
        """The best weights, from where the keeper put them; None where they are the newest, or there are none."""
        best, history = self._history.best.epoch, self._history
        if best == 0 or (best == history.epochs and meter.steps == 0):
            return None
        return safetensors.torch.load_file(self._folder.best_weights)
