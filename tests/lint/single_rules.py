"""What single rules find, and the numbers in their messages."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from torch import nn

from striate.backend.tensors import matched_tensors
from striate.graph import Graph
from striate.lint import Evidence, Subject, all_rules

__all__ = ["OWN", "found", "numbers", "values_of"]

#: The rules about composition, head, structure, weights and initialisation.
OWN = {code: rule for code, rule in all_rules().items() if code[1] in "34678"}


def found(code: str, net: Graph, **known: Any) -> list[Evidence]:
    """What one rule finds."""
    return list(OWN[code].check(Subject(net, **known)))


def numbers(text: str) -> list[float]:
    """The numbers of a text, in order."""
    return [float(part.replace(",", "")) for part in re.findall(r"\d[\d,]*(?:\.\d+)?(?:e-?\d+)?", text)]


def values_of(module: nn.Module, net: Graph) -> dict[str, np.ndarray]:
    """The tensors of a module as rules get them."""
    return {name: tensor.detach().numpy().copy() for name, tensor in matched_tensors(module, net).items()}
