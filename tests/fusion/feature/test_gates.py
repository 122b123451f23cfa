"""Gates are their equations, in float64 against NumPy."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from feature_cases import CLOSE, NAMES, SIZES, WIDTH, count, embeddings, fused, sigmoid, total, without

from mmjax.fusion import GMU, Film, KielaGate, NLGate

every_number = pytest.mark.parametrize("names", NAMES, ids=len)


@every_number
def test_gmu(names):
    h = embeddings(names)
    F, params = fused(GMU(WIDTH), h)
    together = np.concatenate([h[n] for n in names], axis=1)
    if len(names) == 2:
        g = sigmoid(together @ params["gate"]["kernel"])
        gates = [g, 1 - g]
    else:
        gates = [sigmoid(together @ params[f"gate_{n}"]["kernel"]) for n in names]
    states = [np.tanh(h[n] @ params[f"project_{n}"]["kernel"]) for n in names]
    np.testing.assert_allclose(F, sum(g * s for g, s in zip(gates, states, strict=True)), **CLOSE)
    assert count(params) == total(h) * WIDTH * (2 if len(names) == 2 else 1 + len(names))


def test_gmu_with_its_gate_forced_is_one_modality_alone():
    h = {name: np.abs(value) for name, value in embeddings(("audio", "text")).items()}
    g = GMU(WIDTH)
    params = g.init(jax.random.key(0), h)["params"]
    for sign, name in ((1, "audio"), (-1, "text")):
        # Positive inputs times +-1e3 saturate the sigmoid: exp(-1e3) is 0 in float64.
        forced = params | {"gate": {"kernel": jnp.full_like(params["gate"]["kernel"], sign * 1e3)}}
        np.testing.assert_allclose(
            g.apply({"params": forced}, h), np.tanh(h[name] @ params[f"project_{name}"]["kernel"]), **CLOSE
        )


@every_number
def test_kiela_gate(names):
    h = embeddings(names)
    F, params = fused(KielaGate(WIDTH), h)
    expected = h[names[-1]] @ params[f"project_{names[-1]}"]["kernel"]
    for n in names[:-1]:
        expected = expected * sigmoid(h[n] @ params[f"gate_{n}"]["kernel"])
    np.testing.assert_allclose(F, expected, **CLOSE)
    assert count(params) == total(h) * WIDTH


def test_kiela_gate_of_an_absent_modality_is_open():
    h = embeddings(("audio", "text"))
    F, params = fused(KielaGate(WIDTH), h, without("audio", h))
    np.testing.assert_allclose(F, h["text"] @ params["project_text"]["kernel"], **CLOSE)


@every_number
def test_film(names):
    h = embeddings(names)
    F, params = fused(Film(), h)
    z = h[names[0]]
    for n in names[1:]:
        gamma, beta = (
            z @ params[f"{part}_{n}"]["kernel"] + params[f"{part}_{n}"]["bias"] for part in ("gamma", "beta")
        )
        z = gamma * h[n] + beta
    np.testing.assert_allclose(F, z, **CLOSE)
    sizes = [SIZES[n] for n in names]
    assert count(params) == sum(2 * (d * e + e) for d, e in zip(sizes, sizes[1:], strict=False))


def test_film_with_gamma_one_and_beta_zero_is_the_last_modality():
    h = embeddings(("audio", "text"))
    params = jax.tree.map(jnp.zeros_like, Film().init(jax.random.key(0), h)["params"])
    params["gamma_text"]["bias"] += 1
    np.testing.assert_allclose(Film().apply({"params": params}, h), h["text"], **CLOSE)
    np.testing.assert_allclose(fused(Film(), h, without("audio", h))[0], h["text"], **CLOSE)


@every_number
def test_nl_gate(names):
    h = embeddings(names)
    F, params = fused(NLGate(WIDTH), h)
    q = np.concatenate([h[n] for n in names], axis=1) @ params["query"]["kernel"]
    K = np.stack([h[n] @ params[f"key_{n}"]["kernel"] for n in names], axis=1)
    V = np.stack([h[n] @ params[f"value_{n}"]["kernel"] for n in names], axis=1)
    weights = np.exp(np.einsum("bd,bmd->bm", q, K) / np.sqrt(WIDTH))
    weights /= weights.sum(1, keepdims=True)
    np.testing.assert_allclose(F, q + np.einsum("bm,bmd->bd", weights, V), **CLOSE)
    assert count(params) == 3 * total(h) * WIDTH
