"""Every place it runs

The built wheel is the package and nothing else, installs without any dependency, and the source distribution builds the
same wheel. The whole suite runs on every CPython from 3.10 on that is found, by `tox`, in a fresh environment each time;
then on the installed wheel away from the checkout, with no more installed than the package itself needs, and in Pyodide,
which is Python compiled to WebAssembly, under Node.

Pyodide has no processes, no threads and no numpy. Graphs are drawn there as everywhere, by the same Graphviz.
"""

import email
import hashlib
import re
import shutil
import subprocess
import sys
import tarfile
import time
import zipfile

import pytest
from environments import PACKAGE, ROOT, build, clean, environment, install, needs_checkout, run
from sizes import only_long

# tox's environments that run tests, but for `sdist`, which builds the same wheel, as a test here sees; those of linters and
# of the documentation are checked in every run of CI anyway.
ENVIRONMENTS = ("py310", "py311", "py312", "py313", "py314", "minimal", "wheel")

pytestmark = needs_checkout


def content(wheel):
    """Each file of a wheel by its name, and the hash of what it holds."""
    with zipfile.ZipFile(wheel) as archive:
        return {name: hashlib.sha256(archive.read(name)).hexdigest() for name in archive.namelist()}


def counts(log):
    """How many tests passed and how many were skipped, by the last line that pytest printed; none may have failed."""
    lines = re.findall(r"^(?:=+ )?(no tests ran|\d+ [a-z]+(?:, \d+ [a-z]+)*) in [\d.]+s\b", log, re.MULTILINE)
    assert lines, f"pytest did not say how many tests passed:\n{log[-2000:]}"
    found = {what: int(number) for number, what in re.findall(r"(\d+) (\w+)", lines[-1])}
    assert not {"failed", "error", "errors"} & set(found), lines[-1]
    return found.get("passed", 0), found.get("skipped", 0)


def test_counts_reads_the_last_line_of_pytest():
    log = "3 passed in 0.1s\n{} in 70.01s (0:01:10)\n  py310: OK (71.2 seconds)\n"
    assert counts(log.format("41 passed, 2 skipped, 9 deselected, 1 xfailed")) == (41, 2)
    assert counts(log.format("no tests ran")) == (0, 0)
    for line in ("1 failed, 3 passed", "3 passed, 1 error", "4 skipped, 2 errors"):
        with pytest.raises(AssertionError, match=line):
            counts(log.format(line))


# -------------------------------------------------------------------- archives


def test_the_wheel_is_the_package_and_nothing_else(wheel, figure):
    files = {path.relative_to(ROOT).as_posix() for path in PACKAGE.rglob("*") if path.is_file()}
    files = {name for name in files if "__pycache__" not in name and not name.endswith((".so", ".pyd"))}
    names = set(content(wheel))
    about = {name for name in names if ".dist-info/" in name}
    assert names - about == files
    assert {name.split("/", 1)[1] for name in about} == {
        "METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE"
    }  # fmt: skip
    data = {"scalargrad/nn/data/digits.txt", "scalargrad/nn/data/names.txt.gz"}
    assert {"scalargrad/py.typed", "scalargrad/_methods.pyi", *data} <= names
    assert wheel.name.endswith("-py3-none-any.whl")
    kilobytes = wheel.stat().st_size / 1000
    figure("files in the wheel, all of them the package's", f"{len(files)}, {kilobytes:.0f} kB packed")


def test_the_metadata_are_those_of_the_project(wheel):
    tomllib = pytest.importorskip("tomllib" if sys.version_info >= (3, 11) else "tomli")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("/METADATA"))
        said = email.message_from_string(archive.read(name).decode("utf-8"))
    assert said["Requires-Python"] == project["requires-python"]
    assert set(said.get_all("Provides-Extra")) == set(project["optional-dependencies"])
    assert set(said.get_all("Classifier")) == set(project["classifiers"])
    assert said["License-Expression"] == project["license"]
    needed = [line for line in said.get_all("Requires-Dist") if "extra ==" not in line]
    assert sorted(re.match(r"[\w-]+", line)[0] for line in needed) == sorted(
        re.match(r"[\w-]+", line)[0] for line in project["dependencies"]
    )
    assert said.get_payload().strip() == (ROOT / "README.md").read_text(encoding="utf-8").strip()


def test_the_source_distribution_builds_the_same_wheel(wheel, tmp_path, figure):
    sdist = build(ROOT, tmp_path / "sdist", "sdist")
    with tarfile.open(sdist) as archive:
        names = archive.getnames()
    safely = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}  # of Python 3.11.4
    shutil.unpack_archive(sdist, tmp_path, **safely)
    again = build(tmp_path / sdist.name.removesuffix(".tar.gz"), tmp_path / "again", "wheel")
    assert content(again) == content(wheel)
    assert not [name for name in names if "__pycache__" in name or name.endswith(".pyc")]
    figure("wheels built from the checkout and from the source distribution", f"the same {len(content(wheel))} files")


# -------------------------------------------------------------------- installed


def test_it_runs_alone(wheel, tmp_path, figure):
    """The wheel without its dependencies: the import brings no other package, and README's tour runs."""
    python = environment(tmp_path / "environment")
    install(python, "--no-deps", "--no-index", wheel)
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    tour = tmp_path / "tour.txt"
    tour.write_text(readme.split("```python\n")[1].split("```")[0], encoding="utf-8")
    where = run(python, "-I", "-c", "import scalargrad; print(scalargrad.__file__)", cwd=tmp_path, env=clean()).strip()
    assert "site-packages" in where
    script = "import doctest, sys; print(doctest.testfile(sys.argv[1], module_relative=False, encoding='utf-8'))"
    found = run(python, "-I", "-W", "error", "-c", script, tour, cwd=tmp_path, env=clean()).strip()
    done = re.fullmatch(r"TestResults\(failed=0, attempted=(\d+)\)", found)
    assert done, found
    figure("README's tour on the wheel alone, without one of its dependencies", f"{done[1]} examples, none failed")


def test_the_engine_in_c_is_built_where_it_can_be_and_runs_outside_the_checkout(tmp_path, figure):
    pytest.importorskip("setuptools", reason="setuptools compiles it")
    if not shutil.which("cc") and not shutil.which("gcc"):
        pytest.skip("there is no C compiler on the PATH")
    compiled = build(ROOT, tmp_path / "wheel", "wheel", SCALARGRAD_PURE="")
    assert "none-any" not in compiled.name
    python = environment(tmp_path / "environment")
    install(python, "--no-deps", "--no-index", compiled)
    code = (
        "import scalargrad as sg; x = sg.Value(0.5); y = (x * 3.0).tanh(); y.backward(); print(sg.engine_in_c, x.grad)"
    )
    found = [
        run(python, "-s", "-c", code, cwd=tmp_path, env={**clean(), "SCALARGRAD_PURE": pure}).split()
        for pure in ("", "1")
    ]
    assert [is_in_c for is_in_c, _ in found] == ["True", "False"]
    assert found[0][1] == found[1][1]
    figure("a wheel with the engine in C, installed outside the checkout", f"{compiled.name}: the same numbers")


def test_without_a_compiler_the_wheel_is_pure_and_nobody_is_told(tmp_path, figure):
    pure = build(ROOT, tmp_path / "wheel", "wheel", SCALARGRAD_PURE="", CC=str(tmp_path / "no-compiler"))
    assert pure.name.endswith("-py3-none-any.whl")
    figure("a wheel built where there is no compiler", pure.name)


@only_long
def test_it_draws_with_its_dependencies_and_nothing_else(wheel, tmp_path, figure):
    python = environment(tmp_path / "environment")
    install(python, wheel)
    code = (
        "from scalargrad import Value; from scalargrad.drawing import engines\n"
        "drawing = (Value(2.0, label='x') * 3.0).draw(); assert drawing.svg.startswith('<svg'); print(engines.available())"
    )
    nowhere = {**clean(), "PATH": str(tmp_path)}  # with no `dot` on it
    if sys.version_info < (3, 11):
        pytest.skip("the embedded layout engine needs Python 3.11")
    engine = run(python, "-I", "-c", code, cwd=tmp_path, env=nowhere).strip()
    assert engine == "wasi"
    figure("a picture straight after `pip install`, with no system package", f"drawn by the {engine} engine")


# -------------------------------------------------------------------- interpreters


def interpreter(name):
    """Whether there is a Python for this environment of tox: pyenv puts commands on the PATH that only say no."""
    digits = re.fullmatch(r"py3(\d+)", name)
    command = shutil.which(f"python3.{digits[1]}") if digits else sys.executable
    return command and not subprocess.run([command, "--version"], capture_output=True, check=False).returncode


@only_long
@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_tox(name, tmp_path, figure):
    pytest.importorskip("tox", reason="tox is not installed")
    if not interpreter(name):
        pytest.skip(f"there is no Python for {name} on the PATH")
    options = ["-p", "no:cacheprovider"] + ([] if name == "minimal" else ["-n", "2"])
    start = time.perf_counter()
    log = run(sys.executable, "-m", "tox", "--workdir", tmp_path, "-e", name, "--", *options, cwd=ROOT, env=clean())
    passed, skipped = counts(log)
    assert passed > 1000
    minutes = (time.perf_counter() - start) / 60
    figure(f"`tox -e {name}`", f"{passed} tests passed, {skipped} skipped with a reason, {minutes:.1f} minutes")


@only_long
def test_pyodide(figure):
    for program in ("node", "npm"):
        if not shutil.which(program):
            pytest.skip(f"{program} is not installed")
    start = time.perf_counter()
    log = run(sys.executable, ROOT / "tests" / "pyodide" / "run.py", cwd=ROOT, env=clean())
    passed, skipped = counts(log)
    assert passed > 1000
    version = re.search(r"^Python ([\d.]+) on emscripten", log, re.MULTILINE)[1]
    seconds = time.perf_counter() - start
    figure(
        f"Pyodide, Python {version}", f"{passed} tests passed, {skipped} skipped with a reason, {seconds:.0f} seconds"
    )
