"""Multimodal transfer module."""

import flax.linen as nn
import jax.numpy as jnp

from mmjax.config import DEFAULTS
from mmjax.fusion.model.stages import finish_all, global_average, stage_by_stage


class MMTM(nn.Module):
    """After every joint stage, each modality's channels are recalibrated by all modalities.

    s = [GAP A_1; ...; GAP A_M], z = relu(W s), A_i <- 2 sigmoid(W_i z) A_i; then F = [h_1; ...; h_M]. With W_i = 0 the
    factor 2 leaves the encoders as they are.

    References:
      Joze et al., MMTM: Multimodal Transfer Module for CNN Fusion, CVPR 2020, equations 2 to 6.
    """

    squeeze: int = DEFAULTS.squeeze
    joins = "stages"
    heads_per_modality = False

    @nn.compact
    def __call__(self, encoders, features, train=False):
        """Encoders and their started features, by modality, to (F [B, sum d_i], encoded by modality)."""

        def exchange(joint, features):
            squeezed = jnp.concatenate([global_average(features[name]) for name in sorted(features)], axis=-1)
            size = max(squeezed.shape[-1] // self.squeeze, 1)
            joint_embedding = nn.relu(nn.Dense(size, name=f"squeeze_{joint}")(squeezed))
            return {name: self._excite(joint, name, joint_embedding, f) for name, f in features.items()}

        features = stage_by_stage(encoders, features, train, exchange)
        encoded = finish_all(encoders, features, train)
        return jnp.concatenate([e.pooled for e in encoded.values()], axis=-1), encoded

    def _excite(self, joint, name, joint_embedding, features):
        channels = features.values.shape[-1]
        gate = 2 * nn.sigmoid(nn.Dense(channels, name=f"excite_{joint}_{name}")(joint_embedding))
        gate = gate.reshape((gate.shape[0],) + (1,) * (features.values.ndim - 2) + (channels,))
        return features._replace(values=features.values * gate)
