"""The page of promises names every file of tests, with the promise as it stands in the file."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import promises


def test_the_page_says_what_the_files_say():
    assert promises.PAGE.read_text(encoding="utf-8") == promises.page_text()


def test_every_file_of_tests_is_in_a_folder_of_the_page():
    files = promises.TESTS.rglob("test_*.py")
    assert {path.relative_to(promises.TESTS).parts[0] for path in files} == set(promises.FOLDERS)
