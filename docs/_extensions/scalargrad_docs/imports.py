"""Who imports whom in the package, by the code: also what is imported when a function runs, and for types only."""

import ast
from pathlib import Path


def modules(package: Path) -> dict[str, Path]:
    """Every module of the package by its dotted name, stubs included."""
    found = {}
    for path in sorted([*package.rglob("*.py"), *package.rglob("*.pyi")]):
        parts = path.relative_to(package.parent).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def arrows(package: Path) -> dict[tuple[str, str], set[str]]:
    """(importing module, imported module) -> the names that are taken."""
    known = modules(package)
    found: dict[tuple[str, str], set[str]] = {}
    for module, path in known.items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                taken = [(alias.name, "") for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                if node.level:
                    raise ValueError(f"{path}:{node.lineno}: a relative import, which this does not follow")
                base = node.module or ""
                names = [alias.name for alias in node.names]
                taken = [(f"{base}.{name}", "") if f"{base}.{name}" in known else (base, name) for name in names]
            else:
                continue
            for imported, name in taken:
                if imported in known and imported != module:
                    found.setdefault((module, imported), set()).add(name)
    return found


def room(module: str) -> str:
    """The folder at the top of the package that a module is in, or its own name if it stands there itself.

    >>> room("scalargrad.compiling.llvm.batch"), room("scalargrad.engine"), room("scalargrad")
    ('compiling', 'engine', 'scalargrad')
    """
    return module.split(".")[1] if "." in module else module


def circles(edges: dict[str, set[str]]) -> list[list[str]]:
    """The groups of more than one that reach each other, each sorted: Tarjan's strongly connected components."""
    number: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    found = []

    def visit(one: str) -> None:
        number[one] = low[one] = len(number)
        stack.append(one)
        for other in sorted(edges.get(one, ())):
            if other not in number:
                visit(other)
                low[one] = min(low[one], low[other])
            elif other in stack:
                low[one] = min(low[one], number[other])
        if low[one] == number[one]:
            at = stack.index(one)
            if len(stack) - at > 1:
                found.append(sorted(stack[at:]))
            del stack[at:]

    for one in sorted(edges):
        if one not in number:
            visit(one)
    return found
