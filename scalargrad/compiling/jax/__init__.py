"""The JAX backend (extra `jax`): a program level by level, each level's instructions of one op on vectors."""

from scalargrad.compiling.jax.code import BatchRunner, single, to_jax
from scalargrad.compiling.jax.primitives import KEEPS, unknown_primitives

__all__ = ["KEEPS", "BatchRunner", "single", "to_jax", "unknown_primitives"]
