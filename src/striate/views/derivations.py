"""``striate inspect NET --layer NAME``: how each number of one layer follows, to be read by a student."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.text import Text

from striate.units import format_shape
from striate.views.layer_wording import layer_words
from striate.views.safe_text import visible
from striate.views.tables import Facts

if TYPE_CHECKING:
    from striate.analysis.derivation import Derivation
    from striate.graph import Step

__all__ = ["derivation_view"]

_SYMBOLS = {
    "n": "input size along this axis",
    "before": "padding in front",
    "after": "padding behind",
    "k": "kernel size",
    "d": "dilation",
    "K": "span of the window: pixels from its first tap to its last",
    "p": "padding",
    "s": "stride",
    "RF": "receptive field of what arrives",
    "J": "jump of what arrives: pixels of the image from one unit to the next",
    "start": "first pixel that the first unit sees; negative inside the padding",
}


def derivation_view(derivation: Derivation) -> RenderableType:
    """What arrives at a layer, then each of its numbers as ``quantity = formula = numbers = result``.

    A line that is too long for the console is broken before its equals signs.

    Args:
        derivation: as :func:`striate.analysis.derive` returns it.

    >>> from striate import zoo
    >>> from striate.analysis import derive
    >>> from striate.views import make_console
    >>> make_console().print(derivation_view(derive(zoo.build("simple-cnn"), "conv1")))  # doctest: +ELLIPSIS
    conv1 of simple-cnn: conv 16, 3×3, same
    ...
      output height = floor((n + before + after - K) / s) + 1 = floor((32 + 1 + 1 - 3) / 1) + 1 = 32
    ...
    """
    return _DerivationView(derivation)


class _DerivationView:
    def __init__(self, derivation: Derivation) -> None:
        self.derivation = derivation

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        one = self.derivation
        yield _title(one)
        for name, shape in one.inputs:
            yield Text(f"arrives: {format_shape(shape)} from {name}", overflow="fold")
        sections = (
            ("Shape", one.shape),
            ("Parameters", one.parameters),
            ("MACs (FLOPs = 2 × MACs)", one.macs),
            ("Receptive field", one.field),
        )
        for title, steps in sections:
            yield Text()
            yield Text(title, style="bold")
            if not steps:
                yield Text("  none: it does not depend on the image")
            for step in steps:
                yield from _step_lines(step, options.max_width)
        symbols = tuple(_symbols(step.formula for _, steps in sections for step in steps))
        if symbols:
            yield Text()
            yield Facts(symbols)


def _title(one: Derivation) -> Text:
    from striate.analysis.report import describe

    shape = one.inputs[0][1] if one.inputs else ()
    words = layer_words(one.node.layer.kind, describe(one.node.layer), len(shape) - 1, shape[0] if shape else None)
    return Text.assemble((one.node.name, "bold cyan"), f" of {visible(one.network)}: {words}", overflow="fold")


def _step_lines(step: Step, width: int) -> Iterator[Text]:
    result = step.result[1:-1] if step.result.startswith("(") else step.result
    parts = [(step.formula, "dim"), (step.numbers, ""), (result, "bold")]
    if step.numbers == result.replace(",", "") or not re.search(r"\d", step.numbers):
        del parts[1]  # nothing was put in
    head = f"  {step.quantity}"
    if cell_len(head) + sum(3 + cell_len(text) for text, _ in parts) <= width:
        yield Text.assemble(head, *(piece for part in parts for piece in (" = ", part)))
        return
    for place, part in enumerate(parts):
        yield Text.assemble(head if place == 0 else " " * cell_len(head), " = ", part, overflow="fold")


def _symbols(formulas: Iterable[str]) -> Iterator[tuple[str, str]]:
    """The symbols that the formulas use, with their meaning; words inside sentences are not symbols."""
    used = {word for text in formulas if re.search(r"[-+·/]", text) for word in re.findall(r"[A-Za-z]+", text)}
    return ((symbol, meaning) for symbol, meaning in _SYMBOLS.items() if symbol in used)
