"""Batches are a function of (seed, t), and only what a phase trains changes."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small_tasks import SPECS, small_task

from mmjax.config import Config
from mmjax.model import PARTS, build_model, part_of
from mmjax.training.rows import parted
from mmjax.training.step import PhasePrograms
from mmjax.training.strategies.goal import Goal, Phase, Setting
from mmjax.training.strategies.plain import staged
from mmjax.types import TargetSpec

CONFIG = Config(width=8, encoder_layers=1, epochs=1, batch_size=7, encoders={"sequence": "gru", "vector": "mlp"})
N = 24


@functools.cache
def task():
    return small_task(SPECS[:2], TargetSpec("multiclass", 3), (N, 12, 10))


SETTING = Setting(SPECS[:2], TargetSpec("multiclass", 3), CONFIG)
JOINT = Phase("joint", PARTS, Goal(SETTING), 1)


def programs(phase, fusion="low_rank_tensor", config=CONFIG):
    return PhasePrograms(build_model(task().modalities, task().target, fusion, config), phase, config, N, devices=1)


def one(split, rows=slice(0, 1)):
    return jax.tree.map(lambda x: jnp.asarray(x[rows]), task().splits[split])


def test_every_example_once_an_epoch_and_another_order_each():
    order = programs(JOINT).order
    first, again, next_epoch, other_seed = (
        np.asarray(order(*arguments))[:, 0] for arguments in [(0, 1), (0, 1), (0, 2), (1, 1)]
    )
    assert first.shape == (4, 7)
    for rows in (first, next_epoch, other_seed):
        assert sorted(rows[rows >= 0].tolist()) == list(range(N)) and (rows == -1).sum() == 4
    np.testing.assert_array_equal(first, again)
    assert (first != next_epoch).any() and (first != other_seed).any()


def test_what_is_held_out_is_not_trained_on():
    held_in, held_out = parted(N, 0.25)
    assert sorted([*held_in, *held_out]) == list(range(N)) and len(held_out) == N // 4
    made = programs(JOINT._replace(held_out=True), config=CONFIG.replace(held_out=0.25))
    rows = np.asarray(made.order(0, 1))
    assert sorted(rows[rows >= 0].tolist()) == held_in.tolist()


PHASES = staged(SETTING._replace(config=CONFIG.replace(fine_tune_epochs=1)), frozenset(PARTS))


@pytest.mark.parametrize("phase", PHASES, ids=lambda phase: phase.name)
def test_frozen_parts_are_bit_identical_and_the_others_move(phase):
    made = programs(phase)
    state = jax.jit(made.begin)(0, 1.0, one("train"))
    after, _ = jax.jit(functools.partial(made.train, count=1))(state, one("train", slice(None)), 0, 1)
    for name, before in state.theta.params.items():
        for old, new in zip(jax.tree.leaves(before), jax.tree.leaves(after.theta.params[name]), strict=True):
            if part_of(name) in phase.trains:
                assert (old != new).any()
            else:
                np.testing.assert_array_equal(old, new)
    moved = [
        (old != new).any()
        for old, new in zip(*map(jax.tree.leaves, (state.theta.heads, after.theta.heads)), strict=True)
    ]
    assert all(moved) and bool(moved) == (phase.name in ("encoders", "fusion"))


def test_a_fusion_without_parameters_has_no_stage():
    assert [phase.name for phase in staged(SETTING, frozenset({"encoders", "decoder"}))] == ["encoders", "decoder"]


def test_sums_are_those_of_the_whole_split():
    """Whatever the evaluation's batches: 12 examples in batches of 5."""
    made = programs(JOINT, config=CONFIG.replace(evaluation_batch_size=5))
    state = jax.jit(made.begin)(0, 1.0, one("train"))
    _, _, sums = jax.jit(made.validate)(state, one("validation", slice(None)), one("train"), 1)
    logits = np.asarray(jax.jit(made.predict)(state.theta, one("validation", slice(None)))).reshape(-1, 3)[:12]
    truth = task().splits["validation"].target
    assert sums.weight == 12
    assert sums.score == (logits.argmax(1) == truth).sum()
    log_p = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    np.testing.assert_allclose(sums.loss, -log_p[np.arange(12), truth].sum(), rtol=1e-5)
