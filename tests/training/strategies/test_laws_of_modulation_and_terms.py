"""What holds for every strategy that modulates gradients, or adds a term to the loss on D."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small_tasks import SPECS, small_task

from mmjax.config import Config
from mmjax.model import build_model
from mmjax.training.loop import train_cell
from mmjax.training.parallel import Placement
from mmjax.training.step import PhasePrograms
from mmjax.training.strategies import STRATEGIES, undefined
from mmjax.training.strategies.goal import Setting
from mmjax.types import TargetSpec

# ogm is ogm_ge without its noise.
NAMES = ("ogm_ge", "agm", "contrastive", "cca", "reconstruction", "functional_entropy")
VECTORS = (SPECS[1], SPECS[4], SPECS[5])
THREE, YES_OR_NO = TargetSpec("multiclass", 3), TargetSpec("binary")
# Plain descent: Adam's division by the root of squares that are almost 0 would make rounding show.
CONFIG = Config(width=8, encoder_layers=1, fusion_layers=1, fusion_layer=0, heads=2, squeeze=2, epochs=2,
                alignment_size=2, batch_size=10, optimizer="sgd", learning_rate=1e-2)  # fmt: skip

UNDEFINED = {("reconstruction", "evidential"), ("functional_entropy", "regression")}

every_strategy = pytest.mark.parametrize("strategy", NAMES)


@functools.cache
def programs(strategy, fusion="concat", modalities=VECTORS[:2], target=THREE):
    """Of the last phase, its beginning and two epochs of training compiled."""
    setting = Setting(modalities, target, CONFIG)
    *_, phase = STRATEGIES[strategy].phases(setting, frozenset())
    made = PhasePrograms(build_model(modalities, target, fusion, CONFIG), phase, CONFIG, 24, devices=1)
    train = jax.jit(functools.partial(made.train, epochs_before=0, first_epoch=1, count=2))
    return jax.jit(made.begin), train


def trained(strategy, data, **cell):
    """The states before and after, and the trace."""
    begin, train = programs(strategy, **cell)
    before = begin(0, 1.0, jax.tree.map(lambda x: x[:1], data))
    return before, *train(before, data)


@functools.cache
def split(modalities=VECTORS[:2], target=THREE):
    return jax.tree.map(jnp.asarray, small_task(modalities, target, (24, 12, 10), missing=True).splits["train"])


CELLS = (
    ("concat", VECTORS, THREE),
    ("mmtm", VECTORS, YES_OR_NO),
    ("evidential", VECTORS[:2], THREE),
    ("bottleneck", (SPECS[0], SPECS[1]), YES_OR_NO),
    ("concat", VECTORS[:2], TargetSpec("multilabel", 2)),
    ("concat", VECTORS[:2], TargetSpec("regression", 2)),
)


@pytest.mark.parametrize("fusion, modalities, target", CELLS, ids=lambda x: getattr(x, "kind", None) or str(x)[:10])
@every_strategy
def test_the_loss_is_finite_and_every_parameter_moves(strategy, fusion, modalities, target):
    if undefined(strategy, fusion, modalities, target, CONFIG):
        assert {(strategy, fusion), (strategy, target.kind)} & UNDEFINED
        return
    before, after, trace = trained(strategy, split(modalities, target), fusion=fusion, modalities=modalities,
                                   target=target)  # fmt: skip
    assert np.isfinite(trace.objective)
    for old, new in zip(*(jax.tree.leaves((s.theta.params, s.theta.heads)) for s in (before, after)), strict=True):
        assert np.isfinite(new).all() and (old != new).any()


@every_strategy
def test_what_an_example_lacks_changes_nothing(strategy):
    data = split()
    assert not all(present.all() for present in data.present.values())
    other = {n: jnp.where(data.present[n][:, None], x, jnp.nan) for n, x in data.inputs.items()}
    (_, state, _), (_, same, _) = trained(strategy, data), trained(strategy, data._replace(inputs=other))
    for value, expected in zip(jax.tree.leaves(same.theta), jax.tree.leaves(state.theta), strict=True):
        np.testing.assert_array_equal(value, expected)


@every_strategy
def test_the_order_of_the_modalities_changes_nothing(strategy):
    """Up to the order of float32 sums."""
    _, expected, _ = trained(strategy, split())
    _, found, _ = trained(strategy, split(), modalities=VECTORS[1::-1])
    for value, other in zip(jax.tree.leaves(found.theta), jax.tree.leaves(expected.theta), strict=True):
        np.testing.assert_allclose(value, other, rtol=1e-4, atol=1e-5)


@functools.cache
def cell(strategy, seeds=(0, 1), **options):
    task = small_task(VECTORS[:2], THREE, (24, 12, 10), missing=True)
    return train_cell(task, "concat", strategy, CONFIG, seeds, **options)


@every_strategy
def test_a_seed_alone_on_three_devices_is_that_seed_beside_another_on_one(strategy):
    """Batches of 10 are 4, 4 and 2 rows, which are filled up; float32 sums are in another order."""
    (shared,) = cell(strategy, (1,), placement=Placement(3, "pmap", "batch")).runs
    expected = cell(strategy).runs[1]
    np.testing.assert_allclose(shared.logits["test"], expected.logits["test"], rtol=1e-3, atol=1e-4)
    for line, same in zip(map(dict, shared.history), map(dict, expected.history), strict=True):
        assert line.pop("phase") == same.pop("phase") and line == pytest.approx(same, rel=1e-3, abs=1e-4)


@every_strategy
def test_streamed_is_resident(strategy):
    for run, expected in zip(cell(strategy, data="stream").runs, cell(strategy).runs, strict=True):
        np.testing.assert_array_equal(run.logits["test"], expected.logits["test"])
