"""What a row of the op table is, and how it becomes an op. The rows themselves stand in ops.py.

- row.py: the facts about one operation, and the plain version of a call. domains.py: where an operand may be.
- making.py: `unary`, `binary`, `nary`, `paired`, `indexed`, which put a row into the table and on Value.
- calling.py: how a call becomes a node; passing_back.py: the local backward; many.py: both, for many operands.
- indexing.py: how a call of `take` becomes a node.
- operators.py: Python's operators. floats.py: values on floats. ufuncs.py: numpy's protocol.
- stand_ins.py: a rule run on Values that stand for its operands, to be read.
"""

from scalargrad.table.domains import ABOVE_MINUS_ONE as ABOVE_MINUS_ONE
from scalargrad.table.domains import AT_LEAST_ONE as AT_LEAST_ONE
from scalargrad.table.domains import BETWEEN_ONES as BETWEEN_ONES
from scalargrad.table.domains import INSIDE_ONES as INSIDE_ONES
from scalargrad.table.domains import NONZERO as NONZERO
from scalargrad.table.domains import NOT_NEGATIVE as NOT_NEGATIVE
from scalargrad.table.domains import POSITIVE as POSITIVE
from scalargrad.table.domains import REAL as REAL
from scalargrad.table.domains import Domain as Domain
from scalargrad.table.making import alias as alias
from scalargrad.table.making import binary as binary
from scalargrad.table.making import nary as nary
from scalargrad.table.making import paired as paired
from scalargrad.table.making import unary as unary
from scalargrad.table.row import HARD as HARD
from scalargrad.table.row import INFIX as INFIX
from scalargrad.table.row import TABLE as TABLE
from scalargrad.table.row import AnyFunction as AnyFunction
from scalargrad.table.row import Op as Op
from scalargrad.table.row import functions as functions
