"""Recipes from files: the user's, and those that come with Striate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from striate.errors import RunError, SourceError, UsageError, near_miss
from striate.runs.bounded import read_bounded
from striate.training.recipe import Recipe, make_recipe

if TYPE_CHECKING:
    from striate.sources.tree import TreeNode

__all__ = ["combined_recipe", "read_recipe", "recipe_names", "recipe_summary"]

#: A recipe file larger than this, in bytes, is not a recipe.
MOST_BYTES = 1 << 20
#: Where the recipes are that come with Striate: one file each, its first line a comment that says what it is for.
FOLDER = Path(__file__).parent / "recipes"


def recipe_names() -> tuple[str, ...]:
    """The recipes that come with Striate, in alphabetical order.

    >>> "fast-digits" in recipe_names()
    True
    """
    return tuple(sorted(path.stem for path in FOLDER.glob("*.yaml")))


def recipe_summary(name: str) -> str:
    """What a recipe that comes with Striate is for, in one line.

    >>> recipe_summary("fast-cifar").startswith("Small photographs")
    True
    """
    return (FOLDER / f"{name}.yaml").read_text(encoding="utf-8").splitlines()[0].removeprefix("# ")


def read_recipe(path: Path | str, flags: dict[str, Any] | None = None) -> Recipe:
    """A recipe that comes with Striate, by its name, or from a YAML file; ``flags`` win over it.

    Args:
        path: a name of :func:`recipe_names` (case, ``-`` and ``_`` do not matter), or a file. A file of such a name
            is read where it is written with its folder, as in ``./fast-cifar``.
        flags: options by their names.

    Raises:
        UsageError: when there is neither, or the file is too large, not YAML or not a recipe.

    >>> read_recipe("fast-cifar").optimizer
    'sgd'
    """
    flags = flags or {}
    # On their own first, so that a wrong flag is not told as a fault of the file.
    make_recipe(flags, where="the command line")
    path = _found(path)
    options, lines = _read_options(path)
    for name in flags:
        lines.pop(name, None)
    return make_recipe({**options, **flags}, where=str(path), lines=lines)


def combined_recipe(recipe: Recipe | str | Path | None, options: dict[str, Any]) -> Recipe:
    """A recipe, the name of one, or a file, with options that win over it.

    Raises:
        UsageError: as :func:`read_recipe`.
    """
    if isinstance(recipe, (str, Path)):
        return read_recipe(recipe, options)
    given = {} if recipe is None else recipe.model_dump(exclude_unset=True)
    return make_recipe({**given, **options}) if options or recipe is None else recipe


def _read_options(path: Path) -> tuple[dict[str, Any], dict[str, int]]:
    """The options in a file, and the line of each."""
    from striate.sources.parsing import read_tree
    from striate.sources.tree import MapNode

    where = str(path)
    try:
        text = read_bounded(path, MOST_BYTES).decode("utf-8-sig")
        if not _says_anything(text):
            return {}, {}
        tree = read_tree(text, where)
        if not isinstance(tree, MapNode):
            raise UsageError(
                "a recipe is options with their values, one on each line",
                where=f"{where}:{tree.line}",
                write="epochs: 10",
            )
        return {key.text: _value(node, where) for key, node in tree.entries}, {
            key.text: key.line for key, _ in tree.entries
        }
    except RunError as error:
        raise UsageError(f"the recipe: {error.problem}", where=where, got=error.got, needs=error.needs) from None
    except UnicodeDecodeError as error:
        raise UsageError("the recipe is not text in UTF-8", where=where, got=error.reason) from None
    except SourceError as error:
        problem = error.problem.replace("a network", "a recipe")
        raise UsageError(problem, where=error.where, got=error.got, write="option: value, on each line") from None


def _says_anything(text: str) -> bool:
    lines = (line.strip() for line in text.splitlines())
    return any(line and not line.startswith("#") and line != "---" for line in lines)


def _value(node: TreeNode, where: str) -> Any:
    """A value of the file in Python's types."""
    from striate.sources.tree import ListNode, Scalar, scalar_value

    if isinstance(node, Scalar):
        return scalar_value(node, f"{where}:{node.line}")
    if isinstance(node, ListNode):
        return [_value(item, where) for item in node.items]
    return {key.text: _value(value, where) for key, value in node.entries}


def _found(path: Path | str) -> Path:
    """The file of a recipe; a name in it wins over a file that happens to be called so."""
    text = str(path)
    folded = _fold(text)
    for name in recipe_names():
        if folded == _fold(name):
            return FOLDER / f"{name}.yaml"
    path = Path(text)
    if not (path.exists() or path.suffix or len(path.parts) > 1):
        raise UsageError(
            f"there is no recipe {text!r}, and no such file",
            where="--recipe",
            got=text,
            needs=f"one of {', '.join(recipe_names())}, or a YAML file",
            write=near_miss(text, recipe_names()),
        )
    return path


def _fold(name: str) -> str:
    return name.lower().replace("-", "").replace("_", "")
