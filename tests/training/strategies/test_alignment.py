"""InfoNCE and canonical correlation, on paper and against NumPy in float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.linalg import subspace_angles
from strategy_cases import batch, seen, setting

from mmjax.decoders.heads import Directions
from mmjax.training.strategies.alignment import Canonical, Contrastive, info_nce, nuclear_norm, total_correlation

rng = np.random.default_rng(0)
ALL = np.ones(40, bool)


def test_info_nce_of_two_rows():
    """Cosines (1, 0; 0.6, 0.8) by row and column, at scale 5: log(1 + exp of the difference), each way."""
    first = jnp.float32([[1, 0], [0.6, 0.8]])
    second = jnp.float32([[1, 0], [0, 1]])
    expected = np.mean(np.log1p(np.exp(5 * np.array([0 - 1, 0.6 - 0.8, 0.6 - 1, 0 - 0.8]))))
    np.testing.assert_allclose(info_nce(first, second, 5.0, jnp.ones(2, bool)), expected, rtol=1e-6)


def test_directions_have_length_1_and_the_scale_ends_at_100():
    heads = Directions(4)
    embeddings = {"a": jnp.float32(rng.normal(size=(5, 3))), "b": jnp.zeros((5, 2))}
    params = heads.init(jax.random.key(0), embeddings)["params"]
    directions, scale = heads.apply({"params": params}, embeddings)
    gradient = jax.grad(lambda p: heads.apply({"params": p}, embeddings)[0]["b"].sum())(params)
    np.testing.assert_allclose(np.linalg.norm(directions["a"], axis=1), np.ones(5), rtol=1e-6)
    assert scale == pytest.approx(1 / 0.07, rel=1e-6)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves((directions, gradient)))
    assert heads.apply({"params": {**params, "log_scale": jnp.float32(9)}}, embeddings)[1] == 100


TERMS = [lambda a, b, c: info_nce(a, b, 3.0, c), lambda a, b, c: total_correlation(a, b, c, 0.1)]


@pytest.mark.parametrize("term", TERMS, ids=["info_nce", "total_correlation"])
def test_rows_that_do_not_take_part_change_nothing(term):
    """Neither the value nor the gradient; tolerances: float32 sums of 40 and of 25 rows."""
    first, second = jnp.float32(rng.normal(size=(2, 40, 3)))
    counts = np.arange(40) % 8 > 2
    of_all = jax.value_and_grad(lambda a: term(a, second, counts))
    value, gradient = of_all(first)
    alone = jax.value_and_grad(lambda a: term(a, second[counts], np.ones(25, bool)))
    expected, expected_gradient = alone(first[counts])
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    np.testing.assert_allclose(gradient[counts], expected_gradient, rtol=1e-4, atol=1e-6)
    assert not np.any(gradient[~counts])
    other, other_gradient = of_all(jnp.where(counts[:, None], first, 7.0))
    assert value == other and not np.any(gradient != other_gradient)


@pytest.mark.parametrize("rows", [0, 1])
@pytest.mark.parametrize("term", TERMS, ids=["info_nce", "total_correlation"])
def test_too_few_rows_are_worth_nothing(term, rows):
    first, second = jnp.float32(rng.normal(size=(2, 5, 3)))
    value, gradient = jax.value_and_grad(lambda a: term(a, second, np.arange(5) < rows))(first)
    assert value == pytest.approx(0, abs=1e-6) and not np.any(np.abs(gradient) > 1e-6)


def related(size=(3, 4), shared=2):
    """Two sides of 40 rows with something in common."""
    common = rng.normal(size=(40, shared))
    return [np.concatenate([common, rng.normal(size=(40, s - shared))], 1) @ rng.normal(size=(s, s))
            + 0.3 * rng.normal(size=(40, s)) for s in size]  # fmt: skip


def test_without_ridge_it_is_the_sum_of_canonical_correlations():
    """Cosines of the angles between what the sides span; float32, condition numbers of some hundreds."""
    first, second = related()
    found = total_correlation(jnp.float32(first), jnp.float32(second), ALL, 1e-7)
    angles = subspace_angles(first - first.mean(0), second - second.mean(0))
    np.testing.assert_allclose(found, np.cos(angles).sum(), rtol=1e-3)


def test_a_linear_map_of_either_side_changes_nothing():
    first, second = related()
    turned = first @ np.array([[2, 1, 0], [0, 1, 1], [1, 0, 1]]) + 5
    values = [total_correlation(jnp.float32(side), jnp.float32(second), ALL, 1e-7) for side in (first, turned)]
    np.testing.assert_allclose(values[1], values[0], rtol=1e-3)


def test_what_correlates_perfectly_counts_its_dimensions():
    side = rng.normal(size=(40, 3))
    found = total_correlation(jnp.float32(side), jnp.float32(side @ rng.normal(size=(3, 3))), ALL, 1e-6)
    assert found == pytest.approx(3, abs=1e-2)


def test_one_dimension_by_hand():
    """Variances 2 and 2 and covariance 1, with n - 1 = 2 and a ridge of 1: 1 / 3."""
    first, second = jnp.float32([[-1], [-1], [2]]), jnp.float32([[1], [-2], [1]])
    first, second = first / np.sqrt(1.5), second / np.sqrt(1.5)
    assert total_correlation(first, second, np.ones(3, bool), 1.0) == pytest.approx(1 / 3, rel=1e-5)


def test_its_gradient_is_the_slope():
    """Central differences of float32: steps of 1e-2 leave errors of some 1e-3."""
    first, second = map(jnp.float32, related())
    direction = jnp.float32(rng.normal(size=first.shape))

    def along(step):
        return total_correlation(first + step * direction, second, ALL, 1e-2)

    assert jax.grad(along)(0.0) == pytest.approx(float(along(1e-2) - along(-1e-2)) / 2e-2, rel=2e-2, abs=2e-3)


@pytest.mark.parametrize(
    "sides",
    [
        (np.zeros((40, 3)), np.zeros((40, 3))),
        (np.ones((40, 3)), rng.normal(size=(40, 3))),
        (np.repeat(rng.normal(size=(40, 1)), 3, 1),) * 2,
        (rng.normal(size=(40, 3)),) * 2,
    ],
    ids=["nothing", "constant", "one dimension", "all the same"],
)
def test_its_gradient_is_finite_where_singular_values_are_0_or_coincide(sides):
    value, gradients = jax.value_and_grad(total_correlation, (0, 1))(*map(jnp.float32, sides), ALL, 1e-3)
    assert np.isfinite(value) and all(np.isfinite(g).all() for g in gradients)


def test_nothing_is_moved_where_the_nuclear_norm_is_0():
    assert not np.any(jax.grad(nuclear_norm)(jnp.zeros((3, 3))))


@pytest.mark.parametrize("goal, sign", [(Contrastive, 1), (Canonical, -1)])
@pytest.mark.parametrize("modalities, pairs", [(2, [("a", "b")]), (3, [("a", "b"), ("a", "c"), ("b", "c")])])
def test_the_loss_gets_the_mean_over_pairs(goal, sign, modalities, pairs):
    """Pairs of rows that have both; float32 sums."""
    made = goal(setting(modalities, contrastive_weight=0.5, cca_weight=0.5, cca_ridge=0.1))
    present = {"a": ALL, "b": np.arange(40) % 3 > 0, "c": np.arange(40) % 4 > 0}
    rows = batch([0, 1] * 20, present, weight=np.arange(40) < 38)
    vectors = {name: jnp.float32(rng.normal(size=(40, 3))) for name in made.setting.names}
    met = seen(rows, np.zeros((40, 1)))._replace(heads=(vectors, 2.0) if goal is Contrastive else vectors)
    terms = []
    for a, b in pairs:
        both = present[a] & present[b] & (rows.weight > 0)
        arguments = vectors[a][both], vectors[b][both]
        counts = np.ones(both.sum(), bool)
        terms.append(info_nce(*arguments, 2.0, counts) if sign > 0 else total_correlation(*arguments, counts, 0.1))
    (loss,), _ = made.losses(met)
    np.testing.assert_allclose(loss - made.plain_loss(met), sign * 0.5 * np.mean(terms), rtol=1e-4)


@pytest.mark.parametrize("batch_size, size", [(5, 1), (16, 3), (32, 7), (100, 16)])
def test_chance_correlates_half_of_the_projections_at_most(batch_size, size):
    """Of independent numbers: their squares have mean size / (batch_size - 1) <= 1/4, so they 1/2 at most."""
    made = Canonical(setting(2, batch_size=batch_size))
    assert made.size == made.heads.size == size
    term = jax.jit(jax.vmap(lambda a, b: total_correlation(a, b, np.ones(batch_size, bool), 1e-6)))
    found = term(*jnp.float32(rng.normal(size=(2, 50, batch_size, size))))
    # The mean of 50 draws, whose deviation is less than 0.2 of a projection each.
    assert np.mean(found) / size < 0.5 + 3 * 0.2 / 50**0.5


def test_without_a_limit_chance_would_correlate_nearly_all():
    first, second = jnp.float32(rng.normal(size=(2, 16, 16)))
    assert total_correlation(first, second, np.ones(16, bool), 1e-3) > 14


@pytest.mark.parametrize("rows", [2, 7, 8])
def test_a_pair_with_few_rows_adds_nothing(rows):
    """Three projections of a side and three of the other, in rows - 1 dimensions: from 8 rows on they need not meet."""
    made = Canonical(setting(2, batch_size=16, cca_weight=1.0))
    met = seen(batch([0, 1] * 8, weight=np.arange(16) < rows), np.zeros((16, 1)))
    met = met._replace(heads={name: jnp.float32(rng.normal(size=(16, 3))) for name in made.setting.names})
    assert bool(jnp.any(made.losses(met)[0][0] != made.plain_loss(met))) == (rows > 7)
