"""Parser: argparse with help in sections and errors in Striate's words.

argparse belongs to Python, loads in milliseconds and prints the same text wherever it is installed.
"""

from __future__ import annotations

import argparse
import re
import shutil
from collections.abc import Sequence
from typing import NoReturn

from striate.errors import UsageError, near_miss

__all__ = ["Parser"]

#: Help is readable on a narrow terminal, and not drawn out on a wide one.
NARROWEST, WIDEST = 40, 100


class Parser(argparse.ArgumentParser):
    """The arguments and options of one verb.

    Args:
        verb: its name.
        text: what its help says: a summary, and perhaps more below an empty line.
    """

    def __init__(self, verb: str, text: str) -> None:
        self.verb = verb
        super().__init__(
            prog=f"striate {verb}",
            description=text.strip(),
            formatter_class=_Formatter,
            add_help=False,
            allow_abbrev=False,
        )
        self.color = False
        # -1MiB is a value, if a wrong one, and no option; Python's own rule knows -1 and -1.5 only.
        self._negative_number_matcher = re.compile(r"-\.?\d.*")
        self.words = self.add_argument_group("Arguments")
        self.options = self.add_argument_group("Options")

    def parse(self, words: Sequence[str]) -> argparse.Namespace:
        """Read what was typed; options and arguments may stand in any order.

        Raises:
            UsageError: an unknown or incomplete option, an empty value, or an argument too many or too few.
        """
        found, rest = self.parse_known_intermixed_args(words)
        if unknown := [word for word in rest if word.startswith("-") and word != "-"]:
            name = unknown[0].partition("=")[0]
            known = [option for action in self._actions for option in action.option_strings]
            self._refuse(f"there is no option {name}", near=near_miss(name, known))
        if rest:
            taken = ", ".join(self._names()) or "no argument"
            self._refuse(f"this is one argument too many: {rest[0]}", needs=f"{taken}; quote what has spaces in it")
        for action in self._actions:
            given = getattr(found, action.dest, None)
            if action.option_strings and any(_is_empty(one) for one in (given if isinstance(given, list) else [given])):
                self._refuse(f"{action.option_strings[-1]} needs a value", got="an empty text")
        return found

    def error(self, message: str) -> NoReturn:
        """Called by argparse for whatever it cannot read."""
        if found := re.fullmatch(r"the following arguments are required: (.*)", message):
            self._refuse(f"{found[1]} is missing", write=" ".join([self.prog, *self._names()]))
        if found := re.fullmatch(r"argument (\S*?)(?:/\S*)?: expected one argument", message):
            self._refuse(f"{found[1]} needs a value")
        if found := re.match(r"argument (?:\S*/)?(\S*): invalid choice: '(.*?)' \(", message):
            choices = [str(choice) for choice in self._option_string_actions[found[1]].choices or ()]
            self._refuse(
                f"{found[1]} cannot be {found[2]}",
                needs=f"one of {', '.join(choices)}",
                write=f"{found[1]} {near_miss(found[2], choices) or choices[0]}",
            )
        self._refuse(message)

    def format_usage(self) -> str:
        """The first line of the help."""
        shapes = {"?": "[{}]", "+": "{} ...", "*": "[{} ...]"}
        words = [shapes.get(str(action.nargs), "{}").format(action.metavar) for action in self._named()]
        return f"Usage: {' '.join([self.prog, *words])} [options]\n"

    def format_help(self) -> str:
        """Usage, description and sections."""
        text = self.format_usage()
        for paragraph in (self.description or "").split("\n\n"):
            text += f"\n{self._filled(paragraph)}"
        for group in self._action_groups:
            formatter = self._get_formatter()
            formatter.start_section(group.title)
            formatter.add_text(group.description)
            formatter.add_arguments(group._group_actions)
            formatter.end_section()
            section = formatter.format_help()
            text += f"\n{section}" if section else ""
        return text

    def _filled(self, paragraph: str) -> str:
        """A paragraph in lines that fit; one with indented lines, as examples are, stays as it is written."""
        if "\n  " in paragraph:
            return paragraph + "\n"
        formatter = self._get_formatter()
        formatter.add_text(paragraph)
        return formatter.format_help()

    def _named(self) -> list[argparse.Action]:
        """The arguments that have no dashes."""
        return [action for action in self._actions if not action.option_strings]

    def _names(self) -> list[str]:
        return [str(action.metavar) for action in self._named()]

    def _refuse(
        self,
        problem: str,
        *,
        got: str | None = None,
        needs: str | None = None,
        near: str | None = None,
        write: str | None = None,
    ) -> NoReturn:
        write = write or near or f"striate {self.verb} --help"
        raise UsageError(problem, where=f"striate {self.verb}", got=got, needs=needs, write=write)


def _is_empty(value: object) -> bool:
    """Whether a value was given that says nothing, as a variable of a shell does that is not set."""
    return isinstance(value, str) and not value.strip()


class _Formatter(argparse.HelpFormatter):
    """Options as ``-o, --output FILE``: Python before 3.13 would write FILE twice."""

    def __init__(self, prog: str) -> None:
        columns = shutil.get_terminal_size().columns
        super().__init__(prog, max_help_position=26, width=min(max(columns, NARROWEST), WIDEST))

    def _format_action_invocation(self, action: argparse.Action) -> str:
        if not action.option_strings or action.nargs == 0:
            return super()._format_action_invocation(action)
        return f"{', '.join(action.option_strings)} {self._format_args(action, str(action.metavar or action.dest))}"
