"""N601: parameters that a module owns and its forward pass does not use."""

from __future__ import annotations

from collections.abc import Iterator

from striate.lint.rule import Evidence, rule
from striate.lint.subject import Subject
from striate.units import format_count

__all__ = ["unused_parameters"]

_SHOWN = 3


@rule("N601", "unused-parameters", "warning", fix="none")
def unused_parameters(net: Subject) -> Iterator[Evidence]:
    """The module has parameters that its forward pass does not use.

    What: tensors of an imported Python module that no operation of its forward pass reads.
    Why: a layer was made and not called, or called in one case only. Its weights are stored, decayed and sent between
        devices, and never learn; PyTorch's DistributedDataParallel stops with an error when a step leaves some out.
    Example: A module with self.fc2 = nn.Linear(64, 10) that forward never calls.
    Instead: conv 16 3 > relu > globalavgpool > dense 10
    Fix: none: call the layer or delete it.
    Source: PyTorch, DistributedDataParallel, find_unused_parameters; fvcore likewise lists modules that were never
        called.
    """
    if net.unused:
        shown = ", ".join(net.unused[:_SHOWN]) + (", …" if len(net.unused) > _SHOWN else "")
        count = len(net.unused)
        yield Evidence(
            None,
            f"{format_count(count)} tensor{'' if count == 1 else 's'} of the module "
            f"{'is' if count == 1 else 'are'} never used: {shown}",
            fix="call the layer that owns it, or delete it",
        )
