"""Hypothesis strategies for Values: numbers, legal inputs of an op, whole expressions, small networks.

This package is the only part of scalargrad that imports hypothesis.

inputs.py has numbers and operands of one op, expressions.py whole expressions, networks.py small networks; program.py
is the expression that is drawn.

>>> from hypothesis import given
>>> from scalargrad.strategies import expressions
>>> @given(expressions(inputs=2))
... def test_scaling_the_seed_scales_the_gradient(expression):
...     root, leaves = expression.graph()
...     root.backward(2.0)
...     doubled = [leaf.grad for leaf in leaves]
...     root.zero_grad()
...     root.backward()
...     assert doubled == [2.0 * leaf.grad for leaf in leaves]
>>> test_scaling_the_seed_scales_the_gradient()
"""

try:
    import hypothesis as _hypothesis  # noqa: F401
except ImportError as error:
    raise ImportError("scalargrad.strategies needs hypothesis (the extra `test`): pip install hypothesis") from error

from scalargrad.strategies.expressions import expressions
from scalargrad.strategies.inputs import call, inputs_for, numbers_in, off_kinks, values
from scalargrad.strategies.networks import Network, networks
from scalargrad.strategies.program import Expression, Instruction

__all__ = [
    "Expression",
    "Instruction",
    "Network",
    "call",
    "expressions",
    "inputs_for",
    "networks",
    "numbers_in",
    "off_kinks",
    "values",
]
