"""Schedules and optimisers do what their config says."""

import jax.numpy as jnp
import numpy as np
import pytest

from mmjax.config import Config
from mmjax.training.optimizer import learning_rate, make_optimizer


def test_warm_up_then_cosine():
    rate = learning_rate(Config(learning_rate=0.1, schedule="cosine", warmup_epochs=1), epochs=3, steps_per_epoch=10)
    assert rate(0) == 0 and np.isclose(rate(5), 0.05) and np.isclose(rate(10), 0.1)
    assert np.isclose(rate(20), 0.05) and np.isclose(rate(30), 0, atol=1e-8)


def test_constant_without_warm_up():
    rate = learning_rate(Config(learning_rate=0.1), epochs=3, steps_per_epoch=10)
    assert rate(0) == rate(29) == 0.1


def first_update(config, parameter=2.0, gradient=3.0):
    optimizer = make_optimizer(config, 1, 1)
    parameters = {"w": jnp.float32([parameter])}
    updates, _ = optimizer.update({"w": jnp.float32([gradient])}, optimizer.init(parameters), parameters)
    return float(updates["w"][0])


def test_weight_decay_is_in_the_gradient_for_adam_and_beside_it_otherwise():
    """Adam's first step is the sign of its gradient: L2 of 0.5 turns -0.5 + 0.5 * 2 around; decoupled it adds to it."""
    assert first_update(Config(learning_rate=0.1, weight_decay=0.5), gradient=-0.5) == pytest.approx(-0.1, rel=1e-4)
    decoupled = first_update(Config(optimizer="adamw", learning_rate=0.1, weight_decay=0.5), gradient=-0.5)
    assert decoupled == pytest.approx(0.1 - 0.1 * 0.5 * 2, abs=1e-5)
    sgd = first_update(Config(optimizer="sgd", learning_rate=0.1, weight_decay=0.5))
    assert sgd == pytest.approx(-0.1 * (3 + 0.5 * 2))


def test_clipping_bounds_the_global_norm():
    assert first_update(Config(optimizer="sgd", learning_rate=1.0, clip_norm=0.5)) == pytest.approx(-0.5)
