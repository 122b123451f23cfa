"""What is printed beside the figures."""

import json

import jax
import numpy as np

from benchmarks.environment import PACKAGES, environment


def test_environment_is_complete_and_serialisable():
    found = json.loads(json.dumps(environment()))
    assert found["jax"] == jax.__version__ and found["numpy"] == np.__version__
    assert set(PACKAGES) < set(found)
    assert found["cores"] >= 1 and found["memory_bytes"] > 2**28
    assert found["devices"].startswith(f"{jax.device_count()} x ")
