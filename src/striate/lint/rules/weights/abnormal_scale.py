"""N707: first weights of a layer that are far too small or too large."""

from __future__ import annotations

from collections.abc import Iterator

from striate.graph.layers.activation import Activation, LeakyReLU, Softmax
from striate.graph.layers.prelu import PReLU
from striate.lint.rule import Evidence, rule
from striate.lint.subject import Subject
from striate.lint.tensors import Weighted, is_fresh, is_rescaled, weighted
from striate.lint.traits import AVERAGES, MAXIMA, MOVES, PASSES, behind

__all__ = ["abnormal_scale"]

_RATIO = 10.0


@rule("N707", "abnormal-scale", "warning", fix="none", uses=("weights",))
def abnormal_scale(net: Subject) -> Iterator[Evidence]:
    """The first weights of a layer are more than ten times off in variance.

    What: weights that look freshly drawn and whose variance is more than 10 times or less than 1/10 of what keeps the
        size of the numbers, gain² / fan_in, or that of the gradients, gain² / fan_out; gain² is 2 before relu,
        2 / (1 + slope²) before a leaky one, and 1 else. Silent before a normalisation, and for a last layer with small
        weights, which starts from even chances.
    Why: behind each such layer the numbers, or the gradients on their way back, are that much smaller or larger; over
        several layers they vanish or overflow.
    Example: A conv 64 3 on 64 channels before relu, drawn with deviation 0.001.
    Instead: conv 16 3 > relu > globalavgpool > dense 10
    Fix: none: initialise with he before relu and xavier before tanh.
    Source: He et al. 2015, "Delving deep into rectifiers", equation 10; Glorot and Bengio 2010, section 4.2; the factor
        of 10 is that of Amazon SageMaker Debugger's rule PoorWeightInitialization.
    """
    if net.weights is None or not is_fresh(net):
        return
    for entry in weighted(net):
        needed = _needed(net, entry)
        if needed is None or is_rescaled(net, entry.node):
            continue
        power = entry.power
        ratio, last = power / needed, behind(net, entry.node, (*PASSES, Activation)) is None
        # The gradients are kept by the fan-out in place of the fan-in, and xavier stands between the two.
        either = entry.fan_in / entry.fan_out
        if 0 < ratio < min(1.0, either) / _RATIO and not last:
            said = f"{1 / ratio:.3g} times smaller"
        elif ratio > max(1.0, either) * _RATIO:
            said = f"{ratio:.3g} times larger"
        else:
            continue
        yield Evidence(
            entry.node.name,
            f"the variance of its weights is {power / entry.fan_in:.3g}, {said} than the {needed / entry.fan_in:.3g} "
            f"that keeps the size of the numbers ({needed:.3g} / {entry.fan_in:g} inputs)",
            fix=f"initialise it with {'he' if needed > 1 else 'xavier'}",
        )


def _needed(net: Subject, entry: Weighted) -> float | None:
    """fan_in · variance that keeps the mean square through the layer and the activation behind it."""
    reader = behind(net, entry.node, (*MOVES, *PASSES, *MAXIMA, *AVERAGES))
    if reader is None or not isinstance(reader.layer, Activation) or isinstance(reader.layer, Softmax):
        return 1.0
    if isinstance(reader.layer, LeakyReLU | PReLU):
        slope = reader.layer.slope if isinstance(reader.layer, LeakyReLU) else reader.layer.initial
        return 2.0 / (1.0 + slope**2)
    return 2.0 if reader.layer.nonlinearity == "relu" else 1.0
