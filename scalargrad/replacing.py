"""Files replaced as a whole: whoever reads one finds the old content or the new, whatever happens in between."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
from pathlib import Path


def replace_file(path: Path, content: bytes) -> None:
    """Write the file anew, beside its place first, and then move it there.

    The content is on the disk before it gets the name, so that a crash at any moment leaves the old file or the new
    one. A process that is killed may leave its half-written `.name.….tmp` behind; on an error it is removed. A symbolic
    link stays one: what it points to is replaced. A file that was there keeps its permissions, and its owner where the
    system allows it; one that is write-protected is not replaced.

    Raises:
        OSError: with the path: there is no such folder, it is read-only, the disk is full, the path is a folder or
            device.
    """
    target = Path(os.path.realpath(path))
    # 40 characters are at most 160 bytes, so that the name is short enough for every file system.
    temporary = target.with_name(f".{target.name[:40]}.{secrets.token_hex(8)}.tmp")
    try:
        old = _replaceable(target)
        # Not by mkstemp: with this mode the system applies the umask, which Python could only read by changing it for
        # all threads.
        mode = 0o666 if old is None else stat.S_IMODE(old.st_mode) & 0o777
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        with os.fdopen(os.open(temporary, flags, mode), "wb") as file:
            if old is not None and hasattr(os, "fchown"):  # Windows has fchmod alone
                with contextlib.suppress(OSError):
                    os.fchown(file.fileno(), old.st_uid, old.st_gid)
                os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(target)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError) and error.errno is not None:
            raise OSError(error.errno, error.strerror, os.fspath(path)) from error
        raise
    with contextlib.suppress(OSError):  # folders cannot be opened everywhere; the file itself is safe already
        folder = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


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
