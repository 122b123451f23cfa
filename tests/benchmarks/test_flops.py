"""FLOPs against counts by hand."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import lax

from benchmarks.flops import count_flops

B, T, D, H, K = 5, 7, 3, 4, 2


def ones(*shape):
    return jnp.ones(shape, jnp.float32)


def dense(w, b, x):
    return x @ w + b


def test_dense():
    # [B, D] @ [D, K], and one addition an output.
    assert count_flops(dense, ones(D, K), ones(K), ones(B, D)) == 2 * B * D * K + B * K


def test_fourier_transform():
    # 5 N log2 N of complex numbers, half of real ones; there and back, of B signals.
    assert count_flops(jnp.fft.fft, jnp.ones((B, 8), jnp.complex64)) == B * 5 * 8 * 3
    assert count_flops(lambda x: jnp.fft.irfft(jnp.fft.rfft(x), 8), ones(B, 8)) == 2 * B * 5 * 8 * 3 // 2


def test_gradient_of_a_dense_layer():
    def loss(w, x):
        return jnp.sum(jnp.sin(x @ w))

    # y = x w, its cosine times the cotangent, and dL/dw = x' (...): two products, two operations on [B, K].
    w, x = ones(D, K), ones(B, D)
    product = 2 * B * D * K
    assert count_flops(jax.grad(loss), w, x) == 2 * product + 2 * B * K
    # The input's gradient is a third product of the same size.
    assert count_flops(jax.grad(loss, (0, 1)), w, x) == 3 * product + 2 * B * K


def convolve(x, w, padding, groups=1):
    numbers = ("NHWC", "HWIO", "NHWC")
    return lax.conv_general_dilated(x, w, (1, 1), padding, dimension_numbers=numbers, feature_group_count=groups)


@pytest.mark.parametrize(("padding", "side"), [("SAME", 8), ("VALID", 6)])
def test_convolution(padding, side):
    flops = count_flops(lambda x, w: convolve(x, w, padding), ones(B, 8, 8, D), ones(3, 3, D, H))
    assert flops == 2 * B * side * side * H * 3 * 3 * D


def test_grouped_convolution_sees_only_its_group():
    flops = count_flops(lambda x, w: convolve(x, w, "SAME", 2), ones(B, 8, 8, 4), ones(3, 3, 2, 6))
    assert flops == 2 * B * 8 * 8 * 6 * 3 * 3 * 2


def test_gradient_of_a_convolution():
    def loss(w, x):
        return jnp.sum(convolve(x, w, "SAME"))

    # The sum's gradient does not need the outputs: what remains is the weights' gradient, as dear as they.
    assert count_flops(jax.grad(loss), ones(3, 3, D, H), ones(B, 8, 8, D)) == 2 * B * 8 * 8 * H * 3 * 3 * D


def lstm(w, u, xs):
    def step(carry, x):
        h, c = carry
        i, f, g, o = jnp.split(x @ w + h @ u, 4, axis=-1)
        c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(g)
        return (jax.nn.sigmoid(o) * jnp.tanh(c), c), None

    zeros = jnp.zeros((xs.shape[1], u.shape[0]))
    return lax.scan(step, (zeros, zeros), xs)[0][0]


def test_lstm_counts_every_step():
    # A step: two products, their sum [B, 4H]; three sigmoids, two tanh, three products and a sum [B, H].
    # JAX's sigmoid is the primitive `logistic`: one.
    step = 2 * B * D * 4 * H + 2 * B * H * 4 * H + B * 4 * H + (3 + 2 + 3 + 1) * B * H
    assert count_flops(lstm, ones(D, 4 * H), ones(H, 4 * H), ones(T, B, D)) == T * step


def attention(q, k, v):
    scores = jnp.exp(q @ k.swapaxes(1, 2))
    return (scores / scores.sum(-1, keepdims=True)) @ v


def test_attention():
    # Two products, and on the scores [B, T, T] an exponential, a sum and a division.
    q = ones(B, T, D)
    assert count_flops(attention, q, q, q) == 2 * (2 * B * T * T * D) + 3 * B * T * T


def test_jit_remat_and_custom_derivatives_are_looked_into():
    plain = count_flops(dense, ones(D, K), ones(K), ones(B, D))
    custom = jax.custom_vjp(dense)
    custom.defvjp(lambda w, b, x: (dense(w, b, x), None), lambda _, g: (None, None, None))
    linear = jax.custom_jvp(dense)
    linear.defjvp(lambda primals, tangents: (dense(*primals), tangents[2] @ primals[0]))
    for wrapped in (jax.jit(dense), jax.checkpoint(dense), custom, linear):
        assert count_flops(wrapped, ones(D, K), ones(K), ones(B, D)) == plain


def test_pmap_counts_every_device_and_seeds_multiply():
    one = count_flops(dense, ones(D, K), ones(K), ones(B, D))
    per_device = jax.pmap(dense, axis_name="device")
    assert count_flops(per_device, ones(1, D, K), ones(1, K), ones(1, B, D)) == one
    assert count_flops(jax.vmap(dense), ones(3, D, K), ones(3, K), ones(3, B, D)) == 3 * one


def test_shard_map_counts_every_device():
    mesh = jax.sharding.AbstractMesh((4,), ("device",), axis_types=(jax.sharding.AxisType.Auto,))
    spec = jax.sharding.PartitionSpec("device")
    doubled = jax.shard_map(lambda x: 2 * x, mesh=mesh, in_specs=spec, out_specs=spec)
    assert count_flops(doubled, ones(8, D)) == 8 * D


def test_cond_counts_the_dearest_branch_and_while_one_turn():
    def branch(x):
        return lax.cond(x[0] > 0, lambda y: jnp.exp(jnp.exp(y)), lambda y: y, x)

    assert count_flops(branch, ones(T)) == 1 + 2 * T
    assert count_flops(lambda x: lax.while_loop(lambda y: y[0] < 9, lambda y: y + 1, x), ones(T)) == 1 + T


def test_what_is_not_used_does_not_count():
    @jax.jit
    def both(x):
        return x * 2, x @ x.T

    assert count_flops(lambda x: both(x)[0], ones(B, D)) == B * D


def test_moving_and_integers_are_free():
    def embed(table, ids):
        return table[ids + 1].reshape(-1).astype(jnp.bfloat16)

    ids = np.zeros((B, T), np.int32)
    assert count_flops(embed, ones(10, D), ids) == 0
    # Its gradient scatters one addition an element.
    assert count_flops(jax.grad(lambda table: embed(table, ids).astype(jnp.float32).sum()), ones(10, D)) == B * T * D


def test_pooling_counts_each_window():
    def pool(x):
        return lax.reduce_window(x, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")

    assert count_flops(pool, ones(B, 8, 8, D)) == B * 4 * 4 * D * 4


def test_an_operation_without_a_rule_is_named():
    with pytest.raises(NotImplementedError, match="cholesky"):
        count_flops(jnp.linalg.cholesky, jnp.eye(4))


def test_a_convolution_counts_the_same_in_whatever_form_it_runs():
    """As XLA's own, 2 x outputs x kernel area x channels, though on a CPU it is traced as a banded product."""
    from mmjax.layers.convolution import convolve

    values, kernel = jnp.ones((2, 8, 8, 3)), jnp.ones((3, 3, 3, 5))

    def convolution(values, kernel):
        return convolve(values, kernel, "VALID")

    before = jax.make_jaxpr(convolution)(values, kernel)
    assert count_flops(convolution, values, kernel) == 2 * (2 * 6 * 6 * 5) * 9 * 3
    assert str(jax.make_jaxpr(convolution)(values, kernel)) == str(before)
