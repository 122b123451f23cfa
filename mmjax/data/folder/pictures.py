"""Pictures, one file an example, at the depth at which they were saved."""

from __future__ import annotations

import io
import math
import re
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from mmjax.data.sources import reading
from mmjax.data.transforms.raw_form import RawForm
from mmjax.errors import InputError

LARGEST = 64  # pixels a side of pictures, where no size is given
MOST_PIXELS = 2**26  # of a picture's file
MOST_BYTES = 2**33  # of all pictures of a modality in single precision, as encoders take them
DTYPES = {"8 bits": np.uint8, "16 bits": np.uint16, "floats": np.float32}  # of a channel, by the depth of the file
GRAY = ("1", "L", "LA", "La", "I", "F")
PAPER = (255, 255, 255, 255)  # what shows through where a picture is transparent
_LOSSY = re.compile(r"(RGB|LA|CMYK)\w*;16")  # 16 bits of several channels, of which Pillow keeps 8


class Picture(NamedTuple):
    """A file: in mode L, RGB or F; a key of DTYPES; whether it has transparent parts, and its frames."""

    image: object
    depth: str
    transparent: bool
    frames: int


def read_pictures(
    files: Sequence[tuple[str, Path | bytes | None]], size: tuple[int, int], form: RawForm | None = None
) -> tuple[np.ndarray, list[str]]:
    """Pictures [n, height, width, 1 or 3], turned as their EXIF tag says, black where the file is None; and warnings.

    They are uint8, uint16 or float32, as the files are; transparent parts are white.

    Args:
      files: how each is called in a complaint, and its path, its bytes, or None.
      size: height and width; zeros take the files' median, LARGEST at most.
      form: what training found, whose size, colours and depth are taken; None in training.

    Raises:
      InputError: naming the first that cannot be read, is too large, or has another depth.
    """
    pictures = [None if file is None else _picture(name, file) for name, file in files]
    there = [picture for picture in pictures if picture is not None]
    depth = _one_depth([name for name, file in files if file is not None], there, form)
    sides = np.array([picture.image.size[::-1] for picture in there] or [(1, 1)])
    told = _warnings(there)
    gray = all(picture.image.mode != "RGB" for picture in there)
    if form and len(form.shape) == 3:
        *size, channels = form.shape
        gray = channels == 1
    elif not any(size):
        median = np.median(sides, axis=0).astype(int)
        size = np.minimum(median, LARGEST)
        if (median > LARGEST).any():
            told.append(
                f"pictures of about {median[0]} x {median[1]} pixels are read as {size[0]} x {size[1]}; "
                "`size: [height, width]` says otherwise"
            )
    count = len(files) * math.prod(map(int, size)) * (1 if gray else 3) * np.dtype(np.float32).itemsize
    if count > MOST_BYTES:
        raise InputError(
            f"{len(files):,} pictures of {size[0]} x {size[1]} pixels would take {count:,} bytes, and accepted are "
            f"{MOST_BYTES:,}; give a smaller `size: [height, width]` in task.yaml"
        )
    blank = np.zeros((*map(int, size), 1 if gray else 3), DTYPES[depth])
    return np.stack([blank if each is None else _pixels(each, blank) for each in pictures]), told


def _picture(name: str, file: Path | bytes) -> Picture:
    from PIL import Image, ImageOps

    with reading(Path(name), own=True), warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        with Image.open(io.BytesIO(file) if isinstance(file, bytes) else file) as image:
            if image.size[0] * image.size[1] > MOST_PIXELS:
                raise InputError(f"{name} is {image.size[0]} x {image.size[1]} pixels; accepted are {MOST_PIXELS:,}")
            raw, frames = _raw_mode(image), getattr(image, "n_frames", 1)
            if _LOSSY.match(raw):
                raise InputError(
                    f"{name} has 16 bits in each of several channels, and of colours only 8 bits can be read; save it "
                    "with 8 bits a channel, or as gray of 16"
                )
            image.load()
            turned = ImageOps.exif_transpose(image)
            if turned.mode.startswith("I;16") or raw.startswith("I;16"):
                return Picture(_floats(turned), "16 bits", False, frames)
            if turned.mode in ("I", "F"):
                floats = _floats(turned)
                if not np.isfinite(np.asarray(floats)).all():
                    raise InputError(f"{name} holds pixels that are not finite; save it again with numbers there")
                return Picture(floats, "floats", False, frames)
            opaque, transparent = _opaque(turned)
            return Picture(opaque.convert("L" if turned.mode in GRAY else "RGB"), "8 bits", transparent, frames)


def _raw_mode(image) -> str:
    """How the file keeps its pixels, as "RGB;16B"; "" where the decoder does not say."""
    for tile in image.tile:
        said = tile[3] if isinstance(tile[3], tuple) else (tile[3],)
        return next((each for each in said if isinstance(each, str)), "")
    return ""


def _floats(image):
    from PIL import Image

    return Image.fromarray(np.asarray(image).astype(np.float32))


def _opaque(image):
    """The picture on paper where it has transparent parts, and whether it has."""
    from PIL import Image

    if not image.has_transparency_data:
        return image, False
    coloured = image.convert("RGBA")
    if coloured.getchannel("A").getextrema()[0] == 255:
        return image, False
    return Image.alpha_composite(Image.new("RGBA", coloured.size, PAPER), coloured), True


def _one_depth(names: Sequence[str], pictures: Sequence[Picture], form: RawForm | None) -> str:
    depths = [picture.depth for picture in pictures]
    if form and form.dtype:
        wanted, whose = next((d for d, kind in DTYPES.items() if kind == np.dtype(form.dtype)), form.dtype), "training"
    else:
        wanted, whose = (depths[0], names[0]) if depths else ("8 bits", "")
    for name, depth in zip(names, depths, strict=True):
        if depth != wanted:
            raise InputError(f"{name} has {depth} a channel, and {whose} has {wanted}; save all pictures alike")
    return wanted if depths else "8 bits"


def _warnings(pictures: Sequence[Picture]) -> list[str]:
    transparent, moving = sum(each.transparent for each in pictures), sum(each.frames > 1 for each in pictures)
    told = [f"{transparent:,} of {len(pictures):,} pictures have transparent parts, which are read as white"]
    told += [f"{moving:,} of {len(pictures):,} pictures have several frames, of which the first is read"]
    return [sentence for sentence, count in zip(told, (transparent, moving), strict=True) if count]


def _pixels(picture: Picture, blank: np.ndarray) -> np.ndarray:
    from PIL import Image

    image = picture.image
    if picture.depth == "8 bits":
        image = image.convert("L" if blank.shape[2] == 1 else "RGB")
    pixels = np.asarray(image.resize((blank.shape[1], blank.shape[0]), Image.Resampling.LANCZOS))
    if picture.depth == "16 bits":
        pixels = np.clip(np.rint(pixels), 0, 2**16 - 1)
    return np.broadcast_to(pixels.reshape(*blank.shape[:2], -1), blank.shape).astype(blank.dtype)
