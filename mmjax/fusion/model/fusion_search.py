"""A search over which stages of the encoders to join, and how."""

from collections.abc import Mapping

import flax.linen as nn
import jax.numpy as jnp
import numpy as np

from mmjax.config import DEFAULTS
from mmjax.fusion.model.stages import finish_all, global_average
from mmjax.layers.softmax import softmax
from mmjax.types import Array

ACTIVATIONS = {"relu": nn.relu, "sigmoid": nn.sigmoid, "tanh": jnp.tanh}
POOLED = "pooled"


class FusionSearch(nn.Module):
    """z_l = sum_s b_ls act_s(sum_i sum_j a_lij P_lij h_i^j + W_l z_{l-1} + c_l), F = z_L, a_li and b_l softmaxes.

    The space is MFAS's: fusion layer l takes one stage j of every encoder (the pooled embedding is the last choice),
    and one activation. The search is by gradient: every choice is a softmax over the candidates, learned with the
    weights, so that it costs one training of as many epochs as any other fusion, and all its candidates are counted
    among its parameters. (MFAS samples architectures, trains each and fits a surrogate to their validation scores.)
    `found` reads off what was preferred. h_i^j is the global average of stage j, 0 where i is absent.

    References:
      Perez-Rua et al., MFAS: Multimodal Fusion Architecture Search, CVPR 2019, equation 3; a softmax over the choices:
      Liu et al., DARTS, ICLR 2019, equation 2.
    """

    width: int = DEFAULTS.width
    fusion_layers: int = DEFAULTS.fusion_layers
    joins = "stages"
    heads_per_modality = False

    @nn.compact
    def __call__(self, encoders, features, train=False):
        """Encoders and their started features, by modality, to (F [B, width], encoded by modality)."""
        hidden = {name: {} for name in sorted(encoders)}
        last = {}
        for name, encoder in encoders.items():
            stage = features[name]
            for index in range(encoder.stages):
                stage = encoder.stage(index, stage, train)
                hidden[name][str(index)] = global_average(stage)
            last[name] = stage
        encoded = finish_all(encoders, last, train)
        for name, e in encoded.items():
            hidden[name][POOLED] = e.pooled
        fused = 0.0
        for layer in range(self.fusion_layers):
            joined = sum(self._choose(layer, name, candidates) for name, candidates in hidden.items())
            bias = self.param(f"bias_{layer}", nn.initializers.zeros, (self.width,))
            if layer:
                joined += nn.Dense(self.width, use_bias=False, name=f"layer_{layer}")(fused)
            shares = softmax(self.param(f"activation_{layer}", nn.initializers.zeros, (len(ACTIVATIONS),)))
            acted = [act(joined + bias) for act in ACTIVATIONS.values()]
            fused = sum(share * values for share, values in zip(shares, acted, strict=True))
        return fused, encoded

    def _choose(self, layer: int, name: str, candidates: Mapping[str, Array]) -> Array:
        """The candidates of one modality, projected and averaged by preference."""
        shares = softmax(self.param(f"stage_{layer}_{name}", nn.initializers.zeros, (len(candidates),)))
        projected = [
            nn.Dense(self.width, use_bias=False, name=f"project_{layer}_{name}_{stage}")(h)
            for stage, h in candidates.items()
        ]
        return sum(share * h for share, h in zip(shares, projected, strict=True))


def found(parameters: Mapping) -> list[dict[str, str]]:
    """The architecture that a trained FusionSearch prefers: for each layer modality -> stage, and "activation"."""
    layers = []
    while f"activation_{len(layers)}" in parameters:
        place = f"stage_{len(layers)}_"
        chosen = {"activation": list(ACTIVATIONS)[int(np.argmax(parameters[f"activation_{len(layers)}"]))]}
        for key, preference in parameters.items():
            if key.startswith(place):
                index = int(np.argmax(preference))
                chosen[key.removeprefix(place)] = POOLED if index == len(preference) - 1 else str(index)
        layers.append(chosen)
    return layers
