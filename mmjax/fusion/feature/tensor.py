"""Tensor fusion."""

import math

import flax.linen as nn
import jax.numpy as jnp

from mmjax.config import DEFAULTS
from mmjax.fusion.feature.narrow import narrowed
from mmjax.fusion.presence import settle


class Tensor(nn.Module):
    """F = the outer product of all [h_i; 1], flattened: 1, every h_i, and every product of features of different ones.

    It has prod_i (d_i + 1) entries. Where that is more than `tensor_limit`, the embeddings are first narrowed by a
    linear map to the widest common width that fits, as six modalities of any size need; with `project` False that is
    an error instead. An absent modality contributes its 1 alone.

    Raises:
      InputError: if F does not fit and `project` is False, or M ones alone do not.

    References:
      Zadeh et al., Tensor Fusion Network for Multimodal Sentiment Analysis, EMNLP 2017, equation 1.
    """

    tensor_limit: int = DEFAULTS.tensor_limit
    project: bool = True

    @nn.compact
    def __call__(self, embeddings, present=None):
        """Embeddings, modality -> [B, d_i], to F [B, prod_i (d_i + 1)], the last modality's features side by side."""
        embeddings, _ = settle(embeddings, present)
        widest = widest_that_fits([h.shape[-1] for h in embeddings.values()], self.tensor_limit)
        refusal = f"tensor fusion of {len(embeddings)} modalities is limited to {self.tensor_limit:,} entries"
        fused = 1.0
        for h in narrowed(embeddings, widest, self.project, refusal).values():
            one = jnp.pad(h, ((0, 0), (0, 1)), constant_values=1)
            if isinstance(fused, float):
                fused = one
            else:
                fused = (fused[:, :, None] * one[:, None]).reshape(len(h), fused.shape[1] * one.shape[1])
        return fused


def widest_that_fits(sizes: list[int], limit: int) -> int:
    """The largest width w with prod_i (min(d_i, w) + 1) <= limit; 0 if even 1 is too much."""
    fits = (w for w in range(max(sizes), 0, -1) if math.prod(min(d, w) + 1 for d in sizes) <= limit)
    return next(fits, 0)
