"""``file.py:Net``, ``package.module:factory`` → the object of that name, called where it makes a module.

This is the one place where a source runs code: the author's own, named on purpose.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from striate.errors import SourceError, UsageError, near_miss
from striate.sources.wording import quoted

if TYPE_CHECKING:
    from torch import nn

    from striate.graph.graph import Graph
    from striate.units import Shape

__all__ = ["import_reference", "is_reference", "read_kwargs"]

_NAME = r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*"
_REFERENCE = re.compile(rf"(?P<home>[^\s].*?\.py|{_NAME}):(?P<name>{_NAME})")


def is_reference(text: str) -> bool:
    """Whether a text has the form of a reference.

    >>> texts = ("net.py:Net", "torchvision.models:resnet50", "conv1:3,3", "C:/nets/my.py:N")
    >>> [is_reference(text) for text in texts]
    [True, True, False, True]
    """
    return _REFERENCE.fullmatch(text) is not None


def import_reference(text: str, input: Shape | tuple[Shape, ...] | None, kwargs: Mapping[str, Any]) -> Graph:
    """The network that a reference names.

    A class or function is called with ``kwargs``: first on the device meta, where weights take no memory; where it, or
    the forward pass, needs numbers, as it is. A module that exists already is taken as it is.

    Args:
        text: the reference.
        input: the shape of one image, or one for each argument of ``forward``.
        kwargs: what the class or function is called with.

    Raises:
        SourceError: there is no such file, module or name; it fails; it makes no ``nn.Module``; that cannot be traced.
    """
    from torch import nn

    from striate.sources.torch_module import import_module
    from striate.sources.torch_module.faults import NumbersMissingError

    made = _object(text)
    if input is None:
        raise SourceError(
            "a module does not say what images it takes", where=text, needs="an input", write="input=(3, 224, 224)"
        )
    name = text.rpartition(":")[2].rpartition(".")[2]
    if isinstance(made, nn.Module):
        if kwargs:
            raise UsageError("this is a module already, which takes no options", where=text, got=_listed(kwargs))
        return import_module(made, input, name=name)
    if not callable(made):
        raise SourceError(
            "this is no module, and nothing that makes one",
            where=text,
            got=type(made).__name__,
            needs="a class that derives from nn.Module, a function that returns one, or one that exists",
        )
    with _beside(text):
        module = _without_numbers(text, made, kwargs)
        if module is not None:
            try:
                return _placed(import_module(module, input, name=name), made)
            except NumbersMissingError:
                del module
        return _placed(import_module(_made(text, made, kwargs), input, name=name), made)


def _placed(graph: Graph, factory: Any) -> Graph:
    """The network with the line of what made it where no line of a forward is known: in torch's own containers."""
    try:
        file, line = inspect.getsourcefile(factory), inspect.getsourcelines(factory)[1]
    except (TypeError, OSError):
        return graph
    if file is None or str(getattr(factory, "__module__", "")).partition(".")[0] == "torch":
        return graph
    here = os.getcwd() + os.sep
    origin = f"{file.removeprefix(here)}:{line}"
    unplaced = [node.origin is None and bool(node.inputs) for node in graph.nodes]
    nodes = (replace(node, origin=origin) if bare else node for node, bare in zip(graph.nodes, unplaced, strict=True))
    return replace(graph, nodes=tuple(nodes)) if any(unplaced) else graph


def _without_numbers(text: str, factory: Any, kwargs: Mapping[str, Any]) -> nn.Module | None:
    """The module on the device meta; None where that device, and not the author's code, is why it cannot be made."""
    import torch

    try:
        with torch.device("meta"):
            return _made(text, factory, kwargs)
    except _AuthorError as error:
        if not error.on_meta:
            raise
        return None


def _made(text: str, factory: Any, kwargs: Mapping[str, Any]) -> nn.Module:
    from torch import nn

    try:
        module = factory(**kwargs)
    except (Exception, SystemExit) as error:
        write = None
        if isinstance(error, TypeError) and "argument" in str(error):
            write = "--kwargs NAME=VALUE, once for each option of it"
        raise _failed(f"{text} cannot be made", error, text, write) from None
    if not isinstance(module, nn.Module):
        raise SourceError(
            "what this makes is no module",
            where=text,
            got=type(module).__name__,
            needs="a class that derives from nn.Module, or a function that returns one",
        )
    return module


def _object(text: str) -> Any:
    found = _REFERENCE.fullmatch(text)
    if found is None:
        raise SourceError("this is no reference", got=quoted(text), needs="file.py:NAME or package.module:NAME")
    with _beside(text):
        module = _file(found["home"], text) if found["home"].endswith(".py") else _module(found["home"], text)
    made: Any = module
    for part in found["name"].split("."):
        if not hasattr(made, part):
            known = [entry for entry in vars(made) if not entry.startswith("_")] if hasattr(made, "__dict__") else []
            callables = [entry for entry in known if callable(getattr(made, entry, None))]
            raise SourceError(
                f"there is no {quoted(part)} in {found['home']}",
                where=text,
                needs="one of " + ", ".join(callables[:12]) if callables else "a class or function",
                write=f"{found['home']}:{hint}" if (hint := near_miss(part, callables)) else None,
            )
        made = getattr(made, part)
    return made


def _file(home: str, text: str) -> ModuleType:
    path = Path(home)
    if not path.is_file():
        raise SourceError("there is no such file", where=home, needs="an existing Python file")
    name = f"_striate_{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path.resolve())
    if spec is None or spec.loader is None:
        raise SourceError("this is not a Python file", where=home)
    module = importlib.util.module_from_spec(spec)
    # Dataclasses and other code look their module up by its name.
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise _failed(f"{home} cannot be imported", error, home) from None
    return module


def _module(home: str, text: str) -> ModuleType:
    try:
        return importlib.import_module(home)
    except ModuleNotFoundError as error:
        missing = str(error.name)
        if missing == home or home.startswith(f"{missing}."):
            raise SourceError(
                f"there is no module {quoted(missing)} here",
                where=text,
                needs="an installed package, or a module in the folder where Striate runs",
                write=f"pip install {missing.partition('.')[0]}, or PATH/TO/FILE.py:{text.rpartition(':')[2]}",
            ) from None
        raise _failed(f"{home} cannot be imported", error, text) from None
    except (Exception, SystemExit) as error:
        raise _failed(f"{home} cannot be imported", error, text) from None


@contextmanager
def _beside(text: str) -> Iterator[None]:
    """What stands beside the file, or in the working folder, can be imported meanwhile."""
    home = text.rpartition(":")[0]
    folder = str(Path(home).resolve().parent) if home.endswith(".py") else os.getcwd()
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        if folder in sys.path:
            sys.path.remove(folder)


class _AuthorError(SourceError):
    """What the author's own code raised."""

    on_meta = False


def _failed(problem: str, error: BaseException, where: str, write: str | None = None) -> _AuthorError:
    """The author's error, with the author's file and line."""
    place, trace = where, error.__traceback__
    own = str(Path(__file__).parents[1])
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if not name.startswith((own, "<")) and f"{os.sep}importlib{os.sep}" not in name:
            place = f"{name}:{trace.tb_lineno}"
        trace = trace.tb_next
    if isinstance(error, SyntaxError) and error.filename and error.lineno:
        place = f"{error.filename}:{error.lineno}"
    told = " ".join(str(error).split())[:300]
    failed = _AuthorError(problem, where=place, got=f"{type(error).__name__}: {told}", write=write)
    failed.on_meta = _tells_of_meta(error)
    return failed


def _tells_of_meta(error: BaseException | None) -> bool:
    """Whether an error, or one that it followed, names the device without numbers."""
    for _ in range(20):
        if error is None:
            break
        if "meta" in str(error).lower():
            return True
        error = error.__cause__ or error.__context__
    return False


def _listed(kwargs: Mapping[str, Any]) -> str:
    return ", ".join(f"{key}={value!r}" for key, value in kwargs.items())[:200]


def read_kwargs(texts: Iterable[str], where: str = "--kwargs") -> dict[str, Any]:
    """Options as a command line gives them: JSON objects, or ``NAME=VALUE`` with a value in JSON, else a text.

    Raises:
        UsageError: it is neither, or a name is given twice.

    >>> read_kwargs(["num_classes=10", '{"width": 0.5}', "act=relu"])
    {'num_classes': 10, 'width': 0.5, 'act': 'relu'}
    """
    given: dict[str, Any] = {}
    for text in texts:
        for name, value in _pairs(text, where).items():
            if name in given:
                raise UsageError(f"{name} is given twice", where=where, got=quoted(text, 60))
            given[name] = value
    return given


def _pairs(text: str, where: str) -> dict[str, Any]:
    example = "num_classes=10, or '{\"num_classes\": 10}'"
    if text.lstrip().startswith("{"):
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            raise UsageError("this is not a JSON object", where=where, got=quoted(text, 60), write=example) from None
        return dict(found)
    name, equals, value = text.partition("=")
    if not equals or not name.strip().isidentifier():
        needs = "NAME=VALUE or a JSON object"
        raise UsageError("this is no option", where=where, got=quoted(text, 60), needs=needs, write=example)
    try:
        return {name.strip(): json.loads(value)}
    except (ValueError, RecursionError):
        return {name.strip(): {"True": True, "False": False, "None": None}.get(value, value)}
