"""N301: the bias of a convolution or dense layer before batch normalisation has no effect."""

from __future__ import annotations

from collections.abc import Iterator

from striate.graph import Node
from striate.graph.layers.convolution import Conv
from striate.graph.layers.dense import Dense
from striate.graph.layers.normalization import BatchNorm
from striate.graph.layers.transposed_convolution import ConvTranspose
from striate.lint.rule import Edit, Evidence, rule
from striate.lint.subject import Subject
from striate.lint.traits import users
from striate.units import format_count

__all__ = ["conv_bias_before_batchnorm"]


@rule("N301", "conv-bias-before-batchnorm", "info", fix="unsafe")
def conv_bias_before_batchnorm(net: Subject) -> Iterator[Evidence]:
    """A bias stands before batch normalisation.

    What: a convolution or dense layer with a bias whose only reader is a batch normalisation.
    Why: batch normalisation subtracts the mean of each channel, and the bias with it: in training the bias gets no
        gradient and changes nothing; its parameters cost memory, optimizer state and time. They are few, so that this
        is worth knowing rather than worth a warning.
    Example: conv 16 3 > batchnorm > relu > globalavgpool > dense 10
    Instead: conv 16 3 bias=false > batchnorm > relu > globalavgpool > dense 10
    Fix: unsafe: the function of a fresh network in training stays the same; with trained weights the running mean holds
        the bias, and leaving it out changes the output.
    Source: Ioffe and Szegedy 2015, section 3.2; PyTorch tuning guide, "Disable bias for convolutions directly followed
        by a batch norm".
    """
    found = [(node, uses, reader) for node, uses in users(net.graph) if (reader := _useless(net, uses)) is not None]
    total = sum(net.graph.shapes[node.name][0] for node, _, _ in found)
    together = f" ({format_count(total)} in all {len(found)} such layers)" if len(found) > 1 else ""
    for node, uses, reader in found:
        count = format_count(net.graph.shapes[node.name][0])
        yield Evidence(
            node.name,
            f"its bias stands before batchnorm {reader}, which takes it away again: "
            f"{count} parameters without effect{together}",
            fix="bias: false",
            edits=tuple(Edit(use.name, "bias", False) for use in uses),
        )


def _useless(net: Subject, uses: tuple[Node, ...]) -> str | None:
    """The batch normalisation behind the first of the nodes that use one bias, where one is behind each of them."""
    readers = []
    for node in uses:
        reader = net.only_reader(node)
        if not (isinstance(node.layer, Conv | ConvTranspose | Dense) and node.layer.bias):
            return None
        if reader is None or not isinstance(reader.layer, BatchNorm):
            return None
        readers.append(reader.name)
    return readers[0]
