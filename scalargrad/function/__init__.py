"""Operations of your own: `Function`, in PyTorch's shape, and `@primitive`, which adds a row to the op table."""

from scalargrad.function.forward_backward import Applied as Applied
from scalargrad.function.forward_backward import Context as Context
from scalargrad.function.forward_backward import Function as Function
from scalargrad.function.forward_backward import Traced as Traced
from scalargrad.function.rows import primitive as primitive
