"""Loss and gradients of a batch: at once, or in parts that are added up where memory is short."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from striate.errors import UsageError
from striate.training.devices import release_memory
from striate.training.events import Note
from striate.training.memory_room import can_be_divided
from striate.training.memory_short import out_of_memory
from striate.training.randomness import random_states, set_random_states

if TYPE_CHECKING:
    from striate.training.bookkeeping import History
    from striate.training.events import Listener
    from striate.training.job import Job

__all__ = ["Gradients"]


class Gradients:
    """Fills the gradients of a job's module for one batch after the other.

    In ``n`` parts with the losses ``L_i`` and the weights ``w_i`` (images, or the sum of their classes' weights) the
    gradient is ``Σ w_i·∇L_i / Σ w_i``, which is that of the mean over the whole batch. When memory runs out, the number
    of parts is doubled and the batch begun again; from then on it stays.

    Args:
        job: with module, loss and arithmetic.
        history: keeps the number of parts, which belongs to the state of a training.
        listen: told when it changes.
    """

    def __init__(self, job: Job, history: History, listen: Listener) -> None:
        self._job, self._history, self._listen = job, history, listen
        self._forward = job.forward
        # Listed once: walking through the module takes longer than a small network's update.
        self._parameters = list(job.module.parameters())

    def __call__(self, x_bchw: torch.Tensor, target: torch.Tensor) -> tuple[float, torch.Tensor]:
        """The gradients of one batch, in place of those that were there.

        Returns:
            the mean loss, and the raw outputs.

        Raises:
            UsageError: memory ran out, and the batch cannot be divided further.
        """
        while True:
            random = random_states(x_bchw.device)
            try:
                return self._whole(x_bchw, target) if self._history.parts == 1 else self._divided(x_bchw, target)
            except (MemoryError, RuntimeError) as error:
                if not out_of_memory(error):
                    raise
                said = str(error).partition("\n")[0]
            # Only here: as long as the error is at hand it holds on to every map of the step.
            set_random_states(random, x_bchw.device)
            release_memory(x_bchw.device)
            self._divide_further(len(x_bchw), said)

    def _whole(self, x_bchw: torch.Tensor, target: torch.Tensor) -> tuple[float, torch.Tensor]:
        outputs = self._outputs(x_bchw)
        loss = self._job.loss(outputs.float(), target)
        self._history.spent.mark("forward")
        self._clear()
        torch.autograd.backward(loss)
        value = float(loss.detach())
        self._history.spent.mark("backward")
        return value, outputs

    def _divided(self, x_bchw: torch.Tensor, target: torch.Tensor) -> tuple[float, torch.Tensor]:
        loss_of, total, parts = self._job.loss, self._job.loss.weight(target), []
        value = 0.0
        self._clear()
        count = min(self._history.parts, len(x_bchw))
        for images, labels in zip(x_bchw.tensor_split(count), target.tensor_split(count), strict=True):
            outputs = self._outputs(images)
            loss = loss_of(outputs.float(), labels) * (loss_of.weight(labels) / total)
            self._history.spent.mark("forward")
            torch.autograd.backward(loss)
            value += float(loss.detach())
            self._history.spent.mark("backward")
            parts.append(outputs.detach())
        return value, torch.cat(parts)

    def _outputs(self, images: torch.Tensor) -> torch.Tensor:
        with torch.autocast(images.device.type, torch.bfloat16, enabled=self._job.dtype == torch.bfloat16):
            outputs: torch.Tensor = self._forward(images)
        return outputs

    def _clear(self) -> None:
        for parameter in self._parameters:
            parameter.grad = None

    def _divide_further(self, images: int, said: str) -> None:
        self._clear()
        at_once = -(-images // self._history.parts)
        if not can_be_divided(self._job.graph):
            raise UsageError(
                "memory ran out, and with batch normalisation a batch cannot be computed in parts: its statistics, and "
                "with them the training, would be others",
                where=f"a batch of {images}",
                got=said,
                needs="a smaller batch, smaller images, or a network without batch normalisation",
                write=f"--batch {max(1, images // 2)}",
            )
        if at_once == 1:
            raise UsageError(
                "memory ran out with a single image",
                where="an update computed image by image",
                got=said,
                write="smaller images (--size), or a network that keeps less (striate inspect NET --memory)",
            )
        self._history.parts *= 2
        half = -(-images // self._history.parts)
        masks = any(node.layer.kind.startswith("dropout") for node in self._job.graph.nodes)
        self._listen(
            Note(
                f"memory ran out with {at_once} images at once; from here on an update takes its {images} images in"
                f" {self._history.parts} parts of at most {half} and adds up their gradients, which is the same mean"
                + ("; dropout draws other masks than it would have" if masks else "")
            )
        )
