"""A pasted table is read strictly: the points of its lines, or what is wrong and in which line."""

import random

import pytest

from scalargrad.playground.messages import RefusedError
from scalargrad.playground.network.points import make_points, plane_around
from scalargrad.playground.network.tables import read_table

FIELDS = {"data": "table", "n": 100, "noise": 0.1, "seed": 1, "test": 0.0, "function": "", "table": "", "points": []}

TABLES = [
    ("0.5, -1.2, 1\n-1, 0.3, 0", [[0.5, -1.2], [-1.0, 0.3]], [1.0, -1.0], ("0", "1")),
    ("x0,x1,label\n1,2,a\n3,4,b\n", [[1.0, 2.0], [3.0, 4.0]], [-1.0, 1.0], ("a", "b")),
    ("1\t2\tcat\n\n 3\t4\tdog ", [[1.0, 2.0], [3.0, 4.0]], [-1.0, 1.0], ("cat", "dog")),
    ("1;2;-1\n3;4;+1", [[1.0, 2.0], [3.0, 4.0]], [-1.0, 1.0], ("-1", "1")),
    ("1 2 9\n.5 4. 10", [[1.0, 2.0], [0.5, 4.0]], [-1.0, 1.0], ("9", "10")),
    ('"1","2","b"\r\n"3","4","a"', [[1.0, 2.0], [3.0, 4.0]], [1.0, -1.0], ("a", "b")),
    ("−1,1e-3,yes\n2E2,-0,no", [[-1.0, 0.001], [200.0, 0.0]], [1.0, -1.0], ("no", "yes")),
    ("1,2,1\n3,4,1.0\n5,6,0", [[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], [1.0, 1.0, -1.0], ("0", "1")),
]


@pytest.mark.parametrize(("text", "X", "y", "classes"), TABLES)
def test_tables_are_read(text, X, y, classes):
    table = read_table(text)
    assert (table.X, table.y, table.classes) == (X, y, classes)


WRONG = [
    ("", "the table is empty"),
    ("  \n\t\n", "the table is empty"),
    ("x0,x1,label", "a heading and no points"),
    ("1,2\n3,4,1", "line 1 of the table has 2 entries"),
    ("1,2,1\n\n3,4,1,0", "line 3 of the table has 4 entries"),
    ("1,2,1\nx,4,0", "line 2 of the table: 'x' is no number"),
    ("1;2;a\n1,5;2;b", "line 2 of the table: '1,5' is no number: write decimals with a point"),
    ("1,2,a\nnan,2,b", "'nan' is no number"),
    ("1,2,a\ninf,2,b", "'inf' is no number"),
    ("1,2,a\n1e400,2,b", "'1e400' is too large"),
    ("1,2,a\n1e7,2,b", "'1e7' is too large"),
    ("1,2,a\n1_000,2,b", "'1_000' is no number"),
    ("1,2,a\n０,2,b", "is no number"),
    ("1,2,a\n0x10,2,b", "'0x10' is no number"),
    ("1,2,a\n=1+1,2,b", "'=1+1' is no number"),
    ("1,2,\n3,4,1", "line 1 of the table has no class"),
    ("1,2,a\n3,4,a", "1 class, 'a'"),
    ("1,2,a\n3,4,b\n5,6,c", "3 classes, 'a', 'b', 'c'"),
    ("1,2,a\n3,4," + "b" * 41, "is no name of a class"),
    ("1,2,a\n3,4,\x07", "is no name of a class"),
    ("\n".join(f"{i},{i},{i % 2}" for i in range(2001)), "2 001 lines; at most 2 000"),
]


@pytest.mark.parametrize(("text", "words"), WRONG, ids=range(len(WRONG)))
def test_what_is_no_table_is_refused_with_its_line(text, words):
    with pytest.raises(RefusedError) as refused:
        read_table(text)
    assert words in str(refused.value)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 300


def test_any_text_is_a_table_or_refused():
    rng = random.Random(0)
    pieces = ["1", "-2.5", ",", ";", "\t", " ", "\n", "a", "b", "nan", "1e9", "'", "−", "\x00", "𝟙", "<script>", "x0"]
    read = 0
    for _ in range(3000):
        text = "".join(rng.choices(pieces, k=rng.randrange(30)))
        try:
            table = read_table(text)
        except RefusedError:
            continue
        read += 1
        assert all(len(row) == 2 for row in table.X)
        assert set(table.y) == {-1.0, 1.0}
        assert len(table.classes) == 2
    for _ in range(200):  # lines that are right, in any order and notation
        rows = [(rng.uniform(-9, 9), rng.uniform(-9, 9), "ab"[i % 2]) for i in range(6)]
        mark = rng.choice([",", ";", "\t", " "])
        table = read_table("\n".join(mark.join(map(str, row)) for row in rows))
        assert [[a, b] for a, b, _ in rows] == table.X


def test_points_beside_a_curve_have_the_class_of_their_side():
    points = make_points({**FIELDS, "data": "function", "function": "x**2 - 1", "noise": 0.0})
    assert len(points.X) == 100
    assert all((t == 1.0) == (b > a * a - 1) for (a, b), t in zip(points.X, points.y, strict=True))
    assert {-1.0, 1.0} == set(points.y)
    level = make_points({**FIELDS, "data": "function", "function": "0.5", "noise": 0.0})
    assert all((t == 1.0) == (b > 0.5) for (_, b), t in zip(level.X, level.y, strict=True))


def test_what_is_held_out_is_a_fair_part_and_no_point_is_lost():
    text = "\n".join(f"{i},{-i},{'ab'[i >= 30]}" for i in range(60))
    points = make_points({**FIELDS, "table": text, "test": 0.5})
    assert len(points.X) == len(points.X_test) == 30
    assert sorted(map(tuple, points.X + points.X_test)) == sorted((float(i), float(-i)) for i in range(60))
    assert set(points.y_test) == {-1.0, 1.0}
    assert all(
        (t == 1.0) == (a >= 30) for (a, _), t in zip(points.X + points.X_test, points.y + points.y_test, strict=True)
    )
    assert "Inputs reach to 59" in points.remark


def test_the_plane_holds_all_points_with_a_margin():
    rng = random.Random(1)
    for size in (1.0, 30.0):
        X = [[rng.gauss(0, 1), rng.gauss(5, size)] for _ in range(50)]
        plane = plane_around(X)
        for k, (low, high) in enumerate((plane.across, plane.up)):
            assert low < min(row[k] for row in X)
            assert high > max(row[k] for row in X)
    assert plane_around([[1.0, 1.0]]).across == (0.35, 1.65)
    low, high = plane_around([[1e17, 1.0]]).across
    assert low < 1e17 < high
