"""Fusion by a product of Gaussian experts."""

import flax.linen as nn
import jax.numpy as jnp

from mmjax.config import DEFAULTS
from mmjax.fusion.presence import settle
from mmjax.types import Array


class ProductLatent(nn.Module):
    """F = the mean of p(z) prod_i q_i(z) over those present, q_i = N(mu_i(h_i), 1 / lambda_i(h_i)), p = N(0, 1).

    mu_i is linear and lambda_i the softplus of a linear map, one number a latent dimension. Without any modality F is
    the prior's mean, 0. F is the mean itself, not a draw: it is the code that a decoder of labels reads.

    References:
      Wu and Goodman, Multimodal Generative Models for Scalable Weakly-Supervised Learning, NeurIPS 2018, section 2.1.
    """

    width: int = DEFAULTS.width

    @nn.compact
    def __call__(self, embeddings, present=None):
        """Embeddings, modality -> [B, d_i], to F [B, width]."""
        embeddings, present = settle(embeddings, present)
        means = [nn.Dense(self.width, name=f"mean_{name}")(h) for name, h in embeddings.items()]
        precisions = [nn.softplus(nn.Dense(self.width, name=f"precision_{name}")(h)) for name, h in embeddings.items()]
        precisions = jnp.where(present[:, :, None], jnp.stack(precisions, axis=1), 0)
        prior = jnp.ones_like(precisions[:, :1])
        means = jnp.pad(jnp.stack(means, axis=1), ((0, 0), (1, 0), (0, 0)))
        return product_of_gaussians(means, jnp.concatenate([prior, precisions], axis=1))[0]


def product_of_gaussians(means: Array, precisions: Array) -> tuple[Array, Array]:
    """Mean and precision [B, d] of the product over axis 1 of densities [B, M, d]; one of precision 0 is left out."""
    precision = precisions.sum(1)
    return (precisions * means).sum(1) / precision, precision
