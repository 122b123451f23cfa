"""The laws of fusions on sequences, on the module alone: what a whole model's encoders would hide."""

import functools

import jax
import numpy as np
import pytest

from benchmarks.flops import count_flops
from mmjax.fusion import MODEL, Perceiver

SIZES = {"width": 4, "heads": 2, "memory_size": 3, "fusion_layers": 2, "bottleneck_tokens": 3, "latents": 3}
NAMES = sorted(name for name, module in MODEL.items() if module.joins == "sequences")
every_fusion = pytest.mark.parametrize("fusion", NAMES)


def build(fusion):
    fields = MODEL[fusion].__dataclass_fields__
    return MODEL[fusion](**{name: value for name, value in SIZES.items() if name in fields})


@functools.cache
def made(fusion, lengths):
    """A fusion, random parameters, and sequences of 3, 4, ... features with some padding."""
    rng = np.random.default_rng(0)
    values = {f"m{i}": rng.normal(size=(8, t, 3 + i)).astype(np.float32) for i, t in enumerate(lengths)}
    masks = {name: np.arange(v.shape[1]) < rng.integers(1, v.shape[1] + 1, (8, 1)) for name, v in values.items()}
    g = build(fusion)
    shapes = jax.eval_shape(g.init, jax.random.key(0), values, masks)["params"]
    params = jax.tree.map(lambda leaf: rng.normal(size=leaf.shape).astype(np.float32) * 0.5, shapes)
    program = jax.jit(jax.value_and_grad(lambda p, v, m: (g.apply({"params": p}, v, m) ** 2).sum()))
    return g, params, values, masks, program


@every_fusion
def test_what_is_not_valid_reaches_neither_output_nor_gradient(fusion):
    """NaN in padded steps and in an absent modality, against 0."""
    _, params, values, masks, program = made(fusion, (5, 7))
    masks = masks | {"m0": masks["m0"] & (np.arange(8) % 2 == 0)[:, None]}
    spoilt, clean = (
        {name: np.where(masks[name][:, :, None], v, filling).astype(np.float32) for name, v in values.items()}
        for filling in (np.nan, 0)
    )
    jax.tree.map(np.testing.assert_array_equal, program(params, spoilt, masks), program(params, clean, masks))
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(program(params, spoilt, masks)))


@every_fusion
def test_nothing_present_gives_one_answer(fusion):
    g, params, values, masks, _ = made(fusion, (5, 7))
    nothing = {name: np.zeros_like(mask) for name, mask in masks.items()}
    fused = np.asarray(jax.jit(g.apply)({"params": params}, values, nothing))
    assert np.isfinite(fused).all()
    np.testing.assert_array_equal(fused, np.broadcast_to(fused[0], fused.shape))


@every_fusion
@pytest.mark.parametrize("lengths", [(1, 1), (5, 7)])
def test_every_parameter_of_every_block_learns(fusion, lengths):
    """Vectors, sequences of one step, are the hard case: attention to one step has no choice."""
    _, params, values, masks, program = made(fusion, lengths)
    _, gradients = program(params, values, masks)
    for path, leaf in jax.tree_util.tree_leaves_with_path(gradients):
        path = jax.tree_util.keystr(path)
        for row in leaf if "['blocks']" in path else [leaf]:
            assert np.abs(row).max() > 0, path


def self_block(d):
    """Two norms, attention without a bias for the keys, an MLP of 2 d."""
    return 2 * 2 * d + (4 * d * d + 3 * d) + (4 * d * d + 3 * d)


def cross_block(d):
    """One more norm, for the context."""
    return self_block(d) + 2 * d


@pytest.mark.parametrize("modalities", [2, 3, 6])
def test_numbers_of_parameters(modalities):
    m, d, layers, z, u, n = modalities, 4, 2, 3, 3, 3
    features = [3 + i for i in range(m)]
    projections = sum(f * d + d for f in features)
    delta = 2 * m * d
    networks = (delta * u + u + u * delta + delta) + 3 * (delta * u + u + u * u + u)
    expected = {
        "bottleneck": projections + m * d + z * d + layers * m * self_block(d) + m * 2 * d,
        "coattention": projections + layers * m * (cross_block(d) + self_block(d)),
        "cross_attention": projections + m * (m - 1) * cross_block(d),
        "hierarchical": projections + (layers + m) * self_block(d) + d + cross_block(d) + 2 * d,
        "memory": sum(f + 4 * d * f + 4 * d * d + 4 * d for f in features) + networks,
        "mult": projections + layers * m * ((m - 1) * cross_block(d) + self_block((m - 1) * d)),
        "perceiver": projections + n * d + 2 * (cross_block(d) + self_block(d)) + 2 * d,
        "token_transformer": projections + d + layers * self_block(d) + 2 * d,
    }
    values = {f"m{i}": np.zeros((1, 2, f), np.float32) for i, f in enumerate(features)}
    masks = {name: np.ones((1, 2), bool) for name in values}
    shapes = {name: jax.eval_shape(build(name).init, jax.random.key(0), values, masks) for name in NAMES}
    assert {name: sum(leaf.size for leaf in jax.tree.leaves(shape)) for name, shape in shapes.items()} == expected


def test_the_perceivers_cost_is_linear_in_the_tokens():
    g = Perceiver(width=8, heads=2)

    def flops(steps):
        values = {name: np.zeros((2, steps, 3), np.float32) for name in ("audio", "text")}
        masks = {name: np.ones((2, steps), bool) for name in values}
        params = jax.eval_shape(g.init, jax.random.key(0), values, masks)
        return count_flops(g.apply, params, values, masks)

    costs = [flops(steps) for steps in (10, 20, 30)]
    assert costs[2] - costs[1] == costs[1] - costs[0] > 0
