"""A process that pretends to be one on Windows as far as that can be: run this, then the script.

No modules and functions of POSIX, an open file cannot be replaced (nor removed), text goes out in cp1252.
"""

import builtins
import io
import os
import sys

MODULES = ("fcntl", "grp", "posix_ipc", "pty", "pwd", "resource", "syslog", "termios", "tty")
FUNCTIONS = (
    "chown", "fchown", "fork", "geteuid", "getuid", "lchown", "mkfifo", "pathconf", "sched_getaffinity", "setuid",
    "statvfs", "fstatvfs", "getpgid", "killpg", "register_at_fork",
)  # fmt: skip

for name in MODULES:
    sys.modules[name] = None
for name in FUNCTIONS:
    if hasattr(os, name):
        delattr(os, name)

opened = {}
_open, _close, _replace, _unlink, _fdopen = os.open, os.close, os.replace, os.unlink, os.fdopen


def _is_open(path):
    """Whether this process has it open, by /proc, where there is one; or by those that a test says are held."""
    real = os.path.realpath(path)
    if real in held:
        return True
    try:
        return any(os.path.realpath(f"/proc/self/fd/{fd}") == real for fd in os.listdir("/proc/self/fd"))
    except OSError:
        return False


held = {}
"""Paths that another program holds open, and for how many attempts still."""


def _denied(path):
    left = held.get(os.path.realpath(path), 0)
    if left:
        held[os.path.realpath(path)] = left - 1
        if left == 1:
            del held[os.path.realpath(path)]
    if left or _is_open(path):
        raise PermissionError(13, "Access is denied", str(path))


def replace(source, target, **_):
    _denied(source)
    _denied(target)
    return _replace(source, target)


def open_folder(path, flags, *args, **options):
    if os.path.isdir(path):
        raise PermissionError(13, "Permission denied", str(path))
    return _open(path, flags, *args, **options)


os.replace = os.rename = replace
os.open = open_folder
sys.stdout = io.TextIOWrapper(sys.stdout.buffer, encoding="cp1252", newline="\n")
sys.stderr = io.TextIOWrapper(sys.stderr.buffer, encoding="cp1252", newline="\n", errors="backslashreplace")
_text_open = builtins.open


def open_text(file, mode="r", buffering=-1, encoding=None, *args, **options):
    if "b" not in mode and encoding in (None, "locale"):
        encoding = "cp1252"
    return _text_open(file, mode, buffering, encoding, *args, **options)


builtins.open = open_text
