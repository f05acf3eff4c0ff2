"""Job: everything one training needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import nn

from striate.training.evaluation import images_at_once, network_outputs

if TYPE_CHECKING:
    from striate.data import Dataset, Split
    from striate.graph import Graph
    from striate.training.losses import Loss
    from striate.training.plan import Plan
    from striate.training.recipe import Recipe

__all__ = ["Job"]


@dataclass(frozen=True)
class Job:
    """Everything one training needs.

    Args:
        graph: the network up to its logits.
        module: the same network, initialised; its weights are what training changes.
        dataset: images, labels and preprocessing.
        recipe, plan: what to do.
        loss: what is minimised.
        dtype: fp32, or bf16 for autocast.
    """

    graph: Graph
    module: nn.Module
    dataset: Dataset
    recipe: Recipe
    plan: Plan
    loss: Loss
    dtype: torch.dtype

    def outputs(self, split: Split) -> torch.Tensor:
        """The raw outputs for every image of a split in eval mode: (count, outputs) float32."""
        return network_outputs(
            self.module, split.images, self.dataset.preprocessing, self.plan.layout, images_at_once(self.graph)
        )
