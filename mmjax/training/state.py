"""What training carries from step to step, of one seed."""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from mmjax.types import Array


class Theta(NamedTuple):
    """What a model needs: its parameters and running statistics, and those of the goal's own heads."""

    params: Any
    batch_stats: Any
    heads: Any


class SeedState(NamedTuple):
    """Everything that training changes, of one seed.

    Attributes:
      seed: int32.
      rate: its learning rate over the config's.
      theta: as it is now.
      optimizer_state: of the parameters that the phase trains.
      memory: of the phase's goal.
      best: theta of the best evaluation of this phase.
      best_score, best_loss, best_epoch: of that evaluation, on validation.
      stale: evaluations since.
      stopped: bool; a stopped seed's theta no longer changes.
    """

    seed: Array
    rate: Array
    theta: Theta
    optimizer_state: Any
    memory: Any
    best: Theta
    best_score: Array
    best_loss: Array
    best_epoch: Array
    stale: Array
    stopped: Array


class Sums(NamedTuple):
    """Weighted sums over examples, to be divided by `weight` once."""

    loss: Array
    score: Array
    weight: Array


def no_sums() -> Sums:
    """The Sums of no example."""
    return Sums(jnp.float32(0), jnp.float32(0), jnp.float32(0))


class Trace(NamedTuple):
    """An epoch of training: sums over its batches, each as it was met.

    Attributes:
      sums: of the decisions' loss and score.
      objective: weighted sum of what is minimised.
      norms: modality -> sum over steps of the norm of the gradient of its encoder's parameters.
    """

    sums: Sums
    objective: Array
    norms: Any


def no_trace(modalities: tuple[str, ...]) -> Trace:
    """The Trace of no step."""
    return Trace(no_sums(), jnp.float32(0), dict.fromkeys(modalities, jnp.float32(0)))


def add(first, second):
    """The sum of two trees of one form."""
    return jax.tree.map(jnp.add, first, second)
