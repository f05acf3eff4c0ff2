"""A pickle followed opcode by opcode, with nothing imported, called or built (protocols 0 to 5, PEP 307, 3154, 574).

The standard library's ``pickletools`` says which opcodes there are; what they do to the stack is written down here, on
objects that do nothing. So what a pickle would import and call is known before anybody loads it. What damages a pickle
behind such a place does not hide it: loading would have run it by then.
"""

from __future__ import annotations

import pickletools
from collections.abc import Callable
from typing import Any, BinaryIO

from striate.sources.checkpoint.faults import short
from striate.sources.checkpoint.inert import Call, Name, Pairs, Persistent

__all__ = ["OPCODE_LIMIT", "PickleMachine"]

OPCODE_LIMIT = 3_000_000
"""The most opcodes that are followed; the largest networks have some hundred thousand."""
_NAME_LIMIT = 10_000

_MARK = object()
_CONSTANTS = {"NONE": None, "NEWTRUE": True, "NEWFALSE": False}
_VALUES = frozenset(
    (
        *("INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT"),
        *("STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"),
        *("BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8"),
    )
)


class PickleMachine:
    """Follows one pickle.

    After :meth:`run`, ``result`` is what it would build, ``names`` what it would import (and whether it would call
    that), and ``fault`` why it could not be followed to its end, if it could not.

    Args:
        limit: the most opcodes that are followed.
    """

    def __init__(self, limit: int = OPCODE_LIMIT) -> None:
        self._limit = limit
        self.result: Any = None
        self.names: dict[str, bool] = {}
        self.fault: str | None = None
        self._stack: list[Any] = []
        self._memo: dict[int, Any] = {}
        self._rules: dict[str, Callable[[Any], None]] = self._opcodes()

    def run(self, stream: BinaryIO) -> None:
        """Follow the pickle that begins here.

        >>> import io
        >>> machine = PickleMachine()
        >>> machine.run(io.BytesIO(b"cos\\nsystem\\n(S'rm -rf /'\\ntR."))
        >>> machine.names
        {'os.system': True}
        """
        steps = 0
        try:
            for opcode, argument, _ in pickletools.genops(stream):
                steps += 1
                if steps > self._limit:
                    self.fault = f"more than {self._limit:,} opcodes"
                    return
                self._follow(opcode.name, argument)
                if opcode.name == "STOP":
                    return
        except (ValueError, LookupError, TypeError, AttributeError, OverflowError, EOFError, MemoryError) as error:
            self.fault = short(error) or type(error).__name__

    def _follow(self, name: str, argument: Any) -> None:
        if name in _VALUES:
            self._stack.append(argument)
        elif name in _CONSTANTS:
            self._stack.append(_CONSTANTS[name])
        elif name in self._rules:
            self._rules[name](argument)
        elif name not in ("PROTO", "FRAME"):
            raise ValueError(f"the opcode {name}, which no tensor needs")

    def _opcodes(self) -> dict[str, Callable[[Any], None]]:
        push = self._stack.append
        return {
            "STOP": lambda _: self._stop(),
            "MARK": lambda _: push(_MARK),
            "POP": lambda _: self._drop(),
            "POP_MARK": lambda _: self._drop_marked(),
            "DUP": lambda _: push(self._stack[-1]),
            "EMPTY_LIST": lambda _: push([]),
            "EMPTY_TUPLE": lambda _: push(()),
            "EMPTY_DICT": lambda _: push(Pairs()),
            "EMPTY_SET": lambda _: push([]),
            "LIST": lambda _: push(self._marked()),
            "TUPLE": lambda _: push(tuple(self._marked())),
            "TUPLE1": lambda _: push((self._pop(),)),
            "TUPLE2": lambda _: push(tuple(self._pops(2))),
            "TUPLE3": lambda _: push(tuple(self._pops(3))),
            "FROZENSET": lambda _: push(self._marked()),
            "DICT": lambda _: push(Pairs(_paired(self._marked()))),
            "APPEND": lambda _: self._append([self._pop()]),
            "APPENDS": lambda _: self._append(self._marked()),
            "ADDITEMS": lambda _: self._append(self._marked()),
            "SETITEM": lambda _: self._store(self._pops(2)),
            "SETITEMS": lambda _: self._store(self._marked()),
            "PUT": self._remember,
            "BINPUT": self._remember,
            "LONG_BINPUT": self._remember,
            "MEMOIZE": lambda _: self._remember(len(self._memo)),
            "GET": lambda place: push(self._memo[place]),
            "BINGET": lambda place: push(self._memo[place]),
            "LONG_BINGET": lambda place: push(self._memo[place]),
            "GLOBAL": lambda text: push(self._named(*text.split(" ", 1))),
            "STACK_GLOBAL": lambda _: push(self._named(*self._pops(2))),
            "EXT1": lambda code: push(self._named("copyreg", f"extension {code}")),
            "EXT2": lambda code: push(self._named("copyreg", f"extension {code}")),
            "EXT4": lambda code: push(self._named("copyreg", f"extension {code}")),
            "REDUCE": lambda _: self._call(*self._pops(2)),
            "NEWOBJ": lambda _: self._call(*self._pops(2)),
            "NEWOBJ_EX": lambda _: self._call(*self._pops(3)[:2]),
            "INST": lambda text: self._call(self._named(*text.split(" ", 1)), tuple(self._marked())),
            "OBJ": lambda _: self._object(self._marked()),
            "BUILD": lambda _: self._build(self._pop()),
            "PERSID": lambda key: push(Persistent(key)),
            "BINPERSID": lambda _: push(Persistent(self._pop())),
            "NEXT_BUFFER": lambda _: push(Persistent("buffer")),
            "READONLY_BUFFER": lambda _: None,
        }

    def _stop(self) -> None:
        self.result = self._pop()

    def _drop(self) -> None:
        self._stack.pop()

    def _drop_marked(self) -> None:
        self._marked()

    def _pop(self) -> Any:
        value = self._stack.pop()
        if value is _MARK:
            raise ValueError("a mark where a value should be")
        return value

    def _pops(self, count: int) -> list[Any]:
        return [self._pop() for _ in range(count)][::-1]

    def _marked(self) -> list[Any]:
        """Everything above the last mark, which goes too."""
        values: list[Any] = []
        while (value := self._stack.pop()) is not _MARK:
            values.append(value)
        return values[::-1]

    def _remember(self, place: int) -> None:
        self._memo[place] = self._stack[-1]

    def _append(self, values: list[Any]) -> None:
        target = self._stack[-1]
        place = target.items if isinstance(target, Call) else target
        if not isinstance(place, list):
            raise TypeError("items for what holds none")
        place.extend(values)

    def _store(self, values: list[Any]) -> None:
        target = self._stack[-1]
        if not isinstance(target, (Call, Pairs)):
            raise TypeError("entries for what has none")
        target.entries.extend(_paired(values))

    def _named(self, module: Any, name: Any) -> Name:
        # A name that is computed while loading is not known before; that there is one is.
        parts = [part if isinstance(part, str) else "(computed while loading)" for part in (module, name)]
        found = Name(*parts)
        if len(self.names) < _NAME_LIMIT:
            self.names.setdefault(short(found.full), False)
        return found

    def _call(self, function: Any, arguments: Any) -> None:
        if isinstance(function, Name) and short(function.full) in self.names:
            self.names[short(function.full)] = True
        self._stack.append(Call(function, arguments))

    def _object(self, values: list[Any]) -> None:
        self._call(values[0], tuple(values[1:]))

    def _build(self, state: Any) -> None:
        target = self._stack[-1]
        if isinstance(target, Call):
            target.state = state


def _paired(values: list[Any]) -> list[tuple[Any, Any]]:
    if len(values) % 2:
        raise ValueError("a key without a value")
    return list(zip(values[::2], values[1::2], strict=True))
