"""Fusion of the modalities as a set."""

import flax.linen as nn
import jax.numpy as jnp

from mmjax.config import DEFAULTS
from mmjax.fusion.presence import mean_of_present, settle


class DeepSets(nn.Module):
    """F = rho(pool_i phi_i(h_i)), pool the mean or the maximum over the modalities present.

    phi_i and rho are a dense layer with relu each; the phi_i differ, since the modalities do.

    References:
      Zaheer et al., Deep Sets, NeurIPS 2017, theorem 2.
    """

    width: int = DEFAULTS.width
    set_pool: str = DEFAULTS.set_pool

    @nn.compact
    def __call__(self, embeddings, present=None):
        """Embeddings, modality -> [B, d_i], to F [B, width]."""
        embeddings, present = settle(embeddings, present)
        elements = [nn.relu(nn.Dense(self.width, name=f"phi_{name}")(h)) for name, h in embeddings.items()]
        # phi >= 0, so that 0 in the place of an absent one changes neither the sum nor the maximum.
        elements = jnp.where(present[:, :, None], jnp.stack(elements, axis=1), 0)
        pooled = elements.max(1) if self.set_pool == "max" else mean_of_present(elements, present)
        return nn.relu(nn.Dense(self.width, name="rho")(pooled))
