"""The pages for those who change the source are true: recipes work, names are found, the picture of the house is drawn anew."""

import importlib
import re
import shutil
import subprocess
import sys
from os import environ
from pathlib import Path

import pytest
from optional import need_layout

import scalargrad

sys.path.insert(0, str(Path(__file__).parents[2] / "docs" / "_extensions"))
from scalargrad_docs import house

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PACKAGE = Path(scalargrad.__file__).parent
PAGES = [DOCS / name for name in ("contributing.md", "design.md", "glossary.md")]

EVERYTHING = """
import math
import pytest
import scalargrad as sg
from scalargrad import Value, check_op, nn, trace
from scalargrad.circuit import Gate
from scalargrad.compiling.llvm.library import available
from scalargrad.words.derivation import partial_formula

x = Value(-3.0, label="x")
y = sg.softsign(x)
assert y.data == x.softsign().data == -0.75
assert sg.softsign(1.0) == 0.5
y.backward()
assert x.grad == 0.0625
assert sg.derivative(sg.softsign, 2)(1.0) == -0.25
assert sg.jvp(sg.softsign, [1.0], [1.0]) == (0.5, 0.25)

assert y.formula() == "softsign(x)"
assert repr(y._backward) == "<local backward: x.grad += square(1 / (1 + absolute(x.data))) * out.grad>"
assert "square(1 / (1 + absolute(z)))" in repr(sg.softsign(Value(1.0, label="z"))._backward).replace(".data", "")
assert "= 0.0625" in trace(y)[-1].text
assert "softsign(x)" in y.draw().svg
assert "softsign" in y.to_python()
assert Gate("softsign").forward(1.0) == 0.5
assert nn.Layer(2, 3, activation="softsign", seed=1)([1.0, 2.0])[0].data == pytest.approx(
    sg.softsign(nn.Layer(2, 3, activation="linear", seed=1)([1.0, 2.0])[0]).data
)

def jax_is_there():
    try:
        import jax
    except ImportError:
        return False
    return True

for backend, is_there in (("python", True), ("llvm", available()), ("jax", jax_is_there())):
    if is_there:
        compiled = sg.compile(sg.value_and_grad(sg.softsign), backend=backend)
        assert compiled(-3.0) == pytest.approx((-0.75, 0.0625), rel=1e-15), backend
        loss, (gradient,) = sg.compile(lambda u: sg.softsign(x * u), parameters=[x], backend=backend).value_and_grad([1.0])
        assert (loss, gradient) == pytest.approx((-0.75, 0.0625), rel=1e-15), backend

assert check_op(sg.softsign, examples=50)
"""


def test_the_recipe_for_an_operation_works_as_it_is_written(tmp_path):
    """Its row is added to a copy of the package, where the page says; the new op is looked at from all sides."""
    need_layout()
    page = (DOCS / "contributing.md").read_text(encoding="utf-8")
    (row,) = re.findall(r"```text\n(.*?)```", page.partition("## A backend")[0], re.DOTALL)
    (above,) = re.findall(r"goes below `(\w+)`", page)
    copy = shutil.copytree(PACKAGE, tmp_path / "scalargrad", ignore=shutil.ignore_patterns("__pycache__"))
    table = (copy / "ops.py").read_text(encoding="utf-8")
    longer, count = re.subn(rf"(?m)^({above} += .*\n)", lambda found: found[1] + row, table)
    assert count == 1
    (copy / "ops.py").write_text(longer, encoding="utf-8")
    code = f"import scalargrad\nassert scalargrad.__file__.startswith({str(tmp_path)!r})\n{EVERYTHING}"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env={**environ, "PYTHONPATH": str(tmp_path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_no_more_files_take_part_in_a_product_and_its_gradient_than_the_page_says():
    code = """if True:
        import sys
        from pathlib import Path
        from scalargrad import Value
        met = set()
        sys.settrace(lambda frame, event, argument: met.add(frame.f_code.co_filename))
        a, b = Value(2.0), Value(3.0)
        c = a * b
        c.backward()
        sys.settrace(None)
        print(*sorted(Path(name).name for name in met if "scalargrad" in name))
    """
    said = re.search(r"Six files more.*?\n\n", (DOCS / "design.md").read_text(encoding="utf-8"), re.DOTALL)[0]
    named = {"engine.py", *re.findall(r"`(\w+\.py)`", said)}
    path = {**environ, "PYTHONPATH": str(PACKAGE.parent), "SCALARGRAD_PURE": "1"}
    done = subprocess.run([sys.executable, "-c", code], env=path, capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) == named


# -------------------------------------------------------------------- names and places


def spans(page):
    """What stands between backticks in the page, and the lines of its indented code."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    return re.findall(r"`([^`\n]+)`", text) + re.findall(r"(?m)^    (\S.*)$", text)


def place(name):
    """Where a file or folder of the repository is; the package is where it was imported from."""
    return PACKAGE / name.removeprefix("scalargrad/") if name.startswith("scalargrad/") else ROOT / name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_files_that_are_named_exist(page):
    files = {path.name for path in PACKAGE.rglob("*.py")}
    missing, seen = [], 0
    for span in spans(page):
        for word in span.split():
            if re.fullmatch(r"(tests|docs|scalargrad|notebooks)/[\w./-]+", word):
                seen += 1
                missing += [] if place(word).exists() else [word]
            elif re.fullmatch(r"\w+\.py", word):
                seen += 1
                missing += [] if word in files else [word]
    assert missing == []
    assert seen > 10 or page.name == "glossary.md"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_names_that_are_named_exist(page):
    rooms = "|".join(house.imported(PACKAGE))
    for span in spans(page):
        if re.fullmatch(rf"(scalargrad|{rooms})(\.\w+)+", span) and not span.endswith(".py"):
            name = span if span.startswith("scalargrad.") else f"scalargrad.{span}"
            parts, found = name.split("."), None
            for n in range(len(parts), 0, -1):
                try:
                    found = importlib.import_module(".".join(parts[:n]))
                except ModuleNotFoundError:
                    continue
                break
            for part in parts[n:]:
                found = getattr(found, part)


def test_the_extras_that_are_named_exist():
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    text = text.partition("[project.optional-dependencies]")[2].partition("\n[")[0]
    known = set(re.findall(r"(?m)^(\w+) = \[", text))
    for extras in re.findall(r'-e "\.\[([\w,]+)\]"', (DOCS / "contributing.md").read_text(encoding="utf-8")):
        assert set(extras.split(",")) <= known


# -------------------------------------------------------------------- the glossary


def test_each_word_is_said_once_with_words_above_it_only():
    text = (DOCS / "glossary.md").read_text(encoding="utf-8")
    known, seen = [], 0
    for entry in re.findall(r"(?ms)^- (\*\*.*?)(?=^- |^## |\Z)", text):
        word, also = re.match(r"\*\*([\w ]+)\*\*", entry)[1], re.findall(r"\*\*([\w ]+)\*\*", entry)
        for used in re.findall(r"(?<!\*)\*([\w ]+)\*(?!\*)", entry):
            seen += 1
            assert {used, used.removesuffix("s")} & {*known, *also}, f"{word}: {used} is said further down, or nowhere"
        assert not set(also) & set(known), entry
        known += also
    assert len(known) > 50
    assert seen > 60


# -------------------------------------------------------------------- the house


def test_the_picture_of_the_house_is_what_the_script_draws():
    """Sizes may be off by a little: a picture does not get wrong by a line."""
    sizes = r"([\d ]+) lines"
    drawn, stored = house.svg(PACKAGE), house.PICTURE.read_text(encoding="utf-8")
    assert re.sub(sizes, "", drawn) == re.sub(sizes, "", stored), "python docs/_extensions/scalargrad_docs/house.py"
    for now, then in zip(re.findall(sizes, drawn), re.findall(sizes, stored), strict=True):
        now, then = (int(size.replace(" ", "")) for size in (now, then))
        assert abs(now - then) <= max(100, now / 5), "python docs/_extensions/scalargrad_docs/house.py"


def test_an_arrow_stands_for_each_way_and_none_for_two():
    needs = house.imported(PACKAGE)
    level, arrows = house.floors(needs), house.next_needed(needs)
    assert all(level[other] < level[one] for one in needs for other in needs[one])

    def reached(one, left_out=None):
        below, stack = set(), [one]
        while stack:
            now = stack.pop()
            new = {b for a, b in arrows if a == now and (a, b) != left_out} - below
            below |= new
            stack += new
        return below

    for one, others in needs.items():
        assert others <= reached(one)
    assert all(other not in reached(one, (one, other)) for one, other in arrows)


def test_the_page_has_a_line_for_every_room_and_the_order_of_the_tests():
    text = (DOCS / "design.md").read_text(encoding="utf-8")
    rows = re.findall(r"(?m)^\| \[(\w+)\]\(\.\./scalargrad/", text)
    needs = house.imported(PACKAGE)
    assert sorted(rows) == sorted(needs)
    said = re.search(r"(?m)^    support < .*\n    .*$", text)[0]
    chains = [[re.findall(r"\w+", level) for level in chain.split("<")] for chain in said.replace("\n", " ").split(";")]
    assert {room for chain in chains for level in chain for room in level} == set(needs)
    for chain in chains:
        for i, level in enumerate(chain):
            for one in level:
                assert not needs[one] & {other for rest in chain[i:] for other in rest}, one
