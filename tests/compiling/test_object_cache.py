"""The cache of machine code: right numbers whatever is in the folder, and no error of the disk reaches the user.

A program is compiled in processes of their own that share a folder, and its numbers are compared with those that it has
without a cache. Whether a file was used is seen by what LLVM is asked to do.
"""

import errno
import os
import random
import signal
import stat
import subprocess
import sys
import time
from importlib import import_module
from pathlib import Path

import pytest
from compiling_helpers import needs_llvm
from sizes import has_full_size, size

import scalargrad as sg
from scalargrad import Value
from scalargrad.compiling.llvm import object_cache
from scalargrad.support import files

pytestmark = needs_llvm
LIBRARY = import_module("scalargrad.compiling.llvm.library")
TEXT = "define double @twice(double %x) {\n  %y = fadd double %x, %x\n  ret double %y\n}\n"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Where the cache is."""
    path = tmp_path / "cache"
    monkeypatch.setenv(object_cache.VARIABLE, str(path))
    return path


@pytest.fixture
def emitted(monkeypatch):
    """A list that grows whenever LLVM compiles a module."""
    found = []
    target_of = LIBRARY._target

    class Watched:
        def __init__(self, effort):
            self._target = target_of(effort)

        def emit_object(self, module):
            found.append(module)
            return self._target.emit_object(module)

    monkeypatch.setattr(LIBRARY, "_target", Watched)
    return found


def machinery(text=TEXT):
    """What a process that has never seen this text does; the number that its code gives for 21."""
    import ctypes

    made = LIBRARY.Machinery(text, ["twice"], 1)
    return ctypes.CFUNCTYPE(ctypes.c_double, ctypes.c_double)(made.addresses["twice"])(21.0)


def only_file(folder):
    (path,) = folder.glob("*.object")
    return path


def test_the_second_time_nothing_is_compiled(folder, emitted):
    assert [machinery(), machinery(), machinery()] == [42.0] * 3
    assert len(emitted) == 1
    assert len(list(folder.iterdir())) == 1


def test_another_text_effort_or_processor_is_another_program(folder, emitted, monkeypatch):
    machinery()
    machinery(TEXT.replace("%y", "%z"))
    LIBRARY.Machinery(TEXT, ["twice"], 2)
    monkeypatch.setattr(LIBRARY, "_host", lambda: ("another", "processor"))
    machinery()
    assert len(emitted) == 4
    assert len(list(folder.iterdir())) == 4


def test_parts_of_a_key_do_not_run_together():
    assert object_cache.key_of("ab", "c") != object_cache.key_of("a", "bc") != object_cache.key_of("abc")


@has_full_size
def test_damaged_and_foreign_files_are_compiled_anew(folder, emitted, figure):
    """Cut at any length, any byte changed, longer, empty, of another program: never used, and replaced by a right one."""
    machinery()
    path = only_file(folder)
    right = path.read_bytes()
    machinery(TEXT.replace("fadd double %x, %x", "fmul double %x, %x"))
    (other,) = set(folder.glob("*.object")) - {path}
    rng = random.Random(0)
    damaged = [right[: rng.randrange(len(right))] for _ in range(size(20, 500))]
    for _ in range(size(20, 500)):
        at = rng.randrange(len(right))
        damaged.append(right[:at] + bytes([right[at] ^ rng.randrange(1, 256)]) + right[at + 1 :])
    contents = [b"", b"\x7fELF", right + b"\0", other.read_bytes(), *damaged]
    for content in contents:
        path.write_bytes(content)
        before = len(emitted)
        assert machinery() == 42.0
        assert len(emitted) == before + 1
        assert path.read_bytes() == right
    figure(f"{len(contents)} files cut off, with a byte changed, or of another program", "none was used: compiled anew")


def test_what_stands_in_the_way_is_left_alone(folder, emitted, tmp_path):
    """A folder of the file's name, a file in the folder's place, a folder that is not there and cannot be made."""
    machinery()
    path = only_file(folder)
    path.unlink()
    path.mkdir()
    assert machinery() == 42.0
    assert path.is_dir()
    for parent in (tmp_path / "file", Path("/dev/null"), tmp_path / ("n" * 300), tmp_path / "nul\0"):
        if parent.name == "file":
            parent.write_text("a file")
        os.environ[object_cache.VARIABLE] = str(parent / "cache") if "\0" not in str(parent) else str(tmp_path / "file")
        assert machinery() == 42.0
    assert len(emitted) == 6


@pytest.mark.skipif(os.name != "posix", reason="other systems answer by the folder that the cache lies in")
def test_what_others_can_write_is_not_trusted(folder, emitted, tmp_path):
    machinery()
    path = only_file(folder)
    for mode in (0o602, 0o620):
        path.chmod(mode)
        machinery()
    path.chmod(0o600)
    folder.chmod(0o777)
    machinery()
    folder.chmod(0o700)
    kept = tmp_path / "elsewhere"
    path.rename(kept)
    path.symlink_to(kept)
    machinery()
    assert len(emitted) == 5
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.skipif(os.name != "posix", reason="no pipes in folders")
def test_a_pipe_in_a_file_s_place_keeps_nobody_waiting(folder, emitted):
    machinery()
    path = only_file(folder)
    path.unlink()
    os.mkfifo(path)
    assert machinery() == 42.0


@pytest.mark.parametrize("error", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EIO, errno.EDQUOT])
def test_a_disk_that_does_not_take_it(folder, emitted, monkeypatch, error):
    def fails(*_):
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(files, "_move", fails)
    assert [machinery(), machinery()] == [42.0] * 2
    assert len(emitted) == 2
    assert list(folder.iterdir()) == []


def test_ctrl_c_while_a_file_is_written_ends_the_call(folder, emitted, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(files, "_move", interrupted)
    with pytest.raises(KeyboardInterrupt):
        machinery()
    assert list(folder.iterdir()) == []
    monkeypatch.undo()


@pytest.mark.parametrize("word", ["", "off", "0", "OFF", " no "])
def test_it_is_switched_off_by_the_environment(folder, emitted, monkeypatch, word):
    monkeypatch.setenv(object_cache.VARIABLE, word)
    monkeypatch.chdir(folder.parent)
    assert [machinery(), machinery()] == [42.0] * 2
    assert len(emitted) == 2
    assert list(folder.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("platform", "home", "variables", "expected"),
    [
        ("linux", "/home/u", {}, "/home/u/.cache/scalargrad"),
        ("linux", "/home/u", {"XDG_CACHE_HOME": "/fast"}, "/fast/scalargrad"),
        ("linux", "/home/u", {"XDG_CACHE_HOME": "relative"}, "/home/u/.cache/scalargrad"),
        ("darwin", "/Users/u", {}, "/Users/u/Library/Caches/scalargrad"),
        ("win32", "/u", {"LOCALAPPDATA": "/local"}, "/local/scalargrad/Cache"),
        ("win32", "/u", {}, None),
        ("linux", "", {}, None),
    ],
)
def test_where_the_platform_keeps_such_files(monkeypatch, platform, home, variables, expected):
    for name in (object_cache.VARIABLE, "XDG_CACHE_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    for name, x in variables.items():
        monkeypatch.setenv(name, x)
    monkeypatch.setattr(object_cache.sys, "platform", platform)
    monkeypatch.setattr(object_cache.Path, "home", lambda: Path(home))
    found = object_cache._folder()
    assert found == (None if expected is None else Path(expected))


def test_the_files_have_a_bounded_size(folder, monkeypatch):
    """What was used least lately goes; so does what a killed process left an hour ago."""
    monkeypatch.setattr(object_cache, "ROOM", 10_000)
    folder.mkdir(mode=0o700)
    left, lately = folder / ".a.object.1.tmp", folder / ".b.object.2.tmp"
    for path in (left, lately):
        path.write_bytes(b"half")
    os.utime(left, (0, time.time() - 7200))
    for i in range(12):
        object_cache.store(f"{i:02}", bytes(1500))
        os.utime(folder / f"{i:02}.object", (0, time.time() - 1000 + i))
        if i >= 4:
            assert object_cache.stored("02") == bytes(1500)  # so it is never the one that goes
    names = sorted(path.name for path in folder.glob("*.object"))
    assert "02.object" in names
    assert sum(path.stat().st_size for path in folder.glob("*.object")) <= 10_000
    assert names[-1] == "11.object"
    assert not left.exists()
    assert lately.exists()
    object_cache.store("huge", bytes(3000))
    assert object_cache.stored("huge") is None


PROGRAM = """
import random, sys
import scalargrad as sg
from scalargrad import nn
model = nn.MLP(2, [3, 1], activation="tanh", seed=int(sys.argv[1]))
f = sg.compile(lambda x, y: (model(x) - y) ** 2, parameters=model.parameters(), backend="llvm")
X = [[0.1 * i, 0.2 - 0.1 * i] for i in range(20)]
print(repr(f.value_and_grad(X, [float(i % 2) for i in range(20)])))
"""


def started(folder):
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "3"],
        stdout=subprocess.PIPE,
        env={**os.environ, object_cache.VARIABLE: str(folder), "PYTHONPATH": str(Path(sg.__file__).parents[1])},
    )


@has_full_size
def test_processes_side_by_side_and_killed_ones(tmp_path, figure):
    """Whatever moment a process is killed at, the next has the right numbers; so have two at once."""
    expected = started("off").communicate()[0]
    assert expected
    folder = tmp_path / "cache"
    both = [started(folder), started(folder)]
    assert [one.communicate()[0] for one in both] == [expected] * 2
    rng, kills = random.Random(0), size(3, 200)
    begin = time.perf_counter()
    assert started(folder).communicate()[0] == expected
    takes = time.perf_counter() - begin
    ended = 0
    for _ in range(kills):
        for path in folder.glob("*.object"):
            path.unlink()
        one = started(folder)
        time.sleep(rng.uniform(0.5, 1.2) * takes)
        one.send_signal(signal.SIGKILL)
        one.communicate()
        ended += one.returncode == 0
        assert started(folder).communicate()[0] == expected
    figure("two processes that compile the same into one empty folder", "the same numbers as without it")
    figure(
        f"kill -9 at {kills} random moments of compiling and storing",
        f"{kills - ended} processes killed before their end; the next process had the same numbers each time",
    )


def test_stored_code_gives_the_same_bits(folder, emitted):
    """A compiled function from the cache, from LLVM, and the eager engine."""
    w = [Value(0.3), Value(-1.2)]

    def loss(x, y):
        return (sg.tanh(w[0] * x) * sg.exp(w[1] * x) - y) ** 2 + sg.log1p(x * x)

    import_module("scalargrad.compiling.llvm.slots").Leaves(w)  # its code is compiled once per process
    emitted.clear()
    results = []
    for _ in range(2):
        f = sg.compile(sg.value_and_grad(lambda v: loss(*v)), backend="llvm")
        results.append([f([x, 0.5]) for x in (0.1, 0.7, 1.9)])
        import_module("scalargrad.compiling.llvm.straight").straight.cache_clear()
    assert len(emitted) == 1
    assert results[0] == results[1]
    for x, (value, _) in zip((0.1, 0.7, 1.9), results[0], strict=True):
        assert value == loss(x, 0.5).data
