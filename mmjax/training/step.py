"""One seed's programs of one phase, as pure functions: train an interval, evaluate a split, keep the best.

They are mapped over seeds and devices elsewhere (`parallel`). The batch at step t is a function of
(seed, t) alone, whatever the devices do and wherever the data lie.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from mmjax.config import Config
from mmjax.model import MultimodalModel, initialise, part_of
from mmjax.training.augment import augmentation_of
from mmjax.training.forward import Forward
from mmjax.training.losses import score, task_loss
from mmjax.training.monitor import discrepancy_ratios, gradient_norms, lone_subsets
from mmjax.training.optimizer import make_optimizer
from mmjax.training.parallel import AXIS
from mmjax.training.randomness import Purpose, key_for
from mmjax.training.rows import batches_of, parted, take
from mmjax.training.state import SeedState, Sums, Theta, Trace, add, no_sums, no_trace
from mmjax.training.strategies.goal import Phase
from mmjax.training.units import to_own
from mmjax.types import Array, Batch


class PhasePrograms:
    """The pure functions of one phase; holds only what is static (shapes, names, sizes)."""

    def __init__(self, model: MultimodalModel, phase: Phase, config: Config, examples: int, devices: int):
        """`devices`: how many split the batch; 1 if none do. `examples`: in the training split."""
        self.model, self.phase, self.config, self.devices = model, phase, config, devices
        self.goal = phase.goal
        self.forward = Forward(model, phase, config.precision)
        self.augment = augmentation_of(config.augment, model.modalities)
        self.usable = parted(examples, config.held_out)[0] if phase.held_out else np.arange(examples)
        self.steps = -(-len(self.usable) // config.batch_size)
        parts = config.accumulate
        self.local_batch = -(-config.batch_size // (devices * parts)) * parts
        self.optimizer = make_optimizer(config, phase.epochs, self.steps)
        self.names = tuple(sorted(spec.name for spec in model.modalities))

    def initial_theta(self, seed: Array, example: Batch) -> Theta:
        """Theta at the start of a run, from one example's shapes."""
        variables = initialise(self.model, key_for(seed, Purpose.PARAMETERS), example)
        return Theta(variables["params"], variables["batch_stats"], {})

    def begin(self, seed: Array, rate: Array, example: Batch) -> SeedState:
        """The state at the start of a run's first phase."""
        return self._fresh(seed, rate, self.initial_theta(seed, example), {}, example)

    def follow(self, previous: SeedState, example: Batch) -> SeedState:
        """The state at the start of a later phase: from the best theta of the one before, or the run's first."""
        theta = self.initial_theta(previous.seed, example) if self.phase.restart else previous.best
        return self._fresh(previous.seed, previous.rate, theta, previous.memory, example)

    def _fresh(self, seed: Array, rate: Array, theta: Theta, memory: Any, example: Batch) -> SeedState:
        """New heads, a new optimiser, and no best yet."""
        outputs = self.forward.evaluate(theta.params, theta.batch_stats, example)
        heads = {}
        if self.goal.heads is not None:
            heads = initialise(self.goal.heads, key_for(seed, Purpose.HEADS), *self.goal.bases(outputs))["params"]
        theta = theta._replace(heads=heads)
        worst = jnp.float32(jnp.inf)
        zero = jnp.int32(0)
        optimizer_state = self.optimizer.init(self._trained(theta))
        memory = self.goal.remember(outputs, memory)
        return SeedState(seed, rate, theta, optimizer_state, memory, theta, -worst, worst, zero, zero, jnp.bool_(False))

    def train(self, state: SeedState, data: Batch, epochs_before: Array, first_epoch: Array, count: int):
        """`count` epochs of training on a split that is here as a whole.

        Args:
          data: the training split.
          epochs_before: epochs of the run before this phase.
          first_epoch: the first epoch's number in this phase, from 1.

        Returns:
          The state after, and the Trace of the last epoch.
        """

        def epoch(state, offset):
            number = first_epoch + offset
            rows = self.order(state.seed, epochs_before + number)[:, self._device()]
            return self.train_block(state, no_trace(self.names), data, rows, epochs_before, number, jnp.int32(0))

        state, traces = jax.lax.scan(epoch, state, jnp.arange(count))
        return state, jax.tree.map(lambda t: t[-1], traces)

    def train_block(self, state, trace: Trace, data: Batch, rows: Array, epochs_before, epoch, first_index):
        """Consecutive steps of one epoch.

        Args:
          trace: of the epoch's steps before.
          data: examples.
          rows: [steps, local batch] of `data`; -1 fills a batch up.
          epochs_before, epoch: as in `train`; `epoch` counts in this phase, from 1.
          first_index: of the first of these steps in its epoch, from 0.
        """
        annealing = jnp.minimum(1.0, epoch / self.config.kl_epochs)

        def step(carry, rows_and_index):
            rows, index = rows_and_index
            state, trace = carry
            times = ((epochs_before + epoch) * self.steps + index, (epoch - 1) * self.steps + index)
            return self._step(state, trace, take(data, rows), times, annealing), None

        indices = first_index + jnp.arange(rows.shape[0])
        (after, trace), _ = jax.lax.scan(step, (state, trace), (rows, indices))
        if self.config.patience:
            after = jax.tree.map(lambda old, new: jnp.where(state.stopped, old, new), state, after)
        return after, trace

    def order(self, seed: Array, epoch: Array) -> Array:
        """Rows of every batch of an epoch of the run [steps, devices, local batch]; -1 fills the last batch up."""
        order = jax.random.permutation(key_for(seed, Purpose.ORDER, epoch), jnp.asarray(self.usable))
        return batches_of(order, self.config.batch_size, self.devices, self.local_batch)

    def validate(self, state: SeedState, data: Batch, watched: Batch, epoch: Array):
        """`choose` by the whole validation split, and the Sums over it."""
        sums, _ = self.evaluate(state.theta, no_sums(), data, self._own(self.chunks(data.size)))
        return *self.choose(state, sums, watched, epoch), sums

    def choose(self, state: SeedState, sums: Sums, watched: Batch, epoch: Array):
        """The state with the best theta so far, by the Sums over validation; and the discrepancy ratios."""
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
        return after, self.watch(state.theta, watched)

    def watch(self, theta: Theta, watched: Batch) -> dict[str, Array]:
        """Modality -> discrepancy ratio on some training examples; {} where a phase has no D, or one modality."""
        if self.goal.encoders_alone or len(self.names) < 2 or "decoder" not in self.phase.trains:
            return {}
        masks = lone_subsets(len(self.names))
        subsets = self.forward.subsets(theta.params, theta.batch_stats, watched, masks)
        return discrepancy_ratios(self.model.target, self.names, subsets, watched)

    def measure_whole(self, theta: Theta, data: Batch, rows: Array) -> Array:
        """`measure` on rows [devices, chunks, size] of a split that is here as a whole."""
        return self.measure(theta, data, self._own(rows))

    def measure(self, theta: Theta, data: Batch, rows: Array) -> Array:
        """Of each of the goal's decisions the sum of its losses, and of how many, [chunks, decisions, 2].

        Args:
          rows: [chunks, size] of `data`.
        """

        def chunk(nothing, rows):
            batch = take(data, rows)
            _, decisions = self._decisions(theta, batch)
            counts = [counted * batch.weight for counted in self.goal.counted(batch)]
            losses = [task_loss(self.model.target, logits, batch.target) for logits in decisions]
            sums = [((count * loss).sum(), count.sum()) for count, loss in zip(counts, losses, strict=True)]
            return nothing, self._over_devices(jnp.array(sums))

        return jax.lax.scan(chunk, None, rows)[1]

    def note(self, state: SeedState, held_in: Array, held_out: Array, after: bool) -> SeedState:
        """The state with what the goal makes of its decisions' mean losses on two slices of the training split."""
        return state._replace(memory=self.goal.measured(state.memory, held_in, held_out, after))

    def predict(self, theta: Theta, data: Batch) -> Array:
        """What `evaluate` gives over a whole split, this device's share where the batch is split: [chunks, rows, K]."""
        return self.evaluate(theta, no_sums(), data, self._own(self.chunks(data.size)))[1]

    def chunks(self, examples: int) -> np.ndarray:
        """Rows of a split in the order it is evaluated in, [devices, chunks, rows]; -1 where there is none."""
        share = -(-examples // self.devices)
        size = min(self.config.evaluation_batch_size, share)
        chunks = -(-share // size)
        rows = np.arange(self.devices * chunks * size)
        return np.where(rows < examples, rows, -1).reshape(self.devices, chunks, size)

    def evaluate(self, theta: Theta, sums: Sums, data: Batch, rows: Array):
        """Sums to which some rows [chunks, size] of `data` are added, and D for them, [chunks, size, K].

        D of a regression is in the target's own unit.
        """

        def chunk(sums, rows):
            batch = take(data, rows)
            outputs, decisions = self._decisions(theta, batch)
            own = jax.tree.map(partial(to_own, self.model.target), outputs.logits)  # None where a phase has no D
            return add(sums, self._over_devices(self._sums(decisions, batch))), own

        return jax.lax.scan(chunk, sums, rows)

    def _decisions(self, theta: Theta, batch: Batch):
        outputs = self.forward.evaluate(theta.params, theta.batch_stats, batch)
        return outputs, self.goal.decisions(outputs, self.forward.heads(theta.heads, outputs))

    def _trained(self, theta: Theta):
        """The parameters that this phase trains."""
        model = {name: p for name, p in theta.params.items() if part_of(name) in self.phase.trains}
        return {"model": model, "heads": theta.heads}

    def _step(self, state: SeedState, trace: Trace, batch: Batch, times, annealing):
        step_of_run, step_of_phase = times
        theta, goal = state.theta, self.goal
        if self.augment is not None:
            batch = self.augment(batch, self._row_keys(state.seed, Purpose.AUGMENT, step_of_run))
        keys = self._row_keys(state.seed, Purpose.GOAL, step_of_run)
        batch = goal.see(batch, keys)
        total = jnp.maximum(self._over_devices(batch.weight.sum()), 1)
        trained = self._trained(theta)

        def totals(batch_stats, batch, keys, dropout):
            """Over some of this device's rows: one gradient a loss, what was observed, Sums, objective; statistics."""

            def losses(trained):
                params, heads = {**theta.params, **trained["model"]}, trained["heads"]
                seen, changed = self.forward.train(
                    params, batch_stats, heads, batch, dropout, annealing, state.memory, keys
                )
                losses, observed = goal.losses(seen)
                weighted = [(loss * batch.weight).sum() for loss in losses]
                sums = self._sums(goal.decisions(seen.outputs, seen.heads), batch)
                return [each / total for each in weighted], (observed, sums, sum(weighted), changed)

            values, pull, (observed, sums, objective, changed) = jax.vjp(losses, trained, has_aux=True)
            units = np.eye(len(values), dtype=np.float32)
            return (tuple(pull(list(unit))[0] for unit in units), observed, sums, objective), changed

        dropout = key_for(state.seed, Purpose.DROPOUT, step_of_run)
        sums_over_rows, batch_stats = self._in_parts(totals, theta.batch_stats, (batch, keys), dropout)
        gradients, observed, sums, objective = self._over_devices(sums_over_rows)
        key = key_for(state.seed, Purpose.GRADIENT, step_of_run)
        gradient, memory = goal.combine(gradients, observed, state.memory, key, step_of_phase)
        ended = (step_of_phase + 1) % self.steps == 0
        memory = jax.tree.map(lambda new, same: jnp.where(ended, new, same), goal.epoch_ended(memory), memory)
        updates, optimizer_state = self.optimizer.update(gradient, state.optimizer_state, trained)
        trained = optax.apply_updates(trained, jax.tree.map(lambda update: state.rate * update, updates))
        theta = Theta({**theta.params, **trained["model"]}, batch_stats, trained["heads"])
        after = state._replace(theta=theta, optimizer_state=optimizer_state, memory=memory)
        return after, add(trace, Trace(sums, objective, gradient_norms(gradient["model"], self.names)))

    def _row_keys(self, seed: Array, purpose: Purpose, step: Array) -> Array:
        """A key for each row of this device's batch, the same however many devices split it."""
        positions = self._device() * self.local_batch + jnp.arange(self.local_batch)
        return jax.vmap(jax.random.fold_in, (None, 0))(key_for(seed, purpose, step), positions)

    def _in_parts(self, totals: Callable, batch_stats, batch_and_keys, dropout):
        """`totals` of the batch; or of its parts one after the other, added up."""
        parts = self.config.accumulate
        if parts == 1:
            return totals(batch_stats, *batch_and_keys, dropout)
        split = jax.tree.map(lambda x: x.reshape(parts, -1, *x.shape[1:]), batch_and_keys)

        def part(carry, rows_and_index):
            sums, batch_stats = carry
            rows, index = rows_and_index
            more, batch_stats = totals(batch_stats, *rows, jax.random.fold_in(dropout, index))
            return (add(sums, more), batch_stats), None

        shapes, _ = jax.eval_shape(totals, batch_stats, *jax.tree.map(lambda x: x[0], split), dropout)
        zeros = jax.tree.map(lambda shape: jnp.zeros(shape.shape, shape.dtype), shapes)
        return jax.lax.scan(part, (zeros, batch_stats), (split, jnp.arange(parts)))[0]

    def _sums(self, decisions, batch: Batch) -> Sums:
        """Over this device's rows."""
        target, count = self.model.target, len(decisions)
        loss = sum(task_loss(target, decision, batch.target) for decision in decisions) / count
        value = sum(score(target, decision, batch.target) for decision in decisions) / count
        return Sums((loss * batch.weight).sum(), (value * batch.weight).sum(), batch.weight.sum())

    def _own(self, rows):
        """This device's of [devices, ...]."""
        return jnp.asarray(rows)[self._device()]

    def _device(self):
        return jax.lax.axis_index(AXIS) if self.devices > 1 else 0

    def _over_devices(self, tree):
        """The sum over the devices that split the batch."""
        return jax.lax.psum(tree, AXIS) if self.devices > 1 else tree
