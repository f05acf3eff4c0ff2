"""Muon: momentum whose direction is made orthogonal, for the weights of convolutions and dense layers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import torch

__all__ = ["Muon", "orthogonalized"]

#: Coefficients of the quintic iteration that brings singular values into about 0.7..1.2 in five steps.
COEFFICIENTS = (3.4445, -4.7750, 2.0315)


def orthogonalized(matrix: torch.Tensor, steps: int) -> torch.Tensor:
    """A matrix with the same singular vectors and all singular values near 1.

    ``X ← Q·X`` with ``Q = a·I + b·A + c·A²`` and ``A = X·Xᵀ``, from ``X = G / ‖G‖``: a polynomial in the singular
    values alone. Since ``A`` becomes ``Q·A·Q``, the iteration runs on the small matrix A; only its beginning and
    its end touch the whole of X.

    Source: Jordan et al., "Muon: an optimizer for hidden layers in neural networks", 2024; Bernstein and Newhouse, "Old
    optimizer, new norm: an anthology", 2024, for the iteration.

    Args:
        matrix: (rows, columns).
        steps: of the iteration; 0 only normalises.

    >>> spread = torch.linalg.svdvals(orthogonalized(torch.diag(torch.tensor([1.0, 0.5, 0.2])), 5))
    >>> bool((spread > 0.6).all() and (spread < 1.3).all())
    True
    """
    a, b, c = COEFFICIENTS
    tall = matrix.shape[0] > matrix.shape[1]
    x: torch.Tensor = matrix.T if tall else matrix
    x = x / (x.norm() + 1e-7)
    gram, product = x @ x.T, torch.eye(len(x), dtype=x.dtype, device=x.device)
    for _ in range(steps):
        factor = torch.addmm(gram, gram, gram, beta=b, alpha=c)
        factor.diagonal().add_(a)
        gram, product = factor @ gram @ factor, factor @ product
    x = product @ x
    return x.T if tall else x


class Muon(torch.optim.Optimizer):
    """Nesterov momentum, made orthogonal; each weight is seen as a matrix (filters, everything else).

    With momentum buffer ``m ← μ·m + g`` the step is ``w ← w·√n / ‖w‖ − lr·O(g + μ·m)`` where ``O`` is
    :func:`orthogonalized` and n the number of filters: the weights keep the norm √n, so that the learning rate has one
    meaning throughout. The normalisation of the weights is right only where what follows is indifferent to their scale,
    which batch normalisation is.

    Source: Jordan, ``airbench94_muon`` in the repository cifar10-airbench, 2024.

    Args:
        parameters: weights of two axes or more.
        learning_rate: of the orthogonal direction.
        momentum: μ.
        steps: of the iteration.
        normalize: keep the norm of the weights; without it they move freely.
    """

    def __init__(
        self,
        parameters: Iterable[torch.nn.Parameter] | Iterable[dict[str, Any]],
        learning_rate: float = 0.24,
        momentum: float = 0.6,
        steps: int = 3,
        *,
        normalize: bool = True,
    ) -> None:
        super().__init__(
            parameters, {"lr": learning_rate, "momentum": momentum, "steps": steps, "normalize": normalize}
        )

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """Move every weight that has a gradient; a closure has no use here."""
        if closure is not None:
            raise TypeError("Muon takes no closure")
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if "momentum_buffer" not in state:
                    state["momentum_buffer"] = torch.zeros_like(weight)
                buffer = state["momentum_buffer"]
                buffer.mul_(group["momentum"]).add_(weight.grad)
                direction = weight.grad.add(buffer, alpha=group["momentum"])
                if group["normalize"]:
                    weight.mul_(len(weight) ** 0.5 / weight.norm().clamp_min(1e-12))
                flat = orthogonalized(direction.reshape(len(direction), -1), group["steps"])
                weight.add_(flat.reshape(weight.shape), alpha=-group["lr"])
