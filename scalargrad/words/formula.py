"""`formula`: the expression that computes a Value, in any of the notations."""

from __future__ import annotations

from scalargrad.engine import Value, topological_order
from scalargrad.node.numbers import describe
from scalargrad.node.variables import Names, variable_names
from scalargrad.support.arguments import name as one_of
from scalargrad.support.console import Text
from scalargrad.words.expansion import expanded
from scalargrad.words.latex import LATEX, Latex
from scalargrad.words.notation import PYTHON, TEXT, TooLongError

NOTATIONS = {"text": TEXT, "latex": LATEX, "python": PYTHON}
MAX_LENGTH = 2000


def formula(value: Value, notation: str = "text", *, lines: bool = False, names: Names = True) -> str:
    r"""The expression that computes a Value: leaves by name, those without one as numbers, fused sums spelled out.

    In Python, with scalargrad's functions and the leaves or their numbers by name, it computes the very same number,
    but for the last digit of x ** 2 and x ** 3 of plain numbers, which the engine computes as products.

    Args:
        value: the Value.
        notation: 'text', 'latex' (typeset by Jupyter) or 'python'.
        lines: one equation for each operation, in order, instead of one expression; of graphs of any size.
        names: whether Values without a label are called as the caller's variables are, as in `draw`.

    Raises:
        ValueError: for another notation; if one expression would have more than 2000 characters.

    >>> w, x, b = Value(2.0), Value(-1.0), Value(0.5)
    >>> y = (w * x + b).tanh() ** 2
    >>> formula(y)
    'tanh(w × x + b)^2'
    >>> print(formula(y, 'latex'))
    \tanh\left(w \cdot x + b\right)^{2}
    >>> print(formula(y, lines=True))
    v1 = w × x
    v2 = v1 + b
    v3 = tanh(v2)
    y = v3^2
    """
    writer = NOTATIONS[one_of(notation, "notation", NOTATIONS)]
    order = topological_order(value)
    variables = variable_names(order, names, "formula")
    if not lines:
        order, replaced = expanded(order, exactly=writer.is_code)
        value = replaced.get(value, value)
        shown = writer.names((node for node in order if node.is_leaf and (node.label or node in variables)), variables)
        try:
            text = writer.write(value, shown, MAX_LENGTH)
        except TooLongError:
            raise TooLongError(
                f"the formula of {describe(value)}, of {len(order)} values, has more than {MAX_LENGTH} characters: "
                "formula(lines=True) writes one equation for each operation"
            ) from None
    else:
        shown = writer.names(order, variables)
        align = "&" if notation == "latex" else ""
        computed = [node for node in order if not node.is_leaf]
        equations = [
            f"{writer.name(shown[node])[0]} {align}= {writer.write_operation(node, shown)}" for node in computed
        ]
        if not computed:
            equations = [f"{writer.name(shown[value])[0]} {align}= {writer.number(value.data)[0]}"]
        text = "\n".join(equations)
        if notation == "latex":
            text = r"\begin{aligned}" + " \\\\\n".join(equations) + r"\end{aligned}"
    return Latex(text) if notation == "latex" else Text(text)
