"""What a node is, in a few words: ``conv 16, 3×3, same``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from striate.errors import LayerError
from striate.graph.layer import axis_names
from striate.graph.layers import layer_class
from striate.units import Shape

if TYPE_CHECKING:
    from striate.analysis.report import NodeReport, Report

__all__ = ["layer_words", "node_words", "report_words"]

#: Attributes that count pixels along each axis and are written once for each: 3×3.
_SIZES = ("kernel", "size", "scale")
#: So many of the nodes that one reads are named; JSON and CSV have all.
_NAMED = 6


def layer_words(kind: str, attributes: dict[str, Any], rank: int, channels: int | None = None) -> str:
    """A layer and those of its attributes that differ from the defaults, as people write it.

    Args:
        kind: the layer's kind.
        attributes: as in :class:`striate.analysis.NodeReport`.
        rank: how many spatial axes its map has.
        channels: what arrives, to recognise a depthwise convolution.

    >>> layer_words("conv", {"filters": 16, "kernel": 3, "padding": "same"}, 2)
    'conv 16, 3×3, same'
    >>> layer_words("conv", {"filters": 8, "kernel": (3, 5), "stride": 2, "groups": 8, "bias": False}, 2, channels=8)
    'conv 8, 3×5, stride 2, depthwise, no bias'
    >>> layer_words("maxpool", {"kernel": 3, "stride": 3}, 2), layer_words("dropout", {}, 0)
    ('maxpool 3×3', 'dropout 0.5')
    >>> layer_words("slice", {"axis": 1, "start": 2, "stop": -2}, 2), layer_words("localresponsenorm", {"size": 5}, 2)
    ('slice height 2:-2', 'localresponsenorm 5')
    """
    if kind == "input":
        return "image"
    if kind == "slice":
        return _slice_words(attributes, rank)
    given = _with_positional_defaults(kind, attributes)
    if given.get("stride") == given.get("kernel") and kind.endswith("pool"):
        given.pop("stride", None)
    if given.get("groups") == channels and channels is not None and channels > 1 and kind.startswith("conv"):
        given["groups"] = "depthwise"
    # The size of a local response normalisation counts channels.
    axes = 1 if kind == "localresponsenorm" else rank
    words = [_attribute(name, value, axes, name in _positional(kind)) for name, value in given.items()]
    words = [word for word in words if word]
    bare = next(iter(given), None) in _positional(kind)
    return f"{kind} {', '.join(words)}" if bare and words else ", ".join([kind, *words])


def node_words(node: NodeReport, shapes: dict[str, Shape], previous: str | None) -> str:
    """A node in a few words, with what it reads where that is not simply the node before it.

    Args:
        node: the node.
        shapes: what leaves each node before it.
        previous: the name of the node right before it.
    """
    source = node.inputs[0] if node.inputs else None
    arriving = shapes.get(source) if source is not None else None
    rank = len(arriving if arriving is not None else node.shape) - 1
    words = layer_words(node.kind, node.attributes, rank, None if arriving is None else arriving[0])
    if len(node.inputs) > 1:
        more = f" and {len(node.inputs) - _NAMED} more" if len(node.inputs) > _NAMED else ""
        return f"{words} of {', '.join(node.inputs[:_NAMED])}{more}"
    return words if source in (None, previous) else f"{words}, from {source}"


def report_words(report: Report) -> tuple[str, ...]:
    """Every node of a report in a few words, in order."""
    shapes: dict[str, Shape] = {}
    words: list[str] = []
    previous: str | None = None
    for node in report.nodes:
        words.append(node_words(node, shapes, previous))
        shapes[node.name], previous = node.shape, node.name
    return tuple(words)


def _slice_words(attributes: dict[str, Any], rank: int) -> str:
    """The axis by its name, and the indices as Python writes them."""
    names = ("channels", *axis_names(rank))
    axis, step = attributes.get("axis", 0), attributes.get("step", 1)
    bounds = f"{attributes.get('start', 0) or ''}:{attributes.get('stop', '')}" + (f":{step}" if step != 1 else "")
    return f"slice {names[axis] if axis < len(names) else axis} {bounds}"


def _positional(kind: str) -> tuple[str, ...]:
    try:
        return layer_class(kind).positional
    except LayerError:
        return ()  # a node that no layer describes


def _with_positional_defaults(kind: str, attributes: dict[str, Any]) -> dict[str, Any]:
    """The attributes to name: also a number that is given without its name, even where it is the default."""
    named = {}
    for name in _positional(kind):
        value = attributes.get(name, getattr(layer_class(kind), name, None))
        if value is not None and (name in attributes or not isinstance(value, bool)):
            named[name] = value
    return {**named, **{name: value for name, value in attributes.items() if name not in named}}


def _attribute(name: str, value: Any, rank: int, positional: bool) -> str:
    words = name.replace("_", " ")
    if value is True:
        return words
    if value is False:
        return "padding not counted" if name == "count_include_pad" else f"no {words}"
    if isinstance(value, str):
        return f"{value} padding" if name == "padding_mode" else value
    text = _number(value, rank, name in _SIZES)
    return text if positional and name != "stride" else f"{words} {text}"


def _number(value: Any, rank: int, sizes: bool) -> str:
    if isinstance(value, list | tuple):
        # A pair is what is put before and behind along one axis.
        return "×".join(
            f"({entry[0]}+{entry[1]})" if isinstance(entry, list | tuple) else str(entry) for entry in value
        )
    if sizes and isinstance(value, int):
        return "×".join([str(value)] * max(rank, 1))
    return f"{value:g}" if isinstance(value, float) else str(value)
