"""A network on the page as Python code that builds it and trains it again, step by step."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from scalargrad.words.expressions import parsed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from scalargrad.playground.network.points import Points
    from scalargrad.playground.network.trained import Trained

_TEMPLATE = '''\
"""A network of scalargrad's playground: its data, the model, and its training, step by step."""

{imports}

{data}
{inputs}
model = {model}
optimizer = {optimizer}


def loss_of_a_sample(x, target):
    return {loss}


loss = compile(loss_of_a_sample, parameters=model.parameters())
{batches}

def train(steps, lr, weight_decay=0.0):
    optimizer.lr, optimizer.weight_decay = lr, weight_decay
    with loss.training(optimizer) as step:
        for _ in range(steps):
            {step}


{stages}

final = sum(loss.values({rows}, y)) / len(y)
print(f"loss {{final!r}} after {made} steps")
'''
_BATCHES = """
rng = random.Random({seed})


def batches_of(n):
    order = list(range(n))
    while n <= {size}:
        yield {rows}, y
    while True:
        rng.shuffle(order)
        for start in range(0, n, {size}):
            batch = order[start : start + {size}]
            yield [{rows}[i] for i in batch], [y[i] for i in batch]


batches = batches_of({n})
"""
_WIDE = 110


def in_python(
    trained: Trained, points: Points, inputs: Sequence[str], model: str, optimizer: str, loss: str, seed: int
) -> str:
    """The code, as a file that runs by itself.

    Args:
        trained: the network, with all that was done to it.
        points: its data, the clicked ones at the end.
        inputs: the expressions of x0 and x1 that it reads.
        model: the expression that builds it.
        optimizer: and that of its optimizer.
        loss: the name of the loss.
        seed: that of the batches.
    """
    plain = list(inputs) == ["x0", "x1"]
    rows = "X" if plain else "rows"
    first = trained.stages[0].points if trained.stages else len(points.X)
    in_batches = 0 < trained.batch < max([stage.points for stage in trained.stages], default=0)
    target = "(target + 1) / 2" if loss == "bce_with_logits" else "target"
    functions = _functions(inputs)
    imports = ["import random", ""] if in_batches else []
    constants = sorted(_names(inputs) & {"pi", "e"})
    imports += [f"from math import {', '.join(constants)}", ""] if constants else []
    imports.append(f"from scalargrad import {', '.join(['compile', *functions, 'nn'])}")
    read = ""
    if not plain:
        read = (
            f"\n\ndef read(x0, x1):\n    return [{', '.join(inputs)}]\n\n\n"
            f"rows = [[float(x) for x in read(*point)] for point in X]"
        )
    return _TEMPLATE.format(
        imports="\n".join(imports),
        data=_data(points, first),
        inputs=read,
        model=model,
        optimizer=optimizer,
        loss=f"nn.{loss}([model(x)], [{target}])",
        batches=_BATCHES.format(seed=seed, size=trained.batch, rows=rows, n=first) if in_batches else "",
        step="step(*next(batches))" if in_batches else f"step({rows}, y)",
        stages="\n".join(_stages(trained, points, first, rows, in_batches)) or "pass  # no step was made yet",
        rows=rows,
        made=trained.steps,
    )


def _data(points: Points, first: int) -> str:
    held_out = len(points.X_test)
    if points.call:
        text = f"X, y = {points.call}"
        if held_out:
            text += f"\nX, y, X_test, y_test = X[:{first}], y[:{first}], X[{first}:], y[{first}:]"
        return text
    text = f"X = {_listed(points.X[:first])}\ny = {_listed(points.y[:first])}"
    if held_out:
        text += f"\nX_test = {_listed(points.X_test)}\ny_test = {_listed(points.y_test)}"
    return text


def _listed(items: Sequence[object]) -> str:
    """A list in Python, in lines that can be read."""
    lines, line = [], "   "
    for item in items:
        piece = f" {item!r},"
        if len(line) + len(piece) > _WIDE:
            lines.append(line)
            line = "   "
        line += piece
    return "[\n" + "\n".join([*lines, line]) + "\n]" if items else "[]"


def _stages(trained: Trained, points: Points, first: int, rows: str, in_batches: bool) -> list[str]:
    lines, n = [], first
    for stage in trained.stages:
        if stage.points > n:
            lines.append(f"X += {_listed(points.X[n : stage.points])}")
            lines.append(f"y += {_listed(points.y[n : stage.points])}")
            if rows != "X":
                lines.append("rows = [[float(x) for x in read(*point)] for point in X]")
            n = stage.points
            if in_batches:
                lines.append(f"batches = batches_of({n})")
        if stage.name:
            lines.append(f"dict(model.named_parameters())[{stage.name!r}].data = {stage.number!r}")
        else:
            decay = f", weight_decay={stage.decay!r}" if stage.decay else ""
            lines.append(f"train({stage.steps}, lr={stage.lr!r}{decay})")
    return lines


def _functions(inputs: Sequence[str]) -> list[str]:
    """The functions of the op table that the expressions call."""
    called = {
        part.func.id
        for text in inputs
        for part in ast.walk(parsed(text))
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Name)
    }
    return sorted(called)


def _names(inputs: Sequence[str]) -> set[str]:
    return {part.id for text in inputs for part in ast.walk(parsed(text)) if isinstance(part, ast.Name)}
