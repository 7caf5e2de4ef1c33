"""Kills processes while they save a file, and looks at the file: it must be the old one or the new one, whole.

    python tests/shared/kill_while_saving.py 200           200 kills at random moments
    python tests/shared/kill_while_saving.py every-step    one kill at each call that replacing a file makes

Prints what it found as JSON; exit status 1 and a traceback if a file was neither. POSIX only: it forks.
"""

import json
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

from drawing_helpers import mlp_loss, sigmoid_neuron

from scalargrad import draw, nn, trace
from scalargrad.support.files import replace_file
from scalargrad.tracing import page


def models(size):
    """Two models of the same architecture, after some training, and their states."""
    found = []
    for seed in (1, 2):
        model = nn.Sequential(nn.Layer(4, size, activation="tanh", seed=seed), nn.BatchNorm(size))
        rng = random.Random(seed)
        model.on_batch([[rng.uniform(-1, 1) for _ in range(4)] for _ in range(5)])
        found.append((model, model.state_dict()))
    return found


def in_child(work):
    """Fork; the child does the work and leaves with status 0, or 1 if it raises."""
    child = os.fork()
    if child:
        return child
    try:
        work()
        os._exit(0)
    except BaseException:
        os._exit(1)


def killed(child):
    """Whether the child was killed, once it has ended; it must not have failed."""
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return True
    assert os.WEXITSTATUS(status) == 0, "the child raised an exception"
    return False


def leftovers(path):
    """How many temporary files there are beside it; they are removed."""
    others = [other for other in path.parent.iterdir() if other != path]
    for other in others:
        assert other.name.startswith(f".{path.name}."), other
        assert other.name.endswith(".tmp"), other
        other.unlink()
    return len(others)


def look(path, states):
    """Which of the states the file holds, and how many leftovers there were; an exception if neither."""
    return states.index(nn.load(path).state_dict()), leftovers(path)


def kinds(folder):
    """For each kind of file: its path, two functions that save it, and one that says which of the two it is."""
    (first, a), (second, b) = models(100)
    model, large, picture, walk = (folder / name for name in ("model.json", "large.json", "graph.svg", "walk.html"))
    contents = [letter * 2_000_000 for letter in (b"a", b"b")]
    drawings = [draw(root) for root in (sigmoid_neuron(), mlp_loss((4, 5, 1)))]
    traces = [trace(root) for root in (sigmoid_neuron(), mlp_loss())]
    # What takes long is ready, so that most kills hit the writing; the engine does not have to work after a fork.
    svgs, pages = [drawing.svg for drawing in drawings], {steps.graph: page.page(steps.graph) for steps in traces}
    page.page = lambda graph, _: pages[graph]
    return {
        "model": (model, [lambda: first.save(model), lambda: second.save(model)],
                  lambda: [a, b].index(nn.load(model).state_dict())),
        "large file": (large, [lambda: replace_file(large, contents[0]), lambda: replace_file(large, contents[1])],
                       lambda: contents.index(large.read_bytes())),
        "picture": (picture, [lambda: drawings[0].save(picture), lambda: drawings[1].save(picture)],
                    lambda: svgs.index(picture.read_text(encoding="utf-8"))),
        "stepper page": (walk, [lambda: traces[0].save(walk), lambda: traces[1].save(walk)],
                         lambda: list(pages.values()).index(walk.read_text(encoding="utf-8"))),
    }  # fmt: skip


def at_random(folder, kills, seed=0):
    """Kill children that write one file after the other without a pause; the kinds of files take turns."""
    rng = random.Random(seed)
    found = {"kills": 0, "old": 0, "new": 0, "in the middle": 0}
    by_kind = list(kinds(folder).values())
    for i in range(kills):
        path, saves, which = by_kind[i % len(by_kind)]
        saves[0]()

        def work(saves=saves):
            while True:
                saves[1]()
                saves[0]()

        child = in_child(work)
        time.sleep(rng.uniform(0.0, 0.04))
        os.kill(child, signal.SIGKILL)
        assert killed(child)
        found["kills"] += 1
        found["new" if which() else "old"] += 1
        found["in the middle"] += leftovers(path) > 0
        path.unlink()
    return found


def at_every_step(path):
    """Kill a child at the first call or return inside `replace_file`, one at the second, and so on to the last."""
    (first, a), (second, b) = models(3)
    outcomes = []
    in_the_middle = 0
    while True:
        first.save(path)
        child = in_child(lambda: stopped_at(len(outcomes), lambda: second.save(path), commit_suicide))
        if not killed(child):
            assert look(path, [a, b]) == (1, 0)
            break
        which, left = look(path, [a, b])
        outcomes.append(which)
        in_the_middle += left
    assert outcomes == sorted(outcomes), "the new file became the old one again"
    return {"kills": len(outcomes), "old": outcomes.count(0), "new": outcomes.count(1), "in the middle": in_the_middle}


def commit_suicide():
    os.kill(os.getpid(), signal.SIGKILL)


def stopped_at(step, work, stop):
    """Do the work; `stop` is called at its step-th call or return, counted from 0 in `replace_file`.

    The count begins with the first look at the file that will be replaced.

    Returns whether there were so many.
    """
    seen = -1

    def profile(frame, event, _):
        nonlocal seen
        if seen >= 0 or (event == "call" and frame.f_code.co_name == "_replaceable"):
            if seen == step:
                sys.setprofile(None)
                seen += 1
                stop()
            seen += 1

    sys.setprofile(profile)
    try:
        work()
    finally:
        sys.setprofile(None)
    return seen > step


def main(argument):
    """Run it in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        if argument == "every-step":
            found = at_every_step(Path(folder, "model.json"))
        else:
            found = at_random(Path(folder), int(argument))
    print(json.dumps(found))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "40")
