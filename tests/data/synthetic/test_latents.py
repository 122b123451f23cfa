"""Joint tables: distributions whose symbols tell what their family says."""

import numpy as np
import pytest

from mmjax.data.synthetic import latents
from mmjax.data.synthetic.information import bayes_accuracy, mutual_information

TABLES = {
    "redundant": latents.redundant(3),
    "unique": latents.unique(3),
    "parity": latents.parity(3),
    "modular_sum": latents.modular_sum(2),
    "mixed": latents.mixed(),
    "agreeing": latents.agreeing(0.8, 0.9),
}
every_table = pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)


def absent(table, rate):
    return latents.with_absence(table, np.full((len(table), table.ndim - 1), rate))


@every_table
def test_a_table_is_a_distribution_whatever_is_done_to_it(table):
    prior = np.arange(1, len(table) + 1) / np.arange(1, len(table) + 1).sum()
    for each in (table, latents.noisy(table, 0.1), latents.weighted(table, tuple(prior)), absent(table, 0.3)):
        assert (each >= 0).all()
        np.testing.assert_allclose(each.sum(), 1, rtol=1e-12)


@every_table
def test_noise_takes_information_away_and_none_leaves_the_table(table):
    everyone = range(table.ndim - 1)
    np.testing.assert_allclose(latents.noisy(table, 0.0), table, atol=1e-15)
    told = [mutual_information(latents.noisy(table, error), everyone) for error in (0.0, 0.05, 0.2)]
    assert told[0] > told[1] > told[2] > 0


@every_table
def test_a_prior_changes_the_class_and_not_what_it_causes(table):
    prior = tuple(np.arange(1, len(table) + 1) / np.arange(1, len(table) + 1).sum())
    weighted = latents.weighted(table, prior)
    axes = tuple(range(1, table.ndim))
    np.testing.assert_allclose(weighted.sum(axes), prior)
    given = [each / each.sum(axes, keepdims=True) for each in (table, weighted)]
    np.testing.assert_allclose(*given, atol=1e-15)


def test_parity_tells_nothing_until_all_is_seen():
    table = latents.parity(3)
    assert mutual_information(table, (0, 1)) == pytest.approx(0, abs=1e-12)
    assert mutual_information(table, (0, 1, 2)) == pytest.approx(1)


def test_unique_bits_add_up():
    table = latents.unique(3)
    assert [mutual_information(table, range(m)) for m in (1, 2, 3)] == pytest.approx([1, 2, 3])


def test_absence_at_random_tells_nothing_by_itself():
    """Given who is there, the present symbols are as likely as they were without absence."""
    table = latents.redundant(2, 3)
    whole = absent(table, 0.4)
    np.testing.assert_allclose(whole[:, :-1, :-1] / whole[:, :-1, :-1].sum(), table, atol=1e-12)
    pattern = np.stack([whole[:, :-1, -1].sum(1), whole[:, -1, :-1].sum(1)], axis=1)
    np.testing.assert_allclose(pattern, pattern[:1].repeat(3, axis=0))
    assert whole[:, -1, -1].sum() == 0


def test_absence_that_depends_on_the_class_tells_of_it():
    """Symbols that tell nothing, and yet the best rule sees more than chance."""
    table = np.full((2, 2, 2), 1 / 8)
    rates = np.array([[0.8, 0.1], [0.1, 0.8]])
    whole = latents.with_absence(table, rates)
    assert mutual_information(table, (0, 1)) == pytest.approx(0, abs=1e-12)
    # Absent, but not both: (0.8 x 0.9, 0.2 x 0.1, 0.2 x 0.9) / (1 - 0.08) of class 0, mirrored for class 1.
    assert bayes_accuracy(whole, (0, 1)) == pytest.approx((0.72 + 0.18 / 2) / 0.92)
