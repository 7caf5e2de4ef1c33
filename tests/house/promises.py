"""docs/promises.md: what each file of tests promises, by folder: python tests/house/promises.py writes it anew."""

import ast
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "promises.md"
HEAD = """\
# What is promised

Every file of tests begins with the promise that it holds the package to. These are all of them;
`python tests/house/promises.py` writes this page, and a test compares.
"""
FOLDERS = {
    "node": "What a node is made of: numbers, labels, identity, modes",
    "table": "The op table and every row of it",
    "engine": "The engine: backward, hooks, operations of one's own",
    "in_c": "The engine's plain case in C",
    "functional": "Derivatives of functions",
    "words": "Graphs and rules in words: formulas, notation, staged code",
    "compiling": "Compiling, recording, replaying",
    "circuit": "Gates, graphs of gates, layers with explicit forward and backward",
    "nn": "Networks, training, model files",
    "drawing": "Pictures",
    "tracing": "Stepping, explaining, comparing, worksheets",
    "playground": "The playground",
    "mistakes": "The gallery of mistakes",
    "exercises": "The exercises of the lessons",
    "checking": "Checking gradients, and strategies for property tests",
    "cli": "The command line",
    "support": "What all rooms stand on",
    "lectures": "The lectures' numbers",
    "people": "Programs that people have",
    "house": "The package, its documentation and its notebooks",
    "reliability": "Load, faults and hostile input",
}
"""What each folder is about, in the page's order."""


def promise(path):
    """The first line of a file's docstring; of the reliability tests, where that is a title, the paragraph after it."""
    first, _, text = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))).partition("\n")
    if path.parent.name == "reliability":
        return f"{first.rstrip('.')}: {' '.join(text.strip().partition(chr(10) * 2)[0].split())}"
    return first


def page_text():
    """The page, of the files as they are."""
    lines = [HEAD]
    for folder, about in FOLDERS.items():
        lines += [f"## {about}", ""]
        lines += [
            f"- {promise(path)} (`{path.relative_to(TESTS.parent).as_posix()}`)"
            for path in sorted((TESTS / folder).glob("test_*.py"))
        ]
        lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page_text(), encoding="utf-8")
