"""A central network beside the modalities' own."""

import flax.linen as nn

from mmjax.config import DEFAULTS
from mmjax.fusion.model.stages import finish_all, global_average, stage_by_stage


class CentralNet(nn.Module):
    """h_C^{l+1} = f_l(a_C h_C^l + sum_i a_i h_i^l), with a loss on every modality's own head besides.

    h_i^l is the global average of modality i's stage l, projected to the common width (stages differ in
    shape, unlike the paper's); f_l is a dense layer with ReLU. After the last stage the pooled embeddings join
    in the same way and F is that sum. Every a is a parameter of its own, 1 at the start, as in the paper.

    References:
      Vielzeuf et al., CentralNet: a Multilayer Approach for Multimodal Fusion, ECCV workshops 2018, equation 1.
    """

    width: int = DEFAULTS.width
    joins = "stages"
    heads_per_modality = True

    @nn.compact
    def __call__(self, encoders, features, train=False):
        """Encoders and their started features, by modality, to (F [B, width], encoded by modality)."""
        central = None

        def exchange(joint, features):
            nonlocal central
            squeezed = {name: global_average(features[name]) for name in sorted(features)}
            central = nn.relu(nn.Dense(self.width, name=f"layer_{joint}")(self._join(str(joint), central, squeezed)))
            return features

        features = stage_by_stage(encoders, features, train, exchange)
        encoded = finish_all(encoders, features, train)
        return self._join("pooled", central, {name: e.pooled for name, e in encoded.items()}), encoded

    def _join(self, place, central, hidden):
        """a_C h_C + sum_i a_i h_i at one place of the network; the first has no h_C yet."""
        joined = 0 if central is None else self._weight(f"weight_{place}_central") * central
        for name, h in hidden.items():
            projected = nn.Dense(self.width, use_bias=False, name=f"project_{place}_{name}")(h)
            joined += self._weight(f"weight_{place}_{name}") * projected
        return joined

    def _weight(self, name):
        return self.param(name, nn.initializers.ones, ())
