"""What holds for every strategy that gives modalities losses of their own, leaves some out or weighs them."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small_tasks import SPECS, small_task

from mmjax.config import Config
from mmjax.model import build_model
from mmjax.training.checkpoint import Keep
from mmjax.training.loop import train_cell
from mmjax.training.parallel import AXIS, Placement
from mmjax.training.results import Interrupted
from mmjax.training.step import PhasePrograms
from mmjax.training.strategies import STRATEGIES, undefined
from mmjax.training.strategies.goal import Setting
from mmjax.types import TargetSpec

NAMES = ("auxiliary", "modality_dropout", "gradient_blend", "mmpareto", "pmr")
VECTORS = (SPECS[1], SPECS[4], SPECS[5])
THREE, YES_OR_NO = TargetSpec("multiclass", 3), TargetSpec("binary")
# Plain descent: Adam's division by the root of squares that are almost 0 would make rounding show.
CONFIG = Config(width=8, encoder_layers=1, fusion_layers=1, fusion_layer=0, heads=2, squeeze=2, held_out=0.2,
                epochs=2, batch_size=10, optimizer="sgd", learning_rate=1e-2)  # fmt: skip

every_strategy = pytest.mark.parametrize("strategy", NAMES)


def programs(strategy, fusion, modalities, target, devices=1):
    """Of the last phase; and `train` over two epochs."""
    setting = Setting(modalities, target, CONFIG, AXIS if devices > 1 else None)
    *_, phase = STRATEGIES[strategy].phases(setting, frozenset())
    model = build_model(modalities, target, fusion, CONFIG, setting.axis_name)
    made = PhasePrograms(model, phase, CONFIG, 24, devices)
    return made, functools.partial(made.train, epochs_before=0, first_epoch=1, count=2)


@functools.cache
def compiled(strategy, fusion="concat", modalities=VECTORS, target=THREE):
    made, train = programs(strategy, fusion, modalities, target)
    return jax.jit(made.begin), jax.jit(train)


def trained(strategy, data, **cell):
    """The states before and after, and the trace."""
    begin, train = compiled(strategy, **cell)
    before = begin(0, 1.0, jax.tree.map(lambda x: x[:1], data))
    return before, *train(before, data)


@functools.cache
def split(modalities=VECTORS, target=THREE):
    return jax.tree.map(jnp.asarray, small_task(modalities, target, (24, 12, 10), missing=True).splits["train"])


@functools.cache
def usual(strategy):
    """Three modalities, of which examples lack some, and three classes."""
    return trained(strategy, split())


def assert_close(found, expected):
    """Up to the order of float32 sums, in six steps."""
    for value, other in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        np.testing.assert_allclose(value, other, rtol=1e-4, atol=1e-5)


def assert_moved(before, after, trace):
    assert np.isfinite(trace.objective)
    for old, new in zip(*(jax.tree.leaves((s.theta.params, s.theta.heads)) for s in (before, after)), strict=True):
        assert np.isfinite(new).all() and (old != new).any()


@every_strategy
def test_every_parameter_moves(strategy):
    assert_moved(*usual(strategy))


# Stages and sequences joined, decisions with evidence, and the other targets: each with strategies it could break.
CELLS = (
    ("mmtm", VECTORS, YES_OR_NO, ("mmpareto", "pmr")),
    ("evidential", VECTORS[:2], YES_OR_NO, ("auxiliary", "gradient_blend")),
    ("bottleneck", (SPECS[0], SPECS[1]), THREE, ("modality_dropout",)),
    ("concat", VECTORS[:2], TargetSpec("multilabel", 2), ("auxiliary", "gradient_blend")),
    ("concat", VECTORS[:2], TargetSpec("regression", 2), ("mmpareto", "modality_dropout")),
)


@pytest.mark.parametrize(
    "strategy, fusion, modalities, target",
    [(strategy, *cell) for *cell, strategies in CELLS for strategy in strategies],
    ids=[f"{strategy}-{cell[0]}-{cell[2].kind}" for *cell, strategies in CELLS for strategy in strategies],
)
def test_every_parameter_moves_whatever_is_fused_and_predicted(strategy, fusion, modalities, target):
    assert not undefined(strategy, fusion, modalities, target, CONFIG)
    cell = {"modalities": modalities, "target": target}
    assert_moved(*trained(strategy, split(**cell), fusion=fusion, **cell))


@every_strategy
def test_what_an_example_lacks_changes_nothing(strategy):
    data = split()
    assert not all(present.all() for present in data.present.values())
    other = {n: jnp.where(data.present[n][:, None], x, jnp.nan) for n, x in data.inputs.items()}
    _, state, _ = trained(strategy, data._replace(inputs=other))
    for value, expected in zip(*(jax.tree.leaves(s.theta) for s in (state, usual(strategy)[1])), strict=True):
        np.testing.assert_array_equal(value, expected)


@every_strategy
def test_the_order_of_the_modalities_changes_nothing(strategy):
    _, state, _ = trained(strategy, split(), modalities=VECTORS[::-1])
    assert_close(state.theta, usual(strategy)[1].theta)


@every_strategy
def test_three_devices_that_share_a_batch_are_one(strategy):
    """Batches of 10 are 4, 4 and 2 rows, which are filled up."""
    before, expected, _ = usual(strategy)
    _, train = programs(strategy, "concat", VECTORS, THREE, devices=3)
    everywhere = jax.tree.map(lambda x: jnp.stack([x] * 3), before)
    state, _ = jax.pmap(train, AXIS, in_axes=(0, None))(everywhere, split())
    for place in range(3):
        assert_close(jax.tree.map(lambda x, place=place: x[place], state.theta), expected.theta)


@functools.cache
def cell(strategy, seeds=(0, 1), **options):
    task = small_task(VECTORS[:2], THREE, (24, 12, 10), missing=True)
    return train_cell(task, "concat", strategy, CONFIG, seeds, splits=("test",), **options)


@pytest.mark.parametrize(
    "strategy, placement",
    [("gradient_blend", Placement(2, "pmap", "batch")), ("modality_dropout", None), ("pmr", None)],
)
def test_a_seed_beside_another_is_that_seed_alone(strategy, placement):
    """Of the strategies that draw or remember; one of them on two devices, whose measurements must agree."""
    (single,) = cell(strategy, (1,), placement=placement).runs
    np.testing.assert_allclose(single.logits["test"], cell(strategy).runs[1].logits["test"], rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("strategy, epoch", [("gradient_blend", 3), ("modality_dropout", 1), ("pmr", 1)])
def test_streamed_and_interrupted_is_neither(tmp_path, strategy, epoch):
    """Bit for bit; interrupted in the second phase, with losses measured, or when prototypes have just been made."""
    reached = []
    options = {"keep": Keep(tmp_path, seconds_between=0.0), "on_progress": lambda now: reached.append(now.epoch)}
    with pytest.raises(Interrupted):
        cell(strategy, data="stream", stop=lambda: reached[-1] == epoch, **options)
    resumed = cell(strategy, data="stream", **options)
    assert reached[epoch] == epoch + 1  # it did not start again
    for run, expected in zip(resumed.runs, cell(strategy).runs, strict=True):
        assert run.history == expected.history
        np.testing.assert_array_equal(run.logits["test"], expected.logits["test"])
