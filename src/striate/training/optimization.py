"""The optimizer with its parameter groups, and the constraints on weights and gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from striate.errors import UsageError
from striate.graph import Graph
from striate.graph.layers.transposed_convolution import ConvTranspose

if TYPE_CHECKING:
    from striate.training.recipe import Recipe

__all__ = ["Constraints", "default_learning_rate", "default_weight_decay", "make_optimizer"]

_LEARNING_RATES = {"adamw": 2e-3, "adam": 2e-3, "sgd": 0.05}
_WEIGHT_DECAYS = {"adamw": 0.01, "adam": 0.0, "sgd": 5e-4}


def default_learning_rate(recipe: Recipe) -> float:
    """The recipe's peak learning rate, or the usual one of its optimizer."""
    return _LEARNING_RATES[recipe.optimizer] if recipe.learning_rate is None else recipe.learning_rate


def default_weight_decay(recipe: Recipe) -> float:
    """The recipe's weight decay, or the usual one of its optimizer."""
    return _WEIGHT_DECAYS[recipe.optimizer] if recipe.weight_decay is None else recipe.weight_decay


def make_optimizer(recipe: Recipe, graph: Graph, module: nn.Module) -> torch.optim.Optimizer:
    """SGD with Nesterov momentum, Adam or AdamW; weight decay on weights only, not on biases, scales and shifts.

    Raises:
        UsageError: when ``momentum`` is given to an optimizer that has none.
    """
    if recipe.optimizer != "sgd" and "momentum" in recipe.model_fields_set:
        raise UsageError(
            f"momentum has no effect on {recipe.optimizer}", where="momentum", write="optimizer: sgd, or no momentum"
        )
    roles = {name: parameter.role for name, parameter in graph.parameters()}
    named = list(module.named_parameters())
    groups: list[dict[str, Any]] = [
        {"params": [p for name, p in named if roles[name] == "weight"], "weight_decay": default_weight_decay(recipe)},
        {"params": [p for name, p in named if roles[name] != "weight"], "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    rate = default_learning_rate(recipe)
    if recipe.optimizer == "sgd":
        return torch.optim.SGD(groups, rate, momentum=recipe.momentum, nesterov=recipe.momentum > 0, fused=True)
    kind = torch.optim.AdamW if recipe.optimizer == "adamw" else torch.optim.Adam
    return kind(groups, rate, fused=True)


class Constraints:
    """L1 penalty, gradient clipping and the max-norm constraint, each only where the recipe asks for it.

    L1 adds ``l1 · sign(w)`` to the gradient of every weight. Clipping scales the whole gradient to norm ``clip``
    (Pascanu, Mikolov, Bengio 2013, algorithm 1). Max-norm scales each filter's weights to norm ``max_norm`` after
    the step (Srivastava et al. 2014, section 5.1).
    """

    def __init__(self, recipe: Recipe, graph: Graph, module: nn.Module) -> None:
        named = dict(module.named_parameters())
        self._l1, self._clip, self._max_norm = recipe.l1, recipe.clip, recipe.max_norm
        self._all = list(named.values())
        self._weights = [named[name] for name, parameter in graph.parameters() if parameter.role == "weight"]
        # A transposed convolution stores its filters along the second axis.
        transposed = {f"{node.name}.weight" for node in graph.nodes if isinstance(node.layer, ConvTranspose)}
        self._filters = [
            (named[name], 1 if name in transposed else 0)
            for name, parameter in graph.parameters()
            if parameter.role == "weight"
        ]

    def before_step(self) -> None:
        """Change the gradients: L1, then clipping."""
        if self._l1:
            for weight in self._weights:
                if weight.grad is not None:
                    weight.grad.add_(weight.detach().sign(), alpha=self._l1)
        if self._clip is not None:
            nn.utils.clip_grad_norm_(self._all, self._clip)

    @torch.no_grad()
    def after_step(self) -> None:
        """Change the weights: max-norm."""
        if self._max_norm is not None:
            for weight, axis in self._filters:
                weight.copy_(torch.renorm(weight, 2, axis, self._max_norm))
