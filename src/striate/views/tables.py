"""The one look of all tables and lists on a terminal: no frames, a rule below the headers, nothing cut off."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderResult
from rich.segment import Segment
from rich.text import Text

__all__ = ["Column", "Facts", "Grid", "GridRow"]

_NARROWEST = 8
"""A column that may be broken keeps at least this many characters, as long as the others leave them."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column.

    Args:
        title: stands above it.
        right: whether it is aligned to the right, as numbers are.
        flexible: whether its cells may go on below themselves where the console is narrow.
        width: at least so many characters.
    """

    title: str
    right: bool = False
    flexible: bool = False
    width: int = 0


@dataclass(frozen=True, slots=True)
class GridRow:
    """One row.

    Args:
        cells: one for each column.
        below: a line of its own under them.
    """

    cells: tuple[Text, ...]
    below: Text | None = None


class Grid:
    """A table of text; lines end with their last character, so that piped output is clean.

    Args:
        columns: its columns.
        rows: its rows.
        footer: a row of totals, below a rule.
        gap: spaces between columns.
    """

    def __init__(
        self, columns: Sequence[Column], rows: Sequence[GridRow], footer: tuple[str, ...] | None = None, gap: int = 2
    ) -> None:
        self.columns = tuple(columns)
        self.rows = tuple(rows)
        self.footer = footer
        self.gap = gap

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        header = GridRow(tuple(Text(column.title, "bold") for column in self.columns))
        footer = [] if self.footer is None else [GridRow(tuple(Text(entry, "bold") for entry in self.footer))]
        widths = self._widths([header, *self.rows, *footer], options.max_width)
        rule = Text("─" * min(sum(widths) + self.gap * (len(widths) - 1), options.max_width), style="dim")
        fits = sum(widths) + self.gap * (len(widths) - 1) <= options.max_width
        yield from self._lines(header, widths, console)
        yield rule
        for row in self.rows:
            # Almost every row is one line as it stands; to wrap it all the same takes most of a long table's time.
            line = self._one_line(row, widths, console) if fits else None
            yield from self._lines(row, widths, console) if line is None else line
        for row in footer:
            yield rule
            yield from self._lines(row, widths, console)

    def _widths(self, rows: Sequence[GridRow], room: int) -> list[int]:
        widths = [
            max(column.width, *(row.cells[place].cell_len for row in rows)) for place, column in enumerate(self.columns)
        ]
        flexible = [place for place, column in enumerate(self.columns) if column.flexible]
        excess = sum(widths) + self.gap * (len(widths) - 1) - room
        while excess > 0 and flexible and max(widths[place] for place in flexible) > _NARROWEST:
            widths[max(flexible, key=lambda place: widths[place])] -= 1
            excess -= 1
        return widths

    def _one_line(self, row: GridRow, widths: Sequence[int], console: Console) -> list[Segment] | None:
        """A row whose cells all fit, ready to be written; None where one does not."""
        if row.below is not None:
            return None
        line: list[Segment] = []
        waiting = 0
        for cell, width, column in zip(row.cells, widths, self.columns, strict=True):
            text = cell.plain.rstrip()
            free = width - cell_len(text)
            if free < 0 or "\n" in text:
                return None
            if text:
                line.append(Segment(" " * (waiting + (free if column.right else 0))))
                if cell.style or cell.spans:
                    shown = cell.copy()
                    shown.rstrip()
                    # Appended to a text, a style of the whole cell is rendered too.
                    line += Text().append_text(shown).render(console)
                else:
                    line.append(Segment(text))
                waiting = self.gap + (0 if column.right else free)
            else:
                waiting += self.gap + width
        return [*line, Segment.line()]

    def _lines(self, row: GridRow, widths: Sequence[int], console: Console) -> Iterator[Text]:
        parts = [
            list(cell.wrap(console, max(width, 1), overflow="fold")) if column.flexible else [cell.copy()]
            for cell, width, column in zip(row.cells, widths, self.columns, strict=True)
        ]
        for number in range(max(len(part) for part in parts)):
            line, taken = Text(), 0
            for part, width, column in zip(parts, widths, self.columns, strict=True):
                cell = part[number] if number < len(part) else Text()
                cell.rstrip()
                free = " " * max(width - cell.cell_len, 0)
                line.append(" " * taken + (free if column.right else ""))
                line.append_text(cell)
                taken = self.gap + (0 if column.right else len(free))
            line.rstrip()
            yield line
        if row.below is not None:
            yield row.below


class Facts:
    """Names with their values, aligned; a long value goes on below itself.

    Args:
        facts: (name, value) pairs.
    """

    def __init__(self, facts: Iterable[tuple[str, str]]) -> None:
        self.facts = tuple(facts)

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        indent = max((cell_len(name) for name, _ in self.facts), default=0) + 2
        for name, value in self.facts:
            lines = Text(value).wrap(console, max(options.max_width - indent, _NARROWEST), overflow="fold")
            for number, line in enumerate(lines):
                line.rstrip()
                head = name if number == 0 else ""
                yield Text.assemble((head, "dim"), " " * (indent - cell_len(head)), line)
