"""The Neural Turing Machine of notebook 14b, and how it is trained: the very cells of the notebook."""

import ast

import pytest
from lecture_pages import notebooks

CELLS = ("copy-task", "content", "move", "write", "machine", "copy-training")


def machine_cells():
    """What these cells define: TuringMachine and its parts, `episode`, `random_rows`, `loss_of` and `train`.

    Their imports, functions and classes are run, and nothing that they compute or draw; no picture is wanted here.
    """
    pytest.importorskip("numpy", reason="the notebook needs numpy")
    defined = {}
    for cell in CELLS:
        tree = ast.parse("".join(notebooks()["14b-memory.ipynb"][cell]["source"]))
        definitions = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)
        tree.body = [node for node in tree.body if isinstance(node, definitions) and "pyplot" not in ast.unparse(node)]
        exec(compile(tree, f"notebook 14b, cell {cell}", "exec"), defined)  # noqa: S102  (code of the project)
    return defined
