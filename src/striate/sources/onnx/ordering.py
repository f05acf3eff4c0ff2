"""Which operations lead to an output, in an order in which each comes after those it reads."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from striate.errors import SourceError
from striate.sources.onnx.faults import damaged, short
from striate.sources.onnx.model import Operation

__all__ = ["needed_in_order"]


def needed_in_order(
    operations: Sequence[Operation], outputs: Iterable[str], given: set[str], where: str
) -> tuple[tuple[Operation, ...], int]:
    """The operations that are needed, and how many are not.

    Args:
        operations: in any order.
        outputs: the values that leave.
        given: the values that no operation makes: inputs and stored tensors.
        where: the file, for errors.

    Raises:
        SourceError: a value is made twice, is missing, or needs itself.

    >>> first, second = Operation("Relu", "", "a", ("x",), ("y",)), Operation("Relu", "", "b", ("y",), ("z",))
    >>> [operation.name for operation in needed_in_order([second, first], ["z"], {"x"}, "net")[0]]
    ['a', 'b']
    """
    makers: dict[str, int] = {}
    for position, operation in enumerate(operations):
        for name in filter(None, operation.outputs):
            if name in makers or name in given:
                raise damaged(where, f"two operations make the value {short(name)}")
            makers[name] = position
    reads = [operation.reads() for operation in operations]
    for name in outputs:
        _check_known(name, "the graph's outputs", makers, given, where)
    # 0: being visited, 1: done. Depth first with a list instead of recursion: files may hold long chains.
    state: dict[int, int] = {}
    order: list[int] = []
    stack = [makers[name] for name in reversed(list(outputs)) if name in makers]
    while stack:
        position = stack[-1]
        if position in state:
            stack.pop()
            if state[position] == 0:
                state[position] = 1
                order.append(position)
            continue
        state[position] = 0
        for name in reads[position]:
            _check_known(name, operations[position].label, makers, given, where)
            before = makers.get(name)
            if before is None:
                continue
            if state.get(before) == 0:
                raise SourceError(
                    "this network goes in a circle",
                    where=where,
                    got=f"{short(operations[position].label)} needs {short(name)}, which follows from it",
                    needs="operations that read only earlier ones",
                )
            if before not in state:
                stack.append(before)
    # What leads to an output keeps the order of the file, where that is one.
    return _by_file(operations, order, makers, reads), len(operations) - len(order)


def _by_file(
    operations: Sequence[Operation], order: list[int], makers: dict[str, int], reads: list[tuple[str, ...]]
) -> tuple[Operation, ...]:
    as_written = sorted(order)
    if all(makers[name] < position for position in as_written for name in reads[position] if name in makers):
        return tuple(operations[position] for position in as_written)
    return tuple(operations[position] for position in order)


def _check_known(name: str, reader: str, makers: dict[str, int], given: set[str], where: str) -> None:
    if name not in makers and name not in given:
        raise SourceError(
            "a value is read that nothing makes",
            where=where,
            got=f"{short(name) or 'an empty name'}, for {short(reader)}",
            needs="an input, a stored tensor or the output of an operation",
        )
