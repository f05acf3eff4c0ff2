"""Graph → numbers. Pure functions; no torch, no weights. The names below load on first use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from striate.lazy import lazy_names

if TYPE_CHECKING:
    from striate.analysis.advice import SizeAdvice, advise
    from striate.analysis.alignment import misalignments
    from striate.analysis.budget import Budget, check_budget
    from striate.analysis.checkpoint_plan import CheckpointPlan, checkpoints
    from striate.analysis.comparison import Comparison, compare
    from striate.analysis.cost_report import CostReport, cost
    from striate.analysis.counting.reconciliation import Reconciliation, count_like
    from striate.analysis.coverage import UnitView, view_unit
    from striate.analysis.derivation import Derivation, derive
    from striate.analysis.editing import edit
    from striate.analysis.memory_report import MemoryReport, memory
    from striate.analysis.receptive_field import AxisField, receptive_fields, unit_field
    from striate.analysis.report import NodeReport, Report, inspect

__all__ = [
    "AxisField",
    "Budget",
    "CheckpointPlan",
    "Comparison",
    "CostReport",
    "Derivation",
    "MemoryReport",
    "NodeReport",
    "Reconciliation",
    "Report",
    "SizeAdvice",
    "UnitView",
    "advise",
    "check_budget",
    "checkpoints",
    "compare",
    "cost",
    "count_like",
    "derive",
    "edit",
    "inspect",
    "memory",
    "misalignments",
    "receptive_fields",
    "unit_field",
    "view_unit",
]

_HOMES = {
    "advice": ("SizeAdvice", "advise"),
    "alignment": ("misalignments",),
    "budget": ("Budget", "check_budget"),
    "checkpoint_plan": ("CheckpointPlan", "checkpoints"),
    "comparison": ("Comparison", "compare"),
    "cost_report": ("CostReport", "cost"),
    "counting.reconciliation": ("Reconciliation", "count_like"),
    "coverage": ("UnitView", "view_unit"),
    "derivation": ("Derivation", "derive"),
    "editing": ("edit",),
    "memory_report": ("MemoryReport", "memory"),
    "receptive_field": ("AxisField", "receptive_fields", "unit_field"),
    "report": ("NodeReport", "Report", "inspect"),
}

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
