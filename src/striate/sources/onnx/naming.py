"""Names for nodes: from the tensors they hold, from the modules they came from, else by their kind and a number."""

from __future__ import annotations

import keyword
import re
from collections.abc import Iterable

from striate.sources.onnx.model import Operation

__all__ = ["Names", "valid_name"]

_PART = re.compile(r"[^A-Za-z0-9_]+")
#: Names of tensors that an exporter made up.
_MADE_UP = re.compile(r"(onnx::|val_|const|_|arg\d|p_|initializer|[0-9])", re.IGNORECASE)
_ROLES = frozenset(
    {
        "weight",
        "bias",
        "kernel",
        "gamma",
        "beta",
        "w",
        "b",
        "scale",
        "moving_mean",
        "moving_variance",
        "weight_quantized",
    }
)
_LONGEST = 200


def valid_name(text: str) -> str | None:
    """A text as a name of a node, dots nesting; None where nothing of it can stay.

    >>> valid_name("layer1.0.conv1"), valid_name("model/conv2d_1/Conv2D"), valid_name("::")
    ('layer1.0.conv1', 'model.conv2d_1.Conv2D', None)
    """
    parts = [_PART.sub("_", part).strip("_") for part in re.split(r"[./:;]+", text[: 4 * _LONGEST])]
    parts = [f"{part}_" if keyword.iskeyword(part) else part for part in parts if part]
    name = ".".join(parts)
    if not parts or len(name) > _LONGEST:
        return None
    return f"_{name}" if name[0].isdigit() else name


class Names:
    """Gives each node a name of its own, none of which begins with another one and a dot.

    Args:
        tensors: the names of all stored tensors, which show which modules hold others.
    """

    def __init__(self, tensors: Iterable[str] = ()) -> None:
        self._holders = _holders(tensors)
        self._taken: set[str] = set()
        self._prefixes: set[str] = set()
        self._counts: dict[str, int] = {}

    def take(self, kind: str, operation: Operation | None, tensors: tuple[str, ...] = ()) -> str:
        """A free name.

        Args:
            kind: of the layer, for a name that nothing else suggests.
            operation: what it comes from.
            tensors: the names of its stored tensors.
        """
        named = _of_tensors(tensors)
        wanted = named or (None if operation is None else _of_scopes(operation) or _of_path(operation))
        if named is None and wanted in self._holders and operation is not None:
            # What a module computes besides the layers in it, such as the sum at the end of a block.
            wanted = f"{wanted}.{kind}"
        # A module may hold a factor of its own beside the layers inside of it.
        holds = named is not None and kind == "layerscale" and named not in self._taken
        name = wanted if wanted is not None and (holds or self._free(wanted)) else None
        if name is None:
            name = self._numbered(wanted or kind)
        self._taken.add(name)
        parent = name.rpartition(".")[0]
        while parent and parent not in self._prefixes:
            self._prefixes.add(parent)
            parent = parent.rpartition(".")[0]
        return name

    def _free(self, name: str) -> bool:
        if name in self._taken or name in self._prefixes:
            return False
        parts = name.split(".")
        return not any(".".join(parts[:end]) in self._taken for end in range(1, len(parts)))

    def _numbered(self, base: str) -> str:
        # Below another node there is no room for a node; beside it there is.
        parts = base.split(".")
        for end in range(1, len(parts)):
            if ".".join(parts[:end]) in self._taken:
                base = "_".join(parts)
                break
        between = "_" if base[-1].isdigit() or base in self._taken or base in self._prefixes else ""
        while True:
            self._counts[base] = self._counts.get(base, 0) + 1
            name = f"{base}{between}{self._counts[base]}"
            if self._free(name):
                return name


def _holders(tensors: Iterable[str]) -> set[str]:
    """The modules that hold modules: ``a`` and ``a.b`` for ``a.b.c.weight``."""
    found: set[str] = set()
    for tensor in tensors:
        parent = tensor.rpartition(".")[0].rpartition(".")[0]
        while parent and parent not in found:
            found.add(parent)
            parent = parent.rpartition(".")[0]
    return found


def _of_tensors(tensors: tuple[str, ...]) -> str | None:
    """``layer1.0.conv1`` of ``layer1.0.conv1.weight``; None where the tensors bear no names of modules."""
    for tensor in tensors:
        text = re.sub(r":\d+$|_quantized$|/Read(VariableOp)?.*$|__\d+$", "", tensor)
        head, _, last = text.replace("/", ".").rpartition(".")
        if head and (last.lower() in _ROLES or "." in text) and not _MADE_UP.match(text):
            return valid_name(head)
    return None


def _of_scopes(operation: Operation) -> str | None:
    """The module that PyTorch's newer exporter notes, where it holds this operation alone (``layer1.0.relu``)."""
    scopes = [scope for scope in operation.scopes[:-1] if scope]
    return valid_name(scopes[-1]) if len(operation.scopes) > 2 and scopes else None


def _of_path(operation: Operation) -> str | None:
    """``layer1.0.relu`` of ``/layer1/layer1.0/relu/Relu``, as PyTorch's older exporter writes; ``a.b`` of ``a/b``."""
    if "/" not in operation.name:
        return None
    path = ""
    *modules, last = operation.name.strip("/").split("/")
    for part in modules:
        path = part if not path or part == path or part.startswith(f"{path}.") else f"{path}.{part}"
    number = re.search(r"_\d+$", last)
    return valid_name(path + (number.group() if number else "")) if path else valid_name(last)
