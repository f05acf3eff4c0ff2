"""What stands in front of the numbers of a table: each node, or each group where names are collapsed by depth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from striate.views.layer_wording import report_words
from striate.views.outline_rows import outline_rows, tree_rows

if TYPE_CHECKING:
    from striate.analysis.report import Report

__all__ = ["RowLabel", "row_labels"]


@dataclass(frozen=True, slots=True)
class RowLabel:
    """One row.

    Args:
        name: of the node or group, or of all that were folded: ``layer3.1–35``.
        what: the layer, or the layers of the group, in a few words.
        nodes: the names of the nodes it stands for.
    """

    name: str
    what: str
    nodes: tuple[str, ...]


def row_labels(report: Report, depth: int | None = None) -> tuple[RowLabel, ...]:
    """The rows of a network, in order; every node stands in exactly one.

    Args:
        report: of any network.
        depth: how many parts of a name are told apart, equal neighbours folded; default: each node has its row.

    >>> from striate import zoo
    >>> from striate.analysis import inspect
    >>> row_labels(inspect(zoo.build("resnet152")), 2)[6].nodes[:2]
    ('layer1.1.conv1', 'layer1.1.bn1')
    """
    if depth is None:
        named = zip(report.nodes, report_words(report), strict=True)
        return tuple(RowLabel(node.name, what, (node.name,)) for node, what in named)
    rows = zip(outline_rows(report, depth), tree_rows(report, depth), strict=True)
    return tuple(RowLabel(row.name, text.what, tuple(node.name for node in row.nodes)) for row, text in rows)
