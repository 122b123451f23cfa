"""The laws that hold for every fusion, over the registry: a new method is tested by being registered."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small_tasks import SPECS, random_batch

from mmjax.config import Config
from mmjax.fusion import FUSIONS
from mmjax.model import build_model, initialise
from mmjax.training.losses import objective
from mmjax.types import TargetSpec

CONFIG = Config(width=8, heads=2, token_size=4, encoder_layers=1, encoders={
    "image": "cnn", "tokens": "gru", "sequence": "gru", "vector": "mlp"})  # fmt: skip
TARGET = TargetSpec("multiclass", 3)
# Sums of up to a few hundred float32 terms of order 1, in another order: 1e-5 is some 100 units in the last place.
CLOSE = {"rtol": 1e-4, "atol": 1e-5}

every_fusion = pytest.mark.parametrize("fusion", sorted(FUSIONS))


@functools.cache
def make(fusion, modalities=3, size=8, target=TARGET, missing=True):
    """A model, its variables with every parameter moved off its start, a batch, and the jitted model."""
    specs = SPECS[:modalities]
    model = build_model(specs, target, fusion, CONFIG)
    batch = jax.tree.map(jnp.asarray, random_batch(specs, target, size, missing=missing))
    variables = jax.jit(lambda key: initialise(model, key, batch))(jax.random.key(0))
    leaves, tree = jax.tree.flatten(variables["params"])
    keys = jax.random.split(jax.random.key(1), len(leaves))
    moved = [leaf + 0.3 * jax.random.normal(key, leaf.shape) for leaf, key in zip(leaves, keys, strict=True)]
    return model, variables | {"params": tree.unflatten(moved)}, batch, jax.jit(model.apply)


def rows(batch, index):
    return jax.tree.map(lambda x: x[index], batch)


@every_fusion
@pytest.mark.parametrize("modalities", [2, 3, 6])
def test_any_number_of_modalities(fusion, modalities):
    _, variables, batch, apply = make(fusion, modalities)
    logits = apply(variables, batch).logits
    assert logits.shape == (batch.size, TARGET.outputs)
    assert np.isfinite(logits).all()


@every_fusion
def test_examples_do_not_see_each_other(fusion):
    """B = 1 works, and permuting examples permutes the outputs."""
    _, variables, batch, apply = make(fusion)
    together = apply(variables, batch).logits
    alone = apply(variables, rows(batch, slice(3, 4))).logits
    np.testing.assert_allclose(alone, together[3:4], **CLOSE)
    order = np.random.default_rng(0).permutation(batch.size)
    np.testing.assert_allclose(apply(variables, rows(batch, order)).logits, together[order], **CLOSE)


@every_fusion
def test_padding_changes_nothing(fusion):
    """Neither what stands in padded steps, NaN even, nor more of them, nor rows that fill the batch up."""
    _, variables, batch, apply = make(fusion)
    expected = apply(variables, batch).logits
    inputs = {}
    for name, x in batch.inputs.items():
        if name in batch.lengths:
            x = jnp.pad(x, ((0, 0), (0, 2)) + ((0, 0),) * (x.ndim - 2))
            padding = jnp.arange(x.shape[1]) >= batch.lengths[name][:, None]
            garbage = jnp.nan if jnp.issubdtype(x.dtype, jnp.floating) else 9
            x = jnp.where(padding.reshape(padding.shape + (1,) * (x.ndim - 2)), garbage, x)
        inputs[name] = x
    np.testing.assert_allclose(apply(variables, batch._replace(inputs=inputs)).logits, expected, **CLOSE)
    doubled = jax.tree.map(lambda x: jnp.concatenate([x, x]), batch)
    doubled = doubled._replace(weight=doubled.weight.at[batch.size :].set(0))
    np.testing.assert_allclose(apply(variables, doubled).logits[: batch.size], expected, **CLOSE)


@every_fusion
def test_absent_values_are_never_read(fusion):
    """NaN in an absent modality's place changes neither outputs nor gradients."""
    model, variables, batch, apply = make(fusion)

    def poison(name, x):
        if not jnp.issubdtype(x.dtype, jnp.floating):
            return jnp.where(batch.present[name].reshape((-1,) + (1,) * (x.ndim - 1)), x, 5)
        return jnp.where(batch.present[name].reshape((-1,) + (1,) * (x.ndim - 1)), x, jnp.nan)

    poisoned = batch._replace(inputs={name: poison(name, x) for name, x in batch.inputs.items()})
    assert any(jnp.isnan(x).any() for x in poisoned.inputs.values())
    np.testing.assert_array_equal(apply(variables, poisoned).logits, apply(variables, batch).logits)
    gradient = jax.jit(jax.grad(lambda v, b: model.apply(v, b).logits.sum()))(variables, poisoned)
    assert all(np.isfinite(leaf).all() for leaf in jax.tree.leaves(gradient))


@every_fusion
def test_nothing_present_is_still_an_answer(fusion):
    _, variables, batch, apply = make(fusion)
    nothing = batch._replace(present={name: jnp.zeros(batch.size, bool) for name in batch.present})
    logits = np.asarray(apply(variables, nothing).logits)
    assert np.isfinite(logits).all()
    np.testing.assert_allclose(logits, np.broadcast_to(logits[:1], logits.shape), **CLOSE)


@every_fusion
@pytest.mark.parametrize("modalities", [2, 4])
def test_every_parameter_learns(fusion, modalities):
    """Each parameter of theta has a gradient that is not zero on random data."""
    model, variables, batch, _ = make(fusion, modalities, size=48, missing=False)

    def loss(params):
        outputs = model.apply(variables | {"params": params}, batch)
        return objective(TARGET, outputs, batch.target, jnp.float32(0.5), 1.0).mean()

    gradient = jax.jit(jax.grad(loss))(variables["params"])
    flat, _ = jax.tree_util.tree_flatten_with_path(gradient)
    dead = [jax.tree_util.keystr(path) for path, leaf in flat if not np.abs(leaf).max() > 0]
    assert not dead


@every_fusion
def test_order_of_the_dict_does_not_matter(fusion):
    """Not jitted: under jit a dict's keys are sorted before the model sees them."""
    model, variables, batch, _ = make(fusion, size=3)
    fields = ("inputs", "lengths", "present")
    turned = batch._replace(**{field: dict(reversed(getattr(batch, field).items())) for field in fields})
    np.testing.assert_array_equal(model.apply(variables, turned).logits, model.apply(variables, batch).logits)


@every_fusion
def test_jit_changes_nothing(fusion):
    model, variables, batch, apply = make(fusion, size=3)
    np.testing.assert_allclose(apply(variables, batch).logits, model.apply(variables, batch).logits, **CLOSE)


@every_fusion
def test_seeds_side_by_side_are_seeds_one_by_one(fusion):
    model, variables, batch, apply = make(fusion, size=4)
    other = jax.tree.map(lambda x: x * 0.7 + 0.01, variables)
    both = jax.tree.map(lambda *leaves: jnp.stack(leaves), variables, other)
    together = jax.jit(jax.vmap(model.apply, in_axes=(0, None)))(both, batch).logits
    for seed, one in enumerate((variables, other)):
        np.testing.assert_allclose(together[seed], apply(one, batch).logits, **CLOSE)


@every_fusion
def test_eight_devices_are_one(fusion):
    """Each device reads an eighth of the batch, mapped by pmap."""
    model, variables, batch, apply = make(fusion)
    shares = jax.tree.map(lambda x: x.reshape(8, -1, *x.shape[1:]), batch)
    logits = jax.pmap(lambda share: model.apply(variables, share).logits)(shares)
    np.testing.assert_allclose(logits.reshape(batch.size, -1), apply(variables, batch).logits, **CLOSE)


@every_fusion
@pytest.mark.parametrize("target", [TargetSpec("binary"), TargetSpec("multilabel", 3), TargetSpec("regression", 2)],
                         ids=lambda target: target.kind)  # fmt: skip
def test_every_kind_of_target(fusion, target):
    """Outputs of the right shape, or a refusal by name."""
    if target.kind not in getattr(FUSIONS[fusion], "targets", (target.kind,)):
        with pytest.raises(ValueError, match=f"fusion '{fusion}' is not defined for a {target.kind} target"):
            make(fusion, target=target)
        return
    _, variables, batch, apply = make(fusion, target=target)
    logits = apply(variables, batch).logits
    assert logits.shape == (batch.size, target.outputs)
    assert np.isfinite(logits).all()
