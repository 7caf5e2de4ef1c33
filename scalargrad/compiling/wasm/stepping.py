"""One call for a whole training step, as in llvm/stepping.py: a module that calls those of a program and of a rule.

It reads what it needs from the same block of 64-bit fields.
"""

from __future__ import annotations

from functools import cache

from scalargrad.compiling.llvm.stepping import FIELDS, KINDS, Calls
from scalargrad.compiling.wasm.assembling import assembled
from scalargrad.compiling.wasm.binary import Function, module
from scalargrad.compiling.wasm.library import Exports, loaded

IMPORTS = {
    "begin": "iii>", "tiles": "iiiiiiiiii>", "finish": "iiiiiiidd>", "update_begin": "iii>",
    "update_tiles": "iiiiiiiiii>",
}  # fmt: skip


def calls(program: Exports, update: Exports | None) -> Calls:
    """What a step consists of, of these modules for batches: the program's, and the optimizer's rule's.

    Without a rule a step is a sweep.
    """
    others = {name: program[name] for name in ("begin", "tiles", "finish")}
    if update is not None:
        others |= {"update_begin": update["begin"], "update_tiles": update["tiles"]}
    made = loaded(written(with_step=update is not None), **others)
    names = [name for name in Calls._fields if name not in Calls._field_defaults]
    return Calls(**{name: made.get(name, made["sweep"]) for name in names})


@cache
def written(*, with_step: bool) -> bytes:
    """The module."""
    functions = [one for one in _functions() if with_step or one.name != "step"]
    return module(functions, IMPORTS, [one.name for one in functions])


def _fields(text: str) -> str:
    """The instructions that put the fields of these names on the stack; numbers stand for themselves."""
    words: list[str] = []
    for word in text.split():
        if word in FIELDS and words[-1:] != ["call"]:
            load = "f64.load" if KINDS.get(word) == "double" else "i32.load"
            words.append(f"$block {load} {8 * FIELDS.index(word)}")
        else:
            words.append(word)
    return " ".join(words)


def _functions() -> list[Function]:
    return [
        assembled("has_nan", "numbers:i count:i", "i", "i:i at:i", """
            block loop
              $i $count i32.ge_s br_if 1
              $numbers $i 8 i32.mul i32.add =at
              $at f64.load 0 $at f64.load 0 f64.ne if 1 return end
              $i 1 i32.add =i
              br 0
            end end
            0
        """),
        assembled("gather", "from:i places:i count:i into:i", "", "i:i", """
            block loop
              $i $count i32.ge_s br_if 1
              $into $i 8 i32.mul i32.add
              $from $places $i 8 i32.mul i32.add i32.load 0 8 i32.mul i32.add f64.load 0
              f64.store 0
              $i 1 i32.add =i
              br 0
            end end
        """),
        assembled("collect", "found:i inverse:i count:i divisor:d into:i is_first:i", "", "i:i place:i at:i more:d", """
            block loop
              $i $count i32.ge_s br_if 1
              $i =place
              $inverse if $inverse $i 8 i32.mul i32.add i32.load 0 =place end
              0.0 =more
              $place 0 i32.ge_s if $found $place 8 i32.mul i32.add f64.load 0 $divisor f64.div =more end
              $into $i 8 i32.mul i32.add =at
              $at $more $at f64.load 0 $more f64.add $is_first select f64.store 0
              $i 1 i32.add =i
              br 0
            end end
        """),
        assembled("sweep", "block:i", "i", "", _fields("""
            places if from places leaves parameters call gather end
            parameters uniform memory call begin
            arguments 0 n n parameters uniform memory full tail columns call tiles
            full 1 tail valid uniform out sums divisor factor call finish
            out f64.load 8 0.0 f64.ne if 1 return end
            stops_at_nan if found sums 2 i32.sub call has_nan if 2 return end end
            0
        """)),
        assembled("step", "block:i", "i", "says:i", _fields("""
            $block call sweep =says
            $says if $says return end
            inverse
            if found inverse count 1.0 gradients 1 call collect
            else gradients found gradient_bytes memory.copy end
            settings update_uniform update_memory call update_begin
            read 0 count count settings update_uniform update_memory update_full update_tail write call update_tiles
            now next bytes memory.copy
            0
        """)),
    ]  # fmt: skip
