"""Graph → numbers. Pure functions; no torch, no weights."""

from striate.analysis.derivation import Derivation, derive
from striate.analysis.receptive_field import AxisField, receptive_fields, unit_field
from striate.analysis.report import NodeReport, Report, inspect

__all__ = ["AxisField", "Derivation", "NodeReport", "Report", "derive", "inspect", "receptive_fields", "unit_field"]
