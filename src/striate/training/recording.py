"""run.json, kept true: it says running until the run ends, and then how it ended, whatever happened."""

from __future__ import annotations

import contextlib
import shlex
import signal
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from striate.errors import DivergedError, InterruptedRun, StorageError, StriateError
from striate.runs.records import RunRecord
from striate.sources import to_yaml
from striate.training.versions import now, versions

if TYPE_CHECKING:
    from striate.data import Dataset
    from striate.graph import Graph
    from striate.runs import RunFolder
    from striate.runs.records import DataCard, Status
    from striate.training.plan import Plan
    from striate.training.recipe import Recipe

__all__ = ["Recorder", "first_record"]

#: Characters of a foreign error that are kept as the reason why a run failed.
LONGEST = 300


def first_record(
    folder: RunFolder,
    graph: Graph,
    recipe: Recipe,
    plan: Plan,
    resolved: Mapping[str, object],
    command: str | None,
) -> RunRecord:
    """What is known about a run when it begins.

    Args:
        folder: of the run.
        graph: the network as the user wrote it.
        recipe, plan: what is done.
        resolved: what was decided beyond the plan, and why.
        command: the command line; None from Python.
    """
    return RunRecord(
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


class Recorder:
    """Writes ``run.json`` when a run begins or goes on, and how it ended.

    Args:
        folder: of the run.
        record: what is known about it; its status is ``running``.
    """

    def __init__(self, folder: RunFolder, record: RunRecord) -> None:
        self.folder = folder
        self.record = record
        self.results: dict[str, float | int | str | None] = dict(record.results)
        self.spent = record.spent
        self._closed = False

    @contextlib.contextmanager
    def recording(self) -> Iterator[None]:
        """Write ``run.json``; however the block ends, it says so.

        Raises:
            InterruptedRun: in place of KeyboardInterrupt.
            StorageError: when the disk is full. That does not hide an error of the block.
        """
        try:
            self.folder.write_record(self.record)
            yield
        except KeyboardInterrupt:
            self._end_despite("interrupted", "stopped at once by the user")
            raise self.interrupted(at_once=True) from None
        except StorageError as error:
            self._end_despite("failed", error.problem)
            raise self._resumable(error) from error
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

    def write_beginning(self, graph: Graph, dataset: Dataset) -> None:
        """Write what stays as it is: the network, the data card and the findings.

        Args:
            graph: the network as the user wrote it.
            dataset: what it is trained on.

        Raises:
            StorageError: when the disk is full.
        """
        self.folder.write_net_text(to_yaml(graph))
        self.folder.write_data_card(_located(dataset.card))
        self.folder.write_findings(dataset.findings)

    def end(self, status: Status, reason: str) -> None:
        """Write how the run ended, with :attr:`results` and :attr:`spent`.

        Raises:
            StorageError: when the disk is full.
        """
        update = {"status": status, "reason": reason, "finished": now(), "results": dict(self.results)}
        ended = RunRecord.model_validate({**self.record.model_dump(), **update, "spent": self.spent})
        self.folder.write_record(ended)
        self._closed = True

    def interrupted(self, number: int = signal.SIGINT, *, at_once: bool = False) -> InterruptedRun:
        """What the user is told after Ctrl-C, or SIGTERM.

        Args:
            number: of the signal; the exit code is 128 more, as a shell has it.
            at_once: in the middle of a step, which leaves the checkpoint before it.
        """
        saved = "at once; everything up to the last checkpoint is saved" if at_once else "everything so far is saved"
        error = InterruptedRun(
            f"interrupted{' ' if at_once else '; '}{saved}",
            where=str(self.folder.path),
            write=f"striate resume {self._path}",
        )
        error.exit_code = 128 + number
        return error

    @property
    def _path(self) -> str:
        return shlex.quote(str(self.folder.path))

    def _resumable(self, error: StorageError) -> StorageError:
        """The same error, with how to go on where there is something to go on from."""
        if not any(self.folder.checkpoint.glob("*.json")):
            return error
        told = f" ({error.write})" if error.write else ""
        return StorageError(
            error.problem,
            where=error.where,
            got=error.got,
            needs=f"{error.needs or 'a disk with room'}{told}; what was saved before is whole",
            write=f"striate resume {self._path}",
        )

    def _end_despite(self, status: Status, reason: str) -> None:
        # A full disk may refuse this too; the first error is the one to tell.
        with contextlib.suppress(StorageError):
            self.end(status, reason)
        self._closed = True


def _located(card: DataCard) -> DataCard:
    """The card with the source's absolute path, so that the run can be used from any folder."""
    path = Path(card.source)
    # The embedded digits are no folder, even where one is called so.
    if card.kind == "digits" or not path.exists():
        return card
    return card.model_copy(update={"source": str(path.resolve())})
