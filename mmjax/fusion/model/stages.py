"""Running encoders side by side, stopping where a fusion joins them."""

from collections.abc import Callable, Mapping

import jax.numpy as jnp

from mmjax.layers.pooling import masked_mean
from mmjax.types import Array, Encoded, Features


def joints(encoders: Mapping) -> int:
    """How often encoders can be joined between stages: the least number of stages among them."""
    return min(encoder.stages for encoder in encoders.values())


def run_to_joint(encoder, features: Features, joint: int, total: int, train: bool) -> Features:
    """`features` after the stages of `encoder` that end at joint `joint` of `total`.

    An encoder with more stages than there are joints runs the surplus before the first joint, so
    that all encoders' last stages coincide.
    """
    surplus = encoder.stages - total
    first = 0 if joint == 0 else surplus + joint
    for index in range(first, surplus + joint + 1):
        features = encoder.stage(index, features, train)
    return features


def stage_by_stage(
    encoders: Mapping, features: Mapping[str, Features], train: bool, exchange: Callable[[int, dict], dict]
) -> dict[str, Features]:
    """The last features of all encoders, with `exchange(joint, features) -> features` called at every joint."""
    total = joints(encoders)
    for joint in range(total):
        features = {
            name: run_to_joint(encoder, features[name], joint, total, train) for name, encoder in encoders.items()
        }
        features = exchange(joint, features)
    return features


def finish_all(encoders: Mapping, features: Mapping[str, Features], train: bool) -> dict[str, Encoded]:
    """Every encoder's E_i, by name, its pooled embedding 0 where the modality is absent."""
    encoded = {}
    for name in sorted(features):
        last = encoders[name].finish(features[name], train)
        encoded[name] = last._replace(pooled=jnp.where(features[name].valid[:, None], last.pooled, 0))
    return encoded


def global_average(features: Features) -> Array:
    """A stage's values averaged over space or valid time: [B, ..., c] to [B, c], 0 for invalid rows."""
    return jnp.where(features.valid[:, None], masked_mean(features.values, features.mask), 0)
