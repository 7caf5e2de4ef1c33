"""Model files in odd places, on a failing disk, among threads and signals: the old file or the new.

Full disks, other kinds of files and processes that are killed are in reliability/test_faults.py.
"""

import errno
import json
import os
import random
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import kill_while_saving
import pytest
from capabilities import needs_links, needs_long_names, needs_modes, needs_pipes, needs_timers, needs_users
from saving_helpers import bits, set_numbers
from sizes import has_full_size, size

from scalargrad import nn
from scalargrad.nn.modules.states import numbers_of

needs_posix = pytest.mark.skipif(os.name != "posix", reason="this system has no fork and no permission bits")


def network(seed, size=3):
    return set_numbers(nn.MLP(2, [size, 1], activation="tanh"), random.Random(seed))


def umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def run(code, *arguments):
    """What a Python process prints, as JSON."""
    command = [sys.executable, "-c", code, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# -------------------------------------------------------------------- places


def test_what_cannot_be_opened_is_an_oserror_with_the_path(tmp_path):
    for path, error in (
        (tmp_path / "missing.json", FileNotFoundError),
        (tmp_path / "no" / "folder.json", FileNotFoundError),
        (tmp_path, IsADirectoryError if os.name == "posix" else PermissionError),
    ):
        with pytest.raises(error) as caught:
            nn.load(path)
        assert caught.value.filename == str(path)
    for path, error in ((tmp_path / "no" / "folder.json", FileNotFoundError), (tmp_path, IsADirectoryError)):
        with pytest.raises(error) as caught:
            network(0).save(path)
        assert caught.value.filename == str(path)
    assert list(tmp_path.iterdir()) == []


@needs_pipes
def test_pipes_and_devices_are_neither_waited_for_nor_replaced(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(nn.ModelFileError, match="it is a pipe or device, no file"):
        nn.load(pipe)
    with pytest.raises(nn.ModelFileError, match="it is a pipe or device, no file"):
        nn.load("/dev/zero")
    with pytest.raises(OSError, match="not a regular file") as caught:
        network(0).save(pipe)
    assert (caught.value.errno, caught.value.filename) == (errno.EINVAL, str(pipe))
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert list(tmp_path.iterdir()) == [pipe]


@needs_long_names
def test_long_and_odd_names(tmp_path):
    for name in ("m" * 255, "é" * 127, ".hidden", "no suffix", "new\nline.json", "-"):
        path = network(0).save(tmp_path / name)
        assert bits(nn.load(path)) == bits(network(0))
    with pytest.raises(OSError, match="too long"):
        network(0).save(tmp_path / ("m" * 256))
    assert len(list(tmp_path.iterdir())) == 6


def test_a_relative_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert network(0).save("model.json") == Path("model.json")
    assert bits(nn.load("model.json")) == bits(network(0))


@needs_links
def test_a_symbolic_link_stays_and_its_target_is_replaced(tmp_path):
    (tmp_path / "runs").mkdir()
    target, link, link_to_link = tmp_path / "runs" / "run7.json", tmp_path / "latest.json", tmp_path / "newest.json"
    link.symlink_to(Path("runs", "run7.json"))
    link_to_link.symlink_to(link)
    for seed, place in enumerate([link, link_to_link, target]):  # the first time the link points nowhere yet
        assert network(seed).save(place) == place
        assert bits(nn.load(target)) == bits(nn.load(link_to_link)) == bits(network(seed))
    assert link.is_symlink()
    assert link_to_link.is_symlink()
    assert not target.is_symlink()
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["latest.json", "newest.json", "run7.json", "runs"]
    loop = tmp_path / "loop.json"
    loop.symlink_to(loop)
    with pytest.raises(OSError, match="loop"):
        network(0).save(loop)
    assert loop.is_symlink()


@needs_modes
def test_permissions_are_kept_and_new_files_have_the_usual_ones(tmp_path):
    path = tmp_path / "model.json"
    mask = umask()
    network(0).save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask
    for mode in (0o600, 0o644, 0o666, 0o660, 0o640, 0o777):
        path.chmod(mode)
        network(1).save(path)
        assert stat.S_IMODE(path.stat().st_mode) == mode
    assert umask() == mask


@needs_posix
def test_a_hard_link_keeps_the_old_numbers(tmp_path):
    path, backup = tmp_path / "model.json", tmp_path / "backup.json"
    network(0).save(path)
    os.link(path, backup)
    network(1).save(path)
    assert bits(nn.load(backup)) == bits(network(0))


UNPRIVILEGED = """
import json, os, sys
from scalargrad import nn
folder = sys.argv[1]
model = nn.MLP(2, [3, 1], seed=5)
nn.load(model.save(os.path.join(folder, "free", "warm-up.json")))    # imports everything
if os.geteuid() == 0:                                               # root may write anywhere
    os.setuid(65534) if sys.argv[2] == 'real' else os.seteuid(65534)
found = {}
for place in ("read-only/old.json", "read-only/new.json", "free/protected.json"):
    path = os.path.join(folder, place)
    try:
        model.save(path)
        found[place] = "saved"
    except PermissionError as error:
        found[place] = [error.filename == path, os.listdir(os.path.dirname(path))]
try:
    nn.load(os.path.join(folder, "free", "secret.json"))
except PermissionError as error:
    found["secret"] = error.filename
print(json.dumps(found))
"""


@needs_modes
@needs_users
@pytest.mark.parametrize("user", ["real", "effective"])
def test_read_only_folders_and_write_protected_files(user):
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        for place in ("free", "read-only"):
            (folder / place).mkdir()
        old = network(0).save(folder / "read-only" / "old.json")
        protected = network(0).save(folder / "free" / "protected.json")
        secret = network(0).save(folder / "free" / "secret.json")
        old.chmod(0o666)
        protected.chmod(0o444)
        secret.chmod(0o000)
        (folder / "free").chmod(0o777)
        (folder / "read-only").chmod(0o555)
        found = run(UNPRIVILEGED, folder, user)
        (folder / "read-only").chmod(0o755)
        assert found["read-only/old.json"] == found["read-only/new.json"] == [True, ["old.json"]]
        right_path, names = found["free/protected.json"]
        assert right_path
        assert sorted(names) == ["protected.json", "secret.json", "warm-up.json"]
        assert found["secret"] == str(secret)
        assert bits(nn.load(old)) == bits(nn.load(protected)) == bits(network(0))


# -------------------------------------------------------------------- failures


def test_a_disk_that_is_full_only_when_the_data_reach_it(tmp_path, monkeypatch):
    path = network(0).save(tmp_path / "model.json")

    def full(descriptor):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left") as caught:
        network(1).save(path)
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(path))
    with pytest.raises(OSError, match="No space left"):
        network(1).save(tmp_path / "new.json")
    assert bits(nn.load(path)) == bits(network(0))
    assert list(tmp_path.iterdir()) == [path]


def test_the_data_are_on_the_disk_before_the_name_and_the_name_before_the_end(tmp_path, monkeypatch):
    path = network(0).save(tmp_path / "model.json")
    seen = []
    fsync = os.fsync

    def watch(descriptor):
        fsync(descriptor)
        status = os.fstat(descriptor)
        if stat.S_ISDIR(status.st_mode):
            seen.append(("folder", os.path.samestat(status, tmp_path.stat()), bits(nn.load(path)) == bits(network(1))))
        else:
            (temporary,) = (other for other in tmp_path.iterdir() if other != path)
            assert temporary.name.startswith(".model.json.")
            whole = bits(nn.load(temporary)) == bits(network(1))
            seen.append(("file", whole, bits(nn.load(path)) == bits(network(0))))

    monkeypatch.setattr(os, "fsync", watch)
    network(1).save(path)
    assert seen == [("file", True, True), ("folder", True, True)]


def test_a_folder_that_cannot_be_synced_is_no_error(tmp_path, monkeypatch):
    path = tmp_path / "model.json"
    fsync = os.fsync

    def files_only(descriptor):
        if stat.S_ISDIR(os.fstat(descriptor).st_mode):
            raise OSError(errno.EINVAL, "folders cannot be synced here")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", files_only)
    network(0).save(path)
    assert bits(nn.load(path)) == bits(network(0))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # a file opened and not yet in `with`
def test_ctrl_c_at_every_step_leaves_a_whole_file_and_nothing_else(tmp_path):
    path = tmp_path / "model.json"
    old, new = network(0), network(1)

    def interrupt():
        raise KeyboardInterrupt

    profiler = sys.getprofile()
    outcomes = []
    try:
        while True:
            old.save(path)
            try:
                if not kill_while_saving.stopped_at(len(outcomes), lambda: new.save(path), interrupt):
                    break
            except KeyboardInterrupt:
                pass
            state = bits(nn.load(path))
            assert state in (bits(old), bits(new))
            assert list(tmp_path.iterdir()) == [path], len(outcomes)
            outcomes.append(state == bits(new))
    finally:
        sys.setprofile(profiler)
    assert outcomes == sorted(outcomes)
    assert outcomes.count(False) > 30
    assert outcomes.count(True) > 5


# -------------------------------------------------------------------- threads


def test_threads_that_save_to_one_path_leave_a_whole_file(tmp_path):
    path = tmp_path / "model.json"
    networks = [network(seed, size=20) for seed in range(6)]
    possible = [bits(model) for model in networks]
    networks[0].save(path)
    mask = umask()
    errors = []
    barrier = threading.Barrier(7)

    def work(job):
        barrier.wait()
        try:
            for _ in range(15):
                job()
        except BaseException as error:
            errors.append(error)

    def read():
        assert bits(nn.load(path)) in possible

    jobs = [*(lambda model=model: model.save(path) for model in networks), read]
    threads = [threading.Thread(target=work, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert bits(nn.load(path)) in possible
    assert list(tmp_path.iterdir()) == [path]
    assert umask() == mask


def test_what_is_saved_while_another_thread_trains_is_one_moment(tmp_path):
    """The other thread sets all numbers to 1, as a step of an optimizer does, to 2, to 1 ..."""
    model = nn.Neuron(1000, init=nn.constant(1.0))
    model.b.data = 1.0
    optimizer = nn.SGD(model, lr=1.0)
    set_to_1 = optimizer.snapshot()
    model.load_state_dict(dict.fromkeys(model.state_dict(), 2.0))
    set_to_2 = optimizer.snapshot()
    stop = threading.Event()

    def train():
        while not stop.is_set():
            set_to_1()
            set_to_2()

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    thread = threading.Thread(target=train)
    thread.start()
    try:
        states = [set(nn.load(model.save(tmp_path / "model.json")).state_dict().values()) for _ in range(5)]
        values = dict(model.named_parameters())
        states += [set(numbers_of(values).values()) for _ in range(500)]
    finally:
        stop.set()
        thread.join()
        sys.setswitchinterval(interval)
    assert all(len(numbers) == 1 for numbers in states)


@has_full_size
@needs_timers
def test_a_signal_while_the_numbers_are_set_finds_the_old_or_the_new():
    """As Ctrl-C does, which would leave what it finds."""
    old, new = ({"b": x, **{f"w.{i}": x for i in range(2000)}} for x in (1.0, 2.0))
    model = nn.Neuron(2000)
    values, seen, rng = model.parameters(), [], random.Random(0)
    before = signal.signal(signal.SIGALRM, lambda *_: seen.append({v.data for v in values}))
    durations = []
    for _ in range(5):
        start = time.perf_counter()
        model.load_state_dict(old)
        durations.append(time.perf_counter() - start)
    try:
        for i in range(size(40, 200)):
            signal.setitimer(signal.ITIMER_REAL, rng.uniform(0.5, 1.0) * min(durations) + 1e-6)
            model.load_state_dict(old if i % 2 else new)
            while len(seen) <= i:
                time.sleep(1e-4)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
    assert all(len(numbers) == 1 for numbers in seen)
