"""Threads that help with a large batch: begun once per process, handed work through queues.

Queues of C's, and threads without bookkeeping in Python, as a ThreadPoolExecutor's methods hold locks in Python, which
Ctrl-C may leave taken (see turns.py). It comes to the main thread only, so that the helpers always finish their work.
"""

from __future__ import annotations

import _thread
import os
from collections.abc import Callable, Sequence
from queue import SimpleQueue

from scalargrad.compiling.llvm.library import once

Work = Callable[[], None]
Outcomes = SimpleQueue["BaseException | None"]


def cores() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@once
def _work(process: int) -> SimpleQueue[tuple[Work, Outcomes]]:  # noqa: ARG001  (a fork has none of its parent's threads)
    waiting: SimpleQueue[tuple[Work, Outcomes]] = SimpleQueue()
    for _ in range(max(1, cores() - 1)):
        _thread.start_new_thread(_help, (waiting,))
    return waiting


def _help(waiting: SimpleQueue[tuple[Work, Outcomes]]) -> None:
    while True:
        work, outcomes = waiting.get()
        try:
            work()
        except BaseException as error:
            outcomes.put(error)
        else:
            outcomes.put(None)
        del work, outcomes  # while it waits, what they hold may go


def begun(works: Sequence[Work]) -> tuple[int, Outcomes]:
    """Let the helpers begin; what `wait_for` takes."""
    outcomes: Outcomes = SimpleQueue()
    queue = _work(os.getpid())
    for work in works:
        queue.put((work, outcomes))
    return len(works), outcomes


def wait_for(others: tuple[int, Outcomes]) -> None:
    """Wait until all is done; raises what one of them has raised."""
    count, outcomes = others
    for error in [outcomes.get() for _ in range(count)]:
        if error is not None:
            raise error
