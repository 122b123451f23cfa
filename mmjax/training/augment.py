"""Augmentation: what a batch's examples become each time they are trained on, by names in `config.augment`.

Every example is changed by a key of its own, whatever devices split the batch; validation and test never are. All
frames of a video change alike. What an absent modality holds is changed too, and never read.

References: crop and flip as He et al. 2016 (CIFAR-10); colour as Krizhevsky et al. 2012 in spirit, by brightness
and contrast; mask is SpecAugment's time and frequency masking, one each (Park et al. 2019).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import jax
import jax.numpy as jnp

from mmjax.types import Array, Batch, ModalitySpec

SHIFT = 8  # a crop moves by at most a side over this
STRENGTH = 0.2  # of brightness (in deviations of the example) and contrast (as a share)
MASKED = 8  # a mask is at most a side over this


def augmentation_of(names: str, modalities: tuple[ModalitySpec, ...]) -> Callable[[Batch, Array], Batch] | None:
    """A function of a batch and one key an example, [B]; None where no modality is changed.

    Args:
      names: some of AUGMENTATIONS, joined by commas.
      modalities: of the model.
    """
    chosen = [AUGMENTATIONS[name] for name in names.split(",") if name]
    steps = {
        spec.name: [change for kinds, change in chosen if spec.kind in kinds]
        for spec in sorted(modalities, key=lambda spec: spec.name)
    }
    steps = {name: changes for name, changes in steps.items() if changes}
    if not steps:
        return None
    return lambda batch, keys: batch._replace(inputs={**batch.inputs, **_changed(steps, batch, keys)})


def _changed(steps: Mapping[str, list], batch: Batch, keys: Array) -> dict[str, Array]:
    changed = {}
    for place, (name, changes) in enumerate(steps.items()):
        values, length = batch.inputs[name], batch.lengths.get(name)
        length = jnp.full(len(values), values.shape[1]) if length is None else length
        for index, change in enumerate(changes):
            drawn = jax.vmap(lambda key, number=len(AUGMENTATIONS) * place + index: jax.random.fold_in(key, number))(
                keys
            )
            values = jax.vmap(change)(values, length, drawn)
        changed[name] = values
    return changed


def _crop(values: Array, length: Array, key: Array) -> Array:
    """Moved by a few pixels; what comes in repeats the edge."""
    height, width = values.shape[-3:-1]
    most = (height // SHIFT, width // SHIFT)
    padding = [(0, 0)] * (values.ndim - 3) + [(side, side) for side in most] + [(0, 0)]
    corner = [
        jax.random.randint(each, (), 0, 2 * side + 1) for each, side in zip(jax.random.split(key), most, strict=True)
    ]
    start = [0] * (values.ndim - 3) + [*corner, 0]
    return jax.lax.dynamic_slice(jnp.pad(values, padding, mode="edge"), start, values.shape)


def _flip(values: Array, length: Array, key: Array) -> Array:
    """Left for right, every other time."""
    return jnp.where(jax.random.bernoulli(key), values[..., ::-1, :], values)


def _colour(values: Array, length: Array, key: Array) -> Array:
    """Brighter or darker, of more or less contrast."""
    contrast, brightness = jax.random.uniform(key, (2,), minval=-STRENGTH, maxval=STRENGTH)
    return values.mean() + (1 + contrast) * (values - values.mean()) + brightness * values.std()


def _mask(values: Array, length: Array, key: Array) -> Array:
    """A stretch of valid steps and a band of features become the mean of the valid steps."""
    steps, features = values.shape
    valid = jnp.arange(steps) < length
    mean = jnp.where(valid[:, None], values, 0).sum() / (jnp.maximum(length, 1) * features)
    in_time, in_features = jax.random.split(key)
    hidden = _stretch(in_time, steps, length)[:, None] | _stretch(in_features, features, jnp.int32(features))
    return jnp.where(hidden & valid[:, None], mean, values)


def _stretch(key: Array, size: int, length: Array) -> Array:
    """[size] bool, a run of 0 to length // MASKED places within the first `length`."""
    of_width, of_start = jax.random.split(key)
    width = jnp.floor(jax.random.uniform(of_width) * (length // MASKED + 1)).astype(jnp.int32)
    start = jnp.floor(jax.random.uniform(of_start) * (length - width + 1)).astype(jnp.int32)
    places = jnp.arange(size)
    return (places >= start) & (places < start + width)


PICTURES = ("image", "video")
AUGMENTATIONS = {  # name -> (kinds that it changes, values and length and key -> values)
    "crop": (PICTURES, _crop),
    "flip": (PICTURES, _flip),
    "colour": (PICTURES, _colour),
    "mask": (("sequence",), _mask),
}
