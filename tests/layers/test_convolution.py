"""All forms written for the CPU are XLA's convolution, in value and in gradient."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from mmjax.layers import convolution
from mmjax.layers.convolution import Convolution, convolve

SHAPES = pytest.mark.parametrize(
    "shape, kernel",
    [
        ((2, 8, 7, 1), (3, 3, 1, 4)),
        ((2, 8, 7, 3), (3, 3, 3, 4)),
        ((2, 6, 9, 1), (5, 5, 1, 2)),
        ((1, 6, 5, 2), (2, 4, 2, 3)),  # sides that "SAME" pads unevenly
        ((3, 9, 1, 1), (3, 1, 1, 2)),
        ((2, 4, 70, 1), (3, 3, 1, 2)),  # wider than any band
        ((2, 6, 5, convolution.MANY_CHANNELS), (3, 2, convolution.MANY_CHANNELS, 3)),
    ],
)


def reference(values, kernel, padding, stride):
    """At a stride of 2 XLA's "SAME" may begin a pixel later, so every second output of stride 1 is meant."""
    maps = lax.conv_general_dilated(values, kernel, (1, 1), padding, dimension_numbers=("NHWC", "HWIO", "NHWC"))
    return maps[:, ::stride, ::stride]


def random_arrays(*shapes):
    return [np.random.default_rng(i).normal(size=shape) for i, shape in enumerate(shapes)]


@SHAPES
@pytest.mark.parametrize("padding", ["VALID", "SAME"])
@pytest.mark.parametrize("stride", [1, 2])
def test_values_and_gradients_are_those_of_xla(shape, kernel, padding, stride, monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: "cpu")
    with jax.enable_x64(True):
        arguments = random_arrays(shape, kernel)

        def value_and_gradients(function):
            outputs, pullback = jax.vjp(lambda *arrays: function(*arrays, padding, stride), *arguments)
            return outputs, pullback(jnp.cos(outputs))

        ours, expected = value_and_gradients(convolve), value_and_gradients(reference)
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, rtol=1e-10, atol=1e-10), ours, expected)


def test_other_backends_get_xlas(monkeypatch):
    values, kernel = random_arrays((2, 6, 6, 2), (3, 3, 2, 4))
    on = {}
    for backend in ("cpu", "gpu"):
        monkeypatch.setattr(jax, "default_backend", lambda backend=backend: backend)
        # A function of its own, for jit remembers the traces of one it has seen.
        on[backend] = str(jax.make_jaxpr(lambda *arrays: convolve(*arrays, "SAME"))(values, kernel))
    assert "conv_general_dilated" in on["gpu"] and "conv_general_dilated" not in on["cpu"]


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("padding", ["VALID", "SAME"])
def test_xla_is_given_the_same_positions(padding, stride):
    values, kernel = random_arrays((2, 8, 7, 3), (3, 4, 3, 2))
    with jax.enable_x64(True), convolution.plain():
        ours = convolve(values, kernel, padding, stride)
        expected = reference(values, kernel, padding, stride)
    np.testing.assert_allclose(ours, expected, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("channels", [1, 2, convolution.MANY_CHANNELS])
def test_seeds_side_by_side_are_the_seeds_one_by_one(channels):
    values, kernels = random_arrays((2, 6, 6, channels), (3, 3, 3, channels, 4))

    def gradient(kernel):
        return jax.grad(lambda k: (convolve(jnp.float32(values), k, "SAME") ** 2).sum())(kernel)

    kernels = jnp.float32(kernels)
    one_by_one = np.stack([gradient(kernel) for kernel in kernels])
    # Sums of 72 terms of float32, the largest some 100 (of many channels, 1,000).
    np.testing.assert_allclose(jax.vmap(gradient)(kernels), one_by_one, rtol=1e-5, atol=1e-3)


def test_the_gradient_of_unused_inputs_is_not_computed():
    values, kernel = (jnp.float32(array) for array in random_arrays((4, 12, 12, 1), (3, 3, 1, 8)))

    def flops(argnums):
        gradient = jax.grad(lambda *arrays: (convolve(*arrays, "SAME") ** 2).sum(), argnums)
        return jax.jit(gradient).lower(values, kernel).compile().cost_analysis()["flops"]

    # The kernel's gradient and the input's are a product each, of one size; the sum before them is small.
    assert flops((1,)) < 0.65 * flops((0, 1))


def test_of_many_channels_the_patches_are_not_kept_for_the_gradient():
    values, kernel = (jnp.float32(array) for array in random_arrays((4, 12, 12, 32), (3, 3, 32, 8)))
    _, pullback = jax.vjp(lambda *arrays: convolve(*arrays, "SAME"), values, kernel)
    # The padded input and the kernel; its patches are nine times as many.
    assert sum(leaf.size for leaf in jax.tree.leaves(pullback)) < 2 * (values.size + kernel.size)


@pytest.mark.parametrize("bias", [True, False])
def test_parameters(bias):
    values = jnp.ones((1, 6, 6, 2))
    parameters = Convolution(4, (3, 5), use_bias=bias).init(jax.random.key(0), values)["params"]
    assert sum(leaf.size for leaf in jax.tree.leaves(parameters)) == 3 * 5 * 2 * 4 + 4 * bias


def test_a_wide_row_is_left_to_xla():
    values, kernel = jnp.ones((1, 3, convolution.WIDEST_BAND + 1, 1)), jnp.ones((3, 3, 1, 1))
    assert "conv_general_dilated" in str(jax.make_jaxpr(lambda *arrays: convolve(*arrays, "VALID"))(values, kernel))
