"""``striate.lint`` and ``striate.explain``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from striate.lint.documentation import explanation, find_code
from striate.lint.result import lint_target
from striate.lint.selection import choose_rules
from striate.lint.target import read_target

if TYPE_CHECKING:
    from striate.findings import Finding
    from striate.graph import Graph
    from striate.units import Shape

__all__ = ["explain", "lint"]


def lint(
    net: str | Path | Graph,
    *,
    input: Shape | None = None,
    classes: int | None = None,
    weights: str | Path | Mapping[str, Any] | None = None,
    batch: int | None = None,
    loss: str | None = None,
    select: Iterable[str] | None = None,
    ignore: Iterable[str] = (),
) -> list[Finding]:
    """What is wrong with a network, or worth knowing. Comments in its text are heeded, ``pyproject.toml`` is not.

    Args:
        net, input, classes: as :func:`striate.load` takes them; a run folder brings its weights, batch and loss.
        weights: a safetensors file, a run folder, or arrays or tensors by name: ``<node>.<name>``, or as the module has
            them that the network comes from. A module brings its own, which are read and not changed.
        batch: images of a training step.
        loss: what it is trained with: ``cross-entropy``, ``bce`` or ``mse``.
        select: names, codes (``N105``) or beginnings of codes (``N1``) of the rules to run; default: all.
        ignore: what is left out of these.

    Returns:
        the findings in the order of the layers.

    Raises:
        NetworkError: as :func:`striate.load`.
        WeightsError: the weights cannot be read, or are those of another network.
        UsageError: no rule or loss is called this.

    >>> [str(finding.rule) for finding in lint("conv 8 3 > batchnorm > relu > globalavgpool > dense 10", select=["N3"])]
    ['conv-bias-before-batchnorm']
    """
    rules = choose_rules(select, ignore)
    target = read_target(net, input=input, classes=classes, weights=weights, batch=batch, loss=loss)
    return list(lint_target(target, rules).findings)


def explain(rule: str) -> str:
    """All there is to say about a rule: what it finds, why that is bad, an example, and what to write instead.

    Args:
        rule: its name or its code, or the code of any other finding.

    Raises:
        UsageError: there is none; a near miss is suggested.

    >>> print(explain("N301").splitlines()[0])
    N301 conv-bias-before-batchnorm
    """
    return explanation(find_code(rule))
