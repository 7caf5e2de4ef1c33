"""Derivatives of functions, in JAX's words, to any order; what they cost; and check-pointing."""

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
