"""The house: rooms with one purpose, imports that run down only, no circle, lazy and type-only imports included."""

import ast
import re
import sys
from pathlib import Path

import pytest

import scalargrad

sys.path.insert(0, str(Path(__file__).parents[2] / "docs" / "_extensions"))
from scalargrad_docs.imports import arrows, circles, modules, room

PACKAGE = Path(scalargrad.__file__).parent

# Lowest first: a room imports those before it.
ORDER = (
    "support in_c node engine table ops words functional function hooks exact compiling nn strategies checking drawing "
    "mistakes tracing circuit layers exercises playground cli __main__"
).split()
ORDER_OF_NN = "arguments modules layers images scores descent training data files".split()
LOOSE = {"__init__", "__main__", "_methods", "engine", "exact", "hooks", "ops"}
"""What stands at the top of the package beside the rooms."""


def edges(by=lambda module: module):
    """What each imports. Two are left out: the stub, which says for editors that a Value has a method that returns a
    drawing; and the package's `__init__`, by which `cli` begins as a user would."""
    found = {}
    for one, other in arrows(PACKAGE):
        if {one, other} & {"scalargrad._methods", "scalargrad"}:
            continue
        if by(one) != by(other):
            found.setdefault(by(one), set()).add(by(other))
            found.setdefault(by(other), set())
    return found


def test_every_room_imports_those_below_it_only():
    found = edges(room)
    assert sum(map(len, found.values())) > 60
    for importing, imported in found.items():
        for other in imported:
            assert ORDER.index(other) < ORDER.index(importing), f"{importing} imports {other}"


def test_every_room_of_nn_imports_those_below_it_only():
    inside = {module for module in modules(PACKAGE) if module.startswith("scalargrad.nn.")}
    found = edges(lambda module: module.split(".")[2] if module in inside else "")
    assert set(found) - {""} == set(ORDER_OF_NN)
    for importing in ORDER_OF_NN:
        for other in found[importing] - {""}:
            assert ORDER_OF_NN.index(other) < ORDER_OF_NN.index(importing), f"nn.{importing} imports nn.{other}"


def test_no_circle_of_files():
    assert circles(edges()) == []


def test_what_stands_at_the_top():
    assert {path.stem for path in PACKAGE.glob("*.py*")} == LOOSE
    assert [path.stem for path in PACKAGE.glob("nn/*.py")] == ["__init__"]
    assert {room(module) for module in modules(PACKAGE)} == {*ORDER, "_methods", "scalargrad"}


def test_the_modules_that_ask_for_others_are_there():
    from scalargrad.node import errors

    assert modules(PACKAGE).keys() >= errors._COMPARE_FOR_OTHERS


MAPPED = [
    path
    for path in sorted([*PACKAGE.glob("*/__init__.py"), *PACKAGE.glob("nn/*/__init__.py")])
    if ".py" in (ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "")
]


@pytest.mark.parametrize("path", MAPPED, ids=lambda path: path.parent.relative_to(PACKAGE).as_posix())
def test_the_map_of_a_room_names_each_of_its_files_and_no_other(path):
    said = set(re.findall(r"\b(\w+)\.py\b", ast.get_docstring(ast.parse(path.read_text("utf-8")))))
    there = {file.stem for file in path.parent.glob("*.py")} - {"__init__"}
    elsewhere = {file.stem for file in PACKAGE.glob("*.py")}
    assert said - elsewhere == there, (said ^ there) - elsewhere


def test_all_larger_rooms_have_a_map():
    folders = [path.parent for path in [*PACKAGE.glob("*/__init__.py"), *PACKAGE.glob("nn/*/__init__.py")]]
    rooms = {folder for folder in folders if len(list(folder.glob("*.py"))) > 3}
    assert rooms == {path.parent for path in MAPPED}


def test_the_map_of_nn_names_each_of_its_rooms():
    text = ast.get_docstring(ast.parse((PACKAGE / "nn" / "__init__.py").read_text("utf-8")))
    assert re.findall(r"\b(\w+)/:", text) == ORDER_OF_NN
