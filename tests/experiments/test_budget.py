"""Widths that give every cell the same budget."""

import jax
import numpy as np
import pytest
from small_tasks import SPECS, random_batch, small_task

from benchmarks.flops import count_flops
from experiments.budget import is_matched, match_budgets, nearest_width
from experiments.grid import UNTRAINED, Cell
from mmjax.config import Config
from mmjax.model import build_model, initialise

TASK = small_task(SPECS[:3])
CONFIG = Config(width=64, heads=2, encoders={"sequence": "gru", "image": "cnn"})
FUSIONS = ["concat", "low_rank_tensor", "mutan", "token_transformer", "mean", "product", "unimodal/speech"]


def cost_of(cell, fusion, budget):
    model = build_model(TASK.modalities, TASK.target, fusion, cell.config)
    batch = jax.tree.map(lambda x: x[:1], random_batch(TASK.modalities, TASK.target, 1))
    variables = jax.eval_shape(lambda: initialise(model, jax.random.key(0), batch))
    if budget == "parameters":
        return sum(leaf.size for leaf in jax.tree.leaves(variables["params"]))
    return count_flops(lambda v: model.apply(v, batch).logits, variables)


@pytest.mark.parametrize("budget", ["parameters", "flops"])
def test_every_cell_costs_what_concat_does(budget):
    cells = [Cell("small", name, "joint", CONFIG) for name in FUSIONS]
    matched, ratios = match_budgets(TASK, cells, budget)
    reference = cost_of(cells[0], "concat", budget)
    for cell, ratio in zip(matched, ratios, strict=True):
        if cell.is_rule:  # all unimodal models together
            cost = sum(cost_of(cell, f"unimodal/{spec.name}", budget) for spec in TASK.modalities)
        elif ratio is None:
            assert cell.fusion == "unimodal/speech"
            continue
        else:
            cost = cost_of(cell, cell.fusion, budget)
        assert cost / reference == pytest.approx(ratio)
        assert is_matched(ratio), cell.fusion
    assert matched[0].config == CONFIG


def test_what_a_rule_combines_are_the_unimodal_cells_of_the_plan():
    cells = [Cell("small", name, "joint", CONFIG) for name in ("unimodal/speech", "mean", "vote")]
    matched, _ = match_budgets(TASK, cells, "parameters")
    assert matched[0].config == matched[1].config == matched[2].config


def test_a_baseline_without_training_keeps_its_config():
    cells = [Cell("small", "majority", UNTRAINED, CONFIG)]
    assert match_budgets(TASK, cells, "parameters") == (cells, [None])


@pytest.mark.parametrize("start", [4, 64, 1024])
@pytest.mark.parametrize("target", [1, 100, 12345, 10**9])
def test_nearest_width_is_the_nearest_of_all(start, target):
    def cost(width):
        calls.append(width)
        return 30 + 7 * width + width * width // 3

    calls = []
    width, found = nearest_width(cost, target, start, 4)
    every = np.arange(4, 4097, 4)
    distances = abs(30 + 7 * every + every * every // 3 - target)
    assert abs(found - target) == distances.min()
    assert width == every[distances.argmin()] and found == 30 + 7 * width + width * width // 3
    assert len(calls) < 25


def test_a_cost_that_no_width_matches_is_said_to_be_off():
    assert nearest_width(lambda width: 500, 100, 64, 4)[1] == 500
    assert not is_matched(5.0) and not is_matched(0.94) and is_matched(1.049)
