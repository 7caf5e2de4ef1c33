"""Calls everything public with right and wrong arguments, in a process of its own, and reports what should not be.

    python tests/reliability/fuzzing.py SEED CALLS [PART OF A NAME]

Every call is drawn from the seed and its own number alone, so that it can be made again by itself. A process of its own:
a call that hangs, eats the memory or breaks the interpreter must not take the tests with it.
"""

import ast
import contextlib
import faulthandler
import fnmatch
import functools
import inspect
import io
import json
import os
import random
import re
import signal
import sys
import tempfile
import types
import warnings
from collections import Counter

import numpy as np
from fuzzing_arguments import NAMES
from fuzzing_examples import EXAMPLES
from fuzzing_outcomes import HangError, changed, fingerprints, judged, moved, restore, surroundings
from fuzzing_public import NEVER_RETURN, Call, callables
from fuzzing_right import BETTER, NUMBER, RIGHT
from fuzzing_wrong import NESTS, WRONG

SECONDS, MEMORY = 1.0, 6 * 2**30

CHANGES_AS_IT_GOES = ("nn.fit",)
"""Whatever ends training early leaves the parameters of the last whole step: so fit promises."""

FORMULAS = ("*_lr", "nn.*uniform", "nn.*normal", "nn.zeros", "nn.constant", "nn.*.snapshot", "sg.Optimizer.*")
"""What these return is a formula of plain numbers, which is not called with wrong ones."""

SEARCHES = {"sg.check_op": 20.0, "sg.checking.check_op": 20.0}
"""Seconds for those that try many points, each a gradient check."""

DRAWS_AS_IT_GOES = ("nn.fit", "nn.Dropout.*", "nn.Sequential.*")
"""Where an error in the middle leaves the random numbers drawn so far."""


def right(call, parameter, rng):
    """A right argument for a parameter, as text; of a parameter that nobody told of, any."""
    full = f"{call}.{parameter}"
    for pattern, texts in BETTER.items():
        if fnmatch.fnmatchcase(full, pattern):
            return rng.choice(texts)
    return rng.choice(RIGHT.get(parameter, NUMBER))


def wrong(rng):
    text = rng.choice(WRONG)
    while rng.random() < 0.25:
        nest = rng.choice(NESTS)
        text = nest.format(*[text] * 2)
    return text


@functools.cache
def examples(name):
    """Arguments that are right together for a call: (what comes before, positional texts, named texts) of each."""

    def fits(pattern):
        return re.fullmatch(re.escape(pattern).replace(r"\*\*", ".*").replace(r"\*", "[^.]*"), name)

    found = []
    for text in next((texts for pattern, texts in EXAMPLES.items() if fits(pattern)), ()):
        begin, _, arguments = text.rpartition("; ")
        call = ast.parse(f"f({arguments})", mode="eval").body
        found.append((begin, [*map(ast.unparse, call.args)], {k.arg: ast.unparse(k.value) for k in call.keywords}))
    return found


def draw(call, rng):
    """A call: (the object's text, a statement before it, positional texts, named texts); most arguments are right."""
    instance, begin = rng.choice(call.instances) if call.instances else "", ""
    share = rng.choice([0.0, 0.3, 0.3, 0.6, 1.0])
    positional, named = [], {}

    def argument(name, text=None):
        text = text or right(call.name, name, rng)
        if rng.random() >= share:
            return text
        return f"spoiled({text}, {wrong(rng)}, {rng.randrange(1, 1000)})" if rng.random() < 0.3 else wrong(rng)

    known = call.parameters and examples(call.name)
    if by_example := known and rng.random() < 0.6:
        begin, texts, named_texts = rng.choice(known)
        positional += [argument("", text) for text in texts]
        named |= {name: argument(name, text) for name, text in named_texts.items()}
    for p in call.parameters[len(positional) :]:
        required = p.default is p.empty
        if by_example and (p.name in named or p.kind not in (p.KEYWORD_ONLY, p.POSITIONAL_OR_KEYWORD)):
            continue
        if p.kind is p.VAR_POSITIONAL:
            if not named:
                positional += [argument(p.name) for _ in range(rng.choice([0, 1, 1, 2, 3]))]
        elif p.kind is p.VAR_KEYWORD:
            if rng.random() < 0.1:
                named[rng.choice(["out", "frob", "label", "axis"])] = argument(p.name)
        elif required and (p.kind is p.POSITIONAL_ONLY or (p.kind is p.POSITIONAL_OR_KEYWORD and not named)):
            positional.append(argument(p.name))
        elif required or rng.random() < (0.1 if by_example else 0.3):
            named[p.name] = argument(p.name)
    luck = rng.random()
    if luck < 0.02:
        named["frobnicate"] = "1"
    elif luck < 0.04:
        positional = positional[:-1]
    elif luck < 0.06:
        positional.append(wrong(rng))
    return instance, begin, positional, named


def evaluate(text, names=NAMES):
    return eval(compiled(text), names)  # noqa: S307


@functools.lru_cache(10000)
def compiled(text):
    return compile(text, "<argument>", "eval")


def on_alarm(*_):
    raise HangError


def limited(function, arguments, named, seconds=SECONDS):
    """The function's outcome: ('returned', result) or ('raised', error)."""
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.setitimer(signal.ITIMER_REAL, 60 * seconds)
    try:
        try:
            return "returned", function(*arguments, **named)
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.setitimer(signal.ITIMER_REAL, 0)
    except BaseException as error:
        return "raised", error


def perform(call, number, seed, arguments=None):
    """Make one call: (its text, what is wrong with it or None, the outcome's kind)."""
    rng = random.Random(f"{seed}/{number}")
    instance, begin, positional, named = arguments or draw(call, rng)
    _, _, followed, _ = draw(Call("then", None, [inspect.Parameter("x", inspect.Parameter.VAR_POSITIONAL)]), rng)
    random.seed(number)
    shown = ", ".join([*positional, *(f"{k}={v}" for k, v in named.items())])
    if not instance:
        text = f"{call.name}({shown})"
    elif re.search(r"\bit\b", shown):
        text = f"it = {instance}; it.{call.name.split('.')[-1]}({shown})"
    else:
        text = f"{instance}.{call.name.split('.')[-1]}({shown})"
    text = f"{begin}; {text}" if begin else text
    names = dict(NAMES)
    try:
        target = [evaluate(instance)] if instance else []
        names["it"] = next(iter(target), None)
        exec(begin, names)  # noqa: S102
        xs = [evaluate(text, names) for text in positional]
        options = {name: evaluate(text, names) for name, text in named.items()}
        function = call.get(*target)
    except HangError:
        raise
    except Exception as error:  # a right argument that cannot be made is a defect of the fuzzer's own lists
        return text, ("argument", repr(error), ""), "argument"
    for name in options.keys() & {"epochs", "examples"}:  # repetitions asked for are made
        if isinstance(options[name], (int, np.integer)):
            options[name] = min(options[name], 3)
    given = [target, xs, options]
    before, around = fingerprints(given), surroundings()
    how, result = limited(function, xs, options, SEARCHES.get(call.name, SECONDS))
    problem = judged(how, result, call, given)
    if how == "raised" and problem is None and call.name not in CHANGES_AS_IT_GOES:
        problem = changed(before, given)
    if problem is None:
        random_too = how == "raised" and not any(
            fnmatch.fnmatchcase(call.name, pattern) for pattern in DRAWS_AS_IT_GOES
        )
        problem = moved(around, surroundings(), how, random_too)
        if problem and problem[0] == "moved decimal" and call.name.startswith(("np.", "operator.")):
            problem = (
                None  # numpy and Python compare a Decimal with a float by themselves, which sets a flag of decimal
            )
    kind = "returned" if how == "returned" else type(result).__name__
    restore(around)
    formula = any(fnmatch.fnmatchcase(call.name, pattern) for pattern in FORMULAS)
    if how == "returned" and problem is None and isinstance(result, types.FunctionType) and not formula:
        try:
            more = [evaluate(t) for t in followed]
        except Exception:
            return text, None, kind
        before, around = fingerprints([more]), surroundings()
        how, result = limited(result, more, {})
        problem = (
            judged(how, result, call, [*given, more])
            or (changed(before, [more]) if how == "raised" else None)
            or moved(around, surroundings(), how, random_too=False)
        )
        restore(around)
        text += f"({', '.join(followed)})"
    return text, problem, kind


def smaller(call, number, seed, drawn, problem):
    """The same problem with fewer wrong arguments."""
    instance, begin, positional, named = drawn

    def same(arguments):
        found = perform(call, number, seed, arguments)
        return found[0] if found[1] and (found[1][0], found[1][2]) == (problem[0], problem[2]) else None

    rng, text = random.Random(0), None
    for name in list(named):
        fewer = {k: v for k, v in named.items() if k != name}
        if shown := same((instance, begin, positional, fewer)):
            named, text = fewer, shown
    for i in range(len(positional)):
        p = call.parameters[min(i, len(call.parameters) - 1)].name if call.parameters else "x"
        for _ in range(2):
            simpler = [*positional[:i], right(call.name, p, rng), *positional[i + 1 :]]
            if simpler[i] != positional[i] and (shown := same((instance, begin, simpler, named))):
                positional, text = simpler, shown
                break
    return text


def main(seed, count, part=""):
    calls = [call for name, call in sorted(callables().items()) if part in name]
    signal.signal(signal.SIGPROF, on_alarm)
    signal.signal(signal.SIGALRM, on_alarm)
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, resource.RLIM_INFINITY))
    warnings.simplefilter("ignore")
    outcomes, defects, reached = Counter(), {}, Counter()
    out = sys.stdout
    sys.modules["jax"] = None  # its first trace takes seconds: not here
    with (
        tempfile.TemporaryDirectory() as folder,
        contextlib.redirect_stdout(io.StringIO()),
        contextlib.redirect_stderr(io.StringIO()),
    ):
        os.chdir(folder)
        warm_up()
        for number in range(count):
            call = calls[number % len(calls)]
            if number % 200 == 0:
                faulthandler.dump_traceback_later(300, exit=True, file=sys.__stderr__)
                sys.stdout.seek(0), sys.stdout.truncate(), sys.stderr.seek(0), sys.stderr.truncate()
            print(number, file=sys.__stderr__) if os.environ.get("FUZZ_TRACE") else None
            text, problem, kind = perform(call, number, seed)
            outcomes[kind] += 1
            reached[call.name] += kind == "returned"
            if problem:
                key = (problem[0], problem[2] or call.name)
                if key not in defects:
                    rng = random.Random(f"{seed}/{number}")
                    drawn = draw(call, rng)
                    shorter = smaller(call, number, seed, drawn, problem) if "hang" not in problem[0].lower() else None
                    defects[key] = {
                        "kind": problem[0],
                        "place": problem[2],
                        "message": problem[1],
                        "call": shorter or text,
                        "count": 0,
                    }
                defects[key]["count"] += 1
    json.dump({"calls": count, "callables": [call.name for call in calls], "never return": sorted(NEVER_RETURN), "outcomes": dict(outcomes),
               "returned": sorted(n for n in reached if reached[n]),
               "defects": list(defects.values())}, out)  # fmt: skip


def warm_up():
    """Imports and first compilations, which take longer than a call may."""
    import hypothesis  # noqa: F401
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot  # noqa: F401

    for text in ("sg.compile(square, backend='llvm').values([1.0])", "sg.draw(graph()).save('warm.svg')", "sg.loss_curve([1.0])", "model_file()",
                 "sg.trace(graph()).save('warm.html')", "nn.fit(mlp(), [[1.0, 2.0]], [1.0], loss='mse', epochs=1)", "sg.draw(graph()).save('warm.png')"):  # fmt: skip
        evaluate(text)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), *sys.argv[3:])
