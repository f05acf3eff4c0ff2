"""Anything that describes a network → Graph."""

from __future__ import annotations

from pathlib import Path

from striate.graph.graph import Graph
from striate.sources.options import check_classes, check_input, with_classes
from striate.sources.recognition import recognise
from striate.units import Shape

__all__ = ["leaves_open", "load"]


def load(source: str | Path | Graph, *, input: Shape | None = None, classes: int | None = None) -> Graph:
    """A network from whatever describes it.

    Args:
        source: a zoo name (case, ``-`` and ``_`` do not matter), a YAML file, a run folder, inline text on one line,
            YAML text of several lines, or a Graph. Where a folder is called like a zoo network, the zoo is meant;
            ``./NAME`` is the folder.
        input: another input shape ``(channels, *spatial)`` than the source's own.
        classes: another number of classes than the source's own.

    Raises:
        SourceError: the source is unknown, unreadable or wrong, or an option has no effect.
        LayerError: an attribute of a layer is wrong.
        ShapeError: what arrives at a layer does not fit it.
        UsageError: ``classes`` is not a number, or ``input`` is given for a Graph with several inputs.

    >>> load("simple-cnn", classes=3).output_shape
    (3,)
    >>> load("conv 8 3 > relu > globalavgpool > dense classes", input=(1, 28, 28), classes=5).parameter_count
    125
    """
    size, count = check_input(input), check_classes(classes)
    if isinstance(source, Graph):
        graph = source if size is None else source.with_input(size)
        return graph if count is None else with_classes(graph, count)
    found = recognise(source)
    if found.kind == "zoo":
        from striate import zoo

        return zoo.build(found.text, input=size, classes=count)
    # Only what this source needs is imported: the command line starts with a zoo name most of the time.
    if found.kind == "inline":
        from striate.sources.inline_reader import read_inline

        return read_inline(found.text, input=size, classes=count, name=found.name)
    from striate.sources.yaml_reader import read_yaml

    return read_yaml(found.text, where=found.where, input=size, classes=count, name=found.name)


def leaves_open(source: str | Path | Graph) -> tuple[bool, bool]:
    """Whether a text leaves its input, and its number of classes, to whoever loads it.

    A zoo network and a Graph leave nothing open. Inline text without ``input`` does, and so does a layer whose size is
    the word ``classes`` where the text gives no number.

    Raises:
        SourceError: the source is unknown, or is not YAML.

    >>> leaves_open("conv 8 3 > globalavgpool > dense classes"), leaves_open("simple-cnn")
    ((True, True), (False, False))
    """
    if isinstance(source, Graph):
        return False, False
    found = recognise(source)
    if found.kind == "zoo":
        return False, False
    if found.kind == "inline":
        from striate.sources.inline_reader import inline_leaves_open

        return inline_leaves_open(found.text)
    from striate.sources.yaml_reader import yaml_leaves_open

    return yaml_leaves_open(found.text, found.where)
