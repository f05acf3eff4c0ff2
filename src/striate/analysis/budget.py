"""Budgets: limits for parameters, MACs and memory, for continuous integration."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

from striate.analysis.memory_report import memory
from striate.analysis.report import inspect
from striate.errors import UsageError
from striate.graph import Graph

__all__ = ["Budget", "BudgetCheck", "Quantity", "check_budget", "parse_bytes", "parse_count"]

Quantity = Literal["parameters", "macs", "memory"]

LARGEST = 5
"""So many layers are named as the largest contributors."""

_AMOUNT = re.compile(r"([0-9]+(?:\.[0-9]+)?) ?([A-Za-z]*)")
_COUNTS = {"": 1, "k": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
_BYTES = {"B": 1, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30, "TiB": 2**40}


@dataclass(frozen=True)
class Budget:
    """Limits; None where there is none.

    Args:
        parameters: trained numbers.
        macs: multiply-adds of one forward pass for one image.
        memory: bytes in use at the peak of a forward pass for one image in float32, weights included.
    """

    parameters: int | None = None
    macs: int | None = None
    memory: int | None = None


@dataclass(frozen=True)
class BudgetCheck:
    """One limit and what was measured against it.

    Args:
        quantity: what is limited.
        limit: the most that is allowed.
        measured: what the network needs.
        largest: what contributes most, as (name, amount), the largest first.
    """

    quantity: Quantity
    limit: int
    measured: int
    largest: tuple[tuple[str, int], ...]

    @property
    def kept(self) -> bool:
        """Whether the network stays within the limit."""
        return self.measured <= self.limit

    def as_dict(self) -> dict[str, Any]:
        """The check as JSON-ready data."""
        return {
            "quantity": self.quantity,
            "limit": self.limit,
            "measured": self.measured,
            "kept": self.kept,
            "largest": [{"name": name, "amount": amount} for name, amount in self.largest],
        }


def check_budget(graph: Graph, budget: Budget) -> tuple[BudgetCheck, ...]:
    """Measure a network against each limit of a budget.

    Raises:
        UsageError: a cost is limited and the network has layers whose cost nobody knows.

    >>> from striate import zoo
    >>> (check,) = check_budget(zoo.build("simple-cnn"), Budget(parameters=200_000))
    >>> check.kept, check.measured, check.largest[0]
    (False, 268650, ('dense1', 262272))
    """
    report = inspect(graph)
    if report.uncounted:
        raise UsageError(
            "a budget cannot be checked where layers cannot be counted",
            where=graph.name,
            got=", ".join(report.uncounted),
            needs="layers that Striate knows",
        )
    checks = []
    if budget.parameters is not None:
        shares = _largest([(node.name, node.parameters) for node in report.nodes])
        checks.append(BudgetCheck("parameters", budget.parameters, report.parameters, shares))
    if budget.macs is not None:
        shares = _largest([(node.name, node.macs) for node in report.nodes])
        checks.append(BudgetCheck("macs", budget.macs, report.macs, shares))
    if budget.memory is not None:
        checks.append(_memory_check(graph, budget.memory))
    return tuple(checks)


def _memory_check(graph: Graph, limit: int) -> BudgetCheck:
    needed = memory(graph)
    peak = needed.inference_peak
    stored: dict[str, int] = {}
    for node in graph.nodes:
        numbers = sum(entry.count for entry in (*graph.own_parameters(node), *graph.own_buffers(node)))
        stored[f"weights of {node.name}"] = 4 * numbers
    stored[f"maps in use at {peak.node}"] = peak.bytes - needed.weights - needed.buffers
    return BudgetCheck("memory", limit, peak.bytes, _largest(list(stored.items())))


def _largest(shares: list[tuple[str, int]]) -> tuple[tuple[str, int], ...]:
    ordered = sorted(shares, key=lambda share: -share[1])
    return tuple(share for share in ordered[:LARGEST] if share[1])


def parse_count(text: str, where: str) -> int:
    """A count with k, M, G or T (powers of 1000) or none.

    Raises:
        UsageError: it is not one, or not a whole number.

    >>> parse_count("1.5M", "--max-params"), parse_count("420", "--max-params")
    (1500000, 420)
    """
    return _amount(text, where, _COUNTS, "a count with k, M or G (thousand, million, 10⁹), such as 1M", "1M")


def parse_bytes(text: str, where: str) -> int:
    """Bytes, with their unit: B, KiB, MiB, GiB or TiB (powers of 1024).

    Raises:
        UsageError: it is not that, or not a whole number of bytes.

    >>> parse_bytes("8MiB", "--max-memory")
    8388608
    """
    return _amount(text, where, _BYTES, "a size with its unit, KiB, MiB or GiB (powers of 1024), such as 8MiB", "8MiB")


def _amount(text: str, where: str, units: dict[str, int], needs: str, example: str) -> int:
    found = _AMOUNT.fullmatch(text.strip()) if text.isascii() and len(text) < 40 else None
    if found is not None and found[2] in units:
        amount = Fraction(found[1]) * units[found[2]]
        if amount.denominator == 1 and amount >= 1:
            return int(amount)
        needs += "; a whole number of at least 1"
        if amount.denominator != 1:
            example = f"{max(int(amount), 1)}{'B' if 'B' in units else ''}"
    elif found is not None:
        # 1m, 8MB and 8mib are meant well; a bare number of bytes may be meant as anything.
        near = {unit[:1].lower(): unit for unit in units if unit not in ("", "B")}
        example = found[1] + near.get(found[2][:1].lower(), near["m"]) if Fraction(found[1]) else example
    raise UsageError(
        "this is not a budget", where=where, got=text[:40] or "nothing", needs=needs, write=f"{where} {example}"
    )
