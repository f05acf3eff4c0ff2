"""N606: operations that no layer describes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from striate.graph.layers.opaque import Opaque
from striate.lint.rule import Evidence, rule
from striate.lint.subject import Subject

__all__ = ["uncounted_operations"]

_SHOWN = 5


@rule("N606", "uncounted-operations", "info", fix="none")
def uncounted_operations(net: Subject) -> Iterator[Evidence]:
    """Some operations are not counted.

    What: operations of an imported network that no layer describes and whose cost is not known.
    Why: the totals leave them out, receptive fields behind them are taken to be the whole image, and rules are silent
        about them.
    Example: A module that calls torch.fft.fft2 in its forward pass.
    Instead: conv 16 3 > relu > globalavgpool > dense 10
    Fix: none: it is said so that no number is trusted further than it goes.
    Source: this library's own rule: what is not counted is listed.
    """
    layers = [net.graph[name].layer for name in net.report.uncounted]
    if not layers:
        return
    counts = Counter(layer.operation for layer in layers if isinstance(layer, Opaque))
    shown = [name if count == 1 else f"{count} × {name}" for name, count in counts.most_common(_SHOWN)]
    rest = ", …" if len(counts) > _SHOWN else ""
    yield Evidence(
        None,
        f"{len(layers)} operation{'' if len(layers) == 1 else 's'} of {len(net.graph)} nodes not counted: "
        f"{', '.join(shown)}{rest}; MACs and operations are lower bounds",
    )
