"""What other tools would print for the same network, and why it differs."""

from __future__ import annotations

from striate.analysis.counting.reconciliation import TOOLS, Difference, Reconciliation, Tool, count_like

__all__ = ["TOOLS", "Difference", "Reconciliation", "Tool", "count_like"]
