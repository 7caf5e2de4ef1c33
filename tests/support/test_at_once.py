"""Attributes that are set at once: an interrupt that comes in the middle is handled after the last of them."""

import gc
from _thread import interrupt_main
from itertools import repeat
from signal import SIGINT, default_int_handler, signal
from types import SimpleNamespace

import pytest

from scalargrad.support.at_once import assignments


def test_nothing_is_set_before_the_call_and_all_is_after_it():
    things = [SimpleNamespace(x=0) for _ in range(3)]
    write = assignments(things, repeat("x"), [1, 2, 3])
    assert [thing.x for thing in things] == [0, 0, 0]
    write()
    assert [thing.x for thing in things] == [1, 2, 3]


def test_an_interrupt_in_the_middle_is_handled_after_the_last():
    things = [SimpleNamespace(x=0) for _ in range(5)]
    interrupted = map(interrupt_main, repeat(SIGINT, len(things)))  # each value arrives with a signal
    write = assignments(things, repeat("x"), interrupted)
    gc.disable()  # what is raised while a callback of the collector's runs is dropped
    before = signal(SIGINT, default_int_handler)  # a process that a script has put into the background ignores it
    try:
        with pytest.raises(KeyboardInterrupt):
            write()
    finally:
        signal(SIGINT, before)
        gc.enable()
    assert [thing.x for thing in things] == [None] * len(things)
