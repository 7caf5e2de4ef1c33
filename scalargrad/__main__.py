"""`python -m scalargrad` is the command `scalargrad`."""

import sys

from scalargrad.cli import main

sys.exit(main())
