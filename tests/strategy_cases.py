"""What a goal sees, made up: numbers small enough to follow on paper."""

import jax.numpy as jnp
import numpy as np

from mmjax.config import Config
from mmjax.training.strategies.goal import Seen, Setting
from mmjax.types import Batch, ModalitySpec, Outputs, TargetSpec

NAMES = ("a", "b", "c")


def setting(modalities=2, target=TargetSpec("binary"), **config) -> Setting:
    """Of the first of NAMES."""
    specs = tuple(ModalitySpec(name, "vector", (2,)) for name in NAMES[:modalities])
    return Setting(specs, target, Config(**config))


def batch(truth, present=None, weight=None) -> Batch:
    """Of examples that have all of NAMES, apart from those in `present`."""
    rows = len(truth)
    everywhere = dict.fromkeys(NAMES, np.ones(rows, bool))
    present = everywhere | {name: np.array(rows) for name, rows in (present or {}).items()}
    return Batch({}, {}, present, np.int32(truth), np.float32(np.ones(rows) if weight is None else weight))


def seen(batch: Batch, logits, embeddings=None, heads=None, memory=None) -> Seen:
    """A forward pass with D's logits, h_i and the heads' logits."""
    embeddings = {name: jnp.float32(h) for name, h in (embeddings or {}).items()}
    outputs = Outputs(jnp.float32(logits), None, embeddings, {}, {}, jnp.float32(0))
    heads = {name: jnp.float32(values) for name, values in (heads or {}).items()}
    return Seen(outputs, heads, None, batch, jnp.float32(1), memory, None, None, None)
