"""Fusion by elementwise products of projected embeddings: low-rank bilinear pooling and its pooled forms.

A product goes over the modalities present; an absent one is left out of it.
"""

import flax.linen as nn
import jax.numpy as jnp

from mmjax.config import DEFAULTS
from mmjax.fusion.presence import settle
from mmjax.types import Array

TANH_VARIANCE = 0.394  # of tanh(x), x normal with variance 1
SMALLEST = 1e-6  # keeps roots, and their gradients, finite at 0


class MLB(nn.Module):
    """F = W_o (prod_i tanh(U_i h_i)).

    W_o starts large enough to undo what M tanh take away: F has variance 1 for embeddings of variance 1.

    References:
      Kim et al., Hadamard Product for Low-rank Bilinear Pooling, ICLR 2017, equation 8.
    """

    width: int = DEFAULTS.width

    @nn.compact
    def __call__(self, embeddings, present=None):
        """Embeddings, modality -> [B, d_i], to F [B, width]."""
        embeddings, present = settle(embeddings, present)
        factors = {n: jnp.tanh(_linear(self.width, f"project_{n}")(h)) for n, h in embeddings.items()}
        initial = nn.initializers.normal((self.width * TANH_VARIANCE ** len(factors)) ** -0.5)
        output = nn.Dense(self.width, use_bias=False, kernel_init=initial, name="output")
        return output(product_of_present(factors, present))


class MFB(nn.Module):
    """F = l2(root(SumPool_k(prod_i U_i h_i))): `factors` products are added up to one output.

    root(z) = sign(z) sqrt(|z| + epsilon); l2 divides by the norm.

    References:
      Yu et al., Multi-modal Factorized Bilinear Pooling with Co-attention Learning, ICCV 2017, equations 3 to 5.
    """

    width: int = DEFAULTS.width
    factors: int = DEFAULTS.factors

    @nn.compact
    def __call__(self, embeddings, present=None):
        """Embeddings, modality -> [B, d_i], to F [B, width]."""
        embeddings, present = settle(embeddings, present)
        size = self.width * self.factors
        expanded = product_of_present({n: _linear(size, f"project_{n}")(h) for n, h in embeddings.items()}, present)
        return _squeezed(expanded, self.factors)


class MFH(nn.Module):
    """F = [F^1; ...; F^P] of P cascaded MFB: e^p = e^{p-1} * prod_i U_i^p h_i, e^0 = 1, F^p = l2(root(SumPool(e^p))).

    References:
      Yu et al., Beyond Bilinear: Generalized Multimodal Factorized High-order Pooling, TNNLS 2018, equations 7 to 9.
    """

    width: int = DEFAULTS.width
    factors: int = DEFAULTS.factors
    cascades: int = DEFAULTS.cascades

    @nn.compact
    def __call__(self, embeddings, present=None):
        """Embeddings, modality -> [B, d_i], to F [B, cascades * width]."""
        embeddings, present = settle(embeddings, present)
        size, expanded, fused = self.width * self.factors, 1.0, []
        for p in range(self.cascades):
            factors = {name: _linear(size, f"project_{p}_{name}")(h) for name, h in embeddings.items()}
            expanded *= product_of_present(factors, present)
            fused.append(_squeezed(expanded, self.factors))
        return jnp.concatenate(fused, axis=-1)


def product_of_present(factors: dict[str, Array], present: Array) -> Array:
    """The product of factors, modality -> [B, ...], of those present, [B, M] bool; 1 where none is."""
    product = 1.0
    for i, factor in enumerate(factors.values()):
        product *= jnp.where(present[:, i].reshape((-1,) + (1,) * (factor.ndim - 1)), factor, 1)
    return product


def _linear(width, name):
    return nn.Dense(width, use_bias=False, name=name)


def _squeezed(expanded: Array, factors: int) -> Array:
    """l2(root(SumPool)) of [B, width * factors], the neighbours pooled."""
    pooled = expanded.reshape(len(expanded), expanded.shape[1] // factors, factors).sum(-1)
    rooted = jnp.sign(pooled) * jnp.sqrt(jnp.abs(pooled) + SMALLEST)
    return rooted / jnp.sqrt((rooted**2).sum(-1, keepdims=True) + SMALLEST)
