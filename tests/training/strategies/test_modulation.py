"""How fast each modality may learn: ratios, Shapley values and factors on numbers worked by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from strategy_cases import batch, seen, setting

from mmjax.training.strategies.modulation import Adaptive, OnTheFly, shapley
from mmjax.types import TargetSpec


def logit(p):
    """What the sigmoid makes p of, one output a row."""
    p = np.float64(p)
    return np.log(p / (1 - p))[..., None]


def test_a_modality_counts_by_the_likelihood_of_the_truth_over_the_rows_that_have_it():
    """b lacks in the second row, the third only fills the batch up: a has 0.9 + 0.6, b has 0.5."""
    goal = OnTheFly(setting(2), enhanced=False)
    none = logit([0.3, 0.3, 0.3])
    alone = [logit([0.9, 0.6, 0.2]) + none / 2, logit([0.5, 0.1, 0.2]) + none / 2]
    rows = batch([1, 1, 1], {"b": [True, False, True]}, [1, 1, 0])
    subsets = jnp.float32([*alone, none])
    _, observed = goal.losses(seen(rows, np.zeros((3, 1)))._replace(subsets=subsets))
    np.testing.assert_allclose(observed["scores"], [1.5, 0.5], rtol=1e-6)
    np.testing.assert_array_equal(observed["rows"], [2, 1])


@pytest.mark.parametrize(
    "scores, rows, rho",
    [
        ([1.5, 0.5], [2, 2], [3, 1 / 3]),
        ([0.6, 0.3, 0.3], [1, 1, 1], [2, 2 / 3, 2 / 3]),
        ([1.2, 0.3, 0.3], [2, 1, 1], [2, 2 / 3, 2 / 3]),
        ([0.8, 0.0, 0.4], [1, 0, 1], [2, 1, 1 / 2]),  # one that no row has is not compared with
        ([0.8, 0.0], [1, 0], [1, 1]),
    ],
)
def test_only_a_modality_that_is_ahead_is_slowed_down(scores, rows, rho):
    goal = OnTheFly(setting(len(scores), ogm_alpha=0.5), enhanced=False)
    factors = goal.factors({"scores": jnp.float32(scores), "rows": jnp.float32(rows)})
    expected = [1 - np.tanh(0.5 * r) if r > 1 else 1 for r in rho]
    np.testing.assert_allclose(factors, expected, rtol=1e-6)


def modulated(enhanced, key=0):
    """Gradients of three encoders, one of which has no parameters, before and after; a is ahead with rho = 3."""
    rng = np.random.default_rng(0)
    kernels = {"encoders_a": rng.normal(0.1, 2.0, (100, 200)), "encoders_b": rng.normal(0.1, 0.5, (100, 200))}
    encoders = {name: {"kernel": jnp.float32(kernel), "bias": jnp.ones(1)} for name, kernel in kernels.items()}
    gradient = {"model": {**encoders, "h": jnp.ones(3)}, "heads": {}}
    goal = OnTheFly(setting(3, ogm_alpha=0.2), enhanced)
    observed = {"scores": jnp.float32([6, 2, 2]), "rows": jnp.float32([10, 10, 10])}
    after, memory = goal.combine((gradient,), observed, {}, jax.random.key(key), 0)
    return gradient["model"], after["model"], 1 - np.tanh(0.2 * 3)


def test_encoders_alone_are_slowed_down():
    before, after, factor = modulated(enhanced=False)
    np.testing.assert_allclose(after["encoders_a"]["kernel"], factor * before["encoders_a"]["kernel"], rtol=1e-6)
    for name in ("encoders_b", "h"):
        jax.tree.map(np.testing.assert_array_equal, after[name], before[name])


def test_noise_is_as_large_as_each_array_was_before():
    """Means and deviations of 20,000 draws: standard errors 0.7% and 0.5% of the deviation, here five of them."""
    before, after, factor = modulated(enhanced=True)
    for name, k in (("encoders_a", factor), ("encoders_b", 1.0)):
        deviation = before[name]["kernel"].std()
        noise = after[name]["kernel"] - k * before[name]["kernel"]
        assert abs(noise.mean()) < 0.035 * deviation
        assert abs(noise.std() - deviation) < 0.025 * deviation
        np.testing.assert_allclose(after[name]["bias"], k, rtol=1e-6)  # one number does not deviate
    np.testing.assert_array_equal(after["h"], before["h"])
    other = modulated(enhanced=True, key=1)[1]
    assert (other["encoders_b"]["kernel"] != after["encoders_b"]["kernel"]).all()


def test_shapley_values_of_two_modalities():
    """phi_1 = (D(1) - D(2) + D(12)) / 2, as in the authors' code."""
    masks, shares = shapley(2)
    values = {(True, False): 1.0, (False, True): 5.0, (True, True): 10.0}
    np.testing.assert_allclose(shares @ [values[tuple(mask)] for mask in masks], [3.0, 7.0])


def test_shapley_values_of_three_modalities():
    """One left glove, a, two right ones, b and c, and a pair is worth 1: a gets 2/3, the others 1/6."""
    masks, shares = shapley(3)
    worth = [mask[0] and mask[1:].any() for mask in masks]
    np.testing.assert_allclose(shares @ worth, [2 / 3, 1 / 6, 1 / 6], rtol=1e-6)


@pytest.mark.parametrize("modalities", [2, 3, 5])
def test_attributions_add_up_and_a_sum_is_attributed_to_its_terms(modalities):
    """D(S) = sum over S of w_m, and a bias, of which everyone gets the same; float32 shares."""
    masks, shares = shapley(modalities)
    assert masks[-1].all() and len(masks) == 2**modalities - 1
    rng = np.random.default_rng(0)
    np.testing.assert_allclose((shares @ (values := rng.normal(size=len(masks)))).sum(), values[-1], atol=1e-6)
    weights = rng.normal(size=modalities)
    np.testing.assert_allclose(shares @ (masks @ weights + 0.7), weights + 0.7 / modalities, atol=1e-6)


def adaptive(phi, memory, weight=(1, 1), **config):
    """Two rows of class 1, in which two modalities have the attributions phi [2, B]; the Seen, and its goal."""
    goal = Adaptive(setting(2, **config))
    first, second = jnp.float32(phi)[..., None]
    rows = batch([1] * len(first), weight=weight)
    # D(12) = phi_1 + phi_2, and D(1) - D(2) = phi_1 - phi_2.
    subsets = jnp.stack([mask[0] * first + mask[1] * second for mask in goal.subsets])
    return goal, seen(rows, first + second, memory=jnp.float32(memory))._replace(subsets=subsets)


def test_factors_worked_by_hand():
    """Scores log 2 and log 4 over running means of log 3 and log 3: r = (2, 1/2), tau = 1."""
    goal = Adaptive(setting(2, agm_alpha=0.5))
    kappa = goal.factors(jnp.log(jnp.float32([2, 4])), jnp.log(jnp.float32([3, 3])))
    np.testing.assert_allclose(kappa, np.exp([-0.5, 0.25]), rtol=1e-6)
    three = Adaptive(setting(3, agm_alpha=1.0))
    kappa = three.factors(jnp.log(jnp.float32([1, 2, 8])), jnp.zeros(3))
    np.testing.assert_allclose(kappa, np.exp([1 - 4, 1 - 2**0.5, 1 - 2**-2.5]), rtol=1e-5)


def test_scores_are_means_over_the_rows_that_count():
    phi = [logit([1 / 2, 1 / 8, 0.9])[:, 0], logit([1 / 4, 1 / 4, 1e-30])[:, 0]]
    goal, met = adaptive(phi, [0, 0], weight=(1, 1, 0))
    (loss,), observed = goal.losses(met)
    np.testing.assert_allclose(observed["scores"], [np.log(16), np.log(16)], rtol=1e-5)
    np.testing.assert_array_equal(observed["rows"], [2, 2])
    np.testing.assert_allclose(loss, goal.plain_loss(met), rtol=1e-6)  # the value stays that of L(D)


def test_the_gradient_through_each_attribution_is_scaled():
    """D = (-1, 1), kappa = exp(1 - r), of scores log 2 and log 4 in both rows."""
    goal, met = adaptive([logit([0.5, 0.5])[:, 0], logit([0.25, 0.25])[:, 0]], [0, 0])

    def total(logits, subsets):
        outputs = met.outputs._replace(logits=logits)
        return goal.losses(met._replace(outputs=outputs, subsets=subsets))[0][0].sum()

    by_all, by_subsets = jax.grad(total, (0, 1))(met.outputs.logits, met.subsets)
    slope = jax.nn.sigmoid(met.outputs.logits) - 1  # of L by D
    first, second = np.exp([1 - 2, 1 - 1 / 2])
    np.testing.assert_allclose(by_all, slope * (first + second) / 2, rtol=1e-5)
    for mask, gradient in zip(goal.subsets, by_subsets, strict=True):
        sign = 1 if mask[0] else -1
        np.testing.assert_allclose(gradient, slope * sign * (first - second) / 2, rtol=1e-5)


def test_without_strength_the_gradient_is_that_of_joint():
    goal, met = adaptive([[0.3, -1.0], [2.0, 0.1]], [3.0, 1.0], agm_alpha=0.0)

    def total(outputs, subsets, loss):
        return loss(met._replace(outputs=met.outputs._replace(logits=outputs), subsets=subsets)).sum()

    arguments = met.outputs.logits, met.subsets
    found = jax.grad(total, (0, 1))(*arguments, lambda s: goal.losses(s)[0][0])
    expected = jax.grad(total, (0, 1))(*arguments, goal.plain_loss)
    jax.tree.map(np.testing.assert_array_equal, found, expected)


def test_running_means_are_of_the_batches_that_had_the_modality():
    goal, memory = Adaptive(setting(2)), jnp.zeros(2)
    for step, (scores, rows) in enumerate([([2, 8], [2, 4]), ([6, 0], [2, 0]), ([4, 16], [2, 2])]):
        observed = {"scores": jnp.float32(scores), "rows": jnp.float32(rows)}
        _, memory = goal.combine(({},), observed, memory, None, step)
    np.testing.assert_allclose(memory, [2.0, (2 + 2 + 8) / 3], rtol=1e-6)


@pytest.mark.parametrize("target", [TargetSpec("regression", 1), TargetSpec("binary")])
def test_scores_far_apart_give_finite_factors(target):
    goal = Adaptive(setting(2, target, agm_alpha=4.0))
    for scores in ([0.0, 18.4], [18.4, 0.0]):
        for running in ([0.0, 18.4], [18.4, 0.0]):
            assert np.isfinite(goal.factors(jnp.float32(scores), jnp.float32(running))).all()
