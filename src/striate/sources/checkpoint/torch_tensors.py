"""Tensors in what a pickle would build: found by the calls that PyTorch rebuilds them with."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from striate.sources.checkpoint.faults import checked_shape, short
from striate.sources.checkpoint.inert import Call, Name, Pairs, Persistent
from striate.sources.checkpoint.listing import ListedTensor

__all__ = ["expected_import", "find_metadata", "find_tensors"]

_VISIT_LIMIT = 2_000_000
_DEPTH_LIMIT = 100
_METADATA_LIMIT = 100

_REBUILDERS = frozenset(
    f"torch._utils.{name}"
    for name in (
        "_rebuild_parameter",
        "_rebuild_parameter_with_state",
        "_rebuild_qtensor",
        "_rebuild_sparse_tensor",
        "_rebuild_tensor",
        "_rebuild_tensor_v2",
        "_rebuild_tensor_v3",
        "_rebuild_meta_tensor_no_storage",
        "_rebuild_device_tensor_from_numpy",
        "_rebuild_device_tensor_from_cpu_tensor",
        "_rebuild_wrapper_subclass",
    )
)
#: PyTorch's storages and the types of their numbers.
_STORAGES = {
    "DoubleStorage": "float64",
    "FloatStorage": "float32",
    "HalfStorage": "float16",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "int64",
    "IntStorage": "int32",
    "ShortStorage": "int16",
    "CharStorage": "int8",
    "ByteStorage": "uint8",
    "BoolStorage": "bool",
    "ComplexFloatStorage": "complex64",
    "ComplexDoubleStorage": "complex128",
    "QUInt8Storage": "quint8",
    "QInt8Storage": "qint8",
    "QInt32Storage": "qint32",
    "UntypedStorage": "uint8",
}
_BYTES = {
    **dict.fromkeys(("bool", "uint8", "int8", "quint8", "qint8"), 1),
    **dict.fromkeys(("float8_e4m3fn", "float8_e5m2", "float8_e4m3fnuz", "float8_e5m2fnuz", "float8_e8m0fnu"), 1),
    **dict.fromkeys(("float16", "bfloat16", "int16", "uint16"), 2),
    **dict.fromkeys(("float32", "int32", "uint32", "qint32"), 4),
    **dict.fromkeys(("float64", "int64", "uint64", "complex64"), 8),
    "complex128": 16,
}
_OTHERS = frozenset(
    (
        "collections.OrderedDict",
        "torch.Size",
        "torch.device",
        "torch.Tensor",
        "torch.nn.parameter.Parameter",
        "torch.serialization._get_layout",
        "torch._tensor._rebuild_from_type_v2",
        "torch.storage.UntypedStorage",
        "torch.storage.TypedStorage",
        "torch.storage._load_from_bytes",
        "torch.per_tensor_affine",
        "torch.per_channel_affine",
    )
)
_LOADS_MORE = "torch.storage._load_from_bytes"


def expected_import(name: str) -> bool:
    """Whether PyTorch's own tensors need this import.

    ``torch.storage._load_from_bytes`` is none of them: it loads another pickle that stands inside of the first.

    >>> expected_import("torch._utils._rebuild_tensor_v2"), expected_import("os.system")
    (True, False)
    """
    if name in _REBUILDERS or (name in _OTHERS and name != _LOADS_MORE):
        return True
    module, _, last = name.rpartition(".")
    return module == "torch" and (last in _STORAGES or last in _BYTES)


def find_tensors(root: Any) -> Iterator[ListedTensor]:
    """Every tensor in an object, with the group it stands in; each place is looked at once."""
    seen: set[int] = set()
    stack: list[tuple[Any, tuple[str, ...], bool]] = [(root, (), False)]
    while stack and len(seen) < _VISIT_LIMIT:
        value, path, in_module = stack.pop()
        tensor = _tensor(value)
        if tensor is not None:
            yield _listed(tensor, path, in_module)
            continue
        if isinstance(value, (str, bytes, int, float, Name)) or value is None or len(path) > _DEPTH_LIMIT:
            continue
        if id(value) in seen:
            continue
        seen.add(id(value))
        parts, module = _parts(value)
        stack += [(part, (*path, *_step(key)), in_module or module) for key, part in reversed(parts)]


def _parts(value: Any) -> tuple[list[tuple[Any, Any]], bool]:
    """What an object holds, by key, and whether it is a module that was pickled as a whole."""
    if isinstance(value, (list, tuple)):
        return list(enumerate(value)), False
    if isinstance(value, Pairs):
        return list(value.entries), False
    if isinstance(value, Call):
        state = value.state.entries if isinstance(value.state, Pairs) else []
        script = isinstance(value.function, Name) and value.function.module.startswith("__torch__")
        module = script or any(key in ("_modules", "_parameters") for key, _ in state)
        rest = [("", value.state)] if value.state is not None and not state else []
        more = [("", entry) for entry in (*value.items, value.arguments)]
        return [*state, *value.entries, *rest, *more], module
    return [], False


def _step(key: Any) -> tuple[str, ...]:
    """A key as a part of a path; what PyTorch's modules keep their parts under is left out."""
    if isinstance(key, str):
        return () if key in ("", "_modules", "_parameters", "_buffers") else (short(key, 300),)
    return (str(key),) if isinstance(key, int) and abs(key) < 10**18 else (type(key).__name__,)


def _listed(tensor: tuple[tuple[int, ...], str, str], path: tuple[str, ...], in_module: bool) -> ListedTensor:
    shape, dtype, storage = tensor
    # The dictionary that directly holds a tensor is its group; a pickled module has one name all the way down.
    name, group = (".".join(path), "") if in_module or not path else (path[-1], ".".join(path[:-1]))
    return ListedTensor(name, shape, dtype, math.prod(shape) * _BYTES.get(dtype, 0), group, storage)


def _tensor(value: Any) -> tuple[tuple[int, ...], str, str] | None:
    """Shape, type and storage, where a call rebuilds a tensor."""
    for _ in range(4):
        if not isinstance(value, Call) or not isinstance(value.function, Name) or value.function.full not in _WRAPPERS:
            break
        place = _WRAPPERS[value.function.full]
        arguments = value.arguments if isinstance(value.arguments, tuple) else ()
        value = arguments[place] if len(arguments) > place else None
        if isinstance(value, tuple):
            return None
    if not isinstance(value, Call) or not isinstance(value.function, Name):
        return None
    if value.function.full not in _REBUILDERS or not isinstance(value.arguments, tuple):
        return None
    arguments = value.arguments
    if value.function.name == "_rebuild_meta_tensor_no_storage":
        shape = checked_shape(_sizes(arguments[1])) if len(arguments) > 1 else None
        return None if shape is None else (shape, _dtype(arguments[0]), "")
    if len(arguments) < 3 or not isinstance(arguments[0], Persistent):
        return None
    shape = checked_shape(_sizes(arguments[2]))
    key = arguments[0].key
    if shape is None or not isinstance(key, tuple) or len(key) < 3:
        return None
    dtype = _STORAGES.get(key[1].name, key[1].name) if isinstance(key[1], Name) else "?"
    if value.function.name == "_rebuild_tensor_v3" and len(arguments) > 6:
        dtype = _dtype(arguments[6])
    offset = arguments[1] if isinstance(arguments[1], int) else 0
    return shape, short(dtype, 40), f"{short(key[2], 80)}+{offset}"


#: Calls around a tensor, and which of their arguments it is.
_WRAPPERS = {"torch._utils._rebuild_parameter": 0, "torch._utils._rebuild_parameter_with_state": 0}


def _sizes(value: Any) -> Any:
    if isinstance(value, Call) and isinstance(value.arguments, tuple) and len(value.arguments) == 1:
        return value.arguments[0]
    return value


def _dtype(value: Any) -> str:
    return short(value.name, 40) if isinstance(value, Name) else "?"


def find_metadata(root: Any) -> Iterator[tuple[str, str]]:
    """Texts and numbers that stand directly in a dictionary, and one level below."""
    entries = root.entries if isinstance(root, (Pairs, Call)) else []
    count = 0
    for key, value in entries:
        inner = value.entries if isinstance(value, Pairs) else [(None, value)]
        for name, entry in inner:
            if isinstance(entry, (str, int, float, bool)) and isinstance(key, str) and count < _METADATA_LIMIT:
                whole = key if name is None else f"{key}.{name if isinstance(name, (str, int)) else '?'}"
                yield short(whole, 120), short(entry if not isinstance(entry, int) else _number(entry), 200)
                count += 1


def _number(value: int) -> str:
    # A pickle may hold a number that is too long to be written out.
    return str(value) if value.bit_length() < 1000 else f"a number of {value.bit_length()} bits"
