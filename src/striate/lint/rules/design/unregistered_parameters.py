"""N607: parameters that a module uses and does not own."""

from __future__ import annotations

from collections.abc import Iterator

from striate.graph.layers.opaque import Opaque
from striate.lint.rule import Evidence, rule
from striate.lint.subject import Subject
from striate.units import format_count

__all__ = ["unregistered_parameters"]

#: What an import adds to the name of an operation whose weights the module does not list.
_MARK = " with unregistered parameters"
_SHOWN = 3


@rule("N607", "unregistered-parameters", "warning", fix="none")
def unregistered_parameters(net: Subject) -> Iterator[Evidence]:
    """The forward pass uses parameters that the module does not own.

    What: operations of an imported Python module with weights that module.parameters() does not list: their layers
        stand in a plain list or dict, or in an object that is no module.
    Why: an optimizer made from module.parameters() never trains them, state_dict() does not save them, and
        module.to(device) leaves them behind. No number of parameters here has them.
    Example: A module with self.blocks = [nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 3)].
    Instead: conv 16 3 > relu > globalavgpool > dense 10
    Fix: none: hold them in nn.ModuleList, nn.ModuleDict or nn.ParameterList, or assign each to an attribute.
    Source: PyTorch, nn.ModuleList: modules it contains are properly registered, and visible to all Module methods.
    """
    layers = [(node.name, node.layer) for node in net.graph.nodes if isinstance(node.layer, Opaque)]
    found = [(name, layer.operation) for name, layer in layers if layer.operation.endswith(_MARK)]
    if found:
        rest = ", …" if len(found) > _SHOWN else ""
        shown = ", ".join(operation.removesuffix(_MARK) for _, operation in found[:_SHOWN]) + rest
        yield Evidence(
            found[0][0],
            f"{format_count(len(found))} operation{' uses' if len(found) == 1 else 's use'} parameters that the module "
            f"does not list: {shown}; no optimizer gets them, and nothing saves them",
            fix="hold the layers in nn.ModuleList or nn.ModuleDict instead of a list or dict",
        )
