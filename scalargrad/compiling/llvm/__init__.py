"""The LLVM backend (extra `fast`): straight-line code for small programs, a machine for large ones, lanes for all.

in_memory.py keeps a training: aimed.py finds its gradients, updating.py moves its parameters, stepping.py does both in
one call. bound.py has a loss bound to arrays. slots.py reads and writes the numbers of Values.

For one point single.py chooses between straight.py and the machine (machine.py), for which layout.py lays a program
out by what placing.py finds in its operands; sum_kernels.py and matrix_kernel.py have the sums. For batches batch.py
chooses between tiles.py, the machine (long_batch.py, around which long_loop.py goes from sample to sample) and, where
the loss was found to have layers, blocks/. totals.py adds up what their parts have found. loops.py writes loops.

library.py compiles and links for the processor that processor.py tells of, object_cache.py keeps what it compiled on
disk.
"""

from scalargrad.compiling.llvm.batch import BatchRunner, BlockRunner
from scalargrad.compiling.llvm.bound import Bound
from scalargrad.compiling.llvm.in_memory import InMemory
from scalargrad.compiling.llvm.library import available
from scalargrad.compiling.llvm.primitives import unknown_primitives
from scalargrad.compiling.llvm.single import Single as single  # noqa: N813  (every backend offers what backends.py says)
from scalargrad.compiling.llvm.single import takes_whole
from scalargrad.compiling.llvm.slots import reader

__all__ = [
    "BatchRunner",
    "BlockRunner",
    "Bound",
    "InMemory",
    "available",
    "reader",
    "single",
    "takes_whole",
    "unknown_primitives",
]
