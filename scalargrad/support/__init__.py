"""What every room needs and none is about. Nothing here knows a Value.

- arguments.py: checks of what public functions are given. reals.py: what counts as a real number.
- exactly.py: keys that tell one thing from another by type and value.
- learning.py: when a module was last put into training or evaluation, or one of this package set.
- slots.py: the slots of a class's objects.
- labels.py: what may be a label, and how messages and pictures show it.
- spelling.py: names that do not exist and calls that do not fit: what was meant.
- console.py: texts with characters that a console may lack.
- notebook.py: whether this is one. browser.py: a page opened in a browser.
- files.py: files that are replaced as a whole.
- turns.py: one call at a time, and at_once.py: many attributes in one go, both with Ctrl-C in mind.
"""
