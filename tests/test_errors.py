"""An unknown name is told with the valid ones and the nearest."""

import difflib
import itertools

import pytest

from mmjax.errors import LISTED, InputError, lookup, nearest, unknown_name


def test_lookup_finds():
    assert lookup({"mean": 1}, "fusion", "mean") == 1


@pytest.mark.parametrize(
    "name, told",
    [
        ("maen", "unknown fusion 'maen': valid are mean, product; did you mean 'mean'?"),
        ("zzz", "unknown fusion 'zzz': valid are mean, product"),
    ],
)
def test_lookup_tells(name, told):
    with pytest.raises(InputError) as error:
        lookup({"product": 1, "mean": 2}, "fusion", name)
    assert str(error.value) == told


def test_of_many_names_the_nearest_three_are_told_and_where_all_are():
    names = [f"column {place:05d}" for place in range(20_000)]
    told = str(unknown_name("column", "colunm 00017", names, "line 1 of t.csv"))
    assert "did you mean 'column 00017', " in told and told.endswith("? (line 1 of t.csv lists all 20,000)")
    assert told.count("'column ") == 3 and len(told) < 200


def test_what_a_command_lists_is_told_with_the_command():
    with pytest.raises(InputError, match=r"\(`mmjax list` lists all 13\)"):
        lookup({f"task {place}": None for place in range(LISTED + 1)}, "task", "tusk 1")


def test_few_names_are_all_told_however_long_they_are():
    names = ["x" * 10_000, *"abcdefgh"]
    assert len(names) <= LISTED and len(str(unknown_name("column", "y" * 10_000, names))) < 400


@pytest.mark.parametrize("name", ["aage7", "kwarb 12", "anotes3", "LNOTE55"])
def test_what_is_most_alike_of_many_is_what_is_most_alike(name):
    """Leaving out names that share few pairs of letters loses none that is near."""
    of_each = itertools.product("abcdefghijkl", ("age", "ward", "note"), range(99))
    names = [f"{first}{second}{third}" for first, second, third in of_each]
    assert nearest(name, names, 1) == difflib.get_close_matches(name.lower(), names, 1)


def test_a_long_name_is_told_in_short():
    told = str(unknown_name("task", "very " * 1000, ["a"]))
    assert len(told) < 120 and "\n" not in told
