"""What the place where the tests run can do, tried out: marks that skip with the reason what it cannot."""

import contextlib
import os
import signal
import stat
import sys
import tempfile
from pathlib import Path

import pytest


def _tried(attempt):
    """Whether it works in a folder of its own."""
    with tempfile.TemporaryDirectory() as name:
        try:
            return bool(attempt(Path(name)))
        except (OSError, AttributeError, NotImplementedError):
            return False


def _links(folder):
    (folder / "link").symlink_to("target")
    return (folder / "link").is_symlink()


def _modes(folder):
    path = folder / "file"
    path.touch()
    for mode in (0o640, 0o604):
        path.chmod(mode)
        if stat.S_IMODE(path.stat().st_mode) != mode:
            return False
    return True


def _pipes(folder):
    os.mkfifo(folder / "pipe")
    return True


def _long_names(folder):
    path = folder / ("é" * 127)
    path.touch()
    return path.exists()


def _is_device(path):
    with contextlib.suppress(OSError):
        return stat.S_ISCHR(os.stat(path).st_mode)
    return False


def needs(can, what):
    return pytest.mark.skipif(not can, reason=f"this system has no {what}")


CAN_LINK, CAN_PIPE, HAS_DEV_FULL = _tried(_links), _tried(_pipes), _is_device("/dev/full")
needs_links = needs(CAN_LINK, "symbolic links, or not for us")
needs_modes = needs(_tried(_modes), "permission bits")
needs_pipes = needs(CAN_PIPE, "named pipes")
needs_long_names = needs(_tried(_long_names), "names of 255 bytes")
needs_users = needs(hasattr(os, "setuid") and hasattr(os, "geteuid"), "users to change to")
needs_timers = needs(hasattr(signal, "setitimer"), "interval timers")


def peak_kilobytes():
    """The most memory that this process has had; Apple's systems count bytes."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // 1024 if sys.platform == "darwin" else peak
