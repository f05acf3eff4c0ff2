"""run.json, kept true: it says running until the run ends, and then how it ended, whatever happened."""

from __future__ import annotations

import contextlib
import datetime
import importlib.metadata
import platform
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import torch

from striate.errors import DivergedError, InterruptedRun, StorageError, StriateError
from striate.runs.records import RunRecord
from striate.sources import to_yaml

if TYPE_CHECKING:
    from striate.data import Dataset
    from striate.graph import Graph
    from striate.runs import RunFolder
    from striate.runs.records import DataCard, Status
    from striate.training.plan import Plan
    from striate.training.recipe import Recipe

__all__ = ["Recorder", "now", "versions"]

#: Characters of a foreign error that are kept as the reason why a run failed.
LONGEST = 300


class Recorder:
    """Writes what is known about a run when it begins, and how it ended.

    Args:
        folder: of the run.
        graph: the network as the user wrote it.
        recipe, plan: what is done.
        resolved: what was decided beyond the plan, and why.
        command: the command line; None from Python.
    """

    def __init__(
        self,
        folder: RunFolder,
        graph: Graph,
        recipe: Recipe,
        plan: Plan,
        resolved: Mapping[str, object],
        command: str | None,
    ) -> None:
        self.folder = folder
        self.results: dict[str, float | int | str | None] = {}
        self._graph = graph
        self._closed = False
        self._record = RunRecord(
            name=folder.name,
            command=command,
            created=now(),
            status="running",
            network=graph.name,
            parameters=graph.parameter_count,
            asked=recipe.model_dump(mode="json", exclude_unset=True),
            recipe=recipe.as_dict(),
            resolved={**plan.as_dict(), **resolved},
            versions=versions(),
            seed=recipe.seed,
        )

    @contextlib.contextmanager
    def recording(self, dataset: Dataset) -> Iterator[None]:
        """Write the first files; however the block ends, ``run.json`` says so.

        Raises:
            InterruptedRun: in place of KeyboardInterrupt.
            StorageError: when the disk is full. That does not hide an error of the block.
        """
        try:
            self.folder.write_record(self._record)
            self.folder.write_net_text(to_yaml(self._graph))
            self.folder.write_data_card(_located(dataset.card))
            self.folder.write_findings(dataset.findings)
            yield
        except KeyboardInterrupt:
            self._end_despite("interrupted", "stopped at once by the user")
            raise self.interrupted() from None
        except DivergedError as error:
            self._end_despite("diverged", f"{error.problem} ({error.where})")
            raise
        except BaseException as error:
            self._end_despite("failed", error.problem if isinstance(error, StriateError) else repr(error)[:LONGEST])
            raise
        finally:
            if not self._closed:
                # A second Ctrl-C came while the lines above were at work.
                self._end_despite("interrupted", "stopped at once by the user")

    def end(self, status: Status, reason: str) -> None:
        """Write how the run ended, with :attr:`results`.

        Raises:
            StorageError: when the disk is full.
        """
        update = {"status": status, "reason": reason, "finished": now(), "results": dict(self.results)}
        ended = RunRecord.model_validate({**self._record.model_dump(), **update})
        self.folder.write_record(ended)
        self._closed = True

    def interrupted(self) -> InterruptedRun:
        """What the user is told after Ctrl-C."""
        path = shlex.quote(str(self.folder.path))
        return InterruptedRun(
            "interrupted; everything so far is saved", where=str(self.folder.path), write=f"striate evaluate {path}"
        )

    def _end_despite(self, status: Status, reason: str) -> None:
        # A full disk may refuse this too; the first error is the one to tell.
        with contextlib.suppress(StorageError):
            self.end(status, reason)
        self._closed = True


def versions() -> dict[str, str]:
    """What a run was made with."""
    return {
        "striate": importlib.metadata.version("striate"),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "platform": platform.platform(),
    }


def now() -> str:
    """The time, ISO 8601 in UTC."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def _located(card: DataCard) -> DataCard:
    """The card with the source's absolute path, so that the run can be used from any folder."""
    path = Path(card.source)
    # The embedded digits are no folder, even where one is called so.
    if card.kind == "digits" or not path.exists():
        return card
    return card.model_copy(update={"source": str(path.resolve())})
