"""Which backend runs a program.

`auto` is llvm where llvmlite is installed and knows every op of the program, else python; in Pyodide it is wasm. llvm
takes 0.1 to 0.4 s to compile a program of thousands of instructions, python a tenth of that; llvm then is 20 to 1 000
times as fast.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any, Protocol, cast

from scalargrad.compiling.lowering import PRIMITIVE
from scalargrad.compiling.tape import SOURCES, Instruction, op_of
from scalargrad.support.arguments import brief
from scalargrad.support.spelling import did_you_mean

if TYPE_CHECKING:
    from scalargrad.compiling.samples import Samples

BACKENDS = ("python", "llvm", "wasm", "jax")
"""Each is a folder beside this file, whose `__init__` has what Backend says."""

Run = Callable[[Sequence[float], Sequence[float]], list[float]]
"""run(parameters, inputs) -> a number for each output."""
Sum = tuple[int | None, int | None]
"""A sum over the batch: a slot that differs from sample to sample, and one that does not: it counts once in a mean."""


class BatchRunner(Protocol):
    """A program over many samples."""

    def run(
        self, samples: Sequence[Samples], n: int, parameters: Sequence[float], mean: bool
    ) -> tuple[list[float], list[list[float]]]:
        """The sums over n samples, and for each column its number at each sample. Nothing raises: IEEE's rules hold.

        Args:
            samples: for each argument all its numbers, sample after sample.
            n: how many samples.
            parameters: the numbers of the parameters.
            mean: whether the sums are divided by n. What is the same for all samples counts once then, else n times.
        """


MakesBatchRunner = Callable[[Sequence[Instruction], Sequence[Sum], Sequence[int], Sequence[int]], BatchRunner]
"""Of a tape of primitives, what is added up over the samples, the slots that are wanted for each sample, and how many
numbers a sample has in each argument: inputs are numbered through all of them."""


class Backend(Protocol):
    """What the package of a backend has.

    Some have more, which is asked for with hasattr. `KEEPS` are ops that it takes as they are, though they have a form.
    `InMemory`, as llvm's, trains parameters in memory of the backend's own: see parameter_memory.py. A Run
    with `bound` goes from memory to memory: see llvm/single.py. llvm's `available()` says whether what it needs is
    installed, and `takes_whole(size, batch=...)` whether sums of products are better left whole in a program of this
    size.
    """

    BatchRunner: MakesBatchRunner

    def single(self, code: Sequence[Instruction], outputs: Sequence[int], primal: Iterable[int] | None = None) -> Run:
        """What computes the outputs for one set of inputs.

        Args:
            code: a tape of primitives, and for the python backend of any ops.
            outputs: slots.
            primal: the slots that raise at a pole or outside a domain, along with all that they are computed from, in
                a backend that can raise; the rest follows IEEE arithmetic. If left out, the first output.
        """

    def unknown_primitives(self) -> Iterable[str]:
        """The primitives that it has no instruction for: there should be none."""


def check_backend(name: str) -> None:
    """Raise ValueError if there is no backend of this name."""
    if name not in (*BACKENDS, "auto"):
        raise ValueError(
            f"there is no backend {brief(name)}{did_you_mean(name, [*BACKENDS, 'auto'])}; choose one of auto, "
            f"{', '.join(BACKENDS)}"
        )


def backend(name: str, code: Sequence[Instruction], whole: Sequence[str] = ()) -> Backend:
    """The backend of this name, or the best for this program.

    Args:
        name: the choice.
        code: the program.
        whole: ops that were not lowered, though they have a form.

    Raises:
        ValueError: if there is none of this name, or it cannot compute an op of the program, or a row of the op table.
        MissingExtraError: if it needs a package that is not installed.
    """
    check_backend(name)
    ops = {i[0] for i in code} - SOURCES - PRIMITIVE
    unknown = {op_of(op).name for op in ops.difference(whole)}
    if name == "auto":
        name = "python" if unknown else best()
    if name == "wasm" and not loaded("wasm").available():
        raise ValueError(
            "the wasm backend compiles for the browser that Python runs in, in Pyodide, and this Python runs in none: "
            "choose backend='auto', 'llvm' or 'python'"
        )
    if unknown and name != "python":
        raise ValueError(
            f"the {name} backend cannot compute {', '.join(sorted(unknown))}, which was added with @primitive: "
            "use backend='python', or give it lowered=, its value by scalargrad's functions"
        )
    return cast("Backend", loaded(name))


def best() -> str:
    """The backend that `auto` is for a program of ops of the table."""
    if sys.platform == "emscripten":
        return "wasm" if loaded("wasm").available() else "python"
    return "llvm" if loaded("llvm").available() else "python"


@cache
def loaded(name: str) -> Any:
    """The package of a backend, which has an instruction for every primitive.

    Raises:
        ValueError: if it has not.
    """
    module = import_module(f"scalargrad.compiling.{name}")
    unknown = next(iter(module.unknown_primitives()), None)
    if unknown is not None:
        op = op_of(unknown).name
        raise ValueError(
            f"{op} has no lowered form and the {name} backend has no instruction for it: add lower({op}, ...) in ops.py"
        )
    return module
