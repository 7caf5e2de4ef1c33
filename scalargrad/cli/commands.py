"""What each command does, which returns the exit status; what it needs is imported then, so that all start fast."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from scalargrad.cli.variables import expression, numbers_of

if TYPE_CHECKING:
    import argparse


def grad(options: argparse.Namespace) -> int:
    """Print an expression's value and its gradients."""
    from scalargrad.words.texts import columns

    root, leaves = expression(options)
    if leaves:
        root.backward()
    print(f"{options.expression.strip()} = {root.data!r}")
    if leaves:
        rows = [("", "value", "gradient"), *((name, repr(v.data), repr(v.grad)) for name, v in leaves.items())]
        print("\n".join(columns(rows)))
    return 0


def draw(options: argparse.Namespace) -> int:
    """Draw an expression's graph, as text or into a file."""
    import scalargrad

    root, leaves = expression(options)
    if leaves:
        root.backward()
    as_text = options.output is None or options.output.suffix.lower() in (".txt", ".json", ".mmd", ".dot")
    drawing = scalargrad.draw(root, style=options.style, max_nodes=500 if as_text else None)
    if options.output is None:
        print(drawing.text.rstrip())
    else:
        drawing.save(options.output)
        print(f"wrote {options.output}")
    return 0


def step(options: argparse.Namespace) -> int:
    """Step through an expression's forward and backward pass, or write a page that does."""
    import scalargrad
    from scalargrad.drawing.engines import available, no_engine
    from scalargrad.tracing import TraceTooLongError

    root, _ = expression(options)
    steps = scalargrad.trace(root, expand=options.expand)
    if options.html is None:
        steps.play()
    else:
        try:
            steps.save(options.html)
        except TraceTooLongError:
            raise ValueError(
                f"{len(steps)} steps are too many for a page: leave out --html for a table or steps in the terminal"
            ) from None
        print(f"wrote {options.html}")
        if available() == "text":
            warnings.warn(f"it has a table and no pictures: {no_engine()}", stacklevel=1)
    return 0


def worksheet(options: argparse.Namespace) -> int:
    """Print a worksheet of an expression, or write it and its key to files."""
    import scalargrad
    from scalargrad.drawing.engines import available, no_engine

    root, _ = expression(options)
    title = None if options.title is None else options.title.strip()
    given = {"hide": options.hide, "seed": options.seed, "expand": options.expand, "title": title, "names": False}
    made = scalargrad.worksheet(root, variants=options.variants, **given)
    if options.output is None:
        if options.key is not None or options.fields:
            raise ValueError("say where the sheet goes, too: -o sheet.html")
        print(made)
        return 0
    key = False if options.key is None else options.key
    if options.fields and options.variants is not None:
        raise ValueError("--fields is for one sheet: leave out --variants, or --fields")
    if options.fields:
        made.save(options.output, key=key, fields=True)
    else:
        made.save(options.output, key=key)
    for path in [options.output] + [options.key] * (options.key is not None):
        print(f"wrote {path}")
    if available() == "text":
        warnings.warn(f"it has the graph as text and no pictures: {no_engine()}", stacklevel=1)
    return 0


def playground(options: argparse.Namespace) -> int:
    """Serve a page on which the expression's inputs are dragged, until Ctrl-C."""
    from scalargrad.playground.whole import whole

    given: dict[str, Any] = {**numbers_of(options)}
    whole(options.expression, **given).serve(options.port, browser=not options.no_browser)
    return 0


def check(options: argparse.Namespace) -> int:
    """Print a report on an expression's gradient; the status is 1 if it fails."""
    import scalargrad
    from scalargrad.words.expressions import expression_function

    numbers = numbers_of(options)
    function = expression_function(options.expression, numbers)
    report = scalargrad.check_gradients(function, list(numbers.values()), order=options.order, names=list(numbers))
    print(report)
    return 0 if report.ok else 1


def demo(options: argparse.Namespace) -> int:
    """Train the demo's network and write its pictures."""
    from scalargrad.cli.demo import run

    run(options.output, options.seed, show=options.open)
    return 0
