"""N309: batch normalisation over hardly any numbers."""

from __future__ import annotations

from collections.abc import Iterator

from striate.graph.layers.normalization import BatchNorm
from striate.lint.rule import Evidence, rule
from striate.lint.subject import Subject
from striate.lint.traits import number_of_positions

__all__ = ["batchnorm_of_one_value"]

_FEW = 8


@rule("N309", "batchnorm-of-one-value", "warning", fix="none", uses=("batch",))
def batchnorm_of_one_value(net: Subject) -> Iterator[Evidence]:
    """Batch normalisation has a single value of each channel, or hardly more, to normalise over.

    What: batch normalisation of a vector or a 1×1 map in training with a batch so small that fewer than 8 values of a
        channel come together. Silent where the batch is not known.
    Why: one value minus its own mean is 0: training stops with an error (PyTorch: "Expected more than 1 value per
        channel when training"), and two values become -1 and 1 whatever they were. The last batch of an epoch may be
        smaller still.
    Example: conv 16 3 > globalavgpool > batchnorm > dense 10 with batch=1
    Instead: conv 16 3 > batchnorm > relu > globalavgpool > dense 10 with batch=1
    Fix: none: normalise before the pooling, or with layernorm or groupnorm; or take a larger batch.
    Source: Ioffe and Szegedy 2015, section 3.1; Wu and He 2018, "Group normalization", section 1; the error text is
        PyTorch's own.
    """
    if net.batch is None:
        return
    for node in net.graph.nodes:
        values = net.batch * number_of_positions(net.graph, node.name)
        if not isinstance(node.layer, BatchNorm) or values >= _FEW:
            continue
        channels = net.graph.shapes[node.name][0]
        what = f"a batch of {net.batch} gives each of {channels} channels {values} value{'' if values == 1 else 's'}"
        if values == 1:
            yield Evidence(
                node.name,
                f"{what}: training stops with an error",
                fix="a batch of 2 or more, or layernorm",
                severity="error",
            )
        else:
            outcome = "which become -1 and 1 whatever they were" if values == 2 else "too few for a mean and a variance"
            yield Evidence(node.name, f"{what}, {outcome}", fix="a larger batch, or layernorm")
