"""N304: batch normalisation of what batch normalisation left."""

from __future__ import annotations

from collections.abc import Iterator

from striate.graph.layers.normalization import BatchNorm
from striate.graph.layers.reshape import Identity
from striate.lint.rule import Edit, Evidence, rule
from striate.lint.subject import Subject
from striate.lint.traits import before, sharers
from striate.units import format_count

__all__ = ["two_batchnorms"]


@rule("N304", "two-batchnorms", "warning", fix="unsafe")
def two_batchnorms(net: Subject) -> Iterator[Evidence]:
    """A batch normalisation reads another one.

    What: a batch normalisation whose input is that of another one, read by nothing else.
    Why: the second takes mean and deviation away, and with them all that the scale and shift of the first can do but a
        change of sign: in training they have (up to epsilon) no effect and no gradient.
    Example: conv 16 3 bias=false > batchnorm > batchnorm > relu > globalavgpool > dense 10
    Instead: conv 16 3 bias=false > batchnorm > relu > globalavgpool > dense 10
    Fix: unsafe: without the first a fresh network computes the same in training (up to epsilon); with trained weights
        the running averages of the second do not fit any more.
    Source: Ioffe and Szegedy 2015, algorithm 1: the output has the mean and the deviation that it learns, whatever
        those of the input are.
    """
    shared = sharers(net.graph)
    for node in net.graph.nodes:
        if not isinstance(node.layer, BatchNorm):
            continue
        first = before(net, node, (Identity,))
        if first is None or not isinstance(first.layer, BatchNorm) or net.only_reader(first) is None:
            continue
        count = net.numbers[first.name].parameters
        effect = f"the {format_count(count)} parameters of {first.name} have" if count else f"{first.name} has"
        tied = first.name in shared or first.shares is not None
        yield Evidence(
            node.name,
            f"it normalises what batchnorm {first.name} normalised: {effect} no effect in training",
            fix=f"leave {first.name} out",
            edits=() if tied else (Edit(first.name),),
        )
