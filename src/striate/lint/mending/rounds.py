"""Mending a network: carry out the edits of what was found, look again, until nothing is left that can be mended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from striate.errors import NetworkError
from striate.findings import Finding
from striate.graph import Graph
from striate.lint.engine import Found, all_rules, examine
from striate.lint.mending.graph_edits import CannotEdit, alike, apply_edits, spelled_out
from striate.lint.rule import Edit, Rule
from striate.lint.subject import Subject
from striate.lint.target import Target, yaml_allows

__all__ = ["Mended", "mend"]

#: A mended network may be one in which something else can be mended; nobody needs more rounds than this.
_ROUNDS = 25


@dataclass(frozen=True)
class Mended:
    """A network after mending.

    Args:
        target: what it is now; its YAML, where it has any, is not written to its file.
        done: what was mended, in order.
        left: what could not be, with the reason.
        unfinished: whether there would be more to do after the last round.
    """

    target: Target
    done: tuple[Finding, ...]
    left: tuple[tuple[Finding, str], ...]
    unfinished: bool = False


def mend(target: Target, rules: Iterable[Rule] | None = None, *, unsafe: bool = False) -> Mended:
    """Mend what the rules find and a program can mend. Nothing is written to any file.

    Every edit of YAML is carried out on the Graph as well, and the text is read again: where the two do not give the
    same network the edit is left to the author.

    Args:
        target: the network; given weights are not looked at again once names of nodes may have changed.
        rules: default: all.
        unsafe: also carry out edits that change what the network computes.

    >>> from striate.lint.target import read_target
    >>> mended = mend(read_target("conv 8 3 > relu > relu > relu > globalavgpool > dense 10"))
    >>> [node.name for node in mended.target.subject.graph.nodes], len(mended.done)
    (['input', 'conv1', 'relu1', 'globalavgpool1', 'dense1'], 2)
    """
    chosen = list(all_rules().values() if rules is None else rules)
    wanted = ("safe", "unsafe") if unsafe else ("safe",)
    mending = [rule for rule in chosen if rule.fix in wanted]
    done: list[Finding] = []
    left: dict[tuple[str, str | None, str], tuple[Finding, str]] = {}
    for _ in range(_ROUNDS):
        found = [one for one in examine(target.subject, mending, target.allows)[0] if one.evidence.edits]
        if not found:
            return Mended(target, tuple(done), tuple(left.values()))
        left.clear()
        after, mended = _round(target, found, left)
        if after is None:
            return Mended(target, tuple(done), tuple(left.values()))
        target = after
        done += [one.finding() for one in mended]
    return Mended(target, tuple(done), tuple(left.values()), unfinished=True)


def _round(
    target: Target, found: Sequence[Found], left: dict[tuple[str, str | None, str], tuple[Finding, str]]
) -> tuple[Target | None, list[Found]]:
    """Carry out what can be carried out at once; what is beside it comes in the next round."""
    units = _units(target, found)
    chosen, touched = [], set[str]()
    for unit in units:
        nodes = _neighbourhood(target.subject, unit)
        if not nodes & touched:
            chosen.append(unit)
            touched |= nodes
    together = [one for unit in chosen for one in unit]
    try:
        return _edited(target, together), together
    except CannotEdit:
        # One of them is in the way of the others; which one, shows when they are tried one by one.
        pass
    mended: list[Found] = []
    for unit in chosen:
        try:
            # The names of later nodes may be others after an edit, so that only the first one that works is kept.
            return _edited(target, unit), [*mended, *unit]
        except CannotEdit as error:
            left.update({(one.rule.code, one.evidence.node, str(error)): (one.finding(), str(error)) for one in unit})
    for unit in units:
        if unit not in chosen:
            try:
                return _edited(target, unit), unit
            except CannotEdit as error:
                left.update(
                    {(one.rule.code, one.evidence.node, str(error)): (one.finding(), str(error)) for one in unit}
                )
    return None, mended


def _units(target: Target, found: Sequence[Found]) -> list[list[Found]]:
    """Findings that can be mended only together: those in one piece of text."""
    items: Mapping[str, object] = {} if target.yaml is None else target.yaml.items
    units: dict[tuple[str, int], list[Found]] = {}
    for number, one in enumerate(found):
        node = one.evidence.edits[0].node
        key = id(items[node]) if node in items else -1 - number
        units.setdefault((one.rule.code, key), []).append(one)
    return list(units.values())


def _neighbourhood(subject: Subject, unit: Sequence[Found]) -> set[str]:
    """The nodes that an edit changes, and those beside them."""
    nodes = {edit.node for one in unit for edit in one.evidence.edits}
    before = {name for node in nodes for name in subject.graph[node].inputs}
    return nodes | before | {reader.name for node in nodes for reader in subject.readers[node]}


def _edits(found: Sequence[Found]) -> list[Edit]:
    edits = {(edit.node, edit.attribute, repr(edit.value)): edit for one in found for edit in one.evidence.edits}
    return list(edits.values())


def _edited(target: Target, found: Sequence[Found]) -> Target:
    edits = _edits(found)
    graph = apply_edits(target.subject.graph, edits)
    if target.yaml is None:
        return replace(target, subject=_without_weights(target, graph))
    from striate.lint.mending.yaml_edits import edit_text

    yaml = target.yaml
    written = spelled_out(target.subject.graph, graph, edits)
    return _read_again(target, edit_text(yaml.text, yaml.items, written), graph)


def _read_again(target: Target, text: str, meant: Graph) -> Target:
    """The target with another text, which has to be the network that is meant."""
    from striate.sources.yaml_reader import read_located_yaml

    yaml = target.yaml
    if yaml is None:
        raise TypeError(f"{target.name} is not YAML")
    try:
        graph, items = read_located_yaml(
            text, where=yaml.where, input=yaml.input, classes=yaml.classes, name=meant.name
        )
    except NetworkError as error:
        raise CannotEdit(f"its text cannot be edited here ({error.problem})") from None
    if not alike(graph, meant):
        raise CannotEdit("other layers depend on the name of the one that would change")
    changed = replace(yaml, text=text, items=items)
    return replace(target, subject=_without_weights(target, graph), yaml=changed, allows=tuple(yaml_allows(changed)))


def _without_weights(target: Target, graph: Graph) -> Subject:
    return replace(target.subject, graph=graph, weights=None)
