"""A `dot` for the PATH that stands in for Graphviz as a distribution may have it."""

import os
import shutil
import stat
import sys

WITHOUT_NEATO = """#!{python}
import subprocess, sys
if any(argument.startswith(("-Kneato", "-Knop", "-Kfdp", "-n")) for argument in sys.argv):
    sys.stderr.write('Error: no layout engine support for "neato"\\n')
    sys.exit(1)
source = sys.stdin.buffer.read()
if b"_background" in source:
    {background}
sys.exit(subprocess.run([{dot!r}, *sys.argv[1:]], input=source, check=False).returncode)
"""
FAILS = "sys.exit(-11)"
DRAWS = "source = source.replace(b' T ', b' t ') and b'digraph g { a [shape=box, label=\"\"] }'"


def without_neato(folder, background):
    """Put it there; with a background that has text it fails, or draws something."""
    path = folder / "dot"
    path.write_text(WITHOUT_NEATO.format(python=sys.executable, dot=shutil.which("dot"), background=background))
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return os.pathsep.join([str(folder), os.environ["PATH"]])
