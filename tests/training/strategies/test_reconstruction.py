"""What a code must give back, on numbers worked by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small_tasks import SPECS, random_batch

from mmjax.config import Config
from mmjax.decoders.heads import Generator
from mmjax.errors import InputError
from mmjax.training.strategies.goal import Seen, Setting
from mmjax.training.strategies.reconstruction import Reconstruction, divergence, error
from mmjax.types import Batch, ModalitySpec, Outputs, TargetSpec

TABLE = ModalitySpec("table", "vector", (2,))
STEPS = ModalitySpec("steps", "sequence", (3, 2))
WORDS = ModalitySpec("words", "tokens", (3,), vocabulary=4)


def batch(spec, inputs, lengths=None, present=(True, True)) -> Batch:
    lengths = {} if lengths is None else {spec.name: np.int32(lengths)}
    inputs = {spec.name: np.array(inputs, np.int32 if spec.vocabulary else np.float32)}
    return Batch(inputs, lengths, {spec.name: np.array(present)}, np.int32([0, 1]), np.ones(2, np.float32))


def test_squared_errors_are_a_mean_over_an_example():
    rows = batch(TABLE, [[1, 2], [np.nan, np.nan]], present=(True, False))
    np.testing.assert_allclose(error(TABLE, jnp.float32([[3, 2], [5, 5]]), rows), [(4 + 0) / 2, 0])


def test_padded_steps_are_no_data():
    """Two steps of three, and none."""
    inputs = [[[1, 1], [2, 2], [np.nan, 9]], [[np.nan] * 2] * 3]
    rows = batch(STEPS, inputs, lengths=[2, 0])
    made = jnp.float32([[1, 0, 2, 5, 7, 7], [1] * 6])
    np.testing.assert_allclose(error(STEPS, made, rows), [(0 + 1 + 0 + 9) / 4, 0])
    gradient = jax.grad(lambda made: error(STEPS, made, rows).sum())(made)
    np.testing.assert_allclose(gradient, [[0, -0.5, 0, 1.5, 0, 0], [0] * 6])


def test_tokens_are_drawn_from_one_distribution_whatever_their_order():
    made = jnp.log(jnp.float32([[0.5, 0.25, 0.125, 0.125], [0.1, 0.2, 0.3, 0.4]]))
    expected = [np.log(4) / 2 + np.log(8) / 2, -np.log(0.4)]
    for inputs in ([[1, 2, 0], [3, 0, 0]], [[2, 1, 3], [3, 1, 1]]):
        rows = batch(WORDS, inputs, lengths=[2, 1])
        np.testing.assert_allclose(error(WORDS, made, rows), expected, rtol=1e-6)


def test_divergence_worked_by_hand():
    """mu = (1, 0), sigma^2 = (1, 4): (1 + 0)/2 + (4 - 1 - log 4)/2; none from the prior itself."""
    found = divergence(jnp.float32([[1, 0], [0, 0]]), jnp.log(jnp.float32([[1, 4], [1, 1]])))
    np.testing.assert_allclose(found, [0.5 + (3 - np.log(4)) / 2, 0], rtol=1e-6)


@pytest.mark.parametrize("specs", [SPECS[:2], SPECS[:4]], ids=len)
def test_the_loss_adds_up(specs):
    """Of two and of four modalities, of every kind of input, some of which are absent."""
    target = TargetSpec("multiclass", 3)
    goal = Reconstruction(Setting(specs, target, Config(width=4, reconstruction_weight=0.5, kl_weight=0.25)))
    rows = random_batch(specs, target, 6, missing=True)
    rng = np.random.default_rng(0)
    fused = jnp.float32(rng.normal(size=(6, 5)))
    outputs = Outputs(jnp.float32(rng.normal(size=(6, 3))), fused, {}, {}, {}, jnp.float32(0))
    params = goal.heads.init(jax.random.key(0), *goal.bases(outputs))
    mean, log_variance, made = goal.heads.apply(params, *goal.bases(outputs))
    seen = Seen(outputs, (mean, log_variance, made), None, rows, jnp.float32(1), {}, None, None, None)
    (loss,), _ = goal.losses(seen)
    extra = 0.5 * sum(error(spec, made[spec.name], rows) for spec in specs) + 0.25 * divergence(mean, log_variance)
    np.testing.assert_allclose(loss, goal.plain_loss(seen) + extra, rtol=1e-6)
    sizes = {"speech": 24, "table": 5, "scan": 36, "words": 11}
    assert {name: values.shape[1] for name, values in made.items()} == {spec.name: sizes[spec.name] for spec in specs}


def test_the_code_is_sampled_in_training_and_the_mean_otherwise():
    """Mean and deviation over 4,000 rows of one F: tolerances are five standard errors."""
    generator = Generator((("table", 2),), width=3)
    fused = jnp.ones((4000, 2))
    params = generator.init(jax.random.key(0), fused)
    goal = Reconstruction(Setting((TABLE,), TargetSpec("binary"), Config(width=3)))
    (noise,) = goal.noise(jax.random.split(jax.random.key(1), 4000))
    assert noise.shape == (4000, 3)
    assert np.abs(noise.mean(0)).max() < 5 / 4000**0.5 and np.abs(noise.std(0) - 1).max() < 5 / 8000**0.5
    plain, sampled = (generator.apply(params, fused, *arguments) for arguments in ((), (noise,)))
    np.testing.assert_array_equal(plain[0], sampled[0])
    assert np.ptp(plain[2]["table"], axis=0).max() == 0 < np.ptp(sampled[2]["table"], axis=0).min()


def test_a_row_is_sampled_by_its_own_key():
    goal = Reconstruction(Setting((TABLE,), TargetSpec("binary"), Config(width=3)))
    keys = jax.random.split(jax.random.key(1), 6)
    np.testing.assert_array_equal(goal.noise(keys[2:4])[0], goal.noise(keys)[0][2:4])


def test_a_code_without_prior_is_refused():
    with pytest.raises(InputError, match="config.kl_weight = 0.0 is not accepted: give above 0"):
        Config(kl_weight=0.0)
