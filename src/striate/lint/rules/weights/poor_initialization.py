"""N801: first weights behind which nothing of the image is left."""

from __future__ import annotations

from collections.abc import Iterator

from striate.lint.rule import Evidence, rule
from striate.lint.subject import Subject
from striate.lint.tensors import is_fresh
from striate.lint.traits import WEIGHS, last_weighted

__all__ = ["poor_initialization"]

_FACTOR = 1e6


@rule("N801", "poor-initialization", "warning", fix="none", uses=("weights",))
def poor_initialization(net: Subject) -> Iterator[Evidence]:
    """The first weights do not fit the activations: the image is lost, or overflows, on its way.

    What: weights that look freshly drawn, with which the mean square of the numbers changes by more than a factor of a
        million from the image to the last layer. It is followed from layer to layer: a layer multiplies it by the sum
        of the squares of a unit's weights, relu halves it, a normalisation resets it, sums add.
    Why: what reaches the outputs is the biases, the same for every image, and gradients shrink or grow likewise on
        their way back: training does not start. The weights that PyTorch's layers draw by themselves lose a factor of
        6 in each layer before relu.
    Example: Sixteen convolutions with relu and no normalisation, as PyTorch draws them by itself.
    Instead: conv 16 3 > relu > globalavgpool > dense 10
    Fix: none: initialise with he before relu and xavier before tanh, or normalise.
    Source: He et al. 2015, "Delving deep into rectifiers", section 2.2; Ben Braiek and Khomh 2023, "Testing feedforward
        neural networks training programs" (TheDeepChecker), on weights that do not fit the activation.
    """
    if net.weights is None or not is_fresh(net):
        return
    from striate.lint.signal import signal

    powers = signal(net)
    for output in dict.fromkeys(net.graph.outputs):
        ending = last_weighted(net, output)
        power = powers[ending[0].name if ending is not None else output]
        if power is None or 1 / _FACTOR <= power <= _FACTOR:
            continue
        layers = _depth(net, output)
        said = f"falls to {power:.2g}" if power < 1 else f"grows to {power:.2g}"
        yield Evidence(
            output,
            f"with these first weights the mean square of the numbers {said} times that of the image "
            f"over {layers} layers with weights ({max(power, 1e-300) ** (1 / layers):.2g} for each; 1 would keep it)",
            fix="initialise with he before relu and xavier before tanh, or normalise",
        )


def _depth(net: Subject, output: str) -> int:
    """How many layers with weights the longest way from an input to an output has; at least 1."""
    found: dict[str, int] = {}
    for node in net.graph.nodes:
        found[node.name] = max((found[name] for name in node.inputs), default=0) + isinstance(node.layer, WEIGHS)
    return max(found[output], 1)
