"""Striate: a workbench for convolutional networks.

The verbs of the command line, as functions. ``import striate`` imports nothing else, and whatever only looks at a
network never imports torch.

    load, inspect, derive     a network as data, and its exact numbers
    network, to_yaml          write one in Python, write it to a file
    build                     the same network as a torch module
    load_data                 images in memory, with their splits and classes
    train                     a network and images in, a run out
    open_run                  a run again: its network, weights, classes and preprocessing
    evaluate, predict         measure it, use it
    report                    one self-contained page about it

The networks that come with Striate are in :mod:`striate.zoo`; every exception is in :mod:`striate.errors`.

>>> import striate as st
>>> st.inspect("simple-cnn").parameters
268650
"""

from __future__ import annotations

# `typing` would be the slowest part of `import striate`; type checkers take this name for theirs.
TYPE_CHECKING = False

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path
    from typing import Any

    from torch import nn

    from striate.analysis import Derivation, Report
    from striate.backend import Scheme
    from striate.data import Dataset, load_data
    from striate.graph import Graph, network
    from striate.runs.records import Evaluation
    from striate.sources import load, to_yaml
    from striate.training import Event, Prediction, Recipe, TrainedRun
    from striate.units import Shape

__all__ = [
    "build",
    "derive",
    "evaluate",
    "inspect",
    "load",
    "load_data",
    "network",
    "open_run",
    "predict",
    "report",
    "to_yaml",
    "train",
]
__version__ = "0.1.0"

#: Verbs that are offered here as they are, from where they live; imported when they are first used.
_HOMES = {
    "load": "striate.sources",
    "load_data": "striate.data",
    "network": "striate.graph",
    "to_yaml": "striate.sources",
}


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name == "zoo":
        return import_module("striate.zoo")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "zoo"})


def inspect(net: str | Path | Graph, *, input: Shape | None = None, classes: int | None = None) -> Report:
    """The exact numbers of a network: shapes, parameters, MACs, receptive fields. No weights, no torch.

    Args:
        net, input, classes: as :func:`load` takes them.

    Raises:
        NetworkError, UsageError: as :func:`load`.

    >>> report = inspect("mnist-cnn")
    >>> report.parameters, report.macs, report.nodes[-1].shape
    (421642, 4241152, (10,))
    """
    from striate.analysis import inspect
    from striate.sources import load

    return inspect(load(net, input=input, classes=classes))


def derive(
    net: str | Path | Graph, layer: str, *, input: Shape | None = None, classes: int | None = None
) -> Derivation:
    """How each number of one layer follows, step by step.

    Args:
        net, input, classes: as :func:`load` takes them.
        layer: the name of a node, as :func:`inspect` lists it.

    Raises:
        UsageError: when the network has no such layer.
        NetworkError: as :func:`load`.

    >>> [step.numbers for step in derive("simple-cnn", "conv1").shape][:1]
    ['floor((32 + 1 + 1 - 3) / 1) + 1']
    """
    from striate.analysis import derive
    from striate.sources import load

    return derive(load(net, input=input, classes=classes), layer)


def build(
    net: str | Path | Graph,
    *,
    input: Shape | None = None,
    classes: int | None = None,
    init: Scheme = "auto",
    seed: int = 0,
) -> nn.Module:
    """A network as a torch module with fresh weights; parameters are named ``<node>.<name>``.

    Args:
        net, input, classes: as :func:`load` takes them.
        init: ``auto``, ``he``, ``xavier``, ``normal``, ``uniform``, ``orthogonal`` or ``zero``.
        seed: of the weights; torch's own random state is not touched.

    Raises:
        NetworkError: as :func:`load`.
        UsageError: when ``init`` is unknown.

    >>> sum(p.numel() for p in build("lenet-5").parameters())
    61706
    """
    from striate.backend import build_module, initialize
    from striate.sources import load

    graph = load(net, input=input, classes=classes)
    module = build_module(graph)
    initialize(module, graph, init, seed)
    return module


def train(
    net: str | Path | Graph = "simple-cnn",
    data: str | Path | Dataset = "digits",
    recipe: Recipe | str | Path | None = None,
    *,
    runs: str | Path = "runs",
    listen: Callable[[Event], None] | None = None,
    command: str | None = None,
    **options: Any,
) -> TrainedRun:
    """Train a network on images and write a run folder with its report.

    Args:
        net: a zoo name, a YAML file, inline text or a Graph.
        data: ``digits``, a folder, a CSV, IDX or ``.npz`` file, or a Dataset.
        recipe: a Recipe or a YAML file; ``options`` win over it.
        runs: the folder of all runs.
        listen: told of every step and epoch; see :mod:`striate.training.events`.
        command: what was typed, for the record.
        **options: any option of :class:`striate.training.Recipe`, such as ``epochs=3``.

    Raises:
        NetworkError, DataError, UsageError: before anything is written.
        DivergedError, InterruptedRun, StorageError: after saving what was good.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     train("flatten > dense classes", "digits", epochs=1, runs=folder).record.status
    'done'
    """
    from pathlib import Path

    from striate import insight, training

    if isinstance(recipe, (str, Path)):
        recipe = training.read_recipe(recipe, options)
    elif options:
        given = {} if recipe is None else recipe.model_dump(exclude_unset=True)
        recipe = training.make_recipe({**given, **options})
    run = training.train(net, data, recipe, runs=runs, listen=listen or training.events.silent, command=command)
    insight.write_report(run, None if isinstance(data, (str, Path)) else data)
    return run


def open_run(run: str | Path = "latest", *, runs: str | Path = "runs") -> TrainedRun:
    """A run again: its record, network, weights, classes and preprocessing.

    Args:
        run: its folder, its name under ``runs``, or ``latest``.
        runs: the folder of all runs.

    Raises:
        RunError: when there is no such run, or it is damaged.

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     _ = train("flatten > dense classes", "digits", epochs=1, runs=folder)
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

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     run = train("flatten > dense classes", "digits", epochs=1, runs=folder)
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

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     run = train("flatten > dense classes", "digits", epochs=1, runs=folder)
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

    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     run = train("flatten > dense classes", "digits", epochs=1, runs=folder)
    ...     report(run).name
    'report.html'
    """
    from striate.insight import write_report

    return write_report(_opened(run))


def _opened(run: str | Path | TrainedRun) -> TrainedRun:
    from pathlib import Path

    return open_run(run) if isinstance(run, (str, Path)) else run
