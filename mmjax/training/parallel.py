"""Seeds and batches over devices: the only file that knows there are several.

A program is written for one device: `function(state, *shared)`, the state with a leading axis of that device's seeds.
`spread` maps it over a leading axis of devices. Where devices split the batch, the function
sums over the axis AXIS.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import jax
import numpy as np
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from mmjax.errors import InputError

AXIS = "devices"
PARALLEL = ("pmap", "shard_map")
SPLITS = ("auto", "seeds", "batch")


@dataclasses.dataclass(frozen=True)
class Placement:
    """Which devices a cell trains on, and what they divide.

    Attributes:
      devices: how many, at most.
      parallel: one of PARALLEL; both run the same function.
      split: one of SPLITS; "auto" divides the seeds when there are as many as devices, else the batch.
    """

    devices: int = 1
    parallel: str = "pmap"
    split: str = "auto"

    def __post_init__(self):
        if self.parallel not in PARALLEL:
            raise InputError(f"--parallel={self.parallel} is not accepted: give {' or '.join(PARALLEL)}")
        if self.split not in SPLITS:
            raise InputError(f"--split_devices={self.split} is not accepted: give one of {', '.join(SPLITS)}")
        available = len(jax.devices())
        if not 1 <= self.devices <= available:
            raise InputError(
                f"--devices={self.devices} is not accepted: 1 to {available} are here (on a CPU more are simulated by "
                f"XLA_FLAGS=--xla_force_host_platform_device_count={max(self.devices, 1)})"
            )


@dataclasses.dataclass(frozen=True)
class Layout:
    """How S seeds lie on D devices.

    Attributes:
      seeds: [D, seeds per device] int32; equal rows where the batch is split, else the last may be filled up.
      splits_batch: whether the devices share every seed and divide its batch.
      parallel: as in Placement.
    """

    seeds: np.ndarray
    splits_batch: bool
    parallel: str

    @property
    def devices(self) -> int:
        """D."""
        return self.seeds.shape[0]

    @property
    def mesh(self) -> Mesh:
        """The devices as a mesh of one axis."""
        return Mesh(np.array(jax.devices()[: self.devices]), (AXIS,), axis_types=(AxisType.Auto,))

    def replicate(self, tree):
        """Arrays put on every device, once."""
        return jax.device_put(tree, NamedSharding(self.mesh, PartitionSpec()))

    def put(self, tree):
        """Host arrays with a leading axis of devices, each slice put on its own."""
        return jax.device_put(tree, NamedSharding(self.mesh, PartitionSpec(AXIS)))

    def arrange(self, tree):
        """Host arrays [S, ...], in the order of the seeds, put on the devices as `seeds` says."""
        devices, per_device = self.seeds.shape

        def lay(x):
            if self.splits_batch:
                return np.tile(x, (devices,) + (1,) * x.ndim)
            filled = np.concatenate([x, *[x[-1:]] * (devices * per_device - len(x))])
            return filled.reshape(devices, per_device, *x.shape[1:])

        return self.put(jax.tree.map(lay, tree))

    def per_seed(self, tree, count: int):
        """Results [D, seeds per device, ...] as NumPy [count, ...], in the order of the seeds."""

        def gather(x):
            x = np.asarray(x)
            return x[0] if self.splits_batch else x.reshape(-1, *x.shape[2:])[:count]

        return jax.tree.map(gather, tree)

    def gather_examples(self, predictions, count: int) -> np.ndarray:
        """Predictions [D, seeds per device, chunks, rows, K] as [count, examples, K], in the order of the split."""
        predictions = np.asarray(predictions)
        outputs = predictions.shape[-1]
        if self.splits_batch:
            return np.moveaxis(predictions, 0, 1).reshape(count, -1, outputs)
        return predictions.reshape(self.seeds.size, -1, outputs)[:count]


def lay_out(seeds: tuple[int, ...], placement: Placement) -> Layout:
    """Seeds over devices: no more devices than seeds where seeds are split, as few idle as can be."""
    splits_batch = placement.split == "batch" or (placement.split == "auto" and len(seeds) < placement.devices)
    if splits_batch:
        return Layout(np.tile(np.int32(seeds), (placement.devices, 1)), placement.devices > 1, placement.parallel)
    per_device = -(-len(seeds) // placement.devices)
    devices = -(-len(seeds) // per_device)
    filled = (*seeds, *(seeds[-1],) * (devices * per_device - len(seeds)))
    return Layout(np.int32(filled).reshape(devices, per_device), False, placement.parallel)


def spread(function: Callable, layout: Layout, shared: int, donate: bool = False) -> Callable:
    """`function(state, *shared)` of one device, mapped over the leading axis of state and of the results.

    Args:
      function: its first argument belongs to a device, the others are the same on all.
      shared: how many others there are.
      donate: the state's buffers are reused for the result.
    """
    donated = (0,) if donate else ()
    if layout.parallel == "pmap":
        axes = (0, *(None,) * shared)
        devices = jax.devices()[: layout.devices]
        return jax.pmap(function, AXIS, in_axes=axes, devices=devices, donate_argnums=donated)

    def block(state, *others):
        results = function(jax.tree.map(lambda x: x[0], state), *others)
        return jax.tree.map(lambda x: x[None], results)

    specs = (PartitionSpec(AXIS), *(PartitionSpec(),) * shared)
    mapped = jax.shard_map(block, mesh=layout.mesh, in_specs=specs, out_specs=PartitionSpec(AXIS), check_vma=False)
    return jax.jit(mapped, donate_argnums=donated)
