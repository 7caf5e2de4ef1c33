"""Files replaced as a whole: whoever reads one finds the old content or the new, whatever happens in between."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
import time
from pathlib import Path

PAUSES = 0.02, 0.05, 0.1, 0.2, 0.4
"""Seconds between attempts to replace a file that another program holds open, as Windows does not allow."""


def replace_file(path: Path, content: bytes, mode: int = 0o666, *, is_spare: bool = False) -> None:
    """Write the file anew, beside its place first, and then move it there.

    The content is on the disk before it gets the name, so that a crash at any moment leaves the old file or the new
    one. A process that is killed may leave its half-written `.name.….tmp` behind; on an error it is removed. A symbolic
    link stays one: what it points to is replaced. A file that was there keeps its permissions, and its owner where the
    system allows it; one that is write-protected is not replaced. On Windows none can be replaced while another program
    has it open: that is tried again for less than a second.

    Args:
        path: of the file.
        content: what shall be in it.
        mode: the permissions of a new file, less what the umask takes away.
        is_spare: whether it may be lost, or be half a file, where the power fails: nothing waits for the disk then,
            which takes 1 to 20 milliseconds.

    Raises:
        OSError: with the path: there is no such folder, it is read-only, the disk is full, the path is a folder or
            device; or, on Windows, another program holds the file open.
    """
    target = Path(os.path.realpath(path))
    # 40 characters are at most 160 bytes, so that the name is short enough for every file system.
    temporary = target.parent / f".{target.name[:40]}.{secrets.token_hex(8)}.tmp"
    try:
        old = _replaceable(target)
        # Not by mkstemp: with this mode the system applies the umask, which Python could only read by changing it for
        # all threads.
        mode = mode if old is None else stat.S_IMODE(old.st_mode) & 0o777
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(temporary, flags, mode), "wb") as file:
            if old is not None and hasattr(os, "fchown"):  # Windows has fchmod alone
                with contextlib.suppress(OSError):
                    os.fchown(file.fileno(), old.st_uid, old.st_gid)
                os.fchmod(file.fileno(), mode)
            file.write(content)
            if not is_spare:
                file.flush()
                os.fsync(file.fileno())
        _move(temporary, target)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError):
            number, reason = error.errno or errno.EIO, error.strerror or str(error)
            raise OSError(number, reason, os.fspath(path), getattr(error, "winerror", None)) from error
        raise
    if is_spare:
        return
    with contextlib.suppress(OSError):  # folders cannot be opened everywhere; the file itself is safe already
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _move(temporary: Path, target: Path) -> None:
    """Give the file its name. On Windows nobody may have the old one open: a scanner of viruses soon lets it go."""
    for pause in PAUSES:
        try:
            os.replace(temporary, target)
        except PermissionError:
            time.sleep(pause)
        else:
            return
    os.replace(temporary, target)


def _replaceable(target: Path) -> os.stat_result | None:
    """The status of the file that will be replaced, None if there is none; OSError if it must not be."""
    try:
        status = target.stat()
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(status.st_mode):  # root could replace /dev/null by a file
        raise OSError(errno.EINVAL, "not a regular file")
    if not os.access(target, os.W_OK, effective_ids=os.access in os.supports_effective_ids):
        if hasattr(os, "statvfs") and os.statvfs(target).f_flag & os.ST_RDONLY:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS))
        raise PermissionError(errno.EACCES, "the file is write-protected")
    return status
