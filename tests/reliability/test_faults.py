"""Faults and damaged files

Every file that the package writes, models, pictures, stepper pages and worksheets, is written beside its place first and
then moved there. So whoever kills the process, fills the disk or takes the permissions away finds the old file or the new
one, whole. The disks here are real: a tmpfs and, in the full run, an ext4 in a file, mounted for the test, filled to the
last page or mounted read-only; permissions are taken from a process that has given root's rights away.

Model files may come from anywhere. Damaged ones, by chance and on purpose, are refused with one error that names path and
reason, quickly and in little memory, and no number of the model changes; what damage left valid is loaded as a second
reader of the format reads it.
"""  # fmt: skip

import errno
import json
import os
import random
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import disk_faults
import giant_model_files
import kill_while_saving
import pytest
from capabilities import HAS_DEV_FULL, needs_links, needs_long_names, needs_modes, needs_pipes
from model_file_fuzzer import alike, files, reading
from saving_helpers import ALL, bits, built, content_of, document_of, refusal, set_numbers
from sizes import only_long, size

from scalargrad import nn

pytestmark = pytest.mark.skipif(os.name != "posix", reason="this system has no fork, no permission bits and no mounts")

DEVICE = "/dev/full" if HAS_DEV_FULL else "/dev/null"
HANG = 1.0
"""Seconds of computing for a file of less than two megabytes."""


def run(*command):
    """What a process prints, as JSON."""
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, timeout=900)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# -------------------------------------------------------------------- killed processes


def test_killed_at_random_moments(figure):
    kills = size(20, 200)
    found = run(sys.executable, kill_while_saving.__file__, kills)
    assert found["kills"] == found["old"] + found["new"] == kills
    assert kills < 40 or found["in the middle"] > 0
    figure(f"kill -9 at {kills} random moments while models, pictures and pages are saved",
           f"{found['old']} left the old file, {found['new']} the new one, 0 anything else; "
           f"{found['in the middle']} hit a half-written temporary file")  # fmt: skip


def test_killed_at_every_step(figure):
    found = run(sys.executable, kill_while_saving.__file__, "every-step")
    assert found["old"] > 30
    assert found["new"] > 5
    assert found["in the middle"] > 10
    figure("kill -9 at every call and return of the saving code",
           f"{found['kills']} kills: {found['old']} left the old file, after them {found['new']} the new one")  # fmt: skip


# -------------------------------------------------------------------- disks and permissions


MOUNTED = ["full-tmpfs", "read-only-tmpfs", *size([], ["full-ext4", "read-only-ext4"])]


@pytest.fixture(scope="module")
def disks():
    """What disk_faults.py found, by what it did."""
    namespace = ["unshare", "--mount", *["--map-root-user"] * (os.geteuid() != 0)]
    found = {}
    with tempfile.TemporaryDirectory(prefix="scalargrad-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # the unprivileged one must get in
        script = [sys.executable, disk_faults.__file__, folder]
        if (
            shutil.which("unshare")
            and not subprocess.run([*namespace, "true"], capture_output=True, check=False).returncode
        ):
            found = run(*namespace, *script, *MOUNTED)
        found |= run(*script, "limit", "unprivileged")
    return found


def outcome(disks, what):
    found = disks.get(what, {"refused": "this system has no `unshare --mount` for us"})
    if "refused" in found:
        pytest.skip(f"no disk can be mounted: {found['refused']}")
    assert found["wrong"] == []
    return found


@pytest.mark.parametrize("disk", ["tmpfs", pytest.param("ext4", marks=only_long)])
def test_a_full_disk(disks, figure, disk):
    """The old file stays, nothing else is there, and there is as much room as before."""
    found = outcome(disks, f"full-{disk}")
    assert found["errors"] == ["ENOSPC"]
    assert found["failures"] > 30
    assert found["saved"] == 9
    figure(f"9 kinds of files saved on a real {disk} with 0, 1, … pages left",
           f"{found['failures']} errors with path and reason, {found['failures']} old files as they were, 0 temporary files; "
           "saved once there is room")  # fmt: skip


@pytest.mark.parametrize("disk", ["tmpfs", pytest.param("ext4", marks=only_long)])
def test_a_read_only_disk(disks, figure, disk):
    found = outcome(disks, f"read-only-{disk}")
    assert "EROFS" in found["errors"]
    assert found["failures"] == (27 if disk == "ext4" else 18)
    figure(f"the same on a real {disk}, mounted read-only{' (and files with chattr +i)' * (disk == 'ext4')}",
           f"{found['failures']} errors with path and reason, nothing changed")  # fmt: skip


def test_a_process_that_may_not_write_so_many_bytes(disks, figure):
    found = outcome(disks, "limit")
    assert (found["errors"], found["failures"], found["saved"]) == (["EFBIG"], 36, 9)
    figure("a limit of 0, 1, 4096 and one too few bytes (RLIMIT_FSIZE), 9 kinds of files",
           "36 errors with path and reason, 36 old files as they were, 0 temporary files")  # fmt: skip


def test_a_process_without_permission(disks, figure):
    found = outcome(disks, "unprivileged")
    assert (found["errors"], found["failures"]) == (["EACCES"], 27)
    figure("read-only folders and write-protected files, 9 kinds of files",
           f"27 errors with path and reason, nothing changed ({'rights given away by setuid' * (os.geteuid() == 0)})")  # fmt: skip


# -------------------------------------------------------------------- places


@needs_links
@needs_pipes
def test_places_where_no_file_can_be(tmp_path, figure):
    """Missing folders, folders, pipes, devices, loops of links, names too long: an error, and nothing changes."""
    savers, count = disk_faults.savers(), 0
    for name, (_, save) in savers.items():
        suffix = Path(name).suffix
        folder, pipe, full, loop = (tmp_path / f"{kind}{suffix}" for kind in ("folder", "pipe", "full", "loop"))
        folder.mkdir()
        os.mkfifo(pipe)
        full.symlink_to(DEVICE)
        loop.symlink_to(loop)
        before = sorted(tmp_path.iterdir())
        for path, wanted in ((tmp_path / "no" / name, errno.ENOENT), (folder, errno.EISDIR), (pipe, errno.EINVAL), (full, errno.EINVAL),
                             (loop, errno.ELOOP), (tmp_path / ("m" * (256 - len(suffix)) + suffix), errno.ENAMETOOLONG)):  # fmt: skip
            with pytest.raises(OSError, match=r".") as caught:
                save(path)
            if wanted == errno.ENOENT:
                assert isinstance(caught.value, FileNotFoundError)
                assert str(path.parent) in str(caught.value)
            else:
                assert (caught.value.errno, caught.value.filename) == (wanted, str(path))
            assert sorted(tmp_path.iterdir()) == before
            count += 1
        assert stat.S_ISFIFO(pipe.stat().st_mode)
        for path in before:
            path.rmdir() if path == folder else path.unlink()
    for path in (DEVICE, "/dev/zero"):
        with pytest.raises(nn.ModelFileError, match="it is a pipe or device, no file"):
            nn.load(path)
    figure(f"missing folder, folder, pipe, {DEVICE}, loop of links, name of 256 bytes; 9 kinds of files",
           f"{count} errors with path and reason, nothing changed, none waited for")  # fmt: skip


@needs_links
@needs_modes
@needs_long_names
def test_links_names_and_permissions(tmp_path):
    """A symbolic link stays and its target is replaced; any name of 255 bytes will do; permissions are kept."""
    for name, (first, second) in disk_faults.savers().items():
        suffix = Path(name).suffix
        target, link = tmp_path / f"target{suffix}", tmp_path / f"link{suffix}"
        link.symlink_to(target.name)
        first(link)  # it points nowhere yet
        old = target.read_bytes()
        target.chmod(0o640)
        second(link)
        assert link.is_symlink()
        assert not target.is_symlink()
        assert target.read_bytes() != old
        assert stat.S_IMODE(target.stat().st_mode) == 0o640
        for stem in ("m", "é", "😀", "\n"):
            path = tmp_path / (stem * ((255 - len(suffix)) // len(stem.encode())) + suffix)
            first(path)
            assert path.read_bytes() == old
            path.unlink()
        for path in (link, target):
            path.unlink()
        assert list(tmp_path.iterdir()) == []


# -------------------------------------------------------------------- damaged model files


def judged(make, content, times):
    """Load the content in every way; what became of it: refused, valid, or valid for another model."""
    said = reading(content)
    twin = set_numbers(make(), random.Random(2))
    ours = document_of(twin)
    constants = set(ours.get("frozen", ()))
    start = time.process_time()
    error = refusal(content, twin)  # sees to it that path and reason are there, and that no number has changed
    times.append(time.process_time() - start)
    fits = said is not None and said.state.keys() == ours["state"].keys()
    if fits and said.settings is not None and "model" in ours:
        fits = alike(said.settings, ours["model"])
    if error is None:
        assert fits
        assert bits(twin) == bits(said.state)
        assert set(document_of(twin).get("frozen", ())) == said.frozen | constants
    elif fits:
        assert said.settings is not None, error
        assert "model" not in ours, error  # settings that say nothing about this model, and are wrong
    start = time.process_time()
    again = built(content)
    times.append(time.process_time() - start)
    if again is not None:
        assert bits(again) == bits(said.state)
        assert set(document_of(again).get("frozen", ())) == said.frozen
        assert alike(said.settings, document_of(again)["model"])
    elif error is None:
        assert said.settings is None
    by_hand(twin, content)
    return "valid" if error is None else "valid for another model" if again is not None else "refused"


def by_hand(model, content):
    """What someone gets who reads the JSON and calls load_state_dict: all numbers or none."""
    try:
        state = json.loads(content)["state"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return
    before = bits(model)
    try:
        model.load_state_dict(state)
        before = bits({name: float(state[name]) for name in before})
    except (ValueError, TypeError, OverflowError):
        pass
    assert bits(model) == before


def test_damaged_and_hostile_model_files(figure):
    outcomes, kinds, times = Counter(), Counter(), []
    count = size(150, 1000)
    for kind, make, content in files(seed=0, count=count):
        outcomes[judged(make, content, times)] += 1
        kinds[kind] += 1
    assert outcomes["refused"] > 0.6 * count
    assert outcomes["valid"] > 0.03 * count
    assert max(times) < HANG
    figure(f"{count} damaged files of {len(ALL)} kinds of models, by {len(kinds)} kinds of damage",
           f"{outcomes['refused']} refused with path and reason, no number changed; {outcomes['valid']} still valid and "
           f"{outcomes['valid for another model']} valid for another model, loaded bit for bit as they say; "
           f"at most {max(times):.2f} s each")  # fmt: skip


def test_truncated_files(figure):
    """At every length in the full run, at some lengths else."""
    count = 0
    for make in ALL.values():
        content = content_of(set_numbers(make(), random.Random(0)))
        twin = set_numbers(make(), random.Random(1))
        lengths = range(len(content) - 1)  # without the last newline it is whole
        for length in size(random.Random(0).sample(lengths, 30), lengths):
            assert refusal(content[:length], twin) is not None
            assert built(content[:length]) is None
            count += 1
    figure(
        f"files of {len(ALL)} kinds of models, cut off at {size('some lengths', 'every length')}",
        f"{count} of {count} refused",
    )


def test_giant_model_files(figure):
    """In a process for each: what it takes of memory, and of time."""
    megabytes = size(2, 64)
    found = run(sys.executable, giant_model_files.__file__, megabytes)
    for what, (seconds, memory, reason) in found.items():
        assert reason, what
        assert seconds < HANG * max(1, megabytes / 8), what
        assert memory < 60 + 40 * megabytes, what
    slowest, largest = max(found.values())[0], max(memory for _, memory, _ in found.values())
    figure(f"{len(found)} hostile files of {megabytes} MB and more: one string, one number, spaces, brackets, names",
           f"all refused with a reason; at most {slowest:.1f} s and {largest:.0f} MB")  # fmt: skip
