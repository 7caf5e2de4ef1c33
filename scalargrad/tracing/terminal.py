"""A trace in the terminal: the table that `print` shows, and a stepper that waits for keys."""

from __future__ import annotations

import os
import shutil
import sys
import unicodedata
from typing import TYPE_CHECKING, TextIO

from scalargrad.support.arguments import whole
from scalargrad.support.console import in_encoding
from scalargrad.tracing.keys import CLOSED, END, ENTER, ERASE, HOME, LEFT, RIGHT, single_keys
from scalargrad.words.texts import ELLIPSIS, columns, grouped, number_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from scalargrad.engine import Value
    from scalargrad.tracing.steps import Step, TracedGraph

MOST = 1000
"""How many steps a table shows unless asked for more."""

KEYS = "→ or Enter next, ← back, a number and Enter jumps, q quits"
LINES = "[Enter] next, b back, a number jumps, q quits"
"""What is said where keys come by lines only, each with its Enter."""
_Column = tuple["Value", list[str], int]  # a Value, its texts, and how wide they are
_STYLES = {"bold": "1", "muted": "2", "value": "36", "gradient": "33"}


def step_table(steps: Sequence[Step], limit: int | None = MOST) -> str:
    """Number, phase and equation of every step, in columns; of a longer trace the first `limit`."""
    if limit is not None and whole(limit, "limit", least=None) < 1:
        raise ValueError(f"limit must be at least 1, or None for every step, not {limit}")
    shown = steps if limit is None else steps[:limit]
    head = ["step", "phase".ljust(len("backward")), "equation"]
    lines = columns([head, *([str(step.index + 1), step.phase, step.text] for step in shown)], "><<")
    if len(shown) < len(steps):
        more = grouped(len(steps) - len(shown))
        indent = " " * lines[0].index("phase")
        lines.append(f"{indent}{ELLIPSIS} {more} more: trace.table(limit=None) shows every step")
    return "\n".join(lines)


def play(steps: Sequence[Step], stdin: TextIO | None = None, stdout: TextIO | None = None) -> None:
    """Step through the trace in a terminal; where there is none, write the table.

    The arrow keys go on and back, Home and End to the ends, a number and Enter to the step of that number, q leaves; so
    do Ctrl-C and the end of the input. Where no single keys come, Enter or n, b, numbers and q are taken as lines.
    """
    stdin, stdout = stdin or sys.stdin, stdout or sys.stdout
    if stdout is None:  # a program without any console
        return
    screen = _Screen(stdout)
    if stdin is None or not (_is_terminal(stdin) and _is_terminal(stdout)):
        screen.write(step_table(steps))
        return
    position: int | None = 0
    try:
        with single_keys(stdin) as read:
            while position is not None:
                screen.show(steps, position)
                if read is None:
                    position = _ask(screen, stdin, position, len(steps))
                else:
                    position = _ask_key(screen, read, position, len(steps))
    except KeyboardInterrupt:
        screen.write("")


def _ask(screen: _Screen, stdin: TextIO, position: int, count: int) -> int | None:
    """The number of the next step to show, from a line; None to leave."""
    while True:
        screen.prompt(LINES, last=position == count - 1)
        line = stdin.readline()
        if not line:
            screen.write("")
            return None
        answer = _answered(line.strip().lower(), position, count)
        if not isinstance(answer, str):
            return answer
        screen.write(answer)


def _ask_key(screen: _Screen, read: Callable[[], str], position: int, count: int) -> int | None:
    """The number of the next step to show, from keys; None to leave. Digits are shown and wait for Enter."""
    names = {RIGHT: "n", " ": "n", LEFT: "b", HOME: "1", END: str(count), CLOSED: "q"}
    while True:
        screen.prompt(KEYS, last=position == count - 1)
        digits = ""
        while True:
            key = read()
            if key.isdigit():
                if len(digits) < 12:
                    digits += key
                    screen.write(key, end="")
            elif key == ERASE and digits:
                digits = digits[:-1]
                screen.write("\b \b", end="")
            elif key != ERASE:
                break
        screen.write("")
        if key == RIGHT and position == count - 1:  # whoever keeps the key down stays at the end
            screen.write("this is the last step")
            continue
        line = digits if key == ENTER else names.get(key, key.lower())
        answer = _answered(line, position, count)
        if not isinstance(answer, str):
            return answer
        screen.write(answer)


def _answered(line: str, position: int, count: int) -> int | str | None:
    """The step that is meant by what was typed, or what to say; None to leave."""
    if line in ("", "n"):
        return None if position == count - 1 else position + 1
    if line == "q":
        return None
    if line == "b":
        return position - 1 if position else "this is the first step"
    if line.isascii() and line.isdigit() and len(line) < 10 and 0 < int(line) <= count:
        return int(line) - 1
    if line.lstrip("-").isdigit():
        return f"the steps are numbered 1 to {count}"
    return "no such key"


class _Screen:
    """Writes to a terminal what it can show: ASCII unless it takes UTF-8, colours unless they are unwanted."""

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream
        encoding = getattr(stream, "encoding", None) or "ascii"
        self.unicode = encoding.lower().replace("_", "-") in ("utf-8", "utf8", "utf-8-sig")
        dumb = os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb"
        windows = os.name == "nt" and not os.environ.get("WT_SESSION")  # its older console prints the codes
        self.colored = _is_terminal(stream) and not (dumb or windows)
        self.width = max(shutil.get_terminal_size().columns, 40)

    def write(self, text: str, end: str = "\n") -> None:
        self.stream.write(self.plain(text) + end)
        self.stream.flush()

    def prompt(self, keys: str, *, last: bool) -> None:
        """What keys there are; the last step's Enter finishes."""
        self.write(self.styled(keys.replace("next", "finish") if last else keys, "muted") + " > ", end="")

    def plain(self, text: str) -> str:
        """The text in characters that the stream has."""
        return text if self.unicode else in_encoding(text, "ascii")

    def styled(self, text: str, style: str) -> str:
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if self.colored and style and text.strip() else text

    def show(self, steps: Sequence[Step], position: int) -> None:
        """The equation of a step, why it is so, and the numbers as they stand after it."""
        step = steps[position]
        self.write("")
        self.write(self.styled(f"step {position + 1} of {len(steps)}, {step.phase}", "muted"))
        self.write("  " + self.styled(step.text, "bold"))
        self.write("\n".join(f"  {line}" for line in self._wrapped(step.why)))
        self.write("")
        values, hidden = state(steps, position, self.width // 4)
        for block in self._blocks(values, step.graph):
            for row, (head, style) in enumerate((("", ""), ("value", "value"), ("grad", "gradient"))):
                if any(texts[row] for _, texts, _ in block):
                    cells = [
                        " " * (width - _columns_of(texts[row]))
                        + self.styled(texts[row], "bold" if node is step.node else style)
                        for node, texts, width in block
                    ]
                    self.write("  " + self.styled(head.ljust(5), "muted") + "".join(cells))
        if hidden:
            self.write(self.styled(f"  {ELLIPSIS} {hidden} more", "muted"))

    def _wrapped(self, text: str) -> list[str]:
        lines = [""]
        for word in text.split(" "):
            if lines[-1] and _columns_of(lines[-1] + word) + 3 > self.width:
                lines.append("")
            lines[-1] += " " * bool(lines[-1]) + word
        return lines

    def _blocks(self, values: dict[Value, float | None], graph: TracedGraph) -> Iterable[list[_Column]]:
        """Name, number and gradient of each Value as a column, as many side by side as there is room for."""
        block: list[_Column] = []
        room = self.width - 8
        for node, grad in values.items():
            cells = (graph.names[node], number_text(node.data), "" if grad is None else number_text(grad))
            texts = [self.plain(cell) for cell in cells]
            width = max(map(_columns_of, texts)) + 2
            if block and width > room:
                yield block
                block, room = [], self.width - 8
            block.append((node, texts, width))
            room -= width
        yield block


def state(steps: Sequence[Step], position: int, most: int) -> tuple[dict[Value, float | None], int]:
    """What is known after a step: each computed Value with its gradient so far, in topological order.

    Args:
        steps: the trace.
        position: the step.
        most: how many Values at most: those of the latest steps.

    Returns:
        Value to gradient, None if nothing has reached it; and how many Values were left out.
    """
    order = steps[position].graph.order
    found: dict[Value, float | None] = {}
    for i in range(position, len(order) - 1, -1):  # back from the step, so that the first mention is the latest
        step = steps[i]
        if step.node in found:
            found[step.node] = step.after if found[step.node] is None else found[step.node]
        elif len(found) < most:
            found[step.node] = step.after
        if step.source is not None and step.source not in found and len(found) < most:
            found[step.source] = None
    known = order[: position + 1]
    for node in reversed(known):
        if len(found) >= most:
            break
        found.setdefault(node, None)
    return {node: found[node] for node in known if node in found}, len(known) - len(found)


def _is_terminal(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except (AttributeError, ValueError):  # closed, or no file at all, as in some editors
        return False


def _columns_of(text: str) -> int:
    """How many columns of a terminal the text takes."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(c) or unicodedata.category(c) in ("Mn", "Me", "Cf") else
        2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )  # fmt: skip
