"""Saving, drawing and the command line work in a process that lacks what Windows lacks (as_windows.py)."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "emscripten", reason="WebAssembly has no processes")

TESTS = Path(__file__).parents[1]
SHARED = TESTS / "shared"
BEGIN = "import as_windows, os, sys, time\n"


def run(script, folder):
    done = subprocess.run(
        [sys.executable, "-c", BEGIN + script], cwd=folder, capture_output=True, check=False, timeout=240,
        env={**os.environ, "PYTHONPATH": f"{SHARED}{os.pathsep}{TESTS.parent}", "PYTHONIOENCODING": "cp1252"},
    )  # fmt: skip
    return done.returncode, done.stdout.decode("cp1252"), done.stderr.decode("cp1252")


def fine(script, folder):
    status, out, err = run(script, folder)
    assert status == 0, err
    return out


SAVING = """
import scalargrad as sg
from scalargrad import Value, drawing, nn
x = Value(-2.0, label='x'); f = x * 6 - 1; f.backward()
model = nn.MLP(2, [3, 1], seed=1)
for _ in range(2):
    model.save('model.json')
    for name in ('f.dot', 'f.mmd', 'f.json', 'f.txt', *(['f.svg'] if drawing.engines.available() != 'text' else [])):
        f.draw().save(name)
    sg.trace(f).save('trace.html')
    sg.worksheet(f).save('sheet.html')
assert nn.load('model.json').state_dict() == model.state_dict()
assert not [name for name in os.listdir('.') if name.endswith('.tmp')]
assert sg.compile(lambda v: v * 2)(3.0) == 6.0
print('fine')
"""


def test_everything_is_saved_and_saved_again(tmp_path):
    assert fine(SAVING, tmp_path) == "fine\n"
    assert "−" in (tmp_path / "f.txt").read_text(encoding="utf-8")


HELD = """
from scalargrad import nn
model, other = nn.Neuron(2, seed=1), nn.Neuron(2, seed=2)
model.save('model.json')
as_windows.held[os.path.realpath('model.json')] = {attempts}
start = time.perf_counter()
try:
    other.save('model.json')
except PermissionError as error:
    print(error.errno, error.filename, time.perf_counter() - start < 5)
as_windows.held.clear()
print(nn.load('model.json').state_dict() == other.state_dict(), os.listdir('.'))
"""


@pytest.mark.parametrize(("attempts", "expected"), [
    (1, "True ['model.json']\n"), (5, "True ['model.json']\n"),
    (99, "13 model.json True\nFalse ['model.json']\n"),
])  # fmt: skip
def test_a_file_that_another_program_holds_for_a_moment_is_replaced_then(tmp_path, attempts, expected):
    assert fine(HELD.format(attempts=attempts), tmp_path) == expected


def test_the_pauses_are_short():
    from scalargrad.support.files import PAUSES

    assert 0 < sum(PAUSES) < 1


def test_a_file_that_is_open_here_is_held_too(tmp_path):
    if not Path("/proc/self/fd").is_dir():
        pytest.skip("which files are open is not known here")
    script = """
from scalargrad import nn
nn.Neuron(2).save('model.json')
with open('model.json'):
    try: nn.Neuron(2).save('model.json')
    except PermissionError as error: print(error.strerror, error.filename)
"""
    assert fine(script, tmp_path) == "Access is denied model.json\n"


COMMANDS = {
    "draw": ["draw", "-x*y", "x=6", "y=2"], "draw -o": ["draw", "-x*y", "x=6", "y=2", "-o", "f.txt"],
    "grad": ["grad", "-x*y", "x=6", "y=2"], "step": ["step", "-x*y", "x=6", "y=2"],
    "step --html": ["step", "-x*y", "x=6", "y=2", "--html", "w.html"], "check": ["check", "-x*y", "x=6", "y=2"],
    "help": ["--help"], "error": ["grad", "−x", "x=1"],
}  # fmt: skip


@pytest.mark.parametrize("command", COMMANDS)
def test_the_command_line_speaks_plain_characters(tmp_path, command):
    status, out, err = run(f"from scalargrad.cli import main; sys.exit(main({COMMANDS[command]!r}))", tmp_path)
    assert status == (2 if command == "error" else 0), err
    assert "Traceback" not in err
    assert "?" not in out + err
    if command in ("draw", "step"):
        assert "-12" in out


def test_test_helpers_can_be_imported_without_posix(tmp_path):
    """Else one of them stops the whole run when the tests are collected."""
    names = sorted(path.stem for path in [*SHARED.glob("*.py"), *(TESTS / "reliability").glob("*.py")]
                   if not path.stem.startswith(("test_", "conftest", "as_windows", "run")))  # fmt: skip
    assert "giant_model_files" in names
    script = f"""
import importlib, traceback
sys.path[:0] = [{str(SHARED)!r}, {str(TESTS / "reliability")!r}]
for name in {names!r}:
    try: importlib.import_module(name)
    except BaseException as error:
        if 'site-packages' in traceback.extract_tb(error.__traceback__)[-1].filename: continue  # made for this system
        if getattr(error, 'name', '') in as_windows.MODULES or isinstance(error, AttributeError) or 'os' in str(error).split():
            print(name, repr(error))
"""
    assert fine(script, tmp_path) == ""
