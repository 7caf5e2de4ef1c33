"""`scalargrad demo`: train a small network on two moons, draw what it learned and step through one of its neurons."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from scalargrad.cli.index_page import Exhibit, index_page
from scalargrad.cli.invocation import called_as, python_as, quoted

EPOCHS, NOISE, PENALTY = 100, 0.1, 1e-4
_AFTER = (
    "Build it yourself: the lessons begin with 0a, build the engine, in the folder notebooks of the package's source "
    "(notebooks/00a-build-the-engine.ipynb)."
)
_LEAD = (
    "Two inputs, two layers of 16 neurons, one output: all of it is made of single numbers that remember how they were "
    "computed."
)
LESSON = Path("notebooks") / "00a-build-the-engine.ipynb"


def run(folder: Path, seed: int = 1, *, show: bool = False) -> None:
    """Train a 2-16-16-1 network on 100 points to 100 % training accuracy; write pictures and a page of them.

    The network, the loss (hinge, plus 1e-4 times the sum of squared parameters) and the schedule (lr from 1.0 to 0.1)
    are those of micrograd's demo, which takes 100 steps; should a point be on the wrong side then, training goes on.

    Args:
        folder: where the pictures, the stepper and index.html go.
        seed: of the data and the first weights.
        show: whether to open index.html in a browser.
    """
    import scalargrad as sg
    from scalargrad.words.texts import number_text

    folder.mkdir(parents=True, exist_ok=True)
    X, y = sg.nn.moons(100, noise=NOISE, seed=seed, labels=(-1, 1))
    model = sg.nn.MLP(2, [16, 16, 1], seed=seed)
    print(f"a scalar network learns two moons: 2-16-16-1, {len(model.parameters())} parameters, 100 points")

    def accuracy() -> float:
        return sg.nn.accuracy(sg.nn.predict(model, X), y)

    schedule = sg.nn.linear_lr(1.0, 0.1, EPOCHS)
    history = sg.nn.fit(model, X, y, loss="hinge", penalty=PENALTY, epochs=EPOCHS, schedule=schedule)
    steps, loss = len(history.loss), history.loss[-1]
    while accuracy() < 1.0 and steps < 10 * EPOCHS:
        more = sg.nn.fit(model, X, y, loss="hinge", penalty=PENALTY, epochs=EPOCHS // 10, lr=0.1, progress=False)
        steps, loss = steps + len(more.loss), more.loss[-1]
    result = f"training accuracy {accuracy():.0%} after {steps} steps, loss {loss:.4f}"
    print(result)

    index, sample, out = _strongest_neuron(model, X)
    out.backward()
    exhibits = [
        Exhibit(
            "decision-boundary.png",
            "What it learned",
            "Each dot is a point of the two moons; the colour behind is what the network answers there, and the line "
            "is where it changes its mind.",
            lambda path: sg.decision_boundary(model, X, y).savefig(path),
        ),
        Exhibit(
            "network.svg",
            "The network that learned it",
            "Every line is a weight: the wider, the larger. Inside each neuron is what it answers over the plane.",
            lambda path: model.draw(X).save(path),
        ),
        Exhibit(
            "loss.png",
            "How it got there",
            result[0].upper() + result[1:] + ".",
            lambda path: sg.loss_curve(history).savefig(path),
        ),
        Exhibit(
            "neuron.html",
            "One of its neurons, step by step",
            f"Neuron {index} of the first layer with the weights that it has learned, at the point "
            f"({', '.join(map(number_text, sample))}). Use the arrow keys.",
            lambda path: sg.trace(out, expand=True).save(path),
        ),
        Exhibit(
            "neuron.svg",
            "The same neuron as a picture",
            "Values forward, gradients backward.",
            lambda path: sg.draw(out, expand=True).save(path),
        ),
    ]
    there = _written(exhibits, folder)
    page = folder / "index.html"
    page.write_text(index_page("What a scalar network learned", _LEAD, there, _AFTER), encoding="utf-8")
    print(f"  {page.name:22} all of it on one page")
    _print_next(page)
    if show:
        import webbrowser

        webbrowser.open(page.absolute().as_uri())


def _strongest_neuron(model: Any, X: Any) -> tuple[int, list[float], Any]:
    """The neuron of the first layer that answers most to some point: its index, the point, its output."""
    import scalargrad as sg

    model.zero_grad()  # what training left there would be added to what is shown
    neurons = model.layers[0].neurons
    with sg.no_grad():
        answers = [(float(neuron(x).data), i, x) for x in X for i, neuron in enumerate(neurons)]
    _, index, sample = max(answers, key=lambda answer: answer[0])
    inputs = [sg.Value(number, label=f"x{i}") for i, number in enumerate(sample)]
    out = neurons[index](inputs)
    out.label = "out"
    return index, list(sample), out


def _written(exhibits: list[Exhibit], folder: Path) -> list[Exhibit]:
    """Write every file and say so; those that cannot be written here are named with the reason."""
    from scalargrad.drawing import EngineError

    there: list[Exhibit] = []
    missing: dict[str, list[str]] = {}
    print(f"\nwritten to {folder}:")
    for exhibit in exhibits:
        try:
            exhibit.write(folder / exhibit.file)
        except (ImportError, EngineError) as error:
            missing.setdefault(str(error).splitlines()[0], []).append(exhibit.file)
        else:
            there.append(exhibit)
            print(f"  {exhibit.file:22} {exhibit.title[0].lower()}{exhibit.title[1:]}")
    for reason, names in missing.items():
        print(f"  not drawn: {', '.join(names)}: {reason}")
    return there


def _lesson_commands(me: str) -> list[tuple[str, str]]:
    """What opens the first lesson, after what installs JupyterLab where it is not there."""
    begin = "where the lessons begin"
    if me.startswith("uv run "):  # an environment without pip
        return [(f"uv run --extra demo --with jupyterlab jupyter lab {quoted(str(LESSON))}", begin)]
    python = python_as()
    install = [] if find_spec("jupyterlab") else [(f"{python} -m pip install -q jupyterlab", "what shows the lessons")]
    return [*install, (f"{python} -m jupyterlab {quoted(str(LESSON))}", begin)]


def _print_next(page: Path) -> None:
    """What to do now: commands that work as printed in the shell this one was started from."""
    from scalargrad.drawing.engines import available

    me = called_as()
    output = " -o f.svg" if available() != "text" else ""
    rows = [
        (f'{me} draw "(x + y) * z" x=-2 y=5 z=-4{output}', "your own expression, drawn"),
        (f'{me} step "(x + y) * z" x=-2 y=5 z=-4', "its gradients, step by step"),
    ]
    if LESSON.exists():
        rows += _lesson_commands(me)
    width = max(len(command) for command, _ in rows)
    print(f"\nwhat you have just trained, in a browser: {page}\n\nnext:")
    for command, what in rows:
        print(f"  {command:{width}}  {what}")
