"""Where seeds and batches lie."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from mmjax.errors import InputError
from mmjax.training.parallel import Placement, lay_out, spread


@given(seeds=some.integers(1, 30), devices=some.integers(1, 8))
@settings(deadline=None)
def test_split_seeds_are_all_there_with_no_idle_device(seeds, devices):
    layout = lay_out(tuple(range(seeds)), Placement(devices, split="seeds"))
    assert not layout.splits_batch and layout.devices <= min(seeds, devices)
    assert layout.seeds.ravel()[:seeds].tolist() == list(range(seeds))
    assert layout.seeds.shape[1] == -(-seeds // devices)
    assert all(row[0] < seeds for row in layout.seeds.tolist())


def test_auto_splits_seeds_when_there_are_enough():
    assert not lay_out((0, 1, 2, 3), Placement(4)).splits_batch
    assert lay_out((0, 1, 2), Placement(4)).splits_batch
    assert not lay_out((0,), Placement(1)).splits_batch


@pytest.mark.parametrize("split", ["seeds", "batch"])
@pytest.mark.parametrize("seeds", [1, 3, 5])
def test_arranged_is_gathered(split, seeds):
    layout = lay_out(tuple(range(seeds)), Placement(4, split=split))
    tree = {"a": np.arange(seeds * 6.0).reshape(seeds, 2, 3), "b": np.arange(seeds)}
    back = layout.per_seed(layout.arrange(tree), seeds)
    jax.tree.map(np.testing.assert_array_equal, back, tree)


@pytest.mark.parametrize("parallel", ["pmap", "shard_map"])
@pytest.mark.parametrize("split", ["seeds", "batch"])
def test_spread_runs_one_function_on_every_device(parallel, split):
    layout = lay_out((3, 4, 5), Placement(2, parallel, split))
    state = layout.put(layout.seeds)
    run = spread(lambda seeds, shared: seeds * shared, layout, [True, False])
    np.testing.assert_array_equal(run(state, jnp.int32(10)), layout.seeds * 10)


@pytest.mark.parametrize(
    "wrong, told",
    [
        ({"devices": 9}, "1 to 8"),
        ({"devices": 0}, "1 to 8"),
        ({"parallel": "xmap"}, "pmap"),
        ({"split": "rows"}, "auto, seeds"),
    ],
)
def test_bad_placements_are_refused(wrong, told):
    with pytest.raises(InputError, match=told):
        Placement(**wrong)
