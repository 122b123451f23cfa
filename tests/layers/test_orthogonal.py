"""The recurrent kernels' initialiser: the library's values, one matrix after the other under vmap."""

import jax
import numpy as np
import pytest
from flax import linen as nn

from mmjax.layers.recurrent import orthogonal


@pytest.mark.parametrize("shape", [(4, 16), (16, 4), (5, 5)])
def test_values_are_the_librarys(shape):
    key = jax.random.key(3)
    # The same QR of the same matrix; only the order of the sign's product may differ.
    np.testing.assert_allclose(orthogonal(key, shape), nn.initializers.orthogonal()(key, shape), atol=1e-6)


def test_seeds_side_by_side_are_seeds_one_by_one():
    keys = jax.random.split(jax.random.key(0), 3)
    together = jax.jit(jax.vmap(lambda key: orthogonal(key, (4, 16))))(keys)
    for key, kernel in zip(keys, together, strict=True):
        np.testing.assert_allclose(kernel, orthogonal(key, (4, 16)), atol=1e-6)


def test_a_batch_is_taken_one_after_the_other():
    """No QR of a batch is left in the program: several at once would wait for each other's threads for ever."""
    keys = jax.random.split(jax.random.key(0), 3)
    equations = jax.make_jaxpr(jax.vmap(lambda key: orthogonal(key, (4, 16))))(keys).eqns
    assert [e for e in equations if e.primitive.name == "scan" and "qr" in str(e.params["jaxpr"])]
    assert not [e for e in equations if e.primitive.name != "scan" and "qr" in str(e)]
