"""scalargrad: scalar reverse-mode automatic differentiation to learn from, look at and trust."""

__version__ = "0.1.0"

from scalargrad.engine import Value, no_grad, topological_order
from scalargrad.ops import *  # noqa
