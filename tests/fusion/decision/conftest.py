"""What the decision-level tests share."""

import jax
import numpy as np
import pytest

B, K = 6, 4


@pytest.fixture
def float64():
    with jax.enable_x64(True):
        yield


@pytest.fixture(params=[2, 3, 6])
def logits(request):
    """Of two, three and six modalities."""
    rng = np.random.default_rng(request.param)
    return {f"m{i}": rng.normal(size=(B, K)) * 3 for i in range(request.param)}
