"""A small machine that works off a program from memory: compiled once per process, for programs of any length.

The program is a list of runs (schedule.py): an opcode, how many results, and the places of the operands. Straight-line
code would take LLVM longer to compile than most such programs run.
"""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Sequence
from functools import cache, lru_cache

from scalargrad.compiling.llvm.library import Machinery, once
from scalargrad.compiling.llvm.primitives import HELPERS, Lanes
from scalargrad.compiling.llvm.schedule import Schedule
from scalargrad.compiling.lowering import PRIMITIVE
from scalargrad.compiling.tape import Instruction, row


@cache
def opcodes() -> dict[str, int]:
    """A number for each primitive op."""
    return {op: i for i, op in enumerate(sorted(PRIMITIVE))}


@once
def _machine(width: int) -> Machinery:
    """The function run(memory, runs, count, operands), over numbers or vectors of lanes."""
    lanes = Lanes(width)
    t, align = lanes.type, 8 * width
    blocks, targets = [], []
    for op, opcode in opcodes().items():
        n = row(op).arity or len(row(op).arguments)
        names = [f"%x{opcode}_{i}" for i in range(n)]
        body = []
        for i, x in enumerate(names):
            body += [
                f"{x}.q = getelementptr i32, ptr %o{opcode}, i64 {i}",
                f"{x}.i = load i32, ptr {x}.q, align 4",
                f"{x}.p = getelementptr {t}, ptr %memory, i32 {x}.i",
                f"{x} = load {t}, ptr {x}.p, align {align}",
            ]
        body += lanes.lines(op, f"%r{opcode}", names)
        body += [
            f"store {t} %r{opcode}, ptr %d{opcode}, align {align}",
            f"%dn{opcode} = getelementptr {t}, ptr %d{opcode}, i64 1",
            f"%on{opcode} = getelementptr i32, ptr %o{opcode}, i64 {n}",
            f"%go{opcode} = icmp ne ptr %dn{opcode}, %stop",
            f"br i1 %go{opcode}, label %op{opcode}, label %done",
        ]
        blocks.append(
            "\n  ".join([
                f"op{opcode}:",
                f"%d{opcode} = phi ptr [%first, %dispatch], [%dn{opcode}, %op{opcode}]",
                f"%o{opcode} = phi ptr [%operand, %dispatch], [%on{opcode}, %op{opcode}]",
                *body,
            ])
        )  # fmt: skip
        targets.append(f"i32 {opcode}, label %op{opcode}")
    ends = ", ".join(f"[%on{opcode}, %op{opcode}]" for opcode in opcodes().values())
    text = f"""
define void @run(ptr noalias %memory, ptr noalias %runs, i64 %count, ptr noalias %operands) {{
entry:
  %some = icmp sgt i64 %count, 0
  br i1 %some, label %dispatch, label %end
dispatch:
  %i = phi i64 [0, %entry], [%i1, %done]
  %operand = phi ptr [%operands, %entry], [%operand1, %done]
  %k = mul i64 %i, 3
  %code_at = getelementptr i32, ptr %runs, i64 %k
  %code = load i32, ptr %code_at, align 4
  %k1 = add i64 %k, 1
  %from_at = getelementptr i32, ptr %runs, i64 %k1
  %from = load i32, ptr %from_at, align 4
  %k2 = add i64 %k, 2
  %to_at = getelementptr i32, ptr %runs, i64 %k2
  %to = load i32, ptr %to_at, align 4
  %first = getelementptr {t}, ptr %memory, i32 %from
  %stop = getelementptr {t}, ptr %memory, i32 %to
  switch i32 %code, label %end [{"  ".join(targets)}]
{chr(10).join(blocks)}
done:
  %operand1 = phi ptr {ends}
  %i1 = add i64 %i, 1
  %more = icmp slt i64 %i1, %count
  br i1 %more, label %dispatch, label %end
end:
  ret void
}}
"""
    declared = sorted(lanes.called | {"declare double @llvm.floor.f64(double)"})
    return Machinery("\n".join([HELPERS, *declared, text]), ["run"], 2)


class MachineCode:
    """A program for the machine.

    Attributes:
        schedule: where everything lies.
        run: (memory): work it off.
    """

    def __init__(self, code: Sequence[Instruction], width: int = 1) -> None:
        self.schedule = schedule = Schedule(code)
        numbers = opcodes()
        self._runs = array("i")
        for op, first, size in schedule.runs:
            self._runs.extend((numbers[op], first, first + size))
        p, i = ctypes.c_void_p, ctypes.c_int64
        self._run = ctypes.CFUNCTYPE(None, p, p, i, p)(_machine(width).addresses["run"])
        self._program = (self._runs.buffer_info()[0], len(schedule.runs), schedule.operands.buffer_info()[0])

    def run(self, memory: int) -> None:
        """Work off the program on the numbers at this address."""
        self._run(memory, *self._program)


@lru_cache(maxsize=32)
def machine_code(code: tuple[Instruction, ...], width: int = 1) -> MachineCode:
    """The program, laid out once for tapes of the same structure."""
    return MachineCode(code, width)
