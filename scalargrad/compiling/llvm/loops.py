"""Loops in LLVM's language, for functions that are compiled once per process."""

from __future__ import annotations


def loop(name: str, count: str, body: str) -> str:
    """Lines that do something for %{name} from 0 to count; what follows them stands in the block {name}.end."""
    return f"""
  br label %{name}.enter
{name}.enter:
  %{name}.some = icmp sgt i64 {count}, 0
  br i1 %{name}.some, label %{name}.each, label %{name}.end
{name}.each:
  %{name} = phi i64 [0, %{name}.enter], [%{name}.next, %{name}.each.end]
{body}
  br label %{name}.each.end
{name}.each.end:
  %{name}.next = add i64 %{name}, 1
  %{name}.go = icmp slt i64 %{name}.next, {count}
  br i1 %{name}.go, label %{name}.each, label %{name}.end
{name}.end:"""


def element(result: str, array: str, index: str, kind: str = "i32") -> str:
    """The lines that read array[index]."""
    return f"  {result}.p = getelementptr {kind}, ptr {array}, i64 {index}\n  {result} = load {kind}, ptr {result}.p"
