"""The sentences of the stepper: each step as an equation, and why it is so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from scalargrad.derivation import partial_formula
from scalargrad.formula import MINUS, equation, number_text, op_symbol, wrapped
from scalargrad.patterns import Pattern, pattern_of
from scalargrad.rules import HandWritten
from scalargrad.table import Op

if TYPE_CHECKING:
    from scalargrad.engine import Value
    from scalargrad.tracing.steps import Step


def step_text(step: Step) -> str:
    """The equation of a step, with the numbers put in."""
    if step.phase == "forward":
        parts = [step.name, *_equations(step), number_text(step.data)]
        parts = list(dict.fromkeys(part for part in parts if part))  # without names its equation repeats itself
        return " = ".join(parts)
    f, after = wrapped(step.graph.names[step.graph.root]), _number(step.after)
    if step.phase == "hook":
        return f"∂{f}/∂{wrapped(step.name)}: {_number(step.before)} → {after}"
    if step.source is None:
        return f"∂{f}/∂{f} = {after}"
    x, y = wrapped(step.name), wrapped(step.graph.names[step.source])
    result = _number(step.contribution)
    if step.local is None:
        text = f"∂{f}/∂{x} += {result}"
    else:
        product = f"{_number(step.upstream)} × {wrapped(_number(step.local))}"
        text = f"∂{f}/∂{x} += ∂{f}/∂{y} · ∂{y}/∂{x} = {product} = {result}"
    if step.part > 1:
        text += f" → {_number(step.before)} + {wrapped(result)} = {after}"
    return text


def _equations(step: Step) -> list[str]:
    return [equation(step.node, names, as_computed=True) for names in (step.graph.names, None)]


def step_explanation(step: Step) -> str:
    """What happens in a step, and the pattern behind it."""
    if step.phase == "forward":
        return _how_computed(step.node, step)
    if step.phase == "hook":
        return f"A hook on {step.name} replaced its gradient, now that it is complete, by {_number(step.after)}."
    if step.source is None:
        return f"Backpropagation starts at the output: {step.name} changes one to one with itself."
    sentences = [_local(step, step.source)]
    if step.parts > 1:
        sentences.append(
            f"{step.name} is used {step.parts} times, and every use adds its share (+=): this is share {step.part}."
        )
    return " ".join(sentences)


def _how_computed(node: Value, step: Step) -> str:
    if node.is_leaf:
        kind = "a parameter" if node.is_parameter else "an input" if node.requires_grad else "a constant"
        return f"{step.name} is {kind}: it was not computed from anything."
    names = list(dict.fromkeys(step.graph.names[parent] for parent in node.parents))
    listed = ", ".join(names[:-1]) + " and " + names[-1] if len(names) > 1 else names[0]
    if len(names) > 6:
        listed = f"its {len(node.parents)} operands"
    return f"{step.name} is computed from {listed}, and remembers where it came from."


def _local(step: Step, source: Value) -> str:
    op, local = source._rule, step.local
    x, y = wrapped(step.name), wrapped(step.graph.names[source])
    gate = op_symbol(source)
    if local is None or step.operand is None or not isinstance(op, Op):
        who = "The hand-written closure of" if isinstance(op, HandWritten) else "The backward of"
        return f"{who} {gate or 'this node'} decides what {x} gets."
    number = _number(local)
    text = partial_formula(source, step.operand, step.graph.names)
    slope = f"∂{y}/∂{x} = {text}" + (f" = {number}" if text != number else "")
    match pattern_of(op):
        case Pattern.WALL:
            return f"{gate} is flat, {slope}: small changes of {x} change nothing, so nothing comes back."
        case Pattern.DISTRIBUTOR if local == 1.0:
            return f"{gate} distributes: {slope}, so the gradient of {y} is handed on as it is."
        case Pattern.DISTRIBUTOR if local == -1.0:
            return f"{gate} distributes: {slope}, so the gradient of {y} is handed on with its sign flipped."
        case Pattern.DISTRIBUTOR:
            return f"{gate} distributes: {slope}, an equal share of the gradient of {y} for each operand."
        case Pattern.SWITCHER if text == "1":
            return f"{gate} adds {x}: {slope}, so the gradient of {y} is handed on as it is."
        case Pattern.SWITCHER:
            return f"{gate} switches: {slope}, the other factor, scales the gradient."
        case Pattern.ROUTER if local == 1.0:
            return f"{gate} routes: {x} decides the result, so the whole gradient goes to it ({slope})."
        case Pattern.ROUTER if local == 0.0:
            return f"{gate} routes: {x} does not decide the result, so no gradient goes to it ({slope})."
        case Pattern.ROUTER:
            return f"{gate} routes: in a tie the gradient is shared equally ({slope})."
        case Pattern.VALVE if local == 0.0:
            return f"{gate} is shut here: {slope}, so no gradient passes."
        case Pattern.VALVE if local == 1.0:
            return f"{gate} is open here: {slope}, so the gradient passes as it is."
    return f"{gate} scales: {slope} is its slope here."


def _number(x: float | None) -> str:
    return MINUS if x is None else number_text(x)
