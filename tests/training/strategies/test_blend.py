"""The weights of Gradient-Blending, where they come from and what they weigh."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small_tasks import SPECS, small_task
from strategy_cases import NAMES, batch, seen, setting

from mmjax.config import Config
from mmjax.model import build_model
from mmjax.training.rows import parted
from mmjax.training.step import PhasePrograms
from mmjax.training.strategies.blend import Blended, blend_weights, gradient_blend, no_measurements
from mmjax.training.strategies.goal import Setting

# Held in and held out, of some decisions; G = 0.2, 0.4, 0.1 and O = 0.2, 0.4, 0.5, so that G / O^2 = 5, 2.5, 0.4.
BEFORE = [[1.0, 1.0, 1.0], [1.0, 1.0, 1.1]]
AFTER = [[0.6, 0.2, 0.4], [0.8, 0.6, 1.0]]
WEIGHTS = np.array([5, 2.5, 0.4]) / 7.9


def test_worked_by_hand():
    np.testing.assert_allclose(blend_weights(jnp.float32(BEFORE), jnp.float32(AFTER)), WEIGHTS, rtol=1e-4)


def test_of_four_decisions_whatever_their_order():
    """Another with G = 0.3 and O = -0.5, the gap having closed: 1.2."""
    before, after = np.float32([[*row, 1.5] for row in BEFORE]), np.float32([[*AFTER[0], 1.7], [*AFTER[1], 1.2]])
    order = [2, 0, 3, 1]
    expected = np.array([5, 2.5, 0.4, 1.2]) / 9.1
    np.testing.assert_allclose(blend_weights(before, after), expected, rtol=1e-4)
    np.testing.assert_allclose(blend_weights(before[:, order], after[:, order]), expected[order], rtol=1e-4)


def test_what_did_not_generalise_weighs_nothing():
    worse = np.float32([[0.6, 0.2, 0.4], [0.8, 1.6, 1.0]])
    np.testing.assert_allclose(blend_weights(jnp.float32(BEFORE), worse), np.array([5, 0, 0.4]) / 5.4, rtol=1e-4)


def test_where_nothing_did_all_weigh_the_same():
    np.testing.assert_allclose(blend_weights(**no_measurements(setting(3))), [0.25] * 4)


def test_no_overfitting_at_all_is_finite():
    weights = blend_weights(jnp.ones((2, 3)), jnp.float32([[0.5, 0.9, 0.9], [0.5, 1.0, 1.0]]))
    np.testing.assert_allclose(weights, [0.95, 0, 0.05], atol=1e-6)


def test_what_predicts_is_trained_however_it_generalises():
    """D gained nothing, or it alone gained."""
    before = jnp.float32(BEFORE)
    unsuccessful = blend_weights(before, jnp.float32([[0.6, 0.2, 0.4], [0.8, 0.6, 1.2]]))
    np.testing.assert_allclose(unsuccessful, [0.95 * 5 / 7.5, 0.95 * 2.5 / 7.5, 0.05], rtol=1e-4)
    alone = blend_weights(before, jnp.float32([[0.6, 0.2, 0.4], [1.8, 1.6, 1.0]]))
    np.testing.assert_allclose(alone, [0, 0, 1], atol=1e-6)


@pytest.mark.parametrize("modalities", [2, 3])
def test_the_loss_is_their_blend(modalities):
    """D says 1/2 of the truth, and the heads 1/2, 1/4, 1/8; the last example lacks modality a."""
    goal = Blended(setting(modalities))
    rng = np.random.default_rng(0)
    memory = {"before": jnp.float32(3 + rng.random((2, modalities + 1))),
              "after": jnp.float32(rng.random((2, modalities + 1)))}  # fmt: skip
    heads = {name: [[-np.log(2.0 ** (place + 1) - 1)]] * 2 for place, name in enumerate(NAMES[:modalities])}
    (loss,), _ = goal.losses(seen(batch([1, 1], {"a": [True, False]}), [[0.0]] * 2, heads=heads, memory=memory))
    weights = np.float64(blend_weights(**memory))
    own = np.log(2) * np.arange(1, modalities + 1)
    expected = weights[:-1] @ own + weights[-1] * np.log(2)
    np.testing.assert_allclose(loss, [expected, expected - weights[0] * own[0]], rtol=1e-5)


def test_measurements_pass_from_phase_to_phase():
    """Before and after each of the first two, on slices of equal size; what the last starts with is what was found."""
    task = small_task((SPECS[1], SPECS[4]), sizes=(40, 8, 8))
    config = Config(width=8, encoder_layers=1, epochs=1, batch_size=10, held_out=0.25)
    model = build_model(task.modalities, task.target, "concat", config)
    split = jax.tree.map(jnp.asarray, task.splits["train"])
    held_in, held_out = parted(40, 0.25)
    slices = [jax.tree.map(lambda x, rows=rows: x[rows], split) for rows in (held_in[:10], held_out)]
    example, state, measured = jax.tree.map(lambda x: x[:1], split), None, []
    for index, phase in enumerate(gradient_blend(Setting(task.modalities, task.target, config), frozenset())):
        programs = PhasePrograms(model, phase, config, 40, devices=1)
        measure = jax.jit(programs.measure, static_argnames="after")
        state = jax.jit(programs.follow)(state, example) if index else jax.jit(programs.begin)(0, 1.0, example)
        if not phase.goal.measures:
            break
        assert set(programs.usable) == set(held_in)
        state = measure(state, *slices, after=False)
        state, _ = jax.jit(programs.train, static_argnames="count")(state, split, 0, 1, count=1)
        state = measure(state, *slices, after=True)
        measured.append(np.stack([programs._losses(state.theta, part) for part in slices]))
    assert len(programs.usable) == 40
    np.testing.assert_allclose(state.memory["after"], np.concatenate(measured, axis=1), rtol=1e-6)
    assert (state.memory["before"] > 0).all() and (state.memory["before"] != state.memory["after"]).all()
