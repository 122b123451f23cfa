"""What holds for every encoder and every kind of modality it reads."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from mmjax.config import DEFAULTS
from mmjax.encoders import ENCODERS
from mmjax.errors import InputError
from mmjax.registry import build
from mmjax.types import MODALITY_KINDS, ModalitySpec

B = 12
SPECS = {
    "vector": ModalitySpec("blood", "vector", (5,)),
    "image": ModalitySpec("scan", "image", (12, 10, 2)),
    "sequence": ModalitySpec("speech", "sequence", (13, 9)),
    "tokens": ModalitySpec("words", "tokens", (7,), vocabulary=11),
    "video": ModalitySpec("gait", "video", (4, 7, 6, 2)),
    "points": ModalitySpec("radar", "points", (6, 3)),
    "waveform": ModalitySpec("cough", "waveform", (1100,), rate=8000.0),
}
CONFIG = DEFAULTS.replace(width=8, channels=3, token_size=5, dropout=0.3, heads=2)
VARIANTS = {
    "cnn": [(), (("cnn_pool", 1), ("cnn_dense", False))],
    "lstm": [(), (("bidirectional", True),)],
    "gru": [(), (("bidirectional", True),)],
    "resnet": [(("encoder_layers", 1),)],
    "video": [(("encoder_layers", 1),), (("encoder_layers", 1), ("bidirectional", True))],
}
CASES = [
    pytest.param(name, kind, change, id="-".join([name, kind, *dict(change)]))
    for name, encoder in ENCODERS.items()
    for kind in sorted(encoder.accepts)
    for change in VARIANTS.get(name, [()])
]
EVERY_CASE = pytest.mark.parametrize("name, kind, change", CASES)
# Uncompiled, every operation takes a while: one kind for each encoder.
EVERY_ENCODER = pytest.mark.parametrize("name, kind, change", {case.values[0]: case for case in CASES}.values())
# Float32 sums of some 100 terms of order 1, in another order.
CLOSE = {"rtol": 1e-4, "atol": 1e-5}


@functools.cache
def case(name, kind, change):
    """The encoder, its variables away from their initial zeros, and (inputs, length, valid)."""
    random = np.random.default_rng(0)
    spec = SPECS[kind]
    encoder = build(ENCODERS, "encoder", name, CONFIG.replace(**dict(change)), spec=spec)
    shape = (B, *spec.shape)
    inputs = random.integers(1, 11, shape) if kind == "tokens" else random.normal(size=shape).astype(np.float32)
    length = random.integers(2, spec.shape[0] + 1, B) if spec.has_length else None
    valid = np.arange(B) % 5 != 3
    variables = jax.jit(encoder.init, static_argnums=4)(jax.random.key(0), inputs, length, valid, False)
    leaves, structure = jax.tree.flatten(variables)
    leaves = [leaf + 0.1 * random.uniform(size=leaf.shape).astype(np.float32) for leaf in leaves]
    return encoder, structure.unflatten(leaves), (inputs, length, valid)


@functools.partial(jax.jit, static_argnums=(0, 3))
def encode(encoder, variables, inputs, train):
    """Encoded, and the batch statistics after it; compiled once for all tests."""
    return encoder.apply(variables, *inputs, train, mutable=["batch_stats"], rngs={"dropout": jax.random.key(1)})


def rows(arrays, index):
    """Some of the examples."""
    return jax.tree.map(lambda array: array[index], arrays)


def assert_close(one, other):
    jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, **CLOSE), one, other)


@EVERY_CASE
def test_shapes_and_mask(name, kind, change):
    encoder, variables, inputs = case(name, kind, change)
    encoded, _ = encode(encoder, variables, inputs, False)
    valid, steps = inputs[2], encoded.sequence.shape[1]
    assert encoded.sequence.ndim == 3 and encoded.pooled.ndim == 2
    assert encoded.mask.shape == (B, steps) and encoded.mask.dtype == bool
    assert not encoded.mask[~valid].any() and encoded.mask[valid].any(1).all()
    assert encoder.stages >= 1


@EVERY_ENCODER
def test_the_stages_one_by_one_and_uncompiled_are_the_encoder(name, kind, change):
    encoder, variables, inputs = case(name, kind, change)
    bound = encoder.bind(variables)
    features = bound.start(*inputs)
    for index in range(encoder.stages):
        features = bound.stage(index, features, False)
    assert_close(bound.finish(features, False), encode(encoder, variables, inputs, False)[0])


@EVERY_CASE
def test_examples_do_not_see_each_other(name, kind, change):
    """Permuted examples give permuted outputs, and one alone what it gives among others."""
    encoder, variables, inputs = case(name, kind, change)
    encoded, _ = encode(encoder, variables, inputs, False)
    order = np.random.default_rng(1).permutation(B)
    for some in (order, slice(2, 3)):
        assert_close(encode(encoder, variables, rows(inputs, some), False)[0], rows(encoded, some))


@EVERY_CASE
@pytest.mark.parametrize("train", [False, True])
def test_padding_and_invalid_rows_never_reach_a_valid_row(name, kind, change, train):
    encoder, variables, (inputs, length, valid) = case(name, kind, change)
    data = np.broadcast_to(valid[:, None], inputs.shape[:2])
    if length is not None:
        data = data & (np.arange(inputs.shape[1]) < length[:, None])
    data = data.reshape(data.shape + (1,) * (inputs.ndim - 2))
    spoiled = np.where(data, inputs, 999 if kind == "tokens" else np.nan).astype(inputs.dtype)

    encoded, changed = encode(encoder, variables, (inputs, length, valid), train)
    encoded_spoiled, changed_spoiled = encode(encoder, variables, (spoiled, length, valid), train)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves((encoded_spoiled, changed_spoiled)))
    assert_close(rows(encoded_spoiled, valid), rows(encoded, valid))
    assert_close(changed_spoiled, changed)


@EVERY_CASE
def test_every_parameter_gets_a_gradient(name, kind, change):
    encoder, variables, inputs = case(name, kind, change)

    def loss(parameters):
        encoded, _ = encode(encoder, {**variables, "params": parameters}, inputs, True)
        weights = np.random.default_rng(2).normal(size=encoded.pooled.shape[1:])
        return (encoded.pooled**2 @ weights)[inputs[2]].sum()

    for path, leaf in jax.tree_util.tree_leaves_with_path(jax.grad(loss)(variables.get("params", {}))):
        assert np.abs(leaf).max() > 1e-6, jax.tree_util.keystr(path)


@EVERY_CASE
def test_seeds_side_by_side_are_the_seeds_one_by_one(name, kind, change):
    encoder, variables, inputs = case(name, kind, change)
    seeds = [variables, jax.tree.map(lambda leaf: leaf * 1.5, variables)]
    stacked = jax.tree.map(lambda *leaves: jnp.stack(leaves), *seeds)
    together = jax.vmap(lambda variables: encode(encoder, variables, inputs, True), axis_size=2)(stacked)
    one_by_one = [encode(encoder, variables, inputs, True) for variables in seeds]
    assert_close(together, jax.tree.map(lambda *leaves: np.stack(leaves), *one_by_one))


@EVERY_CASE
def test_devices_that_split_the_batch_are_one_device(name, kind, change):
    encoder, variables, inputs = case(name, kind, change)
    split = encoder.clone(axis_name="device")
    parts = jax.tree.map(lambda array: array.reshape(2, B // 2, *array.shape[1:]), inputs)
    encoded, changed = jax.vmap(lambda part: encode(split, variables, part, True), axis_name="device")(parts)
    whole, whole_changed = encode(encoder, variables, inputs, True)
    assert_close(jax.tree.map(lambda leaf: leaf.reshape(B, *leaf.shape[2:]), encoded), whole)
    assert_close(rows(changed, 1), whole_changed)


@pytest.mark.parametrize("kind", MODALITY_KINDS)
def test_some_encoder_reads_every_kind(kind):
    assert any(kind in encoder.accepts for encoder in ENCODERS.values())


@pytest.mark.parametrize("name", ENCODERS)
def test_a_kind_it_does_not_read_is_refused_with_those_that_do(name):
    for kind in sorted(set(MODALITY_KINDS) - ENCODERS[name].accepts):
        with pytest.raises(InputError) as refusal:
            build(ENCODERS, "encoder", name, CONFIG, spec=SPECS[kind])
        able = ", ".join(sorted(other for other, encoder in ENCODERS.items() if kind in encoder.accepts))
        for part in (repr(name), repr(SPECS[kind].name), repr(kind), f"choose {able} in"):
            assert part in str(refusal.value)


@EVERY_CASE
@pytest.mark.parametrize("train", [False, True])
def test_an_empty_batch_has_no_embeddings(name, kind, change, train):
    encoder, variables, inputs = case(name, kind, change)
    nothing = [None if x is None else x[:0] for x in inputs]

    def run():
        rngs = {"dropout": jax.random.key(0)}
        return encoder.apply(variables, *nothing, train, rngs=rngs, mutable=["batch_stats"])[0]

    encoded = jax.eval_shape(run)
    assert len(encoded.pooled.shape) == 2 and encoded.pooled.shape[0] == encoded.sequence.shape[0] == 0
