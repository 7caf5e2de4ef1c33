"""What a row of the op table is, and how it becomes an op. The rows themselves stand in ops.py.

- row.py: the facts about one operation, and the plain version of a call.
- making.py: `unary`, `binary`, `nary`, `paired`, `indexed`, which put a row into the table and on Value.
- calling.py: how a call becomes a node; passing_back.py: the local backward; many.py: both, for many operands.
- indexing.py: how a call of `take` becomes a node.
- operators.py: Python's operators. floats.py: values on floats. ufuncs.py: numpy's protocol.
- stand_ins.py: a rule run on Values that stand for its operands, to be read.
"""

from scalargrad.table.making import alias as alias
from scalargrad.table.making import binary as binary
from scalargrad.table.making import nary as nary
from scalargrad.table.making import paired as paired
from scalargrad.table.making import unary as unary
from scalargrad.table.row import ABOVE_MINUS_ONE as ABOVE_MINUS_ONE
from scalargrad.table.row import AT_LEAST_ONE as AT_LEAST_ONE
from scalargrad.table.row import BETWEEN_ONES as BETWEEN_ONES
from scalargrad.table.row import HARD as HARD
from scalargrad.table.row import INFIX as INFIX
from scalargrad.table.row import INSIDE_ONES as INSIDE_ONES
from scalargrad.table.row import NONZERO as NONZERO
from scalargrad.table.row import NOT_NEGATIVE as NOT_NEGATIVE
from scalargrad.table.row import POSITIVE as POSITIVE
from scalargrad.table.row import REAL as REAL
from scalargrad.table.row import TABLE as TABLE
from scalargrad.table.row import AnyFunction as AnyFunction
from scalargrad.table.row import Domain as Domain
from scalargrad.table.row import Op as Op
from scalargrad.table.row import functions as functions
