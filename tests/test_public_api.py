"""``import striate``: what it offers, what it costs, and that it says the same as the command line."""

from __future__ import annotations

import doctest
import inspect
import re
import subprocess
import sys
from typing import Any

import pytest

import striate
from striate.cli.program import verb_modules

PUBLIC = (
    "ablate",
    "bench",
    "build",
    "compare",
    "cost",
    "derive",
    "diagnose",
    "edit",
    "evaluate",
    "explain",
    "find_learning_rate",
    "inspect",
    "lint",
    "load",
    "load_data",
    "memory",
    "network",
    "open_run",
    "predict",
    "report",
    "resume",
    "to_yaml",
    "train",
)

#: The function behind each verb, and the argument behind each of its arguments; what else inspect can say about a
#: network is said by the functions of striate.analysis.
TWINS: dict[str, tuple[str, dict[str, str]]] = {
    "inspect": ("inspect", {"net": "net", "input": "input", "classes": "classes"}),
    "compare": ("compare", {"nets": "nets", "input": "input", "classes": "classes", "layers": "layers"}),
    "train": (
        "train",
        {
            **{name: name for name in ("net", "data", "recipe", "runs", "checkpoint_every")},
            "run_folder": "folder",
        },
    ),
    "ablate": ("ablate", {name: name for name in ("net", "data", "recipe", "seeds", "time", "epochs")}),
    "resume": ("resume", {name: name for name in ("run", "data", "runs", "checkpoint_every")}),
    "evaluate": ("evaluate", {"run": "run", "data": "data", "split": "split"}),
    "predict": ("predict", {"run": "run", "files": "files"}),
    "report": ("report", {"run": "run"}),
    "diagnose": ("diagnose", {"run": "run", "runs": "runs"}),
    "lint": (
        "lint",
        {
            "nets": "net",
            **{name: name for name in ("input", "classes", "weights", "batch", "loss", "select", "ignore")},
        },
    ),
    "explain": ("explain", {"rule": "rule"}),
    "bench": (
        "bench",
        {name: name for name in ("net", "input", "classes", "batch", "threads", "precision", "compile", "device")},
    ),
}
#: What a verb has and its function has not: where runs are is asked of ``open_run``, and ready-made comparisons are in
#: striate.analysis.examples.
SHELL_ONLY = {"depth", "json", "print_recipe", "runs", "example", "list_examples"}
#: A proof that stops before a training is ``striate.training.verify_resume``; the range test is
#: ``striate.find_learning_rate``, and the names of recipes are ``striate.training.recipe_names()``.
SHELL_ONLY |= {"verify_resume", "find_lr", "list_recipes"}
#: What a class in Python is made with is asked of ``load``.
SHELL_ONLY |= {"kwargs"}
#: Which options of lint only say how findings are shown, what a team agreed on, and what is done to files.
SHELL_ONLY |= {"format", "output", "all", "strict", "isolated", "set", "fix", "unsafe_fixes", "diff", "list"}


def test_the_public_names() -> None:
    assert tuple(striate.__all__) == PUBLIC
    assert re.fullmatch(r"\d+\.\d+\.\d+\S*", striate.__version__)
    assert {*PUBLIC, "zoo"} <= set(dir(striate))


def test_nothing_else_is_offered() -> None:
    defined = {
        name
        for name, value in vars(striate).items()
        if not name.startswith("_") and inspect.isfunction(value) and value.__module__ == "striate"
    }
    assert defined <= set(PUBLIC)
    with pytest.raises(AttributeError, match="module 'striate' has no attribute 'trian'"):
        striate.trian  # noqa: B018


@pytest.mark.parametrize("name", PUBLIC)
def test_every_function_is_documented_and_typed(name: str) -> None:
    function = getattr(striate, name)
    if inspect.ismodule(function):  # the package lint can be called
        function = function.__call__
    text = inspect.getdoc(function) or ""
    parameters = inspect.signature(function).parameters
    assert set(inspect.get_annotations(function)) == {*parameters, "return"}
    assert doctest.DocTestParser().get_examples(text), f"{name} has no example"
    assert "\nArgs:\n" in text
    section = text.partition("\nArgs:\n")[2].partition("\n\n")[0]
    for parameter in parameters:
        assert re.search(rf"^\s+(\**\w+, )*\**{parameter}\b", section, re.MULTILINE), f"{name}: {parameter} is not told"
    assert "\nRaises:\n" in text


@pytest.mark.parametrize("verb", TWINS)
def test_a_verb_and_its_function_take_the_same(verb: str) -> None:
    from striate.cli.program import make_parser
    from striate.training import Recipe

    name, arguments = TWINS[verb]
    function = getattr(striate, name)
    taken = inspect.signature(function.__call__ if inspect.ismodule(function) else function).parameters
    assert set(arguments.values()) <= set(taken)
    options = {action.dest for action in make_parser(verb, verb_modules()[verb])._actions}
    if verb == "inspect":
        return
    if verb == "train":
        assert any(parameter.kind is parameter.VAR_KEYWORD for parameter in taken.values())
        options -= set(Recipe.model_fields)
    assert options - set(arguments) <= SHELL_ONLY


def test_every_verb_has_its_function() -> None:
    verbs = set(verb_modules())
    assert {"zoo", *TWINS} <= verbs
    # zoo is a package, whose networks are striate.zoo.architectures().
    for verb in verbs - {"zoo"}:
        assert callable(getattr(striate, verb)), f"striate {verb} has no function striate.{verb}"
    assert striate.zoo.names() == striate.zoo.names()  # type: ignore[attr-defined]


LIGHT = """
import sys
sys.path[:0] = {path!r}
before = set(sys.modules)
{statement}
print(*{{name.partition(".")[0] for name in set(sys.modules) - before}} - {{"__future__"}})
"""


def imported_by(statement: str) -> set[str]:
    """The packages that a statement loads into a bare interpreter."""
    script = LIGHT.format(path=sys.path, statement=statement)
    done = subprocess.run([sys.executable, "-S", "-c", script], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_import_striate_imports_nothing_else() -> None:
    assert imported_by("import striate") == {"striate"}


def test_importing_the_command_line_imports_nothing_else() -> None:
    """Until main runs Ctrl-C ends in a traceback of Python's: that time has to be short."""
    assert imported_by("from striate.cli import main") == {"striate"}


@pytest.mark.parametrize(
    "statement",
    ["import striate", "import striate; striate.inspect('simple-cnn')", "from striate import network, load, to_yaml"],
)
def test_looking_at_a_network_needs_nothing_heavy(statement: str) -> None:
    heavy = {"torch", "numpy", "rich", "pydantic", "sklearn", "PIL", "matplotlib"}
    assert not heavy & imported_by(statement)


def test_options_win_over_a_recipe(tmp_path: Any) -> None:
    from striate.training import Recipe

    recipe = Recipe(epochs=5, batch=16)
    file = tmp_path / "recipe.yaml"
    file.write_text("epochs: 5\nbatch: 16\n")
    for given in (recipe, file, str(file)):
        run = striate.train("flatten > dense classes", recipe=given, epochs=1, threads=1, runs=tmp_path / "runs")
        assert run.record.asked == {"epochs": 1, "batch": 16, "threads": 1}
    assert recipe == Recipe(epochs=5, batch=16)


def test_a_run_can_be_named_opened_or_handed_over(tmp_path: Any) -> None:
    run = striate.train("flatten > dense classes", epochs=1, threads=1, runs=tmp_path)
    for asked in (run, run.folder.path, str(run.folder.path)):
        assert striate.evaluate(asked).count == 359
        assert striate.report(asked) == run.folder.report_html
    assert striate.open_run(runs=tmp_path).folder.name == run.folder.name
    assert striate.open_run(run.folder.name, runs=tmp_path).record == run.record


def test_build_takes_what_load_takes() -> None:
    module = striate.build("simple-cnn", input=(1, 8, 8), classes=3, init="zero")
    assert module.get_parameter("dense2.weight").shape == (3, 128)
    assert not any(bool(parameter.any()) for parameter in module.parameters())


def test_the_callers_random_state_and_threads_are_his(tmp_path: Any) -> None:
    import torch

    before, threads = torch.get_rng_state(), torch.get_num_threads()
    striate.build("simple-cnn")
    striate.train("flatten > dense classes", epochs=1, threads=2, runs=tmp_path)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.get_num_threads() == threads
