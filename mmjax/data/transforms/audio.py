"""Sound as samples of one rate, or as a picture of its spectrum; [n, samples] in [-1, 1] with lengths."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

import numpy as np

from mmjax.data.transforms.contract import Column, State
from mmjax.errors import InputError
from mmjax.layers.spectrogram import FLOOR, mel_filters

CHUNK = 256  # waves transformed at once


@dataclasses.dataclass(frozen=True)
class Resample:
    """Bring sound to another rate, by a polyphase filter.

    Attributes:
      rate: samples per second afterwards.
    """

    rate: float

    def __post_init__(self):
        if self.rate < 1:
            raise InputError(f"transform Resample: rate = {self.rate} is not accepted: give 1 or more")

    def fit(self, column: Column) -> State:
        return {}

    def apply(self, state: State, column: Column) -> Column:
        from scipy.signal import resample_poly

        ratio = Fraction(self.rate) / Fraction(column.rate).limit_denominator()
        if ratio == 1:
            return column
        values = column.values.astype(np.float32)
        if column.lengths is not None:  # what lies after an end must not ring into it
            values = np.where(np.arange(values.shape[1]) < column.lengths[:, None], values, 0)
        values = resample_poly(values, ratio.numerator, ratio.denominator, axis=1).astype(np.float32)
        lengths = None
        if column.lengths is not None:
            lengths = -(-column.lengths.astype(np.int64) * ratio.numerator // ratio.denominator)
            lengths = np.clip(lengths, 1, values.shape[1]).astype(np.int32)
        return column._replace(values=values, lengths=lengths, rate=float(self.rate))


@dataclasses.dataclass(frozen=True)
class Loudest:
    """Keep the loudest stretch of every recording; of a shorter one all of it.

    Attributes:
      seconds: of the stretch; 0 takes the longest recording of train.
    """

    seconds: float = 0.0

    def fit(self, column: Column) -> State:
        longest = column.values.shape[1]
        if column.lengths is not None:
            longest = int(np.max(column.lengths[column.present], initial=1))
        return {"samples": np.array(round(self.seconds * column.rate) or longest)}

    def apply(self, state: State, column: Column) -> Column:
        samples, (n, length) = int(state["samples"]), column.values.shape
        lengths = np.full(n, length) if column.lengths is None else column.lengths
        values = np.zeros((n, samples), np.float32)
        for row in np.flatnonzero(column.present):
            wave = column.values[row, : lengths[row]].astype(np.float32)
            if len(wave) > samples:
                energy = np.concatenate([[0.0], np.cumsum(wave.astype(np.float64) ** 2)])
                start = int(np.argmax(energy[samples:] - energy[:-samples]))
                wave = wave[start : start + samples]
            values[row, : len(wave)] = wave
        column = column if self.seconds else column.without(lengths - samples)
        return column._replace(values=values, lengths=np.minimum(lengths, samples).astype(np.int32))


@dataclasses.dataclass(frozen=True)
class LogMel:
    """Turn sound into the logarithm of its power in mel bands, frame by frame: a sequence [n, frames, bands].

    Attributes:
      bands: of mel.
      frame_seconds, hop_seconds: of a frame, and from one's start to the next's.
    """

    bands: int = 32
    frame_seconds: float = 0.064
    hop_seconds: float = 0.032

    def fit(self, column: Column) -> State:
        return {}

    def apply(self, state: State, column: Column) -> Column:
        from scipy.fft import rfft
        from scipy.signal.windows import hann

        frame, hop = 2 * round(self.frame_seconds * column.rate / 2), round(self.hop_seconds * column.rate)
        if frame < 2 or hop < 1:
            raise InputError(
                f"transform LogMel: a frame of {frame} samples every {hop} is not accepted: make both longer"
            )
        values = np.pad(column.values, ((0, 0), (0, max(0, frame - column.values.shape[1]))))
        filters, window = mel_filters(column.rate, frame, self.bands), hann(frame, sym=False).astype(np.float32)
        parts = []
        for start in range(0, len(values), CHUNK):
            frames = np.lib.stride_tricks.sliding_window_view(values[start : start + CHUNK], frame, axis=1)[:, ::hop]
            spectrum = rfft(frames.astype(np.float32) * window)
            parts.append(np.log((spectrum.real**2 + spectrum.imag**2) @ filters + FLOOR).astype(np.float32))
        mel = np.concatenate(parts)
        lengths = None
        if column.lengths is not None:
            lengths = np.clip(1 + (column.lengths - frame) // hop, 1, mel.shape[1]).astype(np.int32)
        return column._replace(values=mel, lengths=lengths, rate=0.0)


@dataclasses.dataclass(frozen=True)
class Mfcc:
    """Turn sound into mel-frequency cepstral coefficients: the first of the cosine transform of every frame's LogMel.

    Attributes:
      coefficients: how many, at most `bands`.
      bands, frame_seconds, hop_seconds: as LogMel has them.
    """

    coefficients: int = 13
    bands: int = 32
    frame_seconds: float = 0.064
    hop_seconds: float = 0.032

    def fit(self, column: Column) -> State:
        return {}

    def apply(self, state: State, column: Column) -> Column:
        from scipy.fft import dct

        column = LogMel(self.bands, self.frame_seconds, self.hop_seconds).apply({}, column)
        return column._replace(values=dct(column.values, norm="ortho")[..., : self.coefficients])
