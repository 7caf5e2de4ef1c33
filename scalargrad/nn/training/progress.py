"""How training goes, on the screen: a bar in a terminal, a line in a notebook, or the live view of `watch=True`."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from shutil import get_terminal_size
from types import TracebackType
from typing import TYPE_CHECKING, Any, ClassVar, TextIO

from scalargrad.support.console import printable
from scalargrad.support.notebook import Output, notebook_output

if TYPE_CHECKING:
    from typing_extensions import Self

    from scalargrad.nn.training.history import History
    from scalargrad.nn.training.stepping import Task

SHARE = 0.05
"""Showing takes at most about this share of the time: after each picture as much longer is waited."""
busy = getattr(time, "thread_time", time.perf_counter)
"""The clock that this work is measured with: on a busy machine it stands still while others run."""
BLOCKS = "▁▂▃▄▅▆▇█"
PLAIN_BLOCKS = "_.-=+*#@"


class Progress:
    """Shows epoch after epoch; the last one in any case. What cannot be shown is left out: no training ends of it.

    Args:
        epochs: how many there will be.
    """

    looks_at_model: ClassVar[bool] = False
    """Whether it shows what the model says, whose parameters must be up to date."""

    def __init__(self, epochs: int) -> None:
        self._epochs = epochs
        self._works = True
        self._next = self._at_last = self._worked = 0.0
        self._start = time.perf_counter()
        self._history: History | None = None
        self._pending = False
        self._ended = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._works:
            with self._or_nothing():
                if self._history is not None and (self._pending or self._history.epochs < self._epochs):
                    self._ended = True
                    self._write(self._history)
        with self._or_nothing():  # also what has failed, which would try once more when it is freed
            self._close()

    @property
    def is_due(self) -> bool:
        """Whether it is time to show something."""
        now = time.perf_counter()
        return self._works and now >= self._next and (busy() >= self._worked or now >= self._at_last)

    def show(self, history: History) -> None:
        """Show the last epoch of the history, if it is time to."""
        self._history, self._pending = history, True
        if self.is_due or (self._works and history.epochs == self._epochs):
            start = busy()
            with self._or_nothing():
                self._write(history)
                self._pending = False
            end, wait = busy(), (busy() - start) / SHARE
            wait = wait if self._next else min(wait, 0.5)  # the first makes preparations too
            now = time.perf_counter()
            self._next, self._at_last, self._worked = now + 0.1, now + max(0.1, 4 * wait), end + wait

    def _write(self, history: History) -> None:
        """Show it."""

    def _close(self) -> None:
        """Leave what was shown last, and a new line."""

    @contextmanager
    def _or_nothing(self) -> Iterator[None]:
        try:
            yield
        except Exception:
            self._works = False

    def _line(self, history: History) -> str:
        numbers = ", ".join(f"{name} {x:.4g}" for name, x in history.last.items())
        done = history.epochs
        return f"epoch {done}/{self._epochs} {bar(done / self._epochs, 16)} {numbers}{self._seconds(history)}"

    def _seconds(self, history: History) -> str:
        """How long it took so far; of what is left in the end nothing, so that each run leaves the same."""
        if self._ended or history.epochs == self._epochs:
            return ""
        return f", {time.perf_counter() - self._start:.1f} s"


class Silent(Progress):
    """Shows nothing."""

    def show(self, history: History) -> None:
        """Show nothing."""


class InNotebook(Progress):
    """A line of text in the output of a cell, not in the red box of standard error."""

    def __init__(self, epochs: int, output: Output) -> None:
        super().__init__(epochs)
        self._output = output

    def _write(self, history: History) -> None:
        self._output.show({"text/plain": self._line(history)})


class InTerminal(Progress):
    """On standard error, a tqdm bar if tqdm is installed, else about ten plain lines.

    Without a stderr, as under pythonw, or with one that cannot be written to, it shows nothing.
    """

    def __init__(self, epochs: int) -> None:
        super().__init__(epochs)
        self._stream = sys.stderr
        self._bar: Any = None
        self._works = self._stream is not None and not getattr(self._stream, "closed", False)
        if self._works:
            try:
                from tqdm import tqdm
            except ImportError:
                return
            with self._or_nothing():
                self._bar = tqdm(total=epochs, unit="epoch", file=self._stream)

    def show(self, history: History) -> None:
        """Show the last epoch of the history."""
        if not self._works:
            return
        with self._or_nothing():
            text, done = ", ".join(f"{name} {x:.4g}" for name, x in history.last.items()), history.epochs
            if self._bar is not None:
                self._bar.set_postfix_str(text, refresh=False)
                self._bar.update()
            elif done == 1 or done * 10 // self._epochs > (done - 1) * 10 // self._epochs:
                print(f"epoch {done}/{self._epochs}: {text}", file=self._stream, flush=True)

    def _close(self) -> None:
        if self._bar is not None:
            self._bar.close()


class LiveText(Progress):
    """The live view of a terminal: a line for each number, with a curve of blocks, written over in place.

    Where the stream is no terminal, as a file, it is written once, at the end.
    """

    def __init__(self, epochs: int, stream: TextIO | None) -> None:
        super().__init__(epochs)
        self._stream = stream
        self._works = stream is not None and not getattr(stream, "closed", False)
        self._in_place = self._works and bool(getattr(stream, "isatty", lambda: False)())
        self._lines = 0

    def show(self, history: History) -> None:
        """Show the last epoch of the history, if it is time to."""
        if self._in_place:
            super().show(history)
        else:
            self._history, self._pending = history, True

    def _write(self, history: History) -> None:
        assert self._stream is not None  # noqa: S101  (for the type checker)
        width = min(max(get_terminal_size().columns, 40), 120)
        text = "\n".join(line[: width - 1] for line in live_lines(history, self._line(history), width))
        back = f"\x1b[{self._lines}F\x1b[J" if self._lines else ""
        print(back + printable(text, self._stream), file=self._stream, flush=True)
        self._lines = text.count("\n") + 1 if self._in_place else 0


def live_lines(history: History, head: str, width: int) -> list[str]:
    """The head, and for each of the history's numbers a line with its curve, first and last number."""
    names = [name for name in history if name != "lr"]
    longest = max(map(len, names), default=0)
    lines = [head]
    for name in names:
        numbers = history[name]
        ends = f"{numbers[0]:.4g} -> {numbers[-1]:.4g}"
        room = max(8, min(48, width - longest - len(ends) - 4))
        lines.append(f"{name:<{longest}} {sparkline(numbers, room)} {ends}")
    return lines


def sparkline(numbers: Sequence[float], width: int, blocks: str = BLOCKS) -> str:
    """The numbers as a curve of blocks, at most `width` of them, each the mean of those that it stands for.

    >>> sparkline([3.0, 2.0, 1.0, 0.0], 4)
    '█▆▃▁'
    """
    finite = [x for x in numbers if x - x == 0]
    if not finite:
        return "?" * min(width, len(numbers))
    n = min(width, len(numbers))
    groups = [numbers[len(numbers) * i // n : len(numbers) * (i + 1) // n] for i in range(n)]
    means = [sum(group) / len(group) for group in groups]
    good = [x for x in means if x - x == 0] or finite
    low, high = min(good), max(good)
    scale = (len(blocks) - 1) / (high - low) if high > low else 0.0
    return "".join(blocks[round((x - low) * scale)] if x - x == 0 else "?" for x in means)


def bar(share: float, width: int) -> str:
    """A bar that is full by this share.

    >>> bar(0.5, 4)
    '██░░'
    """
    full = round(min(max(share, 0.0), 1.0) * width)
    return "█" * full + "░" * (width - full)


def progress_of(task: Task, epochs: int, progress: bool, watch: bool) -> Progress:
    """What shows the training: nothing, a line or bar, or the live view."""
    output = notebook_output() if progress or watch else None
    if watch and output is not None:
        from scalargrad import _training_view  # its room is above this one, so the package hands it on

        view: Progress = _training_view(task, epochs, output)
        return view
    if watch:
        return LiveText(epochs, sys.stdout)
    if not progress:
        return Silent(epochs)
    return InTerminal(epochs) if output is None else InNotebook(epochs, output)
