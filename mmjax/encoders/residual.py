"""The residual network, for images and for sequences as images of T rows."""

import flax.linen as nn

from mmjax.config import DEFAULTS
from mmjax.encoders.encoder import Encoder, kept
from mmjax.encoders.maps import SPATIAL, as_image, few_tokens, shrunk
from mmjax.layers.batch_norm import BatchNorm
from mmjax.layers.convolution import Convolution
from mmjax.layers.dropout import Dropout
from mmjax.layers.pooling import masked_mean
from mmjax.types import Array, Encoded, Features

STAGES = 3


class ResidualBlock(nn.Module):
    """relu(F(x) + x), F(x) = norm(W_2 * relu(norm(W_1 * x))), both convolutions 3 x 3; W_1 has the stride.

    Where F changes the shape, the shortcut is norm(W x) of every `stride`-th pixel.

    Attributes:
      channels: of the output.
      stride: pixels from one output to the next.
      axis_name: device axis that splits the batch, or None.
    """

    channels: int
    stride: int = 1
    axis_name: str | None = None

    @nn.compact
    def __call__(self, values: Array, valid: Array, train: bool) -> Array:
        """[B, height, width, channels'] and valid, bool [B] or [B, height], to [B, height', width', channels].

        Rows that are not valid come back zero, like the border, so it does not matter how many there are.
        """
        after = valid if valid.ndim == 1 else valid[:, :: self.stride]

        def convolved(name, values, stride=1):
            values = Convolution(self.channels, (3, 3), "SAME", False, stride, name=f"convolution_{name}")(values)
            return BatchNorm(self.axis_name, name=f"norm_{name}")(values, after, train)

        residual = convolved("1", kept(nn.relu(convolved("0", values, self.stride)), after))
        if self.stride > 1 or values.shape[-1] != self.channels:
            values = nn.Dense(self.channels, use_bias=False, name="shortcut")(values[:, :: self.stride, :: self.stride])
            values = BatchNorm(self.axis_name, name="norm_shortcut")(values, after, train)
        return kept(nn.relu(residual + values), after)


class ResNet(Encoder):
    """A 3 x 3 convolution, then three stages of `encoder_layers` residual blocks; h = W (mean over the map) + b.

    Filters double from `channels` and sides halve from stage to stage. With 16 channels it is the family of
    the paper's section 4.2, of 6 `encoder_layers` + 2 layers, but for its shortcuts, which are projected.

    References:
      He et al., "Deep residual learning for image recognition", CVPR 2016, equations 1 and 2, option B.
    """

    accepts = SPATIAL
    whole_batch = True
    stages = STAGES

    channels: int = DEFAULTS.channels
    encoder_layers: int = DEFAULTS.encoder_layers
    width: int = DEFAULTS.width
    dropout: float = DEFAULTS.dropout

    def setup(self):
        self.stem = Convolution(self.channels, (3, 3), "SAME", use_bias=False)
        self.stem_norm = BatchNorm(self.axis_name)
        self.blocks = [
            [
                ResidualBlock(self.channels * 2**stage, 2 if stage and not block else 1, self.axis_name)
                for block in range(self.encoder_layers)
            ]
            for stage in range(STAGES)
        ]
        self.dense = nn.Dense(self.width)
        self.drop = Dropout(self.dropout, self.axis_name)

    def start(self, inputs: Array, length: Array | None, valid: Array) -> Features:
        return as_image(self.spec, inputs, length, valid)

    def stage(self, index: int, features: Features, train: bool) -> Features:
        values, mask, valid = features
        rows = valid if mask is None else mask
        if index == 0:
            values = kept(nn.relu(self.stem_norm(self.stem(values), rows, train)), rows)
        for block in self.blocks[index]:
            values = block(values, rows, train)
            mask = shrunk(mask, values.shape[1], block.stride)
            rows = valid if mask is None else mask
        return features._replace(values=values, mask=mask)

    def tokens(self, features: Features) -> tuple[Array, Array]:
        return few_tokens(features)

    def finish(self, features: Features, train: bool) -> Encoded:
        pooled = self.dense(masked_mean(features.values, features.mask))
        return Encoded(*self.tokens(features), self.drop(pooled, train))
