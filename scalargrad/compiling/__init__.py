"""Compiling: a graph recorded once and replayed as straight-line code, machine code or a JAX function.

One call, `f = compile(fn)` and then `f(x)`: compiled.py hands x to points.py, and that asks recordings.py, where the
program for arguments of this structure is kept: a second call only runs it. The first one makes it: watching.py runs
fn on Values, taping.py writes their graph on a tape, pipeline.py simplifies and lowers it, and the backend that
backends.py chooses makes of it the function of plain numbers that every call runs.

- Asked for by compiled.py (compile: points.py for one set of arguments, batches.py for many samples of samples.py,
  which groups.py sorts by structure), replay.py (replay) and program.py (record).
  statics.py says which arguments are no numbers.
- A call: watching.py runs the function on Values and notes what it compares, for branches.py.
- A tape: taping.py writes the graph that the call has left as instructions, in tape.py.
- A program: pipeline.py has it differentiated (gradient.py), simplified and lowered to a few primitives (lowering.py)
  and, in long programs, to sums of products (sums.py); both repeat short pieces of tape (templates.py), as those of
  Functions of the user's (applied.py). batch_program.py does so for the loss of a batch, in which structure/ finds
  dense layers.
- A backend: backends.py chooses python/, llvm/ or jax/. Two of them compute level by level (order.py).
- Kept in recordings.py as long as it holds: reached.py and surroundings/ see what changes.
- binding.py: a loss bound to arrays.
- training.py: steps of an optimizer on a compiled loss; parameter_memory.py: where parameters live meanwhile;
  optimizer.py: what it asks of one; rule.py: its rule on a tape; sharing.py: trainings that share parameters.
"""

from scalargrad.compiling.compiled import Compiled, compile
from scalargrad.compiling.llvm.library import MissingExtraError
from scalargrad.compiling.program import Program, record
from scalargrad.compiling.replay import replay
from scalargrad.compiling.training import Training
from scalargrad.compiling.watching import BranchError

__all__ = [
    "BranchError", "Compiled", "MissingExtraError", "Program", "Training", "compile", "record", "replay",
]  # fmt: skip
