"""The command line: `scalargrad demo`, `draw`, `grad`, `step`, `worksheet`, `playground` and `check`.

Bad input gives one line on standard error and exit status 2. parsing.py says what may be typed, variables.py reads an
expression and its numbers, commands.py is what is done then. demo.py is the demo, index_page.py its page; invocation.py
says how the command was called.
"""

from __future__ import annotations

import sys
import warnings
from typing import TYPE_CHECKING

from scalargrad.cli.parsing import MOST, make_parser, one_line, protect_minus
from scalargrad.support.console import ERRORS

if TYPE_CHECKING:
    from collections.abc import Callable


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit status: 0, 1 for a failed check, 2 for bad input, 130 for Ctrl-C."""
    arguments = sys.argv[1:] if arguments is None else arguments
    parser = make_parser(arguments)
    options = parser.parse_args(protect_minus(arguments, parser))
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # where an encoding lacks −, it is written -
            stream.reconfigure(errors=ERRORS)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.showwarning = _note_once()
            return int(options.run(options))
    except BrokenPipeError:  # the reader, `head` say, has seen enough
        sys.stderr.close()
        return 0
    except (ValueError, ArithmeticError, TypeError, OSError, ImportError, RuntimeError, MemoryError) as error:
        text = str(error)
        if isinstance(error, OSError) and error.strerror:  # without its number
            text = error.strerror if error.strerror.startswith("cannot") else f"{error.strerror}: {error.filename!r}"
        lines = text.split("\n", 1)  # the source line below would be one of this package
        limit = 5000 if isinstance(error, OSError) else MOST  # a path may have 4096 characters: it is shown whole
        print(f"scalargrad {options.command}: {one_line(lines[0] or repr(error), limit)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def _note_once() -> Callable[..., None]:
    """Shows each warning as a line on standard error; the same warning of a second sweep is no news."""
    seen: set[str] = set()

    def note(message: Warning | str, *_: object) -> None:
        if str(message) not in seen:
            seen.add(str(message))
            print(f"scalargrad: note: {one_line(str(message))}", file=sys.stderr)

    return note
