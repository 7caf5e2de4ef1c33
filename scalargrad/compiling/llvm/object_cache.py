"""Machine code kept on disk, so that the next process need not compile what this one has compiled.

LLVM takes 0.05 to 1 s for a program; its object code is read and linked in a millisecond. A file is found by a hash of
all that the code depends on: LLVM's text, the processor and its features, the effort, LLVM's version. What is in it is
used only if its digest is right. Whatever goes wrong on the disk, code is compiled as if there were no cache.
"""

from __future__ import annotations

import hashlib
import os
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from scalargrad.support.files import replace_file

VARIABLE = "SCALARGRAD_CACHE"
"""The environment's name for the folder; "off" or nothing for no cache."""
ROOM = 64 * 2**20
"""Bytes that the files may take; those that were not used for longest go."""
_MAGIC = b"scalargrad object 1\n"
_ENDING, _UNFINISHED = ".object", ".tmp"
_ABANDONED = 3600.0
"""Seconds after which an unfinished file belongs to a process that was killed."""
_left: dict[Path, int] = {}
"""Bytes that this process may write to a folder before it looks again at all that is there."""


def key_of(*parts: str) -> str:
    """The name of a file for code that depends on these texts."""
    digest = hashlib.blake2b(digest_size=20)
    for part in parts:
        data = part.encode()
        digest.update(len(data).to_bytes(8, "little") + data)
    return digest.hexdigest()


def stored(key: str) -> bytes | None:
    """The object code of this key; None if there is none that can be trusted."""
    folder = _folder()
    if folder is None:
        return None
    path = folder / (key + _ENDING)
    try:
        with open(path, "rb", opener=_own) as file:
            content = file.read(ROOM + 1)
    except (OSError, ValueError):
        return None
    start = len(_MAGIC) + hashlib.blake2b().digest_size
    code = content[start:]
    if content[:start] != _MAGIC + _digest(key, code):
        return None
    with suppress(OSError):  # it was used now
        os.utime(path)
    return code


def store(key: str, code: bytes) -> None:
    """Keep object code; nothing happens where that cannot be done."""
    folder = _folder()
    if folder is None or len(code) > ROOM // 4:
        return
    with suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        if _is_ours(os.stat(folder)):
            content = _MAGIC + _digest(key, code) + code
            # By its digest half a file is known for what it is.
            replace_file(folder / (key + _ENDING), content, mode=0o600, is_spare=True)
            left = _left.get(folder, 0) - len(content)
            _left[folder] = left if left > 0 else _make_room(folder)


def _digest(key: str, code: bytes) -> bytes:
    return hashlib.blake2b(key.encode() + b"\n" + code).digest()


def _folder() -> Path | None:
    """Where the files are, as the platform has such things; None for no cache."""
    given = os.environ.get(VARIABLE)
    if given is not None:
        return None if given.strip().lower() in ("", "0", "off", "no", "false") else Path(given)
    try:
        home = Path.home()
    except RuntimeError:  # an account without a home
        return None
    if not home.is_absolute():
        return None
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA")
        return Path(base, "scalargrad", "Cache") if base else None
    if sys.platform == "darwin":
        return home / "Library" / "Caches" / "scalargrad"
    base = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(base) if os.path.isabs(base) else home / ".cache") / "scalargrad"


def _is_ours(status: os.stat_result) -> bool:
    """Whether nobody else may write it; Windows answers by the folder that it lies in."""
    return not hasattr(os, "geteuid") or (status.st_uid == os.geteuid() and not status.st_mode & 0o022)


def _own(path: str, flags: int) -> int:
    """Open a file to read it, if it and its folder are ours and it is no link.

    Raises:
        PermissionError: if somebody else could have written it.
    """
    if not _is_ours(os.stat(os.path.dirname(path))):
        raise PermissionError(path)
    handle = os.open(path, flags | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    if not _is_ours(os.fstat(handle)):
        os.close(handle)
        raise PermissionError(path)
    return handle


def _make_room(folder: Path) -> int:
    """Remove what was used least lately until the rest has room, and what killed processes left.

    Returns:
        How many bytes may come.
    """
    now, total, kept = time.time(), 0, 0
    for used, size, path in sorted(_files(folder), reverse=True):
        total += size
        is_abandoned = path.endswith(_UNFINISHED) and now - used > _ABANDONED
        kept = total if total <= ROOM else kept
        if is_abandoned or (path.endswith(_ENDING) and total > ROOM):
            with suppress(OSError):  # another process was quicker, or has it open
                os.unlink(path)
    return ROOM - kept


def _files(folder: Path) -> Iterator[tuple[float, int, str]]:
    """When it was used last, its size, and its path, for each file."""
    with os.scandir(folder) as entries:
        for entry in entries:
            with suppress(OSError):
                status = entry.stat(follow_symlinks=False)
                yield status.st_mtime, status.st_size, entry.path
