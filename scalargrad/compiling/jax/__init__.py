"""The JAX backend (extra `jax`): a program level by level, each level's instructions of one op on vectors."""

from scalargrad.compiling.jax.code import BatchRunner, single, to_jax

__all__ = ["BatchRunner", "single", "to_jax"]
