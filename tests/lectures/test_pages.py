"""Whoever holds one of the lectures' documents finds each of its points: the cell is there, and gives the number.

The pages docs/lectures are written by tests/shared/lecture_pages.py, from the items in tests/lectures/items.
"""

import ast
import json
import re
from pathlib import Path

import lecture_pages as pages
import pytest

import scalargrad
from scalargrad import circuit, layers, nn

DOCS = pages.ROOT / "docs"
DOCUMENTS = pages.documents()
ITEMS = [(document.name, item) for document in DOCUMENTS for item in document.items]
CELLS = sorted({place for _, item in ITEMS for place in item.at if not place.startswith("docs/")})


def plain(text):
    return re.sub(r"\s+", " ", text.replace("\u2212", "-"))


def text_at(place):
    """The text of a cell with its output, or of a page; none of a cell that is not there."""
    if place.startswith("docs/"):
        return (pages.ROOT / place).read_text(encoding="utf-8")
    cell = pages.cell_of(place)[1]
    return "" if cell is None else pages.text_of(cell)


# -------------------------------------------------------------------- the pages


def test_the_pages_are_what_the_items_say():
    written = {path.name: path.read_text(encoding="utf-8") for path in pages.PAGES.glob("*.md")}
    made = pages.texts()
    assert written.keys() == {*made, "layer-lists.md"}
    assert {name: written[name] for name in made} == made, "python tests/shared/lecture_pages.py"


def test_each_row_of_the_lectures_is_an_item():
    tested = set()
    for path in Path(__file__).parent.glob("test_*.py"):
        tested |= {int(row) for row in re.findall(r"^def test_(\d\d)_", path.read_text(encoding="utf-8"), re.MULTILINE)}
    assert {row for _, item in ITEMS for row in item.rows} == tested
    assert len(ITEMS) > 130


def test_each_document_has_its_errata():
    errata = {document.name: sum(bool(item.erratum) for item in document.items) for document in DOCUMENTS}
    assert min(errata[name] for name in pages.DOCUMENTS[:-1]) >= 1
    assert sum(errata.values()) >= 27


@pytest.mark.parametrize("place", CELLS)
def test_each_cell_is_there(place):
    assert pages.cell_of(place)[1] is not None, "say the new id in tests/lectures/items"


@pytest.mark.parametrize(("document", "item"), ITEMS, ids=[f"{name}: {item.says[:40]}" for name, item in ITEMS])
def test_each_number_is_given_where_the_item_says(document, item):
    found = plain("\n".join(text_at(place) for place in item.at))
    missing = [code for code in re.findall(r"`([^`]+)`", item.gives) if plain(code) not in found]
    assert not missing
    assert item.gives or item.note or item.erratum or item.at


def test_every_item_is_somewhere_and_says_something_there():
    for document, item in ITEMS:
        assert item.at, (document, item.says)
        assert all((pages.ROOT / place).exists() for place in item.at if place.startswith("docs/"))


# -------------------------------------------------------------------- the lists of layers


def names_in(row):
    """The names of the package that stand in a row of the lists as code: `nn.Layer` of `nn.Layer(2, 3)`."""
    for code in re.findall(r"`([^`]+)`", row):
        try:
            expression = ast.parse(code, mode="eval").body
        except SyntaxError:
            continue
        expression = expression.func if isinstance(expression, ast.Call) else expression
        if isinstance(expression, ast.Name | ast.Attribute):
            yield ast.unparse(expression)


def test_what_the_lists_of_layers_name_is_in_the_package():
    text = (pages.PAGES / "layer-lists.md").read_text(encoding="utf-8")
    rows = re.findall(r"(?m)^\| .* \| name: (.*) \|$", text)
    seen = 0
    for name in [name for row in rows for name in names_in(row)]:
        found = {"nn": nn, "layers": layers, "circuit": circuit}.get(name.split(".")[0], scalargrad)
        for part in name.split(".")[1:] if "." in name else [name]:
            found = getattr(found, part)
        seen += 1
    assert seen > 50


def test_every_layer_of_the_lists_is_here_or_a_line_or_out_of_scope():
    text = (pages.PAGES / "layer-lists.md").read_text(encoding="utf-8")
    rows = re.findall(r"(?m)^\| ([^|]+) \| ([^|]+) \|$", text)
    said = [here for there, here in rows if there != "on the slide"]
    assert all(re.match(r"(name|line|out of scope|nothing to do): ", here) for here in said)
    assert len(said) > 40


# -------------------------------------------------------------------- words that are searched for

WORDS = """
stochastic gradient descent; vanilla gradient descent; additive rule; keepdims; grad_W; grad_input; gradient layout;
outer product; error signals; step_gradient; compute_error_for_line_given_points; gradient_descent_runner;
updateOutput; updateGradInput; top_diff; bottom_diff; propagate_down; distributor; router; switcher; fully-connected;
batch size; toolbox; parse tree; autograd; numerical gradient; limit; rate code; neuron_tick; staged
"""
WORDS = [word.strip() for word in WORDS.replace("\n", " ").split(";")]


def readable():
    """What a reader sees: the pages but for those that are made of tests and of changes, and the notebooks' texts."""
    for path in sorted(DOCS.rglob("*.md")):
        if path.name not in ("promises.md", "changelog.md", "mutants.md") and "_build" not in path.parts:
            yield path, path.read_text(encoding="utf-8")
    for path in sorted((pages.ROOT / "notebooks").glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        yield path, "\n".join("".join(cell["source"]) for cell in cells)


@pytest.mark.parametrize("word", WORDS)
def test_a_word_of_the_lectures_is_found(word):
    pattern = re.compile(re.escape(word).replace(r"\ ", r"[\s-]+"), re.IGNORECASE)
    found = {path.name for path, text in readable() if pattern.search(text)}
    assert "glossary.md" in found or word in ("limit", "neuron_tick", "staged")
    assert len(found) >= 2, f"{word} is only in {found}"
