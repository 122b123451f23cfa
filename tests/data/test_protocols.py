"""Laws of the ways to split: a partition, shares kept, groups whole, seeds that differ."""

import numpy as np
import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from mmjax.data.protocols import Layout, parse, rows_of
from mmjax.errors import InputError
from mmjax.types import SPLITS

LABELS = np.arange(100) % 4
PLAIN = Layout(LABELS, None, {"train": np.arange(100)}, None)


def parts(protocol, number, layout):
    rows = rows_of(protocol, number, layout)
    joined = np.concatenate([rows[split] for split in SPLITS])
    np.testing.assert_array_equal(np.sort(joined), np.arange(layout.size))
    return rows


@given(st.integers(0, 1000))
def test_a_fifth_and_a_fifth_of_the_rest(seed):
    rows = parts("random_80_20", seed, PLAIN)
    assert {split: len(rows[split]) for split in SPLITS} == {"train": 64, "validation": 16, "test": 20}
    for split in SPLITS:
        counts = np.bincount(LABELS[rows[split]])
        assert counts.max() == counts.min()


def test_a_seed_is_a_split_and_another_seed_another():
    first, again, other = (rows_of("random_80_20", seed, PLAIN)["test"] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert set(first) != set(other)


@given(st.lists(st.integers(0, 12), min_size=40, max_size=80), st.integers(0, 20))
def test_groups_are_never_parted(groups, seed):
    groups = np.array([*groups, *range(10)])
    layout = Layout(np.arange(len(groups)) % 2, groups, {"train": np.arange(len(groups))}, None)
    for protocol, number in (("random_80_20", seed), ("fold", seed % 5)):
        try:
            rows = parts(protocol, number, layout)
        except InputError:  # one group has nearly all examples
            reject()
        seen = [set(groups[rows[split]]) for split in SPLITS]
        assert all(not a & b for place, a in enumerate(seen) for b in seen[place + 1 :])


def test_without_an_official_validation_split_it_is_a_fifth_of_train():
    layout = PLAIN._replace(official={"train": np.arange(80), "test": np.arange(80, 100)})
    rows = parts("official", 0, layout)
    np.testing.assert_array_equal(rows["test"], np.arange(80, 100))
    assert len(rows["validation"]) == 16


def test_every_example_is_tested_in_one_fold():
    tested = np.concatenate([parts("fold", fold, PLAIN)["test"] for fold in range(5)])
    np.testing.assert_array_equal(np.sort(tested), np.arange(100))


def test_a_data_sets_own_folds_are_taken():
    layout = PLAIN._replace(folds=np.arange(100) // 25)
    rows = parts("fold", 3, layout)
    np.testing.assert_array_equal(rows["test"], np.arange(75, 100))
    np.testing.assert_array_equal(rows["validation"], np.arange(25))


def test_numbers_are_split_without_strata():
    assert len(rows_of("random_80_20", 0, PLAIN._replace(strata=None))["test"]) == 20


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("fold.x", "fold.x"),
        ("folds.1", "folds"),
        ("conflict.1", "conflict"),
        ("random_80_20.-1", "random_80_20.-1"),
    ],
)
def test_what_is_no_protocol_is_named(name, told):
    with pytest.raises(InputError, match=told):
        parse(name, ("official", "random_80_20", "fold"), "a")


def test_a_protocol_without_a_number_has_0():
    assert parse("fold", ("fold",), "a") == ("fold", 0) and parse("fold.3", ("fold",), "a") == ("fold", 3)


@pytest.mark.parametrize(
    ("layout", "protocol", "told"),
    [
        (PLAIN._replace(folds=np.zeros(100, int)), "fold.1", "fold.0 to fold.0"),
        (
            Layout(np.arange(4), None, {"train": np.arange(4)}, None),
            "random_80_20.0",
            "class 0 has 1 example among the 4",
        ),
        (
            PLAIN._replace(strata=np.arange(100) // 99, class_names=("well", "[/rare]")),
            "random_80_20",
            "'\\[/rare\\]' has 1 e",
        ),
        (PLAIN._replace(groups=np.arange(100) // 50, group_names=("A", "B")), "random_80_20", "of group '[AB]'"),
        (Layout(None, None, {"train": np.arange(2)}, None), "fold", "2 examples cannot be split 5 ways; give 5"),
        (
            Layout(np.arange(8) % 4, None, {"train": np.arange(8)}, None),
            "random_80_20",
            "8 examples cannot .* 4 classes",
        ),
        (Layout(np.arange(8) % 4, None, {"train": np.arange(8)}, None), "fold", "8 examples cannot be split 5 ways"),
        (
            Layout(np.zeros(8, int), np.zeros(8, int), {"train": np.arange(8)}, None),
            "random_80_20.0",
            "all 8 examples that are to be split are of group 0; give",
        ),
    ],
)
def test_what_cannot_be_split_is_told(layout, protocol, told):
    name, number = parse(protocol, ("official", "fold", "random_80_20"), "a")
    with pytest.raises(InputError, match=told) as error:
        rows_of(name, number, layout)
    assert "least populated" not in str(error.value)


def test_of_a_class_of_two_examples_one_is_left_where_the_other_is_tested():
    """Of ten classes of two examples, four have one in a test split of a fifth."""
    strata = np.maximum(np.arange(100) - 78, 0) // 2
    layout = PLAIN._replace(strata=strata, class_names=tuple("abcdefghijk"))
    with pytest.raises(InputError, match="class '[b-k]' has 1 example among the 80"):
        rows_of("random_80_20", 0, layout)


@pytest.mark.filterwarnings("error")
def test_a_class_of_fewer_examples_than_folds_is_split_without_a_word():
    layout = PLAIN._replace(strata=np.arange(100) // 97)
    assert sum((layout.strata[rows_of("fold", fold, layout)["test"]] == 1).sum() for fold in range(5)) == 3
    rows_of("fold", 0, layout._replace(groups=np.arange(100) // 2))
