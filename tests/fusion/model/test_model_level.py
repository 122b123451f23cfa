"""The identities of model-level fusion."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small_tasks import random_batch
from stage_cases import stages_of

from mmjax.config import Config
from mmjax.fusion import Bottleneck, CrossAttention
from mmjax.model import build_model, initialise
from mmjax.types import ModalitySpec, TargetSpec

TARGET = TargetSpec("multiclass", 3)
SPECS = (ModalitySpec("gait", "sequence", (5, 3)), ModalitySpec("table", "vector", (4,)))
CONFIG = Config(width=8, heads=2, encoder_layers=2, encoders={"sequence": "gru", "vector": "mlp"})
CLOSE = {"rtol": 1e-5, "atol": 1e-6}


@functools.cache
def made(fusion):
    model = build_model(SPECS, TARGET, fusion, CONFIG)
    batch = jax.tree.map(jnp.asarray, random_batch(SPECS, TARGET, 6))
    return model, jax.jit(lambda: initialise(model, jax.random.key(0), batch))(), batch


def count(params):
    return sum(leaf.size for leaf in jax.tree.leaves(params))


def test_mmtm_with_zero_excitation_leaves_the_unimodal_networks():
    """W_i = 0 makes every gate 2 sigmoid(0) = 1."""
    model, variables, batch = made("mmtm")
    zeroed = {
        name: jax.tree.map(jnp.zeros_like, layer) if name.startswith("excite") else layer
        for name, layer in variables["params"]["g"].items()
    }
    variables = variables | {"params": variables["params"] | {"g": zeroed}}
    alone = model.apply(variables, batch, method="encode").embeddings
    together = model.apply(variables, batch).fused
    np.testing.assert_allclose(together, np.concatenate([alone["gait"], alone["table"]], axis=1), **CLOSE)


def test_mmtm_parameters():
    """At both joints s has 8 + 8 channels, z a quarter of them, and every gate 8."""
    _, variables, _ = made("mmtm")
    assert count(variables["params"]["g"]) == 2 * ((16 * 4 + 4) + 2 * (4 * 8 + 8))


def test_centralnet_is_its_equation():
    """Two joints and the pooled embeddings, recomputed from the encoders' own stages in NumPy."""
    model, variables, batch = made("centralnet")
    rng = np.random.default_rng(0)
    g = jax.tree.map(lambda p: p + 0.3 * rng.normal(size=p.shape).astype(np.float32), variables["params"]["g"])
    variables = variables | {"params": variables["params"] | {"g": g}}
    hidden = stages_of(model, variables, batch)
    central = None
    for level, place in enumerate(("0", "1", "pooled")):
        joined = 0 if central is None else g[f"weight_{place}_central"] * central
        for name, stages in hidden.items():
            joined = joined + g[f"weight_{place}_{name}"] * (stages[level] @ g[f"project_{place}_{name}"]["kernel"])
        if place != "pooled":
            central = np.maximum(joined @ g[f"layer_{place}"]["kernel"] + g[f"layer_{place}"]["bias"], 0)
    np.testing.assert_allclose(model.apply(variables, batch).fused, joined, rtol=1e-4, atol=1e-5)


def test_centralnet_has_a_loss_for_every_modality():
    model, variables, batch = made("centralnet")
    assert sorted(model.apply(variables, batch).modality_logits) == ["gait", "table"]


@functools.cache
def sequences():
    rng = np.random.default_rng(0)
    shapes = {"audio": (4, 5, 3), "text": (4, 7, 6)}
    values = {n: jnp.asarray(rng.normal(size=s), jnp.float32) for n, s in shapes.items()}
    masks = {n: jnp.arange(s[1]) < jnp.asarray(rng.integers(1, s[1] + 1, (s[0], 1))) for n, s in shapes.items()}
    return values, masks


def test_bottleneck_with_no_fusion_layer_is_late_fusion():
    """L_f = L: F is the mean of two transformers that never meet, so it is additive in the modalities."""
    values, masks = sequences()
    moved = {n: v * 0.5 + 1 for n, v in values.items()}

    def additivity(g):
        variables = jax.jit(g.init)(jax.random.key(0), values, masks)
        apply = jax.jit(lambda sequences: g.apply(variables, sequences, masks))
        f = lambda audio, text: apply({"audio": audio["audio"], "text": text["text"]})  # noqa: E731
        return np.abs(f(values, values) - f(moved, values) - f(values, moved) + f(moved, moved)).max()

    late = Bottleneck(width=8, heads=2, fusion_layers=2, fusion_layer=2)
    mixed = Bottleneck(width=8, heads=2, fusion_layers=2, fusion_layer=0)
    assert additivity(late) < 1e-5 < additivity(mixed) / 10


def test_bottleneck_is_the_same_whatever_the_names():
    """All modalities read the same old Z: exchanging two modalities, parameters and all, changes nothing."""
    values, masks = sequences()
    g = Bottleneck(width=8, heads=2, fusion_layers=2, fusion_layer=0)
    params = jax.jit(g.init)(jax.random.key(0), values, masks)["params"]
    swap = {"audio": "text", "text": "audio"}
    renamed = {"_".join(swap.get(part, part) for part in key.split("_")): value for key, value in params.items()}
    # Blocks are stacked in the order of the names.
    exchanged = {
        key: jax.tree.map(lambda leaf: leaf[::-1], value) if key.startswith("blocks") else value
        for key, value in renamed.items()
    }
    apply = jax.jit(g.apply)
    turned = apply(
        {"params": exchanged},
        {swap[n]: v for n, v in values.items()},
        {swap[n]: m for n, m in masks.items()},
    )
    np.testing.assert_allclose(turned, apply({"params": params}, values, masks), **CLOSE)


@pytest.mark.parametrize("source", ["audio", "text"])
def test_cross_attention_carries_each_modality_into_the_others_blocks(source):
    """Block ab depends on both a and b."""
    values, masks = sequences()
    g = CrossAttention(width=8, heads=2)
    variables = jax.jit(g.init)(jax.random.key(0), values, masks)
    apply = jax.jit(g.apply)
    change = apply(variables, values | {source: values[source] ** 2}, masks) - apply(variables, values, masks)
    assert (np.abs(change).reshape(4, 2, 8).max(axis=(0, 2)) > 1e-4).all()
