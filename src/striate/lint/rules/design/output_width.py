"""N405: not one output for each class."""

from __future__ import annotations

from collections.abc import Iterator

from striate.graph.layers.dense import Dense
from striate.lint.rule import Edit, Evidence, rule
from striate.lint.subject import Subject
from striate.lint.traits import last_weighted

__all__ = ["output_width"]


@rule("N405", "output-width", "warning", fix="unsafe", uses=("loss",))
def output_width(net: Subject) -> Iterator[Evidence]:
    """The last dense layer does not have one output for each class.

    What: a network with classes that ends in a vector from a dense layer with another number of units. Silent for one
        unit and two classes (one probability says both), for several outputs, for maps, and for twice as many outputs
        as classes or more, as detectors have them, unless the loss is known to be cross-entropy.
    Why: with fewer units the labels of the last classes have no output, which stops training; with more, outputs that
        no label names take probability away.
    Example: A network with classes: 10 that ends in dense 12.
    Instead: conv 16 3 > relu > globalavgpool > dense classes
    Fix: unsafe: units: the number of classes; the outputs change.
    Source: PyTorch, torch.nn.CrossEntropyLoss (targets are in [0, C) for C outputs).
    """
    classes = net.graph.classes
    if classes is None or len(set(net.graph.outputs)) != 1:
        return
    ending = last_weighted(net, net.graph.outputs[0])
    if ending is None or not isinstance(ending[0].layer, Dense):
        return
    node, units = ending[0], ending[0].layer.units
    if units == classes or (units == 1 and classes == 2):
        return
    if units >= 2 * classes and net.loss != "cross-entropy":
        return
    apart = abs(classes - units)
    one, many = ("class", "classes") if units < classes else ("output", "outputs")
    lacking = "output" if units < classes else "class"
    tied = node.shares is not None or any(other.shares == node.name for other in net.graph.nodes)
    yield Evidence(
        node.name,
        f"it has {units} outputs for {classes} classes: "
        f"{apart} {one if apart == 1 else many} {'has' if apart == 1 else 'have'} no {lacking}",
        fix=f"units: {classes}",
        edits=() if tied else (Edit(node.name, "units", classes),),
    )
