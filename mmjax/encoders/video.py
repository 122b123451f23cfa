"""The encoder of moving images: each frame as an image, then the frames as a sequence."""

from mmjax.config import DEFAULTS
from mmjax.encoders.convolutional import Cnn
from mmjax.encoders.encoder import Encoder, cleaned
from mmjax.encoders.recurrent import Gru
from mmjax.types import Array, Encoded, Features, ModalitySpec


class Video(Encoder):
    """`Cnn` of every frame, the first stage, and `Gru` over what it makes of them, a stage a layer.

    h is the state after the last valid frame.
    """

    accepts = frozenset({"video"})

    channels: int = DEFAULTS.channels
    cnn_pool: int = DEFAULTS.cnn_pool
    width: int = DEFAULTS.width
    encoder_layers: int = DEFAULTS.encoder_layers
    bidirectional: bool = DEFAULTS.bidirectional
    dropout: float = DEFAULTS.dropout

    @property
    def stages(self) -> int:
        return 1 + self.encoder_layers

    def setup(self):
        frames, *image = self.spec.shape
        self.frame = Cnn(
            ModalitySpec(self.spec.name, "image", tuple(image)),
            self.axis_name,
            channels=self.channels,
            cnn_pool=self.cnn_pool,
            cnn_dense=True,
            width=self.width,
            dropout=self.dropout,
        )
        self.time = Gru(
            ModalitySpec(self.spec.name, "sequence", (frames, self.width)),
            self.axis_name,
            width=self.width,
            encoder_layers=self.encoder_layers,
            bidirectional=self.bidirectional,
            dropout=self.dropout,
        )

    def start(self, inputs: Array, length: Array | None, valid: Array) -> Features:
        return cleaned(self.spec, inputs, length, valid)

    def stage(self, index: int, features: Features, train: bool) -> Features:
        if index > 0:
            return self.time.stage(index - 1, features, train)
        values, mask, _ = features
        images = values.reshape(-1, *values.shape[2:])
        encoded = self.frame(images, None, mask.reshape(-1), train)
        return features._replace(values=encoded.pooled.reshape(*mask.shape, self.width))

    def tokens(self, features: Features) -> tuple[Array, Array]:
        return self.time.tokens(features)

    def finish(self, features: Features, train: bool) -> Encoded:
        return self.time.finish(features, train)
