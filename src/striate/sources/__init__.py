"""Anything that describes a network → Graph, and back to text. No torch, no weights.

What YAML needs is imported when YAML is met, so that a zoo name or inline text starts fast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from striate.sources.loading import leaves_open, load

if TYPE_CHECKING:
    from striate.sources.inline_reader import read_inline
    from striate.sources.inline_writer import to_inline
    from striate.sources.yaml_reader import read_yaml
    from striate.sources.yaml_writer import to_yaml

__all__ = ["leaves_open", "load", "read_inline", "read_yaml", "to_inline", "to_yaml"]

_HOMES = {
    "read_inline": "inline_reader",
    "read_yaml": "yaml_reader",
    "to_inline": "inline_writer",
    "to_yaml": "yaml_writer",
}


def __getattr__(name: str) -> object:
    """The other public functions, imported when they are first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    import importlib

    value = getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value
