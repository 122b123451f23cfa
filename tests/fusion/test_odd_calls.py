"""Fusions called as nobody meant: with one modality, no example, or presence that does not fit. They work or say why.

Shapes alone, over the registry: nothing is compiled but what is run of empty batches.
"""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small_tasks import SPECS, random_batch

from mmjax.config import Config
from mmjax.errors import InputError
from mmjax.fusion import DECISION, FUSIONS
from mmjax.model import build_model, initialise
from mmjax.registry import build
from mmjax.training.losses import objective
from mmjax.types import TargetSpec

CONFIG = Config(width=8, heads=2, token_size=4, encoder_layers=1, rank=3, sketch_size=32, tensor_limit=4000,
                latents=3, memory_size=6, fusion_layers=1, fusion_layer=0, perceiver_rounds=1)  # fmt: skip
PAIRS = ("coattention", "cross_attention", "mult")  # they join modalities pair by pair
ALONE = [name for name in FUSIONS if getattr(FUSIONS[name], "joins", "") not in ("stages", "inputs")]
every_module = pytest.mark.parametrize("fusion", ALONE)


def joins_sequences(fusion):
    return getattr(FUSIONS[fusion], "joins", "") == "sequences"


def arguments(fusion, modalities, rows=4):
    """Embeddings of 4, 5, ... numbers, decisions between 3 classes, or sequences; and who is there."""
    steps = [(3 + place,) if joins_sequences(fusion) else () for place in range(modalities)]
    values = {
        f"m{place}": jnp.ones((rows, *steps[place], 3 if fusion in DECISION else 4 + place))
        for place in range(modalities)
    }
    return values, {name: jnp.ones((rows, *steps[place]), bool) for place, name in enumerate(values)}


def shape(fusion, values, present):
    """Of the output, of parameters that are made for these values."""
    g = build(FUSIONS, "fusion", fusion, CONFIG)
    return jax.eval_shape(lambda: g.init_with_output(jax.random.key(0), values, present)[0]).shape


@every_module
def test_one_modality_works_or_is_refused(fusion):
    if fusion in PAIRS:
        with pytest.raises(InputError, match=f"fusion {fusion} joins modalities pair by pair, .* given m0: give two"):
            shape(fusion, *arguments(fusion, 1))
    else:
        assert shape(fusion, *arguments(fusion, 1))[0] == 4


@every_module
def test_no_modality_is_refused(fusion):
    with pytest.raises(InputError, match="give (one|two) or more"):
        shape(fusion, {}, {})


@every_module
def test_an_empty_batch_has_an_empty_result(fusion):
    whole = shape(fusion, *arguments(fusion, 2))
    assert shape(fusion, *arguments(fusion, 2, rows=0)) == (0, *whole[1:])


@every_module
def test_who_is_missing_in_present_is_named(fusion):
    values, present = arguments(fusion, 3)
    what = "masks" if joins_sequences(fusion) else "present"
    with pytest.raises(InputError, match=f"^{what} lacks m0, m2: give it for all of m0, m1, m2"):
        shape(fusion, values, {"m1": present["m1"]})


@every_module
def test_others_in_present_have_no_part_in_it(fusion):
    """Of whatever shape they are."""
    values, present = arguments(fusion, 2)
    assert shape(fusion, values, present | {"other": jnp.ones((9, 9, 9), bool)}) == shape(fusion, values, present)


@pytest.mark.parametrize("fusion", [name for name in ALONE if not joins_sequences(name)])
def test_presence_has_a_truth_value_for_each_example(fusion):
    values, present = arguments(fusion, 2)
    for wrong in (jnp.ones((4, 1), bool), jnp.ones(3, bool), jnp.bool_(True)):
        with pytest.raises(InputError, match=r"present\['m1'\] has shape .*: give \(4,\)"):
            shape(fusion, values, present | {"m1": wrong})
    listed = present | {"m1": [True, False, 1, 0]}  # any array will do
    assert shape(fusion, values, listed) == shape(fusion, values, present)


@pytest.mark.parametrize(
    "fusion, target",
    # Labels are decided one by one, and have evidence one by one; to any other level they are outputs like classes.
    [(name, TargetSpec("multiclass", 3)) for name in FUSIONS]
    + [(name, TargetSpec("multilabel", 2)) for name in ("mean", "evidential", "evidential_average")],
    ids=lambda value: getattr(value, "kind", value),
)
def test_models_of_one_modality_and_of_empty_batches(fusion, target):
    """Of an image, a sequence, tokens and numbers: encoders, decoders and losses too."""

    @functools.cache
    def shapes(specs, rows):
        model, batch = build_model(specs, target, fusion, CONFIG), random_batch(specs, target, 4)

        def run():
            variables = initialise(model, jax.random.key(0), batch)
            seen = jax.tree.map(lambda x: x[:rows], batch)
            outputs = model.apply(variables, seen)
            return outputs.logits, objective(target, outputs, seen.target, jnp.float32(1), 1.0)

        logits, losses = jax.eval_shape(run)
        return logits.shape, losses.shape

    assert shapes(SPECS[:4], 0) == ((0, target.outputs), (0,))
    if fusion in PAIRS:
        with pytest.raises(InputError, match="pair by pair"):
            shapes(SPECS[1:2], 4)
    else:
        assert shapes(SPECS[1:2], 4) == ((4, target.outputs), (4,))


@pytest.mark.parametrize("fusion", ["tensor", "mfh", "evidential_average", "borda", "memory", "bottleneck", "mutan"])
def test_empty_batches_run(fusion):
    g = build(FUSIONS, "fusion", fusion, CONFIG)
    variables = jax.jit(g.init)(jax.random.key(0), *arguments(fusion, 2))
    output = jax.jit(g.apply)(variables, *arguments(fusion, 2, rows=0))
    assert len(output) == 0 and np.isfinite(output).all()


@pytest.mark.parametrize("fusion", [name for name in ALONE if joins_sequences(name)])
def test_a_mask_has_a_truth_value_for_each_step(fusion):
    values, present = arguments(fusion, 2)
    for wrong in (jnp.ones((4, 9), bool), jnp.ones((3, 4), bool), jnp.ones(4, bool)):
        with pytest.raises(InputError, match=r"masks\['m1'\] has shape .*: give \(4, 4\), one truth value a step"):
            shape(fusion, values, present | {"m1": wrong})


@pytest.mark.parametrize("fusion", [name for name in ALONE if not joins_sequences(name)])
def test_all_modalities_have_as_many_examples(fusion):
    values, _ = arguments(fusion, 2)
    with pytest.raises(InputError, match="m1 has 3 examples and m0 4: give all as many"):
        shape(fusion, values | {"m1": values["m1"][:3]}, None)


@pytest.mark.parametrize("fusion", DECISION)
def test_decisions_are_between_the_same_classes(fusion):
    values, present = arguments(fusion, 2)
    for wrong in (jnp.ones((4, 5)), jnp.ones(4), jnp.ones((4, 3, 1))):
        with pytest.raises(InputError, match=r"logits\['m1'\] has shape .*, and m0 \(4, 3\)"):
            shape(fusion, values | {"m1": wrong}, present)


@pytest.mark.parametrize("fusion", [name for name, rule in DECISION.items() if hasattr(rule, "fit")])
def test_what_a_rule_is_fitted_to_fits_or_is_refused(fusion):
    fit, truth = DECISION[fusion]().fit, np.array([0, 1, 2, 1])
    logits = {name: np.eye(4, 3, dtype=np.float32) for name in ("m0", "m1")}
    present = {name: np.ones(4, bool) for name in logits}
    jax.tree.map(np.testing.assert_array_equal, fit(logits, None, truth), fit(logits, present, truth))
    for wrong, said in {
        "another K": ((logits | {"m1": np.ones((4, 5))}, present, truth), r"logits\['m1'\] has shape"),
        "no m1": ((logits, {"m0": present["m0"]}, truth), "present lacks m1"),
        "few rows": ((logits, present | {"m1": np.ones(3, bool)}, truth), r"present\['m1'\] has shape"),
        "a class too many": ((logits, present, np.array([0, 1, 3, 1])), "truth holds 3: give whole .* 0 to 2"),
        "a negative class": ((logits, present, np.array([0, -1, 2, 1])), "truth holds -1"),
        "no class": ((logits, present, np.array([0.5, 1, 2, 1])), "truth holds 0.5"),
        "few classes": ((logits, present, truth[:3]), r"truth has shape \(3,\): give \(4,\)"),
        "nothing": (({n: l[:0] for n, l in logits.items()}, None, truth[:0]), "fitted to no example"),
        "no modality": (({}, None, truth), "give one or more"),
    }.values():
        with pytest.raises(InputError, match=said):
            fit(*wrong)
