"""The search mixes candidates by its equation, and a preference that is certain is one architecture."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from small_tasks import SPECS, random_batch
from stage_cases import stages_of

from mmjax.config import Config
from mmjax.fusion.model.fusion_search import ACTIVATIONS, found
from mmjax.model import build_model, initialise
from mmjax.types import TargetSpec

TARGET, WIDTH, LAYERS = TargetSpec("multiclass", 3), 4, 2
CONFIG = Config(width=WIDTH, encoder_layers=2, fusion_layers=LAYERS, encoders={"sequence": "gru"})
CLOSE = {"rtol": 1e-4, "atol": 1e-5}  # float32 sums of a few dozen terms of order 1
ACT = {"relu": lambda x: np.maximum(x, 0), "sigmoid": lambda x: 1 / (1 + np.exp(-x)), "tanh": np.tanh}


@pytest.fixture(scope="module")
def searched():
    """A model with random parameters, a batch, and what each stage of each encoder says: modality -> [h^0, ..., h]."""
    model = build_model(SPECS[:2], TARGET, "fusion_search", CONFIG)
    batch = jax.tree.map(jnp.asarray, random_batch(SPECS[:2], TARGET, 5))
    variables = jax.jit(lambda: initialise(model, jax.random.key(0), batch))()
    rng = np.random.default_rng(0)
    g = jax.tree.map(lambda p: np.float32(rng.normal(size=p.shape)), variables["params"]["g"])
    variables = variables | {"params": variables["params"] | {"g": g}}
    return model, variables, batch, stages_of(model, variables, batch)


def softmax(x):
    return np.exp(x) / np.exp(x).sum()


def test_it_is_its_equation(searched):
    model, variables, batch, stages = searched
    g, z = variables["params"]["g"], 0
    for layer in range(LAYERS):
        joined = g[f"bias_{layer}"] + (z @ g[f"layer_{layer}"]["kernel"] if layer else 0)
        for name, hidden in stages.items():
            shares = softmax(g[f"stage_{layer}_{name}"])
            for share, place, h in zip(shares, ("0", "1", "pooled"), hidden, strict=True):
                joined = joined + share * (h @ g[f"project_{layer}_{name}_{place}"]["kernel"])
        z = sum(s * ACT[act](joined) for s, act in zip(softmax(g[f"activation_{layer}"]), ACTIVATIONS, strict=True))
    np.testing.assert_allclose(model.apply(variables, batch).fused, z, **CLOSE)


def test_a_certain_preference_is_one_architecture(searched):
    """Preferences of +-1e3: one stage of each encoder, joined and acted upon by one function, as `found` reads off."""
    model, variables, batch, stages = searched
    g = dict(variables["params"]["g"])
    wanted = [{"speech": 0, "table": 2, "activation": 1}, {"speech": 2, "table": 1, "activation": 2}]
    for layer, choice in enumerate(wanted):
        for name, index in choice.items():
            key = f"activation_{layer}" if name == "activation" else f"stage_{layer}_{name}"
            g[key] = np.where(np.arange(3) == index, 1e3, -1e3).astype(np.float32)
    places = ("0", "1", "pooled")
    expected = [{n: tuple(ACTIVATIONS)[i] if n == "activation" else places[i] for n, i in c.items()} for c in wanted]
    assert found(g) == expected
    z = 0
    for layer, choice in enumerate(expected):
        joined = g[f"bias_{layer}"] + (z @ g[f"layer_{layer}"]["kernel"] if layer else 0)
        for name, hidden in stages.items():
            kernel = g[f"project_{layer}_{name}_{choice[name]}"]["kernel"]
            joined = joined + hidden[places.index(choice[name])] @ kernel
        z = ACT[choice["activation"]](joined)
    fused = model.apply(variables | {"params": variables["params"] | {"g": g}}, batch).fused
    np.testing.assert_allclose(fused, z, **CLOSE)


def test_parameters(searched):
    """Of each layer: a projection and a preference for each of 3 candidates of 2 modalities, 3 activations, a bias."""
    _, variables, _, stages = searched
    sizes = sum(h.shape[1] for hidden in stages.values() for h in hidden)
    per_layer = sizes * WIDTH + 2 * 3 + 3 + WIDTH
    count = sum(leaf.size for leaf in jax.tree.leaves(variables["params"]["g"]))
    assert count == LAYERS * per_layer + (LAYERS - 1) * WIDTH * WIDTH
