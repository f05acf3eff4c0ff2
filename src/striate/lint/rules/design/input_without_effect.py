"""N603: inputs that change no output, and outputs that no input changes."""

from __future__ import annotations

from collections.abc import Iterator

from striate.graph.layers.input import Input
from striate.lint.rule import Evidence, rule
from striate.lint.subject import Subject

__all__ = ["input_without_effect"]


@rule("N603", "input-without-effect", "warning", fix="none")
def input_without_effect(net: Subject) -> Iterator[Evidence]:
    """An input changes no output, or an output depends on no input.

    What: an input from whose numbers no way leads to an output, and an output to which none leads from an input. Where
        a layer takes only the size of a map (resizelike, croplike), no numbers pass.
    Why: the network answers without looking at what it is given.
    Example: A second input that nothing reads.
    Instead: conv 16 3 > relu > globalavgpool > dense 10
    Fix: none: join the input with what leads to the output, or leave it out.
    Source: Ben Braiek and Khomh 2023, "Testing feedforward neural networks training programs" (TheDeepChecker),
        dependency of the outputs on the data.
    """
    needed = set(net.graph.outputs)
    for node in reversed(net.graph.nodes):
        if node.name in needed:
            needed.update(_valued(node.inputs, node.layer.shape_only))
    fed: set[str] = set()
    for node in net.graph.nodes:
        if isinstance(node.layer, Input) or any(name in fed for name in _valued(node.inputs, node.layer.shape_only)):
            fed.add(node.name)
    for node in net.graph.nodes:
        if isinstance(node.layer, Input) and node.name not in needed:
            yield Evidence(node.name, "no output depends on this input", fix="use it, or leave it out")
    for output in dict.fromkeys(net.graph.outputs):
        if output not in fed:
            yield Evidence(output, "this output depends on no input: it is the same for every image")


def _valued(inputs: tuple[str, ...], ignored: tuple[int, ...]) -> list[str]:
    return [name for position, name in enumerate(inputs) if position not in ignored]
