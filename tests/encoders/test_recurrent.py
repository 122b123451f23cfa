"""What the recurrent encoders hand over, and that the length of the padding does not matter."""

import jax
import numpy as np
import pytest

from mmjax.encoders import Gru, Lstm
from mmjax.layers.pooling import last_valid
from mmjax.types import ModalitySpec

RECURRENT = pytest.mark.parametrize("encoder", [Lstm, Gru])
TOKENS = np.array([[3, 1, 4, 1, 5], [9, 2, 6, 0, 0], [5, 0, 0, 0, 0]])
LENGTH = np.array([5, 3, 1])
VALID = np.ones(3, bool)


def tokens(steps):
    return ModalitySpec("words", "tokens", (steps,), vocabulary=10)


@RECURRENT
@pytest.mark.parametrize("bidirectional", [False, True])
def test_longer_padding_changes_nothing(encoder, bidirectional):
    fields = {"width": 4, "token_size": 3, "bidirectional": bidirectional}
    short, long = encoder(tokens(5), **fields), encoder(tokens(8), **fields)
    variables = short.init(jax.random.key(0), TOKENS, LENGTH, VALID, False)
    one = short.apply(variables, TOKENS, LENGTH, VALID, False)
    other = long.apply(variables, np.pad(TOKENS, ((0, 0), (0, 3))), LENGTH, VALID, False)
    np.testing.assert_allclose(other.pooled, one.pooled, atol=1e-6)
    np.testing.assert_allclose(other.sequence[:, :5][one.mask], one.sequence[one.mask], atol=1e-6)
    np.testing.assert_array_equal(other.mask.sum(1), LENGTH)


@RECURRENT
def test_pooled_is_the_state_after_the_last_valid_step(encoder):
    one_way = encoder(tokens(5), width=4, token_size=3)
    encoded = one_way.apply(one_way.init(jax.random.key(0), TOKENS, LENGTH, VALID, False), TOKENS, LENGTH, VALID, False)
    np.testing.assert_array_equal(encoded.pooled, last_valid(encoded.sequence, encoded.mask))


@RECURRENT
def test_both_ways_the_ends_are_joined(encoder):
    both = encoder(tokens(5), width=4, token_size=3, bidirectional=True)
    encoded = both.apply(both.init(jax.random.key(0), TOKENS, LENGTH, VALID, False), TOKENS, LENGTH, VALID, False)
    forward, backward = last_valid(encoded.sequence, encoded.mask)[:, :4], encoded.sequence[:, 0, 4:]
    np.testing.assert_array_equal(encoded.pooled, np.concatenate([forward, backward], axis=1))


@RECURRENT
def test_both_ways_are_the_two_directions(encoder):
    """The backward layer is the forward one, with its parameters, on the valid steps in reverse."""
    fields = {"width": 4, "token_size": 3, "encoder_layers": 1}
    both, one_way = encoder(tokens(5), bidirectional=True, **fields), encoder(tokens(5), **fields)
    variables = both.init(jax.random.key(0), TOKENS, LENGTH, VALID, False)
    encoded = both.apply(variables, TOKENS, LENGTH, VALID, False)
    reversed_tokens = np.array([[*row[:steps][::-1], *row[steps:]] for row, steps in zip(TOKENS, LENGTH)])
    for direction, read in enumerate([TOKENS, reversed_tokens]):
        parameters = {**variables["params"], "layers_0_0": variables["params"][f"layers_0_{direction}"]}
        del parameters["layers_0_1"]
        h = one_way.apply({"params": parameters}, read, LENGTH, VALID, False).pooled
        np.testing.assert_allclose(encoded.pooled[:, 4 * direction : 4 * direction + 4], h, atol=1e-6)


@RECURRENT
def test_an_example_without_a_step_is_zero(encoder):
    one_way = encoder(tokens(5), width=4, token_size=3)
    arguments = (TOKENS, np.array([5, 3, 0]), VALID, False)
    encoded = one_way.apply(one_way.init(jax.random.key(0), *arguments), *arguments)
    np.testing.assert_array_equal(encoded.pooled[2], 0)


@pytest.mark.parametrize("encoder, gates, biases", [(Lstm, 4, 1), (Gru, 3, 2)])
@pytest.mark.parametrize("directions", [1, 2])
def test_parameters(encoder, gates, biases, directions):
    """Keras's counts: gates x H x (inputs + H + biases) a layer and direction, beside the embedding."""
    module = encoder(tokens(5), width=4, token_size=3, encoder_layers=2, bidirectional=directions == 2)
    variables = module.init(jax.random.key(0), TOKENS, LENGTH, VALID, False)
    layers = sum(directions * gates * 4 * (inputs + 4 + biases) for inputs in (3, 4 * directions))
    assert sum(leaf.size for leaf in jax.tree.leaves(variables)) == 10 * 3 + layers


def test_embeddings_start_uniform_below_a_twentieth():
    wide = Lstm(ModalitySpec("words", "tokens", (5,), vocabulary=500), token_size=16)
    table = wide.init(jax.random.key(0), TOKENS, LENGTH, VALID, False)["params"]["embedding"]["embedding"]
    assert np.abs(table).max() <= 0.05
    # Of 8,000 draws: the deviation of a uniform of that width, within 5%.
    np.testing.assert_allclose(np.std(table), 0.1 / np.sqrt(12), rtol=0.05)
