"""Anything that describes a network → Graph, and back to text. No torch, no weights.

What YAML needs is imported when YAML is met, so that a zoo name or inline text starts fast.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from striate.lazy import lazy_names
from striate.sources.loading import leaves_open, load

if TYPE_CHECKING:
    from striate.sources.checkpoint import read_checkpoint
    from striate.sources.inline_reader import read_inline
    from striate.sources.inline_writer import to_inline
    from striate.sources.onnx import read_onnx
    from striate.sources.yaml_reader import read_yaml
    from striate.sources.yaml_writer import to_yaml

__all__ = [
    "leaves_open",
    "load",
    "read_checkpoint",
    "read_inline",
    "read_onnx",
    "read_yaml",
    "to_inline",
    "to_yaml",
]

_HOMES = {
    "checkpoint": ("read_checkpoint",),
    "inline_reader": ("read_inline",),
    "inline_writer": ("to_inline",),
    "onnx": ("read_onnx",),
    "yaml_reader": ("read_yaml",),
    "yaml_writer": ("to_yaml",),
}

__getattr__, __dir__ = lazy_names(__name__, _HOMES, ready=("leaves_open", "load"))
