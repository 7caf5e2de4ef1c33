"""The exercises of notebook 12b, mistakes in use."""

from __future__ import annotations

from typing import Any

from scalargrad.compiling import record
from scalargrad.engine import Value
from scalargrad.exercises.exercise import Exercise, NotYetError, Part
from scalargrad.exercises.judging import as_number, close, expect, number, result_of
from scalargrad.functional import derivative, grad
from scalargrad.nn import mse
from scalargrad.ops import log


def _w_after(steps: int, lr: float) -> float:
    """Where w is after steps that forget zero_grad."""
    w = Value(0.0)
    for _ in range(steps):
        ((w - 3) ** 2).backward()
        w.data -= lr * w.grad
    return w.data


def _limit() -> float:
    return 2 / float(derivative(derivative(lambda w: 5 * (w - 1) ** 2))(0.0))


_XS, _YS, _LR, _STEPS = [0.0, 1.0, 2.0], [1.0, 3.0, 4.0], 0.05, 20


def _trained(zero: bool) -> tuple[float, float, list[float]]:
    w, b, losses = Value(0.0), Value(0.0), []
    for _ in range(_STEPS):
        if zero:
            w.grad = b.grad = 0.0
        loss = mse([w * x + b for x in _XS], _YS)
        loss.backward()
        w.data -= _LR * w.grad
        b.data -= _LR * b.grad
        losses.append(loss.data)
    return w.data, b.data, losses


def _train(train: Any) -> None:
    w, b = Value(0.0), Value(0.0)
    losses = result_of(train, w, b, list(_XS), list(_YS), _LR, _STEPS)
    expect(w.data != 0.0 or b.data != 0.0, "w and b have not moved: change the number in them, and after which line?")
    right_w, right_b, right_losses = _trained(zero=True)
    without_w, without_b, _ = _trained(zero=False)
    expect(
        not (close(w.data, without_w) and close(b.data, without_b)),
        "each step uses the gradients of all steps before it: where does zero_grad belong?",
    )
    expect(close(w.data, right_w) and close(b.data, right_b), f"w and b move, but to {w.data:g} and {b.data:g}")
    expect(isinstance(losses, list) and len(losses) == _STEPS, "return the list of the losses, one for each step")
    expect(
        not any(isinstance(loss, Value) for loss in losses),
        "w and b are right; but losses holds Values, and with them the graphs of all steps",
    )
    expect(
        all(close(as_number(loss), right) for loss, right in zip(losses, right_losses, strict=True)),
        "w and b are right, and the losses in the list are not",
    )


def _safe_log(safe_log: Any) -> None:
    result_of(safe_log, Value(2.0))
    for x in (2.0, 0.5, -1.0, 0.0):
        right = (log(x), grad(log)(x)) if x > 0 else (0.0, 0.0)
        try:
            value, slope = as_number(safe_log(Value(x))), as_number(grad(safe_log)(x))
        except ValueError as error:
            raise NotYetError(f"at {x:g} it raises: {str(error).splitlines()[0]}") from None
        expect(close(value, right[0]), f"at {x:g} it gives {value:g}")
        expect(close(slope, right[1]), f"at {x:g} its slope is {slope:g}")
    leaf = Value(2.0)  # the graph made there is run again at −1: some backends would make another one, others refuse
    recorded = record(result_of(safe_log, leaf))
    leaf.data = -1.0
    try:
        after = as_number(recorded.forward())
    except (ValueError, ArithmeticError, RuntimeError) as error:
        raise NotYetError(f"recorded at 2, it raises {type(error).__name__} at −1: what decides there?") from None
    expect(close(after, 0.0), f"recorded at 2, it gives {after:g} at −1")


EXERCISES = (
    Exercise(
        id="12b.no-zero",
        question="(w − 3)² from w = 0, with learning rate 0.1, and zero_grad is forgotten. Where is w after two steps?",
        parts=(
            number(
                "w",
                lambda: _w_after(2, 0.1),
                {
                    1.08: "that is with zero_grad",
                    0.6: "that is after one step",
                    1.2: "the slope is less after the first step",
                },
            ),
        ),
        hints=("After the first step w is 0.6, and w.grad still holds the −6.", "w.grad = −6 + 2 · (0.6 − 3) then."),
        solution="w = 0 + 0.1 * 6  # the first step\nw = w + 0.1 * (6 + 4.8)  # the second one uses both gradients",
        reveal="With zero_grad it would be at 1.08. It looks like progress, until it runs past the goal.",
    ),
    Exercise(
        id="12b.loop",
        question="train(w, b, xs, ys, lr, steps) of the notebook is to fit y = w · x + b and to return the list of its "
        "losses as numbers. It has three mistakes. Mend it.",
        parts=(Part("train", _train),),
        hints=(
            "What are the gradients when the step is made? And what do the names w and b stand for after it?",
            "zero_grad before backward; the number in the Value changes, w.data; and the list keeps loss.data.",
        ),
        solution="""
from scalargrad import mean


def train(w, b, xs, ys, lr, steps):
    losses = []
    for _ in range(steps):
        loss = mean([(w * x + b - y) ** 2 for x, y in zip(xs, ys)])
        loss.zero_grad()
        loss.backward()
        w.data -= lr * w.grad
        b.data -= lr * b.grad
        losses.append(loss.data)
    return losses
""",
        reveal="Two of the three changed nothing visible in the losses of the first step. So they are classics.",
    ),
    Exercise(
        id="12b.limit",
        question="From which learning rate on does gradient descent on 5 · (w − 1)² get farther away with every step?",
        parts=(
            number(
                "lr",
                _limit,
                {
                    0.1: "there it arrives in one step",
                    1.0: "that is for (w − 3)², which is less steep",
                    0.4: "what is the slope's slope?",
                },
            ),
        ),
        hints=("The gradient is 10 · (w − 1).", "A step multiplies the distance to 1 by 1 − 10 · lr."),
        solution="lr = 2 / 10  # 1 − 10 · lr = −1",
        reveal="2 divided by the curvature, which is 10.",
    ),
    Exercise(
        id="12b.safe-log",
        question="Write safe_log(x): log(x) for x above 0 and 0 elsewhere, which works at 0 and below, has the slope 0 "
        "there, and can be compiled.",
        parts=(Part("safe_log", _safe_log),),
        hints=(
            "if would be decided once when it is compiled, and so would x > 0: use greater.",
            "Choose twice: give log something harmless where it is not wanted, and leave its result out.",
        ),
        solution="""
import scalargrad as sg


def safe_log(x):
    inside = sg.greater(x, 0.0)
    harmless = sg.where(inside, x, 1.0)
    return sg.where(inside, sg.log(harmless), 0.0)
""",
        reveal="The same pattern guards every operation that is not defined everywhere.",
    ),
)
