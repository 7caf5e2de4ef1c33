"""Bad input

Everything public is called with arguments of any kind, right ones among wrong ones so that calls get deep: other types,
arrays of odd kinds, ragged, nested and endless lists, huge and negative sizes, NaN and infinities, functions that return
nonsense, objects whose special methods raise or lie. What is public is read from the reference and from `__all__`, so that
a new name is called too. A call may return, or raise one of the documented errors with a message of the package's own. It
takes less than a second of computing, an error from an object of the caller's passes through unchanged, and after an error
the arguments hold what they held, as do the op table, modes, random state, working folder and other global state.

Expressions for the command line are grown from a grammar, damaged, made of noise, or what somebody would try. Each gives the
number that Python's floats give, or one line on standard error and the exit status 2; nothing is evaluated as Python.
"""  # fmt: skip

import builtins
import gc
import io
import json
import math
import os
import random
import signal
import subprocess
import sys
from collections import Counter
from pathlib import Path

import fuzzing_expressions
import pytest
from fuzzing_expressions import BY_HAND, CANARY, CONSTANTS, PATHS, VARIABLES, command_line, evaluated, names_in, typed
from optional import need_layout
from sizes import size

from scalargrad import cli
from scalargrad.playground import Session
from scalargrad.playground.graph import GraphView

pytestmark = pytest.mark.skipif(os.name != "posix", reason="this system has no timers and limits for a process")

FUZZER = Path(fuzzing_expressions.__file__).with_name("fuzzing.py")
HANG = 1.0
"""Seconds of computing."""


# -------------------------------------------------------------------- functions, methods, classes


def test_every_public_callable_refuses_bad_arguments_in_words_of_its_own(tmp_path, figure):
    for module in ("numpy", "matplotlib", "hypothesis", "llvmlite"):
        pytest.importorskip(module)
    calls, processes = size(1600, 100_000), size(1, 2)
    runs = [
        subprocess.Popen(
            [sys.executable, FUZZER, str(seed), str(calls // processes)],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "PYTHONPATH": str(Path(cli.__file__).parents[2])},
        )
        for seed in range(processes)
    ]
    reports = []
    for run in runs:
        out, _ = run.communicate()
        assert run.returncode == 0, f"the process that made the calls ended with {run.returncode}"
        reports.append(json.loads(out))
    kinds = sum((Counter(report["outcomes"]) for report in reports), Counter())
    returned = set.union(*(set(report["returned"]) for report in reports))
    defects = [f"{d['kind']} at {d['place']}: {d['call']}\n    {d['message']}" for r in reports for d in r["defects"]]
    assert not defects, "\n".join(defects)
    assert kinds["returned"] > calls / 3  # or the right arguments are not right any more
    public = set(reports[0]["callables"])
    if processes > 1:
        refusing = set(reports[0]["never return"])
        assert refusing <= public - returned, f"these do return: {sorted(refusing - (public - returned))}"
        missing = sorted(public - refusing - returned)
        assert len(missing) < 0.02 * len(public), f"no right arguments are known for {missing}"
    raised = {kind: n for kind, n in kinds.most_common() if kind != "returned"}
    figure(
        f"{sum(report['calls'] for report in reports)} calls of {len(public)} public callables",
        f"{kinds['returned']} returned, of {len(returned)} of the callables; {sum(raised.values())} raised one of {len(raised)} kinds of documented error "
        f"({', '.join(list(raised)[:4])}, ...); 0 other errors, 0 messages from inside, 0 changes of state, none above "
        f"{HANG:g} s",
    )


# -------------------------------------------------------------------- the command line


class Ended(BaseException):
    """Too much time has passed."""


@pytest.fixture
def watched(tmp_path, monkeypatch):
    """run(arguments): exit status, standard output and standard error of the command line, in this process."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder.svg").mkdir()
    for arguments in (["draw", "x", "x=1", "-o", "f.svg"], ["step", "x", "x=1"], ["check", "x", "x=1"]):
        cli.main(arguments)  # imports, which make files and evaluate code of their own
    evaluations = []

    def forbidden(name):
        return lambda *arguments, **named: evaluations.append((name, arguments))

    def on_alarm(*_):
        raise Ended

    # What earlier tests left behind is not looked through in a command's time: collecting a heap of a whole test run
    # takes half a second, and an alarm in the collector's own callbacks is an error that nobody can catch.
    gc.collect()
    gc.freeze()
    before = signal.signal(signal.SIGPROF, on_alarm)

    def run(arguments, guarded=True):
        out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="") for _ in range(2))
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", out)
            patch.setattr(sys, "stderr", err)
            patch.setattr(sys, "stdin", io.StringIO(""))
            if guarded:
                for place, name in ((os, "system"), (os, "popen"), (subprocess, "Popen"), (builtins, "eval"),
                                    (builtins, "exec"), (builtins, "open"), (builtins, "input"), (builtins, "breakpoint")):  # fmt: skip
                    patch.setattr(place, name, forbidden(name))
            signal.setitimer(signal.ITIMER_PROF, HANG)
            try:
                status = cli.main(arguments)
            except SystemExit as stop:
                status = stop.code
            finally:
                signal.setitimer(signal.ITIMER_PROF, 0)
        texts = []
        for stream in (out, err):
            stream.flush()
            texts.append(stream.buffer.getvalue().decode())
        assert not evaluations, f"{arguments!r} evaluated {evaluations}"
        return status, *texts

    yield run
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.signal(signal.SIGPROF, before)
    gc.unfreeze()


def refused_well(status, out, err, command):
    """What is wrong with how a command was refused; nothing if it was refused as promised."""
    lines = [line for line in err.splitlines() if not line.startswith("scalargrad: note: ")]
    if status != 2:
        return f"exit status {status}"
    if len(lines) != 1 or not lines[0].startswith("scalargrad"):
        return f"not one line: {err[:300]!r}"
    words = lines[0]
    for path in PATHS:  # which are shown whole
        words = words.replace(path, "") if len(path) > 300 else words
    if "Traceback" in err or "object has no attribute" in err or len(words) > 900:
        return f"not a message: {lines[0][:300]!r}"
    if any(not character.isprintable() for character in lines[0]):
        return f"characters for the terminal: {lines[0][:300]!r}"
    if out:
        return f"something was printed before: {out[:100]!r}"
    return None


def worth(out, text):
    """The number that `grad` printed behind the expression, which may have several lines."""
    return float(out.splitlines()[len(text.strip().splitlines()) - 1].rpartition(" = ")[2])


def test_every_expression_gives_its_number_or_one_line(watched, tmp_path, figure):
    rng, count = random.Random(26), size(300, 10_000)
    texts = [*rng.sample(BY_HAND, size(100, len(BY_HAND))), *(typed(rng) for _ in range(count))]
    known = computed = refused = 0
    files = sorted(tmp_path.rglob("*"))
    for text in texts:
        names = names_in(text)
        arguments = ["grad", text, *(f"{name}={VARIABLES[name]}" for name in names)]
        status, out, err = watched(arguments)
        if status == 2 and "does not occur in the expression" in err:  # the letters of a variable, not the variable
            arguments = [
                "grad",
                text,
                *(f"{n}={VARIABLES[n]}" for n in names if n not in err.partition(" has a value")[0]),
            ]
            status, out, err = watched(arguments)
        try:
            right, what = evaluated(text), "known"
        except fuzzing_expressions.UnknownError:
            right, what = None, "unknown"
        except (ValueError, ArithmeticError):
            right, what = None, "no number"
        if status == 0:
            computed += 1
            assert what != "no number", f"{arguments!r} has no value, but gave {out!r}"
            assert "Traceback" not in err
            if what == "known":
                known += 1
                printed = worth(out, text)
                assert printed == right or (math.isnan(printed) and math.isnan(right)), (
                    f"{arguments!r}: {printed} is {right}"
                )
        else:
            refused += 1
            problem = refused_well(status, out, err, "grad")
            assert problem is None, f"{arguments!r}: {problem}"
            assert what != "known" or "nested deeper" in err, f"{arguments!r} is {right}, but was refused: {err}"
    assert sorted(tmp_path.rglob("*")) == files, f"{CANARY} or another file was made"
    assert known > len(texts) / 5
    figure(
        f"{len(texts)} expressions on the command line",
        f"{computed} computed ({known} of them compared with Python's floats: all equal), {refused} refused with one "
        f"line and status 2; 0 tracebacks, 0 evaluated as Python, none above {HANG:g} s",
    )


def test_every_expression_in_the_playground_has_its_number_or_is_answered_in_words(figure):
    need_layout()
    rng, count = random.Random(28), size(100, 10_000)
    view = GraphView("x*y")
    session = Session(view)
    drawn = known = refused = 0
    shown = session.handle({"id": 0, "do": "open"})["frame"]["values"]
    for text in [*rng.sample(BY_HAND, size(50, len(BY_HAND))), *(typed(rng) for _ in range(count))]:
        inputs = {name: str(VARIABLES[name]) for name in names_in(text)}
        reply = session.handle({"id": 1, "do": "open", "expression": text, "inputs": inputs})
        assert "defect" not in reply, (text, reply)
        if "error" in reply:
            refused += 1
            assert 0 < len(reply["error"]) <= 800, text
            assert reply["error"].isprintable(), text
            assert session.handle({"id": 2, "do": "set", "inputs": {}})["frame"]["values"] == shown, text
            continue
        drawn += 1
        shown = reply["frame"]["values"]
        try:
            right = evaluated(text)
        except fuzzing_expressions.UnknownError:
            continue
        known += 1
        found = view._opened.graph.root.data
        assert found == right or (math.isnan(found) and math.isnan(right)), (text, found, right)
    assert not Path(CANARY).exists()
    assert known > drawn / 3
    figure(
        f"{drawn + refused} expressions sent to the playground",
        f"{drawn} drawn ({known} of them compared with Python's floats: all equal), {refused} refused in words and what "
        "was shown left as it was; 0 evaluated as Python",
    )


def test_every_option_is_understood_or_refused_in_one_line(watched, tmp_path, figure):
    rng, count = random.Random(27), size(150, 3000)
    statuses = Counter()
    for _ in range(count):
        arguments = command_line(rng)
        status, _, err = watched(arguments, guarded=False)
        statuses[status] += 1
        assert status in (0, 1, 2), f"{arguments!r}: exit status {status}"
        if status == 2:
            problem = refused_well(status, "", err, arguments)
            assert problem is None, f"{arguments!r}: {problem}"
        assert "Traceback" not in err, f"{arguments!r}: {err}"
        assert not list(tmp_path.rglob(f"*{CANARY}*"))
    figure(
        f"{count} command lines with odd options, paths and variables",
        f"{statuses[0]} done, {statuses[1]} failed checks (status 1), {statuses[2]} refused with one line and status 2",
    )


def test_a_process_ends_as_main_does(watched, tmp_path, figure):
    """A sample through a real process: its own arguments, streams and exit status."""
    rng, count = random.Random(28), size(6, 150)
    environment = {**os.environ, "PYTHONPATH": str(Path(cli.__file__).parents[2]), "PYTHONUTF8": "1"}
    statuses = Counter()
    for i in range(count):
        arguments = ["grad", rng.choice((rng.choice(BY_HAND), typed(rng))), "x=0.75"] if i % 3 else command_line(rng)
        if i % 5 == 0:  # a byte that is no UTF-8, somewhere
            arguments = [argument + "\udcff" if rng.random() < 0.3 else argument for argument in arguments]
        arguments = [argument.replace("\0", "") for argument in arguments]
        if (
            any(0xD800 <= ord(c) <= 0xDFFF and not 0xDC80 <= ord(c) <= 0xDCFF for a in arguments for c in a)
            or max(map(len, arguments), default=0) > 10**5
        ):
            continue  # no system hands these to a process; U+DC80 to U+DCFF are bytes that are no UTF-8
        done = subprocess.run(
            [sys.executable, "-m", "scalargrad", *arguments], capture_output=True, env=environment, cwd=tmp_path,
            stdin=subprocess.DEVNULL, timeout=60, check=False,
        )  # fmt: skip
        status, _, _ = watched(arguments, guarded=False)
        statuses[done.returncode] += 1
        assert done.returncode == status, f"{arguments!r}: {done.returncode}, but main gives {status}"
        if status == 2:
            problem = refused_well(done.returncode, "", done.stderr.decode(), arguments)
            assert problem is None, f"{arguments!r}: {problem}"
        assert b"Traceback" not in done.stderr
        assert not list(tmp_path.rglob(f"*{CANARY}*"))
    figure(
        f"{sum(statuses.values())} of these through a process of their own",
        f"exit status as within Python: {', '.join(f'{n} times {status}' for status, n in sorted(statuses.items()))}",
    )


def test_the_oracle_tells_numbers_apart():
    assert evaluated("x*y + z") == 0.75 * -2.5 + 3.0
    assert math.isnan(evaluated("max(nan, x)"))
    assert evaluated("9**9**9") == math.inf
    assert CONSTANTS["pi"] == evaluated("pi")
    with pytest.raises(fuzzing_expressions.UnknownError):
        evaluated("__import__('os')")
    with pytest.raises(ZeroDivisionError):
        evaluated("1/0")
