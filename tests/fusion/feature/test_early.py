"""Early fusion joins inputs, and nothing else."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small_tasks import SPECS, random_batch

from mmjax.config import Config
from mmjax.errors import InputError
from mmjax.fusion import Early
from mmjax.model import build_model, initialise
from mmjax.types import ModalitySpec, TargetSpec

TARGET = TargetSpec("multiclass", 3)
ALIGNED = (
    ModalitySpec("words", "tokens", (6,), vocabulary=9),
    ModalitySpec("speech", "sequence", (6, 4)),
    ModalitySpec("video", "sequence", (6, 2)),
)


def joined(specs, token_size=3):
    batch = random_batch(specs, TARGET, 5, missing=True)
    arguments = (batch.inputs, batch.lengths, batch.present)
    g = Early(specs, token_size)
    variables = g.init(jax.random.key(0), *arguments)
    return g, batch, variables, *g.apply(variables, *arguments)


def test_sequences_of_one_length_join_step_by_step():
    """In the order of their names; a step is valid where any modality's is, and the others are 0 there."""
    g, batch, variables, values, length = joined(ALIGNED)
    assert g.spec == ModalitySpec("joined", "sequence", (6, 4 + 2 + 3))
    embedding = np.asarray(variables["params"]["embed_words"]["embedding"])
    seen = {n: batch.present[n][:, None] & (np.arange(6) < batch.lengths[n][:, None]) for n in batch.inputs}
    parts = {**batch.inputs, "words": embedding[batch.inputs["words"]]}
    expected = np.concatenate([parts[n] * seen[n][:, :, None] for n in ("speech", "video", "words")], axis=2)
    np.testing.assert_array_equal(values, expected)
    np.testing.assert_array_equal(length, np.max([batch.lengths[n] * batch.present[n] for n in seen], axis=0))


def test_all_else_is_flattened():
    g, batch, _, values, length = joined(SPECS[:3])
    assert g.spec == ModalitySpec("joined", "vector", (6 * 4 + 5 + 36,))
    flat = [batch.inputs[n].reshape(5, -1) * batch.present[n][:, None] for n in ("scan", "speech", "table")]
    np.testing.assert_array_equal(values, np.concatenate(flat, axis=1))
    assert length is None


def test_one_encoder_reads_what_was_joined():
    """Chosen by the kind of what was joined; with `linear`, D is one linear map of all inputs, then the decoder's."""
    model = build_model(SPECS[:3], TARGET, "early", Config(width=8, encoders={"vector": "linear"}))
    batch = jax.tree.map(jnp.asarray, random_batch(SPECS[:3], TARGET, 5))
    variables = initialise(model, jax.random.key(0), batch)
    assert sorted(variables["params"]) == ["encoders_joined", "h"]
    dense = variables["params"]["encoders_joined"]["dense"]
    flat = [batch.inputs[n].reshape(5, -1) for n in ("scan", "speech", "table")]
    fused = np.concatenate(flat, axis=1) @ dense["kernel"] + dense["bias"]
    np.testing.assert_allclose(model.apply(variables, batch).fused, fused, rtol=1e-4, atol=1e-5)
    alone = model.apply(variables, batch, method="encode").embeddings["joined"]
    np.testing.assert_allclose(alone, fused, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["joined", "pseudo", "fused"])
def test_a_modality_may_not_have_the_joint_name(name):
    with pytest.raises(InputError, match=f"modality '{name}' has a name that is taken"):
        build_model((ModalitySpec(name, "vector", (3,)), SPECS[1]), TARGET, "early", Config())
