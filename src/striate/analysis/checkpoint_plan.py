"""Checkpoints: which values to keep, so that the rest can be computed again in the backward pass.

A network is cut at values through which everything passes: no later node reads anything earlier (images excepted).
Between two cuts lies a segment. Of each segment but the last only what enters is kept, and the backward pass computes
it again when it comes there (Chen, Xu, Zhang, Guestrin, "Training deep nets with sublinear memory cost", 2016,
section 3), as ``torch.utils.checkpoint.checkpoint_sequential`` does. What counts is the worst moment: the values kept
so far, and all that the backward pass needs of one segment::

    max over segments j of  Σ_{i ≤ j} entering_i + kept_j
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import Any

from striate.analysis.memory_plan import Plan, plan
from striate.errors import UsageError
from striate.graph import Graph

__all__ = ["CheckpointPlan", "checkpoints"]

_WORTH = 100
"""Another cut has to save this part of the activations."""


@dataclass(frozen=True)
class CheckpointPlan:
    """The best place for a number of cuts.

    Args:
        cuts: the nodes whose values are kept; a segment ends behind each.
        before: bytes of activations that are kept without checkpoints.
        after: bytes at the worst moment of the backward pass with them.
        kept_forward: bytes that are kept when the forward pass is over.
        recomputed_macs: multiply-adds of a batch that are computed a second time: those of all segments but the last.
        macs: multiply-adds of a forward pass of the batch.
    """

    cuts: tuple[str, ...]
    before: int
    after: int
    kept_forward: int
    recomputed_macs: int
    macs: int

    @property
    def saved(self) -> int:
        """Bytes saved at the worst moment."""
        return self.before - self.after

    def as_dict(self) -> dict[str, Any]:
        """The plan as JSON-ready data."""
        return {
            "cuts": list(self.cuts),
            "before": self.before,
            "after": self.after,
            "saved": self.saved,
            "kept_forward": self.kept_forward,
            "recomputed_macs": self.recomputed_macs,
            "macs": self.macs,
        }


def checkpoints(
    graph: Graph, batch: int = 1, *, dtype: str = "float32", device: str = "cpu", most: int = 8
) -> tuple[CheckpointPlan, ...]:
    """For one cut, two cuts and so on the places that need least memory, as long as another cut saves 1 % or more.

    Batch normalisation in a segment that is computed twice updates its running averages twice, as in PyTorch. PyTorch
    may stop computing a segment again before its last layer, so ``recomputed_macs`` is the most it does.

    Args:
        graph: the network.
        batch: images in a batch.
        dtype: of weights and activations alike.
        device: ``cpu`` or ``cuda``.
        most: at most so many cuts.

    Returns:
        Plans in the order of their number of cuts; empty where no cut saves anything.

    Raises:
        UsageError: for a batch or a number of cuts below 1, or an unknown type or device.

    >>> from striate.graph import network
    >>> x = network("n", (8, 16, 16))
    >>> for _ in range(8):
    ...     x = x.conv(8, 3, padding=1).tanh()
    >>> [(len(entry.cuts), entry.before, entry.after) for entry in checkpoints(x.build(), most=3)]
    [(1, 73728, 40960)]
    """
    if batch < 1 or most < 1:
        raise UsageError("checkpoints need at least one image and one cut", got=f"batch {batch}, cuts {most}")
    segments = _Segments(plan(graph, dtype, device), batch)
    plans: list[CheckpointPlan] = []
    for cuts in range(1, min(most, len(segments.places)) + 1):
        # A cut that saves next to nothing more is only one more cut.
        bound = (plans[-1].after if plans else segments.before) - segments.before // _WORTH
        found = segments.best(cuts, bound)
        if found is not None:
            plans.append(found)
    return tuple(plans)


class _Segments:
    """The places where a network can be cut, and what a segment between two of them keeps."""

    def __init__(self, laid_out: Plan, batch: int) -> None:
        nodes = laid_out.graph.nodes
        count = len(nodes)
        self.graph, self.batch = laid_out.graph, batch
        self.places = _waists(laid_out)
        total = [0]
        for index in range(count):
            kept = laid_out.kept_output(index) + laid_out.kept_extras(index)
            total.append(total[-1] + kept.at(batch))
        self.before = total[-1]
        images = [index for index in range(count) if not nodes[index].inputs]
        #: What enters a segment that begins behind a place; the place before the first node is -1.
        self.enters = {-1: sum(laid_out.output[index].at(batch) for index in images)}
        #: A segment keeps ``upto[end] - behind[start]`` besides what enters it, the last one ``rest[start]`` in all.
        self.upto = {-1: 0}
        self.behind = {-1: sum(laid_out.kept_output(index).at(batch) for index in images)}
        self.rest: dict[int, int] = {}
        for place in self.places:
            size, keepers = laid_out.output[place].at(batch), laid_out.keepers[place]
            by_itself, later = min(keepers, default=count) <= place, max(keepers, default=-1) > place
            self.enters[place] = size
            self.behind[place] = total[place + 1]
            self.upto[place] = total[place + 1] - size * bool(keepers) + size * by_itself
            self.rest[place] = total[-1] - total[place + 1] + size * later
        macs = [node.layer.macs(self.graph.input_shapes(node), self.graph.shapes[node.name]) for node in nodes]
        self.macs = [0]
        for entry in macs:
            self.macs.append(self.macs[-1] + entry * batch)

    def best(self, cuts: int, bound: int) -> CheckpointPlan | None:
        """The best plan with at most that many cuts whose worst moment is below ``bound``; None: there is none."""
        low, high, chosen = 0, bound - 1, None
        while low <= high:
            middle = (low + high) // 2
            found = self._within(cuts, middle)
            if found is None:
                low = middle + 1
            else:
                chosen = self._plan(found)
                high = chosen.after - 1
        return chosen

    def _within(self, cuts: int, limit: int) -> tuple[int, ...] | None:
        """Places of at most ``cuts`` cuts whose worst moment stays within a limit, keeping as little as can be."""
        # For each place, the least that entered the segments up to there, and the cuts that led there.
        reached: dict[int, tuple[int, tuple[int, ...]]] = {-1: (self.enters[-1], ())}
        for _ in range(cuts):
            further: dict[int, tuple[int, tuple[int, ...]]] = {}
            starts = _Front()
            for end in (-1, *self.places):
                entry = starts.least(limit - self.upto[end])
                if entry is not None:
                    entered, path = entry
                    if entered + self.rest[end] <= limit:
                        return (*path, end)
                    further[end] = (entered + self.enters[end], (*path, end))
                if end in reached:
                    starts.add(reached[end][0] - self.behind[end], reached[end])
            reached = further
        return None

    def _plan(self, path: tuple[int, ...]) -> CheckpointPlan:
        entering, worst, start = self.enters[-1], 0, -1
        for end in path:
            worst = max(worst, entering + self.upto[end] - self.behind[start])
            start = end
            if end != path[-1]:
                entering += self.enters[end]
        forward = entering + self.rest[path[-1]]
        names = tuple(self.graph.nodes[place].name for place in path)
        redone = self.macs[path[-1] + 1]
        return CheckpointPlan(names, self.before, max(worst, forward), forward, redone, self.macs[-1])


class _Front:
    """Where a segment may begin: of two places that allow as much, the one before which less has entered."""

    def __init__(self) -> None:
        self._needs: list[int] = []
        self._states: list[tuple[int, tuple[int, ...]]] = []

    def add(self, need: int, state: tuple[int, tuple[int, ...]]) -> None:
        """Add a place that is allowed from ``need`` on; with what has entered before it, and the cuts up to there."""
        at = bisect_right(self._needs, need)
        if at and self._states[at - 1][0] <= state[0]:
            return
        end = at
        while end < len(self._states) and self._states[end][0] >= state[0]:
            end += 1
        self._needs[at:end] = [need]
        self._states[at:end] = [state]

    def least(self, allowed: int) -> tuple[int, tuple[int, ...]] | None:
        """The allowed place before which least has entered; None where none is allowed."""
        at = bisect_right(self._needs, allowed)
        return self._states[at - 1] if at else None


def _waists(laid_out: Plan) -> list[int]:
    """Nodes with memory of their own behind which nothing earlier is read any more, images excepted."""
    nodes = laid_out.graph.nodes
    furthest = -1
    places = {node.name: index for index, node in enumerate(nodes)}
    last_reader = list(range(len(nodes)))
    for index, node in enumerate(nodes):
        for name in node.inputs:
            owner = laid_out.owner[places[name]]
            last_reader[owner] = max(last_reader[owner], index)
    found = []
    for index, node in enumerate(nodes[:-1]):
        if not node.inputs:
            continue
        if furthest <= index and laid_out.owner[index] == index:
            found.append(index)
        owner = laid_out.owner[index]
        furthest = max(furthest, last_reader[owner] if owner == index else furthest)
    return found
