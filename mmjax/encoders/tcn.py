"""The encoder of dilated causal convolutions over time."""

import flax.linen as nn

from mmjax.config import DEFAULTS
from mmjax.encoders.encoder import Encoder
from mmjax.encoders.steps import SEQUENTIAL, steps, token_embedding
from mmjax.layers.causal import CausalConvolution
from mmjax.layers.dropout import Dropout
from mmjax.layers.pooling import last_valid
from mmjax.types import Array, Encoded, Features


class CausalBlock(nn.Module):
    """relu(F(x) + x), F two times a causal convolution, relu and dropout; x is projected where F changes its width.

    Attributes:
      width: of the output.
      dilation: of both convolutions.
      dropout: rate after each of them.
      axis_name: device axis that splits the batch, or None.
    """

    width: int
    dilation: int
    dropout: float = DEFAULTS.dropout
    axis_name: str | None = None

    @nn.compact
    def __call__(self, values: Array, train: bool) -> Array:
        """[B, T, d] -> [B, T, width]."""
        residual = values
        for index in range(2):
            residual = nn.relu(CausalConvolution(self.width, self.dilation, name=f"convolution_{index}")(residual))
            residual = Dropout(self.dropout, self.axis_name, name=f"dropout_{index}")(residual, train)
        if values.shape[-1] != self.width:
            values = nn.Dense(self.width, name="shortcut")(values)
        return nn.relu(residual + values)


class Tcn(Encoder):
    """`encoder_layers` residual blocks over steps or embedded tokens, a stage each, block l of dilation 2^l.

    h is the last valid step's state, which has read 4 (2^encoder_layers - 1) steps before it. Without the paper's
    weight normalisation.

    References:
      Bai, Kolter and Koltun, "An empirical evaluation of generic convolutional and recurrent networks for sequence
      modeling", arXiv:1803.01271, 2018, section 3.
    """

    accepts = SEQUENTIAL

    width: int = DEFAULTS.width
    encoder_layers: int = DEFAULTS.encoder_layers
    token_size: int = DEFAULTS.token_size
    dropout: float = DEFAULTS.dropout

    @property
    def stages(self) -> int:
        return self.encoder_layers

    def setup(self):
        self.embedding = token_embedding(self.spec, self.token_size)
        self.blocks = [
            CausalBlock(self.width, 2**block, self.dropout, self.axis_name) for block in range(self.encoder_layers)
        ]

    def start(self, inputs: Array, length: Array | None, valid: Array) -> Features:
        return steps(self.spec, self.embedding, inputs, length, valid)

    def stage(self, index: int, features: Features, train: bool) -> Features:
        return features._replace(values=self.blocks[index](features.values, train))

    def tokens(self, features: Features) -> tuple[Array, Array]:
        return features.values, features.mask

    def finish(self, features: Features, train: bool) -> Encoded:
        return Encoded(*self.tokens(features), last_valid(features.values, features.mask))
