"""Decision rules over models that were trained one by one: fitted on validation, in milliseconds."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import jax
import numpy as np

from mmjax.config import Config
from mmjax.fusion import DECISION
from mmjax.fusion.decision.targets import decide, lift, present_rows
from mmjax.registry import build
from mmjax.training.units import to_learned, to_own
from mmjax.types import Task


def combine_decisions(
    task: Task, fusion: str, config: Config, unimodal: Mapping[str, Mapping[str, np.ndarray]]
) -> dict[str, np.ndarray]:
    """Fused logits of each split from the modalities' own.

    The rule's parameters, if it has any, are what its `fit` makes of the validation split. Values of a regression are
    combined in the unit that models learn in, of which 0 is what is usual in train, and come back in their own.

    Args:
      fusion: a decision-level rule that is not trained through.
      unimodal: modality -> split ("validation", "test") -> logits [n, K]; of any value where the modality is absent.

    Returns:
      split -> logits [n, K].
    """
    rule = build(DECISION, "fusion", fusion, config, regression=task.target.kind == "regression")
    validation = task.splits["validation"]
    said = {n: np.concatenate([unimodal[n][split] for split in ("validation", "test")]) for n in sorted(unimodal)}
    logits = {n: np.asarray(to_learned(task.target, values)) for n, values in said.items()}
    present = {n: np.concatenate([validation.present[n], task.splits["test"].present[n]]) for n in logits}
    params = {}
    if hasattr(rule, "fit"):
        seen = {n: l[: validation.size] for n, l in logits.items()}
        params = rule.fit(*_rows(task.target, seen, validation.present, validation.target))
    fused = np.asarray(to_own(task.target, _fuse(task.target, rule, params, logits, present)))
    return {"validation": fused[: validation.size], "test": fused[validation.size :]}


def _rows(target, logits, present, truth):
    """What a rule is fitted to: between classes, as `decide` has it; values as they are."""
    if target.kind == "regression":
        return logits, present, np.asarray(to_learned(target, truth.reshape(len(truth), -1)))
    lifted = {n: np.asarray(lift(target, l)) for n, l in logits.items()}
    rows = {n: np.asarray(p) for n, p in present_rows(target, present).items()}
    return lifted, rows, truth.reshape(-1).astype(np.int32)


# One program for all seeds of a task: a rule is known by its fields, not by its place in memory. It runs a few times
# over a few hundred rows, so that nearly all it costs is its compilation, which is shorter without optimisation.
@partial(jax.jit, static_argnums=(0, 1), compiler_options={"xla_backend_optimization_level": 0})
def _fuse(target, rule, params, logits, present):
    return decide(target, partial(rule.apply, {"params": params}), logits, present)
