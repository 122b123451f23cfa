"""What is timed is what trains: the same state however it is mapped, and FLOPs by hand."""

import jax
import numpy as np
import pytest

from benchmarks.flops import count_flops
from benchmarks.workload import workload
from mmjax.config import DEFAULTS
from mmjax.fusion import FUSIONS
from mmjax.model import build_model
from mmjax.training.loop import train_cell

CONFIG = DEFAULTS.replace(encoders={"sequence": "identity", "vector": "identity"}, batch_size=12, epochs=1)
SEEDS = (0, 3)


def trained(task, parallel):
    work = workload(task, "concat", CONFIG, SEEDS, parallel)
    state, sums = work.train(*work.train_arguments)
    return jax.tree.map(np.asarray, (state.theta, sums))


@pytest.mark.parametrize("parallel", ["jit", "shard_map"])
def test_mapping_does_not_change_the_work(task, parallel):
    for found, expected in zip(*map(jax.tree.leaves, (trained(task, parallel), trained(task, "pmap"))), strict=True):
        # The same float32 operations, which a compiler may order otherwise.
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_the_epoch_is_the_one_that_a_cell_trains(task):
    _, (sums, *_) = trained(task, "pmap")
    for place, run in enumerate(train_cell(task, "concat", "joint", CONFIG, SEEDS).runs):
        assert run.history[0]["train_loss"] == pytest.approx(sums.loss[0, place] / sums.weight[0, place], rel=1e-4)


def test_flops_and_parameters_by_hand(task):
    # An identity encoder of a vector [5], and a dense decoder to three classes.
    work = workload(task, "unimodal/table", CONFIG, SEEDS)
    assert work.parameters == 5 * 3 + 3
    # The product, its biases, and one comparison: whether the row counts.
    assert work.forward_flops == 2 * 5 * 3 + 3 + 1
    # A step has the product forward and for the weights' gradient; the rest is loss and optimiser.
    assert work.train_flops > 2 * (2 * 5 * 3)


def test_every_seed_predicts_every_example(task):
    work = workload(task, "concat", CONFIG, SEEDS)
    logits = work.predict(*work.predict_arguments)
    assert logits.size >= len(SEEDS) * task.splits["validation"].size * 3
    assert work.respond(*work.respond_arguments).shape == (CONFIG.batch_size, 3)


@pytest.mark.parametrize("fusion", FUSIONS)
def test_every_fusion_can_be_counted(task, fusion):
    model = build_model(task.modalities, task.target, fusion, DEFAULTS)
    batch = jax.tree.map(lambda x: x[:2], task.splits["train"])
    variables = jax.eval_shape(model.init, jax.random.key(0), batch)

    def summed(params, variables):
        return model.apply({**variables, "params": params}, batch).logits.sum()

    forward, backward = (count_flops(f, variables["params"], variables) for f in (summed, jax.grad(summed)))
    # The weights' gradient alone costs about what the output costs.
    assert 0 < forward < backward < 10 * forward
