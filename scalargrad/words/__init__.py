"""Graphs and rules in words: equations, formulas, the code that says the same, and how to read one back.

- texts.py: what all of them are put together from: numbers, counts, lists cut short, tables in columns.
- equations.py: what computed one node, as `a × b`. local_derivatives.py: the numbers at its edges.
- notation.py: whole expressions, in Python and plain text; latex.py: in LaTeX; formula.py: `formula`, in each of these.
- derivation.py: the rules of the table printed: what a local backward closure does, the docstrings of functions.
- places.py: which operand a Value is, where it is several. specialised.py: a local derivative as it reads at one point.
- lecture.py: what a lecturer says of it, for each row of the table.
- patterns.py: how a gate treats the gradient that reaches it: add distributes, max routes, multiply switches.
- expansion.py: a fused node as the elementary nodes that it stands for.
- staged.py: `to_python`, forward and backward as code. staged_text.py: how that code writes each op; staged_helpers.py:
  what stands above it, as functions for ops that Python has no word for.
- expressions.py: the way back, from a text to Values, for the command line. misread.py: what was meant by `2x`.
"""
