"""Pairs share their digit, never a recording across splits, and use recordings evenly."""

import numpy as np
import pytest

from mmjax.data.avdigits import pairing
from mmjax.errors import InputError

# As in FSDD: 10 digits x 6 speakers x 50 takes.
DIGITS, _, TAKES = (axis.ravel() for axis in np.meshgrid(np.arange(10), np.arange(6), np.arange(50), indexing="ij"))


@pytest.fixture(scope="module")
def labels():
    return np.random.default_rng(0).integers(0, 10, 4321)


@pytest.mark.parametrize("split", pairing.TAKES)
def test_digits_agree(labels, split):
    np.testing.assert_array_equal(DIGITS[pairing.pair(labels, DIGITS, TAKES, split)], labels)


def test_takes_0_to_4_are_heard_in_test_only(labels):
    heard = {split: set(TAKES[pairing.pair(labels, DIGITS, TAKES, split)]) for split in pairing.TAKES}
    assert heard == {"train": set(range(10, 50)), "validation": set(range(5, 10)), "test": set(range(5))}


@pytest.mark.parametrize("split", pairing.TAKES)
def test_recordings_of_a_digit_are_used_equally_to_within_one(labels, split):
    first, last = pairing.TAKES[split]
    uses = np.bincount(pairing.pair(labels, DIGITS, TAKES, split), minlength=len(DIGITS))
    for digit in range(10):
        own = uses[(DIGITS == digit) & (TAKES >= first) & (TAKES <= last)]
        assert own.max() - own.min() <= 1


def test_pairing_is_the_same_every_time_and_not_in_order(labels):
    once, twice = (pairing.pair(labels, DIGITS, TAKES, "train") for _ in range(2))
    np.testing.assert_array_equal(once, twice)
    zeros = once[labels == 0]
    assert np.any(np.diff(zeros) < 0)


def test_a_digit_without_recordings_is_named(labels):
    with pytest.raises(InputError, match="no recording of digit 7 with takes 5 to 9"):
        pairing.pair(labels, DIGITS, np.where(DIGITS == 7, 0, TAKES), "validation")


def test_validation_is_a_tenth_by_class_and_disjoint():
    labels = np.repeat(np.arange(10), np.arange(100, 200, 10))
    rows = pairing.cut(labels)
    np.testing.assert_array_equal(np.sort(np.concatenate(list(rows.values()))), np.arange(len(labels)))
    np.testing.assert_allclose(np.bincount(labels[rows["validation"]]), np.bincount(labels) / 10, atol=1)
