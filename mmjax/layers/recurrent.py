"""Recurrent layers over masked sequences, with the products that need no order taken out of the scan.

One scan serves all cells. Forward, x W is one product over all steps, before the scan. Backward,
the scan carries the gradient of the state alone; that of U is one product over all steps, after it.
It costs a fifth to a quarter less time on a CPU than differentiating the scan does.

In equations, `x` is what a step's input contributes to the gates, `a` what the state before it does.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax import lax

from mmjax.types import Array


class Cell(NamedTuple):
    """One step, elementwise, of a recurrence whose state is a tuple of [B, H] arrays, the output h last.

    Attributes:
      states: arrays in the state.
      forward: x [B, G], a [B, G], state -> next state, saved for backward.
      backward: state, saved, gradient of the next state -> gradient of x, of the state (by way
        of all but a).
      to_recurrent: saved, gradient of x -> gradient of a.
    """

    states: int
    forward: Callable
    backward: Callable
    to_recurrent: Callable


def _lstm_forward(x, a, state):
    memory, _ = state
    i, f, g, o = jnp.split(x + a, 4, axis=-1)
    i, f, g, o = nn.sigmoid(i), nn.sigmoid(f), jnp.tanh(g), nn.sigmoid(o)
    memory = f * memory + i * g
    squashed = jnp.tanh(memory)
    return (memory, o * squashed), (i, f, g, o, squashed)


def _lstm_backward(state, saved, gradient):
    (memory, h), (i, f, g, o, squashed), (d_memory, d_h) = state, saved, gradient
    d_memory = d_memory + d_h * o * (1 - squashed * squashed)
    d_i, d_f = d_memory * g * i * (1 - i), d_memory * memory * f * (1 - f)
    d_g, d_o = d_memory * i * (1 - g * g), d_h * squashed * o * (1 - o)
    return jnp.concatenate((d_i, d_f, d_g, d_o), axis=-1), (d_memory * f, jnp.zeros_like(h))


def _gru_forward(x, a, state):
    (h,) = state
    (x_z, x_r, x_n), (a_z, a_r, a_n) = jnp.split(x, 3, axis=-1), jnp.split(a, 3, axis=-1)
    z, r = nn.sigmoid(x_z + a_z), nn.sigmoid(x_r + a_r)
    n = jnp.tanh(x_n + r * a_n)
    return (z * h + (1 - z) * n,), (z, r, n, a_n)


def _gru_backward(state, saved, gradient):
    (h,), (z, r, n, a_n), (d_h,) = state, saved, gradient
    d_n = d_h * (1 - z) * (1 - n * n)
    return jnp.concatenate((d_h * (h - n) * z * (1 - z), d_n * a_n * r * (1 - r), d_n), axis=-1), (d_h * z,)


def _gru_to_recurrent(saved, d_x):
    d_z, d_r, d_n = jnp.split(d_x, 3, axis=-1)
    return jnp.concatenate((d_z, d_r, d_n * saved[1]), axis=-1)


LSTM_CELL = Cell(2, _lstm_forward, _lstm_backward, lambda saved, d_x: d_x)
GRU_CELL = Cell(1, _gru_forward, _gru_backward, _gru_to_recurrent)


@partial(jax.custom_vjp, nondiff_argnums=(0, 1, 2))
def unroll(
    cell: Cell, reverse: bool, kept: int, x: Array, kernel: Array, bias: Array, mask: Array
) -> tuple[Array, ...]:
    """The states of all steps, from one of zeros; a step that is not valid leaves the state as it is.

    Args:
      cell: what a step does; G is the width of its gates.
      reverse: whether to run from the last step to the first.
      kept: how many of the state's arrays are wanted: its last, so that 1 is the output h.
      x: [T, B, G], the inputs' part of the gates.
      kernel: [H, G] and
      bias: [G], the state's part: a = h kernel + bias.
      mask: [T, B] bool of valid steps.

    Returns:
      `kept` arrays [T, B, H].
    """
    return _unroll_forward(cell, reverse, kept, x, kernel, bias, mask)[0]


def _unroll_forward(cell, reverse, kept, x, kernel, bias, mask):
    def step(state, inputs):
        x, valid = inputs
        after, saved = cell.forward(x, state[-1] @ kernel + bias, state)
        after = _choose(valid, after, state)
        return after, (after[-kept:], state, saved)

    zeros = jnp.zeros((x.shape[1], kernel.shape[0]), x.dtype)
    _, (outputs, states, saved) = lax.scan(step, (zeros,) * cell.states, (x, mask), reverse=reverse)
    return outputs, (kernel, mask, states, saved)


def _unroll_backward(cell, reverse, kept, residuals, d_outputs):
    kernel, mask, states, saved = residuals

    def step(d_after, inputs):
        state, saved, valid, d_output = inputs
        d_after = d_after[:-kept] + tuple(d + more for d, more in zip(d_after[-kept:], d_output))
        zeros = jax.tree.map(jnp.zeros_like, d_after)
        d_x, d_state = cell.backward(state, saved, _choose(valid, d_after, zeros))
        d_state = (*d_state[:-1], d_state[-1] + cell.to_recurrent(saved, d_x) @ kernel.T)
        return tuple(d + rest for d, rest in zip(d_state, _choose(valid, zeros, d_after))), d_x

    zeros = jnp.zeros_like(d_outputs[0][0])
    _, d_x = lax.scan(step, (zeros,) * cell.states, (states, saved, mask, d_outputs), reverse=not reverse)
    d_a = cell.to_recurrent(saved, d_x)
    return d_x, _rows(states[-1]).T @ _rows(d_a), d_a.sum((0, 1)), None


unroll.defvjp(_unroll_forward, _unroll_backward)


def _choose(valid: Array, chosen: tuple, otherwise: tuple) -> tuple:
    """The arrays of `chosen` for the valid rows [B], of `otherwise` for the others."""
    return tuple(jnp.where(valid[:, None], a, b) for a, b in zip(chosen, otherwise))


def _rows(values: Array) -> Array:
    """[T, B, d] as [T * B, d]: products of one layout, where XLA would copy for each a layout of its own."""
    return values.reshape(-1, values.shape[-1])


class Lstm(nn.Module):
    """Long short-term memory: c' = f c + i g, h' = o tanh(c'), with gates i, f, g, o of x W + h U + b.

    Initialised as Keras does: W Glorot uniform, U orthogonal, b zero but for one at the forget gate.

    Attributes:
      size: H.
      reverse: whether it reads from the last step to the first.
      with_memory: whether it returns c beside h.

    References:
      Hochreiter and Schmidhuber, "Long short-term memory", Neural Computation 9(8), 1997; forget
      gate: Gers, Schmidhuber and Cummins, Neural Computation 12(10), 2000.
    """

    size: int
    reverse: bool = False
    with_memory: bool = False

    @nn.compact
    def __call__(self, inputs: Array, mask: Array) -> Array | tuple[Array, Array]:
        """[B, T, d], [B, T] bool -> h of every step [B, T, H], or (c, h), held where a step is not valid."""
        kernel, recurrent = _kernels(self, inputs.shape[-1], 4 * self.size)
        bias = self.param("bias", lambda _: jnp.zeros((4, self.size)).at[1].set(1).reshape(-1))
        states = _recurrence(LSTM_CELL, self.reverse, 1 + self.with_memory, inputs, mask, kernel, 0, recurrent, bias)
        return states if self.with_memory else states[0]


class Gru(nn.Module):
    """Gated recurrent unit: h' = z h + (1 - z) n, with n = tanh(x W_n + b_n + r (h U_n + b'_n)).

    The gates z and r are of x W + b + h U + b'. The reset gate acts after the product with U_n
    (Keras's `reset_after`, cuDNN, PyTorch), so that a step needs one product. Initialised as Keras
    does: W Glorot uniform, U orthogonal, both biases zero.

    Attributes:
      size: H.
      reverse: whether it reads from the last step to the first.

    References:
      Cho et al., "Learning phrase representations using RNN encoder-decoder", arXiv:1406.1078, 2014.
    """

    size: int
    reverse: bool = False

    @nn.compact
    def __call__(self, inputs: Array, mask: Array) -> Array:
        """[B, T, d], [B, T] bool -> h of every step [B, T, H], held where a step is not valid."""
        kernel, recurrent = _kernels(self, inputs.shape[-1], 3 * self.size)
        bias, recurrent_bias = self.param("bias", nn.initializers.zeros, (2, 3 * self.size))
        return _recurrence(GRU_CELL, self.reverse, 1, inputs, mask, kernel, bias, recurrent, recurrent_bias)[0]


def _kernels(module: nn.Module, features: int, gates: int) -> tuple[Array, Array]:
    """The parameters W [d, G] and U [H, G]."""
    kernel = module.param("kernel", nn.initializers.glorot_uniform(), (features, gates))
    return kernel, module.param("recurrent_kernel", orthogonal, (module.size, gates))


def orthogonal(key: Array, shape: tuple[int, int]) -> Array:
    """Orthonormal rows (or columns, the fewer), as `nn.initializers.orthogonal` draws them, but safe under vmap.

    XLA's QR of a batch on a CPU waits in a thread of the pool for the pool's other threads: as many batches at once as
    there are threads wait for ever. So the matrices of a batch are taken one after the other.
    """
    rows, columns = max(shape), min(shape)
    q, r = _qr(jax.random.normal(key, (rows, columns)))
    q = q * jnp.sign(jnp.diagonal(r))
    return q if shape == (rows, columns) else q.T


@jax.custom_batching.sequential_vmap
def _qr(matrix: Array) -> tuple[Array, Array]:
    return jnp.linalg.qr(matrix)


def _recurrence(cell, reverse, kept, inputs, mask, kernel, bias, recurrent, recurrent_bias) -> tuple[Array, ...]:
    """`unroll` of inputs [B, T, d], time in front while it runs."""
    steps = inputs.swapaxes(0, 1)
    x = (_rows(steps) @ kernel + bias).reshape(*steps.shape[:2], kernel.shape[-1])
    states = unroll(cell, reverse, kept, x, recurrent, recurrent_bias, mask.T)
    return tuple(state.swapaxes(0, 1) for state in states)
