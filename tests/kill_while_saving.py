"""Kills processes while they save a model, and looks at the file: it must be the old one or the new one, whole.

    python tests/kill_while_saving.py 200           200 kills at random moments
    python tests/kill_while_saving.py every-step    one kill at each call that replacing a file makes

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

from scalargrad import nn
from scalargrad.nn.replacing import replace_file


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
        assert other.name.startswith(".model.json."), other
        assert other.name.endswith(".tmp"), other
        other.unlink()
    return len(others)


def look(path, states):
    """Which of the states the file holds, and how many leftovers there were; an exception if neither."""
    return states.index(nn.load(path).state_dict()), leftovers(path)


def at_random(path, kills, seed=0):
    """Kill children that write one file after the other without a pause.

    Every other child saves models. The rest write larger files that are ready, so that most kills hit the writing.
    """
    (first, a), (second, b) = models(100)
    rng = random.Random(seed)
    contents = [letter * 2_000_000 for letter in (b"a", b"b")]
    found = {"kills": 0, "old": 0, "new": 0, "in the middle": 0}
    for model_again in [True, False] * (kills // 2) + [True] * (kills % 2):
        if model_again:
            saves = [lambda: first.save(path), lambda: second.save(path)]
        else:
            saves = [lambda: replace_file(path, contents[0]), lambda: replace_file(path, contents[1])]
        saves[0]()

        def work(saves=saves):
            while True:
                saves[1]()
                saves[0]()

        child = in_child(work)
        time.sleep(rng.uniform(0.0, 0.04))
        os.kill(child, signal.SIGKILL)
        assert killed(child)
        which, left = look(path, [a, b]) if model_again else (contents.index(path.read_bytes()), leftovers(path))
        found["kills"] += 1
        found["new" if which else "old"] += 1
        found["in the middle"] += left > 0
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
        path = Path(folder, "model.json")
        print(json.dumps(at_every_step(path) if argument == "every-step" else at_random(path, int(argument))))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "40")
