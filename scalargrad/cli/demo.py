"""`scalargrad demo`: train a small network on two moons, and draw what it learned and how it is built."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

EPOCHS, NOISE, PENALTY = 100, 0.1, 1e-4


def run(folder: Path, seed: int = 1) -> None:
    """Train a 2-16-16-1 network on 100 points to 100 % training accuracy and write four pictures into the folder.

    The network, the loss (hinge, plus 1e-4 times the sum of squared parameters) and the schedule (lr from 1.0 to 0.1)
    are those of micrograd's demo, which takes 100 steps; should a point be on the wrong side then, training goes on.
    """
    import scalargrad as sg
    from scalargrad.drawing import EngineError
    from scalargrad.drawing.engines import available

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
    print(f"training accuracy {accuracy():.0%} after {steps} steps, loss {loss:.4f}")

    neuron = sg.nn.Neuron(2, activation="tanh", seed=seed)
    out = neuron([sg.Value(X[0][0], label="x0"), sg.Value(X[0][1], label="x1")])
    out.backward()
    score = model([sg.Value(X[0][0], label="x0"), sg.Value(X[0][1], label="x1")])
    score.label = "score"
    score.backward()
    pictures: dict[str, tuple[str, Callable[[Path], object]]] = {
        "decision-boundary.png": ("what it learned", lambda path: sg.decision_boundary(model, X, y).savefig(path)),
        "loss.png": ("how it got there", lambda path: sg.loss_curve(history).savefig(path)),
        "neuron.svg": ("one neuron, with its gradients", lambda path: sg.draw(out, expand=True).save(path)),
        "network.svg": ("the network, layer by layer", lambda path: sg.draw(score, collapse="layer").save(path)),
    }
    missing: dict[str, list[str]] = {}
    there = []
    print(f"\npictures in {folder}{'/' if folder.name else ''}:")
    for name, (what, write) in pictures.items():
        try:
            write(folder / name)
        except (ImportError, EngineError) as error:
            missing.setdefault(str(error).splitlines()[0], []).append(name)
        else:
            there.append(str(folder / name))
            print(f"  {name:22} {what}")
    for reason, names in missing.items():
        print(f"  not drawn: {', '.join(names)}: {reason}")
    output = " -o f.svg" * (available() != "text")
    print("\nnext:")
    if there:
        print(f"  open {' and '.join(there[::2])} (any browser shows them)")
    print(
        f'  {f"""scalargrad draw "(x + y) * z" x=-2 y=5 z=-4{output}""":55} your own expression, drawn\n'
        '  scalargrad grad "tanh(w*x + b)" w=-3 x=2 b=6.88         its value and gradients\n'
        "  notebooks/00-build-the-engine.ipynb                     where the lessons begin"
    )
