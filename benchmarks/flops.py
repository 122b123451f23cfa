"""Floating-point operations of a JAX function, counted from its jaxpr.

The convention, which every figure of FLOPs in this project follows:

- A product of matrices [B, M, K] and [B, K, N] is 2 B M N K: a multiplication and an addition.
- A convolution is 2 x outputs x kernel area x input channels of a group; taps on padding count. Where a
  backend runs it in another form (mmjax.layers.convolution), this is still what counts.
- An elementwise operation on floats, of whatever difficulty (`add`, `exp`, `erf`), is one a
  result; a reduction or running sum one an operand; a pooling window one an element of each
  window; a scattered addition or product one an update.
- A Fourier transform of N numbers is 5 N log2 N, of N real ones half of it.
- Moving, choosing, sorting, converting, drawing random bits, communicating, and arithmetic on
  integers and booleans are none.
- A scan counts its body times its length; `cond` its dearest branch; `shard_map` (and so `pmap`)
  its body once a device of the mesh. A `while` has no length that is known before it runs: its
  condition and body count once, so that the count of a function with one is a lower bound.
- What is computed and not used counts for nothing, since the compiler removes it.

The program counts as it is traced for this backend: a convolution that is written as a product of
matrices for a CPU counts as that product.
"""

import math
from collections.abc import Callable, Iterator

import jax
import numpy as np
from jax.interpreters import partial_eval

from mmjax.layers import convolution

_FREE = frozenset(
    # moving, choosing, converting
    "bitcast_convert_type broadcast_in_dim broadcast_to concatenate convert_element_type copy device_put dynamic_slice "
    "dynamic_update_slice empty empty2 gather iota name optimization_barrier pad reduce_precision reshape rev scatter "
    "select_n sharding_constraint slice sort split squeeze stack stop_gradient tile top_k transpose unstack "
    # random bits
    "random_bits random_clone random_fold_in random_seed random_split random_unwrap random_wrap rng_bit_generator "
    "threefry2x32 "
    # between devices
    "all_gather all_gather_invariant all_to_all axis_index pbroadcast pcast pmax pmin ppermute psum psum_invariant "
    "pvary reduce_scatter".split()
)
# Their results have their operands' shape, but take more than one operation each.
_UNKNOWN = frozenset("cholesky cholesky_update symmetric_product triangular_solve tridiagonal_solve".split())
_REDUCTIONS = frozenset(
    "reduce reduce_sum reduce_max reduce_min reduce_prod reduce_and reduce_or reduce_xor argmax argmin cumsum cumprod "
    "cummax cummin cumlogsumexp".split()
)


def count_flops(function: Callable, *args, **kwargs) -> int:
    """FLOPs of one call, by the module's convention; nothing is run or compiled.

    Args:
      function: a function that JAX can trace, jitted or not.
      *args, **kwargs: arrays, or `jax.ShapeDtypeStruct`s that stand for them.

    Raises:
      NotImplementedError: for an operation that the convention does not cover.
    """
    with convolution.plain():
        # A function of its own, so that what is traced here is not found in a cache, nor left in one.
        jaxpr = jax.make_jaxpr(lambda *args, **kwargs: function(*args, **kwargs))(*args, **kwargs).jaxpr
    used, _ = partial_eval.dce_jaxpr(jaxpr, [True] * len(jaxpr.outvars))
    return _of_jaxpr(used)


def _of_jaxpr(jaxpr) -> int:
    return sum(_of_equation(equation) for equation in jaxpr.eqns)


def _of_equation(equation) -> int:
    name = equation.primitive.name
    if name in _FREE:
        return 0
    if name in _RULES:
        return _RULES[name](equation)
    if name in _REDUCTIONS:
        return _floats(equation.invars[0])
    if inner := list(_jaxprs(equation.params)):
        return sum(map(_of_jaxpr, inner))
    return _elementwise(equation)


def _jaxprs(params: dict) -> Iterator:
    """The functions within an operation: whatever parameter holds one, as names change between versions."""
    for value in params.values():
        for item in value if isinstance(value, tuple | list) else (value,):
            item = getattr(item, "jaxpr", item)
            if hasattr(item, "eqns"):
                yield item


def _is_float(variable) -> bool:
    return np.issubdtype(variable.aval.dtype, np.inexact) or variable.aval.dtype == jax.numpy.bfloat16


def _floats(variable) -> int:
    return variable.aval.size if _is_float(variable) else 0


def _elementwise(equation) -> int:
    result = equation.outvars[0].aval
    try:
        fits = np.broadcast_shapes(*(variable.aval.shape for variable in equation.invars)) == result.shape
    except ValueError:
        fits = False
    if not fits or equation.primitive.name in _UNKNOWN:
        raise NotImplementedError(f"FLOPs of the operation {equation.primitive.name!r} have no rule")
    return result.size if any(map(_is_float, [*equation.invars, *equation.outvars])) else 0


def _dot_general(equation) -> int:
    (contracted, _), _ = equation.params["dimension_numbers"]
    left = equation.invars[0].aval.shape
    return 2 * equation.outvars[0].aval.size * math.prod(left[axis] for axis in contracted)


def _convolution(equation) -> int:
    kernel = equation.invars[1].aval
    filters = kernel.shape[equation.params["dimension_numbers"].rhs_spec[0]]
    return 2 * equation.outvars[0].aval.size * kernel.size // filters


def _scan(equation) -> int:
    return equation.params["length"] * _of_jaxpr(equation.params["jaxpr"].jaxpr)


def _cond(equation) -> int:
    return max(_of_jaxpr(branch.jaxpr) for branch in equation.params["branches"])


def _shard_map(equation) -> int:
    return equation.params["mesh"].size * sum(map(_of_jaxpr, _jaxprs(equation.params)))


def _window(equation) -> int:
    return equation.outvars[0].aval.size * math.prod(equation.params["window_dimensions"])


def _window_gradient(equation) -> int:
    """`select_and_scatter`: each window is searched for the element that gets its gradient, and one is added."""
    return equation.invars[0].aval.size * (math.prod(equation.params["window_dimensions"]) + 1)


def _fourier(equation) -> int:
    numbers = math.prod(equation.params["fft_lengths"])
    real = any(not np.issubdtype(v.aval.dtype, np.complexfloating) for v in (*equation.invars, *equation.outvars))
    transforms = equation.invars[0].aval.size // math.prod(
        equation.invars[0].aval.shape[-len(equation.params["fft_lengths"]) :]
    )
    return round(transforms * 5 * numbers * math.log2(numbers) / (2 if real else 1))


def _scatter(equation) -> int:
    return _floats(equation.invars[2])


_RULES = {
    "dot_general": _dot_general,
    "conv_general_dilated": _convolution,
    "fft": _fourier,
    "scan": _scan,
    "cond": _cond,
    "shard_map": _shard_map,
    "reduce_window_sum": _window,
    "reduce_window_max": _window,
    "reduce_window_min": _window,
    "select_and_scatter": _window_gradient,
    "scatter-add": _scatter,
    "scatter-sub": _scatter,
    "scatter-mul": _scatter,
}
