"""N305: the variance that batch normalisation learns behind dropout is not the one it meets at inference."""

from __future__ import annotations

from collections.abc import Iterator

from striate.graph.layers.activation import Activation
from striate.graph.layers.dropout import Dropout
from striate.graph.layers.normalization import BatchNorm
from striate.graph.layers.reshape import Flatten, Identity
from striate.lint.rule import Evidence, rule
from striate.lint.subject import Subject
from striate.lint.traits import WEIGHS, before
from striate.units import format_share

__all__ = ["dropout_before_batchnorm"]


@rule("N305", "dropout-before-batchnorm", "warning", fix="none")
def dropout_before_batchnorm(net: Subject) -> Iterator[Evidence]:
    """Dropout stands before batch normalisation.

    What: a batch normalisation that reads what dropout left; said as an info where one layer with weights stands
        between, which mixes many dropped numbers and makes the shift smaller.
    Why: dropout with probability p divides by 1 - p, so that the mean stays and the variance grows: a number of mean c
        and variance v gets the variance (c² + v) / (1 - p) - c², which is at least v / (1 - p). Batch normalisation
        keeps the large one in its running average and divides by it at inference too, where the variance is v.
    Example: conv 16 3 bias=false > dropout 0.3 > batchnorm > relu > globalavgpool > dense 10
    Instead: conv 16 3 bias=false > batchnorm > relu > globalavgpool > dropout 0.3 > dense 10
    Fix: none: put dropout behind the last batch normalisation, or leave it out.
    Source: Li, Chen, Hu and Yang 2019, "Understanding the disharmony between dropout and batch normalization by
        variance shift", section 3; they find the shift small in wide layers.
    """
    for node in net.graph.nodes:
        if not isinstance(node.layer, BatchNorm):
            continue
        first, weighed = before(net, node, (Identity, Flatten)), False
        if first is not None and isinstance(first.layer, (*WEIGHS, Activation)):
            first = before(net, node, (Identity, Flatten, Activation))
            if first is not None and isinstance(first.layer, WEIGHS):
                first, weighed = before(net, first, (Identity, Flatten, Activation)), True
            else:
                continue
        if first is None or not isinstance(first.layer, Dropout) or first.layer.probability == 0:
            continue
        probability = first.layer.probability
        kept = format_share(round((1 - probability) * 1000), 1000)
        if weighed:
            message = f"dropout {first.name} ({probability:g}) stands before its weights: it learns a larger variance "
            message += "than it meets at inference"
            yield Evidence(node.name, message, fix=f"{first.name} behind the last batchnorm", severity="info")
        else:
            message = f"dropout {first.name} ({probability:g}) stands before it: at inference its input has at most "
            message += f"{kept} of the variance that it learned"
            yield Evidence(node.name, message, fix=f"{first.name} behind the last batchnorm")
