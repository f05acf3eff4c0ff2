"""Striate: a workbench for convolutional networks.

The verbs of the command line, as functions. Nothing heavy is imported before it is needed: ``import striate`` and
everything that only looks at a network never import torch.

    load, inspect, derive     a network as data, and its exact numbers
    network, to_yaml          write one in Python, write it to a file
    build                     the same network as a torch module
    train                     a network and images in, a run out
    open_run                  a run again: its network, weights, classes and preprocessing
    evaluate, predict         measure it, use it
    report                    one self-contained page about it

>>> import striate as st
>>> st.inspect("simple-cnn").parameters
268650
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

    from striate.analysis import Derivation, Report
    from striate.data import Dataset
    from striate.graph import Chain, Graph
    from striate.runs import Evaluation
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


def load(net: str | Path | Graph, *, input: Shape | None = None, classes: int | None = None) -> Graph:
    """A network from a zoo name, a YAML file or text, inline text, a run folder or a Graph.

    Args:
        net: what to load.
        input: another input shape ``(channels, *spatial)`` than the source's own.
        classes: another number of classes than the source's own.

    Raises:
        NetworkError: when the source is unknown or wrong; the message says where and what to write.

    >>> load("conv 16 3 same > relu > maxpool 2 > flatten > dense 10", input=(1, 8, 8)).output_shape
    (10,)
    """
    from striate.sources import load

    return load(net, input=input, classes=classes)


def inspect(net: str | Path | Graph, *, input: Shape | None = None, classes: int | None = None) -> Report:
    """The exact numbers of a network: shapes, parameters, MACs, receptive fields. No weights, no torch.

    >>> report = inspect("mnist-cnn")
    >>> report.parameters, report.macs, report.nodes[-1].shape
    (421642, 4241152, (10,))
    """
    from striate.analysis import inspect

    return inspect(load(net, input=input, classes=classes))


def derive(
    net: str | Path | Graph, layer: str, *, input: Shape | None = None, classes: int | None = None
) -> Derivation:
    """How each number of one layer follows, step by step.

    Raises:
        UsageError: when the network has no such layer.

    >>> [step.numbers for step in derive("simple-cnn", "conv1").shape][:1]
    ['floor((32 + 1 + 1 - 3) / 1) + 1']
    """
    from striate.analysis import derive

    return derive(load(net, input=input, classes=classes), layer)


def network(name: str, input: Shape, classes: int | None = None) -> Chain:
    """Start writing a network in Python; every layer is a method, ``build()`` ends the chain.

    >>> network("tiny", input=(1, 8, 8)).conv(4, 3).relu().globalavgpool().dense(2).build().parameter_count
    50
    """
    from striate.graph import network

    return network(name, input, classes)


def to_yaml(net: Graph) -> str:
    """A network as the text of a YAML file; reading it back gives the same Graph.

    >>> print(to_yaml(load("flatten > dense 2", input=(1, 4, 4))).splitlines()[-1])
      - dense: 2
    """
    from striate.sources import to_yaml

    return to_yaml(net)


def build(net: str | Path | Graph, *, init: str = "auto", seed: int = 0) -> nn.Module:
    """A network as a torch module with fresh weights; parameters are named ``<node>.<name>``.

    Args:
        net: anything :func:`load` takes.
        init: ``auto``, ``he``, ``xavier``, ``normal``, ``uniform``, ``orthogonal`` or ``zero``.
        seed: of the weights; torch's own random state is not touched.

    >>> sum(p.numel() for p in build("lenet-5").parameters())
    61706
    """
    from striate.backend import build_module, initialize

    graph = load(net)
    module = build_module(graph)
    initialize(module, graph, init, seed)  # type: ignore[arg-type]
    return module


def load_data(source: str | Path = "digits", **options: Any) -> Dataset:
    """Images in memory with their splits, classes and statistics; see :func:`striate.data.load_data`.

    >>> load_data("digits").shape
    (1, 8, 8)
    """
    from striate.data import load_data

    return load_data(source, **options)


def train(
    net: str | Path | Graph = "simple-cnn",
    data: str | Path | Dataset = "digits",
    recipe: Recipe | str | Path | None = None,
    *,
    runs: str | Path = "runs",
    listen: Callable[[Event], None] | None = None,
    **options: Any,
) -> TrainedRun:
    """Train a network on images and write a run folder with its report.

    Args:
        net: a zoo name, a YAML file, inline text or a Graph.
        data: ``digits``, a folder, a CSV, IDX or ``.npz`` file, or a Dataset.
        recipe: a Recipe or a YAML file; ``options`` win over it.
        runs: the folder of all runs.
        listen: told of every step and epoch.
        **options: any option of :class:`striate.training.Recipe`, such as ``epochs=3``.

    Raises:
        NetworkError, DataError, UsageError: before anything is written.
        DivergedError, InterruptedRun, StorageError: after saving what was good.

    >>> run = train("simple-cnn", "digits", epochs=1, runs=tmp_path)  # doctest: +SKIP
    """
    from striate import insight, training

    if isinstance(recipe, (str, Path)):
        recipe = training.read_recipe(recipe, options)
    elif options:
        given = {} if recipe is None else recipe.model_dump(exclude_unset=True)
        recipe = training.make_recipe({**given, **options})
    run = training.train(net, data, recipe, runs=runs, listen=listen or training.events.silent)
    insight.write_report(run, None if isinstance(data, (str, Path)) else data)
    return run


def open_run(run: str | Path = "latest", *, runs: str | Path = "runs") -> TrainedRun:
    """A run by its path, its name under ``runs``, or ``latest``.

    Raises:
        RunError: when there is no such run, or it is damaged.
    """
    from striate.training import open_trained

    return open_trained(run, root=runs)


def evaluate(
    run: str | Path | TrainedRun = "latest", data: str | Path | None = None, *, split: str = "test"
) -> Evaluation:
    """Measure a run: on a split of its own data, or on other data with the same classes.

    Args:
        run: anything :func:`open_run` takes, or a run.
        data: other data; default: the data the run was trained on.
        split: ``test``, ``val`` or ``train``.

    Raises:
        DataError: when the data are gone, have changed, or have other classes.
    """
    from striate.training.measuring import evaluate_run

    return evaluate_run(open_run(run) if isinstance(run, (str, Path)) else run, data, split)


def predict(run: str | Path | TrainedRun, files: Iterable[str | Path]) -> list[Prediction]:
    """What a run says about image files, with the preprocessing and class names stored in it."""
    return (open_run(run) if isinstance(run, (str, Path)) else run).predict(files)


def report(run: str | Path | TrainedRun = "latest") -> Path:
    """Write ``report.html`` of a run again.

    Returns:
        Its path.
    """
    from striate.insight import write_report

    return write_report(open_run(run) if isinstance(run, (str, Path)) else run)
