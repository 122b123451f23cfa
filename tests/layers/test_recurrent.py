"""The recurrences against loops in float64 NumPy, their gradients against the plainly differentiated loop."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mmjax.layers.recurrent import Gru, Lstm

B, T, d, H = 3, 6, 4, 5
LENGTHS = np.array([6, 3, 0])
MASK = np.arange(T) < LENGTHS[:, None]


def lstm_step(parameters, x, state, xp):
    memory, h = state
    i, f, g, o = xp.split(x @ parameters["kernel"] + h @ parameters["recurrent_kernel"] + parameters["bias"], 4)
    memory = memory / (1 + xp.exp(-f)) + xp.tanh(g) / (1 + xp.exp(-i))
    return memory, xp.tanh(memory) / (1 + xp.exp(-o))


def gru_step(parameters, x, state, xp):
    (h,) = state
    input_bias, recurrent_bias = parameters["bias"]
    x_z, x_r, x_n = xp.split(x @ parameters["kernel"] + input_bias, 3)
    h_z, h_r, h_n = xp.split(h @ parameters["recurrent_kernel"] + recurrent_bias, 3)
    z = 1 / (1 + xp.exp(-x_z - h_z))
    return (z * h + (1 - z) * xp.tanh(x_n + h_n / (1 + xp.exp(-x_r - h_r))),)


def loop(step, states, parameters, inputs, lengths, reverse, xp):
    """The states [B, T, states, H], example by example, step by step; past its length an example's state is held."""
    outputs = []
    for example, length in zip(inputs, lengths, strict=True):
        state, rows = (xp.zeros(H),) * states, [None] * T
        for t in reversed(range(T)) if reverse else range(T):
            state = step(parameters, example[t], state, xp) if t < length else state
            rows[t] = xp.stack(state)
        outputs.append(xp.stack(rows))
    return xp.stack(outputs)


CELLS = pytest.mark.parametrize("layer, step, states", [(Lstm, lstm_step, 2), (Gru, gru_step, 1)])
DIRECTIONS = pytest.mark.parametrize("reverse", [False, True])


def example_of(layer, dtype=np.float32):
    """Random parameters, all of them away from their initial values, and inputs."""
    random = np.random.default_rng(0)
    inputs = random.normal(size=(B, T, d)).astype(dtype)
    shapes = jax.eval_shape(layer(H).init, jax.random.key(0), inputs, MASK)["params"]
    return {name: 0.5 * random.normal(size=leaf.shape).astype(dtype) for name, leaf in shapes.items()}, inputs


@CELLS
@DIRECTIONS
def test_values_are_those_of_a_loop(layer, step, states, reverse):
    parameters, inputs = example_of(layer)
    outputs = layer(H, reverse).apply({"params": parameters}, inputs, MASK)
    expected = loop(step, states, parameters, inputs.astype(np.float64), LENGTHS, reverse, np)[:, :, -1]
    # States lie in (-1, 1): a few roundings of float32 (6e-8 each) a step, over 6 steps.
    np.testing.assert_allclose(outputs, expected, atol=2e-6)


@CELLS
@DIRECTIONS
def test_gradients_are_those_of_a_loop(layer, step, states, reverse):
    with jax.enable_x64(True):
        parameters, inputs = example_of(layer, np.float64)
        weights = np.random.default_rng(1).normal(size=(B, T, H))

        def ours(parameters, inputs):
            return (layer(H, reverse).apply({"params": parameters}, inputs, MASK) * weights).sum()

        def plain(parameters, inputs):
            return (loop(step, states, parameters, inputs, LENGTHS, reverse, jnp)[:, :, -1] * weights).sum()

        gradients = jax.grad(ours, argnums=(0, 1))(parameters, inputs)
        expected = jax.grad(plain, argnums=(0, 1))(parameters, inputs)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12), gradients, expected)


@DIRECTIONS
def test_an_lstm_with_memory_returns_c_and_h_of_a_loop_and_their_gradients(reverse):
    with jax.enable_x64(True):
        parameters, inputs = example_of(Lstm, np.float64)
        weights = np.random.default_rng(1).normal(size=(B, T, 2, H))

        def ours(parameters, inputs):
            states = Lstm(H, reverse, with_memory=True).apply({"params": parameters}, inputs, MASK)
            return (jnp.stack(states, axis=2) * weights).sum()

        def plain(parameters, inputs):
            return (loop(lstm_step, 2, parameters, inputs, LENGTHS, reverse, jnp) * weights).sum()

        found = jax.value_and_grad(ours, argnums=(0, 1))(parameters, inputs)
        expected = jax.value_and_grad(plain, argnums=(0, 1))(parameters, inputs)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12), found, expected)


@CELLS
def test_seeds_side_by_side_are_the_seeds_one_by_one(layer, step, states):
    _, inputs = example_of(layer)
    parameters = [layer(H).init(jax.random.key(seed), inputs, MASK) for seed in range(3)]

    def gradient(parameters):
        return jax.grad(lambda p: (layer(H).apply(p, inputs, MASK) ** 2).sum())(parameters)

    together = jax.jit(jax.vmap(gradient))(jax.tree.map(lambda *leaves: jnp.stack(leaves), *parameters))
    one_by_one = jax.tree.map(lambda *leaves: np.stack(leaves), *map(gradient, parameters))
    # The same sums of some 50 terms of order 1, in another order.
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-5), together, one_by_one)


@CELLS
def test_bfloat16_in_bfloat16_out(layer, step, states):
    parameters, inputs = example_of(layer)
    halves = jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.bfloat16), (parameters, inputs))
    outputs = layer(H).apply({"params": halves[0]}, halves[1], MASK)
    exact = layer(H).apply({"params": parameters}, inputs, MASK)
    assert outputs.dtype == jnp.bfloat16
    # bfloat16 keeps 8 bits: 4e-3 a rounding, a few a step.
    np.testing.assert_allclose(outputs.astype(np.float32), exact, atol=0.1)


def test_the_forget_gate_alone_starts_at_one():
    bias = Lstm(H).init(jax.random.key(0), np.zeros((1, T, d)), MASK[:1])["params"]["bias"]
    np.testing.assert_array_equal(bias, np.repeat([0, 1, 0, 0], H))


@CELLS
def test_the_recurrent_kernel_starts_orthogonal(layer, step, states):
    kernel = layer(H).init(jax.random.key(0), np.zeros((1, T, d)), MASK[:1])["params"]["recurrent_kernel"]
    np.testing.assert_allclose(kernel @ kernel.T, np.eye(H), atol=1e-6)
