"""Every notebook runs in a fresh kernel and gives its stored outputs; says what one learns, and asks without answering."""

import ast
import base64
import re
from collections import Counter
from functools import cache
from pathlib import Path

import lessons_page
import pytest
from sizes import has_full_size, only_long

from scalargrad.exercises.finding import all_exercises

nbformat = pytest.importorskip("nbformat", reason="the extra `notebook` is not installed")
nbclient = pytest.importorskip("nbclient", reason="the extra `notebook` is not installed")

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


def shown(cell):
    """What a reader sees of a cell's outputs; of a picture its texts, since two layout engines differ in coordinates."""
    seen = []
    for output in cell.get("outputs", []):
        if output.output_type == "stream":
            if seen and seen[-1][0] == output.name:  # one print may arrive in several pieces
                seen[-1] = (output.name, seen[-1][1] + output.text)
            else:
                seen.append((output.name, output.text))
        elif output.output_type == "error":
            seen.append(("error", output.ename, output.evalue))
        else:
            for kind, content in sorted(output.data.items()):
                if kind == "image/svg+xml":
                    content = svg_texts(content)
                elif kind == "image/png":  # matplotlib draws a little differently from one version to the next
                    content = "a picture"
                elif kind == "text/html":
                    content = html_texts(content)
                seen.append((kind, content))
    return seen


def svg_texts(svg):
    """Each text; of one that was wrapped the lines, without where they stand."""
    texts = re.findall(r"<text[^>]*>(.*?)</text>", svg, re.DOTALL)
    return sorted(re.sub(r' (?:x|y)="[^"]*"', "", text) for text in texts)


def html_texts(html):
    """The page without its scripts, ids and styles, every picture by its texts."""
    html = re.sub(r"<(script|style)\b.*?</\1>", "", html, flags=re.DOTALL)
    html = re.sub(r'\b(id|for|aria-\w+|data-scalargrad)="[^"]*"', "", html)
    html = re.sub(r"<svg\b.*?</svg>", lambda match: repr(svg_texts(match[0])), html, flags=re.DOTALL)
    embedded = r"data:image/svg\+xml;base64,([A-Za-z0-9+/=]*)"
    return re.sub(embedded, lambda match: repr(svg_texts(base64.b64decode(match[1]).decode())), html)


TRAIN_FOR_LONG = (
    "04-layers-by-hand", "09a-neurons-to-networks", "09b-training-a-network", "11-digits", "14a-pictures", "14b-memory",
)  # fmt: skip


def parameter(path):
    return pytest.param(path, marks=[has_full_size, only_long] if path.stem in TRAIN_FOR_LONG else (), id=path.stem)


@pytest.mark.parametrize("path", [parameter(path) for path in NOTEBOOKS])
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::RuntimeWarning", "ignore::ResourceWarning")
def test_stored_outputs_are_what_running_gives(path, tmp_path):
    stored = nbformat.read(path, as_version=4)
    fresh = nbformat.read(path, as_version=4)
    options = {"kernel_name": "python3", "resources": {"metadata": {"path": str(tmp_path)}}}
    nbclient.NotebookClient(fresh, timeout=600, **options).execute()
    for i, (old, new) in enumerate(zip(stored.cells, fresh.cells, strict=True)):
        assert shown(old) == shown(new), f"cell {i}:\n{old.source}"
    assert any(cell.get("outputs") for cell in stored.cells)


def test_there_are_notebooks():
    assert NOTEBOOKS


# -------------------------------------------------------------------- what a lesson says, and what it asks

BANK = {exercise.id: exercise for exercise in all_exercises()}
EACH = pytest.mark.parametrize("path", NOTEBOOKS, ids=[path.stem for path in NOTEBOOKS])


@cache
def cells_of(path):
    return nbformat.read(path, as_version=4).cells


def lesson_of(path):
    """`00a` of `00a-build-the-engine.ipynb`, as in the ids of its exercises."""
    return path.stem.partition("-")[0]


def asked(cell):
    """The ids of the exercises that a cell checks."""
    return re.findall(r"""\bcheck\(\s*["']([^"']+)["']""", cell.source) if cell.cell_type == "code" else []


def texts_of(cell):
    """All that is stored of a cell's outputs as text, pages and their pictures' texts included."""
    return "\n".join(str(part) for seen in shown(cell) for part in seen)


@EACH
def test_the_first_cell_says_goals_minutes_and_prerequisites(path):
    first = cells_of(path)[0]
    assert first.cell_type == "markdown"
    assert first.source.startswith("# ")
    goals = re.search(r"(?m)^\*\*You will be able to\*\*\n\n((?:- .*\n)+)", first.source)
    assert goals, "a line **You will be able to**, and a list"
    assert 3 <= goals[1].count("\n") <= 5
    minutes = re.search(r"(?m)^\*\*Minutes:\*\* (\d+)\b", first.source)
    assert minutes, "a line **Minutes:** and a number"
    assert 0 < int(minutes[1]) <= 50, "a class hour at most"
    assert re.search(r"(?m)^\*\*Prerequisites:\*\* \S", first.source)


@EACH
def test_the_last_cell_says_what_next(path):
    last = cells_of(path)[-1]
    assert last.cell_type == "markdown"
    assert re.search(r"\]\([^)]+\.(ipynb|md)", last.source), "a link to what comes next"
    assert len(re.sub(r"\[[^]]*\]\([^)]*\)", "", last.source).split()) > 8, "and in words"
    later = [other.name for other in NOTEBOOKS if other.name > path.name]
    assert not later or any(f"]({name})" in last.source for name in later), "a lesson that comes after this one"


@EACH
def test_a_lesson_asks_all_through(path):
    """At least three exercises, not all near the end, and none left for a last section of exercises."""
    cells = cells_of(path)
    places = [i / len(cells) for i, cell in enumerate(cells) if asked(cell)]
    assert len(places) >= 3
    assert min(places) < 0.55
    assert max(places) - min(places) > 0.25
    assert not any(cell.source.startswith("## Exercises") for cell in cells)


@EACH
def test_a_lesson_has_a_worksheet_to_fill_in(path):
    """One is shown, with the script that puts fields into its picture, and no cell asks for its key."""
    code = [cell for cell in cells_of(path) if cell.cell_type == "code"]
    pages = [output.data.get("text/html", "") for cell in code for output in cell.outputs if "data" in output]
    sheets = [page for page in pages if re.search(r'class="sg-sheet\b', page)]
    assert sheets
    assert all("<script" in page for page in sheets)
    assert not [cell.source for cell in code if re.search(r"\.(key|key_drawing|blanks)\b", cell.source)]


def test_each_exercise_is_asked_once_in_its_own_lesson():
    questions = Counter(
        (lesson_of(path), name) for path in NOTEBOOKS for cell in cells_of(path) for name in asked(cell)
    )
    assert set(questions) == {(name.partition(".")[0], name) for name in BANK}
    assert set(questions.values()) == {1}


@EACH
def test_nothing_is_answered_in_a_stored_notebook(path):
    """Exercises are stored unanswered, hints and solutions are not called for."""
    for cell in cells_of(path):
        if cell.cell_type == "code":
            called = [node.func for node in ast.walk(ast.parse(plain_python(cell))) if isinstance(node, ast.Call)]
            assert not {name.id for name in called if isinstance(name, ast.Name)} & {"hint", "solution"}, cell.source
        for name in asked(cell):
            assert f"{name} is not answered yet" in texts_of(cell)


def plain_python(cell):
    return "\n".join(line for line in cell.source.splitlines() if not line.lstrip().startswith(("%", "!")))


def telling(exercise):
    """The lines of a solution that tell something."""
    lines = (" ".join(line.partition("#")[0].split()) for line in exercise.solution.splitlines())
    return {line for line in lines if len(line) >= 12 and not re.match(r"(def|class|from|import|return|for|if) ", line)}


@EACH
def test_no_answer_stands_in_a_cell_or_an_output(path):
    """No cell has most of a solution's lines; those of the question's own stub, as `out = ...`, do not count."""
    code = [cell for cell in cells_of(path) if cell.cell_type == "code"]
    lines = {
        cell.id: {" ".join(x.partition("#")[0].split()) for x in f"{cell.source}\n{texts_of(cell)}".splitlines()}
        for cell in code
    }
    for asking in code:
        for name in asked(asking):
            secret = telling(BANK[name]) - lines[asking.id]
            for cell in code:
                assert len(secret & lines[cell.id]) <= len(secret) / 2, (
                    f"{name}: {secret & lines[cell.id]} in {cell.id}"
                )


def test_the_lessons_page_says_what_the_notebooks_say():
    written = lessons_page.PAGE.read_text(encoding="utf-8")
    assert written == lessons_page.page(), "python tests/shared/lessons_page.py"
    pictures = sorted(path.stem for path in lessons_page.PICTURES.iterdir())
    assert set(pictures) >= {lesson_of(path) for path in NOTEBOOKS}
    assert set(pictures) <= {lesson_of(path) for path in NOTEBOOKS}
