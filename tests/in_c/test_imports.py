"""The engine in C is there for one interpreter: imported again, in a sub-interpreter, in a fork, it is right or left out.

What it knows of the package stands in C's static variables. So a package that is imported again takes the place of the
one before, whose Values are Python's from then on; in a sub-interpreter, and in a Python without a GIL, the engine in
Python runs.
"""

import os
import re
import sys
from pathlib import Path

import pytest
from both_engines import in_child, needs_c

import scalargrad as sg
from scalargrad import in_c

pytestmark = needs_c

WORK = "x = sg.Value(0.5); y = (x * 3.0).tanh() ** 2.5 + sg.max([x, 0.25]); y.backward()"
DROPPED = "for name in [name for name in sys.modules if name.partition('.')[0] == 'scalargrad']: del sys.modules[name]"


def expected():
    """The gradient of WORK."""
    x = sg.Value(0.5)
    ((x * 3.0).tanh() ** 2.5 + sg.max([x, 0.25])).backward()
    return repr(x.grad)


def test_a_package_imported_again_takes_the_place_of_the_one_before():
    found = in_child(f"""
packages = [sg]
for _ in range(20):
    {DROPPED}
    import scalargrad as sg
    packages.append(sg)
for sg in [*packages, packages[3]]:
    {WORK}
    print(sg.engine_in_c, x.grad, sg.tanh(0.5) == packages[0].tanh(0.5), type(y) is sg.Value)
""")
    assert found == [f"True {expected()} True True"] * 22


def test_a_package_that_is_reloaded_works_on():
    found = in_child(f"""
import importlib
importlib.reload(sg)
{WORK}
print(x.grad)
importlib.reload(sys.modules["scalargrad.in_c"])
{WORK}
print(x.grad)
""")
    assert found == [expected()] * 2


SUB = (
    f"import sys; sys.path[:] = {{path!r}}; import scalargrad as sg; {WORK}; print(sg.engine_in_c, x.grad, flush=True)"
)
WAYS = {  # of making a sub-interpreter, as far as this Python has them: (how, isolated or not)
    "of Python 3.10 to 3.12": """
import _xxsubinterpreters as interpreters
def run(code, isolated):
    one = interpreters.create(isolated=isolated)
    interpreters.run_string(one, code)
    interpreters.destroy(one)
""",
    "of Python 3.13 and later": """
import _interpreters as interpreters
def run(code, isolated):
    one = interpreters.create("isolated" if isolated else "legacy")
    error = interpreters.exec(one, code)
    print(error.formatted if error else "", end="")
    interpreters.destroy(one)
""",
}


@pytest.mark.parametrize("isolated", [True, False])
def test_in_a_sub_interpreter_the_engine_in_python_runs_and_the_first_is_left_alone(isolated):
    way = "of Python 3.13 and later" if sys.version_info >= (3, 13) else "of Python 3.10 to 3.12"
    found = in_child(f"""
import warnings
warnings.simplefilter("ignore")
{WAYS[way]}
{WORK}
for _ in range(3):
    run({SUB!r}.format(path=sys.path), {isolated})
    {WORK}
    print(sg.engine_in_c, x.grad, flush=True)
""")
    assert found == [f"False {expected()}", f"True {expected()}"] * 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_a_fork_in_the_middle_of_a_graph_goes_on_in_both():
    found = in_child("""
x = sg.Value(0.5)
y = (x * 3.0).tanh() ** 2.5
y = y + sg.max([x, 0.25])
child = os.fork()
y.backward()
if child:
    assert os.waitpid(child, 0)[1] == 0
print(x.grad, flush=True)
os._exit(0)
""")
    assert found == [expected()] * 2


def test_threads_that_import_at_once_have_one_engine():
    found = in_child(f"""
{DROPPED}
import threading
def work(barrier=threading.Barrier(8), found=[]):
    barrier.wait()
    import scalargrad as sg
    {WORK}
    found.append((sg.engine_in_c, x.grad))
    return found
threads = [threading.Thread(target=work) for _ in range(7)]
for thread in threads: thread.start()
found = work()
for thread in threads: thread.join()
print(set(found) == {{(True, found[0][1])}}, len(found), found[0][1])
""")
    assert found == [f"True 8 {expected()}"]


def test_a_module_compiled_from_other_code_is_not_used(monkeypatch):
    assert in_c._engine.source == in_c.digest()
    found = in_child("""
import scalargrad.in_c._engine as engine
engine.source = "other"
for name in [name for name in sys.modules if name.startswith("scalargrad") and name != engine.__name__]:
    del sys.modules[name]
import scalargrad as sg
x = sg.Value(3.0)
(x * x).backward()
print(sg.engine_in_c, x.grad)
""")
    assert found == ["False 6.0"]


def test_without_a_gil_it_does_not_compile():
    """There is no such Python here; that nobody tries is seen in test_building.py."""
    code = (Path(in_c.__file__).parent / "engine.c").read_text(encoding="utf-8")
    assert re.search(r"#ifdef Py_GIL_DISABLED\n#error", code)
