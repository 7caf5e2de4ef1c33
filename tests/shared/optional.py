"""What not every environment has: where a module, threads or a layout engine is missing, a test that needs it is skipped.

Test files import modules that may be missing from here; conftest.py makes this file a plugin of pytest.
"""

import importlib
import os
import subprocess
import sys
import threading

import pytest

from scalargrad.drawing import engines


class Missing:
    """Stands for a module that is not installed, and for everything in it.

    While test files are imported it may be named, called and put into parameters; a test that uses it is skipped.
    """

    def __init__(self, module):
        self._module = module

    def skip(self):
        pytest.skip(f"{self._module} is not installed")

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        if "PYTEST_CURRENT_TEST" in os.environ:
            self.skip()
        return self

    def __call__(self, *arguments, **options):
        if "PYTEST_CURRENT_TEST" in os.environ:
            self.skip()
        return self

    __getitem__ = __iter__ = __len__ = __float__ = __call__


def optional(name):
    """The module of this name, or what stands for it."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return Missing(name.split(".")[0])


def missing(parameter):
    """The first Missing in a test's parameter, which may be a list or tuple of others; None if there is none."""
    if isinstance(parameter, Missing):
        return parameter
    parts = parameter if isinstance(parameter, (list, tuple)) else ()
    return next((found for found in map(missing, parts) if found is not None), None)


def need(*things):
    """Skip the test if one of these was made by a module that is not installed."""
    if (first := missing(things)) is not None:
        first.skip()


numpy = optional("numpy")
mpmath = optional("mpmath")
micrograd = optional("micrograd")
if not isinstance(micrograd, Missing):
    importlib.import_module("micrograd.nn")


def pytest_runtest_setup(item):
    """Skip a test one of whose parameters was made by a module that is not installed."""
    if hasattr(item, "callspec"):
        need(*item.callspec.params.values())


def need_layout():
    """Skip the test if nothing is installed that computes a layout."""
    if engines.available() == "text":
        pytest.skip("no layout engine is installed")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call():
    """Skip a test that needs a layout where nothing is installed that computes one."""
    try:
        return (yield)
    except engines.EngineError as error:
        if str(error) == engines.NO_ENGINE:
            need_layout()
        raise


def absent(what):
    """What stands for something that cannot be started: it skips the test."""

    def skip(*arguments, **options):
        pytest.skip(f"WebAssembly has no {what}")

    return skip


if sys.platform == "emscripten":
    threading.Thread.start = absent("threads")
    subprocess.Popen.__init__ = absent("processes")
