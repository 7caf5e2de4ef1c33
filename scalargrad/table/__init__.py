"""What a row of the op table is, and how it becomes an op. The rows themselves stand in ops.py.

- row.py: the facts about one operation, and the plain version of a call.
- making.py: `unary`, `binary`, `nary`, `paired`, which put a row into the table and on Value.
- calling.py: how a call becomes a node; passing_back.py: the local backward; many.py: both, for many operands.
- operators.py: Python's operators. floats.py: values on floats. ufuncs.py: numpy's protocol.
- stand_ins.py: a rule run on Values that stand for its operands, to be read.
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
