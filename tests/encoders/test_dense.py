"""The encoders that read an example as one vector, as equations."""

import jax
import numpy as np

from mmjax.encoders import Identity, Linear, Mlp
from mmjax.types import ModalitySpec

INPUTS = np.random.default_rng(0).normal(size=(3, 4, 2)).astype(np.float32)
SPEC = ModalitySpec("speech", "sequence", (4, 2))
ARGUMENTS = (INPUTS, np.array([4, 2, 1]), np.array([True, True, False]), False)
FLAT = (INPUTS * (np.arange(4) < np.array([4, 2, 0])[:, None])[:, :, None]).reshape(3, 8)


def run(encoder):
    variables = encoder.init(jax.random.key(0), *ARGUMENTS)
    return variables.get("params", {}), encoder.apply(variables, *ARGUMENTS)


def test_identity_is_the_data_with_zeros_elsewhere():
    parameters, encoded = run(Identity(SPEC))
    np.testing.assert_array_equal(encoded.pooled, FLAT)
    np.testing.assert_array_equal(encoded.sequence, FLAT[:, None])
    assert not parameters


def test_linear():
    parameters, encoded = run(Linear(SPEC, width=5))
    dense = parameters["dense"]
    np.testing.assert_allclose(encoded.pooled, FLAT @ dense["kernel"] + dense["bias"], atol=1e-5)
    assert sum(leaf.size for leaf in jax.tree.leaves(parameters)) == 8 * 5 + 5


def test_mlp():
    parameters, encoded = run(Mlp(SPEC, width=5, encoder_layers=2))
    hidden = FLAT
    for layer in ("dense_0", "dense_1"):
        hidden = np.maximum(hidden @ parameters[layer]["kernel"] + parameters[layer]["bias"], 0)
    np.testing.assert_allclose(encoded.pooled, hidden, atol=1e-5)
    assert sum(leaf.size for leaf in jax.tree.leaves(parameters)) == 8 * 5 + 5 + 5 * 5 + 5
