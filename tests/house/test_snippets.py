"""Every snippet of the README and the docs runs when it is pasted into a plain Python, and prints what stands below it.

A block of Python is what a reader copies, so it has no prompts; the block of text after it is what Python then shows.
Blocks of one page run one after the other.
"""

import contextlib
import io
import re
import warnings
from code import InteractiveConsole
from doctest import ELLIPSIS, Example, OutputChecker
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def snippets(page):
    """The code of each Python block without prompts, with the output that the page shows for it, or None."""
    text = page.read_text(encoding="utf-8")
    for block in BLOCK.finditer(text):
        if block[1] == "python" and not block[2].startswith(">>>"):
            below = BLOCK.match(text, block.end() + 2)
            yield block[2], below[2] if below and below[1] == "text" else None


PAGES = [page for page in [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))] if list(snippets(page))]


def pasted(code, console):
    """What Python shows when the text is pasted at its prompt, line by line."""
    said = io.StringIO()
    with warnings.catch_warnings(record=True), contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        warnings.simplefilter("default")  # as in a plain Python; one page shows a warning
        for line in [*code.splitlines(), ""]:
            console.push(line)
    return said.getvalue()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_pasted_it_prints_what_the_page_shows(page, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib", reason="the extra `plot` is not installed")
    monkeypatch.chdir(tmp_path)
    console = InteractiveConsole()
    for code, output in snippets(page):
        shown = pasted(code, console)
        assert "Traceback" not in shown, f"{code}\n{shown}"
        assert "SyntaxError" not in shown, f"{code}\n{shown}"
        if output is not None:
            checker, example, shown = OutputChecker(), Example(code, output), shown.rstrip("\n") + "\n"
            assert checker.check_output(output, shown, ELLIPSIS), checker.output_difference(example, shown, ELLIPSIS)


def test_the_readme_has_no_prompts_in_what_is_copied():
    assert ">>>" not in (ROOT / "README.md").read_text(encoding="utf-8")
    assert PAGES
