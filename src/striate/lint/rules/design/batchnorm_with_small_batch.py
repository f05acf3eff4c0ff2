"""N310: batch normalisation with few images in a batch."""

from __future__ import annotations

from collections.abc import Iterator

from striate.graph.layers.normalization import BatchNorm
from striate.lint.rule import Evidence, rule
from striate.lint.subject import Subject

__all__ = ["batchnorm_with_small_batch"]

#: Top-1 error of ResNet-50 on ImageNet with batch and with group normalisation (Wu and He 2018, table 2).
_ERRORS = {2: (34.7, 24.1), 4: (27.3, 24.2), 8: (24.8, 24.0)}


@rule("N310", "batchnorm-with-small-batch", "warning", fix="none", uses=("batch",))
def batchnorm_with_small_batch(net: Subject) -> Iterator[Evidence]:
    """Batch normalisation is trained with few images at a time.

    What: a network with batch normalisation and a batch of at most 8 (an info from 5 on). Silent where the batch is not
        known.
    Why: mean and variance of a few images are noisy, positions within one image are alike, and the running averages
        used at inference differ from what training saw.
    Example: conv 16 3 > batchnorm > relu > globalavgpool > dense 10 with batch=2
    Instead: conv 16 3 > groupnorm 8 > relu > globalavgpool > dense 10 with batch=2
    Fix: none: groupnorm with up to 32 groups, a larger batch, or statistics taken over several devices.
    Source: Wu and He 2018, "Group normalization", table 2: ResNet-50 on ImageNet, error with batch and group
        normalisation at 2, 4 and 8 images: 34.7 and 24.1, 27.3 and 24.2, 24.8 and 24.0 %.
    """
    if net.batch is None or not 1 <= net.batch <= max(_ERRORS):
        return
    nodes = [node for node in net.graph.nodes if isinstance(node.layer, BatchNorm)]
    if nodes:
        near = min((size for size in _ERRORS if size >= net.batch), default=2)
        batch_error, group_error = _ERRORS[near]
        layers = "1 layer normalises" if len(nodes) == 1 else f"{len(nodes)} layers normalise"
        yield Evidence(
            None,
            f"{layers} over a batch of {net.batch} (ResNet-50 at {near}: {batch_error} % error, "
            f"with groupnorm {group_error} %)",
            fix="groupnorm in place of batchnorm, or a larger batch",
            severity="info" if net.batch > 4 else None,
        )
