"""Half-right and wrong answers to every exercise: for each id a list of functions that give the keywords of `check`.

A folder's worth of them would be hard to read in one file, so each lesson has its own: answers_01.py and so on.
"""

from importlib import import_module
from pathlib import Path

HALF_RIGHT, WRONG = {}, {}
for file in sorted(Path(__file__).parent.glob("answers_*.py")):
    module = import_module(file.stem)
    HALF_RIGHT |= module.HALF_RIGHT
    WRONG |= module.WRONG
