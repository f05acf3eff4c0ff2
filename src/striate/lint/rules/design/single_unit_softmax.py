"""N406: softmax over one number is 1."""

from __future__ import annotations

from collections.abc import Iterator

from striate.graph.layers.activation import Softmax
from striate.lint.rule import Evidence, rule
from striate.lint.subject import Subject

__all__ = ["single_unit_softmax"]


@rule("N406", "single-unit-softmax", "error", fix="none")
def single_unit_softmax(net: Subject) -> Iterator[Evidence]:
    """Softmax over a single number.

    What: softmax that reads one channel.
    Why: exp(x) / exp(x) is 1 for every image, and its gradient is 0: nothing before it learns.
    Example: conv 16 3 > relu > globalavgpool > dense 1 > softmax
    Instead: conv 16 3 > relu > globalavgpool > dense 1 > sigmoid
    Fix: none: sigmoid for one probability, or two units for two classes.
    Source: the formula of softmax with one term; Humbatova et al. 2020, "Taxonomy of real faults in deep learning
        systems" (wrong activation of the last layer).
    """
    for node in net.graph.nodes:
        if isinstance(node.layer, Softmax) and net.graph.shapes[node.name][0] == 1:
            yield Evidence(
                node.name,
                f"softmax over the single number of {node.inputs[0]} is 1 for every image, and its gradient 0",
                fix="sigmoid in place of softmax, or 2 units before it",
            )
