"""The page of claims: its words stand on the pages, what shows them is there, and no figure is without a claim."""

import ast
import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

import claims

PAGES = sorted(
    path.relative_to(claims.ROOT).as_posix()
    for path in (claims.ROOT / "README.md", *claims.ROOT.glob("docs/*.md"))
    if path.stem not in claims.WRITTEN
)
ALL = [(page, *claim) for page, found in claims.CLAIMS.items() for claim in found]


@pytest.mark.parametrize(("page", "words"), [(page, words) for page, words, *_ in ALL])
def test_the_words_stand_on_the_page(page, words):
    assert " ".join(words.split()) in claims.text_of(page)


def test_what_shows_them_is_there():
    for page, words, *shown in ALL:
        assert shown, f"{page}: nothing shows {words!r}"
        for one in shown:
            if one.startswith("tests/"):
                file, function = claims.tests_of(one)
                tree = ast.parse((claims.ROOT / file).read_text(encoding="utf-8"))
                assert not function or any(getattr(node, "name", "") == function for node in ast.walk(tree)), one
            elif " > " in one:
                assert claims.line_of(one), one
            else:
                assert one.startswith("python -m scalargrad "), one


@pytest.mark.parametrize("page", PAGES)
def test_no_figure_stands_in_a_page_without_a_claim(page):
    assert claims.without_a_claim(page) == []


def test_the_times_of_readme_are_those_of_the_benchmark():
    """`python tests/house/claims.py --readme` writes them."""
    assert claims.row_of_readme() in (claims.ROOT / "README.md").read_text(encoding="utf-8").splitlines()


def test_the_page_has_all_claims():
    """`python tests/house/claims.py --list` writes it, without the option with what is printed."""
    page, told = (text.splitlines() for text in (claims.PAGE.read_text(encoding="utf-8"), claims.page_text()))
    for line in told[2 + told.index("") :]:
        assert any(one.startswith(line.removesuffix("|").rstrip()) for one in page), line


def test_the_engine_of_the_first_lessons_has_fewer_than_sixty_lines():
    notebook = json.loads((claims.ROOT / "notebooks" / "00b-build-the-network.ipynb").read_text(encoding="utf-8"))
    (engine,) = [code for cell in notebook["cells"] if "class Value:" in (code := "".join(cell["source"]))]
    assert "def backward(self)" in engine
    assert len(engine.splitlines()) < 60


def test_a_figure_is_seen():
    seen = [
        found[0].strip() for found in claims.FIGURE.finditer("It takes 3.5 ms, 20 % of 1 000 nodes deep, at 2 points.")
    ]
    assert seen == ["3.5 ms", "20 %", "1 000 nodes deep"]


def test_what_a_report_of_pytest_says_is_counted(tmp_path):
    report = tmp_path / "results.xml"
    cases = "".join(
        f'<testcase classname="tests.house.test_claims" name="{name}">{inside}</testcase>'
        for name, inside in (("test_a[1]", ""), ("test_a[2]", "<skipped/>"), ("test_b", "<failure/>"))
    )
    report.write_text(f"<testsuites><testsuite>{cases}</testsuite></testsuites>")
    outcomes = claims.counted(report)
    assert claims.printed("tests/house/test_claims.py", outcomes) == "1 FAILED, 1 passed, 1 skipped"
    assert claims.printed("tests/house/test_claims.py::test_a", outcomes) == "1 passed, 1 skipped"
    assert claims.printed("tests/house/test_promises.py", outcomes) == "not run"
