"""The package as a whole: layers, imports, exports, nothing heavy at the door."""

import ast
import subprocess
import sys
from pathlib import Path

import scalargrad

PACKAGE = Path(scalargrad.__file__).parent

# Lowest first: a module may import those before it, a package its own parts too.
ORDER = (
    "behaviour rules modes engine errors floats table rows ops ufuncs expansion formula notation derivation patterns expressions "
    "functional function hooks exact circuit layers nn compiling strategies checking drawing mistakes tracing demo cli __main__"
).split()

# A graph's methods that show it ask the package, when they are called, for what shows it; fit(compiled=True) for what
# compiles. That is above them; to import them does not import it, as
# test_import_brings_no_third_party_module_and_no_drawing sees.
WHEN_CALLED = {("circuit", "trace"), ("nn", "compiling")}


def imports(path: Path):
    """The scalargrad modules that a file imports when it runs; what only type checkers read is left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test).endswith("TYPE_CHECKING"):
            node.body = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "scalargrad":
            if node.module == "scalargrad":
                yield from (f"scalargrad.{alias.name}" for alias in node.names)
            else:
                yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.startswith("scalargrad."))


def test_every_module_imports_from_lower_layers_only():
    seen = 0
    for path in PACKAGE.rglob("*.py"):
        if path == PACKAGE / "__init__.py":
            continue
        module = path.relative_to(PACKAGE).with_suffix("").parts[0]
        for imported in imports(path):
            name = imported.split(".")[1]
            if name in {"Value", "no_grad", "__version__"}:  # the package itself, from the top of the house
                assert module in {"drawing", "demo", "cli"}, f"{path} imports from scalargrad"
            elif (module, name) in WHEN_CALLED:
                continue
            elif not (name == module and path.parent != PACKAGE):
                seen += 1
                assert ORDER.index(name) < ORDER.index(module), f"{path} imports {imported}"
    assert seen > 20


def test_import_brings_no_third_party_module_and_no_drawing():
    code = (
        "import sys; before = set(sys.modules); import scalargrad, scalargrad.nn, scalargrad.layers, scalargrad.circuit; "
        "new = {name.split('.')[0] for name in set(sys.modules) - before}; "
        "print(sorted(new - set(sys.stdlib_module_names) - {'scalargrad'}), 'scalargrad.drawing' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-S", "-c", f"import sys; sys.path.insert(0, {str(PACKAGE.parent)!r}); {code}"],
                          capture_output=True, text=True, check=True)  # fmt: skip
    assert done.stdout.strip() == "[] False"


def test_every_name_that_is_promised_is_there():
    for name in scalargrad.__all__:
        assert getattr(scalargrad, name) is not None
        assert name in dir(scalargrad)
    for name in ("sum", "max", "min", "abs", "pow"):
        assert callable(getattr(scalargrad, name))
        assert name not in scalargrad.__all__
