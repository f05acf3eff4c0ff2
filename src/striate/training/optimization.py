"""The optimizer with its parameter groups, and the constraints on weights and gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from striate.graph import Graph
from striate.graph.layers.transposed_convolution import ConvTranspose
from striate.training.first_layer import first_convolution
from striate.training.hidden_weights import hidden_weights
from striate.training.muon import Muon
from striate.training.together import Together

if TYPE_CHECKING:
    from striate.training.recipe import Recipe

__all__ = ["Constraints", "default_learning_rate", "default_momentum", "default_weight_decay", "make_optimizer"]

_LEARNING_RATES = {"adamw": 4e-3, "adam": 2e-3, "sgd": 0.05, "muon": 0.02}
_WEIGHT_DECAYS = {"adamw": 0.05, "adam": 0.0, "sgd": 5e-4}
_MOMENTUM = 0.9
#: Of Muon's iteration.
_STEPS = 5


def default_learning_rate(recipe: Recipe) -> float:
    """The recipe's peak learning rate, or the usual one of its optimizer."""
    return _LEARNING_RATES[recipe.optimizer] if recipe.learning_rate is None else recipe.learning_rate


def default_weight_decay(recipe: Recipe) -> float:
    """The recipe's weight decay, or the usual one of its optimizer."""
    return _WEIGHT_DECAYS[_plain_rule(recipe)] if recipe.weight_decay is None else recipe.weight_decay


def default_momentum(recipe: Recipe) -> float:
    """The recipe's momentum, or the usual one; it counts for SGD and Muon only."""
    return _MOMENTUM if recipe.momentum is None else recipe.momentum


def make_optimizer(recipe: Recipe, graph: Graph, module: nn.Module) -> torch.optim.Optimizer:
    """SGD with Nesterov momentum, Adam, AdamW, or Muon beside one of them.

    Weight decay is on weights only, not on biases, scales and shifts, and not on what Muon moves. Each group says in
    ``factor`` how many times the learning rate of the training is its own.
    """
    roles = {name: parameter.role for name, parameter in graph.parameters()}
    named = {name: p for name, p in module.named_parameters(remove_duplicate=False) if name in roles}
    hidden = hidden_weights(graph) if recipe.optimizer == "muon" else {}
    left = {name: roles[name] for name in named if name not in hidden}
    # Shifts are a group of their own only where they need one, so that the groups stay as few as they can be.
    apart = {"shift"} if recipe.bias_rate != 1.0 else set()
    rate, factor = default_learning_rate(recipe), 1.0
    if hidden:
        factor = _rest_rate(recipe) / rate
    decay = default_weight_decay(recipe)
    groups = _groups(
        ([named[name] for name, role in left.items() if role == "weight"], factor, decay),
        ([named[name] for name, role in left.items() if role != "weight" and role not in apart], factor, 0.0),
        ([named[name] for name, role in left.items() if role in apart], factor * recipe.bias_rate, 0.0),
    )
    plain = _plain_optimizer(recipe, groups, rate)
    if not hidden:
        return plain
    muon = [
        {"params": [named[name] for name in hidden if hidden[name] == normal], "normalize": normal, "factor": 1.0}
        for normal in (True, False)
    ]
    muon = [group for group in muon if group["params"]]
    return Together(Muon(muon, rate, default_momentum(recipe), _STEPS), plain)


def _groups(*groups: tuple[list[nn.Parameter], float, float]) -> list[dict[str, Any]]:
    return [
        {"params": parameters, "factor": factor, "weight_decay": decay}
        for parameters, factor, decay in groups
        if parameters
    ]


def _plain_rule(recipe: Recipe) -> str:
    """The rule for what is not Muon's."""
    return (recipe.rest or "adamw") if recipe.optimizer == "muon" else recipe.optimizer


def _rest_rate(recipe: Recipe) -> float:
    return _LEARNING_RATES[_plain_rule(recipe)] if recipe.rest_rate is None else recipe.rest_rate


def _plain_optimizer(recipe: Recipe, groups: list[dict[str, Any]], rate: float) -> torch.optim.Optimizer:
    rule = _plain_rule(recipe)
    if rule == "sgd":
        momentum = default_momentum(recipe)
        return torch.optim.SGD(groups, rate, momentum=momentum, nesterov=momentum > 0, fused=True)
    kind = torch.optim.AdamW if rule == "adamw" else torch.optim.Adam
    return kind(groups, rate, fused=True)


class Constraints:
    """L1 penalty, gradient clipping and the max-norm constraint, each only where the recipe asks for it.

    L1 adds ``l1 · sign(w)`` to the gradient of every weight. Clipping scales the whole gradient to norm ``clip``
    (Pascanu, Mikolov, Bengio 2013, algorithm 1). Max-norm scales each filter's weights to norm ``max_norm`` after
    the step (Srivastava et al. 2014, section 5.1). Biases, scales and shifts are neither penalised nor constrained.
    """

    def __init__(self, recipe: Recipe, graph: Graph, module: nn.Module) -> None:
        named = dict(module.named_parameters(remove_duplicate=False))
        self._l1, self._clip, self._max_norm = recipe.l1, recipe.clip, recipe.max_norm
        self._all = list(module.parameters())
        self._weights = [named[name] for name, parameter in graph.parameters() if parameter.role == "weight"]
        self._filters = [] if recipe.max_norm is None else _filters(graph, named)
        if recipe.whiten and self._filters:
            # The filters of the first convolution are fixed.
            first = named[f"{first_convolution(graph).name}.weight"]
            self._filters = [entry for entry in self._filters if entry[0].data_ptr() != first.data_ptr()]

    @torch.no_grad()
    def before_step(self) -> None:
        """Change the gradients: L1, then clipping."""
        if self._l1:
            for weight in self._weights:
                if weight.grad is not None:
                    weight.grad.add_(weight.sign(), alpha=self._l1)
        if self._clip is not None:
            nn.utils.clip_grad_norm_(self._all, self._clip)

    @torch.no_grad()
    def after_step(self) -> None:
        """Change the weights: max-norm."""
        if self._max_norm is not None:
            for filters, axis in self._filters:
                filters.renorm_(2, axis, self._max_norm)


def _filters(graph: Graph, named: dict[str, nn.Parameter]) -> list[tuple[torch.Tensor, int]]:
    """Views of the weights, each with the axis along which its filters lie."""
    found: list[tuple[torch.Tensor, int]] = []
    for node in graph.nodes:
        for parameter in graph.own_parameters(node):
            if parameter.role == "weight":
                weight = named[f"{node.name}.{parameter.name}"].detach()
                if isinstance(node.layer, ConvTranspose):
                    # Stored as (inputs, filters of one group, …): the filters of one group are the second axis of
                    # that group's inputs.
                    found += [(part, 1) for part in weight.chunk(node.layer.groups)]
                else:
                    found.append((weight, 0))
    return found
