"""Functional Fisher information, of a model whose gradients can be written down."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from strategy_cases import batch, seen, setting

from mmjax.training.strategies.functional_entropy import FLOOR, FunctionalEntropy, disagreement
from mmjax.types import TargetSpec

ROWS = 12
WEIGHTS = {"a": np.array([1.0, 2.0]), "b": np.array([-0.5, 0.5]), "c": np.array([0.0, 0.0])}
PRESENT = {"a": np.ones(ROWS, bool), "b": np.arange(ROWS) % 3 > 0, "c": np.ones(ROWS, bool)}


def linear(modalities, **config):
    """D = sum over modalities of w_m (x_m + noise), 0 where absent; the last row only fills the batch up."""
    goal = FunctionalEntropy(setting(modalities, **config))
    rng = np.random.default_rng(0)
    names = goal.setting.names
    starts = {n: jnp.float32(rng.normal(1, 2, (ROWS, 2)) * PRESENT[n][:, None]) for n in names}
    rows = batch([0, 1] * (ROWS // 2), PRESENT, weight=np.arange(ROWS) < ROWS - 1)

    def logits(noise):
        return sum(((starts[n] + noise[n]) * PRESENT[n][:, None] @ jnp.float32(WEIGHTS[n]))[:, None] for n in names)

    met = seen(rows, logits(dict.fromkeys(names, 0.0)))
    met = met._replace(
        keys=jax.random.split(jax.random.key(0), ROWS),
        again=lambda noise: met.outputs._replace(logits=logits(noise)),
        starts=lambda: starts,
    )
    return goal, met, starts, {n: PRESENT[n] * rows.weight for n in names}


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


@pytest.mark.parametrize("modalities", [2, 3])
def test_information_worked_by_hand(modalities):
    """f's gradient by m's noise is (q - p) w_m, of probabilities p without noise and q with it."""
    goal, met, _, weights = linear(modalities)
    noise = goal.perturbations(met, weights)
    clean, noisy = (np.float64(logits)[:, 0] for logits in (met.outputs.logits, met.again(noise).logits))
    p, q = sigmoid(clean), sigmoid(noisy)
    f = -(p * np.log(q) + (1 - p) * np.log(1 - q))
    expected = [
        np.average((q - p) ** 2 * (WEIGHTS[name] ** 2).sum() / f, weights=weights[name]) for name in goal.setting.names
    ]
    np.testing.assert_allclose(goal.information(met), expected, rtol=1e-4, atol=1e-7)


@pytest.mark.parametrize("modalities", [2, 3])
def test_the_loss_falls_with_the_information_of_the_least_used(modalities):
    goal, met, *_ = linear(modalities, information_weight=0.1)
    (loss,), _ = goal.losses(met)
    expected = 0.1 * np.sqrt((1 / (np.float64(goal.information(met)) + FLOOR)) ** 2).max()
    extra = np.asarray(loss - goal.plain_loss(met))
    assert np.ptp(extra) < 1e-4 * extra.max() and expected <= extra.max() * (1 + 1e-5) <= modalities**0.5 * expected
    np.testing.assert_allclose(extra, 0.1 * np.linalg.norm(1 / (goal.information(met) + FLOOR)), rtol=1e-4)


def test_noise_deviates_as_the_batch_does():
    """Of rows that have the modality and count; keys say what each row gets."""
    goal, met, starts, weights = linear(3)
    noise = goal.perturbations(met, weights)
    for place, (name, values) in enumerate(starts.items()):
        deviation = np.float64(values)[weights[name] > 0].std(0)
        keys = jax.vmap(jax.random.fold_in, (0, None))(met.keys, place)
        standard = jax.vmap(lambda key: jax.random.normal(key, (2,)))(keys)
        np.testing.assert_allclose(noise[name], deviation * standard, rtol=1e-4)


@pytest.mark.parametrize(
    "target, clean, perturbed, expected",
    [
        (TargetSpec("multiclass", 2), [0, np.log(3)], [np.log(4), 0], 0.25 * -np.log(0.8) + 0.75 * -np.log(0.2)),
        (TargetSpec("binary"), [np.log(3)], [-np.log(4)], 0.75 * -np.log(0.2) + 0.25 * -np.log(0.8)),
        (TargetSpec("multilabel", 2), [np.log(3), 0], [-np.log(4), 0],
         (0.75 * -np.log(0.2) + 0.25 * -np.log(0.8) + np.log(2)) / 2),
    ],
    ids=lambda value: getattr(value, "kind", ""),
)  # fmt: skip
def test_disagreement_worked_by_hand(target, clean, perturbed, expected):
    found = disagreement(target, jnp.float32([clean]), jnp.float32([perturbed]))
    np.testing.assert_allclose(found, [expected], rtol=1e-6)


def test_a_model_that_has_forgotten_everything_has_a_finite_loss_and_gradient():
    goal, met, *_ = linear(2, information_weight=1.0)

    def loss(scale):
        again = met.again
        flat = met._replace(
            outputs=met.outputs._replace(logits=0 * met.outputs.logits),
            again=lambda noise: met.outputs._replace(logits=scale * again(noise).logits),
        )
        return goal.losses(flat)[0][0].sum()

    value, slope = jax.value_and_grad(loss)(0.0)
    assert np.isfinite(value) and np.isfinite(slope)
