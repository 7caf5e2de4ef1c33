"""scalargrad/_methods.pyi shows editors and type checkers what the op table installs on Value; it must be what is there.

`python tests/table/test_method_stub.py` writes it anew.
"""

from pathlib import Path

import scalargrad
from scalargrad import Value
from scalargrad.table import TABLE, functions
from scalargrad.table.operators import OPERATORS

STUB = Path(scalargrad.__file__).with_name("_methods.pyi")
SPECIAL = ("__abs__", "__neg__", "__floor__", "__ceil__")


def stub_text() -> str:
    lines = [
        '"""Methods and operators that the op table (ops.py) installs on Value. Written by tests/table/test_method_stub.py."""',
        "",
        "from collections.abc import Callable",
        "from pathlib import Path",
        "from typing import Any",
        "",
        "from scalargrad.drawing import Drawing",
        "from scalargrad.engine import Value",
        "from scalargrad.hooks import Handle",
        "from scalargrad.node.variables import Names",
        "",
        "class TableMethods:",
        "    def draw(self, **options: Any) -> Drawing: ...",
        "    def show(self, **options: Any) -> Path: ...",
        "    def formula(self, notation: str = ..., *, lines: bool = ..., names: Names = ...) -> str: ...",
        "    def register_hook(self, hook: Callable[[Any], Any]) -> Handle: ...",
        "    def to_python(self, name: str = ..., *, names: Names = ...) -> str: ...",
    ]
    for op in TABLE.values():
        if op.is_users:
            continue
        if op.arity == 2 and op.text in OPERATORS:
            for prefix in ("", "r"):
                lines.append(
                    f"    def __{prefix}{OPERATORS[op.text].dunder}__(self, other: Value | float, /) -> Value: ..."
                )
    for name in sorted(
        name for name in [*functions(), *SPECIAL] if hasattr(Value, name) and not getattr(Value, name).op.is_users
    ):
        op = getattr(Value, name).op
        if op.arity is None:
            rest = ", *others: Value | float"
        elif op.arity == 1:
            rest = ""
        else:
            rest = ", other: Value | float" + (" = ..." if op.default is not None else "")
        lines.append(f"    def {name}(self{rest}) -> Value: ...")
    return "\n".join(lines) + "\n"


def test_the_stub_is_what_the_table_installs():
    assert STUB.read_text(encoding="utf-8") == stub_text()


if __name__ == "__main__":
    STUB.write_text(stub_text(), encoding="utf-8")
