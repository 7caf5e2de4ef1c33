"""Each extra alone

In a fresh virtual environment the built wheel is installed with one extra, for each that there is, and once with none: pip
finds all requirements met, the import brings no warning and no other package, every package that the extra names can be
imported, and what the extra is for is done once. What needs another extra fails there with the name of that extra, and
what can do without shows less.
"""

import json
import re
import sys
from pathlib import Path

import pytest
from drawing_helpers import CHROMIUM
from environments import clean, environment, install, needs_checkout, pip, run
from extras_in_child import ASKS, USES
from sizes import only_long

HERE = Path(__file__).parent
IMPORT = "import sys; before = set(sys.modules); import scalargrad; print(scalargrad.__file__, *{name.split('.')[0] for name in set(sys.modules) - before} - sys.stdlib_module_names)"

pytestmark = needs_checkout


def extras():
    """The requirements of each extra in pyproject.toml."""
    tomllib = pytest.importorskip("tomllib" if sys.version_info >= (3, 11) else "tomli")
    text = (HERE.parents[1] / "pyproject.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)["project"]["optional-dependencies"]


def with_its_own(extra, known):
    """The extra and all those that it is made of."""
    named = re.findall(r"scalargrad-autograd\[(.*?)\]", " ".join(known.get(extra, ())))
    return {extra}.union(*(with_its_own(other, known) for names in named for other in names.split(",")))


def test_each_extra_is_tried():
    assert set(USES) == {"none", *extras()}
    assert set(ASKS) <= set(extras())
    assert with_its_own("lab", extras()) >= {"lab", "notebook", "browser", "live"}


@only_long
@pytest.mark.parametrize("extra", USES)
def test_alone(extra, wheel, tmp_path, figure):
    if extra in with_its_own("lab", extras()) and not Path(CHROMIUM).exists():
        pytest.skip(f"no Chromium at {CHROMIUM}: set SCALARGRAD_CHROMIUM")
    python = environment(tmp_path / "environment")
    install(python, wheel if extra == "none" else f"{wheel}[{extra}]")
    pip(python, "check")
    place = tmp_path / "work"
    place.mkdir()
    settings = {"cwd": place, "env": {**clean(), "CHROMIUM": CHROMIUM}}
    where, *packages = run(python, "-I", "-W", "error", "-c", IMPORT, **settings).split()
    assert "site-packages" in where
    assert packages == ["scalargrad"]
    run(python, "-I", HERE / "extras_in_child.py", extra, **settings)
    said = json.loads((place / "said.json").read_text(encoding="utf-8"))
    missing = said["errors"]
    assert not set(missing) & with_its_own(extra, extras())
    assert extra != "none" or set(missing) == set(ASKS)
    for other, errors in missing.items():
        for error in errors:
            assert re.search(rf"\(the extra `{other}`\): (choose|pip install )", error), error
    named = f"; what needs {', '.join(f'`{name}`' for name in missing)} says so" if missing else ""
    figure("no extra" if extra == "none" else f"`{extra}` alone", said["found"] + named)
