"""Does the suite notice when the engine is wrong? Each small change of engine and op table, made and tested by itself.

    python tests/mutants.py [--workers 3] [--files scalargrad/ops.py scalargrad/engine.py] [--sample 200] [--minutes 90]
                            [--verdicts FILE]

mutmut (extra `mutation`) makes the changes: a number, an operator, a name at a time; what is no Python, or differs in an
annotation only, is no mutant. Each worker has a copy of the
package and the tests, and runs the tests named in TESTS until the first failure, those first that are likeliest to see
it. Survivors are printed with their line; docs/mutants.md, whose first part this writes, lists them with the reasons
kept in REASONS. The order is drawn at random, the same each time: what was tried when the minutes are over is a sample. With a file of verdicts the next run goes on.
"""

import argparse
import ast
import difflib
import hashlib
import os
import random
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import date
from pathlib import Path
from queue import Queue

ROOT = Path(__file__).parents[1]
FILES = (
    "scalargrad/ops.py",
    "scalargrad/engine.py",
    *(f"scalargrad/table/{name}.py" for name in ("row", "making", "calling", "passing_back", "many", "floats")),
    *(
        f"scalargrad/node/{name}.py"
        for name in (
            "rules",
            "by_hand",
            "mode",
            "contexts",
            "new_nodes",
            "rebinding",
            "extras",
            "numbers",
            "node",
            "copying",
            "overwritten",
            "large",
        )
    ),
)
TESTS = (
    "tests/table/test_ops.py", "tests/engine/test_backward.py", "tests/table/test_hard_points.py", "tests/words/test_derivation.py",
    "tests/functional/test_transforms.py", "tests/words/test_formula.py", "tests/engine/test_properties.py", "tests/tracing/test_steps.py", "tests/house/test_package.py", "tests/table/test_method_stub.py",
    "tests/table/test_choosing.py", "tests/node/test_data_slot.py", "tests/node/test_no_grad.py", "tests/node/test_bad_numbers.py",
    "tests/node/test_copied_attributes.py", "tests/people/test_microgpt.py", "tests/people/test_programs.py", "tests/engine/test_gradients_that_are_values.py",
    "tests/node/test_messages.py", "tests/node/test_identity.py", "tests/node/test_names.py", "tests/node/test_variables.py",
    "tests/table/test_take.py", "tests/table/test_lowered.py", "tests/table/test_one_place.py",
    "tests/compiling/test_python.py::test_lowered_ops_compute_what_the_rows_do",
    "tests/engine/test_hooks.py", "tests/engine/test_function.py", "tests/nn/test_modules.py", "tests/people/test_micrograd.py",
    "scalargrad/engine.py", "scalargrad/words/patterns.py",
)  # fmt: skip
PROFILE = "--hypothesis-profile=mutants"
SECONDS, WAIT, MEMORY = 300, 3600, 16 * 2**30
"""The most that a run may take: seconds of the processor, seconds in all, bytes. The tests take 70."""
PAGE = ROOT / "docs" / "mutants.md"
IN_C = "## The engine in C"
"""The part of the page that mutants_in_c.py writes."""

# (part of "file: line before -> line after", or several parts of which any will do; why no test can or need see it)
REASONS = (
    ("XX__len__XX", "the same: a list is made of what has a length as well"),
    (
        (
            "zip(self._x, self._a, strict=False)", "zip(before, reversed(after), strict=False)",
            "zip(node._x, self.partials, strict=False)", "zip(node._x, rule_x(a, b, z), strict=False)",
            "zip(xs[:n], xs[n : 2 * n], strict=False)",
        ),
        "the same: both have the same length by construction",
    ),
    ("quotient_by_zero(2.0, x)", "the same: only the sign of the dividend matters"),
    ("x > 0) if y < 0", "the same but on the cut itself, where the other side is one step away"),
    ("if y <= 0", "the same but on the line y = 0, where arctan2 has no kink"),
    ("where(exp(-1.5 * x * x)", "different only where the derivative is below 1e-60"),
    ("x != y == 0", "still tells the tip of the cone from what is around it"),
    ("x != max(xs)", "the same sides with the answers exchanged"),
    ("x != min(xs)", "the same sides with the answers exchanged"),
    ("hypot(x, y), x, 2.0)", "different only at 0 ** 0, where it is multiplied by 0"),
    ("exp(where(step(x), 1.0, x))", "the branch that is not taken; any finite number will do"),
    ((" & None", "float & complex", "bool & AnyFunction", "...] & bool"), "an annotation, not evaluated"),
    ("never_minus_zero=False", "the same number: a compiled program adds one 0.0 more"),
    (
        (
            "<= 2**54:", "<= 3**53:", "<= 2*53:", "x < 2**53:", "y < 2**53:", "-(2**53) < ", "-(2**54)", "-(3**53)", "-(2*53)",
            "+(2**53)",
        ),
        "the same: the long way makes the same float of an integer",
    ),
    (
        ('in_c("XX', '_quick("XX'),
        "what the engine in C is asked for; it is left out here, and with it the package would not import",
    ),
    (
        ('"XXbackwardXX", "chooses"', '"XXchoosesXX", "partials"', '"XXpartialsXX", "value"', '"XXvalueXX")', 'if name not in ("backward"'),
        "only the engine in C is told, which is left out here",
    ),
    ("XX__wrapped__XX", "the Python function beside one in C, which is left out here"),
    (('TypeVar("XX', 'ContextVar("XX'), "a name that only its repr shows"),
    ("XXThe number. Assigning", "what help() says of the slot"),
    ('"__name__", "XXXX"', "the same: Python's math has no such function either"),
    ("XXINPLACE_XX", "the name in Python 3.10; the run was with a later one"),
    (("argument < 25", "argument <= 26"), "25 is ^=, which Values refuse; 26 is an index, from Python 3.14 on"),
    ("return x / 1.0", "the same number and the same derivative"),
    ("of_three if len(op.arguments) == 4", "the same by the longer way"),
    ("return local if isinstance(rule, bool) else rule(xs[0], xs[1] if len(xs) >= 1", "only rows of two operands have such a rule"),
    (
        ("if y._a is not None or (type(below) is tuple", "(type(below) is not tuple or below not in finished"),
        "the same order by the longer way",
    ),
    (("_is_other_operand(rule_x, 2)", "partial_y == 1.0 and  op.is_choice"), "the same by the general way"),
    ("share = upstream if  isinstance(local, Value)", "the same number: a product by 1 more"),
    ("known.where(2.0, mask)", "a mask says where it is not 0"),
    ("for rule in LEAVES.values() if  rule", "only the engine in C is told, which is left out here"),
    ("is_leaf: bool = True", "every call says which it is"),
    ("in order if node._rule.is_leaf or node._rule.requires_grad}", "the same numbers in a larger table"),
    ('self.default: float | None = ""', "rows of two operands are told theirs, and no other is asked"),
    (("...] | bool = None", "...] | bool = True"), "each way to make a row says what it chooses"),
    (("self.is_held = None", "self.has_index = None"), "None is as false as False"),
    ("requires_grad=True) for _, a in node.operands]", "only the numbers are looked at"),
    ("Value(node._data, requires_grad=True), index)", "only the numbers are looked at"),
    (("-> AnyFunction = None", "-> Hooks = None", "-> Adjoints = None", "-> Partial = None"), "a name for annotations, which are not evaluated"),
    ("node/copying.py: break -> continue", "Value's own bases have no slots"),
    ("@abstractmethod -> ", "for type checkers: who makes such an object is not looked at when the program runs"),
    ("modes_were_used[:] = [False]", "a list with an entry is true"),
    ("else 2j", "any complex number will do"),
    ("z = inf if x > 0 or", "0 to a power does not overflow"),
    ("if x >= 0: -> if x > 0:", "the same from either side at 0"),
    ("if x >= 0: -> if x >= 1:", "between 0 and 1 neither side overflows: the same but for the last bit"),
    ('_shown(self, "XXdataXX")', "the same number by the longer way"),
    (("elif index < 1:", "elif index <= 0:"), "0 is in range, or there are no entries, which is said before"),
    (("/ math.copysign(1.0, y)", "math.copysign(2.0, y)"), "the same: infinity by 1, -1, 2 or -2"),
    (
        ("+1e16]) == 0.0", "-2e+16]) == 0.0", "sum([2e+16", "sum([1e16, 2.0", "-1e16]) == 1.0", "-1e16]) != 0.0"),
        "the same sums up to Python 3.11, where the built-in folds from the left, too",
    ),
    ('"ndim", 2)', "any number but 0 will do"),
    ("root * root, 2.0)", "0 by any number is 0"),
    ("greater(xs[1], xs[2]), -2.0, 1.0)", "the root of any negative number will do"),
    ('data = ""', "the same: no float either"),
    (("order[+1:]", "order[-2:]"), "only the engine in C keeps nodes from the collector, and it is left out here"),
    ("known is None or not _has_the_slots", "the same attributes once more, by the memo"),
    ("self.is_users = None", "None is as false as False"),
    ("self.never_minus_zero = None", "None is as false as False"),
    (("LARGE = 100001", "len(order) > LARGE"), "from where on the table is kept small; both sweeps give the same"),
)  # fmt: skip


class Unannotated(ast.NodeTransformer):
    """Takes the annotations out of a syntax tree: the modules here do not evaluate theirs."""

    def visit_arg(self, node):
        node.annotation = None
        return node

    def visit_FunctionDef(self, node):
        node.returns = None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node):
        return node.value and self.generic_visit(ast.Assign([node.target], node.value))


def what_runs(source):
    """A source's syntax without annotations, which tells two apart that differ when they run; None if it is no Python."""
    try:
        return ast.dump(Unannotated().visit(ast.parse(source)))
    except SyntaxError:
        return None


def mutants(path):
    """Each mutation of a file: (its path, the changed source, its line, before, after)."""
    from mutmut import Context, list_mutations, mutate

    source = (ROOT / path).read_text(encoding="utf-8")
    found, no_change = [], (None, what_runs(source))
    for mutation in list_mutations(Context(source=source, filename=path)):
        changed, count = mutate(Context(source=source, filename=path, mutation_id=mutation))
        if count and what_runs(changed) not in no_change:
            lines = list(difflib.unified_diff(source.splitlines(), changed.splitlines(), lineterm="", n=0))[2:]
            before, after = (next((x[1:].strip() for x in lines[1:] if x[0] == sign), "") for sign in "-+")
            found.append((path, changed, mutation.line_number + 1, before, after))
    return found


def ran(folder, *command, **environment):
    """Whether a command of this Python ends well in this copy, with no more than so much of the processor and memory.

    A loop that never ends, or asks for ever more, does not. Of the processor: how busy the machine is does not count.
    """

    def limit():
        resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))

    environment = {**os.environ, "PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1", **environment}
    command = [sys.executable, *command]
    try:
        done = subprocess.run(
            command, cwd=folder, timeout=WAIT, capture_output=True, env=environment, check=False, preexec_fn=limit
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def tests_pass(folder, tests, **environment):
    """Whether these tests pass in this copy."""
    return ran(folder, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", PROFILE, *tests, **environment)


def passes(folder, tests=TESTS, **environment):
    """Whether these tests pass in this copy: without the engine in C, which would do what the changed Python does not."""
    return tests_pass(folder, tests, SCALARGRAD_PURE="1", **environment)


def likeliest(path):
    """The tests that are likeliest to see a change of this file, and none that takes long."""
    room = {"ops.py": "table", "engine.py": "engine"}.get(Path(path).name, Path(path).parent.name)
    mine = (f"tests/{room}/", "tests/engine/test_backward")
    return [test for test in TESTS if test.startswith(mine) and "choosing" not in test]


def survives(folder, mutant):
    """Whether all tests pass with this change."""
    path, changed, *_ = mutant
    original = (ROOT / path).read_text(encoding="utf-8")
    (folder / path).write_text(changed, encoding="utf-8")
    try:
        first = likeliest(path)
        return passes(folder, first) and passes(folder, [test for test in TESTS if test not in first])
    finally:
        (folder / path).write_text(original, encoding="utf-8")


def copied(folder):
    """A copy of the package and its tests, in this folder."""
    for name in ("scalargrad", "tests", "docs", "notebooks", ".github", ".ci"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "_build"))
    for name in ("pyproject.toml", "README.md", "uv.lock"):
        shutil.copy(ROOT / name, folder / name)


def known_verdicts(path):
    """Of each mutant that was tried whether it survived, from a file of lines; none if there is no file."""
    lines = path.read_text(encoding="utf-8").splitlines() if path and path.exists() else ()
    return {key: alive == "survived" for key, alive in map(str.split, lines)}


def name_of(mutant):
    """What tells a mutant: what the changed file says, and which it is."""
    return hashlib.blake2b(f"{mutant[0]}\n{mutant[1]}".encode(), digest_size=8).hexdigest()


def run(paths, workers, sample=None, minutes=None, verdicts=None):
    """How many mutants there are; of those that were tried, all or a sample, each with whether it survived."""
    known = known_verdicts(verdicts)
    with ProcessPoolExecutor(workers) as pool:
        everything = [mutant for found in pool.map(mutants, paths) for mutant in found]
    todo = random.Random(0).sample(everything, len(everything))[:sample]
    end = float("inf") if minutes is None else time.monotonic() + 60 * minutes
    folders = Queue()
    with tempfile.TemporaryDirectory() as top:
        # Only these runs keep bytecode, in their folders: without it a run begins 3 s later. What a later run changes is read
        # anew, since the file is younger than its bytecode.
        unchanged = Path(top) / "0"
        copied(unchanged)
        if not passes(unchanged, PYTHONDONTWRITEBYTECODE=""):
            raise SystemExit(f"the tests fail without any change: python -m pytest {' '.join(TESTS)}")
        folders.put(unchanged)
        for i in range(1, workers):
            folders.put(shutil.copytree(unchanged, Path(top) / str(i)))

        def check(mutant):
            name = name_of(mutant)
            if name in known:
                return known[name]
            folder = folders.get()
            try:
                alive = survives(folder, mutant) if time.monotonic() < end else None
            finally:
                folders.put(folder)
            if verdicts and alive is not None:
                with verdicts.open("a", encoding="utf-8") as file:
                    file.write(f"{name} {'survived' if alive else 'noticed'}\n")
            if alive:
                print(f"\nSURVIVED {mutant[0]}:{mutant[2]}\n  - {mutant[3]}\n  + {mutant[4]}", flush=True)
            elif alive is False:
                print(".", end="", flush=True)
            return alive

        with ThreadPoolExecutor(workers) as pool:
            found = list(zip(todo, pool.map(check, todo), strict=True))
    return len(everything), [(mutant, alive) for mutant, alive in found if alive is not None]


def reason(mutant):
    """Why a survivor is no gap in the tests; empty if nobody has said."""
    line = f"{mutant[0]}: {mutant[3]} -> {mutant[4]}"
    found = (why for parts, why in REASONS if any(part in line for part in ([parts] if type(parts) is str else parts)))
    return next(found, "")


def write(of_python="", in_c=""):
    """Put a part of the page, one of the two, in its place; the other stays."""
    first, _, second = PAGE.read_text(encoding="utf-8").partition(IN_C)
    parts = [of_python or first.rstrip() + "\n", in_c or (second and IN_C + second)]
    PAGE.write_text("\n".join(filter(None, parts)), encoding="utf-8")
    print(f"wrote {PAGE}")


def part(head, tried, survivors):
    """A part of docs/mutants.md: its head, how many were noticed, and of each other: place, before, after, reason."""
    killed = len(tried) - len(survivors)
    lines = [
        *head,
        "",
        f"{date.today():%Y-%m-%d}: {killed} of {len(tried)} were noticed: {100 * killed / len(tried):.1f} %.",
        "",
    ]
    if survivors:
        lines += ["| place | before | after | why it is not noticed |", "|---|---|---|---|"]
    for place, *texts, why in survivors:
        before, after = (f"`{text.replace('|', chr(92) + '|')[:120]}`" for text in texts)
        lines.append(f"| {place} | {before} | {after} | {why or '?'} |")
    return "\n".join([*lines, ""])


def page(count, tried):
    """The result as docs/mutants.md."""
    drawn = f" Of the {count} that it can make, {len(tried)} were drawn at random." if len(tried) < count else ""
    head = [
        "# Mutants", "",
        "Small changes of the engine and the op table, one at a time, by mutmut; does a test fail? `python",
        f"tests/mutants.py` makes them and writes this page.{drawn}",
    ]  # fmt: skip
    alive = sorted((mutant for mutant, survived in tried if survived), key=lambda one: (FILES.index(one[0]), one[2]))
    return part(head, tried, [(f"{mutant[0]}:{mutant[2]}", *mutant[3:], reason(mutant)) for mutant in alive])


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--files", nargs="*", default=FILES, help="change these only, and write no page")
    parser.add_argument("--sample", type=int, help="try so many of them only")
    parser.add_argument("--minutes", type=float, help="begin none after so many minutes")
    parser.add_argument("--verdicts", type=Path, help="a file of those of earlier runs, to which this run's are added")
    options = parser.parse_args()
    number, found = run(options.files, options.workers, options.sample, options.minutes, options.verdicts)
    left = sum(survived for _, survived in found)
    print(f"\n{len(found) - left} of {len(found)} noticed, {left} survived")
    if options.files == FILES:
        write(of_python=page(number, found))
