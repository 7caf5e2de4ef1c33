"""docs/hard-points.md, written from the tables whose rows are tests."""

from pathlib import Path

from hard_points import CHOICES, ERRORS, HARD_POINTS
from parity_hard_points import DIFFERENT, INSTEAD_OF_AN_ERROR

DOCUMENT = Path(__file__).parents[2] / "docs" / "hard-points.md"
PEERS = {"torch": "PyTorch", "jax": "JAX"}


def numbers(xs) -> str:
    return ", ".join(f"{x:.6g}" for x in xs)


def document() -> str:
    """The table as docs/hard-points.md shows it; `python tests/shared/hard_points_page.py` writes it anew."""
    lines = [
        "# Hard points",
        "",
        "What every operation gives where floating point, or calculus, has no obvious answer. Each line is a test in",
        "`tests/table`; `python tests/shared/hard_points_page.py` writes this page from the same tables. The rules behind it:",
        "",
        "1. The number PyTorch gives where that is finite, unless a NaN went in (rule 5) or PyTorch loses it to an overflow on",
        "   the way, as the slope of arcsinh at 1e200.",
        "2. Outside its domain, or at a pole, an operation raises, naming itself, the operands, their labels and your line.",
        "3. An infinite slope at a finite value is inf.",
        "4. Overflow gives inf.",
        "5. NaN in, NaN out; the exceptions are IEEE's: `nan ** 0` and `1 ** nan` are 1, `hypot(inf, nan)` is inf, and a",
        "   step is flat at NaN too.",
        "6. Never silently a complex number, a big integer or an array.",
        "7. `backward()` never raises because of a number.",
        "8. An operation that chooses passes nothing to what it did not choose, inf and nan included, and a node that nothing",
        "   reached passes nothing on: see [below](#what-was-not-chosen).",
        "",
        '"At" lists the operands, "gradients" has one for each of them. The last column has what PyTorch 2.13.0 and JAX',
        "0.10.2 were seen to give where that is something else: the value, then the gradients.",
        "",
        "| case | at | value | gradients | elsewhere |",
        "|---|---|---|---|---|",
    ]
    for name, _, xs, value, slopes in HARD_POINTS:
        others = [f"{PEERS[peer]}: {numbers(found)}" for peer, found in DIFFERENT.get(name, {}).items()]
        lines.append(f"| {name} | {numbers(xs)} | {numbers([value])} | {numbers(slopes)} | {'; '.join(others)} |")
    lines += ["", "| case | at | raises | PyTorch and JAX give |", "|---|---|---|---|"]
    for name, _, xs, error, _ in ERRORS:
        instead = numbers(INSTEAD_OF_AN_ERROR.get(name, ()))
        lines.append(f"| {name} | {numbers(xs)} | {error.__name__} | {instead} |")
    lines += [
        "",
        "## What was not chosen",
        "",
        "`relu`, `leaky_relu`, `elu` (their slope), `maximum`, `minimum`, `max`, `min`, `clip`, `where`, and the flat ones,",
        "`floor`, `ceil`, `rint`, `step`, `sign`, `greater` and `//`, choose. To what such an operation did not choose it passes",
        "nothing: not 0 times the gradient from above, which is nan where that is infinite. So",
        "`where(greater(x, 0), sqrt(x), 0)` has the gradient 0 at 0, where PyTorch and JAX give nan and ask for a second",
        "`where` inside the root. It is so in `backward()`, `grad`, `jvp`, with `create_graph`, in recorded, replayed and",
        "compiled functions, on every backend. (In what `to_jax` gives, JAX differentiates, and it has no such rule.)",
        "",
        "The rule goes by what was chosen, never by a number that happens to be 0: an honest nan is better than a 0 that may be",
        "wrong. The last lines show such.",
        "",
        "| function | at | gradient |",
        "|---|---|---|",
        *(f"| {name} | {numbers([x])} | {numbers([slope])} |" for name, (_, x, slope) in CHOICES.items()),
        "",
        "The same at second order: `derivative(x**1.5, 2)` at 0 is inf and that of `x**0.5` is -inf, as calculus says; second",
        "derivatives of `hypot` and `arctan2` at (0, 0), which do not exist, are nan.",
        "",
        "## And",
        "",
        "`(-2) ** Value(3)` is -8; its gradient in the exponent is nan, with one warning. A change of `.data` after the",
        "forward pass does not change the gradient: each node keeps the numbers it saw. Assigning another number to the",
        "`.data` of a computed Value makes `backward()` through it an error. What is assigned is looked at where it is",
        "next used: a real number of any kind becomes a float there, anything else is a TypeError that names the line.",
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
