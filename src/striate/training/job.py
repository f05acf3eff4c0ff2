"""Job: everything one training needs."""

from __future__ import annotations

import functools
from collections.abc import Callable
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
    from striate.training.settings import Setting

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
        setting: how the steps are computed; rewriting is done in ``module`` already.
    """

    graph: Graph
    module: nn.Module
    dataset: Dataset
    recipe: Recipe
    plan: Plan
    loss: Loss
    setting: Setting

    @property
    def dtype(self) -> torch.dtype:
        """fp32, or bf16 for autocast."""
        return self.setting.dtype

    @functools.cached_property
    def forward(self) -> Callable[[torch.Tensor], torch.Tensor]:
        """The module as the steps of a training call it: compiled, or itself."""
        return torch.compile(self.module, dynamic=False) if self.setting.compiled else self.module

    def outputs(self, split: Split, views: str = "none") -> torch.Tensor:
        """The raw outputs for every image of a split in eval mode: (count, outputs) float32.

        Args:
            split: with the images.
            views: test-time augmentation, a key of :data:`striate.training.seen_again.VIEWS`.
        """
        return network_outputs(
            self.module, split.images, self.dataset.preprocessing, self.plan.layout, images_at_once(self.graph), views
        )
