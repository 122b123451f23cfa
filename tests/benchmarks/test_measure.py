"""Timing takes the calls it says, and its order statistics are right; no test asks how fast."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from benchmarks.measure import measure, peak_memory_bytes, summarise


def test_calls_are_warmed_up_and_repeated():
    calls = []

    def function(x):
        jax.debug.callback(lambda: calls.append(1))
        return x + 1

    timing = measure(function, jnp.ones(3), warmup=2, repeats=5)
    jax.effects_barrier()
    assert len(calls) == 7 and timing.repeats == 5
    assert 0 < timing.quartile_low <= timing.median <= timing.quartile_high <= timing.p95
    assert timing.compile_seconds > 0


def test_compiled_functions_are_timed_as_they_are():
    assert measure(jax.jit(jnp.sin), jnp.ones(3), warmup=0, repeats=1).repeats == 1
    assert measure(jax.pmap(jnp.sin), jnp.ones((1, 3)), warmup=0, repeats=1).repeats == 1


def test_summary_of_known_seconds():
    timing = summarise([float(second) for second in range(21, 0, -1)], compile_seconds=9)
    assert timing == pytest.approx((9, 11, 6, 16, 20, 21))


def test_peak_memory_holds_what_was_held():
    held = np.ones(2**22)
    assert peak_memory_bytes() > held.nbytes
