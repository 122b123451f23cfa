"""The weights of Gradient-Blending, where they come from and what they weigh."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small_tasks import SPECS, small_task
from strategy_cases import NAMES, batch, seen, setting

from mmjax.config import Config
from mmjax.model import build_model
from mmjax.training import feed
from mmjax.training.feed import make_feed
from mmjax.training.losses import task_loss
from mmjax.training.parallel import Compiler, Placement, lay_out
from mmjax.training.rows import measured_rows, parted
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


CONFIG = Config(width=8, encoder_layers=1, epochs=1, batch_size=10, held_out=0.25, evaluation_batch_size=4)


def feeds(splits):
    """Both kinds, on one device with one seed."""
    layout = lay_out((0,), Placement())
    return [make_feed(kind, splits, layout, Compiler(layout)) for kind in ("resident", "stream")]


def phases_of(task):
    model = build_model(task.modalities, task.target, "concat", CONFIG)
    for phase in gradient_blend(Setting(task.modalities, task.target, CONFIG), frozenset()):
        yield PhasePrograms(model, phase, CONFIG, task.splits["train"].size, devices=1)


def losses_by_hand(programs, theta, batch):
    """Mean loss of each decision over the rows that have its modality; of D over all."""
    outputs = programs.forward.evaluate(theta.params, theta.batch_stats, batch)
    decisions = programs.goal.decisions(outputs, programs.forward.heads(theta.heads, outputs))
    names = programs.goal.setting.names if len(decisions) > 1 else [None]
    losses = (np.asarray(task_loss(programs.model.target, logits, batch.target)) for logits in decisions)
    return [loss[np.asarray(batch.present[n])].mean() if n else loss.mean() for n, loss in zip(names, losses)]


def test_measurements_pass_from_phase_to_phase():
    """Before and after each of the first two, on slices of equal size; what the last starts with is what was found."""
    task = small_task((SPECS[1], SPECS[4]), sizes=(40, 8, 8))
    split, resident = jax.tree.map(jnp.asarray, task.splits["train"]), feeds(task.splits)[0]
    example, state, measured = jax.tree.map(lambda x: x[:1], split), None, []
    slices = measured_rows(40, 0.25)
    for index, programs in enumerate(phases_of(task)):
        state = jax.jit(programs.follow)(state, example) if index else jax.jit(programs.begin)(0, 1.0, example)
        if not programs.goal.measures:
            break
        assert not set(programs.usable) & set(slices[1]) and set(slices[0]) < set(programs.usable)
        for after in (False, True):
            theta = jax.tree.map(lambda x: x[None, None], state.theta)
            losses = [resident.measure(programs, theta, rows)[0, 0] for rows in slices]
            state = programs.note(state, *losses, after=after)
            if not after:
                state, _ = jax.jit(programs.train, static_argnames="count")(state, split, 0, 1, count=1)
        measured.append(np.stack(losses))
    assert len(programs.usable) == 40
    np.testing.assert_allclose(state.memory["after"], np.concatenate(measured, axis=1), rtol=1e-6)
    assert (state.memory["before"] > 0).all() and (state.memory["before"] != state.memory["after"]).all()


def test_a_modality_is_measured_on_the_rows_that_have_it(monkeypatch):
    """Through either feed, in chunks that do not divide the slice and blocks of one; 0 where no row has it."""
    monkeypatch.setattr(feed, "BLOCK_BYTES", 1)
    task = small_task((SPECS[1], SPECS[4]), sizes=(60, 8, 8), missing=True)
    nowhere = {**task.splits["train"].present, SPECS[4].name: np.zeros(60, bool)}
    example = jax.tree.map(lambda x: jnp.asarray(x[:1]), task.splits["train"])
    for programs in list(phases_of(task))[:2]:
        theta = jax.jit(programs.begin)(0, 1.0, example).theta
        lifted = jax.tree.map(lambda x: x[None, None], theta)
        for rows in measured_rows(60, 0.25):
            resident, streamed = (each.measure(programs, lifted, rows)[0, 0] for each in feeds(task.splits))
            np.testing.assert_array_equal(resident, streamed)
            batch = jax.tree.map(lambda x, rows=rows: x[rows], task.splits["train"])
            assert 0 < batch.present["blood"].sum() < len(rows)
            # Sums of some ten float32 losses in another order.
            np.testing.assert_allclose(resident, losses_by_hand(programs, theta, batch), rtol=1e-5)
    bare = {**task.splits, "train": task.splits["train"]._replace(present=nowhere)}
    programs = next(phases_of(task))
    theta = jax.tree.map(lambda x: x[None, None], jax.jit(programs.begin)(0, 1.0, example).theta)
    losses = feeds(bare)[0].measure(programs, theta, np.arange(20))[0, 0]
    assert losses[programs.goal.setting.names.index("blood")] == 0 and losses.sum() > 0


@pytest.mark.parametrize("examples, share", [(1600, 0.1), (300, 0.3), (12, 0.5)])
def test_slices_are_drawn_from_everywhere(examples, share):
    """Files often lie in the order of their classes: of ten, a slice of their first rows would have one or two."""
    classes = np.sort(np.arange(examples) % 10)
    held_in, held_out = measured_rows(examples, share)
    assert len(held_in) == len(held_out) == round(examples * share) and not set(held_in) & set(held_out)
    assert set(held_out) == set(parted(examples, share)[1])
    if examples > 100:
        assert len(set(classes[held_in])) == len(set(classes[held_out])) == 10
    again = measured_rows(examples, share)
    np.testing.assert_array_equal(held_in, again[0])


def test_more_may_be_held_out_than_is_trained_on():
    held_in, held_out = measured_rows(10, 0.8)
    assert len(held_in) == 2 and len(held_out) == 8
