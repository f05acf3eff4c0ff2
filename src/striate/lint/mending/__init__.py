"""Edits carried out: on a Graph, on the text of a YAML file, again and again until nothing is left to mend."""

from __future__ import annotations

from striate.lint.mending.graph_edits import CannotEdit, apply_edits
from striate.lint.mending.rounds import Mended, mend

__all__ = ["CannotEdit", "Mended", "apply_edits", "mend"]
