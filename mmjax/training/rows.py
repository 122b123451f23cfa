"""Which examples make a batch, as row numbers of a split; -1 stands for none."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from mmjax.types import Array, Batch

WATCHED = 128  # training examples that a monitor looks at


def batches_of(order: Array, batch_size: int, devices: int, local_batch: int) -> Array:
    """An order of rows cut into batches, [steps, devices, local batch]; the last one is filled up.

    Args:
      order: [n] rows.
      batch_size: over all devices, which share it as evenly as `local_batch` rows each allow.
    """
    steps = -(-len(order) // batch_size)
    rows = jnp.pad(order, (0, steps * batch_size - len(order)), constant_values=-1).reshape(steps, batch_size)
    rows = jnp.pad(rows, ((0, 0), (0, devices * local_batch - batch_size)), constant_values=-1)
    return rows.reshape(steps, devices, local_batch)


def take(data: Batch, rows: Array) -> Batch:
    """The rows of a split as a batch; where a row is -1 the first stands, and weighs nothing."""
    batch = jax.tree.map(lambda x: x.at[jnp.maximum(rows, 0)].get(mode="promise_in_bounds"), data)
    return batch._replace(weight=batch.weight * (rows >= 0))


def parted(examples: int, share: float) -> tuple[np.ndarray, np.ndarray]:
    """Rows of a split that are trained on, and those held out: at random, the same for all seeds."""
    order = np.random.default_rng(0).permutation(examples)
    held_out = max(1, round(share * examples))
    return np.sort(order[held_out:]), np.sort(order[:held_out])


def measured_rows(examples: int, share: float) -> tuple[np.ndarray, np.ndarray]:
    """As many rows that are trained on as are held out, at random, and those held out; of `parted`."""
    held_in, held_out = parted(examples, share)
    drawn = np.random.default_rng(1).permutation(held_in)[: len(held_out)]
    return np.sort(drawn), held_out


def watched_rows(examples: int) -> np.ndarray:
    """At most WATCHED rows, evenly spaced."""
    return np.unique(np.linspace(0, examples - 1, min(WATCHED, examples)).astype(int))
