"""Striate: a workbench for convolutional networks.

The verbs of the command line, as functions. ``import striate`` imports nothing else, and whatever only looks at a
network never imports torch.

    load, inspect, derive     a network as data, and its exact numbers
    cost, memory, compare     what it takes to run and to train it, networks side by side
    lint, explain             what is wrong with it, and why that is bad
    network, edit, to_yaml    write one in Python, change it, write it to a file
    build                     the same network as a torch module
    load_data                 images in memory, with their splits and classes
    bench                     how fast this machine trains a network, in every way it can be computed
    train                     a network and images in, a run out
    resume                    go on with a run that was stopped
    find_learning_rate        the range test: a good learning rate, before training
    ablate                    which tricks of a recipe pay on these images
    open_run                  a run again: its network, weights, classes and preprocessing
    evaluate, predict         measure it, use it
    diagnose                  what is wrong with it, from its own files
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
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    from torch import nn

    from striate._numbers import compare, cost, derive, edit, inspect, memory
    from striate._runs import evaluate, open_run, predict, report, resume
    from striate._trials import ablate, find_learning_rate
    from striate.analysis.bench_report import BenchReport
    from striate.backend import Scheme
    from striate.data import Dataset, load_data
    from striate.graph import Graph, network
    from striate.lint.diagnosis import diagnose
    from striate.lint.verbs import explain, lint
    from striate.sources import load, to_yaml
    from striate.training import Event, Recipe, TrainedRun
    from striate.units import Shape

__all__ = [
    "ablate",
    "bench",
    "build",
    "compare",
    "cost",
    "derive",
    "diagnose",
    "edit",
    "evaluate",
    "explain",
    "find_learning_rate",
    "inspect",
    "lint",
    "load",
    "load_data",
    "memory",
    "network",
    "open_run",
    "predict",
    "report",
    "resume",
    "to_yaml",
    "train",
]
__version__ = "0.1.0"

#: Verbs that are offered here as they are, from where they live; imported when they are first used.
_HOMES = {
    **dict.fromkeys(("compare", "cost", "derive", "edit", "inspect", "memory"), "striate._numbers"),
    **dict.fromkeys(("evaluate", "open_run", "predict", "report", "resume"), "striate._runs"),
    **dict.fromkeys(("ablate", "find_learning_rate"), "striate._trials"),
    "diagnose": "striate.lint.diagnosis",
    "explain": "striate.lint.verbs",
    "load": "striate.sources",
    "load_data": "striate.data",
    "network": "striate.graph",
    "to_yaml": "striate.sources",
}


def __getattr__(name: str) -> object:
    from importlib import import_module

    # Packages under the names of verbs and of what they hold; the package lint can be called.
    if name in ("lint", "zoo"):
        return import_module(f"striate.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, "zoo"})


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
        init: ``auto``, ``he``, ``xavier``, ``normal``, ``uniform``, ``orthogonal``, ``dirac`` or ``zero``.
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


def bench(
    net: str | Path | Graph = "mnist-cnn",
    *,
    input: Shape | None = None,
    classes: int | None = None,
    batch: int = 64,
    threads: int | None = None,
    precision: str = "auto",
    compile: bool = False,
    device: str = "auto",
) -> BenchReport:
    """Time training steps of a network on random images, in each arithmetic and memory order.

    Steps are forward and backward, without update, taken in turn. The FLOPs are twice the exact multiply-adds; the peak
    is that of a matrix product measured beside them.

    Args:
        net, input, classes: as :func:`load` takes them.
        batch: images in a step.
        threads: of the processor; default: all.
        precision: ``fp32``, ``bf16``, or ``auto`` for both, where the processor has bf16.
        compile: whether torch.compile is tried too, which takes a minute.
        device: ``cpu``, ``cuda``, ``cuda:N``, ``mps``, or ``auto`` for CUDA where there is one and else the processor.

    Raises:
        NetworkError: as :func:`load`.
        UsageError: several inputs or outputs, nothing to train, a step that does not fit into memory, no such device,
            or no compiler.

    >>> report = bench("lenet-5", batch=8, precision="fp32", threads=1)
    >>> [(row.layout, row.difference is None or row.difference < 1e-5) for row in report.rows]
    [('channels-last', True), ('contiguous', True)]
    """
    from striate.sources import load
    from striate.training.bench import bench

    graph = load(net, input=input, classes=classes)
    return bench(graph, batch=batch, threads=threads, precision=precision, compiled=compile, device=device)


def train(
    net: str | Path | Graph = "simple-cnn",
    data: str | Path | Dataset = "digits",
    recipe: Recipe | str | Path | None = None,
    *,
    runs: str | Path = "runs",
    folder: str | Path | None = None,
    checkpoint_every: float | None = None,
    listen: Callable[[Event], None] | None = None,
    command: str | None = None,
    **options: Any,
) -> TrainedRun:
    """Train a network on images and write a run folder with its report.

    Args:
        net: a zoo name, a YAML file, inline text or a Graph.
        data: ``digits``, a folder, a CSV, IDX or ``.npz`` file, or a Dataset.
        recipe: a Recipe, a YAML file, or the name of one that comes with Striate; ``options`` win over it.
        runs: the folder of all runs.
        folder: of this run, a name below ``runs`` or a path; where an unfinished run is in it that was asked for in
            the same way, that one goes on. Default: a new one with a number.
        checkpoint_every: seconds between two checkpoints inside an epoch; default: 60, and seldomer where they would
            take more than 5 % of the time.
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
    from striate.training.recipe_file import combined_recipe

    run = training.train(
        net,
        data,
        combined_recipe(recipe, options),
        runs=runs,
        folder=folder,
        checkpoint_every=checkpoint_every,
        listen=listen or training.events.silent,
        command=command,
    )
    insight.write_report(run, None if isinstance(data, (str, Path)) else data)
    return run
