"""N706: channels that batch normalisation switches off."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from striate.graph.layers.normalization import BatchNorm
from striate.lint.rule import Evidence, rule
from striate.lint.subject import Subject
from striate.lint.tensors import ends_residual, tensors

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["switched_off_channels"]

#: A scale this small switches a channel off; a variance this small means that nothing ever changed there.
_SCALE, _VARIANCE = 1e-5, 1e-10


@rule("N706", "switched-off-channels", "info", fix="none", uses=("weights",))
def switched_off_channels(net: Subject) -> Iterator[Evidence]:
    """Batch normalisation switches channels off, or found nothing in them.

    What: channels with a scale of at most 0.00001, or a running variance of at most 1e-10; a warning where it is half
        of them or more. Scales that are zero as a whole at the end of a residual branch are left out: it is a way to
        begin.
    Why: what leaves such a channel is its shift alone, the same for every image; the filter before it and the weights
        that read it do nothing. Many are a sign that the layer is too wide, or that its units died.
    Example: A trained network with 3 scales of a batchnorm at 0.
    Instead: conv 16 3 bias=false > batchnorm > relu > globalavgpool > dense 10
    Fix: none: a smaller layer computes the same; published weights have some such channels too.
    Source: Liu et al. 2017, "Learning efficient convolutional networks through network slimming", section 3; zeros in
        residual branches: Goyal et al. 2017, section 5.1.
    """
    if net.weights is None:
        return
    import numpy as np

    found: dict[str, dict[str, npt.NDArray[Any]]] = {}
    for node, entry, array in tensors(net):
        if isinstance(node.layer, BatchNorm) and np.isfinite(array).all():
            found.setdefault(node.name, {})[entry.name] = array
    for name, entries in found.items():
        channels = net.graph.shapes[name][0]
        none = np.zeros(channels, dtype=bool)
        off = np.abs(entries["weight"]) <= _SCALE if "weight" in entries else none
        still = entries["running_var"] <= _VARIANCE if "running_var" in entries else none
        if off.all() and ends_residual(net, net.graph[name]):
            off = none
        count = int((off | still).sum())
        if count:
            yield Evidence(
                name,
                f"{count} of its {channels} channels {'is' if count == 1 else 'are'} the same for every image "
                f"(scale at most {_SCALE:.5f}: {int(off.sum())}, running variance at most {_VARIANCE:g}: "
                f"{int(still.sum())})",
                fix=f"{channels - count} filters before it" if count < channels else None,
                severity="warning" if 2 * count >= channels else None,
            )
