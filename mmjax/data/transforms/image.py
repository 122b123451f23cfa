"""Images as numbers of even scale and one size; [n, height, width, channels]."""

from __future__ import annotations

import dataclasses

import numpy as np

from mmjax.data.transforms.contract import Column, State, choose
from mmjax.errors import InputError

DEPTHS = (8, 10, 12, 14, 16)  # bits that cameras and scanners use of 16
LEAST_DEVIATION = 1e-6  # of a channel; less is constant


@dataclasses.dataclass(frozen=True)
class Normalise:
    """Bring pixels to even scale.

    Attributes:
      by: "unit" (bytes to 0 ... 1, as are 16 bits by the depth that train uses of them) or "standard" (each channel of
        train to mean 0 and deviation 1).
    """

    by: str = "unit"

    def __post_init__(self):
        choose("Normalise", "by", self.by, ("unit", "standard"))

    def fit(self, column: Column) -> State:
        if self.by == "unit" and column.values.dtype != np.uint16:
            return {}
        pixels = column.values[column.present]
        if self.by == "unit":
            brightest = int(pixels.max(initial=0))
            return {"largest": np.array(next(2**bits - 1 for bits in DEPTHS if brightest < 2**bits))}
        axes = tuple(range(pixels.ndim - 1))
        return {
            "mean": pixels.mean(axes, dtype=np.float64),
            "deviation": np.maximum(pixels.std(axes, dtype=np.float64), LEAST_DEVIATION),
        }

    def apply(self, state: State, column: Column) -> Column:
        if self.by == "unit":
            return column._replace(values=column.values.astype(np.float32) / state.get("largest", 255))
        return column._replace(values=((column.values - state["mean"]) / state["deviation"]).astype(np.float32))


def normalisation_of(values: np.ndarray) -> Normalise:
    """How pixels come to even scale: whole ones from 0 by their depth, others by what train says."""
    return Normalise("unit" if values.dtype in (np.uint8, np.uint16) else "standard")


@dataclasses.dataclass(frozen=True)
class Resize:
    """Resize images, of videos every frame, smoothing what gets smaller (Lanczos); bytes stay bytes.

    Attributes:
      height, width: in pixels, at least 1.
    """

    height: int
    width: int

    def __post_init__(self):
        for field in ("height", "width"):
            if getattr(self, field) < 1:
                raise InputError(f"transform Resize: {field} = {getattr(self, field)} is not accepted: give 1 or more")

    def fit(self, column: Column) -> State:
        return {}

    def apply(self, state: State, column: Column) -> Column:
        values = column.values
        *leading, height, width, channels = values.shape
        if (height, width) == (self.height, self.width):
            return column
        planes = np.moveaxis(values.reshape(-1, height, width, channels), -1, 1).reshape(-1, height, width)
        resized = np.stack([self._plane(plane) for plane in planes])
        resized = np.moveaxis(resized.reshape(-1, channels, self.height, self.width), 1, -1)
        return column._replace(values=resized.reshape(*leading, self.height, self.width, channels))

    def _plane(self, plane: np.ndarray) -> np.ndarray:
        from PIL import Image

        image = Image.fromarray(plane if plane.dtype == np.uint8 else plane.astype(np.float32))
        return np.asarray(image.resize((self.width, self.height), Image.Resampling.LANCZOS))


@dataclasses.dataclass(frozen=True)
class Grayscale:
    """Turn red, green and blue into one channel of brightness (ITU-R 601)."""

    def fit(self, column: Column) -> State:
        return {}

    def apply(self, state: State, column: Column) -> Column:
        brightness = column.values[..., :3] @ np.array([0.299, 0.587, 0.114])
        if np.issubdtype(column.values.dtype, np.integer):
            brightness = np.rint(brightness)
        return column._replace(values=brightness[..., None].astype(column.values.dtype))


@dataclasses.dataclass(frozen=True)
class Channels:
    """Give images without an axis of channels, [n, height, width] or [n, T, height, width], one of length 1."""

    def fit(self, column: Column) -> State:
        return {}

    def apply(self, state: State, column: Column) -> Column:
        return column._replace(values=column.values[..., None])


@dataclasses.dataclass(frozen=True)
class Flatten:
    """Turn an example of any shape into a vector."""

    def fit(self, column: Column) -> State:
        return {}

    def apply(self, state: State, column: Column) -> Column:
        return column._replace(values=column.values.reshape(len(column.values), -1), lengths=None)
