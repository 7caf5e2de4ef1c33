"""One call at a time through a piece of code, without a lock: Ctrl-C cannot leave it closed for ever."""

from __future__ import annotations

import sys
import time
from contextlib import suppress
from types import FrameType

PAUSE = 0.00002, 0.005
"""Seconds between two looks whether it is one's turn: at first, and at most."""


class Turns:
    """`with turns:` lets the calls of all threads in one after the other, in the order in which they came.

    KeyboardInterrupt may be raised between the instruction that takes a lock and the block that releases it; nobody
    gets a lock then that another thread is waiting for. Here a call stands in line by its frame. Whoever waits looks
    whether the first in line still runs, and passes over a call that an exception has ended, wherever that was. A call
    made by the one whose turn it is, however deep, is let in. Not for generators, whose frames may rest.

    >>> turns = Turns()
    >>> with turns:
    ...     print("nobody else is here")
    nobody else is here
    """

    def __init__(self) -> None:
        self._line: list[FrameType] = []  # append and remove are one step for all threads

    def __enter__(self) -> None:
        frame = sys._getframe(1)
        self._line.append(frame)
        if self._line[0] is not frame:
            self._wait(frame)

    def __exit__(self, *_: object) -> None:
        self._line.remove(sys._getframe(1))

    def _wait(self, frame: FrameType) -> None:
        pause, most = PAUSE
        while (first := self._line[0]) is not frame:
            if _has_ended(first):
                with suppress(ValueError):  # another one that waits was quicker
                    self._line.remove(first)
            elif _is_called_by(frame, first):
                return
            else:
                time.sleep(pause)
                pause = min(2.0 * pause, most)


def _has_ended(frame: FrameType) -> bool:
    """Whether it runs no more; what it held goes then. Its thread cannot be asked, as that may be in another call."""
    try:
        frame.clear()
    except RuntimeError:
        return False
    return True


def _is_called_by(frame: FrameType, other: FrameType) -> bool:
    at = frame.f_back
    while at is not None and at is not other:
        at = at.f_back
    return at is other
