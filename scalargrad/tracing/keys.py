"""Single keys from a terminal, without Enter, and the terminal as it was when they are no longer wanted."""

from __future__ import annotations

import codecs
import os
import signal
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

RIGHT, LEFT, HOME, END, ENTER, ERASE, CLOSED, OTHER = (
    "right",
    "left",
    "home",
    "end",
    "enter",
    "erase",
    "closed",
    "other",
)
_SEQUENCES = {
    "C": RIGHT, "D": LEFT, "H": HOME, "F": END, "1~": HOME, "7~": HOME, "4~": END, "8~": END,
    "5~": LEFT, "6~": RIGHT,  # page up and down: the two buttons of a presenter's remote
}  # fmt: skip
_PLAIN = {"\r": ENTER, "\n": ENTER, "\x7f": ERASE, "\b": ERASE, "\x04": CLOSED, "": CLOSED}
_WINDOWS = {"M": RIGHT, "K": LEFT, "G": HOME, "O": END, "I": LEFT, "Q": RIGHT}
_LEAVING = ("SIGINT", "SIGTERM", "SIGHUP", "SIGQUIT", "SIGTSTP")
_PATIENCE = 0.1
"""Seconds in which the rest of an arrow key must follow its escape character, also through a network."""
_A_LOOK = 0.5
"""Seconds after which it is looked whether a signal came while nobody pressed a key."""


@contextmanager
def single_keys(stdin: TextIO) -> Iterator[Callable[[], str] | None]:
    """A function that waits for a key: a character, or one of the names above. None where only whole lines come.

    The terminal is put back however this ends: by an error, a signal that ends or stops the program, or as it should.
    """
    if sys.platform == "win32":
        yield _windows_key if stdin is sys.stdin else None
        return
    try:
        import termios
        import tty
    except ImportError:
        yield None
        return
    try:
        fd = stdin.fileno()
        before = termios.tcgetattr(fd)
    except (OSError, ValueError, AttributeError, termios.error):  # no terminal but something that says it is one
        yield None
        return

    def quiet() -> None:
        tty.setcbreak(fd, termios.TCSADRAIN)  # what was typed ahead is kept

    def restore() -> None:
        termios.tcsetattr(fd, termios.TCSADRAIN, before)

    try:
        with _on_leaving(restore, quiet):  # first, so that no signal finds the terminal changed and nobody listening
            quiet()
            yield lambda: _key(fd)
    finally:
        restore()


@contextmanager
def _on_leaving(restore: Callable[[], None], resume: Callable[[], None]) -> Iterator[None]:
    """Restore before a signal ends or stops the program, where nobody else listens to it; resume if it goes on."""
    mine: list[int] = []

    def leave(number: int, frame: Any) -> None:  # noqa: ARG001
        restore()
        signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
        signal.signal(number, leave)  # here again: it was only stopped
        resume()

    if threading.current_thread() is threading.main_thread():
        for name in _LEAVING:
            number = getattr(signal, name, None)
            if number is not None and signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, leave)
                mine.append(number)
    try:
        yield
    finally:
        for number in mine:
            signal.signal(number, signal.SIG_DFL)


def _key(fd: int) -> str:
    import select

    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    text = ""
    while not text:
        # Not read at once: Python would see a signal that comes just before only with the next key.
        while not select.select([fd], [], [], _A_LOOK)[0]:
            pass
        byte = os.read(fd, 1)
        text = decoder.decode(byte, final=not byte)
        if not byte:
            return CLOSED
    if text != "\x1b":
        return _PLAIN.get(text, text if text.isprintable() else OTHER)
    rest = ""
    while len(rest) < 16 and select.select([fd], [], [], _PATIENCE)[0]:
        rest += os.read(fd, 1).decode("latin-1")
        if len(rest) != 1 and not (rest[-1:].isdigit() or rest[-1:] == ";"):
            break
    return _SEQUENCES.get(rest[1:], OTHER)  # after [ or O


def _windows_key() -> str:
    import msvcrt

    character = msvcrt.getwch()  # type: ignore[attr-defined,unused-ignore]
    if character in ("\x00", "\xe0"):
        return _WINDOWS.get(msvcrt.getwch(), OTHER)  # type: ignore[attr-defined,unused-ignore]
    if character == "\x03":
        raise KeyboardInterrupt
    return _PLAIN.get(character, character if character.isprintable() else OTHER)
