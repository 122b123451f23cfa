"""A bag of embeddings: the mean, in no order, of the valid tokens alone."""

import jax
import numpy as np

from mmjax.encoders import Embedding
from mmjax.types import ModalitySpec

TOKENS, LENGTH, VALID = np.array([[3, 1, 4, 1, 5], [9, 2, 6, 0, 0]]), np.array([5, 3]), np.ones(2, bool)
ENCODER = Embedding(ModalitySpec("words", "tokens", (5,), vocabulary=10), width=4, token_size=3)
VARIABLES = ENCODER.init(jax.random.key(0), TOKENS, LENGTH, VALID, False)


def test_it_is_the_projected_mean():
    parameters = jax.tree.map(np.asarray, VARIABLES["params"])
    table, dense = parameters["embedding"]["embedding"], parameters["dense"]
    means = np.stack([table[row[:steps]].mean(0) for row, steps in zip(TOKENS, LENGTH)])
    encoded = ENCODER.apply(VARIABLES, TOKENS, LENGTH, VALID, False)
    np.testing.assert_allclose(encoded.pooled, means @ dense["kernel"] + dense["bias"], atol=1e-6)


def test_the_order_of_tokens_does_not_matter():
    one, other = (ENCODER.apply(VARIABLES, x[:1], None, VALID[:1], False).pooled for x in (TOKENS, TOKENS[:, ::-1]))
    np.testing.assert_allclose(one, other, atol=1e-6)


def test_parameters():
    assert sum(leaf.size for leaf in jax.tree.leaves(VARIABLES)) == 10 * 3 + 3 * 4 + 4
