"""What a training strategy is made of: phases, each with a goal."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from mmjax.config import Config
from mmjax.decoders.heads import ThrowawayHeads
from mmjax.training.losses import objective, task_loss
from mmjax.types import Array, Batch, ModalitySpec, Outputs, TargetSpec


class Setting(NamedTuple):
    """What a goal knows before any example is seen.

    Attributes:
      modalities: those that the model fuses.
      target: what is predicted.
      config: hyper-parameters.
      axis_name: axis of the devices that split the batch, or None.
    """

    modalities: tuple[ModalitySpec, ...]
    target: TargetSpec
    config: Config
    axis_name: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """The modalities' names, sorted: the order of every array over modalities."""
        return tuple(sorted(spec.name for spec in self.modalities))

    def over_devices(self, tree):
        """The sum over the devices that split the batch."""
        return jax.lax.psum(tree, self.axis_name) if self.axis_name else tree

    def all_rows(self, tree):
        """The rows of all devices that split the batch, [devices * B, ...]."""
        return jax.lax.all_gather(tree, self.axis_name, tiled=True) if self.axis_name else tree


class Seen(NamedTuple):
    """A training step's forward pass, as a goal sees it. Rows of weight 0 only fill the batch up.

    Attributes:
      outputs: the model's.
      heads: what the goal's own heads say of `Goal.bases(outputs)`; None without heads.
      subsets: [N, B, K] D of the goal's N `subsets` of the modalities; None without.
      batch: after `Goal.see`; of this device, and with gradient accumulation of this part of the batch, which a
        strategy with `whole_batch` is never given.
      annealing: min(1, epoch / T).
      memory: the goal's own.
      keys: [B] random keys, one a row, independent of devices.
      again: noise (modality -> [B, ...], as the model takes it) -> Outputs of a second pass with it.
      starts: () -> what that noise is added to.
    """

    outputs: Outputs
    heads: Any
    subsets: Array | None
    batch: Batch
    annealing: Array
    memory: Any
    keys: Array
    again: Callable[[Mapping[str, Array]], Outputs]
    starts: Callable[[], Mapping[str, Array]]


class Goal:
    """What a phase minimises, and what it makes of the gradient; pure functions, of which the defaults are `joint`'s.

    Attributes:
      setting: static facts.
      throwaway_heads: whether the heads are a dense one on each of `bases`.
      heads: a module whose parameters are trained with the phase and then thrown away, or None.
      encoders_alone: the model is only asked for its embeddings, each encoder by itself.
      subsets: [N, M] bool, over the sorted names, of which D is wanted for each batch; () for none.
      measures: whether `measured` is called before the phase and after it.
    """

    throwaway_heads: bool = False
    heads: Any = None
    encoders_alone: bool = False
    subsets: Any = ()
    measures: bool = False

    def __init__(self, setting: Setting):
        self.setting = setting
        if self.throwaway_heads:
            self.heads = ThrowawayHeads(setting.target.outputs)

    def bases(self, outputs: Outputs) -> tuple:
        """What the heads are called with: the embeddings, unless it says otherwise."""
        return (outputs.embeddings,)

    def noise(self, keys: Array) -> tuple:
        """What else they are called with in training, of [B] keys as Seen has them."""
        return ()

    def remember(self, outputs: Outputs, previous: Any) -> Any:
        """The memory at the start of the phase: a tree of arrays, which `combine` may change at every step.

        Args:
          outputs: of one example, for shapes.
          previous: memory at the end of the phase before; {} before the first.
        """
        return previous

    def see(self, batch: Batch, keys: Array) -> Batch:
        """The batch as it is trained on."""
        return batch

    def losses(self, seen: Seen) -> tuple[tuple[Array, ...], Any]:
        """One or more losses, each [B] or a scalar (a mean over the whole batch); and what `combine` shall know.

        Returns:
          The losses, whose weighted means have a gradient each; and a tree of sums over this device's rows, summed
          over the devices and the parts of the batch.
        """
        return (self.plain_loss(seen),), {}

    def combine(self, gradients: tuple, observed: Any, memory: Any, key: Array, step: Array) -> tuple[Any, Any]:
        """The gradient that the optimiser gets, and the memory after.

        Args:
          gradients: one a loss, {"model": ..., "heads": ...} as the parameters are.
          observed: the sums that `losses` gave.
          key: the same on all devices.
          step: of the phase, from 0.
        """
        return gradients[0], memory

    def epoch_ended(self, memory: Any) -> Any:
        """The memory after the last step of an epoch."""
        return memory

    def measured(self, memory: Any, held_in: Array, held_out: Array, after: bool) -> Any:
        """The memory after the decisions' losses on two slices of the training split were measured.

        Args:
          held_in, held_out: [decisions] mean loss of each of `decisions` over the rows that are `counted` for it, on
            rows trained on and on rows held out; 0 without any.
          after: False before the phase's first epoch, True after its last.
        """
        return memory

    def counted(self, batch: Batch) -> list[Array]:
        """[B] bool of each of `decisions`: the rows that it is measured on."""
        return [jnp.ones(batch.size, bool)]

    def decisions(self, outputs: Outputs, heads: Any) -> list[Array]:
        """The decisions [B, K] whose mean loss and score are logged, and choose the epoch."""
        return [outputs.logits]

    def plain_loss(self, seen: Seen) -> Array:
        """L(D) with what the fusion adds to it, [B]."""
        setting = self.setting
        weight = setting.config.auxiliary_weight
        return objective(setting.target, seen.outputs, seen.batch.target, seen.annealing, weight)

    def losses_of(self, decisions: Mapping[str, Array], batch: Batch) -> dict[str, Array]:
        """key -> L [B] of each decision; 0 where the key is a modality's and the row lacks it."""
        losses = {key: task_loss(self.setting.target, logits, batch.target) for key, logits in decisions.items()}
        return {key: jnp.where(batch.present.get(key, True), loss, 0) for key, loss in losses.items()}


class Phase(NamedTuple):
    """A stretch of training with one goal.

    Attributes:
      name: as the metrics call it.
      trains: the PARTS that learn; the others are frozen, bit for bit.
      goal: what is minimised.
      epochs: at most.
      restart: whether it starts from the run's initial theta, and not from the best of the phase before.
      held_out: whether it trains without the held-out slice of the training split.
    """

    name: str
    trains: tuple[str, ...]
    goal: Goal
    epochs: int
    restart: bool = False
    held_out: bool = False
