"""Saves every kind of file where there is no room or no permission, and looks at what is there afterwards.

    python tests/reliability/disk_faults.py FOLDER limit unprivileged
    unshare --mount [--map-root-user] python tests/reliability/disk_faults.py FOLDER full-tmpfs full-ext4 read-only-tmpfs ...

    full-tmpfs        a small disk that fills up; full-ext4: one in a file, by a loop device
    read-only-tmpfs   a disk that is mounted read-only; read-only-ext4: and, before that, files with chattr +i
    limit             files may have so many bytes and no more (RLIMIT_FSIZE)
    unprivileged      folders and files that this user may not write; root gives its rights away, so it comes last

The folder is an empty one. Prints what it found as JSON; "wrong" must be empty. What needs a mount is to be run in a
namespace of the process, as above, which ends with the process, and all mounts with it.
Where the system does not let it mount, "refused" says why.
"""

import contextlib
import errno
import functools
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "shared"))  # the helpers, as this is run as a script

from drawing_helpers import mlp_loss, sigmoid_neuron

from scalargrad import draw, nn, trace, worksheet
from scalargrad.tracing import page, sheet_page

PAGE = 4096


def savers():
    """For each kind of file by name: what saves the old one to a path, and what saves the new, larger one.

    What they write is made once: it is the writing that fails here.
    """
    page.page = functools.cache(page.page)
    made = functools.cache(sheet_page.pages)
    sheet_page.pages = lambda given, **what: made(tuple(given), **what)
    roots = [sigmoid_neuron(), mlp_loss((2, 4, 1))]
    things = {"model.json": [nn.MLP(2, [n, 1], seed=4) for n in (3, 100)]}
    drawings = [draw(root) for root in roots]
    for drawing in drawings:
        drawing._raster = functools.cache(drawing._raster)
    things |= {f"graph{suffix}": drawings for suffix in (".svg", ".dot", ".mmd", ".json", ".txt", ".png")}
    things |= {"walk.html": [trace(root) for root in roots], "sheet.html": [worksheet(root) for root in roots]}
    return {name: [thing.save for thing in both] for name, both in things.items()}


def contents(by_name):
    """What they write, by name."""
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, saves in by_name.items():
            path = Path(folder, name)
            found[name] = [save(path) and path.read_bytes() for save in saves]
    return found


class RefusedError(Exception):
    """This system does not let us."""


class Watch:
    """Counts what goes as it must, and writes down what does not."""

    def __init__(self):
        self.savers = savers()
        self.contents = contents(self.savers)
        self.failures, self.saved, self.wrong, self.errors = 0, 0, [], set()

    def found(self, work):
        """What the work finds."""
        self.failures, self.saved, self.wrong, self.errors = 0, 0, [], set()
        try:
            work()
        except RefusedError as refused:
            return {"refused": str(refused)}
        return {"failures": self.failures, "saved": self.saved, "wrong": self.wrong, "errors": sorted(self.errors)}

    def fails(self, path, numbers, what, saver=None):
        """Saving there must be an error with one of these numbers and this path, and must change nothing."""
        save = self.savers[saver or path.name][1]
        before = self.state(path.parent)
        try:
            save(path)
        except OSError as error:
            self.failures += 1
            self.errors.add(errno.errorcode[error.errno])
            if error.errno not in numbers or error.filename != str(path) or str(path) not in str(error):
                self.wrong.append(f"{what}, {path.name}: {error!r}")
        else:
            self.wrong.append(f"{what}, {path.name}: saved")
        if self.state(path.parent) != before:
            self.wrong.append(f"{what}, {path.name}: not as it was before, but {sorted(self.state(path.parent)[0])}")

    def state(self, folder):
        """Every file with its content, and how much is free, where the disk is nobody else's."""
        disk = os.statvfs(folder)
        free = (disk.f_bfree, disk.f_ffree) if folder.is_mount() else None
        return {path.name: readable(path) for path in folder.iterdir()}, free

    def saves(self, path, what):
        """Saving there must work."""
        self.savers[path.name][1](path)
        self.saved += 1
        if path.read_bytes() != self.contents[path.name][1]:
            self.wrong.append(f"{what}, {path.name}: not what was saved")

    def put_old(self, folder):
        """The folder with the old files and no others."""
        for path in folder.iterdir():
            if path.is_file():
                path.unlink()
        for name, (old, _) in self.contents.items():
            (folder / name).write_bytes(old)


def readable(path):
    try:
        return path.read_bytes()
    except OSError:
        return None


# -------------------------------------------------------------------- disks


def mounted(kind, folder):
    """A disk of two MiB in the folder; the namespace ends with the process, and the mount with it."""
    disk = folder / "disk"
    disk.mkdir(parents=True)
    command = ["mount", "-t", "tmpfs", "-o", "size=2m,nr_inodes=40", "none", str(disk)]
    if kind == "ext4":
        image = folder / "image"
        image.write_bytes(bytes(2 << 20))
        run(["mkfs.ext4", "-q", "-m", "0", "-b", str(PAGE), "-O", "^has_journal", str(image)])
        command = ["mount", "-o", "loop", str(image), str(disk)]
    run(command)
    return disk


def run(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RefusedError(f"{' '.join(command[:3])}: {done.stderr.strip()}")


def full(watch, kind, folder):
    """Fill the disk but for 0, 1, ... pages; then, of a tmpfs, use up the inodes."""
    folder = mounted(kind, folder)
    watch.put_old(folder)
    filler = folder / "filler"
    for name, (_, new) in watch.contents.items():
        path = folder / name
        needed = -(-len(new) // PAGE)
        for free in sorted({0, 1, needed // 2, needed - 1} & set(range(needed))):
            fill(filler, free)
            watch.fails(path, [errno.ENOSPC], f"{free} pages of {needed} free")
        filler.unlink()
        watch.saves(path, "room again")
        path.write_bytes(watch.contents[name][0])
    if kind == "tmpfs":
        others = []
        while os.statvfs(folder).f_ffree:
            others.append(folder / f"other-{len(others)}")
            others[-1].touch()
        for name in watch.savers:
            watch.fails(folder / name, [errno.ENOSPC], "no inode free")


def fill(filler, free):
    """Leave so many pages free, or fewer."""
    filler.unlink(missing_ok=True)
    disk = os.statvfs(filler.parent)
    assert disk.f_frsize == PAGE
    with filler.open("wb") as file:
        end = disk.f_bfree - free
        for pages in range(end, 0, -1):  # some may go to the disk's own records
            with contextlib.suppress(OSError):
                os.posix_fallocate(file.fileno(), 0, pages * PAGE)
                break
        with contextlib.suppress(OSError):
            while os.statvfs(filler.parent).f_bfree > free:
                os.posix_fallocate(file.fileno(), pages * PAGE, PAGE)
                pages += 1


def read_only(watch, kind, folder):
    """Nothing may be written; of ext4, files that not even root may change."""
    folder = mounted(kind, folder)
    watch.put_old(folder)
    if kind == "ext4":
        for name in watch.savers:
            run(["chattr", "+i", str(folder / name)])
            watch.fails(folder / name, [errno.EPERM, errno.EACCES], "chattr +i")
            run(["chattr", "-i", str(folder / name)])
    run(["mount", "-o", "remount,ro", str(folder)])
    for name in watch.savers:
        watch.fails(folder / name, [errno.EROFS], "mounted read-only")
        watch.fails(folder / f"new-{name}", [errno.EROFS], "mounted read-only", name)


# -------------------------------------------------------------------- limits and permissions


def limit(watch, folder):
    """The system stops the writing after some bytes, as it does when the disk is full."""
    import resource

    watch.put_old(folder)
    for name, (_, new) in watch.contents.items():
        for most in (0, 1, PAGE, len(new) - 1):
            resource.setrlimit(resource.RLIMIT_FSIZE, (min(most, len(new) - 1), resource.RLIM_INFINITY))
            watch.fails(folder / name, [errno.EFBIG], f"at most {most} bytes")
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(new), resource.RLIM_INFINITY))
        watch.saves(folder / name, "just enough")
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        (folder / name).write_bytes(watch.contents[name][0])


def unprivileged(watch, folder):
    """Root gives its rights away first: it may write anywhere."""
    places = [folder / name for name in ("protected-files", "read-only-folder", "read-only-empty")]
    for place in places:
        place.mkdir()
        if place.name != "read-only-empty":
            watch.put_old(place)
        for path in place.iterdir():
            path.chmod(0o444 if place.name == "protected-files" else 0o666)
        place.chmod(0o777 if place.name == "protected-files" else 0o555)
    if os.geteuid() == 0:
        os.setuid(65534)
    for name in watch.savers:
        for place in places:
            watch.fails(place / name, [errno.EACCES], place.name)


def main(folder, wanted):
    """Do them one after the other, each in a folder of its own."""
    watch = Watch()
    works = {
        "full-tmpfs": lambda place: full(watch, "tmpfs", place),
        "full-ext4": lambda place: full(watch, "ext4", place),
        "read-only-tmpfs": lambda place: read_only(watch, "tmpfs", place),
        "read-only-ext4": lambda place: read_only(watch, "ext4", place),
        "limit": lambda place: limit(watch, place),
        "unprivileged": lambda place: unprivileged(watch, place),
    }
    found = {}
    for what in wanted:
        place = folder / what
        place.mkdir()
        found[what] = watch.found(lambda: works[what](place))
    print(json.dumps(found))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
