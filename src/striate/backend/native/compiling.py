"""LLVM code → functions in memory that share rows among torch's threads; by llvmlite, in some hundredths of a second.

Nothing is written to disk: what is compiled belongs to this processor and this process.
"""

from __future__ import annotations

import ctypes
from string import Template
from typing import Any

import torch

from striate.backend.native.threads import Team, torch_team

__all__ = ["RowFunction", "compiled"]

#: In each thread: its share of the rows. ``%data`` is the address of the function's numbers and the number of rows.
_SHARED = """
define void @${name}_shared(ptr %data) {
  %number = call i32 inttoptr (i64 $number to ptr)()
  %count = call i32 inttoptr (i64 $count to ptr)()
  %thread = zext i32 %number to i64
  %threads = zext i32 %count to i64
  %numbers = load ptr, ptr %data
  %at = getelementptr i64, ptr %data, i64 1
  %rows = load i64, ptr %at
  %next = add i64 %thread, 1
  %rows_before = mul i64 %rows, %thread
  %rows_until = mul i64 %rows, %next
  %first = udiv i64 %rows_before, %threads
  %last = udiv i64 %rows_until, %threads
  call void @$name(ptr %numbers, i64 %first, i64 %last)
  ret void
}
"""


class RowFunction:
    """A compiled function that computes rows, each for itself.

    Args:
        engine: holds the machine code, which lives as long as this.
        name: of the function in the source: ``void name(int64 *numbers, int64 first, int64 last)``.
        team: torch's threads; None: one thread.
    """

    def __init__(self, engine: Any, name: str, team: Team | None) -> None:
        self._engine, self._team = engine, team
        prototype = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)
        self._alone = prototype(engine.get_function_address(name))
        self._shared = engine.get_function_address(f"{name}_shared") if team else 0

    def __call__(self, numbers: tuple[int, ...], rows: int, *, share: bool) -> None:
        """Compute so many rows; with ``share`` in as many threads as torch is set to."""
        given = (ctypes.c_int64 * len(numbers))(*numbers)
        threads = torch.get_num_threads() if share else 1
        if self._team is None or threads == 1:
            self._alone(ctypes.addressof(given), 0, rows)
            return
        data = (ctypes.c_int64 * 2)(ctypes.addressof(given), rows)
        self._team.parallel(self._shared, ctypes.addressof(data), threads, 0)


def compiled(source: str, names: tuple[str, ...]) -> tuple[RowFunction, ...]:
    """Machine code for this processor.

    Args:
        source: LLVM code.
        names: of the functions in it, see :class:`RowFunction`.

    Raises:
        ImportError: llvmlite is not installed.
        RuntimeError: it cannot compile this here.
    """
    import llvmlite.binding as llvm

    team = torch_team()
    if team is not None:
        values = {"number": team.number, "count": team.count}
        source += "".join(Template(_SHARED).substitute(values, name=name) for name in names)
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    module = llvm.parse_assembly(source)
    machine = llvm.Target.from_default_triple().create_target_machine(
        cpu=llvm.get_host_cpu_name(), features=llvm.get_host_cpu_features().flatten(), opt=3
    )
    # Only what is marked so is put into its place: the code is written as it is to be computed.
    builder = llvm.create_pass_builder(machine, llvm.create_pipeline_tuning_options(speed_level=0))
    builder.getModulePassManager().run(module, builder)
    engine = llvm.create_mcjit_compiler(module, machine)
    engine.finalize_object()
    return tuple(RowFunction(engine, name, team) for name in names)
