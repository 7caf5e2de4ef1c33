"""The tests on the installed package, away from the checkout: python tests/outside.py [argument of pytest ...]

Copies what the tests read into the current folder, which must be empty, and runs pytest there: on the scalargrad that
`pip install` put into this environment, since there is no other.
"""

import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
READ = ("pyproject.toml", "README.md", "LICENSE", "tests", "docs", "notebooks", ".github", ".ci", "uv.lock")
WHERE = "import scalargrad; print(scalargrad.__file__)"


def copy_tests(folder: Path) -> None:
    """Copy the tests and all they read, but not the package."""
    for name in READ:
        source = CHECKOUT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "_build", ".ipynb_checkpoints")
            shutil.copytree(source, folder / name, ignore=ignored, dirs_exist_ok=True)
        elif source.exists():
            shutil.copy(source, folder)


def main(options: list[str]) -> int:
    """Run pytest with these options: its exit status."""
    copy_tests(Path.cwd())
    found = subprocess.run(
        [sys.executable, "-c", WHERE], capture_output=True, encoding="utf-8", check=True
    ).stdout.strip()
    if not Path(found).is_relative_to(sysconfig.get_path("purelib")):
        sys.exit(f"scalargrad comes from {found}, which is not in site-packages: install the wheel")
    print(f"scalargrad is {found}")
    pages = ["README.md", *map(str, sorted(Path("docs").glob("*.md")))]
    command = [sys.executable, "-m", "pytest", *options, "tests", *pages, "--pyargs", "scalargrad"]
    return subprocess.run(command, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
