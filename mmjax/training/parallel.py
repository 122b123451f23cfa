"""Seeds and batches over devices: the only file that knows there are several.

A program is written for one seed on one device. `Compiler` maps it over that device's seeds and over a leading axis of
devices, which several processes may hold. Where devices split the batch, the function sums over the axis AXIS.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Sequence
from functools import partial

import jax
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import AxisType, Mesh, NamedSharding, PartitionSpec

from mmjax.errors import InputError
from mmjax.interrupts import deferred
from mmjax.training.memory import OutOfMemory, compiled_size, device_memory, size_of
from mmjax.training.processes import any_process

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
        if jax.process_count() > 1 and self.devices != available:
            raise InputError(
                f"--devices={self.devices} is not accepted: the processes have {available} devices together, and all "
                "of them take part; leave the flag out"
            )
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

    @property
    def own(self) -> list[int]:
        """Places in D of the devices that this process has."""
        return [place for place, device in enumerate(self.mesh.devices) if device.process_index == jax.process_index()]

    @property
    def own_devices(self) -> list[jax.Device]:
        """The devices at these places."""
        return [self.mesh.devices[place] for place in self.own]

    def replicate(self, tree):
        """Arrays put on every device, once."""
        return jax.device_put(tree, NamedSharding(self.mesh, PartitionSpec()))

    def put(self, tree):
        """Host arrays with a leading axis of devices, each slice put on its own."""
        return self.put_own(jax.tree.map(lambda x: np.asarray(x)[self.own], tree))

    def put_own(self, tree):
        """The same, of arrays that have this process's devices alone."""
        sharding = NamedSharding(self.mesh, PartitionSpec(AXIS))
        return jax.tree.map(
            lambda x: jax.make_array_from_process_local_data(sharding, x, (self.devices, *x.shape[1:])), tree
        )

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
            if self.splits_batch:  # every device has the same
                return np.asarray(x.addressable_data(0))[0]
            x = on_host(x)
            return x.reshape(-1, *x.shape[2:])[:count]

        return jax.tree.map(gather, tree)

    def gather_examples(self, predictions: np.ndarray, count: int) -> np.ndarray:
        """Predictions [D, seeds per device, chunks, rows, K] as [count, examples, K], in the order of the split."""
        outputs = predictions.shape[-1]
        if self.splits_batch:
            return np.moveaxis(predictions, 0, 1).reshape(count, -1, outputs)
        return predictions.reshape(self.seeds.size, -1, outputs)[:count]


def on_host(x) -> np.ndarray:
    """The whole of an array, whichever processes hold it."""
    return np.asarray(x if x.is_fully_addressable else multihost_utils.process_allgather(x, tiled=True))


def lay_out(seeds: tuple[int, ...], placement: Placement) -> Layout:
    """Seeds over devices: no more devices than seeds where seeds are split, as few idle as can be.

    Several processes take part with all their devices, of which some may repeat the last seed.
    """
    splits_batch = placement.split == "batch" or (placement.split == "auto" and len(seeds) < placement.devices)
    if splits_batch:
        return Layout(np.tile(np.int32(seeds), (placement.devices, 1)), placement.devices > 1, placement.parallel)
    per_device = -(-len(seeds) // placement.devices)
    devices = placement.devices if jax.process_count() > 1 else -(-len(seeds) // per_device)
    filled = (*seeds, *(seeds[-1],) * (devices * per_device - len(seeds)))
    return Layout(np.int32(filled).reshape(devices, per_device), False, placement.parallel)


class Compiler:
    """Runs functions of one seed for all seeds on all devices, each compiled when it first meets its shapes.

    Attributes:
      seconds: spent on compilation so far.
    """

    def __init__(self, layout: Layout):
        self.layout = layout
        self.seconds = 0.0
        self._programs: dict[tuple, Callable] = {}

    def __call__(self, function: Callable, *arguments, axes: str, donate: int = 0, once: bool = False, **static):
        """`function(*arguments, **static)` for every seed, [D, seeds per device, ...].

        Args:
          function: of one seed on one device; a function or a bound method, which equals itself.
          axes: a letter an argument: "s" where every seed has its own [D, seeds per device, ...], "d" where every
            device has its own [D, ...], "a" where all have the same.
          donate: how many of the first arguments' buffers are reused for the results.
          once: what runs once is not worth optimising: LLVM takes seven times longer over the initialisers than they
            run.
          static: what is compiled into the program.
        """
        shapes = tuple(leaf.shape for leaf in jax.tree.leaves(arguments))
        key = (function, axes, tuple(sorted(static.items())), shapes)
        if key not in self._programs:
            started = time.perf_counter()
            over_seeds = jax.vmap(
                partial(function, **static), in_axes=tuple(0 if axis == "s" else None for axis in axes)
            )
            program = spread(over_seeds, self.layout, [axis != "a" for axis in axes], donate)
            options = {"xla_backend_optimization_level": 0} if once else {}
            self._programs[key] = self._compile(program, arguments, axes, donate, options)
            self.seconds += time.perf_counter() - started
        return self._programs[key](*arguments)

    def _compile(self, program: Callable, arguments, axes: str, donate: int, options: dict):
        """The program for these arguments, known to fit into memory."""
        with deferred() as interrupts:
            lowered = program.lower(*arguments)
            kept = zip((*arguments[donate:], lowered.out_info), axes[donate:] + "s", strict=True)
            self._check_fits(sum(size_of(each) // (1 if axis == "a" else self.layout.devices) for each, axis in kept))
            compiled = lowered.compile(compiler_options=options)
            if jax.process_count() == 1:  # several ask together, after each evaluation
                interrupts.raise_if_noted()
            self._check_fits(compiled_size(compiled))
        return compiled

    def _check_fits(self, needed: int):
        """Raises OutOfMemory, in all processes, if a device of one has less than `needed` bytes."""
        available = device_memory(self.layout.own_devices)
        if any_process(needed > available):
            raise OutOfMemory(needed, available)


def spread(function: Callable, layout: Layout, own: Sequence[bool], donate: int = 0) -> Callable:
    """A function of one device, mapped over the leading axis of some arguments and of the results.

    Args:
      own: of each argument, whether every device has its own; the others are the same on all.
      donate: how many of the first arguments' buffers are reused for the results.
    """
    donated = tuple(range(donate))
    if layout.parallel == "pmap":
        axes = tuple(0 if each else None for each in own)
        devices = jax.devices()[: layout.devices]
        return jax.pmap(function, AXIS, in_axes=axes, devices=devices, donate_argnums=donated)

    def block(*arguments):
        pairs = zip(arguments, own, strict=True)
        results = function(*(jax.tree.map(lambda x: x[0], argument) if each else argument for argument, each in pairs))
        return jax.tree.map(lambda x: x[None], results)

    specs = tuple(PartitionSpec(AXIS) if each else PartitionSpec() for each in own)
    mapped = jax.shard_map(block, mesh=layout.mesh, in_specs=specs, out_specs=PartitionSpec(AXIS), check_vma=False)
    return jax.jit(mapped, donate_argnums=donated)
