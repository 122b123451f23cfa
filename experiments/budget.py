"""Equal budgets: the width at which every cell costs as much as the task's `concat`."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Sequence

import jax

from benchmarks.flops import count_flops
from experiments.grid import UNTRAINED, Cell, obstacle, unimodal_names
from mmjax.config import Config
from mmjax.encoders import ENCODERS
from mmjax.errors import lookup
from mmjax.fusion import FUSIONS
from mmjax.model import build_model, initialise
from mmjax.types import Task

BUDGETS = ("parameters", "flops")
REFERENCE = "concat"  # has no parameters of its own
TOLERANCE = 0.05
WIDEST = 4096


def match_budgets(task: Task, cells: Sequence[Cell], budget: str) -> tuple[list[Cell], list[float | None]]:
    """Cells whose `width` is such that each costs what `concat` does under the task's own config.

    The width is that of a cell's encoders, fusion and decoder together. The unimodal models that a decision rule
    combines count as one: they share a width at which all of them together have the budget.

    Args:
      task: whose modalities the models read.
      cells: of the task, all of one config.
      budget: one of BUDGETS: a seed's parameters, or the FLOPs of one example's prediction.

    Returns:
      The cells in their order, and of each that fuses its cost over the reference's (None for a baseline): more than
      TOLERANCE away from 1 where no width comes nearer.
    """
    config = cells[0].config
    reference = _cost(task, [REFERENCE], config, budget)
    sizes: dict[str, tuple[Config, float]] = {}
    matched, ratios = [], []
    for cell in cells:
        if cell.strategy == UNTRAINED or obstacle(task, cell):
            matched.append(cell)
            ratios.append(None)
            continue
        single = cell.is_rule or cell.fusion in unimodal_names(task)
        key = "unimodal" if single else cell.fusion
        if key not in sizes:
            fusions = unimodal_names(task) if single else [cell.fusion]
            width, cost = nearest_width(
                lambda width, fusions=fusions: _cost(task, fusions, config.replace(width=width), budget),
                reference, config.width, width_step(task, fusions, config),
            )  # fmt: skip
            sizes[key] = config.replace(width=width), cost / reference
        sized, ratio = sizes[key]
        matched.append(dataclasses.replace(cell, config=sized))
        ratios.append(None if cell.fusion in unimodal_names(task) else ratio)
    return matched, ratios


def is_matched(ratio: float) -> bool:
    """Whether a cost over the reference's is within TOLERANCE of 1."""
    return abs(ratio - 1) <= TOLERANCE


def nearest_width(cost: Callable[[int], int], target: int, start: int, step: int) -> tuple[int, int]:
    """The multiple of `step`, up to WIDEST, whose cost is nearest to `target`, and that cost.

    Args:
      cost: of a width; does not fall as the width grows.
      target: the cost wanted.
      start: a width to begin with.
      step: at least 1.
    """
    known: dict[int, int] = {}

    def of(multiple: int) -> int:
        if multiple not in known:
            known[multiple] = cost(multiple * step)
        return known[multiple]

    low = high = max(start // step, 1)
    while of(low) > target and low > 1:
        high, low = low, low // 2
    while of(high) < target and high < WIDEST // step:
        low, high = high, min(2 * high, WIDEST // step)
    while high - low > 1:
        # A cost is between linear and quadratic in the width; where it is steep a straight line still comes near.
        share = (target - of(low)) / max(of(high) - of(low), 1)
        middle = min(max(low + round(share * (high - low)), low + 1), high - 1)
        low, high = (middle, high) if of(middle) <= target else (low, middle)
    best = min(known, key=lambda multiple: (abs(known[multiple] - target), multiple))
    return best * step, known[best]


def width_step(task: Task, fusions: Sequence[str], config: Config) -> int:
    """What a width must be a multiple of: the heads of attention, and the chunks of block, where there are any."""
    modules = [FUSIONS[name] for name in fusions if name in FUSIONS]
    modules += [lookup(ENCODERS, "encoder", config.encoder_of(spec.name, spec.kind)) for spec in task.modalities]
    declared = {field.name for module in modules for field in dataclasses.fields(module)}
    return math.lcm(*(getattr(config, name) for name in ("heads", "chunks") if name in declared))


def _cost(task: Task, fusions: Sequence[str], config: Config, budget: str) -> int:
    """The sum over models; nothing is computed, only traced."""
    example = jax.tree.map(lambda x: jax.ShapeDtypeStruct((1, *x.shape[1:]), x.dtype), task.splits["train"])
    total = 0
    for fusion in fusions:
        model = build_model(task.modalities, task.target, fusion, config)
        variables = jax.eval_shape(lambda example, model=model: initialise(model, jax.random.key(0), example), example)
        if budget == "parameters":
            total += sum(math.prod(leaf.shape) for leaf in jax.tree.leaves(variables["params"]))
        else:
            total += count_flops(lambda v, x, model=model: model.apply(v, x).logits, variables, example)
    return total
