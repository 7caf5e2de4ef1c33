"""What docs/network-view.md says that the network view has, a test holds: a row of its table, a test or more."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "network-view.md"

TESTS = {
    "the boundary while it learns": ["test_a_map_has_the_shade_of_what_each_neuron_answers"],
    "a map in every neuron, lines as wide as weights": [
        "test_a_map_is_painted_in_the_hue_of_the_sign", "test_a_frame_shows_what_eager_code_computes",
    ],
    "pause, reset": ["test_the_numbers_are_the_engines_after_every_step"],
    "one step of the optimizer": ["test_training_is_that_of_fit", "test_the_numbers_are_the_engines_after_every_step"],
    "layers and neurons": ["test_whatever_is_changed_builds_that_network"],
    "an activation for each layer": ["test_whatever_is_changed_builds_that_network"],
    "choice of the optimizer": ["test_training_is_that_of_fit"],
    "learning rate and L2 while it runs": ["test_the_python_code_gives_the_same_network_and_loss"],
    "batch size, noise, a part held out": ["test_whatever_is_changed_builds_that_network"],
    "inputs beside x and y": ["test_whatever_is_changed_builds_that_network"],
    "points set by clicking": ["test_points_are_set_by_clicking_and_by_keyboard"],
    "a pasted table, a curve y = f(x)": ["test_tables_are_read", "test_points_beside_a_curve_have_the_class_of_their_side"],
    "set a weight by hand": ["test_a_neuron_and_a_weight_are_opened_checked_and_set_by_keyboard"],
    "the graph, step by step, forward and back": [
        "test_a_walk_visits_every_neuron_forward_and_back_with_the_engines_numbers",
        "test_one_points_graph_is_walked_by_keyboard_with_the_engines_numbers",
    ],
    "the paths of a gradient, its check by differences": ["test_a_weight_is_told_with_its_gradients_paths_and_check"],
    "dead relus, and a step too far, in words": [
        "test_a_dead_relu_is_marked_said_and_mended", "test_a_learning_rate_that_is_too_large_stops_in_words_and_is_mended",
    ],
    "the network as a file, as Python code that repeats it": [
        "test_the_python_code_gives_the_same_network_and_loss", "test_the_model_file_is_that_of_save",
    ],
    "a model and data from Python": ["test_ones_own_model_learns_on_the_page_and_reset_puts_it_back"],
}  # fmt: skip


def rows():
    """Each row of the table by its first cell: whether scalargrad has it."""
    _, _, part = PAGE.read_text(encoding="utf-8").partition("## Beside other playgrounds")
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in part.splitlines() if line.startswith("|")
    ]
    return {row[0]: row[-1] for row in cells[2:]}


def test_each_row_that_is_claimed_has_tests():
    claimed = {name for name, ours in rows().items() if ours != "–" and "not on the page" not in ours}
    assert claimed == set(TESTS)


@pytest.mark.parametrize("name", TESTS)
def test_these_tests_are_there(name):
    sources = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_network_*.py"))
    there = set(re.findall(r"^def (test_\w+)", sources, re.MULTILINE))
    assert set(TESTS[name]) <= there
