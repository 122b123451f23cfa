"""One seed's programs of one phase, as pure functions: train an interval, evaluate a split, keep the best.

They are mapped over seeds and devices elsewhere (`parallel`). The batch at step t is a function of
(seed, t) alone, whatever the devices do.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import optax

from mmjax.config import Config
from mmjax.model import MultimodalModel, ThrowawayHeads, initialise, part_of
from mmjax.training.losses import objective, score, task_loss
from mmjax.training.optimizer import make_optimizer
from mmjax.training.parallel import AXIS
from mmjax.training.randomness import Purpose, key_for
from mmjax.training.strategies import Phase
from mmjax.types import Array, Batch


class Theta(NamedTuple):
    """What a model needs: its parameters and running statistics, and the throw-away heads'."""

    params: Any
    batch_stats: Any
    heads: Any


class SeedState(NamedTuple):
    """Everything that training changes, of one seed.

    Attributes:
      seed: int32.
      theta: as it is now.
      optimizer_state: of the parameters that the phase trains.
      best: theta of the best evaluation of this phase.
      best_score, best_loss, best_epoch: of that evaluation, on validation.
      stale: evaluations since.
      stopped: bool; a stopped seed's theta no longer changes.
    """

    seed: Array
    theta: Theta
    optimizer_state: Any
    best: Theta
    best_score: Array
    best_loss: Array
    best_epoch: Array
    stale: Array
    stopped: Array


class Sums(NamedTuple):
    """Weighted sums over examples, to be divided by `weight` once."""

    objective: Array
    loss: Array
    score: Array
    weight: Array


class PhasePrograms:
    """The pure functions of one phase; holds only what is static (shapes, names, sizes)."""

    def __init__(self, model: MultimodalModel, phase: Phase, config: Config, examples: int, devices: int):
        """`devices`: how many split the batch; 1 if none do. `examples`: in the training split."""
        self.model, self.phase, self.config, self.devices = model, phase, config, devices
        self.heads = ThrowawayHeads(model.target.outputs)
        self.examples = examples
        self.steps = -(-examples // config.batch_size)
        self.local_batch = -(-config.batch_size // devices)
        self.optimizer = make_optimizer(config, phase.epochs, self.steps)

    def initial_theta(self, seed: Array, example: Batch) -> Theta:
        """Theta at the start of a run, from one example's shapes."""
        variables = initialise(self.model, key_for(seed, Purpose.PARAMETERS), example)
        return Theta(variables["params"], variables["batch_stats"], {})

    def begin(self, seed: Array, example: Batch) -> SeedState:
        """The state at the start of a run's first phase."""
        return self._fresh(seed, self.initial_theta(seed, example), example)

    def follow(self, previous: SeedState, example: Batch) -> SeedState:
        """The state at the start of a later phase, from the best theta of the one before."""
        return self._fresh(previous.seed, previous.best, example)

    def _fresh(self, seed: Array, theta: Theta, example: Batch) -> SeedState:
        """New throw-away heads, a new optimiser, and no best yet."""
        outputs = self.model.apply({"params": theta.params, "batch_stats": theta.batch_stats}, example)
        bases = {"decoder": {}, "modalities": outputs.embeddings, "fused": {"fused": outputs.fused}}[self.phase.head]
        heads = initialise(self.heads, key_for(seed, Purpose.HEADS), bases)["params"] if bases else {}
        theta = theta._replace(heads=heads)
        worst = jnp.float32(jnp.inf)
        zero = jnp.int32(0)
        optimizer_state = self.optimizer.init(self._trained(theta))
        return SeedState(seed, theta, optimizer_state, theta, -worst, worst, zero, zero, jnp.bool_(False))

    def train(self, state: SeedState, data: Batch, epochs_before: Array, first_epoch: Array, count: int):
        """`count` epochs of training.

        Args:
          data: the whole training split.
          epochs_before: epochs of the run before this phase.
          first_epoch: the first epoch's number in this phase, from 1.

        Returns:
          The state after, and the Sums over the last epoch's batches, each as it was met.
        """

        def epoch(theta_and_optimizer, offset):
            number = first_epoch + offset
            rows = self._order(state.seed, epochs_before + number)
            first_step = (epochs_before + number) * self.steps
            annealing = jnp.minimum(1.0, number / self.config.kl_epochs)

            def step(carry, batch_rows_and_index):
                batch_rows, index = batch_rows_and_index
                batch = _take(data, jnp.maximum(batch_rows, 0), batch_rows >= 0)
                return self._step(*carry, batch, key_for(state.seed, Purpose.DROPOUT, first_step + index), annealing)

            carry, sums = jax.lax.scan(step, theta_and_optimizer, (rows, jnp.arange(self.steps)))
            return carry, jax.tree.map(lambda s: s.sum(0), sums)

        (theta, optimizer_state), sums = jax.lax.scan(epoch, (state.theta, state.optimizer_state), jnp.arange(count))
        after = state._replace(theta=theta, optimizer_state=optimizer_state)
        if self.config.patience:
            after = jax.tree.map(lambda old, new: jnp.where(state.stopped, old, new), state, after)
        return after, jax.tree.map(lambda s: s[-1], sums)

    def validate(self, state: SeedState, data: Batch, epoch: Array):
        """The state with the best theta so far, and the Sums over the validation split."""
        sums, _ = self._evaluate(state.theta, data)
        loss, value = sums.loss / sums.weight, sums.score / sums.weight
        better = {
            "metric": (value > state.best_score) | ((value == state.best_score) & (loss < state.best_loss)),
            "loss": loss < state.best_loss,
            "last": jnp.bool_(True),
        }[self.config.selection]
        better &= ~state.stopped
        stale = jnp.where(better, 0, state.stale + 1)
        patience = self.config.patience
        after = state._replace(
            best=jax.tree.map(lambda old, new: jnp.where(better, new, old), state.best, state.theta),
            best_score=jnp.where(better, value, state.best_score),
            best_loss=jnp.where(better, loss, state.best_loss),
            best_epoch=jnp.where(better, epoch, state.best_epoch),
            stale=stale,
            stopped=state.stopped | (stale >= patience) if patience else state.stopped,
        )
        return after, sums

    def predict(self, theta: Theta, data: Batch) -> Array:
        """D over a whole split, this device's share where the batch is split: [chunks, rows, K]."""
        return self._evaluate(theta, data)[1]

    def _trained(self, theta: Theta):
        """The parameters that this phase trains."""
        model = {name: p for name, p in theta.params.items() if part_of(name) in self.phase.trains}
        return {"model": model, "heads": theta.heads}

    def _step(self, theta, optimizer_state, batch, key, annealing):
        total = self._over_devices(batch.weight.sum())

        def loss(trained):
            joined = theta._replace(params={**theta.params, **trained["model"]}, heads=trained["heads"])
            losses, logits, batch_stats = self._forward(joined, batch, key, annealing, self.phase.trains)
            return (losses.objective * batch.weight).sum() / jnp.maximum(total, 1), (losses, batch_stats)

        trained = self._trained(theta)
        gradient, (losses, batch_stats) = jax.grad(loss, has_aux=True)(trained)
        updates, optimizer_state = self.optimizer.update(self._over_devices(gradient), optimizer_state, trained)
        trained = optax.apply_updates(trained, updates)
        theta = Theta({**theta.params, **trained["model"]}, batch_stats, trained["heads"])
        return (theta, optimizer_state), self._sum(losses, batch.weight)

    def _forward(self, theta: Theta, batch: Batch, key, annealing, train: tuple[str, ...]):
        """Sums not yet summed, [B] each; D's logits [B, K], None before there is a decoder; the batch statistics."""
        target, truth, precision = self.model.target, batch.target, self.config.precision
        variables = {"params": _cast(theta.params, precision), "batch_stats": theta.batch_stats}
        batch = batch._replace(inputs=_cast(batch.inputs, precision))
        method = "encode" if self.phase.head == "modalities" else "__call__"
        outputs, changed = self.model.apply(
            variables, batch, train, method=method, mutable=["batch_stats"], rngs={"dropout": key}
        )
        outputs = _cast(outputs, "float32")
        if self.phase.head == "decoder":
            logits = outputs.logits
            decisions = [logits]
            goal = objective(target, outputs, truth, annealing, self.config.auxiliary_weight)
        else:
            logits = None
            bases = outputs if self.phase.head == "modalities" else {"fused": outputs.fused}
            decisions = list(self.heads.apply({"params": theta.heads}, bases).values())
            goal = sum(task_loss(target, decision, truth) for decision in decisions)
        loss = sum(task_loss(target, decision, truth) for decision in decisions) / len(decisions)
        value = sum(score(target, decision, truth) for decision in decisions) / len(decisions)
        return Sums(goal, loss, value, jnp.ones_like(loss)), logits, changed.get("batch_stats", theta.batch_stats)

    def _evaluate(self, theta: Theta, data: Batch):
        """Sums over a split, and D's logits for this device's share of it, [chunks, rows, K]."""
        share = -(-data.size // self.devices)
        size = min(self.config.evaluation_batch_size, share)
        chunks = -(-share // size)
        rows = jnp.arange(self.devices * chunks * size).reshape(self.devices, chunks, size)
        rows = rows[self._device()]

        def chunk(rows):
            batch = _take(data, jnp.minimum(rows, data.size - 1), rows < data.size)
            values, logits, _ = self._forward(theta, batch, jax.random.key(0), jnp.float32(1), ())
            return self._sum(values, batch.weight), logits

        sums, logits = jax.lax.map(chunk, rows)
        return jax.tree.map(lambda s: s.sum(0), sums), logits

    def _order(self, seed: Array, epoch: Array) -> Array:
        """This device's rows of every batch of an epoch [steps, local batch]; -1 fills the last batch up."""
        order = jax.random.permutation(key_for(seed, Purpose.ORDER, epoch), self.examples)
        batch = self.config.batch_size
        order = jnp.pad(order, (0, self.steps * batch - self.examples), constant_values=-1).reshape(self.steps, batch)
        order = jnp.pad(order, ((0, 0), (0, self.devices * self.local_batch - batch)), constant_values=-1)
        return order.reshape(self.steps, self.devices, self.local_batch)[:, self._device()]

    def _device(self):
        return jax.lax.axis_index(AXIS) if self.devices > 1 else 0

    def _over_devices(self, tree):
        """The sum over the devices that split the batch."""
        return jax.lax.psum(tree, AXIS) if self.devices > 1 else tree

    def _sum(self, values: Sums, weight: Array) -> Sums:
        return self._over_devices(jax.tree.map(lambda v: (v * weight).sum(), values))


def _take(data: Batch, rows: Array, counts: Array) -> Batch:
    """The rows of a split as a batch; those that do not count weigh nothing."""
    batch = jax.tree.map(lambda x: x.at[rows].get(mode="promise_in_bounds"), data)
    return batch._replace(weight=batch.weight * counts)


def _cast(tree, precision: str):
    """Floating arrays of a tree in another precision."""
    return jax.tree.map(lambda x: x.astype(precision) if jnp.issubdtype(x.dtype, jnp.floating) else x, tree)
