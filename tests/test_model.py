"""The three levels are their composition, and theta falls into its three parts."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small_tasks import SPECS, random_batch

from mmjax.config import Config
from mmjax.fusion import FUSIONS, LowRankTensor, level_of
from mmjax.fusion.decision.targets import decide
from mmjax.model import build_model, initialise, part_of
from mmjax.types import TargetSpec

TARGET = TargetSpec("multiclass", 3)
CONFIG = Config(width=8, heads=2, encoder_layers=1)


def made(fusion, target=TARGET, specs=SPECS[:2]):
    model = build_model(specs, target, fusion, CONFIG)
    batch = jax.tree.map(jnp.asarray, random_batch(specs, target, 4))
    return model, initialise(model, jax.random.key(0), batch), batch


def test_feature_level_is_h_of_g_of_f():
    model, variables, batch = made("low_rank_tensor")
    params = variables["params"]
    embeddings = model.apply(variables, batch, method="encode").embeddings
    fused = LowRankTensor(8, CONFIG.rank).apply({"params": params["g"]}, embeddings)
    logits = fused @ params["h"]["head"]["kernel"] + params["h"]["head"]["bias"]
    outputs = model.apply(variables, batch)
    np.testing.assert_allclose(outputs.fused, fused, rtol=1e-5)
    np.testing.assert_allclose(outputs.logits, logits, rtol=1e-5, atol=1e-6)


def test_decision_level_is_g_of_h_of_f():
    model, variables, batch = made("product")
    embeddings = model.apply(variables, batch, method="encode").embeddings
    heads = {n: variables["params"][f"heads_{n}"]["head"] for n in embeddings}
    logits = {n: embeddings[n] @ heads[n]["kernel"] + heads[n]["bias"] for n in embeddings}
    expected = jax.nn.log_softmax(sum(logits.values()))
    np.testing.assert_allclose(model.apply(variables, batch).logits, expected, rtol=1e-5, atol=1e-6)


def test_unimodal_is_one_encoder_and_a_decoder():
    model, variables, batch = made("unimodal/table")
    assert sorted(variables["params"]) == ["encoders_table", "h"]
    turned = batch._replace(inputs=batch.inputs | {"speech": batch.inputs["speech"] + 1})
    np.testing.assert_array_equal(model.apply(variables, turned).logits, model.apply(variables, batch).logits)


@pytest.mark.parametrize("fusion", ["gmu", "bottleneck", "evidential_pseudo", "mmtm", "early"])
def test_what_was_read_can_be_joined_with_fewer_modalities(fusion):
    """Which is D of a batch that lacks the others from the start."""
    model, variables, batch = made(fusion)
    fewer = batch._replace(present=batch.present | {"table": jnp.zeros(4, bool)})
    encoded = model.apply(variables, batch, method="read")
    joined = model.apply(variables, encoded, fewer, method="join")
    np.testing.assert_allclose(joined.logits, model.apply(variables, fewer).logits, rtol=1e-5, atol=1e-6)
    assert jnp.abs(joined.logits - model.apply(variables, batch).logits).max() > 1e-4


@pytest.mark.parametrize("fusion", ["gmu", "bottleneck", "mmtm"])
def test_noise_is_added_to_what_encoders_start_from_where_there_is_data(fusion):
    specs = (SPECS[3], SPECS[1])
    model, variables, batch = made(fusion, specs=specs)
    starts = model.apply(variables, batch, method="starts")
    assert starts["words"].shape == (4, 7, CONFIG.token_size) and starts["table"].shape == (4, 5)
    none = jax.tree.map(jnp.zeros_like, starts)
    padding = jnp.arange(7)[None, :, None] >= batch.lengths["words"][:, None, None]
    clean = model.apply(variables, batch).logits
    np.testing.assert_array_equal(model.apply(variables, batch, (), none).logits, clean)
    unseen = none | {"words": none["words"] + padding}
    np.testing.assert_array_equal(model.apply(variables, batch, (), unseen).logits, clean)
    for name in none:
        moved = model.apply(variables, batch, (), none | {name: none[name] + 1}).logits
        assert (jnp.abs(moved - clean).max(1) > 1e-6).all()


@pytest.mark.parametrize("fusion", sorted(FUSIONS))
def test_every_parameter_belongs_to_a_part(fusion):
    """theta_i under encoders_<modality>, theta_f under g, theta_d under h or heads_<modality>."""
    _, variables, _ = made(fusion)
    for name in variables["params"]:
        assert part_of(name) == ("encoders" if name.startswith("encoders_") else "fusion" if name == "g" else "decoder")
        assert name in ("g", "h") or name.split("_", 1)[0] in ("encoders", "heads")
    decoders = [name for name in variables["params"] if part_of(name) == "decoder"]
    assert ("h" in decoders) == (level_of(fusion) != "decision")


def test_a_binary_decision_is_one_between_two_classes():
    """The product of experts adds log-odds up; a rule knows nothing of the sigmoid."""
    rng = np.random.default_rng(0)
    logits = {name: jnp.float32(rng.normal(size=(5, 1))) for name in ("a", "b")}
    present = {name: jnp.ones(5, bool) for name in logits}
    rule = FUSIONS["product"]()
    fused = decide(TargetSpec("binary"), lambda l, p: rule.apply({}, l, p), logits, present)
    np.testing.assert_allclose(fused, logits["a"] + logits["b"], rtol=1e-5, atol=1e-6)


def test_fusions_work_without_the_harness():
    embeddings = {"image": jnp.ones((5, 3)), "text": jnp.ones((5, 4))}
    g = LowRankTensor(width=6)
    assert g.apply(g.init(jax.random.key(0), embeddings), embeddings).shape == (5, 6)


@pytest.mark.parametrize("fusion", sorted(name for name in FUSIONS if level_of(name) != "decision"))
def test_bfloat16_says_what_float32_says(fusion):
    """Up to its 8 bits, 4e-3 a rounding: some tens of roundings one after the other, of values of the size of 1."""
    model, variables, batch = made(fusion)
    half = jax.tree.map(lambda x: x.astype(jnp.bfloat16), variables["params"])
    inputs = {n: x.astype(jnp.bfloat16) if x.dtype == jnp.float32 else x for n, x in batch.inputs.items()}
    outputs = model.apply(variables | {"params": half}, batch._replace(inputs=inputs))
    assert outputs.fused.dtype == jnp.bfloat16 and outputs.logits.dtype == jnp.float32
    exact = model.apply(variables, batch).logits
    scale = max(1.0, float(jnp.abs(exact).max()))
    np.testing.assert_allclose(outputs.logits, exact, rtol=0, atol=0.1 * scale)
