"""Intervals and tests against tabulated values and closed forms."""

import math

import numpy as np
import pytest

from benchmarks.statistics import clustered, compare, holm, interval


def test_interval_by_the_table_of_students_t():
    # Mean 2, standard deviation 1, S = 3: t(.975; 2) = 4.3027 by any table, which rounds by up to 5e-5.
    mean, low, high = interval([1.0, 2.0, 3.0])
    assert mean == 2
    assert high - mean == pytest.approx(4.3027 / math.sqrt(3), abs=5e-5)
    assert mean - low == pytest.approx(high - mean)


def test_interval_of_one_seed_or_of_equal_ones_is_a_point():
    assert interval([0.7]) == (0.7, 0.7, 0.7)
    assert interval([0.5, 0.5, 0.5]) == (0.5, 0.5, 0.5)


@pytest.mark.parametrize("values", [[], [[0.1, 0.2]]])
def test_interval_refuses_what_is_no_row_of_scores(values):
    with pytest.raises(ValueError, match="one or more"):
        interval(values)


def test_interval_covers_at_its_level():
    # 2,000 draws: the standard error of the coverage is sqrt(.95 * .05 / 2000) = .005; four of them are allowed.
    draws = np.random.default_rng(0).normal(size=(2000, 4))
    covered = np.mean([low <= 0 <= high for _, low, high in map(interval, draws)])
    assert abs(covered - 0.95) < 0.02


def test_groups_of_one_example_give_the_interval_of_a_share():
    right = np.arange(400) % 4 > 0
    mean, low, high = clustered(right, np.arange(400))
    half = 1.96 * math.sqrt(0.75 * 0.25 / 400)
    # A percentile of 2,000 draws is off by a tenth of a standard deviation at most, and so is the normal's.
    assert mean == 0.75 and (low, high) == pytest.approx((0.75 - half, 0.75 + half), abs=0.15 * half)


def test_examples_that_repeat_their_group_tell_no_more_than_one():
    right = np.arange(40) % 4 > 0
    each, often = clustered(right, np.arange(40)), clustered(np.repeat(right, 50), np.repeat(np.arange(40), 50))
    assert often == pytest.approx(each)


def test_groups_count_by_their_size_and_need_each_other():
    # 9 of 10 examples are in the group that is right: means of the two draws' shares are 0, .9 and 1.
    mean, low, high = clustered([0, *[1] * 9], [7, *[3] * 9])
    assert (mean, low, high) == pytest.approx((0.9, 0.0, 1.0))
    with pytest.raises(ValueError, match="two groups or more"):
        clustered([0, 1], [5, 5])


def test_comparison_is_paired():
    # A difficulty that all cells share with the reference leaves no trace in their difference.
    shared = np.array([0.0, 0.3, -0.2, 0.1])
    plain = compare(np.array([[0.1], [0.3], [0.2], [0.2]]), np.zeros(4))[0]
    paired = compare(np.array([[0.1], [0.3], [0.2], [0.2]]) + shared[:, None], shared)[0]
    assert paired.difference == pytest.approx(plain.difference)
    assert paired.p == pytest.approx(plain.p)
    # Mean .2, standard deviation sqrt(.02 / 3), S = 4: t = 4.899, and P(|t| > 4.899) with 3 degrees of freedom is
    # 1 - 2/pi (atan(u) + u / (1 + u^2)), u = t / sqrt(3).
    u = 0.2 / math.sqrt(0.02 / 3 / 4) / math.sqrt(3)
    assert plain.p == pytest.approx(1 - 2 / math.pi * (math.atan(u) + u / (1 + u * u)))


def test_comparison_without_spread_or_with_one_seed():
    same, better = compare(np.array([[0.5, 0.6], [0.5, 0.6]]), np.array([0.5, 0.5]))
    assert same.p == 1 and same.difference.mean == 0
    assert better.p == 0 and better.difference.mean == pytest.approx(0.1)
    (single,) = compare(np.array([[0.6]]), np.array([0.5]))
    assert math.isnan(single.p) and single.difference == pytest.approx((0.1, 0.1, 0.1))


def test_holm_by_hand():
    # Sorted .01, .02, .03 times 3, 2, 1, and never below the one before; what was not tested stays out.
    assert holm([0.03, 0.01, math.nan, 0.02]) == pytest.approx([0.04, 0.03, math.nan, 0.04], nan_ok=True)
    assert holm([0.9, 0.8]) == [1, 1]
    assert holm([0.2]) == [0.2]
