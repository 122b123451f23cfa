"""The laws that hold for every fusion, over the registry: a new method is tested by being registered.

A fusion of embeddings, sequences or decisions is called by itself, without encoders; one that joins inputs or stages of
encoders within a model.
"""

import functools
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small_tasks import SPECS, random_batch

from mmjax.config import Config
from mmjax.fusion import DECISION, FUSIONS, level_of
from mmjax.model import build_model, initialise
from mmjax.registry import build
from mmjax.training.losses import objective
from mmjax.types import ModalitySpec, TargetSpec

CONFIG = Config(width=8, heads=2, token_size=4, encoder_layers=1, rank=3, sketch_size=32, tensor_limit=4000,
                latents=3, memory_size=6, fusion_layers=1, fusion_layer=0, perceiver_rounds=1,
                encoders={"image": "cnn", "tokens": "gru", "sequence": "gru", "vector": "mlp"})  # fmt: skip
TARGET = TargetSpec("multiclass", 3)
# Sums of up to a few hundred float32 terms of order 1, in another order: 1e-5 is some 100 units in the last place.
CLOSE = {"rtol": 1e-4, "atol": 1e-5}
NAMES = ("speech", "table", "scan", "words", "blood", "genes")
EMBEDDINGS = [ModalitySpec(name, "vector", (d,)) for name, d in zip(NAMES, (4, 7, 5, 3, 6, 9), strict=True)]
DECISIONS = [ModalitySpec(name, "vector", (TARGET.size,)) for name in NAMES]
SEQUENCES = [
    ModalitySpec(name, "sequence", shape)
    for name, shape in zip(NAMES, ((6, 4), (3, 7), (5, 5), (4, 3), (2, 6), (3, 3)), strict=True)
]

# Of module scope: the tests of one fusion follow each other, and share what is compiled for them.
every_fusion = pytest.mark.parametrize("fusion", sorted(FUSIONS), scope="module")
trained_fusions = pytest.mark.parametrize(
    "fusion", sorted(name for name in FUSIONS if name not in DECISION or DECISION[name].trained), scope="module"
)


def joins(fusion):
    """What a fusion takes: embeddings, decisions, sequences, stages or inputs."""
    return "decisions" if fusion in DECISION else getattr(FUSIONS[fusion], "joins", "embeddings")


def arguments(fusion, batch):
    """What it is called with, of a batch whose inputs are of the kind that it takes."""
    if joins(fusion) in ("stages", "inputs"):
        return (batch,)
    if joins(fusion) == "sequences":
        masks = {}
        for name, x in sorted(batch.inputs.items()):
            steps = jnp.arange(x.shape[1]) < batch.lengths[name][:, None]
            masks[name] = steps & batch.present[name][:, None]
        return batch.inputs, {name: masks[name] for name in batch.inputs}
    return batch.inputs, batch.present


def call(fusion, module, variables, batch):
    """Its output, [B, ...]."""
    output = module.apply(variables, *arguments(fusion, batch))
    return output.logits if joins(fusion) in ("stages", "inputs") else output


@functools.lru_cache(maxsize=8)
def make(fusion, modalities=3, size=8, missing=True):
    """(variables, batch) -> output, variables with every parameter moved off its start, a batch, the same jitted."""
    if joins(fusion) in ("stages", "inputs"):
        specs = SPECS[:modalities]
        module = build_model(specs, TARGET, fusion, CONFIG)
    else:
        specs = {"sequences": SEQUENCES, "decisions": DECISIONS, "embeddings": EMBEDDINGS}[joins(fusion)][:modalities]
        module = build(FUSIONS, "fusion", fusion, CONFIG)
    batch = jax.tree.map(jnp.asarray, random_batch(specs, TARGET, size, missing=missing))
    variables = jax.jit(lambda key: initialise(module, key, *arguments(fusion, batch)))(jax.random.key(0))
    leaves, tree = jax.tree.flatten(variables["params"])
    keys = jax.random.split(jax.random.key(1), len(leaves)) if leaves else ()
    moved = [leaf + 0.3 * jax.random.normal(key, leaf.shape) for leaf, key in zip(leaves, keys, strict=True)]
    plain = functools.partial(call, fusion, module)
    return plain, variables | {"params": tree.unflatten(moved)}, batch, jax.jit(plain)


def rows(batch, index):
    return jax.tree.map(lambda x: x[index], batch)


@every_fusion
@pytest.mark.parametrize("modalities", [2, 3, 6])
def test_any_number_of_modalities(fusion, modalities):
    _, variables, batch, apply = make(fusion, modalities)
    output = apply(variables, batch)
    assert len(output) == batch.size
    assert np.isfinite(output).all()


@every_fusion
def test_examples_do_not_see_each_other(fusion):
    """B = 1 works, and permuting examples permutes the outputs."""
    _, variables, batch, apply = make(fusion)
    together = apply(variables, batch)
    alone = apply(variables, rows(batch, slice(3, 4)))
    np.testing.assert_allclose(alone, together[3:4], **CLOSE)
    order = np.random.default_rng(0).permutation(batch.size)
    np.testing.assert_allclose(apply(variables, rows(batch, order)), together[order], **CLOSE)


@every_fusion
def test_padding_changes_nothing(fusion):
    """Neither what stands in padded steps, NaN even, nor more of them, nor rows that fill the batch up.

    A sequence that is flattened has the steps that it has: there no more are added.
    """
    _, variables, batch, apply = make(fusion)
    expected = apply(variables, batch)
    inputs = {}
    for name, x in batch.inputs.items():
        if name in batch.lengths:
            if joins(fusion) != "inputs":
                x = jnp.pad(x, ((0, 0), (0, 2)) + ((0, 0),) * (x.ndim - 2))
            padding = jnp.arange(x.shape[1]) >= batch.lengths[name][:, None]
            garbage = jnp.nan if jnp.issubdtype(x.dtype, jnp.floating) else 9
            x = jnp.where(padding.reshape(padding.shape + (1,) * (x.ndim - 2)), garbage, x)
        inputs[name] = x
    np.testing.assert_allclose(apply(variables, batch._replace(inputs=inputs)), expected, **CLOSE)
    doubled = jax.tree.map(lambda x: jnp.concatenate([x, x]), batch)
    doubled = doubled._replace(weight=doubled.weight.at[batch.size :].set(0))
    np.testing.assert_allclose(apply(variables, doubled)[: batch.size], expected, **CLOSE)


@every_fusion
def test_absent_values_are_never_read(fusion):
    """NaN in an absent modality's place changes neither outputs nor gradients."""
    plain, variables, batch, apply = make(fusion)

    def poison(name, x):
        here = batch.present[name].reshape((-1,) + (1,) * (x.ndim - 1))
        return jnp.where(here, x, jnp.nan if jnp.issubdtype(x.dtype, jnp.floating) else 5)

    poisoned = batch._replace(inputs={name: poison(name, x) for name, x in batch.inputs.items()})
    assert any(jnp.isnan(x).any() for x in poisoned.inputs.values())
    np.testing.assert_array_equal(apply(variables, poisoned), apply(variables, batch))

    @jax.jit
    @jax.grad
    def gradient(params, inputs):
        return plain(variables | {"params": params}, batch._replace(inputs=inputs)).sum()

    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient(variables["params"], poisoned.inputs)))


@every_fusion
def test_nothing_present_is_still_an_answer(fusion):
    _, variables, batch, apply = make(fusion)
    nothing = batch._replace(present={name: jnp.zeros(batch.size, bool) for name in batch.present})
    output = np.asarray(apply(variables, nothing))
    assert np.isfinite(output).all()
    np.testing.assert_allclose(output, np.broadcast_to(output[:1], output.shape), **CLOSE)


@every_fusion
@pytest.mark.parametrize("modalities", [2, 4])
def test_every_parameter_has_an_effect(fusion, modalities):
    """Each of a fusion's own parameters has a gradient that is not zero on random data."""
    plain, variables, batch, _ = make(fusion, modalities, size=48, missing=False)
    within_a_model = joins(fusion) in ("stages", "inputs")
    params = variables["params"].get("g", {}) if within_a_model else variables["params"]

    @jax.jit
    @jax.grad
    def gradient(params):
        whole = variables["params"] | {"g": params} if within_a_model else params
        output = plain(variables | {"params": whole}, batch)
        return (output**2 @ jnp.linspace(-1, 2, output.shape[-1])).sum()

    assert not dead(gradient(params))


@trained_fusions
def test_every_parameter_learns(fusion):
    """Each parameter of theta, the encoders' and decoders' too, has a gradient under the loss of training."""
    model = build_model(SPECS[:2], TARGET, fusion, CONFIG)
    batch = jax.tree.map(jnp.asarray, random_batch(SPECS[:2], TARGET, 48))
    variables = jax.jit(lambda key: initialise(model, key, batch))(jax.random.key(0))

    @jax.jit
    @jax.grad
    def gradient(params):
        moved = jax.tree.map(lambda p: p + 0.1, params)
        outputs = model.apply(variables | {"params": moved}, batch)
        return objective(TARGET, outputs, batch.target, jnp.float32(0.5), 1.0).mean()

    assert not dead(gradient(variables["params"]))


def dead(gradient):
    """The names of the parameters that have none; of blocks side by side, stacked in one, each is asked."""
    names = []
    for path, leaf in jax.tree_util.tree_leaves_with_path(gradient):
        name = jax.tree_util.keystr(path)
        each = np.abs(leaf).reshape(len(leaf), -1).max(1) if "['blocks']" in name else np.abs(leaf).max()
        if not np.all(each > 0):
            names.append(name)
    return names


@every_fusion
def test_order_of_the_dict_does_not_matter(fusion):
    """Built in another order, the dicts lead to the same operations on the same arrays."""
    plain, variables, batch, _ = make(fusion, size=3)
    leaves, tree = jax.tree.flatten(batch)

    def traced(order):
        def apply(*leaves):
            batch = tree.unflatten(leaves)
            fields = {field: dict(order(getattr(batch, field).items())) for field in ("inputs", "lengths", "present")}
            return plain(variables, batch._replace(**fields))

        return re.sub(" at 0x[0-9a-f]+", "", str(jax.make_jaxpr(apply)(*leaves)))

    assert traced(lambda items: reversed(list(items))) == traced(list)


@every_fusion
def test_jit_changes_nothing(fusion):
    plain, variables, batch, apply = make(fusion, size=3)
    np.testing.assert_allclose(apply(variables, batch), plain(variables, batch), **CLOSE)


@every_fusion
def test_seeds_side_by_side_are_seeds_one_by_one(fusion):
    plain, variables, batch, apply = make(fusion, size=4)
    seeds = [variables["params"], jax.tree.map(lambda p: 0.7 * p, variables["params"])]
    both = jax.tree.map(lambda *leaves: jnp.stack(leaves), *seeds)
    together = jax.jit(jax.vmap(lambda p: plain(variables | {"params": p}, batch), axis_size=2))(both)
    for seed, params in enumerate(seeds):
        np.testing.assert_allclose(together[seed], apply(variables | {"params": params}, batch), **CLOSE)


@every_fusion
def test_eight_devices_are_one(fusion):
    """Each device reads an eighth of the batch, mapped by pmap."""
    plain, variables, batch, apply = make(fusion)
    shares = jax.tree.map(lambda x: x.reshape(8, -1, *x.shape[1:]), batch)
    output = jax.pmap(lambda share: plain(variables, share))(shares)
    expected = apply(variables, batch)
    np.testing.assert_allclose(output.reshape(expected.shape), expected, **CLOSE)


KINDS = [TargetSpec("binary"), TargetSpec("multilabel", 3), TargetSpec("regression", 2)]


@pytest.mark.parametrize(
    "fusion, target",
    # Only at the decision level does a fusion know of the target; elsewhere the decoder does, the same for all.
    [(fusion, target) for fusion in sorted(FUSIONS) for target in (KINDS if fusion in DECISION else KINDS[2:])],
    ids=lambda value: getattr(value, "kind", value),
)
def test_every_kind_of_target(fusion, target):
    """Within a model: outputs of the right shape, or a refusal by name."""
    specs = SPECS[:2]
    if target.kind not in getattr(FUSIONS[fusion], "targets", (target.kind,)):
        with pytest.raises(ValueError, match=f"fusion '{fusion}' is not defined for a {target.kind} target"):
            build_model(specs, target, fusion, CONFIG)
        return
    model = build_model(specs, target, fusion, CONFIG)
    batch = jax.tree.map(jnp.asarray, random_batch(specs, target, 4, missing=True))
    outputs = jax.jit(lambda key: model.apply(initialise(model, key, batch), batch))(jax.random.key(0))
    assert outputs.logits.shape == (batch.size, target.outputs)
    assert np.isfinite(outputs.logits).all()
    assert (outputs.fused is None) == (level_of(fusion) == "decision")
