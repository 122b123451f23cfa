"""A cell's work, as training does it, in pieces that can be timed and counted one by one."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.flops import count_flops
from mmjax.config import Config
from mmjax.model import PARTS, build_model
from mmjax.training.parallel import Placement, lay_out, spread
from mmjax.training.step import PhasePrograms
from mmjax.training.strategies import STRATEGIES
from mmjax.training.strategies.goal import Setting
from mmjax.types import Task


class Workload(NamedTuple):
    """What a cell runs under the strategy `joint`, on one device.

    Attributes:
      train: one epoch of all S seeds, mapped and jitted; gives the state after, and sums.
      train_arguments: state [1, S, ...], the training split, epochs before, the epoch's number.
      predict: all S seeds' logits of the validation split.
      predict_arguments: theta [1, S, ...], the validation split.
      respond: one seed's logits of one batch.
      respond_arguments: variables, a batch of the validation split.
      parameters: of one seed's model.
      forward_flops: of one example's logits.
      train_flops: of one example's share of a training step, the optimiser's included.
    """

    train: Callable
    train_arguments: tuple
    predict: Callable
    predict_arguments: tuple
    respond: Callable
    respond_arguments: tuple
    parameters: int
    forward_flops: int
    train_flops: int


def workload(task: Task, fusion: str, config: Config, seeds: Sequence[int], parallel: str = "pmap") -> Workload:
    """The work of a cell.

    A decision rule over models that are trained apart is measured as the one model that they
    make up: its epoch trains them all.

    Args:
      task: with its splits.
      fusion: a name in FUSIONS, or "unimodal/<modality>".
      config: sizes, batch and optimiser.
      seeds: trained side by side.
      parallel: how the device's work is mapped, "pmap" or "shard_map"; "jit" does not map it.
    """
    model = build_model(task.modalities, task.target, fusion, config)
    examples = task.splits["train"].size
    (phase,) = STRATEGIES["joint"].phases(Setting(model.modalities, model.target, config), frozenset(PARTS))
    programs = PhasePrograms(model, phase, config, examples, devices=1)
    one_epoch = partial(programs.train, count=1)

    layout = lay_out(tuple(seeds), Placement(parallel="pmap" if parallel == "jit" else parallel))
    train_split, validation = (layout.replicate(task.splits[name]) for name in ("train", "validation"))
    example = jax.tree.map(lambda x: x[:1], train_split)
    begin = partial(programs.begin, rate=jnp.float32(1), example=example)
    state = _over_seeds(begin, layout, 0, parallel)(layout.put(layout.seeds))
    epoch = (train_split, jnp.int32(0), jnp.int32(1))
    batch = jax.tree.map(lambda x: x[: config.batch_size], validation)
    theta = jax.tree.map(lambda x: x[0, 0], state.theta)
    variables = {"params": theta.params, "batch_stats": theta.batch_stats}

    def respond(variables, batch):
        return model.apply(variables, batch).logits

    one_state = jax.eval_shape(begin, jnp.int32(0))
    drawn = programs.steps * config.batch_size
    return Workload(
        _over_seeds(one_epoch, layout, 3, parallel),
        (state, *epoch),
        _over_seeds(programs.predict, layout, 1, parallel),
        (state.theta, validation),
        jax.jit(respond),
        (variables, batch),
        sum(int(np.prod(leaf.shape)) for leaf in jax.tree.leaves(theta.params)),
        count_flops(respond, variables, batch) // batch.size,
        count_flops(one_epoch, one_state, *epoch) // drawn,
    )


def _over_seeds(function: Callable[..., Any], layout, shared: int, parallel: str) -> Callable[..., Any]:
    """The function of one seed, for all of a device's seeds, on a leading axis of one device."""
    mapped = jax.vmap(function, in_axes=(0, *(None,) * shared))
    if parallel != "jit":
        return spread(mapped, layout, [True] + [False] * shared)

    def plain(state, *others):
        result = mapped(jax.tree.map(lambda x: x[0], state), *others)
        return jax.tree.map(lambda x: x[None], result)

    return jax.jit(plain)
