"""The encoder of a set of points, as lidar and radar give it."""

import flax.linen as nn
import jax.numpy as jnp

from mmjax.config import DEFAULTS
from mmjax.encoders.encoder import Encoder, cleaned
from mmjax.layers.dropout import Dropout
from mmjax.types import Array, Encoded, Features


class PointNet(Encoder):
    """`encoder_layers` times relu(W x + b) of each point, a stage each; h = relu(W max over points + b).

    The order of the points does not matter. Without the paper's networks that align points and features, and
    without its batch normalisation.

    References:
      Qi et al., "PointNet: deep learning on point sets for 3D classification and segmentation", CVPR 2017, equation 1.
    """

    accepts = frozenset({"points"})

    width: int = DEFAULTS.width
    encoder_layers: int = DEFAULTS.encoder_layers
    dropout: float = DEFAULTS.dropout

    @property
    def stages(self) -> int:
        return self.encoder_layers

    def setup(self):
        self.shared = [nn.Dense(self.width) for _ in range(self.encoder_layers)]
        self.dense = nn.Dense(self.width)
        self.drop = Dropout(self.dropout, self.axis_name)

    def start(self, inputs: Array, length: Array | None, valid: Array) -> Features:
        return cleaned(self.spec, inputs, length, valid)

    def stage(self, index: int, features: Features, train: bool) -> Features:
        return features._replace(values=nn.relu(self.shared[index](features.values)))

    def tokens(self, features: Features) -> tuple[Array, Array]:
        return features.values, features.mask

    def finish(self, features: Features, train: bool) -> Encoded:
        values, mask = self.tokens(features)
        largest = jnp.max(values, axis=1, where=mask[:, :, None], initial=0)  # no value of a relu is below 0
        return Encoded(values, mask, self.drop(nn.relu(self.dense(largest)), train))
