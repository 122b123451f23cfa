"""Scaled dot-product attention over masked sequences, the transformer block around it, and many blocks at once."""

from collections.abc import Sequence
from typing import NamedTuple

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

from mmjax.config import DEFAULTS
from mmjax.errors import InputError
from mmjax.layers.dropout import Dropout
from mmjax.types import Array


class Tokens(NamedTuple):
    """A masked sequence.

    Attributes:
      values: [B, T, d].
      mask: [B, T] bool of valid steps.
    """

    values: Array
    mask: Array


def join_tokens(parts: Sequence[Tokens]) -> Tokens:
    """One sequence of several of the same width, one after the other."""
    return Tokens(*(jnp.concatenate(arrays, axis=1) for arrays in zip(*parts, strict=True)))


class MultiHeadAttention(nn.Module):
    """softmax(Q K' / sqrt(width / heads)) V, in `heads` subspaces side by side, mapped back to `width`.

    An example without a valid key gives zeros. The projection of the keys has no bias: the softmax
    would not see it.

    Attributes:
      width: d of the output.
      heads: a divisor of `width`.
      optional: whether a query may gather nothing, by a key of score 0 and value 0 beside the others. Without it
        a single key takes all the weight, and queries and keys have no effect.

    References:
      Vaswani et al., "Attention is all you need", arXiv:1706.03762, 2017, section 3.2.
    """

    width: int = DEFAULTS.width
    heads: int = DEFAULTS.heads
    optional: bool = False

    @nn.compact
    def __call__(self, queries: Array, keys_values: Array, mask: Array) -> Array:
        """What each query gathers.

        Args:
          queries: [B, T_q, d_q].
          keys_values: [B, T_k, d_k]; both keys and values are made of it.
          mask: [B, T_k] bool of valid keys.

        Returns:
          [B, T_q, width].

        Raises:
          InputError: for heads that do not divide the width.
        """
        if self.width % self.heads:
            raise InputError(
                f"heads = {self.heads} is not accepted by attention: give a divisor of width ({self.width})"
            )
        heads = (self.heads, self.width // self.heads)
        query = nn.DenseGeneral(heads, name="query")(queries)
        key = nn.DenseGeneral(heads, use_bias=False, name="key")(keys_values)
        value = nn.DenseGeneral(heads, name="value")(keys_values)
        scores = jnp.einsum("bqhd,bkhd->bhqk", query, key) / heads[1] ** 0.5
        scores = scores.astype(jnp.promote_types(scores.dtype, jnp.float32))
        scores = jnp.pad(scores, ((0, 0), (0, 0), (0, 0), (0, 1)))
        allowed = jnp.pad(mask, ((0, 0), (0, 1)), constant_values=self.optional)[:, None, None, :]
        weights = jax.nn.softmax(scores, where=allowed, axis=-1)[..., :-1].astype(value.dtype)
        gathered = jnp.einsum("bhqk,bkhd->bqhd", weights, value)
        output = nn.DenseGeneral(self.width, axis=(-2, -1), name="output")(gathered)
        return jnp.where(mask.any(1)[:, None, None], output, 0)


class TransformerBlock(nn.Module):
    """x + attention(norm(x)), then x + mlp(norm(x)), the mlp of 2 `width` gelu units; dropout on both.

    Attributes:
      width: d of the input and the output.
      heads: a divisor of `width`.
      dropout: rate on what each part adds.
      axis_name: device axis that splits the batch, or None.
      optional: as in MultiHeadAttention.

    References:
      Xiong et al., "On layer normalization in the transformer architecture", arXiv:2002.04745, 2020
      (the norm before each part).
    """

    width: int = DEFAULTS.width
    heads: int = DEFAULTS.heads
    dropout: float = DEFAULTS.dropout
    axis_name: str | None = None
    optional: bool = False

    @nn.compact
    def __call__(
        self, values: Array, mask: Array, train: bool, context: Array | None = None, context_mask: Array | None = None
    ) -> Array:
        """The sequence after attending to itself, or to `context`.

        Args:
          values: [B, T, width].
          mask: [B, T] bool of valid steps; what is not valid comes back finite and is attended by none.
          train: whether dropout is at work.
          context: [B, T_c, d_c] for cross-attention, with
          context_mask: [B, T_c] bool.

        Returns:
          [B, T, width].
        """
        queries = nn.LayerNorm(name="norm")(values)
        keys_values = queries if context is None else nn.LayerNorm(name="context_norm")(context)
        keys_mask = mask if context is None else context_mask
        attended = MultiHeadAttention(self.width, self.heads, self.optional, name="attention")(
            queries, keys_values, keys_mask
        )
        values = values + Dropout(self.dropout, self.axis_name, name="attention_dropout")(attended, train)
        hidden = nn.gelu(nn.Dense(2 * self.width, name="expand")(nn.LayerNorm(name="mlp_norm")(values)))
        added = nn.Dense(self.width, name="contract")(hidden)
        return values + Dropout(self.dropout, self.axis_name, name="mlp_dropout")(added, train)


class ParallelBlocks(nn.Module):
    """P transformer blocks side by side, each with a sequence and parameters of its own.

    Their parameters are stacked to [P, ...]; each block is initialised, and drops out, as it would alone. Blocks whose
    inputs have the same shapes run, and compile, as one: thirty of them compile in the time of one.

    Attributes:
      width, heads, dropout, axis_name, optional: as in TransformerBlock.
    """

    width: int = DEFAULTS.width
    heads: int = DEFAULTS.heads
    dropout: float = DEFAULTS.dropout
    axis_name: str | None = None
    optional: bool = False

    @nn.compact
    def __call__(
        self, sequences: Sequence[Tokens], train: bool, contexts: Sequence[Tokens] | None = None
    ) -> list[Tokens]:
        """The p-th block's result of the p-th sequence, which attends to itself or to the p-th context.

        Args:
          sequences: P of [B, T_p, width].
          train: whether dropout is at work.
          contexts: P of [B, C_p, d_c], for cross-attention.

        Returns:
          P of [B, T_p, width].
        """
        count, train = len(sequences), train and not self.is_initializing()
        block = TransformerBlock(self.width, self.heads, self.dropout, self.axis_name, self.optional, parent=None)
        contexts = [()] * count if contexts is None else contexts

        def initial(key):
            return jax.vmap(lambda key: block.init(key, *sequences[0], False, *contexts[0])["params"])(
                jax.random.split(key, count)
            )

        def run(parameters, rngs, tokens, context):
            return block.apply({"params": parameters}, *tokens, train, *context, rngs=rngs)

        parameters = self.param("blocks", initial)
        rngs = {"dropout": jax.random.split(self.make_rng("dropout"), count)} if train and self.dropout else {}
        inputs = list(zip(sequences, contexts, strict=True))
        results = [None] * count
        for members in _by_shape(inputs):
            together = _stack([inputs[p] for p in members])
            values = jax.vmap(run)(_take(parameters, members), _take(rngs, members), *together)
            for p, result in zip(members, values, strict=True):
                results[p] = Tokens(result, sequences[p].mask)
        return results


def _by_shape(trees: Sequence) -> list[list[int]]:
    """The positions of the trees, in groups whose arrays have the same shapes."""
    groups = {}
    for position, tree in enumerate(trees):
        groups.setdefault(str(jax.tree.map(jnp.shape, tree)), []).append(position)
    return list(groups.values())


def _stack(trees: Sequence):
    return jax.tree.map(lambda *arrays: jnp.stack(arrays), *trees)


def _take(tree, positions: list[int]):
    return jax.tree.map(lambda array: array[np.array(positions)], tree)
