"""The package as a whole exports what it says and imports nothing heavy at the door; versions and places are listed once."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import scalargrad

PACKAGE = Path(scalargrad.__file__).parent


def test_import_brings_no_third_party_module_and_no_drawing():
    code = (
        "import sys; before = set(sys.modules); import scalargrad, scalargrad.nn, scalargrad.layers, scalargrad.circuit; "
        "new = {name.split('.')[0] for name in set(sys.modules) - before}; "
        "print(sorted(new - set(sys.stdlib_module_names) - {'scalargrad'}), 'scalargrad.drawing' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-S", "-c", f"import sys; sys.path.insert(0, {str(PACKAGE.parent)!r}); {code}"],
                          capture_output=True, text=True, check=True)  # fmt: skip
    assert done.stdout.strip() == "[] False"


def test_every_name_that_is_promised_is_there():
    for name in scalargrad.__all__:
        assert getattr(scalargrad, name) is not None
        assert name in dir(scalargrad)
    for name in ("sum", "max", "min", "abs", "pow"):
        assert callable(getattr(scalargrad, name))
        assert name not in scalargrad.__all__


# -------------------------------------------------------------------- one list of places


ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def toml(name):
    tomllib = pytest.importorskip("tomllib" if sys.version_info >= (3, 11) else "tomli")
    return tomllib.loads((ROOT / name).read_text(encoding="utf-8"))


def workflow(path):
    yaml = pytest.importorskip("yaml", reason="the extra `docs` is not installed")
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def test_all_name_the_same_versions_of_python():
    project = toml("pyproject.toml")
    tested = [name for name in project["tool"]["tox"]["env_list"] if name.startswith("py3")]
    versions = [f"3.{name.removeprefix('py3')}" for name in tested]
    first = versions[0]
    assert versions == [f"3.{minor}" for minor in range(10, 10 + len(versions))]
    said = re.findall(r"Python :: (3\.\d+)", " ".join(project["project"]["classifiers"]))
    assert said == versions
    assert project["project"]["requires-python"] == f">={first}"
    assert project["tool"]["mypy"]["python_version"] == first
    assert project["tool"]["ruff"]["target-version"] == tested[0]
    matrix = workflow(ROOT / ".github" / "workflows" / "ci.yml")["jobs"]["versions"]["strategy"]["matrix"]
    assert matrix["python"] == versions


def test_a_release_has_wheels_for_each_tested_version_and_shows_where_it_went():
    jobs = workflow(ROOT / ".github" / "workflows" / "release.yml")["jobs"]
    (built,) = (step["env"] for step in jobs["wheels"]["steps"] if "cibuildwheel" in step.get("uses", ""))
    project = toml("pyproject.toml")
    tested = [name for name in project["tool"]["tox"]["env_list"] if name.startswith("py3")]
    assert built["CIBW_BUILD"].split() == [name.replace("py", "cp") + "-*" for name in tested]
    assert jobs["publish"]["environment"]["url"] == f"https://pypi.org/project/{project['project']['name']}/"


def test_the_changelog_begins_with_this_version_and_its_day():
    changelog = (ROOT / "docs" / "changelog.md").read_text(encoding="utf-8")
    first, *earlier = re.findall(r"^## (.*)$", changelog, re.MULTILINE)
    assert re.fullmatch(re.escape(scalargrad.__version__) + r" \(\d{4}-\d{2}-\d{2}\)", first), first
    assert len({scalargrad.__version__, *earlier}) == 1 + len(earlier)


def test_every_extra_that_is_named_is_there():
    """In messages, pages, lessons and reasons of tests: "the extra `plot`", "pip install -e .[test,lint]"."""
    extras = set(toml("pyproject.toml")["project"]["optional-dependencies"])
    places = [ROOT / "README.md", ROOT / ".ci" / "run", *WORKFLOWS]
    for folder in (PACKAGE, ROOT / "docs", ROOT / "notebooks", ROOT / "tests"):
        places += [path for path in folder.rglob("*") if path.suffix in (".py", ".md", ".ipynb")]
    named = r"\bextras? ((?:`\w+`(?:, | and )?)+)|(?:scalargrad-autograd|\.)\[([a-z]+(?:,[a-z]+)*)\]|--extra (\w+)"
    seen = set()
    for path in places:
        for found in re.finditer(named, path.read_text(encoding="utf-8")):
            names = set(re.findall(r"\w+", (found[1] or found[2] or found[3]).replace(" and ", " ")))
            assert names <= extras, f"{path}: {found[0]}"
            seen |= names
    assert seen > {"plot", "live", "fast", "jax", "test", "docs", "torch"}


def test_ci_runs_every_environment_of_tox():
    jobs = workflow(ROOT / ".github" / "workflows" / "ci.yml")["jobs"]
    listed = toml("pyproject.toml")["tool"]["tox"]["env_list"]
    places = jobs["places"]["strategy"]["matrix"]["environment"]
    assert [name for name in listed if not name.startswith("py3")] == places


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_may_read_and_no_more(path):
    """Only the jobs that publish may write, to what they publish to; actions are pinned; there are no secrets."""
    text, given = path.read_text(encoding="utf-8"), workflow(path)
    assert given["permissions"] == {"contents": "read"}
    assert {"group", "cancel-in-progress"} == set(given["concurrency"])
    assert "secrets." not in text
    for name, job in given["jobs"].items():
        assert job["timeout-minutes"] <= 60
        assert name == "publish" or "permissions" not in job
        for step in job["steps"]:
            # cibuildwheel has no tag of its major version: it adds and drops Pythons in minor ones
            assert re.fullmatch(
                r"actions/[\w-]+@v\d+|pypa/cibuildwheel@v\d+\.\d+\.\d+|pypa/[\w-]+@release/v\d+",
                step.get("uses", "actions/action@v1"),
            )
            if step.get("uses", "").startswith("actions/checkout@"):
                assert step["with"]["persist-credentials"] in (False, "false")
            assert "${{" not in step.get("run", "")  # what comes from outside reaches a shell as a variable only


def test_the_lock_file_is_that_of_the_project():
    """Every requirement of pyproject.toml stands in uv.lock, which names the public index and no other place."""
    project, text = toml("pyproject.toml")["project"], (ROOT / "uv.lock").read_text(encoding="utf-8")
    lock = toml("uv.lock")
    (mine,) = (package for package in lock["package"] if package["name"] == project["name"])
    locked = {(one["name"], one.get("specifier", "")) for one in mine["metadata"]["requires-dist"]}
    extras = [line for lines in project["optional-dependencies"].values() for line in lines]
    wanted = {
        (found[1].lower(), found[3].strip())
        for line in [*project["dependencies"], *extras]
        if (found := re.match(r"([\w-]+)(\[.*\])?([^;]*)", line)) and found[1] != project["name"]
    }
    assert locked == wanted
    assert lock["requires-python"] == project["requires-python"]
    assert set(re.findall(r"\w+://[^/\"]+", text)) == {"https://pypi.org", "https://files.pythonhosted.org"}
    sources = {str(package["source"]) for package in lock["package"]}
    assert sources == {str({"registry": "https://pypi.org/simple"}), str({"editable": "."})}
