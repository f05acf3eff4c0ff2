"""Target: a network to be linted, with everything that is known about it, from whatever describes it."""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from striate.errors import ShapeError, SourceError
from striate.graph import Graph
from striate.lint.allowing import Allow, read_allows
from striate.lint.given_weights import fitted_weights, own_weights, weights_file
from striate.lint.settings import LOSSES, read_loss
from striate.lint.subject import Subject
from striate.sources import load
from striate.sources.checkpoint import is_checkpoint
from striate.sources.recognition import NET_FILE, Recognised, recognise

if TYPE_CHECKING:
    from striate.findings import Finding
    from striate.sources.tree import TreeNode
    from striate.units import Shape

__all__ = ["Target", "YamlText", "read_target", "yaml_allows"]

Kind = Literal["zoo", "inline", "yaml", "run", "python", "graph", "other"]
"""What a network is written as; ``other`` is a file that is imported and cannot be written."""

_KINDS: dict[str, Kind] = {"zoo": "zoo", "inline": "inline", "yaml": "yaml", "python": "python"}
#: Their tensors may be called otherwise where they come from.
_IMPORTED: tuple[Kind, ...] = ("python", "graph", "other")
#: What an imported module is recorded to have without using it.
_UNUSED = "unused parameters"
_PYTHON_LIMIT = 4 * 1024**2


@dataclass(frozen=True)
class YamlText:
    """A network in YAML with the piece of text that each node was written as.

    Args:
        text: the whole of it.
        where: what errors call it.
        path: the file it stands in; None for a text.
        items: the pieces, by node.
        input, classes: what it was read with instead of its own.
    """

    text: str
    where: str
    path: Path | None
    items: Mapping[str, TreeNode]
    input: Shape | None = None
    classes: int | None = None


@dataclass(frozen=True)
class Target:
    """A network to be linted.

    Args:
        name: what was asked for.
        subject: what the rules see of it.
        allows: the comments in its text.
        kind: what it is written as.
        yaml: its text, where it is YAML.
        said: what its reader found.
    """

    name: str
    subject: Subject
    allows: tuple[Allow, ...] = ()
    kind: Kind = "graph"
    yaml: YamlText | None = None
    said: tuple[Finding, ...] = ()

    @property
    def file(self) -> str | None:
        """The file that it stands in; None where it stands in none."""
        if self.yaml is not None:
            return None if self.yaml.path is None else str(self.yaml.path)
        if self.kind == "python":
            named = self.name.rpartition(":")[0]
            written = ((node.origin or "").rpartition(":")[0] for node in self.subject.graph.nodes)
            return named if named.endswith(".py") else next((file for file in written if file.endswith(".py")), None)
        return self.name if self.kind == "other" else None

    @property
    def not_mended(self) -> str | None:
        """Why a program cannot mend this network; None where it can."""
        if self.kind == "run":
            return "it belongs to a run, whose weights would no longer fit it"
        if self.kind == "python":
            return "it is written in Python; what to change stands behind each 'fix:'"
        return "it is no text" if self.kind == "other" else None


def read_target(
    source: Any,
    *,
    input: Shape | None = None,
    classes: int | None = None,
    weights: str | Path | Mapping[str, Any] | None = None,
    batch: int | None = None,
    loss: str | None = None,
    kwargs: Mapping[str, Any] | None = None,
) -> Target:
    """A network with its weights, its batch and its loss; a run folder brings all of them.

    Args:
        source, input, classes, kwargs: as :func:`striate.sources.load` takes them.
        weights: a safetensors file, a run folder, or arrays by name; default: those of a module that is given itself.
        batch: images of a training step.
        loss: ``cross-entropy``, ``bce`` or ``mse``.

    Raises:
        NetworkError: as :func:`striate.sources.load`.
        WeightsError: the weights cannot be read, or are those of another network.
        RunError: the run is damaged.
        UsageError: the loss is none.
    """
    read = _read(source, input, classes, kwargs)
    graph, yaml, folder = read.subject.graph, read.yaml, None
    if read.kind == "run" and yaml is not None and yaml.path is not None:
        folder = yaml.path.parent
        batch, loss = _run_settings(folder, batch, loss)
        weights = folder if weights is None and weights_file(folder) is not None else weights
    arrays, said = None, read.said
    if weights is not None:
        arrays, told = fitted_weights(graph, weights, imported=read.kind in _IMPORTED)
        said += told
    elif read.kind == "python" and not isinstance(source, (str, Path)) and classes is None:
        arrays, told = own_weights(graph, source)
        said += told
    subject = Subject(
        graph,
        arrays,
        _unused(graph),
        batch=batch,
        loss=None if loss is None else read_loss(loss, "loss"),
    )
    allows = yaml_allows(yaml) if yaml is not None else _python_allows(graph)
    return replace(read, subject=subject, allows=tuple(allows), said=said)


def _read(source: Any, input: Shape | None, classes: int | None, kwargs: Mapping[str, Any] | None) -> Target:
    """What a source is, its network, and its text where it is YAML."""
    if not isinstance(source, (str, Path)):
        graph = load(source, input=input, classes=classes, kwargs=kwargs)
        return Target(graph.name, Subject(graph), kind="graph" if isinstance(source, Graph) else "python")
    name = str(source)
    if name.lower().endswith(".onnx") and kwargs is None:
        from striate.sources.onnx import read_onnx

        read = read_onnx(source, input=input, classes=classes)
        return Target(name, Subject(read.graph), kind="other", said=read.findings)
    if is_checkpoint(name) and kwargs is None and Path(name).is_file():
        raise SourceError(
            "this is a file of weights, and no network",
            where=name,
            needs="the network that they are of",
            write="striate lint NET --weights FILE.safetensors, or striate inspect of this file",
        )
    found = recognise(source)
    if found.kind == "yaml" and kwargs is None:
        return _read_yaml(name, found, input, classes)
    graph = load(source, input=input, classes=classes, kwargs=kwargs)
    return Target(name, Subject(graph), kind=_KINDS.get(found.kind, "other"))


def _read_yaml(name: str, found: Recognised, input: Shape | None, classes: int | None) -> Target:
    from striate.sources.yaml_reader import read_located_yaml

    try:
        graph, items = read_located_yaml(found.text, where=found.where, input=input, classes=classes, name=found.name)
    except ShapeError:
        load(name, input=input, classes=classes)  # which tells the smallest size as well
        raise
    path = None if found.where == "text" else Path(found.where)
    yaml = YamlText(found.text, found.where, path, items, input, classes)
    kind: Kind = "run" if path is not None and _in_run(path) else "yaml"
    return Target(found.where if path is None else name, Subject(graph), kind=kind, yaml=yaml)


def _in_run(path: Path) -> bool:
    """Whether a network in YAML is that of a run."""
    return path.name == NET_FILE and (path.parent / "run.json").is_file()


def _run_settings(folder: Path, batch: int | None, loss: str | None) -> tuple[int | None, str | None]:
    """The batch and the loss that a run was trained with, where nobody says otherwise."""
    from striate.runs import RunFolder

    resolved = RunFolder(folder).record().resolved
    trained_batch, trained_loss = resolved.get("batch"), resolved.get("loss")
    if batch is None and isinstance(trained_batch, int):
        batch = trained_batch
    if loss is None and trained_loss in (*LOSSES, "binary-cross-entropy"):
        loss = str(trained_loss)
    return batch, loss


def _unused(graph: Graph) -> tuple[str, ...]:
    """The tensors of an imported module that its forward pass does not use."""
    idle = [node for node in graph.nodes if getattr(node.layer, "operation", None) == _UNUSED]
    return tuple(f"{node.name}.{tensor.name}" for node in idle for tensor in node.layer.parameters(()))


def yaml_allows(yaml: YamlText) -> Iterator[Allow]:
    """What the comments of a network in YAML allow."""
    if "striate:" not in yaml.text:
        return iter(())
    from striate.lint.comments import yaml_comments

    return read_allows(yaml_comments(yaml.text, dict(yaml.items)), yaml.where)


def _python_allows(graph: Graph) -> Iterator[Allow]:
    """The comments of every Python file in which a node was written."""
    from striate.lint.comments import python_comments

    files = dict.fromkeys((node.origin or "").rpartition(":")[0] for node in graph.nodes)
    for file in files:
        if file.endswith(".py") and (text := _source(Path(file))) is not None and "striate:" in text:
            yield from read_allows(python_comments(text), file)


def _source(path: Path) -> str | None:
    """Python source; None where it is gone, or is no text after all: it was only to be looked at for comments."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode) or status.st_size > _PYTHON_LIMIT:
            return None
        return path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None
