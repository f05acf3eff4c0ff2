"""Anything that describes a network → Graph."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from striate.errors import ShapeError, UsageError
from striate.graph.graph import Graph
from striate.sources.options import check_classes, check_input, with_classes
from striate.sources.recognition import recognise
from striate.units import Shape

if TYPE_CHECKING:
    from torch import nn

__all__ = ["leaves_open", "load"]


def load(
    source: str | Path | Graph | nn.Module,
    *,
    input: Shape | tuple[Shape, ...] | None = None,
    classes: int | None = None,
    kwargs: Mapping[str, Any] | None = None,
) -> Graph:
    """A network from whatever describes it.

    Args:
        source: a zoo name (case, ``-`` and ``_`` do not matter), a YAML or ONNX file, a run folder, inline text on one
            line, YAML text of several lines, or a Graph. Where a folder is called like a zoo network, the zoo is meant;
            ``./NAME`` is the folder. Or any ``nn.Module``, or where Python has one: ``model.py:Net``,
            ``package.module:factory``. That code is run; the module stays as it is.
        input: another input shape ``(channels, *spatial)`` than the source's own. A module has none of its own; one
            with several inputs takes a tuple of shapes.
        classes: another number of classes than the source's own.
        kwargs: for ``model.py:Net``: what the class or function is called with.

    Raises:
        SourceError: the source is unknown, unreadable or wrong, or an option has no effect.
        LayerError: an attribute of a layer is wrong.
        ShapeError: what arrives at a layer does not fit it; where a larger ``input`` would help, the smallest that
            works is told.
        UsageError: ``classes`` is not a number, ``input`` is given for a Graph with several inputs, or ``kwargs`` for
            what takes none.

    >>> load("simple-cnn", classes=3).output_shape
    (3,)
    >>> load("conv 8 3 > relu > globalavgpool > dense classes", input=(1, 28, 28), classes=5).parameter_count
    125
    """
    count = check_classes(classes)
    if _is_module(source):
        _check_kwargs(kwargs, "a module")
        return _counted(_load_module(source, input), count)
    if isinstance(input, (tuple, list)) and input and all(isinstance(entry, (tuple, list)) for entry in input):
        return _counted(_load_several(source, input, kwargs), count)
    size = check_input(input)
    if isinstance(source, str) and kwargs is not None and recognise(source).kind == "python":
        return _counted(_load_reference(recognise(source).text, size, kwargs), count)
    _check_kwargs(kwargs, "this source")
    try:
        return _load(source, size, count)
    except ShapeError as error:
        # Somebody else's code is not run again and again to find the smallest size.
        kind = recognise(source).kind if isinstance(source, (str, Path)) else "graph"
        if kind not in ("graph", "zoo", "inline", "yaml"):
            raise
        from striate.sources.smallest_size import with_smallest_size

        raise with_smallest_size(error, size, lambda other: _load(source, other, count), anew=kind == "zoo") from None


def _is_module(source: object) -> bool:
    """Whether something is an ``nn.Module``: where torch was never imported, nothing is one."""
    torch = sys.modules.get("torch")
    return torch is not None and hasattr(torch, "nn") and isinstance(source, torch.nn.Module)


def _check_kwargs(kwargs: Mapping[str, Any] | None, what: str) -> None:
    if kwargs:
        raise UsageError(
            f"{what} takes no options",
            where="kwargs",
            got=", ".join(map(str, kwargs))[:100],
            needs="a class or function in Python, such as model.py:Net",
        )


def _load_module(source: Any, input: Any) -> Graph:
    from striate.sources.torch_module import import_module

    if input is None:
        raise UsageError(
            "a module does not say what images it takes",
            where=type(source).__name__,
            needs="the shape of one image",
            write="input=(3, 224, 224)",
        )
    return import_module(source, input)


def _load_several(source: Any, input: tuple[Any, ...], kwargs: Mapping[str, Any] | None) -> Graph:
    """What may have several inputs, each with a shape of its own."""
    kind = recognise(source).kind if isinstance(source, (str, Path)) else "graph"
    if kind == "python":
        return _load_reference(recognise(source).text, input, kwargs or {})
    _check_kwargs(kwargs, "this source")
    if kind == "onnx":
        from striate.sources.onnx import read_onnx

        return read_onnx(recognise(source).text, input=input).graph
    raise UsageError(
        "several shapes are for a module, or an ONNX file, with several inputs",
        got=f"input={input}"[:100],
        needs="one shape",
        write=f"input={input[0]}",
    )


def _load_reference(text: str, size: Shape | tuple[Shape, ...] | None, kwargs: Mapping[str, Any]) -> Graph:
    from striate.sources.python_reference import import_reference

    return import_reference(text, size, kwargs)


def _counted(graph: Graph, count: int | None) -> Graph:
    return graph if count is None else with_classes(graph, count)


def _load(source: Any, size: Shape | None, count: int | None) -> Graph:
    if isinstance(source, Graph):
        return _counted(source if size is None else source.with_input(size), count)
    found = recognise(source)
    if found.kind == "zoo":
        from striate import zoo

        return zoo.build(found.text, input=size, classes=count)
    if found.kind == "python":
        return _counted(_load_reference(found.text, size, {}), count)
    if found.kind == "onnx":
        from striate.sources.onnx import read_onnx

        return read_onnx(found.text, input=size, classes=count).graph
    # Only what this source needs is imported: the command line starts with a zoo name most of the time.
    if found.kind == "inline":
        from striate.sources.inline_reader import read_inline

        return read_inline(found.text, input=size, classes=count, name=found.name)
    from striate.sources.yaml_reader import read_yaml

    return read_yaml(found.text, where=found.where, input=size, classes=count, name=found.name)


def leaves_open(source: str | Path | Graph | nn.Module) -> tuple[bool, bool]:
    """Whether a text leaves its input, and its number of classes, to whoever loads it.

    A zoo network and a Graph leave nothing open; a module its input. Inline text without ``input`` does, and so does a
    layer whose size is the word ``classes`` where the text gives no number.

    Raises:
        SourceError: the source is unknown, or is not YAML.

    >>> leaves_open("conv 8 3 > globalavgpool > dense classes"), leaves_open("simple-cnn")
    ((True, True), (False, False))
    """
    if isinstance(source, Graph):
        return False, False
    if not isinstance(source, (str, Path)) and _is_module(source):
        return True, False
    found = recognise(source)  # type: ignore[arg-type]
    if found.kind in ("zoo", "python", "onnx"):
        return found.kind == "python", False
    if found.kind == "inline":
        from striate.sources.inline_reader import inline_leaves_open

        return inline_leaves_open(found.text)
    from striate.sources.yaml_reader import yaml_leaves_open

    return yaml_leaves_open(found.text, found.where)
