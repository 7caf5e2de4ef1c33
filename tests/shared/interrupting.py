"""KeyboardInterrupt at a chosen instruction, or call, of chosen files."""

import inspect
import sys
import threading
from contextlib import contextmanager


class Stopper:
    """Raises KeyboardInterrupt before the n-th instruction that is run in these files, as `sys.settrace` shows them."""

    def __init__(self, n, files):
        self.left, self.files = n, files

    def __call__(self, frame, event, _):
        if event == "call":
            if frame.f_code.co_filename not in self.files:
                return None
            frame.f_trace_opcodes = True
        if event == "opcode":
            self.left -= 1
            if self.left < 0:
                sys.settrace(None)
                raise KeyboardInterrupt
        return self


class MonitoringStopper:
    """As Stopper from Python 3.12 on, where `sys.settrace` leaves instructions out."""

    TOOL = 4

    def __init__(self, n, files):
        self.left, self.files, self.dropped = n, files, set()
        self.thread = threading.get_ident()  # all are seen, but Ctrl-C comes to one

    def __enter__(self):
        monitoring = sys.monitoring
        seen = monitoring.events
        callbacks = {seen.INSTRUCTION: self.instruction, seen.PY_THROW: self.throw, seen.PY_UNWIND: self.unwind}
        monitoring.use_tool_id(self.TOOL, "interrupts")
        for event, callback in callbacks.items():
            monitoring.register_callback(self.TOOL, event, callback)
        monitoring.restart_events()
        monitoring.set_events(self.TOOL, sum(callbacks))

    def __exit__(self, *_):
        events = sys.monitoring.events
        sys.monitoring.set_events(self.TOOL, 0)
        for event in (events.INSTRUCTION, events.PY_THROW, events.PY_UNWIND):
            sys.monitoring.register_callback(self.TOOL, event, None)
        sys.monitoring.free_tool_id(self.TOOL)

    def instruction(self, code, _):
        if code.co_filename not in self.files:
            return sys.monitoring.DISABLE
        if code not in self.dropped and threading.get_ident() == self.thread:
            self.left -= 1
            if self.left < 0:
                sys.monitoring.set_events(self.TOOL, 0)
                raise KeyboardInterrupt
        return None

    def throw(self, code, _, exception):
        """A generator that is dropped before its end is closed: no exception gets out of that."""
        if isinstance(exception, GeneratorExit):
            self.dropped.add(code)

    def unwind(self, code, _, exception):
        self.dropped.discard(code)


class StopperAtCalls:
    """As Stopper, but only where CPython looks for signals: when a function begins or a call of C has returned.

    That is what locks need: between the last call in a `with lock:` and the release no signal is looked for.
    """

    def __init__(self, n, files):
        self.left, self.files = n, files

    def __call__(self, frame, event, _):
        code = frame.f_code
        # A generator is entered, too, to be closed when it is dropped, where no exception gets out.
        if event == "c_return" or (event == "call" and not code.co_flags & inspect.CO_GENERATOR):
            self.left -= code.co_filename in self.files or code.co_name == "_backward"
            if self.left < 0:
                sys.setprofile(None)
                raise KeyboardInterrupt


def stopped(work, n, files, at_calls=False):
    """Whether the work was stopped at its n-th instruction, or call; or came to its end before."""
    if at_calls:
        way = called_back(sys.getprofile, sys.setprofile, StopperAtCalls(n, files))
    elif sys.version_info >= (3, 12):
        way = MonitoringStopper(n, files)
    else:
        way = called_back(sys.gettrace, sys.settrace, Stopper(n, files))
    try:
        with way:
            work()
    except KeyboardInterrupt:
        return True
    return False


@contextmanager
def called_back(get, set_, stopper):
    before = get()
    try:
        set_(stopper)
        yield
    finally:
        set_(before)
