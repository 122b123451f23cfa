"""Fusion by sums of projected embeddings: plain, with a weight a modality, or with attention."""

import flax.linen as nn
import jax.numpy as jnp

from mmjax.config import DEFAULTS
from mmjax.fusion.presence import masked_softmax, settle


class Sum(nn.Module):
    """F = sum_i W_i h_i: `concat` followed by one linear map, whose rows the W_i are.

    The W_i start as that map would, so that F has variance 1 for embeddings of variance 1.
    """

    width: int = DEFAULTS.width

    @nn.compact
    def __call__(self, embeddings, present=None):
        """Embeddings, modality -> [B, d_i], to F [B, width]."""
        embeddings, _ = settle(embeddings, present)
        initial = nn.initializers.normal(sum(h.shape[-1] for h in embeddings.values()) ** -0.5)
        return sum(
            nn.Dense(self.width, use_bias=False, kernel_init=initial, name=f"project_{name}")(h)
            for name, h in embeddings.items()
        )


class Weighted(nn.Module):
    """F = sum_i a_i W_i h_i with a = softmax(w) over the modalities present.

    Equal w (the start) gives the mean of the W_i h_i present.
    """

    width: int = DEFAULTS.width

    @nn.compact
    def __call__(self, embeddings, present=None):
        """Embeddings, modality -> [B, d_i], to F [B, width]."""
        embeddings, present = settle(embeddings, present)
        projected = _project(embeddings, self.width)
        weights = self.param("weights", nn.initializers.zeros, (len(embeddings),))
        weights = masked_softmax(jnp.broadcast_to(weights, present.shape), present)
        return jnp.einsum("bm,bmd->bd", weights, projected)


class Attention(nn.Module):
    """F = sum_i a_i W_i h_i with a = softmax_i(u' tanh(V W_i h_i)), for each example, over the modalities present.

    References:
      Bahdanau et al., Neural machine translation by jointly learning to align and translate, ICLR 2015,
      appendix A.1.2 (the form of the score).
    """

    width: int = DEFAULTS.width

    @nn.compact
    def __call__(self, embeddings, present=None):
        """Embeddings, modality -> [B, d_i], to F [B, width]."""
        embeddings, present = settle(embeddings, present)
        projected = _project(embeddings, self.width)
        hidden = jnp.tanh(nn.Dense(self.width, use_bias=False, name="hidden")(projected))
        scores = nn.Dense(1, use_bias=False, name="score")(hidden)[:, :, 0]
        return jnp.einsum("bm,bmd->bd", masked_softmax(scores, present), projected)


def _project(embeddings, width):
    """W_i h_i of all modalities, [B, M, width]; without a bias, so that an absent one adds nothing."""
    projected = [nn.Dense(width, use_bias=False, name=f"project_{name}")(h) for name, h in embeddings.items()]
    return jnp.stack(projected, axis=1)
