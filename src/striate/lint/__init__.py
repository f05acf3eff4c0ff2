"""What its owner should know about a network.

The package is the verb as well: ``striate.lint("resnet18")`` answers with the findings.
"""

from __future__ import annotations

import sys
from types import ModuleType

from striate.lint.engine import all_rules, lint_network
from striate.lint.rule import Edit, Evidence, Rule
from striate.lint.subject import Subject
from striate.lint.verbs import explain, lint

__all__ = ["Edit", "Evidence", "Rule", "Subject", "all_rules", "explain", "lint", "lint_network"]


class _Verb(ModuleType):
    """A package that can be called: its name is the verb's, and Python has one attribute for the two."""

    __call__ = staticmethod(lint)


sys.modules[__name__].__class__ = _Verb
