"""Encoders side by side stop where they are joined, and an absent one says nothing there."""

import jax
import jax.numpy as jnp
import numpy as np
from small_tasks import SPECS, random_batch

from mmjax.config import Config
from mmjax.fusion.model.stages import finish_all, global_average, joints, stage_by_stage
from mmjax.model import build_model, initialise
from mmjax.types import Features, TargetSpec

TARGET = TargetSpec("multiclass", 3)


def test_global_average_is_over_valid_steps_and_zero_where_nothing_is_valid():
    values = jnp.asarray(np.random.default_rng(0).normal(size=(3, 4, 2)))
    mask = jnp.asarray([[True, True, False, False], [False] * 4, [True] * 4])
    averages = global_average(Features(values, mask, mask.any(1)))
    np.testing.assert_allclose(averages, [values[0, :2].mean(0), [0, 0], values[2].mean(0)], rtol=1e-6)
    vector = global_average(Features(values[:, 0], None, jnp.asarray([True, False, True])))
    np.testing.assert_array_equal(vector, values[:, 0] * np.array([[1], [0], [1]]))


def bound_encoders():
    """Encoders of one and of three stages, with a batch in which some rows lack a modality."""
    config = Config(width=8, encoder_layers=3, encoders={"sequence": "gru", "image": "cnn"})
    model = build_model((SPECS[0], SPECS[2]), TARGET, "centralnet", config)
    batch = jax.tree.map(jnp.asarray, random_batch((SPECS[0], SPECS[2]), TARGET, 8, missing=True))
    bound = model.bind(initialise(model, jax.random.key(0), batch))
    return bound, batch, {n: e.start(*bound._inputs(batch, n)) for n, e in bound.encoders.items()}


def test_all_encoders_end_at_the_last_joint():
    """The one with more stages runs the surplus before the first; what comes out is each encoder by itself."""
    bound, batch, features = bound_encoders()
    assert joints(bound.encoders) == 1
    met = []
    last = stage_by_stage(bound.encoders, features, False, lambda joint, f: met.append(joint) or f)
    assert met == [0]
    encoded = finish_all(bound.encoders, last, False)
    alone = bound.encode(batch).embeddings
    for name in encoded:
        np.testing.assert_allclose(encoded[name].pooled, alone[name], rtol=1e-5, atol=1e-6)
        assert (encoded[name].pooled[~batch.present[name]] == 0).all() and (~batch.present[name]).any()
