"""Reading the literate tests of the rules: Markdown with networks and the findings that each of them gets.

A fence says what the block below it holds: ``inline``, ``yaml`` or ``python`` (which defines ``net``, and ``weights``
where the rule looks at them), and then perhaps ``input=3x64x64 classes=5 batch=8 loss=cross-entropy``. The block after
it, ``findings``, has one line for each finding of the file's rule, in order: ``CODE node: message``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from striate.graph import Graph
from striate.lint import Subject, all_rules
from striate.lint.allowing import Allow, read_allows
from striate.lint.comments import yaml_comments
from striate.lint.engine import examine
from striate.lint.rule import Rule
from striate.sources import leaves_open, load
from striate.sources.yaml_reader import read_located_yaml, yaml_leaves_open
from striate.units import parse_shape

__all__ = ["FILES", "Case", "cases", "found_lines", "rule_of", "subject_of"]

FILES = tuple(sorted((Path(__file__).parent / "rules").glob("*.md")))

_FENCE = re.compile(r"^(`{3,})([^\n`]*)\n(.*?)^\1\s*$", re.MULTILINE | re.DOTALL)
_KINDS = ("inline", "yaml", "python")
_OPTIONS = ("input", "classes", "batch", "loss")


@dataclass(frozen=True)
class Case:
    """One network of a literate test with what is to be found in it."""

    file: Path
    line: int
    kind: str
    text: str
    expected: str
    options: dict[str, str] = field(default_factory=dict)

    @property
    def place(self) -> str:
        return f"{self.file.name}:{self.line}"


def cases(file: Path) -> Iterator[Case]:
    """The networks of one file, each with the findings that follow it."""
    text = file.read_text(encoding="utf-8")
    waiting: tuple[int, str, str, dict[str, str]] | None = None
    for found in _FENCE.finditer(text):
        kind, *words = found[2].split()
        line = text.count("\n", 0, found.start()) + 1
        if kind in _KINDS:
            if waiting is not None:
                raise ValueError(f"{file.name}:{waiting[0]}: no findings follow this network")
            options = dict(word.split("=", 1) for word in words)
            if unknown := set(options) - set(_OPTIONS):
                raise ValueError(f"{file.name}:{line}: there is no option {min(unknown)}; {', '.join(_OPTIONS)}")
            waiting = line, kind, found[3], options
        elif kind == "findings":
            if waiting is None:
                raise ValueError(f"{file.name}:{line}: no network stands before these findings")
            yield Case(file, waiting[0], waiting[1], waiting[2], found[3].strip(), waiting[3])
            waiting = None
        elif kind not in ("text", "toml", "sh"):
            raise ValueError(f"{file.name}:{line}: a block is {', '.join(_KINDS)} or findings, not {kind!r}")
    if waiting is not None:
        raise ValueError(f"{file.name}:{waiting[0]}: no findings follow this network")


def rule_of(file: Path) -> Rule:
    """The rule that a file is called after."""
    code, _, name = file.stem.partition("-")
    rule = all_rules().get(code)
    assert rule is not None, f"{file.name}: there is no rule {code}"
    assert rule.name == name, f"{file.name}: {code} is called {rule.name}"
    return rule


def subject_of(kind: str, text: str, options: dict[str, str]) -> tuple[Subject, list[Allow]]:
    """The network of a block with what is known about it, and what its comments allow."""
    shape = parse_shape(options["input"]) if "input" in options else None
    classes = int(options["classes"]) if "classes" in options else None
    batch, loss = int(options["batch"]) if "batch" in options else None, options.get("loss")
    if kind == "python":
        names: dict[str, Any] = {}
        exec(compile(text, "<literate test>", "exec"), names)
        net: Graph = names["net"]
        return Subject(net, names.get("weights"), tuple(names.get("unused", ())), batch, loss), []
    text = text if kind == "yaml" else " ".join(text.split())
    open_input, open_classes = yaml_leaves_open(text) if kind == "yaml" else leaves_open(text)
    shape = shape or ((3, 32, 32) if open_input else None)
    classes = classes or (10 if open_classes else None)
    if kind == "inline":
        return Subject(load(text, input=shape, classes=classes), None, (), batch, loss), []
    net, items = read_located_yaml(text, input=shape, classes=classes)
    return Subject(net, None, (), batch, loss), list(read_allows(yaml_comments(text, items), "net.yaml"))


def found_lines(subject: Subject, allows: list[Allow], rule: Rule) -> list[str]:
    """What one rule finds, as it is written in the tests; allowing comments are heeded."""
    return [
        f"{entry.rule.code} {entry.evidence.node}: {entry.evidence.message}"
        if entry.evidence.node is not None
        else f"{entry.rule.code}: {entry.evidence.message}"
        for entry in examine(subject, allows=allows)[0]
        if entry.rule is rule
    ]
