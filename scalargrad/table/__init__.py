"""What a row of the op table is (row), and how it becomes a function, a method, an operator and a backward (making).

The rows themselves stand in ops.py.
"""

from scalargrad.table.making import alias as alias
from scalargrad.table.making import binary as binary
from scalargrad.table.making import nary as nary
from scalargrad.table.making import paired as paired
from scalargrad.table.making import unary as unary
from scalargrad.table.row import (
    ABOVE_MINUS_ONE,
    AT_LEAST_ONE,
    BETWEEN_ONES,
    HARD,
    INFIX,
    INSIDE_ONES,
    NONZERO,
    NOT_NEGATIVE,
    POSITIVE,
    REAL,
    TABLE,
    Domain,
    Function,
    Op,
    functions,
)

__all__ = [
    "ABOVE_MINUS_ONE", "AT_LEAST_ONE", "BETWEEN_ONES", "HARD", "INFIX", "INSIDE_ONES", "NONZERO", "NOT_NEGATIVE",
    "POSITIVE", "REAL", "TABLE", "Domain", "Function", "Op", "alias", "binary", "functions",
    "nary", "paired", "unary",
]  # fmt: skip
