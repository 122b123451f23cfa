"""What a program takes of a device's memory, and what the device has: known before the program runs."""

from __future__ import annotations

import math
import os
from collections.abc import Sequence
from pathlib import Path

import jax

CGROUPS = Path("/sys/fs/cgroup")
GIB = 2**30


class OutOfMemory(jax.errors.JaxRuntimeError):
    """A program does not fit on its device, as JAX would say when it runs: if it did, and not the system's killer."""

    def __init__(self, needed: int, available: int):
        """Bytes of a device."""
        super().__init__(
            f"not enough memory: a program takes {needed / GIB:,.1f} GiB of the {available / GIB:,.1f} GiB that a "
            "device has; give smaller sizes, fewer --seeds, a smaller batch_size, or --data=stream"
        )


def device_memory(devices: Sequence[jax.Device]) -> int:
    """Bytes of the smallest of this process's devices; on a CPU, where they share it, each one's part."""
    limits = [(device.memory_stats() or {}).get("bytes_limit") for device in devices]
    if None not in limits:
        return min(limits)
    return host_memory() // len(devices)


def host_memory(cgroups: Path = CGROUPS, own: Path = Path("/proc/self/cgroup")) -> int:
    """Bytes that this process may use: the machine's, or less where a container, a queue or `ulimit -v` says so."""
    limits = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"), *_cgroup_limits(cgroups, own)]
    try:
        import resource

        address_space = resource.getrlimit(resource.RLIMIT_AS)[0]
        limits += [] if address_space == resource.RLIM_INFINITY else [address_space]
    except ImportError:  # no Unix
        pass
    return min(limits)


def _cgroup_limits(cgroups: Path, own: Path) -> list[int]:
    """Of this process's control group and all above it, of version 2 or 1; there are none without Linux."""
    try:
        lines = own.read_text().splitlines()
    except OSError:
        return []
    limits = []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers and "memory" not in controllers.split(","):
            continue
        root, name = (cgroups / "memory", "memory.limit_in_bytes") if controllers else (cgroups, "memory.max")
        group = root / path.lstrip("/")
        for folder in (group, *group.parents):
            try:
                limits.append(int((folder / name).read_text()))
            except (OSError, ValueError):  # no such file, or "max"
                pass
            if folder == root:
                break
    return limits


def size_of(tree) -> int:
    """Bytes of arrays, or of what stands for them in a trace."""
    return sum(math.prod(leaf.shape) * _itemsize(leaf.dtype) for leaf in jax.tree.leaves(tree))


def _itemsize(dtype) -> int:
    if jax.dtypes.issubdtype(dtype, jax.dtypes.prng_key):
        return 8  # of threefry: two words
    return dtype.itemsize


def compiled_size(program) -> int:
    """Bytes that a compiled program takes of each device at its most; 0 where the device's compiler does not say."""
    stats = program.memory_analysis()
    if stats is None:
        return 0
    sizes = (stats.argument_size_in_bytes, stats.output_size_in_bytes, stats.temp_size_in_bytes)
    return sum(sizes) - stats.alias_size_in_bytes
