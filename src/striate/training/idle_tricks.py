"""Options that save epochs on some networks and do nothing on others: there they are errors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from striate.errors import UsageError
from striate.graph.layers.convolution import Conv
from striate.training.first_layer import check_whitening
from striate.training.hidden_weights import hidden_weights
from striate.training.progressive import check_sizes

if TYPE_CHECKING:
    from striate.data import Dataset
    from striate.graph import Graph
    from striate.training.recipe import Recipe

__all__ = ["refuse_idle_tricks"]

#: Options that say how another one works, with that one, the values it may have, and what to write.
_NEEDS = {
    "rest": ("optimizer", ("muon",)),
    "rest_rate": ("optimizer", ("muon",)),
    "average_decay": ("average", ("ema", "lookahead")),
    "smallest_size": ("sizes", ("progressive",)),
    "full_size_at": ("sizes", ("progressive",)),
}


def refuse_idle_tricks(recipe: Recipe, graph: Graph, dataset: Dataset) -> None:
    """Refuse what can have no effect on this network, on these images or beside the other options.

    Args:
        recipe: as given.
        graph: the network.
        dataset: what is trained on.

    Raises:
        UsageError: names the option and what to write.
    """
    for option, (other, values) in _NEEDS.items():
        value = getattr(recipe, option)
        if value is not None and getattr(recipe, other) not in values:
            raise UsageError(
                f"{option} has no effect without {other}: {' or '.join(values)}",
                where=option,
                got=f"{option}: {value}",
                write=f"{other}: {values[0]}, or no {option}",
            )
    _check_layers(recipe, graph)
    if recipe.whiten:
        check_whitening(graph)
    if recipe.sizes == "progressive":
        check_sizes(recipe, graph)
    if recipe.full_size_at == 0.0:
        raise UsageError(
            "images that are whole from the beginning are not progressive",
            where="full_size_at",
            got="full_size_at: 0",
            write="full_size_at: 0.6, or sizes: full",
        )
    if "shift" in recipe.tta and min(dataset.shape[1:]) < 2:
        raise UsageError(
            "images of one pixel cannot be moved",
            where="tta",
            got=f"tta: {recipe.tta}",
            write="tta: none",
        )


def _check_layers(recipe: Recipe, graph: Graph) -> None:
    roles = {entry.role for _, entry in graph.parameters()}
    if recipe.bias_rate != 1.0 and "shift" not in roles:
        raise UsageError(
            "bias_rate has no effect on a network without normalisation that learns a shift",
            where="bias_rate",
            got=f"bias_rate: {recipe.bias_rate:g}",
            needs="batchnorm",
            write="no bias_rate",
        )
    if recipe.optimizer == "muon" and not hidden_weights(graph):
        raise UsageError(
            "muon has nothing to move: it takes the weights between the first and the last layer, and there are none",
            where="optimizer",
            got="optimizer: muon",
            needs="three layers with weights or more",
            write="optimizer: adamw",
        )
    if recipe.init == "dirac" and not any(isinstance(node.layer, Conv) for node in graph.nodes):
        raise UsageError(
            "dirac has no effect on a network without convolutions",
            where="init",
            got="init: dirac",
            write="init: auto",
        )
