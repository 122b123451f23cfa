"""Product of experts."""

import flax.linen as nn
import jax

from mmjax.fusion.presence import settle


class Product(nn.Module):
    """p proportional to prod_i p_i, that is softmax(sum_i l_i): one flat expert changes nothing."""

    trained = False
    evidential = False
    targets = ("binary", "multiclass", "multilabel")

    @nn.compact
    def __call__(self, logits, present=None):
        """Logits, modality -> [B, K], to log p [B, K]; uniform where no modality is present."""
        logits, _ = settle(logits, present)
        return jax.nn.log_softmax(sum(logits.values()))
