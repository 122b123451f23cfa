"""How a time is taken: compiled apart, warmed up, waited for, and repeated."""

import resource
import statistics
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

import jax
import numpy as np


class Timing(NamedTuple):
    """Seconds of one call.

    Attributes:
      compile_seconds: of tracing, lowering and compiling; 0 for what was compiled before.
      median, quartile_low, quartile_high, p95: of the repeats.
      repeats: timed calls.
    """

    compile_seconds: float
    median: float
    quartile_low: float
    quartile_high: float
    p95: float
    repeats: int


def measure(function: Callable, *args, warmup: int = 2, repeats: int = 20) -> Timing:
    """Times `function(*args)`, each call until its result is there.

    Args:
      function: one that JAX can compile, jitted (or pmapped) already or not. It must not donate
        its arguments: every call gets the same ones.
      *args: its arguments.
      warmup: calls that are not timed.
      repeats: calls that are.
    """
    jitted = function if hasattr(function, "lower") else jax.jit(function)
    started = time.perf_counter()
    compiled = jitted.lower(*args).compile()
    compile_seconds = time.perf_counter() - started
    return summarise(_seconds(compiled, args, warmup, repeats), compile_seconds)


def summarise(seconds: list[float], compile_seconds: float = 0.0) -> Timing:
    """The Timing of calls whose seconds are known."""
    low, high, p95 = np.quantile(seconds, [0.25, 0.75, 0.95]).tolist()
    return Timing(compile_seconds, statistics.median(seconds), low, high, p95, len(seconds))


def peak_memory_bytes() -> int:
    """The most memory held so far: the device's own count, or where it keeps none (CPU) this process's."""
    counts = jax.local_devices()[0].memory_stats() or {}
    if "peak_bytes_in_use" in counts:
        return counts["peak_bytes_in_use"]
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _seconds(compiled: Callable, args: tuple, warmup: int, repeats: int) -> list[float]:
    seconds = []
    for call in range(warmup + repeats):
        started = time.perf_counter()
        jax.block_until_ready(compiled(*args))
        if call >= warmup:
            seconds.append(time.perf_counter() - started)
    return seconds
