"""Multimodal compact bilinear pooling."""

import flax.linen as nn
import jax
import jax.numpy as jnp

from mmjax.config import DEFAULTS
from mmjax.fusion.presence import settle
from mmjax.types import Array


class MCB(nn.Module):
    """F = sqrt(D) irfft(prod_i rfft(sketch_i(h_i / sqrt(d_i)))): the outer product of all h_i, sketched to D numbers.

    sketch_i adds every feature, with a random sign, into one of D places. Places and signs are drawn once, from the
    run's seed, and kept with the running statistics: fixed, and in every checkpoint. Over draws
    E[<F(x, y), F(x', y')>] = <x, x'> <y, y'> D / (d_1 d_2): the constants, which the paper leaves out, give F
    variance 1 for embeddings of variance 1. An absent modality is left out of the product.

    References:
      Fukui et al., Multimodal Compact Bilinear Pooling, EMNLP 2016, algorithm 1.
    """

    sketch_size: int = DEFAULTS.sketch_size

    @nn.compact
    def __call__(self, embeddings, present=None):
        """Embeddings, modality -> [B, d_i], to F [B, sketch_size]."""
        embeddings, present = settle(embeddings, present)
        product = 1.0
        for i, (name, h) in enumerate(embeddings.items()):
            draw = self.variable("batch_stats", f"sketch_{name}", self._draw, h.shape[-1]).value
            sketched = jnp.fft.rfft(count_sketch(h / h.shape[-1] ** 0.5, *draw, self.sketch_size).astype(jnp.float32))
            product *= jnp.where(present[:, i, None], sketched, 1)
        fused = jnp.fft.irfft(jnp.broadcast_to(product, sketched.shape), self.sketch_size)
        return (self.sketch_size**0.5 * fused).astype(h.dtype)

    def _draw(self, features: int) -> tuple[Array, Array]:
        places, signs = jax.random.split(self.make_rng("params"))
        return (
            jax.random.randint(places, (features,), 0, self.sketch_size),
            jax.random.rademacher(signs, (features,), jnp.int32),
        )


def count_sketch(values: Array, places: Array, signs: Array, size: int) -> Array:
    """[B, d] to [B, size]: feature j is added, times signs[j], into place places[j]."""
    return jax.ops.segment_sum((values * signs).T, places, size).T
