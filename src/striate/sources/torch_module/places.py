"""Where a call comes from: the module whose forward runs, and the author's file and line."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any

import torch
from torch import nn
from torch.nn.modules import module as hooks

from striate.sources.torch_module.faults import scripted_part
from striate.sources.torch_module.values import Place

__all__ = ["Places"]

_TORCH = str(Path(torch.__file__).parent) + os.sep
_STRIATE = str(Path(__file__).parents[2]) + os.sep
_LIBRARY = str(Path(os.__file__).parent) + os.sep
_FOREIGN = (_TORCH, _STRIATE, "<")


class Places:
    """Follows which module's forward runs, through hooks for all modules that are gone after ``with``.

    Args:
        root: the outermost module.
    """

    def __init__(self, root: nn.Module) -> None:
        self._paths = {id(module): path for path, module in root.named_modules()}
        self._stack: list[Place] = [Place("", False, None)]
        self._handles: list[Any] = []
        self._bottom: FrameType | None = None
        self._shown: dict[str, str] = {}

    def __enter__(self) -> Places:
        self._bottom = sys._getframe(1)
        self._handles = [
            hooks.register_module_forward_pre_hook(self._enter_module),
            hooks.register_module_forward_hook(self._leave_module, always_call=True),
        ]
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: Any) -> None:
        for handle in self._handles:
            handle.remove()
        self._bottom = None

    def _enter_module(self, module: nn.Module, arguments: Any) -> None:
        path = self._paths.get(id(module))
        if path is None:
            above = self._stack[-1].path
            path = f"{above}.{type(module).__name__}" if above else type(module).__name__
        if isinstance(module, torch.jit.ScriptModule):
            raise scripted_part(path, type(module).__name__, self.here())
        leaf = type(module).__module__.startswith("torch.nn.") and next(module.children(), None) is None
        self._stack.append(Place(path, leaf or "parametriz" in type(module).__module__, None))

    def _leave_module(self, module: nn.Module, arguments: Any, result: Any) -> None:
        if len(self._stack) > 1:
            self._stack.pop()

    @property
    def path(self) -> str:
        """The module whose forward runs."""
        return self._stack[-1].path

    def current(self) -> Place:
        """Where the call that is being recorded was made."""
        top = self._stack[-1]
        return Place(top.path, top.leaf, self.here())

    def here(self) -> str | None:
        """The author's file and line: the innermost outside of torch and Striate."""
        frame: FrameType | None = sys._getframe(1)
        while frame is not None and frame is not self._bottom:
            name = frame.f_code.co_filename
            if not name.startswith(_FOREIGN):
                return f"{self._file(name)}:{frame.f_lineno}"
            frame = frame.f_back
        return None

    def of(self, trace: TracebackType | None) -> str | None:
        """The same, for an exception."""
        found = None
        inside = False
        while trace is not None:
            name = trace.tb_frame.f_code.co_filename
            inside = inside or name.startswith(_STRIATE)
            if not name.startswith(_FOREIGN):
                found = f"{self._file(name)}:{trace.tb_lineno}"
            trace = trace.tb_next
        return found

    def _file(self, name: str) -> str:
        """As short as it can be opened: below the working folder relative to it."""
        if name not in self._shown:
            here = os.getcwd() + os.sep
            self._shown[name] = name[len(here) :] if name.startswith(here) else name
        return self._shown[name]
