"""The verbs that use a run: go on with it, open it again, measure it, ask it, and write its page.

Offered as ``striate.open_run`` and so on.
"""

from __future__ import annotations

# `typing` would slow the command line down; type checkers take this name for theirs.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from striate.data import Dataset
    from striate.runs.records import Evaluation
    from striate.training import Event, Prediction, TrainedRun

__all__ = ["evaluate", "open_run", "predict", "report", "resume"]


def resume(
    run: str | Path = "latest",
    data: str | Path | Dataset | None = None,
    *,
    runs: str | Path = "runs",
    checkpoint_every: float | None = None,
    listen: Callable[[Event], None] | None = None,
) -> TrainedRun:
    """Go on with a run that was stopped, killed or cut off, and write its report.

    From its newest whole checkpoint; on the same machine with the same versions it ends as if it had never been
    stopped, to the last bit.

    Args:
        run: its folder, its name under ``runs``, or ``latest``.
        data: where its images are now, or the Dataset it was trained on; default: where they were.
        runs, checkpoint_every, listen: as :func:`striate.train` takes them.

    Raises:
        RunError: the run is finished or diverged, its network or recipe was changed, or its checkpoints are damaged.
        DataError: its images are gone or have changed.
        DivergedError, InterruptedRun, StorageError: after saving what was good.

    >>> import striate as st
    >>> from tempfile import TemporaryDirectory
    >>> from striate.errors import RunError
    >>> with TemporaryDirectory() as folder:
    ...     _ = st.train("flatten > dense classes", "digits", epochs=1, runs=folder)
    ...     try:
    ...         resume(runs=folder)
    ...     except RunError as error:
    ...         print(error.problem)
    this run is finished; there is nothing to resume
    """
    from pathlib import Path

    from striate import insight, training

    resumed = training.resume(
        run, data, runs=runs, checkpoint_every=checkpoint_every, listen=listen or training.events.silent
    )
    insight.write_report(resumed, None if data is None or isinstance(data, (str, Path)) else data)
    return resumed


def open_run(run: str | Path = "latest", *, runs: str | Path = "runs") -> TrainedRun:
    """A run again: its record, network, weights, classes and preprocessing.

    Args:
        run: its folder, its name under ``runs``, or ``latest``.
        runs: the folder of all runs.

    Raises:
        RunError: when there is no such run, or it is damaged.

    >>> import striate as st
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     _ = st.train("flatten > dense classes", "digits", epochs=1, runs=folder)
    ...     open_run("latest", runs=folder).record.network
    'inline'
    """
    from striate.training import open_trained

    return open_trained(run, root=runs)


def evaluate(
    run: str | Path | TrainedRun = "latest", data: str | Path | None = None, *, split: str = "test"
) -> Evaluation:
    """Measure a run: on a split of its own data, or on other data with the same classes.

    Args:
        run: a run, or anything :func:`open_run` takes.
        data: other data; default: the data the run was trained on.
        split: ``test``, ``val`` or ``train``; data without splits are measured whole.

    Raises:
        RunError: when there is no such run, or it is damaged.
        UsageError: when there is no such split.
        DataError: when the data are gone, have changed, or have other classes.

    >>> import striate as st
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     run = st.train("flatten > dense classes", "digits", epochs=1, runs=folder)
    ...     evaluate(run, split="val").count
    144
    """
    from striate.training.measuring import evaluate_run

    return evaluate_run(_opened(run), data, split)


def predict(run: str | Path | TrainedRun, files: Iterable[str | Path]) -> list[Prediction]:
    """What a run says about image files, with the preprocessing and class names stored in it.

    Args:
        run: a run, or anything :func:`open_run` takes.
        files: image files, in any number.

    Returns:
        One for each file, in their order; a file that cannot be read has an ``error`` and no label.

    Raises:
        RunError: when there is no such run, or it is damaged.

    >>> import striate as st
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     run = st.train("flatten > dense classes", "digits", epochs=1, runs=folder)
    ...     predict(run, ["missing.png"])[0].error
    'the image cannot be used: no such file'
    """
    return _opened(run).predict(files)


def report(run: str | Path | TrainedRun = "latest") -> Path:
    """Write ``report.html`` of a run again: one page that needs no network.

    Args:
        run: a run, or anything :func:`open_run` takes.

    Returns:
        Where the page is.

    Raises:
        RunError: when there is no such run, or it is damaged.
        StorageError: when the page cannot be written.

    >>> import striate as st
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     run = st.train("flatten > dense classes", "digits", epochs=1, runs=folder)
    ...     report(run).name
    'report.html'
    """
    from striate.insight import write_report

    return write_report(_opened(run))


def _opened(run: str | Path | TrainedRun) -> TrainedRun:
    from pathlib import Path

    return open_run(run) if isinstance(run, (str, Path)) else run
