"""Derivatives of functions, in JAX's words, to any order; what they cost; and check-pointing.

- transforms.py: grad, vjp, jvp, jacobian, hessian and their like, each on top of a Call.
- call.py: one call of the user's function on Values of its own, and both ways through the graph that it leaves.
- forward.py: forward mode. Reverse mode is the engine's.
- counting.py: operation counts, and the sparsity of a Jacobian.
- checkpointing.py: `checkpoint`.
"""

from scalargrad.functional.checkpointing import checkpoint
from scalargrad.functional.counting import Operations, count_operations, sparsity
from scalargrad.functional.transforms import (
    depends_on,
    derivative,
    grad,
    hessian,
    hvp,
    jacfwd,
    jacobian,
    jacrev,
    jvp,
    value_and_grad,
    vjp,
)

__all__ = [
    "Operations",
    "checkpoint",
    "count_operations",
    "depends_on",
    "derivative",
    "grad",
    "hessian",
    "hvp",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jvp",
    "sparsity",
    "value_and_grad",
    "vjp",
]
