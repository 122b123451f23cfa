"""The encoder of sound: a fixed spectrogram, then convolutions over its frames."""

import math

from mmjax.config import DEFAULTS
from mmjax.encoders.encoder import Encoder, cleaned
from mmjax.encoders.tcn import Tcn
from mmjax.errors import InputError
from mmjax.layers.spectrogram import FLOOR, log_mel, mel_filters
from mmjax.types import Array, Encoded, Features, ModalitySpec


class LogMel(Encoder):
    """Log powers in mel bands, frame by frame, read by the blocks of `Tcn`; the front end has no parameters.

    The logarithm is scaled so that 0 is silence and 1 a power of 1. A frame is valid if it starts within the
    recording's length: the last ones run on into silence, so that no sample before the last whole frame is lost,
    and a recording of any length has a frame.

    Attributes:
      frame_seconds: of a frame, rounded to an even number of samples.
      hop_seconds: from one frame's start to the next's.
      mel_bands: how many, from 0 hertz to half the rate.
    """

    accepts = frozenset({"waveform"})
    registered = "log_mel"

    width: int = DEFAULTS.width
    encoder_layers: int = DEFAULTS.encoder_layers
    dropout: float = DEFAULTS.dropout
    frame_seconds: float = DEFAULTS.frame_seconds
    hop_seconds: float = DEFAULTS.hop_seconds
    mel_bands: int = DEFAULTS.mel_bands

    @property
    def stages(self) -> int:
        return self.encoder_layers

    def setup(self):
        rate, samples = self.spec.rate, self.spec.shape[0]
        frame = 2 * round(self.frame_seconds * rate / 2)
        self.hop = max(round(self.hop_seconds * rate), 1)
        if not 0 < frame <= samples:
            raise InputError(
                f"encoder 'log_mel' does not read modality {self.spec.name!r} of {samples} samples at {rate} a second: "
                f"a frame of {self.frame_seconds} s has {frame}, and must have 2 to {samples}; "
                "choose mlp in config.encoders"
            )
        self.filters = mel_filters(rate, frame, self.mel_bands)
        spec = ModalitySpec(self.spec.name, "sequence", (1 + (samples - frame) // self.hop, self.mel_bands))
        self.convolutions = Tcn(spec, self.axis_name, self.width, self.encoder_layers, dropout=self.dropout)

    def start(self, inputs: Array, length: Array | None, valid: Array) -> Features:
        waves, mask, _ = cleaned(self.spec, inputs, length, valid)
        bands = 1 - log_mel(waves, self.filters, self.hop) / math.log(FLOOR)
        return Features(bands.astype(inputs.dtype), mask[:, :: self.hop][:, : bands.shape[1]], valid)

    def stage(self, index: int, features: Features, train: bool) -> Features:
        return self.convolutions.stage(index, features, train)

    def tokens(self, features: Features) -> tuple[Array, Array]:
        return self.convolutions.tokens(features)

    def finish(self, features: Features, train: bool) -> Encoded:
        return self.convolutions.finish(features, train)
