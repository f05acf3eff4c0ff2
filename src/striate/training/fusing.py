"""Pooling together with ReLU by a kernel of our own: where a training can have it, and what becomes of it elsewhere."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from striate.backend.native.fusing import can_fuse, fusing_fails, why_not_fused
from striate.backend.pooling_first import pooling_first
from striate.training.events import Listener, Note

if TYPE_CHECKING:
    from striate.graph import Graph
    from striate.training.settings import Setting

__all__ = ["fusable", "not_tried", "tell_unfused", "workable"]


def fusable(graph: Graph, setting: Setting, device: torch.device) -> bool:
    """Whether the network, computed in this setting on this device, has poolings that the kernel can take over.

    It is for processors, reads and writes channels-last maps, and a compiler of whole networks fuses for itself.
    """
    if device.type != "cpu" or setting.layout != torch.channels_last or setting.compiled:
        return False
    return can_fuse(pooling_first(graph) if setting.rewritten else graph)


def not_tried(graph: Graph, setting: Setting, device: torch.device) -> str:
    """Why a network that could have it is not tried with it; empty where it can be, or has nothing to fuse."""
    missing = why_not_fused()
    return missing if missing and fusable(graph, setting, device) else ""


def workable(setting: Setting, listen: Listener) -> Setting:
    """The setting, without the kernel where it cannot be compiled here: torch gives the same bits; that is told."""
    reason = fusing_fails(setting.dtype) if setting.fused else ""
    if not reason:
        return setting
    listen(Note(f"fused pooling is left to torch, with the same bits ({reason})"))
    return replace(setting, fused=False)


def tell_unfused(graph: Graph, setting: Setting, device: torch.device, listen: Listener) -> None:
    """Say why a setting is without the kernel although it was asked for."""
    if setting.fused:
        return
    if reason := fusing_fails(setting.dtype):
        why = f"with the same bits ({reason})"
    elif not can_fuse(pooling_first(graph) if setting.rewritten else graph):
        why = "for the network has no 2×2 maximum pooling with a ReLU behind it"
    elif setting.compiled:
        why = "for torch.compile fuses for itself"
    else:
        why = f"for it is for channels-last maps on the processor; these are {setting.name} on {device.type}"
    listen(Note(f"fused pooling is left to torch, {why}"))
