"""What the encoders of images share: the raw input as a map, the mask of its rows, its tokens."""

import jax.numpy as jnp

from mmjax.encoders.encoder import cleaned
from mmjax.errors import InputError
from mmjax.layers.pooling import average_pool
from mmjax.types import Array, Features, ModalitySpec

SPATIAL = frozenset({"image", "sequence"})
TOKENS_A_SIDE = 7  # the map is averaged to at most 7 x 7 tokens where attention reads it


def require_side(spec: ModalitySpec, encoder: str, least: int):
    if min(spec.shape[:2]) < least:
        raise InputError(
            f"encoder {encoder!r} does not read modality {spec.name!r} of shape {spec.shape}: "
            f"it needs at least {least} x {least}; choose mlp in config.encoders"
        )


def as_image(spec: ModalitySpec, inputs: Array, length: Array | None, valid: Array) -> Features:
    """Cleaned inputs; a sequence becomes an image of T rows, its features the columns, of one channel."""
    features = cleaned(spec, inputs, length, valid)
    return features if spec.kind == "image" else features._replace(values=features.values[..., None])


def shrunk(mask: Array | None, rows: int, window: int) -> Array | None:
    """The mask of the rows that are left, each valid if the first of those it was made of is."""
    return None if mask is None else mask[:, : rows * window : window]


def few_tokens(features: Features) -> tuple[Array, Array]:
    """The map averaged to few enough tokens, row by row, and their mask."""
    values = features.values
    height, width = (-(-side // TOKENS_A_SIDE) for side in values.shape[1:3])
    tokens = average_pool(values, height, width)
    B, rows, columns, d = tokens.shape
    mask = features.valid[:, None] if features.mask is None else shrunk(features.mask, rows, height)
    mask = jnp.broadcast_to(mask[:, :, None], (B, rows, columns))
    return tokens.reshape(B, rows * columns, d), mask.reshape(B, rows * columns)
